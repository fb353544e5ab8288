#!/usr/bin/env python3
"""The product's data plane and its rivals', measured by turns in one run.

    dataplane.py --out results                       everything, five times: about an hour
    dataplane.py --only wormhole-relay,nebula-relay  these alone
    dataplane.py --quick --reps 1                    does it work here?

Needs root (it makes network namespaces and removes them) and Debian's packages that bench/README.md names. Each repetition goes once
through all subjects, each started anew, so that the neighbours of a shared machine burden all of them alike; the figures are
medians over the repetitions. All daemons of a subject share the cores of $BENCH_DAEMON_CPUS (0,1), the load tool's sender
has core 3 and its receiver core 2; datagrams have 1,200 bytes.

Subjects: veth-… is the network without a daemon. wormhole-server is the relay alone, as coturn, nginx and socat are, under frames of
real clients that are sent again and again (bench/relay_load.cpp); -burst8: its sender sends eight at once.

What is measured, and in which unit:
  cpu_us_5k, _20k, _50k  CPU of all daemons together a delivered packet, µs, at that many packets/s (blank above 5 % loss)
  cpu_us_max             the same at the highest rate without loss
  lossfree_kpps          that rate: less than 0.1 % lost in 0.3 s, found by halving
  rtt_added_us           median round trip at 5,000 packets/s less that of the plain network on the same way (veth-…)
  tcp_mbit, tcp_ns_byte  one TCP stream (iperf3, 3 s): rate, and CPU of all daemons a byte (in the JSON also by place: A, S, B)
  others_busy_cores      what else ran on this machine just before; above 0.8 the figures are worth less

Writes DIR/dataplane.md and DIR/dataplane.json (medians, all repetitions, the machine).
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import time

from dataplane_run import SUBJECTS, medians, one_repetition, with_added_trips

COLUMNS = [  # key, heading, decimals
    ("cpu_us_5k", "CPU µs/packet at 5 kpps", 1), ("cpu_us_20k", "at 20", 1), ("cpu_us_50k", "at 50", 1), ("cpu_us_max", "at its most", 1),
    ("lossfree_kpps", "loss-free kpps", 0), ("rtt_added_us", "RTT p50 added, µs", 0), ("tcp_mbit", "TCP Mbit/s", 0),
    ("tcp_ns_byte", "TCP ns/byte", 1), ("others_busy_cores", "others' cores", 1)]


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    try:
        revision = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
                                  cwd=pathlib.Path(__file__).parent).stdout.strip()
    except OSError:
        revision = ""
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "revision": revision,
            "date": time.strftime("%Y-%m-%d")}


def markdown(result):
    """The table, as docs/performance.md shows it."""
    about = result["machine"]
    lines = [f"{about['date']}, {about['cores']} cores {about['cpu']}, Linux {about['kernel']}, revision {about['revision']}; "
             f"medians of {result['reps']}; `{result['command']}`", "",
             "| | " + " | ".join(heading for _, heading, _ in COLUMNS) + " |", "|" + " --- |" * (len(COLUMNS) + 1)]
    for name, row in result["medians"].items():
        cells = ["–" if row.get(key) is None else f"{row[key]:.{digits}f}" for key, _, digits in COLUMNS]
        if name.startswith("veth"):
            cells[4] = "≥ " + cells[4]  # the load tool can do no more
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("results"), metavar="DIR", help="where the tables go (default: ./results)")
    parser.add_argument("--reps", type=int, default=5, help="repetitions, each once through all subjects (default %(default)s)")
    parser.add_argument("--only", metavar="NAME,..", help="these subjects: " + ", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="shorter runs: to see that it works, not to quote")
    parser.add_argument("--patience", type=float, default=20, metavar="SECONDS",
                        help="how long, for each subject and repetition, to wait until others leave three cores alone (default %(default)s)")
    options = parser.parse_args()
    options.names = options.only.split(",") if options.only else list(SUBJECTS)
    unknown = [name for name in options.names if name not in SUBJECTS]
    if unknown:
        parser.error(f"no subject '{unknown[0]}'; there are: {', '.join(SUBJECTS)}")
    if os.geteuid() != 0:
        parser.error("needs root for network namespaces")
    return options


def write(options, rows):
    """The tables of what has been measured so far, so that an interrupted run is not lost."""
    table = with_added_trips({name: medians(found) for name, found in rows.items() if found})
    command = "bench/dataplane.py --reps " + str(options.reps) + (f" --only {options.only}" if options.only else "") + (" --quick" if options.quick else "")
    result = {"machine": machine(), "reps": max(map(len, rows.values())), "command": command, "medians": table, "repetitions": rows}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "dataplane.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "dataplane.md").write_text(markdown(result))


def main():
    options = arguments()
    rows = {name: [] for name in options.names}
    for repetition in range(options.reps):
        for name in options.names:
            start = time.monotonic()
            try:
                rows[name].append(one_repetition(name, options.quick, options.patience))
            except (RuntimeError, SystemExit, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
                print(f"{name}: repetition {repetition + 1} failed: {error}", flush=True)
                continue
            print(f"{repetition + 1}/{options.reps} {name} ({time.monotonic() - start:.0f} s): "
                  + ", ".join(f"{key} {value:.1f}" for key, value in rows[name][-1].items()), flush=True)
            write(options, rows)
    print((options.out / "dataplane.md").read_text())


if __name__ == "__main__":
    main()
