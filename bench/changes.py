#!/usr/bin/env python3
"""What a changed routes.yaml and REST callers cost the packets of a flow that has nothing to do with them.

    changes.py [--pairs 5] [--seconds 3]

A server and two clients on loopback, 1,000 clients and 5,000 flows in the file. A stream of 1,200-byte datagrams crosses
one flow, by turns with and without: the file saved four times, each time with other ports in two of the other flows (at 10,000 packets/s); wrk
reading over REST on 16 connections (at 20,000). Prints one JSON line: packets lost, the p99 of the one-way time with and without,
requests a second, the loop's latency as the server reports it, and the time to read the file (wormhole check).
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]
from common import BLAST, build
from support.network import BINARY, Network

PORT, APPLICATION, REST = 7000, 7001, 17780
CLIENTS, FLOWS = 1000, 5000


def routes():
    """5,000 one-to-two flows among the 1,000; 15 a client, so each has its own port there."""
    flows = {"load": {"protocol": "udp", "port": PORT, "from": "a", "to": "b", "deliver": {"b": f"127.0.0.1:{APPLICATION}"}}}
    for n in range(FLOWS - 1):
        who = [f"c{(n * step + offset) % (CLIENTS - 2)}" for step, offset in ((1, 0), (7, 1), (13, 5))]
        flows[f"f{n}"] = {"protocol": "udp", "port": 10000 + n, "from": who[0], "to": sorted(set(who[1:]) - {who[0]}) or ["a"]}
    return {**{f"c{n}": {} for n in range(CLIENTS - 2)}, "a": {}, "b": {}}, flows


def blast(rate, seconds):
    done = subprocess.run([BLAST, "run", "--to", f"127.1.0.1:{PORT}", "--bind", f"127.0.0.1:{APPLICATION}", "--tx-bind", "127.0.0.1:0",
                           "--rate", str(rate), "--size", "1200", "--secs", str(seconds), "--drain-ms", "200"],
                          capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout.splitlines()[-1])


def server_status():
    with urllib.request.urlopen(f"http://127.0.0.1:{REST}/v1/status", timeout=10) as answer:
        return json.load(answer)


def save_often(network, seconds, revisions):
    """Four saves over the time, each with two changed flows."""
    for _ in range(4):
        for flow in ("f10", "f2000"):
            network.routes["flows"][flow]["port"] += 20000 if network.routes["flows"][flow]["port"] < 20000 else -20000
        network.write_routes()
        time.sleep(seconds / 4.5)
    revisions.append(server_status()["config"]["revision"])


def wrk(seconds, rates):
    done = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{REST}/v1/flows/load"], capture_output=True, text=True)
    rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]))
    if "Non-2xx" in done.stdout:
        raise SystemExit(done.stdout)


def pairs_of(count, rate, seconds, disturb, results):
    """Medians over `count` pairs: without and with the disturbance."""
    runs = {"without": [], "with": []}
    for _ in range(count):
        runs["without"].append(blast(rate, seconds))
        thread = threading.Thread(target=disturb, args=(seconds, results))
        thread.start()
        runs["with"].append(blast(rate, seconds))
        thread.join()
    report = {}
    for name, all_runs in runs.items():
        report[name] = {"lost": sum(r["sent"] - r["rx"] for r in all_runs), "sent": sum(r["sent"] for r in all_runs),
                        "p99_us": statistics.median(r["lat_p99_us"] for r in all_runs),
                        "max_us": statistics.median(r["lat_max_us"] for r in all_runs)}
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    build()
    clients, flows = routes()
    with tempfile.TemporaryDirectory() as folder, \
            Network(folder, {"addresses": ["127.0.0.1"], "port": 17700, "rest": {"listen": f"127.0.0.1:{REST}"}}, flows) as network:
        network.routes["clients"] = clients
        network.start_server()
        reading = []
        for _ in range(5):
            start = time.monotonic()
            subprocess.run([BINARY, "check", "-c", f"{folder}/routes.yaml"], check=True, stdout=subprocess.DEVNULL)
            reading.append(time.monotonic() - start)
        for client, bind in (("a", "127.1.0.1"), ("b", "127.1.0.2")):
            network.enrol(client)
            network.start_client(client, bind)
        network.wait_connected("a", "b")
        blast(10000, 0.5)
        revisions, rates = [server_status()["config"]["revision"]], []
        result = {"read_file_s": round(statistics.median(reading), 3)}
        result["reload"] = pairs_of(options.pairs, 10000, options.seconds, lambda s, r: save_often(network, s, r), revisions)
        result["reloads"] = revisions[-1] - revisions[0]
        result["reload_loop"] = server_status()["loop"]
        result["rest"] = pairs_of(options.pairs, 20000, options.seconds, lambda s, r: wrk(int(s), r), rates)
        result["rest_reads_per_s"] = round(statistics.median(rates))
        result["rest_loop"] = server_status()["loop"]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
