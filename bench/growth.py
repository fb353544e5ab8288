#!/usr/bin/env python3
"""How the server's cost grows: with flows, with clients, and with the receivers of one flow.

    growth.py --out docs/performance                 everything: about 15 minutes
    growth.py --only receivers --most 100            one kind, up to a size
    growth.py --plot docs/performance/growth.json    only draws what was measured before

Needs root, and `cmake -DWORMHOLE_BENCH=ON`. The server runs alone on $BENCH_DAEMON_CPUS (0,1) in a namespace; real client cores in one
process (bench/relay_load.cpp) connect to it, seal one datagram of 1,200 bytes on each flow and send the frames again and again.

  flows      1 … 1,000 flows between two clients: the server's CPU a packet, µs, at 20,000 packets/s
  clients    10 … 10,000 clients, a flow for each two: the same; and idle, PSS in MiB and percent of a core over 20 s
  receivers  1 … 1,000 receivers of one flow: the server's CPU a copy, µs, and copies/s, at the most without loss; singly and in bursts of 8
             (below it, wake-ups would be measured)

Medians of --reps runs. Writes DIR/growth.json and packet_cost.svg, clients_memory.svg, clients_cpu.svg, receivers.svg.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import relay
from common import Bench
from svg_plot import plot

SIZES = {"flows": (1, 10, 100, 1000), "clients": (10, 100, 1000, 10000), "receivers": (1, 10, 100, 1000)}
RATE = {"flows": 20000, "clients": 20000, "receivers": 50000}  # of receivers: where the search begins
IDLE_SECONDS = 20  # longer than any keepalive's interval


def measure(kind, count, options):
    """One size: a server of its own."""
    with Bench(f"growth-{kind}-{count}") as bench:
        bench.patience = options.patience
        server = relay.start(bench, kind, count)
        row = {"n": count}
        if kind == "clients":
            idle = relay.load(bench, server, "idle", kind, count, IDLE_SECONDS)
            row.update(idle_pss_mib=idle["pss_mib"], idle_cpu_percent=idle["cpu_percent"])
        for burst in (1, 8):
            how = ("search", kind, count, 0.3) if kind == "receivers" else ("run", kind, count, 1)
            runs = [relay.load(bench, server, *how, RATE[kind], burst) for _ in range(options.reps)]
            key = "cpu_us" if burst == 1 else f"cpu_us_burst{burst}"
            row[key] = round(statistics.median(run["cpu_us_copy"] for run in runs), 3)
            row[key.replace("cpu_us", "loss")] = max(0, round(statistics.median(run["loss"] for run in runs), 5))
            row[key.replace("cpu_us", "kcopies")] = round(statistics.median(run["sent_pps"] * run["copies"] for run in runs) / 1e3, 1)
            row[key.replace("cpu_us", "copies_a_frame")] = runs[0]["copies"]
        return row


def draw(result, out):
    """The plots of what there is."""
    def points(kind, key):
        lost = key.replace("cpu_us", "loss")  # with much lost, a cost a packet says nothing
        return [(row["n"], row[key]) for row in result.get(kind, []) if key in row and (lost == key or row.get(lost, 0) < 0.01)]

    cost = {name: points(kind, "cpu_us") for name, kind in (("flows between two clients", "flows"), ("clients, a flow for each two", "clients"))}
    cost = {name: values for name, values in cost.items() if values}
    if cost:
        plot(out / "packet_cost.svg", "Relaying one packet, 20,000 packets/s one at a time", "how many", "server's CPU a packet, µs", cost)
    if points("clients", "idle_pss_mib"):
        plot(out / "clients_memory.svg", "Memory of a server whose clients are idle", "clients", "PSS, MiB",
             {"server": points("clients", "idle_pss_mib")}, [(200, "goal for 10,000: ≤ 200 MiB")])
        plot(out / "clients_cpu.svg", "CPU of a server whose clients are idle", "clients", "percent of one core",
             {"server": points("clients", "idle_cpu_percent")}, [(20, "goal for 10,000: ≤ 20 %")])
    if points("receivers", "cpu_us"):
        plot(out / "receivers.svg", "One flow to many receivers by the relay, at the most without loss", "receivers", "server's CPU a copy, µs",
             {"single packets": points("receivers", "cpu_us"), "bursts of 8": points("receivers", "cpu_us_burst8")},
             [(3.5, "goal, single: ≤ 3.5"), (1.5, "goal, bursts: ≤ 1.5")])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("results"), metavar="DIR", help="where the files go (default: ./results)")
    parser.add_argument("--only", metavar="KIND,..", help="of " + ", ".join(SIZES))
    parser.add_argument("--most", type=int, default=10000, metavar="N", help="the largest size (default %(default)s)")
    parser.add_argument("--reps", type=int, default=3, help="runs of each size (default %(default)s)")
    parser.add_argument("--patience", type=float, default=5, metavar="SECONDS", help="for each size, to wait for a quiet machine (default %(default)s)")
    parser.add_argument("--plot", type=pathlib.Path, metavar="JSON", help="measure nothing: draw this, beside it")
    options = parser.parse_args()
    options.kinds = options.only.split(",") if options.only else list(SIZES)
    unknown = [kind for kind in options.kinds if kind not in SIZES]
    if unknown:
        parser.error(f"no kind '{unknown[0]}'; there are: {', '.join(SIZES)}")
    if os.geteuid() != 0 and not options.plot:
        parser.error("needs root for network namespaces")
    return options


def main():
    options = arguments()
    if options.plot:
        return draw(json.loads(options.plot.read_text()), options.plot.parent)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "growth.json"
    result = json.loads(file.read_text()) if file.exists() else {}
    for kind in options.kinds:
        result[kind] = []
        for count in filter(lambda size: size <= options.most, SIZES[kind]):
            try:
                result[kind].append(measure(kind, count, options))
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"{kind} {count} failed: {error}", flush=True)
                continue
            print(kind, json.dumps(result[kind][-1]), flush=True)
            file.write_text(json.dumps(result, indent=1) + "\n")
    return draw(result, options.out)


if __name__ == "__main__":
    main()
