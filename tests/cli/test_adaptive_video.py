"""The rule of config/examples/adaptive-video, without GStreamer; and the sender itself where that is installed."""
import importlib.util
import os
import pathlib
import socket
import subprocess
import sys
import unittest

from harness import free_port, wait_until

HERE = pathlib.Path(__file__).resolve().parents[2] / "config" / "examples" / "adaptive-video"
spec = importlib.util.spec_from_file_location("bitrate", HERE / "bitrate.py")
bitrate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bitrate)


def flow(state, capacity=0, name="video"):
    return {"event": "flow", "flow": name, "state": state, "capacity_bps": capacity, "delivered_bps": 900e3}


class Rule(unittest.TestCase):
    def setUp(self):
        self.control = bitrate.BitrateControl("video", 150e3, 8e6, start=4e6)

    def run_for(self, begin, seconds):
        for i in range(int(seconds * 10) + 1):
            self.control.on_tick(begin + i / 10)
        return self.control.rate

    def test_a_limit_cuts_to_a_share_of_the_capacity(self):
        self.control.on_event(flow("limit", 3e6), 0)
        self.assertAlmostEqual(self.control.rate, 0.8 * 3e6)

    def test_without_a_capacity_what_arrives_counts(self):
        self.control.on_event(flow("limit"), 0)
        self.assertAlmostEqual(self.control.rate, 0.8 * 900e3)

    def test_it_cuts_once_in_half_a_second_and_then_without_another_line(self):
        self.control.on_event(flow("limit", 3e6), 0)
        self.control.on_event(flow("limit", 2e6), 0.4)
        self.assertAlmostEqual(self.run_for(0.4, 0), 0.8 * 3e6)
        self.assertAlmostEqual(self.run_for(0.5, 0), 0.8 * 2e6)

    def test_a_capacity_above_the_rate_does_not_raise_it_at_once(self):
        self.control.on_event(flow("limit", 7e6), 0)
        self.assertAlmostEqual(self.control.rate, 4e6)

    def test_at_the_limit_it_rises_to_its_share_and_no_further(self):
        self.control.on_event(flow("limit", 1e6), 0)
        self.control.on_event(flow("limit", 2e6), 1)
        self.assertAlmostEqual(self.run_for(0, 1) / 0.8e6, 1.2, places=2)
        self.assertAlmostEqual(self.run_for(1.1, 20), 0.8 * 2e6)

    def test_near_the_capacity_it_rises_by_steps_and_beyond_it_quickly_to_the_highest(self):
        self.control.on_event(flow("limit", 1e6), 0)
        self.control.on_event(flow("clear"), 0.1)
        self.run_for(0.1, 0)
        self.assertAlmostEqual(self.run_for(0.1, 2), 0.8e6 + 2 * 80e3)
        self.run_for(2.2, 2)
        begin = self.control.rate
        self.assertGreater(begin, 1.05e6)
        self.assertAlmostEqual(self.run_for(4.2, 3) / begin, 1.2 ** 3, places=2)
        self.assertEqual(self.run_for(7.3, 100), 8e6)

    def test_a_step_is_a_share_of_high_rates(self):
        self.control.on_event(flow("limit", 8e6), 0)
        self.control.on_event(flow("clear"), 0)
        self.run_for(0, 20)
        self.control.rate = 6.5e6
        self.assertAlmostEqual(self.run_for(20, 1), 6.5e6 * 1.02, delta=2e3)

    def test_it_never_leaves_its_bounds(self):
        self.control.on_event(flow("limit", 10e3), 0)
        self.assertEqual(self.control.rate, 150e3)

    def test_no_rise_beyond_the_share_at_the_limit_until_nothing_is_heard(self):
        self.control.on_event(flow("limit", 1e6), 0)
        self.assertAlmostEqual(self.run_for(0, 29), 0.8e6)
        self.assertGreater(self.run_for(29, 5), 0.8e6)

    def test_its_model_in_the_simulator_says_the_same(self):
        path = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "bitrate.txt"
        control, lines = None, [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
        for time, state, capacity, rate in lines:
            if state == "begin":
                control = bitrate.BitrateControl("video", 150e3, 4e6, start=float(rate))
            elif state == "tick":
                self.assertAlmostEqual(control.on_tick(float(time)), float(rate), delta=1, msg=time)
            else:
                control.on_event(flow(state, float(capacity)), float(time))
        self.assertGreater(len(lines), 100)

    def test_loss_without_a_queue_is_no_reason_to_go_down(self):
        self.control.on_event(flow("lossy", 3e6), 0)
        self.assertAlmostEqual(self.control.rate, 4e6)

    def test_other_flows_and_links_do_not_count(self):
        self.control.on_event(flow("limit", 1e6, name="lidar"), 0)
        self.control.on_event({"event": "link", "peer": "gcs4", "state": "limit", "capacity_bps": 1e6}, 0)
        self.assertAlmostEqual(self.control.rate, 4e6)

    def test_a_keyframe_when_a_path_switches(self):
        self.assertTrue(self.control.on_event({"event": "path", "path": "direct", "before": "relay"}, 0))
        self.assertFalse(self.control.on_event({"event": "path", "path": "none", "before": "relay"}, 0))
        self.assertFalse(self.control.on_event(flow("limit", 1e6), 0))

    def test_lines_that_are_none(self):
        for data in (b"", b"{", b"[]", b"1", b"\xff"):
            self.assertIsNone(bitrate.parse_line(data), data)
        self.assertEqual(bitrate.parse_line(b'{"event":"flow"}\n'), {"event": "flow"})


def python_with_gstreamer():
    """This Python, or the system's, which Debian's packages are for; None without them."""
    probe = ("import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstVideo', '1.0'); "
             "from gi.repository import Gst, GstVideo; Gst.init(None); "
             "assert all(Gst.ElementFactory.find(n) for n in ('x264enc', 'rtph264pay', 'udpsink', 'videotestsrc'))")
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run([python, "-c", probe], capture_output=True).returncode == 0:
            return python
    return None


class Sender(unittest.TestCase):
    def test_video_flows_and_follows_the_lines(self):
        python = python_with_gstreamer()
        if not python:
            self.skipTest("GStreamer's Python bindings or plugins are not installed")
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(receiver.close)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        notify = free_port(socket.SOCK_DGRAM)
        sender = subprocess.Popen(
            [python, str(HERE / "adaptive_video.py"), "--to", f"127.0.0.1:{receiver.getsockname()[1]}",
             "--notify", str(notify), "--start", "2M", "--max", "4M"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(sender.stdout.close)
        self.addCleanup(sender.wait)
        self.addCleanup(sender.kill)
        self.assertTrue(receiver.recv(2048))
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(out.close)
        out.sendto(b'{"event":"flow","flow":"video","state":"limit","capacity_bps":1000000}\n', ("127.0.0.1", notify))
        out.sendto(b'{"event":"path","peer":"gcs4","path":"direct","before":"relay"}\n', ("127.0.0.1", notify))
        seen = []
        wait_until(lambda: seen.append(sender.stdout.readline().decode()) or
                   (any(line.startswith("limit: 800 kbit/s") for line in seen) and
                    any("keyframe" in line for line in seen)), f"the rate and a keyframe: {seen}")


if __name__ == "__main__":
    unittest.main()
