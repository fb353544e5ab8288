#!/usr/bin/env python3
"""Runs the lab's tests: run.py [-v] [NAME..]

NAME is what unittest takes: test_first_flight, test_first_flight.Refusals, or one test of it. Needs root. The
processes' logs are in /run/natlab/flight-logs/TEST, and are shown when a test fails.
"""
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]


def main():
    if os.geteuid() != 0:
        print("lab: needs root for network namespaces", file=sys.stderr)
        return 77
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names) if names else loader.discover(str(HERE), "test_*.py")
    result = unittest.TextTestRunner(verbosity=2 if "-v" in sys.argv else 1).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
