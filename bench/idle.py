#!/usr/bin/env python3
"""Memory and processor share of an idle, connected client (and of its server).

    idle.py [--seconds 30]

Two clients and a server on loopback, nothing sent. Prints one JSON line: PSS in MiB, share of one core in percent.
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from support.network import Network, cpu_seconds, pss_kib


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    seconds = parser.parse_args().seconds
    flows = {"mavlink": {"protocol": "udp", "port": 14550, "between": ["drone3", "gcs4"]}}
    with tempfile.TemporaryDirectory() as folder:
        with Network(folder, {"addresses": ["127.0.0.1"], "port": 17700}, flows) as network:
            network.routes["clients"] = {"drone3": {}, "gcs4": {}}
            network.start_server()
            for client, bind in (("drone3", "127.1.0.1"), ("gcs4", "127.1.0.2")):
                network.enrol(client)
                network.start_client(client, bind)
            network.wait_connected("drone3", "gcs4")
            pids = {name: process.pid for name, process in network.processes.items()}
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            time.sleep(seconds)  # the measured time itself
            result = {name: {"pss_mib": round(pss_kib(pid) / 1024, 1),
                             "cpu_percent": round(100 * (cpu_seconds(pid) - before[name]) / seconds, 2)}
                      for name, pid in pids.items()}
    print(json.dumps({"seconds": seconds, **result}))


if __name__ == "__main__":
    main()
