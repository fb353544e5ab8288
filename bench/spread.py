#!/usr/bin/env python3
"""One sender, several receivers, by the relay: what the sender's uplink carries and what its client costs.

    spread.py [--receivers 1,10] [--rate 2000] [--seconds 4] [--reps 5]

Root only. The sender's client is in namespace A, the server in S, the receivers' clients in B (topo.py). An application
sends 1,200-byte datagrams; uplink bytes are those of A's interface, IP and UDP headers and all control included.
Prints one JSON line for each number of receivers: medians.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

import topo
from common import IP, cpu_ns
from peers import wormhole  # noqa: F401  (puts tests/ on the path)
from support.network import Network, wait_until

SENDER = """
import socket, sys, time
rate, seconds = int(sys.argv[1]), float(sys.argv[2])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); out.connect(("127.1.0.1", 7000))
begin, sent = time.monotonic(), 0
while sent < rate * seconds:
    while sent < (time.monotonic() - begin) * rate: out.send(bytes(1200)); sent += 1
    time.sleep(0.0002)
print(sent)
"""


def received(network, clients):
    """Datagrams that each client has handed over so far."""
    return [network.status(client)["flows"][0]["rx"]["packets"] for client in clients]


def one_run(count, rate, seconds):
    """µs of the sender's client and uplink bytes a datagram, and the share that did not arrive."""
    receivers = [f"b{n}" for n in range(count)]
    flows = {"load": {"protocol": "udp", "port": 7000, "from": "a", "to": receivers}}
    where = lambda who: ["ip", "netns", "exec", "wb" + {"server": "S", "a": "A"}.get(who, "B")]  # noqa: E731
    topo.up()
    topo.mode("relay")
    with tempfile.TemporaryDirectory() as folder, Network(folder, {"addresses": [IP["S"]], "port": 7700}, flows, where) as network:
        network.routes["clients"] = {client: {"p2p": "off"} for client in ["a", *receivers]}
        network.start_server()
        for client in ["a", *receivers]:
            network.enrol(client)
        for n, client in enumerate(receivers):
            network.start_client(client, f"127.1.0.{n + 2}")
        network.start_client("a", "127.1.0.1")
        ready = lambda: all(peer["path"] == "relay" for peer in network.status("a")["peers"])  # noqa: E731
        wait_until("all sessions", lambda: (network.status("a") or {}).get("peers") and ready())
        command = [*where("a"), sys.executable, "-c", SENDER]
        subprocess.run([*command, str(rate), "1.5"], check=True, stdout=subprocess.DEVNULL)  # groups and the MTU are found
        wait_until("one upload", lambda: count == 1 or network.status("a")["flows"][0]["fanout"]["alone"] == 0)
        pid = network.processes["a"].pid
        sent_bytes = lambda: int(topo.sh("ip netns exec wbA cat /sys/class/net/wbA0/statistics/tx_bytes"))  # noqa: E731
        before = received(network, receivers), cpu_ns([pid]), sent_bytes()
        sent = int(subprocess.run([*command, str(rate), str(seconds)], check=True, capture_output=True, text=True).stdout)
        time.sleep(0.2)
        after = received(network, receivers), cpu_ns([pid]), sent_bytes()
        arrived = sum(after[0]) - sum(before[0])
        return {"cpu_us": (after[1] - before[1]) / sent / 1e3, "uplink_bytes": (after[2] - before[2]) / sent,
                "lost": 1 - arrived / (sent * count)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--receivers", default="1,10", help="how many, one after the other (default %(default)s)")
    parser.add_argument("--rate", type=int, default=2000, help="datagrams/s (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=4, help="of each run (default %(default)s)")
    parser.add_argument("--reps", type=int, default=5, help="runs of each, by turns (default %(default)s)")
    options = parser.parse_args()
    counts = [int(count) for count in options.receivers.split(",")]
    runs = {count: [] for count in counts}
    try:
        for _ in range(options.reps):
            for count in counts:
                runs[count].append(one_run(count, options.rate, options.seconds))
    finally:
        topo.down()
    for count, rows in runs.items():
        print(json.dumps({"receivers": count, **{key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}}))


if __name__ == "__main__":
    main()
