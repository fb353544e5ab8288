"""What the lab's tests share: a network with drone3 and gcs4 behind NATs, and a counting stream of datagrams."""
import pathlib
import shutil
import struct
import subprocess
import sys
import threading
import time
import unittest

from natlab import SRV_IPS, Lab
from support.network import Network, wait_until

LOGS = pathlib.Path("/run/natlab/flight-logs")
NAME_LENGTH = 40  # the control socket's path has at most 107 bytes
VIDEO, MAVLINK, LOAD, COUNTING = 5600, 14550, 5201, 9000
LOAD_APP = 5202  # iperf3's server; another port than the flow's, so that it may bind any address
FLOWS = {
    "video": {"protocol": "udp", "port": VIDEO, "from": "drone3", "to": "gcs4"},
    "mavlink": {"protocol": "udp", "port": MAVLINK, "between": ["drone3", "gcs4"]},
    "load": {"protocol": "udp", "port": LOAD, "between": ["drone3", "gcs4"],
             "deliver": {"gcs4": f"127.0.0.1:{LOAD_APP}", "drone3": "none"}},
    "counting": {"protocol": "udp", "port": COUNTING, "from": "drone3", "to": "gcs4"},
}
SENDER = """
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
n, start = 0, time.monotonic()
while True:
    try: s.sendto(struct.pack("<QQ", n, time.monotonic_ns()) + bytes(%d), ("127.1.0.1", %d))
    except ConnectionRefusedError: pass
    n += 1
    time.sleep(max(0, start + n / %d - time.monotonic()))
"""
RECEIVER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", %d))
print("ready", flush=True)
while True:
    d = s.recv(65536)
    sys.stdout.buffer.write(d[:16]); sys.stdout.buffer.flush()
"""


class Counting:
    """A stream of numbered datagrams from one site to another; remembers when each number arrived."""

    def __init__(self, lab, rate=200, sender="a", receiver="b", port=COUNTING, size=416):
        self.arrived = {}
        self.receiver = lab.popen(receiver, [sys.executable, "-c", RECEIVER % port], stdout=subprocess.PIPE)
        self.receiver.stdout.readline()
        threading.Thread(target=self._read, daemon=True).start()
        self.sender = lab.popen(sender, [sys.executable, "-c", SENDER % (size - 16, port, rate)])

    def _read(self):
        while len(record := self.receiver.stdout.read(16)) == 16:
            self.arrived[struct.unpack("<QQ", record)[0]] = time.monotonic()

    def wait_for_more(self, seconds, what="datagrams arrive"):
        """Waits until one arrives that arrives after now; says how long that took."""
        start = time.monotonic()
        wait_until(what, lambda: any(at > start for at in list(self.arrived.values())[-50:]), seconds)
        return time.monotonic() - start

    def lost(self):
        """Ends the sender; the numbers that did not arrive, from the first that did to the last."""
        self.sender.kill()
        self.sender.wait()
        count = -1
        while count != (count := len(self.arrived)):  # until 300 ms bring nothing more
            time.sleep(0.3)
        numbers = set(self.arrived)
        return sorted(set(range(min(numbers), max(numbers) + 1)) - numbers)

    def stop(self):
        for process in (self.sender, self.receiver):
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


class Flight(unittest.TestCase):
    """A lab per test: the server's namespace, drone3 behind a port-restricted NAT, gcs4 behind a symmetric one."""

    addresses = SRV_IPS[:1]
    sites = {"a": "port_restricted", "b": "symmetric"}
    where = {"drone3": "a", "gcs4": "b"}
    flows = FLOWS
    client = {}  # what routes.yaml says of each client

    def setUp(self):
        self.lab = Lab("flight").up(self.sites)
        self.addCleanup(self.lab.down)
        folder = LOGS / self.id().rsplit(".test_", 1)[-1][:NAME_LENGTH]
        shutil.rmtree(folder, ignore_errors=True)
        self.net = Network(folder, {"addresses": self.addresses}, dict(self.flows),
                           lambda who: ["ip", "netns", "exec", self.lab.ns("srv" if who == "server" else self.where.get(who, "a"))])
        self.net.routes["clients"] = {client: dict(self.client) for client in self.where}
        self.addCleanup(self.net.__exit__)
        self.net.start_server()

    def tearDown(self):
        outcome = self._outcome.result
        if any(test is self for test, _ in outcome.errors + outcome.failures):
            for log in sorted(self.net.folder.glob("*.log")):
                print(f"--- {log}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]), file=sys.stderr)

    def fly(self, *clients):
        """Enrols and starts the clients, and waits until each has a path to its peer."""
        for client in clients or self.where:
            self.net.enrol(client)
            self.net.start_client(client)
        self.net.wait_connected(*(clients or self.where))

    def count(self, rate=200):
        stream = Counting(self.lab, rate)
        self.addCleanup(stream.stop)
        stream.wait_for_more(5)
        return stream

    def wait_exit(self, name, seconds=5.0):
        """The exit code of a process that ends by itself."""
        process = self.net.processes[name]
        wait_until(f"{name} ends", lambda: process.poll() is not None, seconds)
        return process.returncode
