"""Real binaries through the relay: real media, real MAVLink, real load, and what goes wrong in the field."""
import json
import pathlib
import signal
import subprocess
import sys
import time

from flight import LOAD, LOAD_APP, VIDEO, Flight
from natlab import SRV_IPS
from support.network import wait_until

HERE = pathlib.Path(__file__).resolve().parent
FRAMES = 300
REFUSED, REPLACED = 4, 5  # docs/cli.md


def mavlink_library():
    """node-mavlink, fetched once by npm."""
    folder = HERE / "mavlink"
    if not (folder / "node_modules" / "node-mavlink").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, timeout=200)
    return folder / "end.mjs"


class Video:
    """An H.264 camera in a, decoders elsewhere that say each frame."""

    def __init__(self, test, receivers=("b",)):
        self.logs = {where: test.net.folder / f"decoder-{where}.log" for where in receivers}
        self.decoders = [self.decode(test, where) for where in receivers]
        test.addCleanup(self.stop)
        for where in receivers:
            wait_until("the decoder listens", lambda: f"127.0.0.1:{VIDEO}" in test.lab.run(where, "ss -Hunl").stdout)
        self.camera = test.lab.popen("a", (
            f"exec gst-launch-1.0 -q videotestsrc num-buffers={FRAMES} is-live=true ! "
            "video/x-raw,width=1280,height=720,framerate=30/1 ! "
            "x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 key-int-max=30 ! "
            f"rtph264pay mtu=1200 config-interval=1 pt=96 ! udpsink host=127.1.0.1 port={VIDEO}"))

    def decode(self, test, where):
        caps = "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000"
        with open(self.logs[where], "w") as log:
            return test.lab.popen(where, (
                f"exec gst-launch-1.0 -v udpsrc address=127.0.0.1 port={VIDEO} buffer-size=4194304 caps={caps} ! rtph264depay ! "
                "h264parse ! avdec_h264 max-threads=1 ! fakesink silent=false sync=false"), stdout=log, stderr=log)

    def decoded(self):
        """Frames at the decoder that has the fewest."""
        return min(log.read_text(errors="replace").count("chain   *******") for log in self.logs.values())

    def stop(self):
        for process in (self.camera, *self.decoders):
            process.kill()
            process.wait()


class MavlinkEnd:
    """One end of tests/lab/mavlink/end.mjs."""

    def __init__(self, test, where, role, *system):
        self.process = test.lab.popen(where, ["node", str(mavlink_library()), role, *map(str, system)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.stop)
        assert self.process.stdout.readline() == "ready\n"

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def report(self):
        self.say("report")
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.communicate()


class RealInput(Flight):
    """What the applications of a flight send arrives whole."""

    def test_every_frame_of_a_720p_stream_is_decoded(self):
        self.fly()
        video = Video(self)
        wait_until("every frame decoded", lambda: video.decoded() == FRAMES, 30)

    def test_mavlink_both_ways_with_a_parameter_download(self):
        self.fly()
        drone, station = MavlinkEnd(self, "a", "drone"), MavlinkEnd(self, "b", "station")
        for line, end in (("go", drone), ("go", station), ("params", station)):
            end.say(line)
        wait_until("all parameters", lambda: station.report()["parameters"] == 400, 15)
        wait_until("twenty heartbeats", lambda: min(station.report()["heartbeats"], drone.report()["heartbeats"]) >= 20, 10)
        for end in (drone, station):
            end.say("quiet")
        for sender, receiver in ((drone, station), (station, drone)):
            sent = sender.report()["sent"]
            report = wait_until("every frame", lambda: (r := receiver.report())["received"] == sent and r, 5)
            self.assertEqual((report["gaps"], report["altered"]), (0, 0))

    def test_iperf3_udp(self):
        """iperf3 needs a TCP connection beside its UDP, which no flow carries: that goes over a wire of its own, and the
        UDP to the same address is turned into the flow's port."""
        self.fly()
        a, b = self.lab.ns("a"), self.lab.ns("b")
        for command in (f"ip link add side0 netns {a} type veth peer name side0 netns {b}",
                        f"ip -n {a} addr add 10.99.0.1/30 dev side0", f"ip -n {b} addr add 10.99.0.2/30 dev side0",
                        f"ip -n {a} link set side0 up", f"ip -n {b} link set side0 up"):
            subprocess.run(command.split(), check=True)
        self.lab.nft(a, f"""table ip side {{
 chain out {{ type nat hook output priority -100; policy accept;
  ip daddr 10.99.0.2 udp dport {LOAD_APP} dnat to 127.1.0.1:{LOAD}
 }}
 chain post {{ type nat hook postrouting priority 100; policy accept;
  oifname "lo" ip saddr 10.99.0.1 snat to 127.0.0.1
 }}
}}
""")
        self.lab.run("a", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet")
        self.net.spawn("iperf3-server", self.net.prefix("gcs4") + ["iperf3", "-s", "-1", "-p", str(LOAD_APP)])
        wait_until("iperf3 listens", lambda: f":{LOAD_APP}" in self.lab.run("b", "ss -Htnl").stdout)
        done = self.lab.run("a", ["iperf3", "-u", "-c", "10.99.0.2", "-p", str(LOAD_APP), "-l", "1200", "-b", "10M", "-t", "3", "-J"],
                            timeout=30)
        end = json.loads(done.stdout)["end"]["sum"]
        self.assertGreater(end["packets"], 3000)
        self.assertEqual(end["lost_packets"], 0)
        flow = next(f for f in self.net.status("drone3")["flows"] if f["name"] == "load")
        self.assertGreaterEqual(flow["tx"]["packets"], end["packets"], "it went beside the flow")


class RelayOutages(Flight):
    """What breaks under the relay is mended. A direct path would not feel it."""

    addresses = SRV_IPS[:2]
    client = {"p2p": "off"}

    def test_killed_server_comes_back_and_flows_go_on_within_two_seconds(self):
        self.fly()
        stream = self.count()
        for _ in range(3):
            self.net.end("server", signal.SIGKILL)
            self.net.start_server()
            self.assertLess(stream.wait_for_more(2.0), 2.0)

    def test_second_address_takes_over_within_a_second(self):
        self.fly()
        stream = self.count()
        address = self.net.status("drone3")["server"]["address"].rsplit(":", 1)[0]
        self.lab.nft(self.lab.ns("srv"), f"""table ip dead {{
 chain a {{ type filter hook prerouting priority -300; ip daddr {address} drop; }}
 chain b {{ type filter hook output priority -300; ip saddr {address} drop; }}
}}
""")
        self.assertLess(stream.wait_for_more(1.0, "datagrams by the second address"), 1.0)
        other = wait_until("the other address in status", lambda: (s := self.net.connected("drone3")) and s["server"]["address"], 5)
        self.assertNotIn(address, other)


class Removal(Flight):
    """Who is taken out of routes.yaml is out, also where a direct path would carry on."""

    def test_removed_id_is_cut_off_within_a_second(self):
        self.fly()
        stream = self.count()
        wait_until("the path is direct", lambda: self.net.status("drone3")["peers"][0]["path"] == "direct", 15)
        # So many that one is less than a quarter of them: that needs no confirmation.
        self.net.routes["clients"].update({f"spare{n}": {} for n in range(4)})
        self.net.write_routes()
        wait_until("the spare clients are in force", lambda: "6 clients" in self.net.log("server"), 5)
        del self.net.routes["clients"]["drone3"]
        self.net.routes["flows"] = {}
        self.net.write_routes()
        start = time.monotonic()
        self.assertEqual(self.wait_exit("drone3", 1.0), REFUSED)
        self.assertLess(time.monotonic() - start, 1.0)
        # What was under way has arrived by now; nothing that was sent later does.
        quiet = len(stream.arrived)
        wait_until("gcs4 has no peer", lambda: not (self.net.status("gcs4") or {}).get("peers"), 5)
        self.assertEqual(len(stream.arrived), quiet)
        self.assertIn("drone3", self.net.log("drone3"))


class Refusals(Flight):
    """Who may not come in is told why, and strangers are told nothing."""

    def test_newer_process_replaces_the_older(self):
        self.fly()
        self.net.start_client("drone3", "127.1.0.9", "drone3-newer")
        self.assertEqual(self.wait_exit("drone3"), REPLACED)
        wait_until("the newer one is connected", lambda: self.net.connected("drone3-newer"))

    def test_used_cut_and_forged_codes(self):
        code = self.net.invite("drone3")
        self.net.enrol("drone3", code)
        used = self.net.run("drone3", "enroll", "--state-dir", self.net.folder / "again", stdin=code, timeout=30)
        self.assertEqual(used.returncode, REFUSED, used.stdout)
        self.assertIn("used", used.stdout)
        cut = self.net.run("drone3", "enroll", "--state-dir", self.net.folder / "cut", stdin=code[:-20])
        self.assertEqual(cut.returncode, 2, cut.stdout)
        self.assertEqual(len(cut.stdout.strip().splitlines()), 1, cut.stdout)

    def test_unknown_id_is_refused(self):
        self.net.enrol("drone3")
        del self.net.routes["clients"]["drone3"]
        self.net.routes["flows"] = {}
        self.net.write_routes()
        self.net.end("server")
        self.net.start_server()
        self.net.start_client("drone3")
        self.assertEqual(self.wait_exit("drone3"), REFUSED)
        self.assertIn("drone3", self.net.log("drone3"))

    def test_replaced_key_is_refused(self):
        self.net.enrol("drone3")
        second = self.net.run("gcs4", "enroll", "--state-dir", self.net.folder / "elsewhere", stdin=self.net.invite("drone3"))
        self.assertEqual(second.returncode, 0, second.stdout)
        self.net.start_client("drone3")
        self.assertEqual(self.wait_exit("drone3"), REFUSED)

    def test_strangers_get_no_answer(self):
        self.fly()
        stream = self.count()
        shout = f"""
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("{SRV_IPS[0]}", 7700))
for kind in (0, 1, 2, 3, 0x10, 0x11, 0x12, 0xff):
    for size in (1, 4, 12, 64, 99, 100, 191, 192, 193, 1200, 1472):
        s.send((bytes([kind, 1, 0, 0]) + os.urandom(1500))[:size])
s.settimeout(1.0)
try: print("answered", len(s.recv(2000)))
except TimeoutError: print("silence")
"""
        self.assertEqual(self.lab.run("a", [sys.executable, "-c", shout]).stdout, "silence\n")
        stream.wait_for_more(1.0)


