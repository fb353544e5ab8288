"""Direct paths through real NATs: one try for each kind of pair. How fast, and how often of many, is bench/nat_matrix.py."""
import argparse
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import nat_matrix

DIRECT = ["none/port_restricted", "port_restricted/port_restricted", "firewall/restricted_cone", "full_cone/symmetric",
          "port_restricted/symmetric", "symmetric_seq,delta=7/port_restricted",
          "symmetric_seq,delta=1,noise=20/symmetric_seq,delta=1,noise=20",
          "symmetric,lo=40960,hi=43007/port_restricted"]
RELAYED = ["symmetric/symmetric", "symmetric_seq/symmetric"]


class Direct(unittest.TestCase):
    def run_pair(self, name):
        pair = next(p for p in nat_matrix.all_pairs() if p.name == name)
        number = (DIRECT + RELAYED).index(name)
        return nat_matrix.run_pair(f"t{number}", pair, argparse.Namespace(tries=1, delay=10, trace=None))[0]

    def test_pairs_that_can_become_direct(self):
        for name in DIRECT:
            with self.subTest(name):
                result = self.run_pair(name)
                self.assertIsNotNone(result["direct"], result["reason"])
                self.assertTrue(result["both"], "both ends send directly")
                self.assertEqual((result["lost"], result["twice"]), (0, 0))

    def test_pairs_that_cannot_stay_on_the_relay_and_say_why(self):
        for name in RELAYED:
            with self.subTest(name):
                result = self.run_pair(name)
                self.assertIsNone(result["direct"])
                self.assertIn("random ports", result["reason"])
                self.assertEqual((result["lost"], result["twice"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
