#!/usr/bin/env python3
"""TCP flows between real processes in namespaces: rate, CPU, time to open, and UDP beside a bulk stream.

    streams.py [--secs 3] [--reps 5] [--modes direct,relay] [--json]

Root only. Per mode (direct: the clients reach each other; relay: only the server):
  - iperf3 with one stream through a TCP flow: Mbit/s, and CPU in ns for each byte, of each client and the server;
  - a new connection to the target's first byte, less the round trip of a UDP echo by the same way: ms;
  - 1,000 connections that stand idle: memory (PSS) for each, KiB;
  - UDP echo (200 packets/s) alone and beside a bulk stream: lost, and the median round trip in ms.
Medians over the repetitions.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests")]
import topo
from support.network import Network, cpu_seconds, pss_kib, wait_until

BULK, BANNER, ECHO, ECHO_APP, HOLD = 5201, 7001, 7002, 7003, 7004
IDLE = 1000  # connections, held open
WHERE = {"server": "S", "a": "A", "b": "B"}
FLOWS = {
    "bulk": {"protocol": "tcp", "port": BULK, "from": "a", "to": "b"},
    "hold": {"protocol": "tcp", "port": HOLD, "from": "a", "to": "b"},
    "banner": {"protocol": "tcp", "port": BANNER, "from": "a", "to": "b"},
    "echo": {"protocol": "udp", "port": ECHO, "between": ["a", "b"], "deliver": {"a": "none", "b": f"127.0.0.1:{ECHO_APP}"}},
}
GREETER = """
import socket
s = socket.create_server(("127.0.0.1", %d))
while True:
    c, _ = s.accept()
    c.sendall(b"x")
    c.close()
""" % BANNER
DIALLER = """
import socket, statistics, time
times = []
for _ in range(200):
    start = time.monotonic()
    with socket.create_connection(("127.1.0.1", %d)) as s: s.recv(1)
    times.append(time.monotonic() - start)
print(statistics.median(times) * 1e3)
""" % BANNER
HOLDER = """
import socket
s = socket.create_server(("127.0.0.1", %d), backlog=1024)
held = []
while True:
    held.append(s.accept()[0])
    held[-1].sendall(b"x")
""" % HOLD
HOLDING = """
import socket, sys
held = [socket.create_connection(("127.1.0.1", %d)) for _ in range(%d)]
for s in held: s.recv(1)
print("held", flush=True)
sys.stdin.read()
""" % (HOLD, IDLE)
ECHOER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", %d))
while True:
    d, a = s.recvfrom(2048)
    s.sendto(d, a)
""" % ECHO_APP
PINGER = """
import json, socket, statistics, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.connect(("127.1.0.1", %d))
count, times, seen = int(float(sys.argv[1]) * 200), [], set()
start = time.monotonic()
def take(wait):
    s.settimeout(max(wait, 1e-4))
    try: d = s.recv(2048)
    except (TimeoutError, ConnectionRefusedError): return
    n, sent = struct.unpack("<Qd", d[:16])
    if n not in seen: seen.add(n); times.append(time.monotonic() - sent)
for n in range(count):
    s.send(struct.pack("<Qd", n, time.monotonic()) + bytes(184))
    while (left := start + (n + 1) / 200 - time.monotonic()) > 0: take(left)
for _ in range(10): take(0.1)
print(json.dumps({"sent": count, "lost": count - len(seen), "p50_ms": statistics.median(times) * 1e3 if times else None}))
""" % ECHO


class Pair:
    """Server, a and b, in the bench's namespaces."""

    def __init__(self, folder, mode):
        topo.up()
        topo.mode(mode)
        self.mode = mode
        self.net = Network(folder, {"addresses": [topo.IP["S"]]}, dict(FLOWS), lambda who: ["ip", "netns", "exec", "wb" + WHERE[who]])
        self.net.routes["clients"] = {"a": {}, "b": {}}
        self.helpers = []

    def __enter__(self):
        self.net.start_server()
        for client in "ab":
            self.net.enrol(client)
        for client in "ba":
            self.net.start_client(client)
        self.net.wait_connected("a", "b")
        self.helpers = [self.start("B", [sys.executable, "-c", GREETER]), self.start("B", [sys.executable, "-c", ECHOER]),
                        self.start("B", [sys.executable, "-c", HOLDER]),
                        self.start("B", ["iperf3", "-s", "-p", str(BULK), "--bind", "127.0.0.1"])]
        wait_until("streams and path " + self.mode, self.is_ready, 20)
        return self

    def __exit__(self, *_):
        for process in self.helpers:
            process.kill()
            process.wait()
        self.net.__exit__()
        topo.down()

    def is_ready(self):
        status = [self.net.status(client) for client in "ab"]
        return all(status) and all(s["peers"][0]["path"] == self.mode for s in status) and all(
            peer["up"] for s in status for flow in s["flows"] if flow["tcp"] for peer in flow["tcp"]["peers"])

    def start(self, where, command, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        return subprocess.Popen(["ip", "netns", "exec", "wb" + where, *command], stderr=subprocess.DEVNULL, text=True, **options)

    def output(self, command):
        return subprocess.run(["ip", "netns", "exec", "wbA", *command], capture_output=True, text=True, check=True).stdout

    def bulk(self, secs):
        """One iperf3 stream: Mbit/s and ns of CPU for each byte, by process."""
        pids = {name: process.pid for name, process in self.net.processes.items()}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        end = json.loads(self.output(["iperf3", "-c", "127.1.0.1", "-p", str(BULK), "-t", str(secs), "-J"]))["end"]["sum_received"]
        cost = {name: (cpu_seconds(pid) - before[name]) * 1e9 / end["bytes"] for name, pid in pids.items()}
        return {"mbit": end["bits_per_second"] / 1e6, **{f"ns_byte_{name}": value for name, value in cost.items()}}

    def echo(self, secs):
        return json.loads(self.output([sys.executable, "-c", PINGER, str(secs)]))

    def echo_beside_bulk(self, secs):
        bulk = self.start("A", ["iperf3", "-c", "127.1.0.1", "-p", str(BULK), "-t", str(secs + 2)])
        time.sleep(1)  # BBR's start
        answer = self.echo(secs)
        bulk.wait()
        return answer

    def hold(self):
        """A process that has opened connections and keeps them idle."""
        process = self.start("A", [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(1)  # the first bytes are acknowledged
        return process

    def idle_kib(self):
        """Memory for each connection that stands idle, of both clients: what the second thousand adds, since pools that
        the first one fills are kept."""
        pids = [self.net.processes[client].pid for client in "ab"]
        first = self.hold()
        before = [pss_kib(pid) for pid in pids]
        second = self.hold()
        grown = [(pss_kib(pid) - b) / IDLE for pid, b in zip(pids, before)]
        for process in (first, second):
            process.communicate("")
        return grown

    def open_ms(self):
        return float(self.output([sys.executable, "-c", DIALLER]))


def median_of(rows):
    return {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}


def measure(mode, secs, reps):
    with tempfile.TemporaryDirectory() as folder, Pair(folder, mode) as pair:
        idle = pair.idle_kib()
        result = median_of([pair.bulk(secs) for _ in range(reps)])
        alone = median_of([pair.echo(2) for _ in range(reps)])
        beside = median_of([pair.echo_beside_bulk(secs) for _ in range(reps)])
        opened = statistics.median(pair.open_ms() for _ in range(reps))
        return {"mode": mode, **result, "idle_kib_a": round(idle[0], 2), "idle_kib_b": round(idle[1], 2), "echo_p50_ms": alone["p50_ms"], "echo_lost": alone["lost"],
                "open_over_rtt_ms": round(opened - alone["p50_ms"], 3),
                "echo_beside_bulk_p50_ms": beside["p50_ms"], "echo_beside_bulk_lost": beside["lost"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--secs", type=float, default=3)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--modes", default="direct,relay")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for mode in options.modes.split(","):
        result = measure(mode, options.secs, options.reps)
        if options.json:
            print(json.dumps(result), flush=True)
            continue
        print(f"{mode}: {result['mbit']:.0f} Mbit/s; ns/byte " + ", ".join(f"{who} {result['ns_byte_' + who]:.1f}" for who in WHERE)
              + f"; opened in RTT + {result['open_over_rtt_ms']:.2f} ms; UDP echo {result['echo_p50_ms']:.2f} ms alone, "
              f"{result['echo_beside_bulk_p50_ms']:.2f} ms and {result['echo_beside_bulk_lost']:.0f} lost beside bulk; "
              f"idle connection {result['idle_kib_a']:.1f} and {result['idle_kib_b']:.1f} KiB", flush=True)


if __name__ == "__main__":
    main()
