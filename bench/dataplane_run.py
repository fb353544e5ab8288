"""One repetition of dataplane.py: starts a subject, measures it once, ends it."""
import json
import statistics
import subprocess
import sys
import time

from common import HERE, Bench, cpu_ns, wait_for

sys.path.insert(0, HERE + "/../tests")
import relay

# name → module in peers/ (or relay: the server alone), its variant (or burst), and which baseline its round trips are counted from.
SUBJECTS = {
    "veth-direct": ("veth", "direct", None),
    "veth-relay": ("veth", "relay", None),
    "wormhole-direct": ("wormhole", "direct", "veth-direct"),
    "wormhole-relay": ("wormhole", "relay", "veth-relay"),
    "wormhole-server": ("relay", 1, None),
    "wormhole-server-burst8": ("relay", 8, None),
    "nebula-direct": ("nebula", "direct", "veth-direct"),
    "nebula-relay": ("nebula", "relay", "veth-relay"),
    "wireguard-go-direct": ("wireguard", "direct", "veth-direct"),
    "wireguard-go-hub": ("wireguard", "hub", "veth-relay"),
    "openvpn": ("openvpn", "relay", "veth-relay"),
    "coturn": ("coturn", "relay", "veth-relay"),
    "nginx": ("nginx", "relay", "veth-relay"),
    "socat": ("socat", "relay", "veth-relay"),
    "ssh": ("ssh", "relay", "veth-relay"),
}
RATES = {"5k": 5000, "20k": 20000, "50k": 50000}
MOST_LOSS = 0.05  # above it CPU per delivered packet says more of the loss than of the cost


def iperf(bench, ways, seconds):
    """One TCP stream from A to B: Mbit/s, and CPU in ns a byte of all daemons and of those at each place."""
    with open(f"{bench.dir}/iperf.log", "w") as log:
        server = subprocess.Popen(["ip", "netns", "exec", "wbB", "taskset", "-c", "2", "iperf3", "-s", "-p", "5201", "--bind", ways.tcp_bind],
                                  stdout=log, stderr=log)
    try:
        wait_for(lambda: ":5201" in bench.sh("ip netns exec wbB ss -Hltn"))
        for _ in range(3):  # a tunnel's first connection may come before its way is open
            bench.quiet()
            before = {where: cpu_ns(bench.pids(where)) for where in "ASB"}
            done = subprocess.run(["ip", "netns", "exec", "wbA", "taskset", "-c", "3", "iperf3", "-c", ways.tcp, "-p", "5201",
                                   "-t", str(seconds), "-J"], capture_output=True, text=True, timeout=seconds + 30)
            used = {where: cpu_ns(bench.pids(where)) - before[where] for where in "ASB"}
            end = json.loads(done.stdout).get("end", {}).get("sum_received") if done.stdout else None
            if end and end["bytes"]:
                return {"tcp_mbit": end["bits_per_second"] / 1e6, "tcp_ns_byte": sum(used.values()) / end["bytes"],
                        **{f"tcp_ns_byte_{where}": value / end["bytes"] for where, value in used.items()}}
            time.sleep(1)
    finally:
        server.terminate()
        server.wait()
    print(f"{bench.name}: no TCP: {done.stdout[-200:]} {done.stderr[-200:]}", flush=True)
    return {}


def datagrams(bench, ways, quick):
    """The UDP figures of one repetition."""
    bench.args = {"to": ways.to, "bind": ways.bind, "tx-bind": "0.0.0.0:40000", "size": 1200, **ways.options}
    row = {}
    seconds = 0.5 if quick else 1
    trip = bench.blast("run", mode="rtt", rate=5000, secs=seconds)
    if trip:
        row.update(rtt_p50_us=trip["lat_p50_us"], rtt_p99_us=trip["lat_p99_us"])
    for key, rate in RATES.items():
        run = bench.blast("run", rate=rate, secs=seconds)
        if run and run["rx"] and run["loss"] < MOST_LOSS:
            row[f"cpu_us_{key}"] = run["daemon_cpu_ns_pkt"] / 1e3
        elif key != "5k":
            break  # it cannot, so it cannot more
    found = bench.blast("search", reps=1, tries=2 if quick else 4, start=max(4000, rate // 2))
    if found:
        row.update(lossfree_kpps=found["lossfree_pps"] / 1e3, cpu_us_max=found["daemon_cpu_ns_pkt_at_max"] / 1e3,
                   sender_limited=found["sender_limited"])
    return row


def one_repetition(name, quick, patience):
    """Starts the subject, measures it once and ends it; what it measured."""
    module, variant, _ = SUBJECTS[name]
    with Bench(name) as bench:
        bench.patience = patience
        if module == "relay":
            return {"others_busy_cores": bench.quiet(), **relay.alone(bench, variant, quick)}
        ways = __import__(f"peers.{module}", fromlist=["start"]).start(bench, variant)
        row = {"others_busy_cores": bench.quiet()}
        if ways.to:
            bench.args = {"to": ways.to, "bind": ways.bind, "tx-bind": "0.0.0.0:40000", **ways.options}
            first = bench.blast("first", t0=time.monotonic_ns(), secs=25)
            if first.get("first_packet_ms", -1) < 0:
                raise RuntimeError("no packet came through")
            time.sleep(1)  # handshakes, path searches and caches are done
            row.update(datagrams(bench, ways, quick))
        if ways.tcp:
            row.update(iperf(bench, ways, 1 if quick else 3))
        if not bench.procs:  # the plain network has no daemons
            row = {key: value for key, value in row.items() if "cpu" not in key and "ns_byte" not in key}
        return row


def medians(rows):
    """Key by key over the repetitions that have it; booleans: any."""
    keys = sorted({key for row in rows for key in row})
    result = {}
    for key in keys:
        values = [row[key] for row in rows if row.get(key) is not None]
        result[key] = any(values) if isinstance(values[0], bool) else round(statistics.median(values), 3)
    return result


def with_added_trips(table):
    """Adds each subject's round trip less that of the plain network on the same way."""
    for name, row in table.items():
        base = table.get(SUBJECTS[name][2] or "", {}).get("rtt_p50_us")
        if base is not None and row.get("rtt_p50_us") is not None:
            row["rtt_added_us"] = round(row["rtt_p50_us"] - base, 1)
    return table
