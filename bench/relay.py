"""The server alone under relay_load, in the same topology and on the same cores as a rival's relay."""
import json
import os
import subprocess

from common import BUILD, IP, wait_for
from support.network import BINARY

LOAD = os.path.join(BUILD, "relay_load")
AT = f"{IP['S']}:7700"


def start(bench, kind, count):
    """A server on S whose routes.yaml has `count` flows, clients or receivers."""
    if not os.path.exists(LOAD):
        raise SystemExit(f"there is no {LOAD}: cmake -S . -B build -DWORMHOLE_BENCH=ON && cmake --build build --target relay_load")
    bench.topology("relay")
    subprocess.run([LOAD, "prepare", bench.dir, AT, kind, str(count)], check=True)
    server = bench.spawn("S", [str(BINARY), "server", "-c", f"{bench.dir}/routes.yaml"])
    if not wait_for(lambda: os.path.exists(f"{bench.dir}/state/control.sock"), 60):
        raise RuntimeError("the server did not start")
    return server


def load(bench, server, what, kind, count, *arguments, timeout=300):
    """One run of relay_load from A against that server, as its JSON."""
    bench.quiet()
    done = subprocess.run(["ip", "netns", "exec", "wbA", "nice", "-n", "-10", LOAD, what, bench.dir, AT, kind, str(count), str(server.pid),
                           *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise RuntimeError(f"relay_load {what} {kind} {count}: {done.stderr[-300:]}")
    return json.loads(done.stdout)


def alone(bench, burst, quick):
    """The figures of the relay daemon by itself, as dataplane.py names them; `burst` packets leave the sender at once."""
    server = start(bench, "flows", 1)
    row = {}
    for key, rate in (("5k", 5000), ("20k", 20000), ("50k", 50000)):
        row[f"cpu_us_{key}"] = load(bench, server, "run", "flows", 1, 0.3 if quick else 1, rate, burst)["cpu_us_copy"]
    best = load(bench, server, "search", "flows", 1, 0.3, 50000, burst)
    return {**row, "lossfree_kpps": best["sent_pps"] / 1e3, "cpu_us_max": best["cpu_us_copy"]}
