"""What the tests of the command line share: running the program, files, a server with clients."""
import json
import os
import select
import socket
import subprocess
import tempfile
import time
import unittest

BINARY = os.environ.get("WORMHOLE_BINARY", "")
OK, FAILED, USAGE, CONFIGURATION, REFUSED, REPLACED = range(6)
PATIENCE_S = 20  # for conditions that come in milliseconds on an idle machine


def free_port(kind=socket.SOCK_STREAM, address="127.0.0.1"):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind((address, 0))
        return s.getsockname()[1]


def wait_until(condition, what):
    """Polls until `condition` gives something true, and returns it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        select.select([], [], [], 0.02)
    raise AssertionError(f"not within {PATIENCE_S} s: {what}")


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="wormhole-cli-")
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "LC_ALL": "C"}
        for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def wormhole(self, *args, stdin="", env=None):
        return subprocess.run([BINARY, *args], input=stdin, text=True, capture_output=True,
                              timeout=60, env={**self.env, **(env or {})})

    def fails(self, code, text, *args, **kwargs):
        """Runs a command that must end with `code` and one sentence that holds `text`."""
        result = self.wormhole(*args, **kwargs)
        self.assertEqual(result.returncode, code, result)
        self.assertIn(text, result.stderr, result)
        self.assertEqual(result.stdout, "", result)
        return result

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def routes(self, clients="  drone3: {}\n  gcs4: {}\n", port=7700, flows=None):
        """Writes a routes.yaml and returns its path."""
        flows = flows or ("  mavlink:\n    protocol: udp\n    port: 14550\n"
                          "    between: [drone3, gcs4]\n")
        path = self.path("routes.yaml")
        with open(path, "w") as file:
            file.write(f"server:\n  addresses: [127.0.0.1]\n  port: {port}\n"
                       f"  state_dir: {self.path('server')}\n"
                       f"clients:\n{clients}flows:\n{flows}")
        return path


class Running(CliTest):
    """A real server and real clients on loopback."""

    BINDS = {"drone3": "127.1.77.3", "gcs4": "127.1.77.4"}

    def start(self, name, *args):
        """Starts a process that is ended with the test; its log is NAME.log."""
        with open(self.path(name + ".log"), "w") as log:
            process = subprocess.Popen([BINARY, *args], stdout=log, stderr=log, env=self.env)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.addCleanup(end)
        return process

    def log(self, name):
        with open(self.path(name + ".log")) as file:
            return file.read()

    def configure(self, **clients):
        """Writes routes.yaml with ports of its own; each test has one pair of them."""
        if not hasattr(self, "server_port"):
            self.server_port = free_port(socket.SOCK_DGRAM)
            self.flow_port = free_port(socket.SOCK_DGRAM, self.BINDS["drone3"])
        self.config = self.routes(
            port=self.server_port,
            flows=f"  mavlink:\n    protocol: udp\n    port: {self.flow_port}\n"
                  "    between: [drone3, gcs4]\n", **clients)

    def start_server(self, **clients):
        self.configure(**clients)
        server = self.start("server", "server", "-c", self.config)
        wait_until(lambda: os.path.exists(self.path("server", "control.sock")) or server.poll(),
                   "control socket")
        self.assertIsNone(server.poll(), self.log("server"))
        return server

    def invite(self, name):
        result = self.wormhole("invite", name, "-c", self.config)
        self.assertEqual(result.returncode, OK, result)
        return result.stdout

    def enroll(self, name):
        code = self.invite(name)
        result = self.wormhole("enroll", "--state-dir", self.path(name), stdin=code)
        self.assertEqual(result.returncode, OK, (result, self.log("server")))
        return code

    def start_client(self, name, log=None, api_port=None, more=()):
        return self.start(log or name, "client", "--id", name, "--state-dir", self.path(name),
                          "--bind", self.BINDS[name], *(["--api-port", str(api_port)]
                                                        if api_port else []), *more)

    def status(self, name):
        result = self.wormhole("status", "--json", "--bind", self.BINDS[name])
        return json.loads(result.stdout) if result.returncode == OK else None

    def wait_connected(self, name):
        def connected():
            status = self.status(name)
            return status and status["server"]["connected"] and status
        return wait_until(connected, name + " is connected")

    def ends(self, process, code, name):
        """The process must end within 2 s, with `code`."""
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.fail(f"{name} goes on: {self.log(name)}")
        self.assertEqual(process.returncode, code, self.log(name))

    def wait_exchange(self):
        """A datagram of each end must reach the other."""
        apps = {name: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for name in self.BINDS}
        for app in apps.values():
            self.addCleanup(app.close)
            app.bind(("127.0.0.1", 0))
            app.setblocking(False)

        def exchanged():
            for name, app in apps.items():
                app.sendto(b"from " + name.encode(), (self.BINDS[name], self.flow_port))
            ready = select.select(apps.values(), [], [], 0.05)[0]
            received.update(app.recv(2048) for app in ready)
            return received == {b"from drone3", b"from gcs4"}
        received = set()
        wait_until(exchanged, "datagrams cross both ways")

    def keygen(self, name):
        result = self.wormhole("keygen", "--id", name, "--state-dir", self.path(name))
        self.assertEqual(result.returncode, OK, result)
        return result.stdout
