"""The applications of congestion.py: who sends, who receives, each a process in its namespace."""
import json
import os
import select
import socket
import struct
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "config", "examples", "adaptive-video"))
import bitrate  # noqa: E402

STAMP = struct.Struct("<Qd")  # number, when it was sent
LATE_S = 3.0                  # what may still be in a queue of a second


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class Source:
    """One stream of packets: at a rate, at so many a second, or as bitrate.py has it."""

    def __init__(self, spec, begin, bind):
        self.port, self.size = spec["port"], spec["size"]
        self.start, self.end = begin + spec.get("from", 0), begin + spec.get("until", 1e9)
        self.rate = spec.get("rate") or 8 * self.size * spec.get("pps", 0)
        low_high_first = spec.get("adaptive")
        self.control = bitrate.BitrateControl(spec["flow"], *low_high_first) if low_high_first else None
        self.due, self.to = self.start, (bind, self.port)

    def tick(self, now):
        if self.control:
            self.rate = self.control.on_tick(now)

    def send_due(self, out, sent, now):
        while self.due <= min(now, self.end):
            number = sent[self.port] = sent.get(self.port, 0) + 1
            out.sendto(STAMP.pack(number, now).ljust(self.size, b"x"), self.to)
            self.due += 8 * self.size / self.rate


def state_of(bind):
    """The link in use, or nothing."""
    try:
        with urllib.request.urlopen(f"http://{bind}:7781/v1/congestion", timeout=0.5) as answer:
            links = json.load(answer)["links"]
    except OSError:
        return None
    return max(links, key=lambda link: link["sent_bps"], default=None)


def send(order):
    events_in = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    events_in.bind(("127.0.0.1", order["notify"]))
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    begin = time.monotonic()
    sources = [Source(spec, begin, order["bind"]) for spec in order["flows"]]
    sent, events, states, polled = {}, [], [], begin
    while (now := time.monotonic()) < begin + order["seconds"]:
        for source in sources:
            source.tick(now)
            source.send_due(out, sent, now)
        if now >= polled:
            polled += 0.25
            states.append((now - begin, state_of(order["bind"])))
        if select.select([events_in], [], [], 0.002)[0]:
            event = bitrate.parse_line(events_in.recv(65536))
            events.append((time.monotonic() - begin, event))
            for source in sources:
                if source.control and event:
                    source.control.on_event(event, time.monotonic())
    json.dump({"sent": sent, "events": events, "states": states}, sys.stdout)


def receive(order):
    begin, packets, sockets = time.monotonic(), [], {}
    for port in {spec["port"] for spec in order["flows"]}:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        one.bind(("127.0.0.1", port))
        sockets[one] = port
    while time.monotonic() < begin + order["seconds"] + LATE_S:
        for one in select.select(list(sockets), [], [], 0.1)[0]:
            data = one.recv(65536)
            packets.append((sockets[one], *STAMP.unpack_from(data), time.monotonic(), len(data)))
    json.dump({"begin": begin, "packets": packets}, sys.stdout)
