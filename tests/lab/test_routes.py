"""Five clients in five networks: who hears whom, and routes.yaml changed in every way while they fly."""
import json
import subprocess
import sys

from flight import COUNTING, MAVLINK, VIDEO, Counting, Flight
from support.network import wait_until
from test_first_flight import FRAMES, MavlinkEnd, Video

SWARM, EXTRA = 9100, 9200
ROUTES = """\
# The fleet. Comments, "quotes" and order stay as they are when a program edits this file.
server:
  addresses: [{address}]
  state_dir: {state}

clients: {{drone3: {{}}, drone7: {{}}, gcs4: {{}}, gcs5: {{}}, gcs6: {{}}}}

groups:
  ground: ['gcs4', gcs5, "gcs6"]   # three stations

flows:
  mavlink:                         # masters and slaves
    protocol: udp
    port: {mavlink}
    between: ["drone*", ground]
    addressing: per-peer
  video: {{protocol: udp, port: {video}, from: drone3, to: ground}}
  swarm: {{protocol: udp, port: {swarm}, mesh: ["drone*"]}}
  counting:
    protocol: udp
    port: {counting}
    from: drone3
    to: [gcs4]                     # gcs5 comes and goes
    self_join: {{to: gcs6}}
  extra: {{protocol: udp, port: {extra}, from: drone7, to: gcs6}}
"""


class FiveClients(Flight):
    """Two drones and three ground stations, each behind a NAT of its own."""

    sites = {"a": "port_restricted", "b": "symmetric", "c": "full_cone", "d": "port_restricted", "e": "symmetric"}
    where = {"drone3": "a", "gcs4": "b", "drone7": "c", "gcs5": "d", "gcs6": "e"}

    def setUp(self):
        super().setUp()
        self.path = self.net.folder / "routes.yaml"
        self.net.end("server")
        self.path.write_text(ROUTES.format(address=self.addresses[0], state=self.net.folder / "server", mavlink=MAVLINK,
                                           video=VIDEO, swarm=SWARM, counting=COUNTING, extra=EXTRA))
        self.net.write_routes = lambda: None  # the file is this test's
        self.net.start_server()

    def flow(self, client, name):
        status = self.net.status(client) or {"flows": []}
        return next((f for f in status["flows"] if f["name"] == name), None)

    def wait_extra(self, port):
        wait_until(f"extra is on {port}", lambda: (self.flow("gcs6", "extra") or {}).get("port") == port, 3)

    def curl(self, *arguments):
        """A request to the server's REST API; status and body."""
        done = self.lab.run("srv", ["curl", "-sS", "-w", "\n%{http_code}", *arguments], timeout=10)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body) if body else None

    def streams(self):
        """What must not lose a packet: drone3 to gcs4, and between the drones, which also have mavlink and video."""
        streams = [Counting(self.lab, 500, "a", "b", COUNTING), Counting(self.lab, 500, "a", "c", SWARM),
                   Counting(self.lab, 200, "b", "a", MAVLINK)]
        for stream in streams:
            self.addCleanup(stream.stop)
            stream.wait_for_more(5)
        return streams

    def assert_nothing_lost(self, streams):
        lost = [stream.lost() for stream in streams]
        if any(lost):
            counters = self.curl("http://127.0.0.1:7780/v1/status")[1]["counters"]
            drops = {c: {f["name"]: f["drops"] for f in (self.net.status(c) or {"flows": []})["flows"]} for c in self.where}
            gaps = [f"{len(one)} from {one[0]} to {one[-1]}" if one else "none" for one in lost]
            self.fail(f"lost {gaps}; the server counts {counters}; the clients {drops}")

    def test_everybody_hears_whom_the_routes_name(self):
        self.fly()
        video = Video(self, ("b", "d", "e"))
        drones = {"drone3": MavlinkEnd(self, "a", "drone", 3), "drone7": MavlinkEnd(self, "c", "drone", 7)}
        stations = {f"gcs{n}": MavlinkEnd(self, self.where[f"gcs{n}"], "station", 240 + n) for n in (4, 5, 6)}
        for end in (*drones.values(), *stations.values()):
            end.say("go")
        for name, station in stations.items():
            wait_until(f"{name} hears both drones", lambda: station.report()["systems"] == [3, 7], 10)
        for name, drone in drones.items():
            wait_until(f"{name} hears all stations", lambda: drone.report()["systems"] == [244, 245, 246], 10)
        wait_until("every frame at all three", lambda: video.decoded() == FRAMES, 30)
        spread = self.flow("drone3", "video")["fanout"]
        self.assertEqual(spread, {"uploads": 1, "grouped": 3, "alone": 0}, "one upload for three")
        for end in (*drones.values(), *stations.values()):
            end.say("quiet")
        for end in stations.values():
            self.assertEqual(end.report()["systems"], [3, 7], "a station hears no station")
        for end in drones.values():
            self.assertEqual(end.report()["systems"], [244, 245, 246], "a drone hears no drone")
        for end in (*drones.values(), *stations.values()):
            report = end.report()
            self.assertEqual((report["gaps"], report["altered"]), (0, 0))

    def test_an_application_answers_one_of_several_drones(self):
        self.fly()
        ports = dict(wait_until("both addresses", lambda: (f := (self.flow("gcs4", "mavlink") or {}).get("peer_ports"))
                                and len(f) == 2 and f, 5))
        script = ("import socket,sys; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5);"
                  f"s.bind(('127.0.0.1', {MAVLINK})); print('ready', flush=True); print(*s.recvfrom(99), flush=True)")
        ends = {}
        for client in ("drone3", "drone7", "gcs4"):
            ends[client] = self.lab.popen(self.where[client], [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
            self.addCleanup(ends[client].communicate)
            self.addCleanup(ends[client].kill)
            self.assertEqual(ends[client].stdout.readline(), "ready\n")
        send = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(%r, (%r, %d))"
        address, port = ports["drone7"].split(":")
        self.lab.run("b", [sys.executable, "-c", send % (b"only you", address, int(port))])
        self.assertIn("only you", ends["drone7"].stdout.readline())
        self.lab.run("c", [sys.executable, "-c", send % (b"yes", "127.1.0.1", MAVLINK)])
        self.assertIn(f"yes' ('{address}', {port})", ends["gcs4"].stdout.readline())
        self.lab.run("b", [sys.executable, "-c", send % (b"both", "127.1.0.1", MAVLINK)])
        self.assertIn("both", ends["drone3"].stdout.readline(), "the first that drone3 hears")

    def test_the_file_changes_under_traffic(self):
        self.fly()
        streams = self.streams()
        text = self.path.read_text()
        port = EXTRA

        def change(what, command):
            """Lets `command` write another port of the flow `extra` into the file, and waits for it at gcs6."""
            nonlocal port, text
            before, port = str(port), port + 1
            text = text.replace(f"port: {before}", f"port: {port}")
            done = self.lab.run("srv", command(before, str(port)), timeout=10)
            self.assertEqual(done.returncode, 0, f"{what}: {done.stdout}")
            self.assertEqual(self.path.read_text(), text)
            self.wait_extra(port)

        folder = self.path.parent
        change("vim", lambda old, new: f"vim.tiny -es -u NONE -c '%s/port: {old}/port: {new}/' -c wq {self.path} </dev/null")
        change("sed -i", lambda old, new: f"sed -i 's/port: {old}/port: {new}/' {self.path}")
        change("cp", lambda old, new: f"sed 's/port: {old}/port: {new}/' {self.path} > {folder}/copy && cp {folder}/copy {self.path}")
        change("in place", lambda old, new: f"sed 's/port: {old}/port: {new}/' {self.path} > {folder}/copy && cat {folder}/copy > {self.path}")
        # As Kubernetes does: the file is a link into a directory that is itself a link, which is swapped.
        change("a symbolic link", lambda old, new: (
            f"cd {folder} && mkdir v1 && sed 's/port: {old}/port: {new}/' routes.yaml > v1/routes.yaml && ln -s v1 ..data && "
            "ln -s ..data/routes.yaml link && mv -T link routes.yaml"))
        change("a swapped link", lambda old, new: (
            f"cd {folder} && mkdir v2 && sed 's/port: {old}/port: {new}/' v1/routes.yaml > v2/routes.yaml && ln -s v2 ..next && "
            "mv -T ..next ..data"))
        self.assert_nothing_lost(streams)

    def test_curl_adds_and_removes_a_station_under_traffic(self):
        self.fly()
        streams = self.streams()
        before = self.path.read_text()
        members = "http://127.0.0.1:7780/v1/flows/counting/members"
        for _ in range(3):
            status, _ = self.curl("-X", "POST", "-H", "Content-Type: application/json", "-d", '{"id":"gcs5","side":"to"}', members)
            self.assertEqual(status, 201)
            wait_until("gcs5 has the flow", lambda: self.flow("gcs5", "counting"), 2)
            changed = self.path.read_text()
            self.assertEqual([line for line in changed.splitlines() if line not in before.splitlines()],
                             ["    to: [gcs4, gcs5]                     # gcs5 comes and goes"])
            status, _ = self.curl("-X", "DELETE", members + "/gcs5")
            self.assertEqual(status, 204)
            wait_until("gcs5 has it no more", lambda: not self.flow("gcs5", "counting"), 2)
            self.assertEqual(self.path.read_text(), before, "byte for byte")
        self.assert_nothing_lost(streams)

    def test_a_broken_file_disturbs_nothing_and_is_reported(self):
        self.fly()
        streams = self.streams()
        good = self.path.read_text()
        self.path.write_text(good.replace("from: drone7", "from: drone9"))
        status = wait_until("the error is in the status", lambda: (s := self.curl("http://127.0.0.1:7780/v1/status")[1])
                            ["config"]["errors"] and s["config"], 3)
        self.assertIn('no client or group "drone9"', status["errors"][0])
        code, answer = self.curl("-X", "PATCH", "-H", "Content-Type: application/json", "-d", '{"port":9999}',
                                 "http://127.0.0.1:7780/v1/flows/extra")
        self.assertEqual(code, 409, answer)
        self.path.write_text(good.replace(f"port: {EXTRA}", f"port: {EXTRA + 1}"))
        self.wait_extra(EXTRA + 1)
        # The status may be 100 ms old (docs/rest.md).
        wait_until("no error any more", lambda: not self.curl("http://127.0.0.1:7780/v1/status")[1]["config"]["errors"], 3)
        # A file cut short that is still valid: held until somebody says that it is meant.
        self.path.write_text(good[:good.index("groups:")].replace(", gcs5: {}, gcs6: {}", "") + "flows: {}\n")
        held = wait_until("held", lambda: self.curl("http://127.0.0.1:7780/v1/status")[1]["config"]["held"], 3)
        self.assertIn("2 of 5 clients", held)
        self.path.write_text(good)
        wait_until("no longer held", lambda: not self.curl("http://127.0.0.1:7780/v1/status")[1]["config"]["held"], 3)
        self.assert_nothing_lost(streams)

    def test_a_station_joins_and_leaves_by_itself(self):
        self.fly()
        stream = Counting(self.lab, 200, "a", "e", COUNTING)
        self.addCleanup(stream.stop)
        before = self.path.read_text()
        listed = self.net.run("gcs6", "flow", "list").stdout
        self.assertRegex(listed, r"counting +udp 9000 +- +to +-")
        self.assertEqual(self.net.run("gcs6", "flow", "join", "counting").returncode, 0)
        stream.wait_for_more(2)
        self.assertIn("to: [gcs4, gcs6]", self.path.read_text())
        self.assertEqual(self.net.run("gcs6", "flow", "leave", "counting").returncode, 0)
        wait_until("gone", lambda: not self.flow("gcs6", "counting"), 2)
        self.assertEqual(self.path.read_text(), before)
        refused = self.net.run("gcs5", "flow", "join", "counting")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("routes.yaml lets this client join no side of counting", refused.stdout)
