#!/usr/bin/env python3
"""From a PATCH over REST until the edit is in force at all clients that it concerns, with 1,000 clients connected.

    edits.py CROWD_EDITS [--clients 1000] [--edits 200]

CROWD_EDITS is the program that `cmake -DWORMHOLE_BENCH=ON` builds. The clients are real cores on real sockets in one process.
Prints one JSON line. Aim: p99 of at most 100 ms.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from support.network import BINARY, wait_until


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crowd_edits")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--edits", type=int, default=200)
    options = parser.parse_args()
    count = str(options.clients)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([options.crowd_edits, "prepare", folder, count], check=True)
        with open(f"{folder}/server.log", "w") as log:
            server = subprocess.Popen([BINARY, "server", "-c", f"{folder}/routes.yaml"], stdout=log, stderr=log)
        try:
            wait_until("the server is up", lambda: os.path.exists(f"{folder}/state/control.sock"))
            subprocess.run([options.crowd_edits, "edit", folder, count, str(options.edits)], check=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
