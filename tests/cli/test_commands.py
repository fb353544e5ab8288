"""Each command by itself: usage, files, what is refused."""
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess

from harness import CONFIGURATION, FAILED, OK, USAGE, CliTest, BINARY, free_port, PATIENCE_S


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


class ForeignServer:
    """For commands that ask the client's API: something else listens there."""

    def meets_a_foreign_server(self, command, expected):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            process = subprocess.Popen(
                [BINARY, command, "--bind", "127.0.0.1", "--api-port",
                 str(listener.getsockname()[1])], stderr=subprocess.PIPE, text=True, env=self.env)
            listener.settimeout(PATIENCE_S)
            caller, _ = listener.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                message = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, FAILED)
        self.assertIn(expected, message)


class Netcheck(CliTest, ForeignServer):
    def test_without_a_client(self):
        port = str(free_port())
        where = ["netcheck", "--bind", "127.0.0.1", "--api-port", port]
        self.fails(FAILED, "no client answers at 127.0.0.1:" + port, *where)
        self.fails(FAILED, "--id ID", *where, "--server", "wormhole.example")
        self.fails(FAILED, "needs an enrolled client", *where, "--id", "drone3", "--state-dir",
                   self.path("drone3"))

    def test_a_foreign_server(self):
        self.meets_a_foreign_server(
            "netcheck", "no wormhole client that checks NATs (HTTP status 404)")


class Status(CliTest, ForeignServer):
    def test_without_a_client(self):
        port = str(free_port())
        self.fails(FAILED, "no client answers at 127.0.0.1:" + port, "status", "--bind",
                   "127.0.0.1", "--api-port", port)

    def test_a_foreign_server(self):
        self.meets_a_foreign_server("status", "is not a wormhole client (HTTP status 404)")

    def test_watch_ends_cleanly(self):
        process = subprocess.Popen(
            [BINARY, "status", "--watch", "--bind", "127.0.0.1", "--api-port", str(free_port())],
            stderr=subprocess.PIPE, text=True, env=self.env)
        self.assertIn("no client answers", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, OK)
