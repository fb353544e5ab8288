#!/usr/bin/env python3
"""Where the product's CPU time goes at a steady rate: functions and system calls, by daemon.

    profile.py [--mode relay] [--rate 20000] [--out FILE]

Root only; needs linux-perf and strace. Starts server and clients as dataplane.py does, sends 1,200-byte datagrams from A's
application to B's, samples each daemon with perf (its self time by function, kernel and libraries included), and in a second run of its
own counts its system calls with strace, at a tenth of the rate since strace slows them. Prints Markdown.
"""
import argparse
import pathlib
import re
import subprocess
import sys

from common import Bench
from peers import wormhole

SECONDS = 6
NAMES = {"A": "client of the sender", "S": "server", "B": "client of the receiver"}
SHOWN = 14


def functions(bench, where):
    """(share in percent, function) of one daemon, from the samples taken beside the load."""
    text = bench.sh(f"perf report -i {bench.dir}/{where}.perf --stdio --no-children -F overhead,dso,symbol -g none 2>/dev/null")
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*([\d.]+)%\s+(\S+)\s+\[(.)\]\s+(.*)", line)
        if match:
            place = "kernel" if match.group(3) == "k" else match.group(2).split(".so")[0]
            found.append((float(match.group(1)), place, re.sub(r"\(.*", "", match.group(4)).strip()[:70]))
    return found


def by_place(found):
    """Shares of kernel, our program and each library."""
    total = {}
    for share, place, _ in found:
        total[place] = total.get(place, 0) + share
    return ", ".join(f"{place} {share:.0f} %" for place, share in sorted(total.items(), key=lambda item: -item[1]) if share >= 1)


def sample(bench, servants, rate):
    """perf beside a run of the load tool; the run."""
    recorders = [subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4999", "-p", str(pid), "-o", f"{bench.dir}/{where}.perf",
                                   "--", "sleep", str(SECONDS - 1)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for where, pid in servants.items()]
    run = bench.blast("run", rate=rate, secs=SECONDS)
    for recorder in recorders:
        recorder.wait()
    return run


def calls(bench, pid, rate):
    """System calls a packet of one daemon."""
    log = f"{bench.dir}/strace"
    tracer = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", log, "-p", str(pid)], stderr=subprocess.DEVNULL)
    run = bench.blast("run", rate=rate, secs=3)
    tracer.terminate()
    tracer.wait()
    rows = re.findall(r"^\s*(\d+) ([a-z]\w+)$", pathlib.Path(log).read_text(), re.M)
    return ", ".join(f"{name} {int(count) / run['rx']:.2f}" for count, name in rows if name != "total" and int(count) > 0.02 * run["rx"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=["relay", "direct"], default="relay")
    parser.add_argument("--rate", type=int, default=20000, help="packets/s (default %(default)s)")
    parser.add_argument("--out", type=argparse.FileType("w"), default=sys.stdout, metavar="FILE")
    options = parser.parse_args()
    with Bench(f"profile-{options.mode}") as bench:
        ways = wormhole.start(bench, options.mode)
        bench.args = {"to": ways.to, "bind": ways.bind, "tx-bind": "0.0.0.0:40000", "size": 1200}
        bench.blast("run", rate=options.rate, secs=1)  # caches, tables and the kernel's neighbours are warm
        servants = {process.where: bench.pids(process.where)[-1] for process in bench.procs}
        run = sample(bench, servants, options.rate)
        print(f"{options.mode}, {options.rate} packets/s: {run['daemon_cpu_ns_pkt'] / 1e3:.1f} µs a packet, all daemons\n", file=options.out)
        for where in "ASB" if options.mode == "relay" else "AB":
            found = functions(bench, where)
            print(f"### {NAMES[where]}\n\n{by_place(found)}. System calls a packet at {options.rate // 10} packets/s: "
                  f"{calls(bench, servants[where], options.rate // 10)}.\n\n| % | where | function |\n| --- | --- | --- |", file=options.out)
            for share, place, function in found[:SHOWN]:
                print(f"| {share:.1f} | {place} | `{function}` |", file=options.out)
            print(file=options.out)


if __name__ == "__main__":
    main()
