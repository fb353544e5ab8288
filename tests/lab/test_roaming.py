"""Direct paths when the network changes underneath: another uplink, a NAT that forgets or moves, a way that is cut."""
import time

from flight import FLOWS, Counting, Flight
from support.network import wait_until

BACK = 9001
GAP = 0.7       # s without a datagram, at most
AGAIN = 3.0     # s to a direct path, at most
RETRY = 13.0    # s, where only the next attempt finds out that the way is mended: one comes every 10 s


class Roaming(Flight):
    """drone3 with two uplinks and gcs4, each behind a port-restricted NAT, and a stream each way on a direct path."""

    sites = {"a": "port_restricted,delay=10", "a2": "port_restricted,delay=10,host=a", "b": "port_restricted,delay=10"}
    flows = {**FLOWS, "back": {"protocol": "udp", "port": BACK, "from": "gcs4", "to": "drone3"}}

    def setUp(self):
        super().setUp()
        self.lab.iface("a", "eth1", "down")
        self.fly()
        wait_until("a direct path at both ends", self.is_direct)
        self.streams = [self.count(), Counting(self.lab, sender="b", receiver="a", port=BACK)]
        self.addCleanup(self.streams[1].stop)
        self.streams[1].wait_for_more(5)

    def is_direct(self):
        return all((status := self.net.connected(client)) and status["peers"][0]["path"] == "direct" for client in self.where)

    def paths(self):
        """How many direct paths the clients' logs tell of."""
        return [self.net.log(client).count("path direct") for client in self.where]

    def gap(self, since):
        """The longest time without a datagram, in either direction."""
        def longest(stream):
            times = sorted([at for at in list(stream.arrived.values()) if at > since - 0.1] + [time.monotonic()])
            return max(later - earlier for earlier, later in zip(times, times[1:]))
        return max(longest(stream) for stream in self.streams)

    def watch(self, since, seconds):
        """Seconds from `since` to the last new direct path, 0.0 when the old one held; each end must have one in the end."""
        before, last = self.paths(), 0.0
        while time.monotonic() < since + seconds:
            if (now := self.paths()) != before:
                before, last = now, time.monotonic() - since
            time.sleep(0.01)
        self.assertTrue(self.is_direct(), f"no direct path {seconds:g} s later")
        return last

    def judge(self, what, since, took=0.0):
        """After a change that took `took` seconds: both goals."""
        again = self.watch(since, took + AGAIN)
        gap = self.gap(since)
        print(f"{what}: {took:.2f} s; gap {gap:.2f} s, direct again after {again:.2f} s", flush=True)
        self.assertLessEqual(gap, took + GAP)

    def test_another_uplink(self):
        since = time.monotonic()
        self.lab.roam("a", 1)
        self.judge("another uplink", since, time.monotonic() - since)

    def test_rebooted_nat(self):
        since = time.monotonic()
        self.lab.reboot_nat("a")
        self.judge("NAT rebooted", since, time.monotonic() - since)

    def test_nat_with_a_new_address(self):
        since = time.monotonic()
        self.lab.reboot_nat("a", new_ip=True)
        self.judge("NAT with a new address", since, time.monotonic() - since)

    def cut(self, *ways):
        """Drops what one site's NAT sends to the other's; the ways to the server stay."""
        rules = "\n".join(f"ip saddr {self.lab.public_ip(a)} ip daddr {self.lab.public_ip(b)} drop" for a, b in ways)
        self.lab.nft(self.lab.ns("inet"), f"table ip between {{\n chain drops {{ type filter hook prerouting priority -310;\n{rules}\n}}\n}}\n")

    def judge_cut(self, what, *ways):
        since = time.monotonic()
        self.cut(*ways)
        wait_until("the relay at both ends", lambda: not any(
            (status := self.net.status(client)) is None or status["peers"][0]["path"] == "direct" for client in self.where), 3)
        gap = self.gap(since)
        self.lab.nft(self.lab.ns("inet"), "delete table ip between\n")
        mended = time.monotonic()
        wait_until("a direct path at both ends", self.is_direct, RETRY)
        print(f"{what}: gap {gap:.2f} s, direct {time.monotonic() - mended:.2f} s after mending", flush=True)
        self.assertLessEqual(gap, GAP)
        self.assertLessEqual(self.gap(mended), GAP)

    def test_cut_in_both_directions(self):
        self.judge_cut("cut", ("a", "b"), ("b", "a"))

    def test_cut_in_one_direction(self):
        self.judge_cut("cut one way", ("a", "b"))
