"""routes.yaml on a running server: reload, what is held back, REST, and clients that join by themselves."""
import json
import signal
import stat
import os
import socket
import urllib.error
import urllib.request

from harness import CONFIGURATION, FAILED, OK, Running, free_port, wait_until

CLIENTS = "  drone3: {}\n  gcs4: {}\n  gcs5: {}\n"


class Routes(Running):
    """One server with REST on a port of its own."""

    def setUp(self):
        super().setUp()
        self.rest = free_port()
        self.start_with(f"  rest: {{listen: '127.0.0.1:{self.rest}'}}\n")

    def start_with(self, more):
        """Starts the server with `more` in its section `server`."""
        self.configure(clients=CLIENTS)
        text = self.read().replace("  state_dir:", more + "  state_dir:")
        self.write(text.replace("    between:", "    self_join: {second: gcs5}\n    between:"))
        self.server = self.start("server", "server", "-c", self.config)
        wait_until(lambda: "REST API" in self.log("server") or self.server.poll() is not None, "REST")

    def read(self):
        with open(self.config) as file:
            return file.read()

    def write(self, text):
        with open(self.config, "w") as file:
            file.write(text)

    def call(self, method, path, body=None, token=None, **headers):
        """A request to REST: status, JSON, headers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest}{path}", data, headers, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            answer = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers

    def reload(self, code, *more):
        result = self.wormhole("reload", "-c", self.config, *more)
        self.assertEqual(result.returncode, code, (result, self.log("server")))
        return result

    # ------------------------------------------------------------ the file
    def test_reload_says_how_it_went(self):
        self.assertEqual(self.reload(OK).stdout, f"{self.config}: in force\n")
        good = self.read()
        self.write(good.replace("protocol: udp", "protocol: udb"))
        self.assertIn("is not a protocol", self.reload(CONFIGURATION).stderr)
        self.write(good)
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()
        self.assertIn("no server runs", self.reload(FAILED).stderr)

    def test_a_file_that_loses_many_clients_waits_for_confirmation(self):
        good = self.read()
        self.write(good.replace("  gcs5: {}\n", "").replace("    self_join: {second: gcs5}\n", ""))
        result = self.reload(FAILED)
        self.assertIn("1 of 3 clients", result.stderr)
        self.assertIn(f"wormhole reload --confirm -c {self.config}", result.stderr)
        self.assertEqual(self.call("GET", "/v1/clients")[1].keys(), {"drone3", "gcs4", "gcs5"})
        self.reload(OK, "--confirm")
        self.assertEqual(self.call("GET", "/v1/clients")[1].keys(), {"drone3", "gcs4"})

    # ------------------------------------------------------------ REST
    def test_an_edit_is_in_force_and_in_the_file(self):
        before = self.read()
        status, flow, headers = self.call("GET", "/v1/flows/mavlink")
        self.assertEqual((status, flow["between"]), (200, ["drone3", "gcs4"]))
        port = free_port(socket.SOCK_DGRAM)
        status, flow, _ = self.call("PATCH", "/v1/flows/mavlink", {"port": port}, **{"If-Match": headers["ETag"]})
        self.assertEqual((status, flow["port"]), (200, port))
        self.assertEqual(self.read(), before.replace(f"port: {self.flow_port}", f"port: {port}"))
        status, problem, _ = self.call("PATCH", "/v1/flows/mavlink", {"port": 1}, **{"If-Match": headers["ETag"]})
        self.assertEqual(status, 412, problem)

    def test_what_a_flow_asks_of_a_full_uplink_is_an_edit_too(self):
        wish = {"priority": "high", "max_age": "200ms", "rate": "2.5mbit"}
        status, flow, _ = self.call("PATCH", "/v1/flows/mavlink", wish)
        self.assertEqual((status, {key: flow[key] for key in wish}), (200, wish))
        self.assertIn("priority: high", self.read())
        before = self.read()
        status, problem, _ = self.call("PATCH", "/v1/flows/mavlink", {"max_age": "5ms", "rate": "20gbit"})
        self.assertEqual((status, {error["field"] for error in problem["errors"]}), (422, {"flows.mavlink.max_age", "flows.mavlink.rate"}))
        self.assertEqual(self.read(), before)
        self.assertEqual(self.call("PATCH", "/v1/flows/mavlink", dict.fromkeys(wish))[0], 200)
        self.assertNotIn("priority", self.read())

    def test_an_edit_that_would_not_be_valid_names_the_field(self):
        before = self.read()
        status, problem, headers = self.call("PATCH", "/v1/flows/mavlink", {"between": ["drone3", "gcs9"]})
        self.assertEqual((status, headers["Content-Type"]), (422, "application/problem+json"))
        self.assertEqual(problem["errors"][0]["field"], "flows.mavlink.between[1]")
        self.assertIn('no client or group "gcs9"', problem["errors"][0]["detail"])
        self.assertEqual(self.read(), before)

    def test_an_edit_of_an_editor_meanwhile_comes_into_force_with_ours(self):
        self.write(self.read().replace("clients:\n", "clients:\n  gcs6: {}\n"))
        status, _, _ = self.call("PUT", "/v1/groups/ground", ["gcs4", "gcs6"])
        self.assertEqual(status, 201)
        self.assertIn("gcs6", self.call("GET", "/v1/clients")[1])
        self.assertIn("  gcs6: {}\n", self.read())

    def test_a_file_that_nobody_may_write_stays_as_it_is(self):
        os.chmod(self.config, stat.S_IRUSR)
        before = self.read()
        status, problem, _ = self.call("PUT", "/v1/groups/ground", ["gcs4"])
        self.assertEqual(status, 500, problem)
        self.assertIn(self.config, problem["detail"])
        self.assertEqual(self.read(), before)
        self.assertEqual(self.call("GET", "/v1/groups")[1], {})

    def test_tokens_open_what_their_scope_says(self):
        tokens = {}
        for scope in ("read", "edit"):
            made = self.wormhole("token", "add", scope, "--scope", scope, "-c", self.config)
            self.assertEqual(made.returncode, OK, made)
            tokens[scope] = made.stdout.strip()
        self.assertEqual(self.call("GET", "/v1/flows")[0], 401)
        self.assertEqual(self.call("GET", "/v1/flows", token=tokens["read"])[0], 200)
        self.assertEqual(self.call("PUT", "/v1/groups/g", ["gcs4"], token=tokens["read"])[0], 403)
        self.assertEqual(self.call("PUT", "/v1/groups/g", ["gcs4"], token=tokens["edit"])[0], 201)

    def test_beyond_loopback_only_with_tokens(self):
        self.server.terminate()
        self.server.wait()
        self.start_with("  rest: {listen: '0.0.0.0:0'}\n".replace(":0'", f":{self.rest}'"))
        self.assertEqual(self.server.wait(5), FAILED, self.log("server"))
        self.assertIn("wormhole token add", self.log("server"))

    # ------------------------------------------------------------ by themselves
    def test_a_client_joins_and_leaves(self):
        self.BINDS = {**self.BINDS, "gcs5": "127.1.77.5"}
        self.enroll("gcs5")
        self.start_client("gcs5")
        wait_until(lambda: (s := self.status("gcs5")) and s["offers"], "the offer")
        before = self.read()
        flow = lambda *more: self.wormhole("flow", *more, "--bind", self.BINDS["gcs5"])
        self.assertRegex(flow("list").stdout, r"mavlink +udp \d+ +- +second +-")
        joined = flow("join", "mavlink")
        self.assertEqual((joined.returncode, joined.stderr), (OK, ""))
        self.assertIn("between: [drone3, [gcs4, gcs5]]", self.read())
        self.assertRegex(flow("list").stdout, r"mavlink +udp \d+ +both +- +second")
        self.assertEqual(flow("leave", "mavlink", "--side", "second").returncode, OK)
        self.assertNotIn("gcs5]", self.read())
        refused = flow("join", "mavlink", "--side", "first")
        self.assertEqual(refused.returncode, FAILED)
        self.assertIn("does not let this client join this side", refused.stderr)
        self.assertEqual(len(self.read().splitlines()), len(before.splitlines()))
