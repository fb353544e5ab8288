"""Who hears of links: --notify, --on-congestion and the events of the API, with a real server and clients."""
import json
import socket
import unittest
import urllib.request

from harness import OK, USAGE, CliTest, Running, wait_until


class Options(CliTest):
    """Each mistake is one sentence with the way out, before anything is started."""

    def client(self, *more):
        return ("client", "--id", "drone3", "--state-dir", self.dir, *more)

    def test_an_address_that_is_none(self):
        for text in ("9100", "127.0.0.1", "127.0.0.1:0", "localhost:9100", "127.0.0.1:99999"):
            self.fails(USAGE, f"--notify {text} is not ADDRESS:PORT: give one like 127.0.0.1:9100",
                       *self.client("--notify", text))

    def test_another_machine_is_allowed_by_name_alone(self):
        self.fails(USAGE, "allow it with --deliver-anywhere", *self.client("--notify", "192.0.2.1:9100"))
        result = self.wormhole(*self.client("--notify", "192.0.2.1:9100", "--deliver-anywhere"))
        self.assertIn("is not drone3 yet", result.stderr)  # the next obstacle

    def test_too_many(self):
        more = [word for n in range(9) for word in ("--notify", f"127.0.0.1:{9100 + n}")]
        self.fails(USAGE, "at most 8", *self.client(*more))

    def test_commands_that_cannot_be_run(self):
        for command, why in (("sh -c 'x", "close the quotes"), ("no-such-program-here", "there is no program"),
                             ("/etc/passwd", "chmod +x"), ("''", "is empty")):
            self.fails(USAGE, why, *self.client("--on-congestion", command))


class Outlets(Running):
    def test_a_path_is_told_to_all(self):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(20)
        self.start_server()
        for name in self.BINDS:
            self.enroll(name)
        out = self.path("hook.txt")
        self.start_client("drone3", more=("--notify", f"127.0.0.1:{listener.getsockname()[1]}",
                                          "--on-congestion", f"sh -c 'echo $WORMHOLE_EVENT $WORMHOLE_PEER $WORMHOLE_PATH >> {out}'"))
        wait_until(lambda: self.status("drone3"), "the API")
        base = f"http://{self.BINDS['drone3']}:7781/v1/congestion"
        events = urllib.request.urlopen(base + "/events", timeout=20)
        self.addCleanup(events.close)
        self.assertEqual(events.headers["Content-Type"], "text/event-stream")
        self.start_client("gcs4")
        line = json.loads(listener.recv(2048))
        self.assertEqual((line["event"], line["peer"], line["before"]), ("path", "gcs4", "none"))
        self.assertIn(line["path"], ("relay", "direct"))
        self.assertEqual(events.readline(), b"event: path\n")
        self.assertEqual(json.loads(events.readline()[len(b"data: "):]), line)
        wait_until(lambda: self.hook_runs() >= 1, "the hook has run")
        with open(out) as file:
            self.assertIn("path gcs4 ", file.read())
        with urllib.request.urlopen(base, timeout=20) as answer:
            self.assertEqual(json.load(answer)["id"], "drone3")
        told = self.status("drone3")["congestion_events"]
        self.assertGreaterEqual(told["notify"][0]["sent"], 1)
        self.assertEqual((told["listeners"]["now"], told["hook"]["failures"]), (1, 0))
        table = self.wormhole("status", "--bind", self.BINDS["drone3"])
        self.assertEqual(table.returncode, OK)
        self.assertIn("events to 127.0.0.1:", table.stdout)
        self.assertIn("on congestion: sh -c", table.stdout)

    def hook_runs(self):
        hook = self.status("drone3")["congestion_events"]["hook"]
        return hook["runs"] if hook["outcome"] else 0


if __name__ == "__main__":
    unittest.main()
