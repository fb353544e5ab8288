#!/usr/bin/env python3
"""Sends video whose bitrate follows the link.

    wormhole client --id drone3 --notify 127.0.0.1:9100
    adaptive_video.py --flow video --to 127.1.0.1:5600 --notify 9100 --max 8M

Debian: apt install python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gir1.2-gst-plugins-base-1.0
"""
import argparse
import socket
import sys
import time

import bitrate

PIPELINE = ("{source} ! videoconvert ! video/x-raw,format=I420 ! "
            "x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=120 bitrate={kbit} "
            "vbv-buf-capacity=200 ! rtph264pay config-interval=1 mtu=1200 ! "
            "udpsink host={host} port={port} sync=false")
TEST_PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1"
TICK_MS = 100


def rate(text):
    factor = {"k": 1e3, "M": 1e6}.get(text[-1:], None)
    return float(text[:-1]) * factor if factor else float(text)


def arguments():
    p = argparse.ArgumentParser(description="Sends video whose bitrate follows the link.")
    p.add_argument("--flow", default="video", help="the flow's name in routes.yaml")
    p.add_argument("--to", default="127.1.0.1:5600", help="the flow's port on this machine")
    p.add_argument("--notify", type=int, default=9100, help="the port of `wormhole client --notify`")
    p.add_argument("--min", type=rate, default=rate("150k"), help="lowest bitrate")
    p.add_argument("--max", type=rate, default=rate("8M"), help="highest bitrate")
    p.add_argument("--start", type=rate, help="first bitrate")
    p.add_argument("--source", default=TEST_PICTURE, help="GStreamer elements in front of the encoder: v4l2src …")
    p.add_argument("--seconds", type=float, help="ends after so long")
    return p.parse_args()


def main():
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstVideo", "1.0")
    from gi.repository import GLib, Gst, GstVideo
    args = arguments()
    Gst.init(None)
    host, port = args.to.rsplit(":", 1)
    control = bitrate.BitrateControl(args.flow, args.min, args.max, args.start)
    pipeline = Gst.parse_launch(PIPELINE.format(source=args.source, kbit=int(control.rate / 1000), host=host, port=port))
    encoder = pipeline.get_by_name("encoder")
    events = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    events.bind(("127.0.0.1", args.notify))
    events.setblocking(False)
    loop = GLib.MainLoop()

    def on_events(*_):
        while True:
            try:
                event = bitrate.parse_line(events.recv(65536))
            except BlockingIOError:
                return True
            if event and control.on_event(event, time.monotonic()):
                # Downstream of the encoder nobody can ask for one: the receiver is beyond the tunnel.
                encoder.get_static_pad("src").send_event(
                    GstVideo.video_event_new_upstream_force_key_unit(Gst.CLOCK_TIME_NONE, True, 0))
                print("path switched: keyframe", flush=True)

    def on_tick():
        kbit = max(1, int(control.on_tick(time.monotonic()) / 1000))
        if abs(kbit - encoder.get_property("bitrate")) > 0.02 * kbit:
            encoder.set_property("bitrate", kbit)  # x264 takes it while it runs
            print(f"{control.state}: {kbit} kbit/s", flush=True)
        return True

    def on_message(_, message):
        if message.type == Gst.MessageType.ERROR:
            print(message.parse_error()[0].message, file=sys.stderr)
            failed.append(True)
            loop.quit()

    failed = []
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    GLib.io_add_watch(events.fileno(), GLib.IO_IN, on_events)
    GLib.timeout_add(TICK_MS, on_tick)
    if args.seconds:
        GLib.timeout_add(int(args.seconds * 1000), loop.quit)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass
    pipeline.set_state(Gst.State.NULL)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
