"""Impaired flows with real binaries: routes.yaml turns a bad link on and off while datagrams flow."""
import math
import statistics
import struct
import subprocess
import sys
import threading
import time

from flight import COUNTING, Counting, Flight
from support.network import wait_until

OTHER = 9100
ECHO = """
import socket, sys, time, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", %d))
print("ready", flush=True)
while True:
    d = s.recv(65536)
    bad = sum(b != 0 for b in d[16:])
    sys.stdout.buffer.write(d[:16] + struct.pack("<QQ", time.monotonic_ns(), bad)); sys.stdout.buffer.flush()
"""


class Timed(Counting):
    """Counting that also knows how long each took (one machine, one clock) and whether it was altered."""

    def __init__(self, lab, rate, port):
        self.took, self.altered = {}, 0
        self.arrived = {}
        self.receiver = lab.popen("b", [sys.executable, "-c", ECHO % port], stdout=subprocess.PIPE)
        self.receiver.stdout.readline()
        threading.Thread(target=self._read, daemon=True).start()
        from flight import SENDER
        self.sender = lab.popen("a", [sys.executable, "-c", SENDER % (400, port, rate)])

    def _read(self):
        while len(record := self.receiver.stdout.read(32)) == 32:
            number, sent, came, bad = struct.unpack("<QQQQ", record)
            self.arrived[number] = time.monotonic()
            self.took[number] = (came - sent) / 1e6
            self.altered += bad > 0

    def newest(self):
        return max(self.arrived, default=0)


class Impairment(Flight):
    flows = {"counting": {"protocol": "udp", "port": COUNTING, "from": "drone3", "to": "gcs4"},
             "other": {"protocol": "udp", "port": OTHER, "from": "drone3", "to": "gcs4"}}

    def impair(self, value):
        """Puts it into routes.yaml, and waits until drone3 has it."""
        flow = dict(self.flows["counting"])
        if value:
            flow["impair"] = value
        self.net.routes["flows"]["counting"] = flow
        self.net.write_routes()
        wait_until("drone3 has it", lambda: bool(self.status()) == bool(value), 5)

    def status(self):
        flows = (self.net.status("drone3") or {"flows": []})["flows"]
        return next((f["impair"] for f in flows if f["name"] == "counting"), None)

    def test_it_comes_and_goes_with_the_file(self):
        self.fly()
        impaired, other = Timed(self.lab, 500, COUNTING), Timed(self.lab, 200, OTHER)
        for stream in (impaired, other):
            self.addCleanup(stream.stop)
            stream.wait_for_more(5)
        time.sleep(2)  # what is usual
        usual = statistics.median(list(impaired.took.values())[-500:])
        self.impair({"loss": "10%", "delay": "80ms", "jitter": "20ms", "corrupt": {"rate": "5%", "from": "16"}})
        time.sleep(0.2)
        first, altered = impaired.newest() + 1, impaired.altered
        time.sleep(8)
        last = impaired.newest()
        time.sleep(0.3)  # for what is under way
        status, seen = self.status(), impaired.altered - altered
        self.impair(None)
        off = impaired.newest() + 500 // 2  # half a second later nothing is held any more
        wait_until("it is over", lambda: impaired.newest() > off + 500, 10)
        end = impaired.newest()
        time.sleep(0.3)

        sent = last - first + 1
        got = [n for n in range(first, last + 1) if n in impaired.took]
        self.assertGreater(sent, 2000)
        bound = 5 * math.sqrt(0.1 * 0.9 * sent)
        self.assertAlmostEqual(sent - len(got), 0.1 * sent, delta=bound)
        came = len(got)
        self.assertAlmostEqual(seen, 0.05 * came, delta=5 * math.sqrt(0.05 * came) + 0.05 * 0.6 * 500)
        took = sorted(impaired.took[n] - usual for n in got)
        self.assertAlmostEqual(statistics.mean(took), 80, delta=8)
        self.assertGreater(took[len(took) // 100], 55)
        self.assertLess(took[-len(took) // 20], 115)
        self.assertGreater(sum(a > b for a, b in zip(*(lambda t: (t, t[1:]))(
            [n for n, _ in sorted(impaired.arrived.items(), key=lambda item: item[1])][-5000:]))), 100, "jitter reorders")
        self.assertAlmostEqual(status["mean_delay_ms"], 80, delta=4)
        self.assertGreater(status["lost"]["loss"], 0)
        self.assertEqual([n for n in range(off, end + 1) if n not in impaired.took], [], "all arrive again")
        self.assertLess(statistics.median(impaired.took[n] for n in range(off, end + 1)), usual + 20)
        self.assertEqual((other.lost(), other.altered), ([], 0), "the other flow knows nothing of it")
        self.assertLess(statistics.median(other.took.values()), usual + 20)

    def test_a_mistake_leaves_what_is_in_force(self):
        self.fly()
        self.impair("lte-weak")
        self.net.routes["flows"]["counting"] = {**self.flows["counting"], "impair": {"loss": "200%"}}
        self.net.write_routes()
        wait_until("the server says so", lambda: 'flows.counting.impair.loss: "200%" is none' in self.net.log("server"), 5)
        self.assertEqual(self.status()["profile"], "lte-weak")
        self.assertIn("impaired by lte-weak", self.net.run("drone3", "status", "--bind", "127.1.0.1").stdout)
