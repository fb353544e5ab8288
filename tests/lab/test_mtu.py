"""Paths that carry 1,280 bytes, or suddenly no more than that, with ICMP dropped: real binaries, direct and by the relay."""
from flight import COUNTING, MAVLINK, VIDEO, Counting, Flight
from support.network import wait_until

LARGE, SMALL = 1400, 1000   # bytes of a datagram: only the one fits into 1,280 bytes of IP
RATE = 100                  # datagrams a second
SILENT = """table ip silent {
 chain out { type filter hook output priority 0; policy accept; icmp type destination-unreachable drop; }
 chain through { type filter hook forward priority 0; policy accept; icmp type destination-unreachable drop; }
}
"""


class DirectPath(Flight):
    path = "direct"
    sites = {"a": "port_restricted", "b": "port_restricted"}

    def set_mtu(self, mtu):
        """Of the link above drone3's router, both ways. Whoever may say "too big" is kept from it."""
        self.lab.run("a.gw", f"ip link set wan mtu {mtu}")
        self.lab.run("inet", f"ip link set d-a0 mtu {mtu}")

    def keep_silent(self):
        for who in ("a.gw", "inet"):
            self.lab.nft(self.lab.ns(who), SILENT)

    def peer(self, client):
        status = self.net.status(client) or {"peers": []}
        return next(iter(status["peers"]), {})

    def mtu(self, client):
        return (self.peer(client).get("mtu") or {}).get("ip")

    def found(self, mtu, seconds):
        wait_until(f"both ends know that {mtu} bytes pass", lambda: [self.mtu(c) for c in self.where] == [mtu, mtu], seconds)

    def streams(self):
        """Large datagrams both ways and small ones from the drone."""
        made = [Counting(self.lab, RATE, "a", "b", COUNTING, LARGE), Counting(self.lab, RATE, "b", "a", MAVLINK, LARGE),
                Counting(self.lab, RATE, "a", "b", VIDEO, SMALL)]
        for stream in made:
            self.addCleanup(stream.stop)
            stream.wait_for_more(10)
        return made

    def wait_for_path(self):
        self.fly()
        wait_until("the path", lambda: all(self.peer(c).get("path") == self.path for c in self.where), 15)

    def test_path_that_shrinks(self):
        self.keep_silent()
        self.wait_for_path()
        *large, small = self.streams()
        self.found(1500, 5)
        self.set_mtu(1280)
        self.found(1280, 10)
        for stream in (*large, small):
            stream.wait_for_more(2)
        for stream in large:
            lost = stream.lost()
            self.assertTrue(lost, "the link has shrunk")
            self.assertLessEqual((lost[-1] - lost[0]) / RATE, 3, "seconds in which something was lost")
        self.assertEqual(small.lost(), [])
        for client in self.where:
            self.assertEqual(self.peer(client)["path"], self.path)
            self.assertEqual(self.peer(client)["mtu"]["black_holes"], 1)
            self.assertGreater(self.peer(client)["mtu"]["fragmented"], 0)

    def test_path_of_1280_bytes(self):
        self.keep_silent()
        self.set_mtu(1280)
        self.wait_for_path()
        streams = self.streams()
        self.found(1280, 10)
        wait_until("the search is over", lambda: not any(self.peer(c)["mtu"]["searching"] for c in self.where), 10)
        for stream in streams:
            stream.wait_for_more(2)
            self.assertEqual(stream.lost(), [])
        self.assertEqual(self.peer("drone3")["mtu"]["black_holes"], 0)


class RelayedPath(DirectPath):
    path = "relay"
    client = {"p2p": "off"}
