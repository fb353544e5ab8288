#!/usr/bin/env python3
"""The command line as scripts and people meet it: usage: run.py PATH-OF-WORMHOLE [test...]"""

import json
import os
import pty
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""
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


class Usage(CliTest):
    def test_version(self):
        result = self.wormhole("--version")
        self.assertEqual(result.returncode, OK)
        self.assertRegex(result.stdout, r"^wormhole \d+\.\d+\.\d+\n$")

    def test_help_names_commands_and_exit_codes(self):
        result = self.wormhole("--help")
        self.assertEqual(result.returncode, OK)
        for word in ("server", "client", "enroll", "invite", "keygen", "check", "status", "trust",
                     "token",
                     "Exit codes: 0 ok"):
            self.assertIn(word, result.stdout)

    def test_wrong_usage(self):
        for args in ([], ["fly"], ["client"], ["check"], ["status", "--api-port", "0"],
                     ["invite", "drone3"], ["client", "--id", "drone3", "--log-level", "loud"]):
            with self.subTest(args=args):
                result = self.wormhole(*args)
                self.assertEqual(result.returncode, USAGE, result)
                self.assertTrue(result.stderr)

    def test_options_say_what_is_wrong(self):
        self.fails(USAGE, "'a b' is not an ID", "client", "--id", "a b")
        self.fails(USAGE, "'10.0.0.1' is not a loopback address", "client", "--id", "drone3",
                   "--bind", "10.0.0.1")
        self.fails(USAGE, "is not HOST or HOST:PORT", "client", "--id", "drone3", "--server",
                   "relay.example.org:99999")
        self.fails(USAGE, "is not a time such as", "invite", "drone3", "-c", "x", "--valid", "400d")

    def test_a_code_in_argv_is_refused_and_not_repeated(self):
        secret = "wormhole-invite-1.c2VjcmV0"
        for args in (["enroll", secret], ["enroll", "--code=" + secret], [secret]):
            with self.subTest(args=args):
                result = self.fails(USAGE, "an invite code is a secret", *args)
                self.assertNotIn("c2VjcmV0", result.stderr)


class Check(CliTest):
    def test_ok(self):
        path = self.routes()
        result = self.wormhole("check", "-c", path)
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (OK, f"{path}: ok: 2 clients, 1 flow\n", ""))

    def test_each_error_has_its_line(self):
        path = self.routes(flows="  mavlink:\n    protocol: smoke\n    port: 99999\n"
                                 "    between: [drone3, gcs4]\n")
        result = self.wormhole("check", "-c", path)
        self.assertEqual(result.returncode, CONFIGURATION)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 2, result)
        for line in lines:
            self.assertRegex(line, "^" + re.escape(path) + r":\d+:\d+: flows\.mavlink\.")

    def test_missing_file(self):
        for command in (["check"], ["server"], ["invite", "drone3"]):
            result = self.wormhole(*command, "-c", self.path("none.yaml"))
            self.assertEqual(result.returncode, CONFIGURATION, result)
            self.assertIn("none.yaml", result.stdout + result.stderr)


class Tokens(CliTest):
    def token(self, *args):
        result = self.wormhole("token", *args, "-c", self.path("routes.yaml"))
        self.assertEqual(result.returncode, OK, result)
        return result

    def test_without_a_server(self):
        path = self.routes()
        made = self.token("add", "dashboard")
        self.assertRegex(made.stdout, r"^wht1_[A-Za-z0-9_-]{43}\n$")
        self.assertIn("shown only now", made.stderr)
        self.token("add", "ci", "--scope", "edit")
        rows = self.token("list").stdout.splitlines()
        self.assertEqual([row.split()[:2] for row in rows],
                         [["NAME", "SCOPE"], ["dashboard", "read"], ["ci", "edit"]])
        with open(self.path("server", "tokens.json")) as file:
            self.assertNotIn(made.stdout.strip(), file.read())
        self.fails(FAILED, "there is a token ci already", "token", "add", "ci", "-c", path)
        self.token("remove", "ci")
        self.fails(FAILED, "there is no token ci", "token", "remove", "ci", "-c", path)

    def test_no_token_yet(self):
        self.routes()
        result = self.token("list")
        self.assertEqual(result.stdout, "")
        self.assertIn("wormhole token add", result.stderr)

    def test_wrong_usage(self):
        for args in (["token"], ["token", "add", "-c", "x"], ["token", "remove", "-c", "x"],
                     ["token", "add", "a b", "-c", "x"], ["token", "list"],
                     ["token", "add", "ci", "-c", "x", "--scope", "root"]):
            with self.subTest(args=args):
                self.assertEqual(self.wormhole(*args).returncode, USAGE)
        self.fails(CONFIGURATION, "none.yaml", "token", "list", "-c", self.path("none.yaml"))

    def test_a_damaged_list_is_left_as_it_is(self):
        path = self.routes()
        self.token("add", "ci")
        with open(self.path("server", "tokens.json"), "w") as file:
            file.write("{")
        for command in (["token", "add", "x"], ["token", "list"], ["server"]):
            self.fails(FAILED, "tokens.json is damaged", *command, "-c", path)


class Keys(CliTest):
    def test_invite_without_a_server(self):
        result = self.wormhole("invite", "drone3", "-c", self.routes())
        self.assertEqual(result.returncode, OK, result)
        self.assertRegex(result.stdout, r"^wormhole-invite-1\.[A-Za-z0-9_-]+\n$")
        self.assertIn("within 7d", result.stderr)

    def test_invite_for_an_unknown_id(self):
        self.fails(CONFIGURATION, "the ID drone9 is not in", "invite", "drone9", "-c",
                   self.routes())

    def test_keygen_keeps_the_key_until_it_is_used(self):
        first = self.wormhole("keygen", "--id", "drone3", "--state-dir", self.path("drone3"))
        self.assertEqual(first.returncode, OK, first)
        self.assertRegex(first.stdout, r'^drone3: \{key: "wh1[A-Za-z0-9_-]{43}"\}\n$')
        again = self.wormhole("keygen", "--id", "drone3", "--state-dir", self.path("drone3"))
        self.assertEqual(again.stdout, first.stdout)
        mode = os.stat(self.path("drone3", "pending.key")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("drone3")).st_mode), 0o700)

    def manual(self):
        """Enrols drone3 by a key in routes.yaml; returns its state directory."""
        state = self.path("drone3")
        line = self.wormhole("keygen", "--id", "drone3", "--state-dir", state).stdout
        path = self.routes(clients="  " + line + "  gcs4: {}\n")
        code = self.wormhole("invite", "drone3", "-c", path).stdout
        result = self.wormhole("enroll", "--state-dir", state, stdin=code)
        self.assertEqual(result.returncode, OK, result)
        return state

    def test_manual_way_needs_no_server(self):
        state = self.manual()
        self.assertFalse(os.path.exists(os.path.join(state, "pending.key")))
        identity = os.path.join(state, "identity.json")
        self.assertEqual(stat.S_IMODE(os.stat(identity).st_mode), 0o600)
        with open(identity) as file:
            self.assertEqual(json.load(file)["id"], "drone3")

    def test_manual_way_with_another_key_or_none(self):
        key = self.wormhole("keygen", "--id", "drone3", "--state-dir", self.path("a")).stdout
        code = self.wormhole("invite", "drone3", "-c",
                             self.routes(clients="  " + key + "  gcs4: {}\n")).stdout
        self.fails(FAILED, "make it with 'wormhole keygen --id drone3'", "enroll", "--state-dir",
                   self.path("b"), stdin=code)
        self.wormhole("keygen", "--id", "drone3", "--state-dir", self.path("b"))
        self.fails(USAGE, "routes.yaml has another key for drone3", "enroll", "--state-dir",
                   self.path("b"), stdin=code)

    def test_a_directory_of_another_id_stays(self):
        state = self.manual()
        code = self.wormhole("invite", "gcs4", "-c", self.routes()).stdout
        self.fails(USAGE, "belongs to drone3", "enroll", "--state-dir", state, stdin=code)

    def test_trust(self):
        state = self.manual()
        key = re.search('"(wh1.*)"', self.wormhole("keygen", "--id", "gcs4", "--state-dir",
                                                   self.path("gcs4")).stdout).group(1)
        result = self.wormhole("trust", "gcs4", key, "--id", "drone3", "--state-dir", state)
        self.assertEqual(result.returncode, OK, result)
        with open(os.path.join(state, "pins.json")) as file:
            self.assertIn(key, file.read())
        self.fails(USAGE, "is not a public key", "trust", "gcs4", "ab12-cd34", "--id", "drone3",
                   "--state-dir", state)
        self.fails(FAILED, "there is no client in", "trust", "gcs4", key, "--id", "drone3",
                   "--state-dir", self.path("none"))


class Enroll(CliTest):
    def test_not_a_code(self):
        for stdin, text in (("", "there was no code"), ("hello\n", "not an invite code"),
                            ("wormhole-invite-2.AAAA", "newer version"),
                            ("wormhole-invite-1." + "A" * 20_000, "far too long")):
            with self.subTest(stdin=stdin[:30]):
                self.fails(USAGE, text, "enroll", stdin=stdin)

    def test_cut_code(self):
        code = self.wormhole("invite", "drone3", "-c", self.routes()).stdout.strip()
        for cut in (code[:-1], code[:100], code[:50] + code[51:]):
            self.fails(USAGE, "cut short or mistyped", "enroll", stdin=cut)
        self.assertEqual(sorted(os.listdir(self.dir)), ["routes.yaml", "server"])

    def on_terminal(self, *keys):
        """Types `keys` at the prompt of a terminal; returns the exit code and what was shown."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(BINARY, [BINARY, "enroll", "--state-dir", self.path("tty")], self.env)
        shown = b""
        keys = list(keys)
        while True:
            try:
                if keys and b"press Enter" in shown:
                    os.write(fd, keys.pop(0))
                shown += os.read(fd, 4096)
            except OSError:  # EIO: the program has ended
                break
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()

    def test_terminal_shows_the_prompt_but_not_the_code(self):
        code, shown = self.on_terminal(b"wormhole-invite-1.c2VjcmV0\n\n")
        self.assertEqual(code, USAGE, shown)
        self.assertIn("Invite code", shown)
        self.assertIn("cut short or mistyped", shown)
        self.assertNotIn("c2VjcmV0", shown)

    def test_terminal_ctrl_c(self):
        code, shown = self.on_terminal(b"worm\x03")
        self.assertEqual(code, USAGE, shown)
        self.assertIn("nothing was done", shown)


class Client(CliTest):
    def test_without_identity(self):
        result = self.fails(FAILED, "this machine is not drone3 yet", "client", "--id", "drone3",
                            "--state-dir", self.path("none"))
        self.assertIn("wormhole enroll", result.stderr)

    def test_default_state_directory(self):
        self.fails(FAILED, self.path("systemd"), "client", "--id", "drone3",
                   env={"STATE_DIRECTORY": self.path("systemd") + ":/other"})
        where = ("/var/lib/wormhole-client/never-enrolled" if os.geteuid() == 0
                 else self.path(".local/state/wormhole/never-enrolled"))
        self.fails(FAILED, where, "client", "--id", "never-enrolled")


class Status(CliTest):
    def test_without_a_client(self):
        port = str(free_port())
        self.fails(FAILED, "no client answers at 127.0.0.1:" + port, "status", "--bind",
                   "127.0.0.1", "--api-port", port)

    def test_a_foreign_server(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            process = subprocess.Popen(
                [BINARY, "status", "--bind", "127.0.0.1", "--api-port",
                 str(listener.getsockname()[1])], stderr=subprocess.PIPE, text=True, env=self.env)
            listener.settimeout(PATIENCE_S)
            caller, _ = listener.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                message = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, FAILED)
        self.assertIn("is not a wormhole client (HTTP status 404)", message)

    def test_watch_ends_cleanly(self):
        process = subprocess.Popen(
            [BINARY, "status", "--watch", "--bind", "127.0.0.1", "--api-port", str(free_port())],
            stderr=subprocess.PIPE, text=True, env=self.env)
        self.assertIn("no client answers", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, OK)


class EndToEnd(CliTest):
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

    def start_client(self, name, log=None, api_port=None):
        return self.start(log or name, "client", "--id", name, "--state-dir", self.path(name),
                          "--bind", self.BINDS[name], *(["--api-port", str(api_port)]
                                                        if api_port else []))

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

    def test_exchange_status_and_clean_end(self):
        processes = {"server": self.start_server()}
        for name in self.BINDS:
            self.enroll(name)
            processes[name] = self.start_client(name)
            self.wait_connected(name)
        self.wait_exchange()

        status = self.status("drone3")
        self.assertEqual(status["id"], "drone3")
        self.assertEqual([(p["id"], p["online"], p["path"]) for p in status["peers"]],
                         [("gcs4", True, "relay")])
        flow = status["flows"][0]
        self.assertEqual((flow["name"], flow["protocol"], flow["port"], flow["peers"]),
                         ("mavlink", "udp", self.flow_port, ["gcs4"]))
        self.assertGreater(flow["rx"]["packets"], 0)
        table = self.wormhole("status", "--bind", self.BINDS["gcs4"])
        self.assertIn("with drone3", table.stdout)
        for name in ("drone3", "gcs4", "server"):
            processes[name].send_signal(signal.SIGTERM)
            self.ends(processes[name], OK, name)
        self.assertFalse(os.path.exists(self.path("server", "control.sock")))

    def keygen(self, name):
        result = self.wormhole("keygen", "--id", name, "--state-dir", self.path(name))
        self.assertEqual(result.returncode, OK, result)
        return result.stdout

    def test_the_manual_way_with_the_signing_key_on_the_server(self):
        self.start_server(clients="".join("  " + self.keygen(name) for name in self.BINDS))
        for name in self.BINDS:
            self.enroll(name)
            self.start_client(name)
        self.wait_exchange()

    def test_the_manual_way_with_the_signing_key_offline(self):
        self.configure()
        self.invite("drone3")  # makes the server's keys
        os.rename(self.path("server", "signing.key"), self.path("offline.key"))
        lines = {name: self.keygen(name) for name in self.BINDS}
        server = self.start_server(clients="".join("  " + line for line in lines.values()))
        self.assertIn("2 keys in routes.yaml are not signed (the first: drone3)",
                      self.log("server"))
        clients = {}
        for name in self.BINDS:
            self.enroll(name)
            clients[name] = self.start_client(name)

        def refused(name):
            status = self.wait_connected(name)
            return status["peers"] and status["peers"][0]["reason"]
        for name, peer in (("drone3", "gcs4"), ("gcs4", "drone3")):
            reason = wait_until(lambda: refused(name), "the reason")
            self.assertRegex(reason, "^its key is not signed; if its owner confirms wh1")
            self.assertIn("peer " + peer + ": its key is not signed", self.log(name))
            clients[name].send_signal(signal.SIGTERM)
            self.ends(clients[name], OK, name)
            command = reason.split("run: wormhole ")[1].split()
            self.assertIn(command[2], lines[peer])
            trusted = self.wormhole(*command, "--state-dir", self.path(name))
            self.assertEqual(trusted.returncode, OK, trusted)
            self.start_client(name)
        self.wait_exchange()

        os.rename(self.path("offline.key"), self.path("server", "signing.key"))
        server.send_signal(signal.SIGHUP)

        def signed():
            pins = []
            for name in self.BINDS:
                with open(self.path(name, "pins.json")) as file:
                    pins += json.load(file)["pins"].values()
            return [pin for pin in pins if pin["serial"] > 0] == pins
        wait_until(signed, "the signed keys reach both clients")
        self.wait_exchange()

    def test_a_code_works_once_but_may_be_tried_again(self):
        self.start_server()
        code = self.enroll("drone3")
        again = self.wormhole("enroll", "--state-dir", self.path("drone3"), stdin=code)
        self.assertEqual(again.returncode, OK, again)
        self.fails(REFUSED, "used", "enroll", "--state-dir", self.path("thief"), stdin=code)
        self.assertFalse(os.path.exists(self.path("thief", "identity.json")))

    def test_a_withdrawn_code_is_refused(self):
        self.start_server()
        first = self.invite("drone3")
        self.invite("drone3")
        result = self.wormhole("enroll", "--state-dir", self.path("drone3"), stdin=first)
        self.assertEqual(result.returncode, REFUSED, result)

    def test_the_newer_process_takes_over(self):
        self.start_server()
        self.enroll("drone3")
        older = self.start_client("drone3")
        self.wait_connected("drone3")
        newer = self.start_client("drone3", "newer", api_port=free_port())
        self.ends(older, REPLACED, "drone3")
        self.assertIsNone(newer.poll(), self.log("newer"))

    def test_another_key_is_refused(self):
        self.start_server()
        self.enroll("drone3")
        os.rename(self.path("drone3"), self.path("lost"))
        self.enroll("drone3")
        os.rename(self.path("drone3"), self.path("replacement"))
        os.rename(self.path("lost"), self.path("drone3"))
        self.ends(self.start_client("drone3"), REFUSED, "drone3")

    def test_wrong_id_for_the_directory(self):
        self.start_server()
        self.enroll("drone3")
        self.fails(USAGE, "is that of drone3", "client", "--id", "gcs4", "--state-dir",
                   self.path("drone3"))

    def test_a_taken_api_port_is_no_obstacle(self):
        self.start_server()
        self.enroll("drone3")
        with socket.create_server((self.BINDS["drone3"], 0)) as taken:
            process = self.start_client("drone3", api_port=taken.getsockname()[1])
            wait_until(lambda: f"process {os.getpid()})" in self.log("drone3"), "the warning")
            self.assertIsNone(process.poll())

    def test_a_second_server_in_the_same_directory_is_refused(self):
        self.start_server()
        result = self.wormhole("server", "-c", self.config)
        self.assertEqual(result.returncode, FAILED, result)
        self.assertIn(self.path("server"), result.stderr)

    def test_tokens_go_through_the_running_server(self):
        self.start_server()
        arguments = ("ci", "-c", self.config)
        made = self.wormhole("token", "add", *arguments, "--scope", "admin")
        self.assertRegex(made.stdout, r"^wht1_", made)
        self.fails(FAILED, "the running server says: there is a token ci already", "token", "add",
                   *arguments)
        self.assertIn("admin", self.wormhole("token", "list", *arguments[1:]).stdout)
        removed = self.wormhole("token", "remove", *arguments)
        self.assertEqual(removed.returncode, OK, removed)
        self.assertEqual(self.wormhole("token", "list", *arguments[1:]).stdout, "")

    def test_enroll_without_an_answer_keeps_the_key(self):
        code = self.wormhole("invite", "drone3", "-c",
                             self.routes(port=free_port(socket.SOCK_DGRAM))).stdout
        result = self.wormhole("enroll", "--state-dir", self.path("drone3"), stdin=code)
        self.assertEqual(result.returncode, FAILED, result)
        self.assertIn("no answer from the server", result.stderr)
        self.assertEqual(os.listdir(self.path("drone3")), ["pending.key"])


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
