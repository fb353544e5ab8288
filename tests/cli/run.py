#!/usr/bin/env python3
"""The command line as scripts and people meet it: run.py PATH-OF-WORMHOLE [NAME..], NAME as unittest takes it"""
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent


def main():
    os.environ["WORMHOLE_BINARY"] = os.path.abspath(sys.argv[1])
    sys.path.insert(0, str(HERE))
    loader, names = unittest.defaultTestLoader, sys.argv[2:]
    suite = loader.loadTestsFromNames(names) if names else loader.discover(str(HERE), "test_*.py")
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
