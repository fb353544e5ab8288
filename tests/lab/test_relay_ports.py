"""Relay ports with real binaries: bound while a flow is relayed, and done without where a firewall opens only 7700."""
import re

from flight import Flight
from support.network import wait_until


class RelayPorts(Flight):
    """Each member of the counting flow has a port of its own on the server. A direct path would leave the ports unused."""

    client = {"p2p": "off"}

    def bound(self):
        """The relay ports that the server's namespace has bound."""
        ports = re.findall(r":([23]\d{3})\s", self.lab.run("srv", "ss -Hunl").stdout)
        return sorted(int(port) for port in ports)

    def flow(self, client):
        status = self.net.status(client) or {"flows": []}
        return next((f for f in status["flows"] if f["name"] == "counting"), {})

    def assert_nothing_lost(self, stream, seconds=3):
        """Of what is sent from now on: numbers arrive without a gap."""
        stream.wait_for_more(2)
        first = max(stream.arrived)
        wait_until("some more arrive", lambda: max(stream.arrived) > first + 200 * seconds, seconds + 5)
        last = max(stream.arrived)
        missing = [n for n in range(first, last + 1) if n not in stream.arrived]
        self.assertEqual(missing, [])

    def test_ports_are_bound_while_the_flow_is_relayed(self):
        self.fly()
        self.assertEqual(self.bound(), [])
        stream = self.count()
        wait_until("both have a port of their own",
                   lambda: self.flow("drone3").get("relay_port") and self.flow("gcs4").get("relay_port"), 5)
        self.assertIn(self.flow("drone3")["relay_port"], range(2000, 3000))
        self.assertIn(self.flow("gcs4")["relay_port"], range(3000, 4000))
        self.assertEqual(self.bound(), sorted(self.flow(c)["relay_port"] for c in ("drone3", "gcs4")))
        self.assert_nothing_lost(stream)
        del self.net.routes["flows"]["counting"]
        self.net.write_routes()
        wait_until("they are closed with the flow", lambda: self.bound() == [], 5)

    def test_firewall_that_opens_only_the_shared_port(self):
        self.lab.nft(self.lab.ns("srv"), """table ip narrow {
 chain in { type filter hook input priority 0; policy accept;
  udp dport 2000-3999 drop
 }
}
""")
        self.fly()
        stream = self.count()
        wait_until("both say so", lambda: self.flow("drone3").get("relay_hint") and self.flow("gcs4").get("relay_hint"), 5)
        self.assert_nothing_lost(stream)
        self.assertIn("7700", self.flow("drone3")["relay_hint"])
        self.assertIn("does not answer (a firewall", self.net.log("drone3"))
        self.assertIsNone(self.flow("gcs4")["relay_port"])

    def test_server_without_descriptors_relays_by_the_shared_port(self):
        inside = self.net.prefix
        self.net.prefix = lambda who: inside(who) + (["prlimit", "--nofile=72:72"] if who == "server" else [])
        self.net.end("server")
        self.net.start_server()
        self.assertIn("this process may have 72 open files", self.net.log("server"))
        self.fly()
        stream = self.count()
        wait_until("it has tried", lambda: "file descriptors are used up" in self.net.log("server"), 5)
        self.assert_nothing_lost(stream)
        self.assertEqual(self.bound(), [])
        self.assertEqual(self.flow("drone3")["relay_hint"], "")
