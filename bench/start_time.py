#!/usr/bin/env python3
"""From the start of a client's process to its first application packet delivered to the peer's application.

    start_time.py [--runs 21]

On loopback, server and peer up. An application beside the starting client sends to the flow's port all the
time, so the first packet goes as soon as anything can take it. Prints one JSON line with the median.
"""
import argparse
import json
import pathlib
import select
import socket
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from support.network import Network, wait_until

PORT, APPLICATION = 5600, 5601


def one_run(network, sender, receiver):
    """Milliseconds of one start."""
    start = time.monotonic_ns()
    network.start_client("drone3", "127.1.0.1")
    deadline = start + 10_000_000_000
    while time.monotonic_ns() < deadline:
        try:
            sender.send(b"%d" % start)
        except ConnectionRefusedError:
            pass  # the flow's port is not open yet
        # 200 us between tries: small against what is measured, and leaves the core to the client.
        while select.select([receiver], [], [], 0.0002)[0]:
            if receiver.recv(64) == b"%d" % start:
                took = (time.monotonic_ns() - start) / 1e6
                network.end("drone3")
                return took
    raise SystemExit(f"start_time: no packet came through; {network.log('drone3')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    flows = {"video": {"protocol": "udp", "port": PORT, "from": "drone3", "to": "gcs4",
                       "deliver": {"gcs4": f"127.0.0.1:{APPLICATION}"}}}
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", APPLICATION))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.1.0.1", PORT))
    with tempfile.TemporaryDirectory() as folder:
        with Network(folder, {"addresses": ["127.0.0.1"], "port": 17700}, flows) as network:
            network.routes["clients"] = {"drone3": {}, "gcs4": {}}
            network.start_server()
            network.enrol("drone3")
            network.enrol("gcs4")
            network.start_client("gcs4", "127.1.0.2")
            wait_until("gcs4 connected", lambda: (network.status("gcs4") or {"server": {}})["server"].get("connected"))
            took = []
            for _ in range(runs):
                took.append(one_run(network, sender, receiver))
                # The peer must have seen the other leave, or the next start would be a takeover.
                wait_until("gcs4 without its peer", lambda: network.connected("gcs4") is None, 30)
    print(json.dumps({"runs": runs, "median_ms": round(statistics.median(took), 1),
                      "best_ms": round(min(took), 1), "worst_ms": round(max(took), 1)}))


if __name__ == "__main__":
    main()
