#!/usr/bin/env python3
"""How long two clients behind NATs take to a direct path: fresh processes and flushed NATs for each try.

    nat_matrix.py [--tries 11] [--pairs 'PATTERN[;PATTERN...]'] [--delay 10] [--jobs 2] [--json] [--list] [--trace DIR]

Root only: it makes network namespaces with real NATs (tests/lab). Per pair: of how many tries the path became
direct, seconds from the second client's start to the first application packet on the direct path (median, 90th
percentile, worst), milliseconds to the first one by any way, campaigns, and what was lost or came twice.
The sender runs at 200 packets a second each way. Exit code 1 when a goal of docs/nat-traversal.md is missed.
"""
import argparse
import concurrent.futures
import fnmatch
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
sys.path.insert(0, str(HERE.parent / "tests" / "lab"))
from natlab import SRV_IPS, Lab
from support.network import Network, wait_until

RATE = 200
BLOCK = "symmetric,lo=40960,hi={}"
CONES = ["full_cone", "restricted_cone", "port_restricted", "firewall"]


class Pair:
    """Two sites; the second one's client is started last. `patience`: seconds that a try may take. `ports`: of the block
    that each has; how often they meet is then held against 1 - exp(-m^2/ports^2) for the m mappings that were held."""

    def __init__(self, first, second, share=1.0, median=None, p90=None, patience=8.0, ports=None):
        self.ports = ports
        self.first, self.second, self.share, self.median, self.p90, self.patience = first, second, share, median, p90, patience
        self.name = f"{first}/{second}"


def all_pairs():
    pairs = []
    for other in ["none", *CONES, "symmetric"]:
        pairs.append(Pair("none", other, median=0.18, p90=0.30))
        if other != "none":
            pairs.append(Pair(other, "none", median=0.18, p90=0.30))
    pairs += [Pair(a, b, median=0.22, p90=0.40) for a in CONES for b in CONES]
    for cone in ["port_restricted", "firewall"]:
        pairs += [Pair(cone, "symmetric", median=1.2, p90=3.0, patience=25), Pair("symmetric", cone, median=1.2, p90=3.0, patience=25)]
    for cone in ["full_cone", "restricted_cone"]:
        pairs += [Pair(cone, "symmetric", median=0.25), Pair("symmetric", cone, median=0.25)]
    for delta in (1, 7):
        seq = f"symmetric_seq,delta={delta}"
        pairs += [Pair(cone, seq, median=0.4) for cone in CONES] + [Pair(seq, "port_restricted", median=0.4)]
        pairs += [Pair(seq, seq, share=0.95, patience=20), Pair(seq + ",noise=20", seq + ",noise=20", share=0.95, patience=20)]
    pairs += [Pair("symmetric_seq", "symmetric", share=0, patience=6), Pair("symmetric", "symmetric", share=0, patience=6)]
    for ports in (1024, 2048):
        block = BLOCK.format(40960 + ports - 1)
        pairs += [Pair(cone, block, median=0.6, patience=15) for cone in ("port_restricted", "full_cone")]
        pairs.append(Pair(block, "port_restricted", median=0.6, patience=15))
    block = BLOCK.format(40960 + 1023)
    pairs.append(Pair(block, block, share=None, patience=6, ports=1024))
    return pairs


class End:
    def __init__(self, lab, site, name):
        self.process = lab.popen(site, [sys.executable, str(HERE / "nat_end.py"), name, str(RATE)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def stop_sending(self):
        self.process.stdin.write("stop\n")
        self.process.stdin.flush()

    def result(self):
        self.process.stdin.close()
        line = self.process.stdout.readline()
        self.process.wait()
        return json.loads(line)


def lost(sender, receiver, since):
    """Numbers sent after the first that arrived, and after `since`, that never arrived."""
    if not receiver["got"]:
        return len(sender["sent"])
    first = min(map(int, receiver["got"]))
    numbers = [n for n in range(first, len(sender["sent"])) if sender["sent"][n] >= since]
    return sum(str(n) not in receiver["got"] for n in numbers)


def one_try(lab, network, pair):
    for site in ("a", "b"):
        lab.reboot_nat(site) if not pair_is_public(pair, site) else None
    network.start_client("gcs4")
    wait_until("gcs4 knows its NAT", lambda: nat_is_known(network.status("gcs4")))
    ends = {"a": End(lab, "a", "gcs4"), "b": End(lab, "b", "drone3")}
    start = time.monotonic()
    network.start_client("drone3")
    direct = lambda who: any(p["path"] == "direct" for p in (network.status(who) or {"peers": []})["peers"])
    deadline = start + pair.patience
    while time.monotonic() < deadline and not (direct("drone3") and direct("gcs4")):
        time.sleep(0.1)
    time.sleep(0.4)
    peer = (network.status("drone3") or {"peers": [{}]})["peers"][0]
    for end in ends.values():
        end.stop_sending()
    time.sleep(0.3)
    a, b = ends["a"].result(), ends["b"].result()
    held = [mappings(lab, "a", "b"), mappings(lab, "b", "a")] if pair.ports else None
    network.end("drone3")
    network.end("gcs4")
    after = lambda at: None if at is None else at - start
    times = [after(end["direct"]) for end in (a, b) if end["direct"]]
    any_way = [min(end["got"].values()) - start for end in (a, b) if end["got"]]
    return {"direct": min(times) if times else None, "both": len(times) == 2, "first": min(any_way) if any_way else None,
            "lost": lost(b, a, start) + lost(a, b, start + 0.5), "twice": a["twice"] + b["twice"],
            "held": held, "campaigns": peer.get("campaigns"), "strategy": peer.get("strategy"), "reason": peer.get("reason")}


def mappings(lab, site, other):
    """How many of the NAT's mappings go to the other site; kernel NATs only."""
    to = f" dst={lab.public_ip(other)} "
    return sum(line.startswith("udp ") and line.find(to) in range(1, line.find("sport=")) for line in lab.nat_dump(site).splitlines())


def nat_is_known(status):
    nat = (status or {}).get("nat") or {}
    return nat.get("mapping", "unknown") != "unknown" and nat.get("filtering", "unknown") != "unknown"


def pair_is_public(pair, site):
    return (pair.first if site == "a" else pair.second).split(",")[0] == "none"


def run_pair(number, pair, options):
    lab = Lab(f"m{number}")
    results = []
    try:
        delay = f",delay={options.delay}"
        lab.up({"a": pair.first + delay, "b": pair.second + delay})
        with tempfile.TemporaryDirectory(prefix="natmatrix") as folder:
            where = {"server": "srv", "gcs4": "a", "drone3": "b"}
            flows = {"mavlink": {"protocol": "udp", "port": 14550, "between": ["drone3", "gcs4"]}}
            with Network(options.trace and f"{options.trace}/{number}" or folder, {"addresses": SRV_IPS[:2]}, flows,
                         lambda who: ["ip", "netns", "exec", lab.ns(where[who])]) as network:
                network.routes["clients"] = {"drone3": {}, "gcs4": {}}
                network.start_server()
                for client in ("gcs4", "drone3"):
                    network.enrol(client)
                for _ in range(options.tries):
                    results.append(one_try(lab, network, pair))
    finally:
        lab.down()
    return results


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def against_formula(pair, results, direct):
    """The 95 % interval (Wilson) of the rate, and whether the formula's mean chance is in it; never more than half a block."""
    whole = [r for r in results if r["direct"] is None] or results  # a campaign that succeeds ends before it has them all
    chances = [1 - math.exp(-r["held"][0] * r["held"][1] / pair.ports**2) for r in whole]
    expected, n, z = statistics.mean(chances), len(results), 1.96
    middle = (direct + z * z / 2) / (n + z * z)
    margin = z / (n + z * z) * math.sqrt(direct * (n - direct) / n + z * z / 4)
    most = max(max(r["held"]) for r in results)
    note = f"{most} mappings held at most; formula {expected:.3f}, measured {middle - margin:.3f} to {middle + margin:.3f}"
    return note, middle - margin <= expected <= middle + margin and most <= pair.ports // 2


def summary(pair, results):
    direct = [r["direct"] for r in results if r["direct"] is not None]
    first = [r["first"] for r in results if r["first"] is not None]
    row = {"pair": pair.name, "tries": len(results), "direct": len(direct),
           "median_s": round(statistics.median(direct), 3) if direct else None,
           "p90_s": round(quantile(direct, 0.9), 3) if direct else None,
           "worst_s": round(max(direct), 3) if direct else None,
           "first_ms": round(statistics.median(first) * 1000) if first else None,
           "campaigns": max(r["campaigns"] or 0 for r in results),
           "lost": sum(r["lost"] for r in results), "twice": sum(r["twice"] for r in results),
           "strategies": sorted({r["strategy"] for r in results if r["strategy"]}),
           "reason": next((r["reason"] for r in results if r["direct"] is None), "")}
    missed = []
    if pair.ports:
        row["note"], fits = against_formula(pair, results, len(direct))
        missed += [] if fits else ["not the formula's rate"]
    if pair.share is not None and row["direct"] < pair.share * len(results):
        missed.append("direct")
    if pair.share == 0 and row["direct"]:
        missed.append("relay only")
    for goal, got in ((pair.median, row["median_s"]), (pair.p90, row["p90_s"])):
        if goal is not None and (got is None or got > goal):
            missed.append(f"{got} > {goal} s")
    if row["lost"] or row["twice"]:
        missed.append("lost or twice")
    if row["first_ms"] is None or row["first_ms"] > 150:
        missed.append("first packet")
    row["missed"] = missed
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=11)
    parser.add_argument("--pairs", default="*", help="names as --list prints them, with * and ?; several with ; between them")
    parser.add_argument("--delay", type=int, default=10, help="milliseconds each way at each site")
    parser.add_argument("--jobs", type=int, default=2, help="labs at the same time")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--trace", help="keep the processes' logs there")
    options = parser.parse_args()
    patterns = options.pairs.split(";")
    pairs = [p for p in all_pairs() if any(fnmatch.fnmatchcase(p.name, pattern) for pattern in patterns)]
    if options.list or not pairs:
        print("\n".join(p.name for p in pairs) or "no such pair")
        return 0 if pairs else 2
    rows = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(run_pair, number, pair, options) for number, pair in enumerate(pairs)]
        if not options.json:
            print("| pair (second starts last) | direct | median s | p90 | worst | first packet ms | campaigns | lost | twice | |\n|---|---|---|---|---|---|---|---|---|---|")
        for pair, future in zip(pairs, futures):
            row = summary(pair, future.result())
            rows.append(row)
            if not options.json:
                print(f"| {row['pair']} | {row['direct']}/{row['tries']} | {row['median_s']} | {row['p90_s']} | {row['worst_s']} | "
                      f"{row['first_ms']} | {row['campaigns']} | {row['lost']} | {row['twice']} | {'; '.join(row['missed']) or row.get('note') or row['reason'] or ','.join(row['strategies'])} |", flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))
    return 1 if any(row["missed"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
