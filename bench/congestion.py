#!/usr/bin/env python3
"""What congestion reports say and do at a bottleneck, with the real binary.

    congestion.py [--scenarios limit,schedule,mavlink,fair] [--seconds 60] [--tries 3] [--out DIR]

Root only; build/wormhole must be there. Clients that send are in a namespace of their own, behind the lab's link emulator
(rate, drop-tail queue in ms, delay, loss, jitter); the server and the receivers are beyond it. The clock is one, so
one-way delays are true. Writes congestion.md (a table), congestion.json and an SVG for each run into DIR.
"""
import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from congestion_ends import ROOT, percentile, receive, send
import svg_plot

sys.path.insert(0, os.path.join(ROOT, "tests"))
from support.network import Network, wait_until  # noqa: E402

NEAR, FAR, SERVER = "10.89.1.2", "10.89.1.1", "198.18.89.1"
VIDEO, MAVLINK = 5600, 14550
MBIT = 1e6


def sh(command, check=True):
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    if check and done.returncode:
        raise SystemExit(f"{command}\n{done.stderr}")
    return done.stdout


class Bottleneck:
    """Namespaces wcA (senders) and wcB (the rest) with the emulator between them."""

    def __init__(self, folder, rate, queue_ms=300, delay_ms=20, loss=0, jitter_ms=0):
        self.control, self.box = os.path.join(folder, "box.sock"), None
        binary = os.path.join(folder, "natbox")
        source = os.path.join(ROOT, "tests", "lab", "natlab", "natbox")
        subprocess.check_call(["g++", "-O2", "-std=c++17", "-o", binary, os.path.join(source, "natbox.cpp")])
        self.down()
        sh("ip netns add wcA; ip netns add wcB; ip -n wcA link set lo up; ip -n wcB link set lo up; "
           f"ip -n wcB addr add {SERVER}/32 dev lo")
        up = f"rate={rate / MBIT:g},queue={queue_ms},delay={delay_ms},loss={loss},jitter={jitter_ms}"
        self.box = subprocess.Popen([binary, "--in", "wcA:tunA", "--out", "wcB:tunB", "--ctl", self.control,
                                     "--up", up, "--down", f"delay={delay_ms}"])
        wait_until("the emulator", lambda: os.path.exists(self.control))
        sh(f"ip -n wcA addr add {NEAR} peer {FAR} dev tunA; ip -n wcA link set tunA up; "
           f"ip -n wcB addr add {FAR} peer {NEAR} dev tunB; ip -n wcB link set tunB up; "
           f"ip -n wcA route add default via {FAR}")

    def set_rate(self, rate):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.control)
            s.sendall(f"imp up rate={rate / MBIT:g}\n".encode())
            s.recv(4096)

    def down(self):
        if self.box:
            self.box.terminate()
            self.box.wait()
        sh("ip netns del wcA; ip netns del wcB", check=False)


class Rig:
    """A bottleneck with `pairs` of clients across it: sender n is an, receiver bn."""

    def __init__(self, folder, flows, pairs=1, **link):
        self.folder, self.pairs = folder, pairs
        self.link = Bottleneck(folder, **link)
        where = lambda who: ["ip", "netns", "exec", "wcA" if who.startswith("a") else "wcB"]  # noqa: E731
        self.network = Network(os.path.join(folder, "net"), {"addresses": [SERVER], "port": 7700}, flows, where)
        self.network.routes["clients"] = {f"{end}{n}": {} for n in range(pairs) for end in "ab"}
        self.network.start_server()
        for n in range(pairs):
            for end in (f"a{n}", f"b{n}"):
                self.network.enrol(end)
            self.network.start_client(f"b{n}", f"127.1.{n + 1}.2")
            self.network.start_client(f"a{n}", f"127.1.{n + 1}.1", None, "--notify", f"127.0.0.1:{9100 + n}")
        for n in range(pairs):
            wait_until("a path", lambda n=n: any(p["path"] != "none" for p in (self.network.status(f"a{n}") or {"peers": []})["peers"]), 30)

    def close(self):
        for name in list(self.network.processes):
            self.network.end(name)
        self.link.down()

    def run(self, seconds, sources, schedule=()):
        """sources: {n: [what congestion_ends.send takes]}; schedule: [(after, rate)]. Gives {n: (sender's, receiver's)}."""
        procs = {}
        for n, flows in sources.items():
            ends = []
            for role, space in (("receive", "wcB"), ("send", "wcA")):
                order = {"seconds": seconds, "flows": flows, "bind": f"127.1.{n + 1}.1", "notify": 9100 + n}
                ends.append(subprocess.Popen(["ip", "netns", "exec", space, sys.executable, os.path.abspath(__file__), "--role", role,
                                              json.dumps(order)], stdout=subprocess.PIPE, text=True))
            procs[n] = ends
        begin = time.monotonic()
        for after, rate in schedule:
            time.sleep(max(0, begin + after - time.monotonic()))
            self.link.set_rate(rate)
        return {n: tuple(json.loads(end.communicate()[0]) for end in reversed(ends)) for n, ends in procs.items()}


def flow(port, pair=0, **more):
    return {"protocol": "udp", "port": port, "from": f"a{pair}", "to": f"b{pair}", "deliver": {f"b{pair}": f"127.0.0.1:{port}"}, **more}


def delays(received, port, since=0.0):
    return [(at - sent) * 1000 for p, _, sent, at, _ in received["packets"] if p == port and sent >= received["begin"] + since]


def lost(sender, received, port):
    sent = sender["sent"][str(port)]
    return 1 - len({seq for p, seq, *_ in received["packets"] if p == port}) / max(sent, 1)


def plots(out, name, sender):
    """Rates and the queue as the client told them, over time."""
    rows = [(t, s) for t, s in sender["states"] if s]
    if len(rows) < 2:
        return
    series = lambda key, scale: [(t, s[key] / scale) for t, s in rows]  # noqa: E731
    svg_plot.plot(os.path.join(out, f"{name}_rates.svg"), f"{name}: rates", "seconds", "Mbit/s",
                  {"offered": series("offered_bps", 1e6), "delivered": series("delivered_bps", 1e6),
                   "estimate": series("capacity_bps", 1e6)}, log_x=False)
    verdicts = {"app_limited": 0, "clear": 1, "lossy": 2, "limit": 3}
    svg_plot.plot(os.path.join(out, f"{name}_queue.svg"), f"{name}: queue (ms) and state (× 100: 1 clear, 2 lossy, 3 limit)", "seconds",
                  "ms", {"queue": series("queue_ms", 1), "state": [(t, 100 * verdicts[s["state"]]) for t, s in rows]}, log_x=False)


def limit(folder, options):
    """How soon `limit` is said, and how far off the capacity is 3 s later."""
    rows = []
    for rate, share in ((1 * MBIT, 1.25), (3 * MBIT, 1.25), (10 * MBIT, 1.25), (3 * MBIT, 1.05), (3 * MBIT, 0.8)):
        name = f"limit_{rate / MBIT:g}M_{share * 100:.0f}"
        rig = Rig(tempfile.mkdtemp(dir=folder), {"video": flow(VIDEO)}, rate=rate)
        try:
            # Payloads of 1,100 bytes have some 70 bytes of headers on the way.
            sources = [{"port": VIDEO, "rate": 0.3 * rate, "until": 5, "size": 1100}, {"port": VIDEO, "rate": share * rate / 1.064, "from": 5, "size": 1100}]
            sender, received = rig.run(20, {0: sources})[0]
        finally:
            rig.close()
        plots(options.out, name, sender)
        said = next((t for t, e in sender["events"] if e.get("event") == "link" and e.get("state") == "limit"), None)
        known = [s["capacity_bps"] / rate - 1 for t, s in sender["states"] if s and said is not None and t > said + 3 and s["state"] == "limit"]
        rows.append({"run": name, "s_to_limit": None if said is None else round(said - 5, 2), "loss": round(lost(sender, received, VIDEO), 3),
                     "capacity_error": round(statistics.median(known), 3) if known else None})
    return rows


SCHEDULE = ((0, 1.0), (40, 2.5), (60, 0.6), (80, 1.0))  # RFC 8867, 5.1, in Mbit/s


def schedule_once(folder, options):
    rig = Rig(folder, {"video": flow(VIDEO)}, rate=MBIT, delay_ms=50, queue_ms=300)
    try:
        sender, received = rig.run(100, {0: [{"port": VIDEO, "adaptive": [150e3, 4e6, 800e3], "flow": "video", "size": 1100}]},
                                   [(t, rate * MBIT) for t, rate in SCHEDULE])[0]
        here = sum(rig.network.status("a0")["flows"][0]["drops"].values())
    finally:
        rig.close()
    plots(options.out, "schedule", sender)
    room = sum(rate * MBIT * (end - begin) for (begin, rate), end in zip(SCHEDULE, (40, 60, 80, 100)))
    carried = sum((size + 70) * 8 for p, _, _, _, size in received["packets"])
    ways = delays(received, VIDEO)
    return {"run": "schedule", "utilisation": round(carried / room, 3), "p95_queue_ms": round(percentile(ways, 95) - min(ways), 1),
            "loss": round(lost(sender, received, VIDEO), 4), "of_it_dropped_here": round(here / sender["sent"][str(VIDEO)], 4)}


def schedule(folder, options):
    """Of several tries, and their median: the plots are of the last."""
    rows = [schedule_once(tempfile.mkdtemp(dir=folder), options) for _ in range(options.tries)]
    middle = {key: statistics.median(row[key] for row in rows) for key in rows[0] if key != "run"}
    return rows + [{"run": "median", **middle}]


def mavlink(folder, options):
    rows = []
    for share in (2.0, 0.7):
        rig = Rig(tempfile.mkdtemp(dir=folder), {"video": flow(VIDEO), "mavlink": flow(MAVLINK, priority="high")}, rate=3 * MBIT, queue_ms=1000)
        try:
            sources = [{"port": VIDEO, "rate": share * 3 * MBIT / 1.064, "from": 3, "size": 1100}, {"port": MAVLINK, "pps": 50, "size": 60}]
            sender, received = rig.run(options.seconds + 6, {0: sources})[0]
        finally:
            rig.close()
        plots(options.out, f"mavlink_{share * 100:.0f}", sender)
        ways = delays(received, MAVLINK, 6)
        carried = sum((size + 70) * 8 for p, _, sent, _, size in received["packets"] if p == VIDEO and sent >= received["begin"] + 6)
        rows.append({"run": f"mavlink beside video at {share * 100:.0f} %", "p99_ms_above_path": round(percentile(ways, 99) - 20, 1),
                     "max_ms_above_path": round(max(ways) - 20, 1), "mavlink_loss": round(lost(sender, received, MAVLINK), 4),
                     "video_mbit": round(carried / options.seconds / MBIT, 2)})
    return rows


def fair(folder, options):
    flows = {f"video{n}": flow(VIDEO + n, n) for n in range(2)}
    rig = Rig(folder, flows, pairs=2, rate=3 * MBIT)
    try:
        ends = rig.run(options.seconds, {n: [{"port": VIDEO + n, "adaptive": [150e3, 4e6, (800e3, 1.6e6)[n]], "flow": f"video{n}", "size": 1100}]
                                         for n in range(2)})
    finally:
        rig.close()
    rates = [8 * sum(row[4] + 70 for row in received["packets"]) / options.seconds for _, received in ends.values()]
    for n, (sender, _) in ends.items():
        plots(options.out, f"fair_{n}", sender)
    return [{"run": "two adaptive clients", "jain": round(sum(rates) ** 2 / (2 * sum(r * r for r in rates)), 3),
             "mbit": [round(r / MBIT, 2) for r in rates]}]


SCENARIOS = {"limit": limit, "schedule": schedule, "mavlink": mavlink, "fair": fair}


def table(results):
    lines = []
    for name, rows in results.items():
        keys = list(rows[0])
        lines += [f"### {name}", "", "| " + " | ".join(keys) + " |", "|" + " --- |" * len(keys)]
        lines += ["| " + " | ".join("-" if row[k] is None else str(row[k]) for k in keys) + " |" for row in rows] + [""]
    return "\n".join(lines)


def main():
    if sys.argv[1:2] == ["--role"]:
        return {"send": send, "receive": receive}[sys.argv[2]](json.loads(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="which (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="of mavlink and fair (default %(default)s)")
    parser.add_argument("--tries", type=int, default=3, help="of schedule (default %(default)s)")
    parser.add_argument("--out", default=".", help="where results go (default %(default)s)")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    results = {}
    for name in options.scenarios.split(","):
        with tempfile.TemporaryDirectory() as folder:
            results[name] = SCENARIOS[name](folder, options)
        print(table({name: results[name]}), flush=True)
    with open(os.path.join(options.out, "congestion.json"), "w") as file:
        json.dump(results, file, indent=1)
    with open(os.path.join(options.out, "congestion.md"), "w") as file:
        file.write(table(results))


if __name__ == "__main__":
    main()
