"""TCP flows with programs that people use: OpenSSH, nginx and curl, iperf3, Redis, netcat."""
import hashlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

from flight import Flight
from natlab import SRV_IPS
from support.network import wait_until

SSH, SSHD, WEB, NGINX, LOAD, REDIS, ECHO, NOBODY = 2222, 2022, 8080, 8081, 5201, 6379, 7000, 7001
TCP_FLOWS = {
    "ssh": {"protocol": "tcp", "port": SSH, "from": "gcs4", "to": "drone3", "target": f"127.0.0.1:{SSHD}"},
    "web": {"protocol": "tcp", "port": WEB, "from": "gcs4", "to": "drone3", "target": f"127.0.0.1:{NGINX}"},
    "load": {"protocol": "tcp", "port": LOAD, "from": "gcs4", "to": "drone3"},
    "redis": {"protocol": "tcp", "port": REDIS, "from": "gcs4", "to": "drone3"},
    "echo": {"protocol": "tcp", "port": ECHO, "between": ["drone3", "gcs4"]},
    "nobody": {"protocol": "tcp", "port": NOBODY, "from": "gcs4", "to": "drone3"},
}
GIB = 1 << 30
COPY_RATE = 160_000     # kbit/s: 1 GiB takes 54 s, in which the path changes five times
# Answers with the number of bytes when its caller has finished, as HTTP/1.0 and many tools do.
COUNTER = """
import socket, threading
def serve(c):
    n = 0
    while d := c.recv(65536): n += len(d)
    c.sendall(b"%d bytes\\n" % n)
    c.close()
s = socket.create_server(("127.0.0.1", PORT), backlog=128)
print("ready", flush=True)
while True: threading.Thread(target=serve, args=(s.accept()[0],)).start()
"""


def tcp_flow(status, name):
    return next(flow for flow in status["flows"] if flow["name"] == name)["tcp"]


class TcpFlight(Flight):
    """gcs4 dials what runs beside drone3. Services have a folder of their own, and end with the test."""

    sites = {"a": "port_restricted", "b": "port_restricted"}
    flows = TCP_FLOWS

    def setUp(self):
        super().setUp()
        self.folder = self.net.folder / "services"
        self.folder.mkdir()
        self.fly()
        wait_until("streams can be opened", lambda: (status := self.net.status("gcs4")) and all(
            peer["up"] for flow in status["flows"] for peer in flow["tcp"]["peers"]))

    def serve(self, command, port, site="a"):
        """A service in a site; it answers on its port when this returns."""
        with open(self.folder / f"{port}.log", "a") as log:
            process = self.lab.popen(site, command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        wait_until(f"{command[0]} on {port}", lambda: self.lab.run(
            site, ["ss", "-Hltn", f"src 127.0.0.1:{port}"], check=False).stdout.strip())
        return process

    def dial(self, command, site="b", timeout=60, **options):
        return subprocess.run(["ip", "netns", "exec", self.lab.ns(site), *command], capture_output=True,
                              timeout=timeout, **options)

    def path(self):
        return {(self.net.status(client) or {"peers": [{"path": "?"}]})["peers"][0]["path"] for client in self.where}

    def wait_path(self, kind, seconds=20):
        wait_until(f"path {kind} at both ends", lambda: self.path() == {kind}, seconds)


class Ssh(TcpFlight):
    def setUp(self):
        super().setUp()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)], check=True)
        (self.folder / "authorized").write_text((self.folder / "user.pub").read_text())
        (self.folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {SSHD}\nHostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/authorized\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\nSubsystem sftp internal-sftp\n")
        os.makedirs("/run/sshd", exist_ok=True)
        self.serve(["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "sshd_config")], SSHD)
        self.options = ["-i", str(self.folder / "user"), "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
                        "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "LogLevel=ERROR"]

    def test_login(self):
        done = self.dial(["ssh", *self.options, "-p", str(SSH), "root@127.1.0.1", "echo flying as $USER"])
        self.assertEqual(done.stdout, b"flying as root\n", done.stderr)

    def test_a_gibibyte_over_changing_paths(self):
        source, copy = self.folder / "source", self.folder / "copy"
        block = os.urandom(1 << 24)
        digest = hashlib.sha256()
        with open(source, "wb") as file:
            for _ in range(GIB // len(block)):
                file.write(block)
                digest.update(block)
        self.wait_path("direct")
        scp = self.lab.popen("b", ["scp", "-P", str(SSH), "-l", str(COPY_RATE), *self.options, str(source),
                                   f"root@127.1.0.1:{copy}"], stderr=subprocess.PIPE)
        self.addCleanup(scp.stderr.close)
        self.addCleanup(scp.kill)
        wait_until("the copy has begun", lambda: copy.exists() and copy.stat().st_size > 50 << 20, 30)
        for change in (self.cut, self.mend, self.new_address, self.cut, self.mend):
            before = copy.stat().st_size
            began = time.monotonic()
            change()
            wait_until("the copy goes on", lambda: copy.stat().st_size > before + (8 << 20), 10)
            print(f"{change.__name__}: 8 MiB more after {time.monotonic() - began:.2f} s", flush=True)
        self.assertLess(copy.stat().st_size, GIB, "the copy was over before the last change")
        self.assertEqual(scp.wait(180), 0)
        with open(copy, "rb") as file:
            self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), digest.hexdigest())

    def cut(self):
        """The way between the sites ends, those to the server stay."""
        ways = "\n".join(f"ip saddr {self.lab.public_ip(x)} ip daddr {self.lab.public_ip(y)} drop" for x, y in ("ab", "ba"))
        self.lab.nft(self.lab.ns("inet"), f"table ip between {{\n chain drops {{ type filter hook prerouting priority -310;\n{ways}\n}}\n}}\n")
        self.wait_path("relay")

    def mend(self):
        self.lab.nft(self.lab.ns("inet"), "delete table ip between\n")
        self.wait_path("direct")

    def new_address(self):
        self.lab.reboot_nat("a", new_ip=True)
        self.wait_path("direct")


class Programs(TcpFlight):
    def test_200_downloads_at_once(self):
        root = self.folder / "www"
        root.mkdir()
        (root / "file").write_bytes(os.urandom(500_000))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log stderr; user root;\n"
            f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; server {{ listen 127.0.0.1:{NGINX}; root {root}; }}\n"
            f"client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;\n"
            f"uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5; }}\n")
        self.serve(["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")], NGINX)
        copies = self.folder / "copies"
        copies.mkdir()
        done = self.dial(["curl", "-sS", "--fail", "--parallel", "--parallel-max", "200", "--parallel-immediate",
                          f"http://127.1.0.1:{WEB}/file?[1-200]", "-o", f"{copies}/#1"], timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = (root / "file").read_bytes()
        files = list(copies.iterdir())
        self.assertEqual(len(files), 200)
        self.assertTrue(all(file.read_bytes() == expected for file in files))
        flow = tcp_flow(self.net.status("gcs4"), "web")
        self.assertGreaterEqual(flow["opened"], 200)
        self.assertEqual(flow["refused"], 0)
        wait_until("nothing is left open", lambda: tcp_flow(self.net.status("drone3"), "web")["open"] == 0)

    def test_iperf3(self):
        for reverse in ([], ["-R"]):
            self.serve(["iperf3", "-s", "-1", "-p", str(LOAD), "--bind", "127.0.0.1"], LOAD)
            done = self.dial(["iperf3", "-c", "127.1.0.1", "-p", str(LOAD), "-t", "3", "-J", *reverse])
            self.assertEqual(done.returncode, 0, done.stdout)
            rate = json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e6
            print(f"iperf3 {' '.join(reverse)}: {rate:.0f} Mbit/s", flush=True)
            self.assertGreater(rate, 10)  # it works; how quickly, bench/streams.py says

    def test_redis(self):
        self.serve(["redis-server", "--port", str(REDIS), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)], REDIS)
        redis = ["redis-cli", "-h", "127.1.0.1", "-p", str(REDIS)]
        self.assertEqual(self.dial([*redis, "set", "mode", "GUIDED"]).stdout, b"OK\n")
        self.assertEqual(self.dial([*redis, "get", "mode"]).stdout, b"GUIDED\n")
        done = self.dial(["redis-benchmark", "-h", "127.1.0.1", "-p", str(REDIS), "-c", "20", "-n", "2000", "-t", "set,get",
                          "-d", "1000", "--csv"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(re.findall(rb'"(?:SET|GET)"', done.stdout)), 2, done.stdout)

    def test_half_close(self):
        self.serve([sys.executable, "-c", COUNTER.replace("PORT", str(ECHO))], ECHO)
        done = self.dial(["nc", "-N", "127.1.0.1", str(ECHO)], input=bytes(3_000_000))
        self.assertEqual(done.stdout, b"3000000 bytes\n")
        # The other client dials as well: between.
        self.serve([sys.executable, "-c", COUNTER.replace("PORT", str(ECHO))], ECHO, "b")
        done = self.dial(["nc", "-N", "127.1.0.1", str(ECHO)], "a", input=b"from the drone")
        self.assertEqual(done.stdout, b"14 bytes\n")

    def test_http_until_the_end(self):
        page = self.folder / "page"
        page.write_bytes(os.urandom(2_000_000))
        self.serve([sys.executable, "-m", "http.server", str(NGINX), "--bind", "127.0.0.1", "--protocol", "HTTP/1.0",
                    "--directory", str(self.folder)], NGINX)
        done = self.dial(["curl", "-sS", "--http1.0", f"http://127.1.0.1:{WEB}/page"])
        self.assertEqual(done.stdout, page.read_bytes())

    def test_a_refusing_target(self):
        began = time.monotonic()
        done = self.dial([sys.executable, "-c", "import socket\ns = socket.create_connection(('127.1.0.1', %d))\n"
                          "try: print(s.recv(1))\nexcept ConnectionResetError: print('reset')" % NOBODY], text=True)
        self.assertEqual(done.stdout, "reset\n")
        self.assertLess(time.monotonic() - began, 2)
        wait_until("the status names the target", lambda: tcp_flow(self.net.status("gcs4"), "nobody")["last_error"]
                   == f"drone3: 127.0.0.1:{NOBODY}: connection refused", 2)


RECEIVER = """
import socket, sys
s = socket.create_server(("127.0.0.1", %d))
print("ready", flush=True)
c, _ = s.accept()
c.sendall(sys.argv[1].encode() * 1000)
n = 0
while d := c.recv(65536): n += len(d)
print(n, flush=True)
"""
FAN, EITHER, EACH, NAMED = 7100, 7101, 7102, 7103


class Several(TcpFlight):
    """gcs4 and two drones: who of them is reached."""

    sites = {"a": "port_restricted", "b": "port_restricted", "c": "symmetric"}
    where = {"gcs4": "b", "drone3": "a", "drone7": "c"}
    flows = {
        "fan": {"protocol": "tcp", "port": FAN, "from": "gcs4", "to": ["drone3", "drone7"], "fanout": "copy"},
        "either": {"protocol": "tcp", "port": EITHER, "from": "gcs4", "to": ["drone7", "drone3"]},
        "each": {"protocol": "tcp", "port": EACH, "from": "gcs4", "to": "drone*", "addressing": "per-peer"},
        "named": {"protocol": "tcp", "port": NAMED, "from": "gcs4", "to": "drone3", "proxy_protocol": "on"},
    }

    def banner(self, port, address="127.1.0.1"):
        """The first line that a connection to the flow's port hears."""
        done = self.dial([sys.executable, "-c", "import socket,sys\ns = socket.create_connection((sys.argv[1], %d))\n"
                          "print(s.makefile().readline().strip())" % port, address], text=True)
        return done.stdout.strip()

    def greet(self, site, port, word):
        """A service that greets everybody with a word."""
        return self.serve([sys.executable, "-c", "import socket\ns = socket.create_server(('127.0.0.1', %d))\n"
                           "while True:\n c, _ = s.accept(); c.sendall(b'%s\\n'); c.close()" % (port, word)], port, site)

    def test_pick_goes_to_the_first_that_answers(self):
        self.greet("a", EITHER, "drone3")
        self.assertEqual(self.banner(EITHER), "drone3")     # drone7 is first, but nothing listens there
        self.greet("c", EITHER, "drone7")
        self.assertEqual(self.banner(EITHER), "drone7")
        self.net.end("drone7")
        wait_until("drone3 takes over", lambda: self.banner(EITHER) == "drone3", 10)

    def test_each_peer_has_its_address(self):
        self.greet("a", EACH, "drone3")
        self.greet("c", EACH, "drone7")
        flow = next(f for f in self.net.status("gcs4")["flows"] if f["name"] == "each")
        for drone in ("drone3", "drone7"):
            self.assertEqual(self.banner(EACH, flow["peer_ports"][drone].split(":")[0]), drone)

    def test_copy_goes_to_all_and_answers_come_whole(self):
        receivers = {}
        for site, letter in (("a", "x"), ("c", "y")):
            log = open(self.folder / f"fan-{site}", "w+")
            self.addCleanup(log.close)
            receivers[letter] = (self.lab.popen(site, [sys.executable, "-c", RECEIVER % FAN, letter], stdout=log), log)
            wait_until("it listens", lambda: (self.folder / f"fan-{site}").read_text())
        done = self.dial(["nc", "-N", "127.1.0.1", str(FAN)], input=bytes(1_000_000))
        self.assertIn(done.stdout, (b"x" * 1000 + b"y" * 1000, b"y" * 1000 + b"x" * 1000))
        for process, log in receivers.values():
            self.assertEqual(process.wait(10), 0)
            log.seek(0)
            self.assertEqual(log.read(), "ready\n1000000\n")

    def test_the_target_hears_who_dials(self):
        log = self.folder / "header"
        service = self.serve([sys.executable, "-c", "import socket,sys\ns = socket.create_server(('127.0.0.1', %d))\n"
                              "c, _ = s.accept()\nd = b''\nwhile b'hello' not in d: d += c.recv(1000)\n"
                              "open(sys.argv[1], 'wb').write(d)\nc.close()" % NAMED, str(log)], NAMED)
        self.dial(["nc", "-N", "127.1.0.1", str(NAMED)], input=b"hello")
        self.assertEqual(service.wait(10), 0)
        header = log.read_bytes()
        self.assertTrue(header.startswith(b"\r\n\r\n\0\r\nQUIT\n\x21\x11"), header)
        self.assertTrue(header.endswith(b"\xe0\0\x04gcs4hello"), header)
