"""A server and clients on loopback, as people run them."""
import json
import os
import signal
import socket

from harness import FAILED, OK, REFUSED, REPLACED, USAGE, Running, free_port, wait_until


class EndToEnd(Running):
    """A real server and real clients on loopback."""

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
        self.assertIn("    NAT: ", table.stdout)
        checked = self.wormhole("netcheck", "--json", "--bind", self.BINDS["gcs4"])
        self.assertEqual(checked.returncode, OK, checked)
        self.assertEqual(json.loads(checked.stdout)["problem"], "one_address")
        checked = self.wormhole("netcheck", "--bind", self.BINDS["gcs4"], "--server", "127.0.0.1")
        self.assertEqual(checked.returncode, FAILED, checked)
        self.assertIn("checks with its own server", checked.stderr)
        for name in ("drone3", "gcs4", "server"):
            processes[name].send_signal(signal.SIGTERM)
            self.ends(processes[name], OK, name)
        self.assertFalse(os.path.exists(self.path("server", "control.sock")))

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
