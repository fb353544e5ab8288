#!/usr/bin/env python3
"""The applications of the quickstart, as drone and ground station: sends, receives and checks.

    quickstart_traffic.py [--seconds N]

A drone's camera sends RTP to its client (127.1.0.1:5600), the ground station's player listens where its
client delivers (127.0.0.1:5601). Both sides' autopilot and ground software speak MAVLink 2 with their own
client's port 14550. Each datagram that arrives is checked byte for byte. Without --seconds it runs
until interrupted. Exit 0 when everything that was sent arrived unaltered, within the allowance below.
"""
import argparse
import json
import math
import selectors
import signal
import socket
import struct
import sys
import time
import urllib.request

DRONE, STATION = "127.1.0.1", "127.1.0.2"
VIDEO_PORT, PLAYER, MAVLINK_PORT, API_PORT = 5600, ("127.0.0.1", 5601), 14550, 7781
FPS, PACKETS_PER_FRAME, PACKET_BYTES = 30, 10, 1200  # 2.9 Mbit/s: a small camera
TELEMETRY_HZ = 20
# Loopback drops nothing unless the machine is so busy that a receive buffer runs over.
ALLOWED_LOSS = 0.01
DRAIN_S = 0.5  # after the last packet; the way takes well under a millisecond

HEARTBEAT, ATTITUDE = 0, 30
CRC_EXTRA = {HEARTBEAT: 50, ATTITUDE: 39}  # from MAVLink's common.xml


def rtp_packet(sequence):
    """An RTP packet (RFC 3550 §5.1) whose payload follows from its sequence number."""
    frame, part = divmod(sequence, PACKETS_PER_FRAME)
    marker = 0x80 if part == PACKETS_PER_FRAME - 1 else 0
    stamp = frame * (90000 // FPS) & 0xFFFFFFFF
    header = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xFFFF, stamp, 0x64726F6E)
    return header + struct.pack(">Q", sequence) + bytes([sequence * 31 & 0xFF]) * (PACKET_BYTES - 20)


def rtp_sequence(packet):
    """The number of the packet that this one is, or None when a byte differs."""
    if len(packet) != PACKET_BYTES:
        return None
    sequence = struct.unpack_from(">Q", packet, 12)[0]
    return sequence if packet == rtp_packet(sequence) else None


def mavlink_crc(data):
    """CRC-16/MCRF4XX, MAVLink's checksum."""
    crc = 0xFFFF
    for byte in data:
        tmp = byte ^ (crc & 0xFF)
        tmp = (tmp ^ (tmp << 4)) & 0xFF
        crc = (crc >> 8) ^ (tmp << 8) ^ (tmp << 3) ^ (tmp >> 4)
    return crc


def mavlink_frame(sequence, system, message, payload):
    """A MAVLink 2 frame; trailing zeros of the payload are cut, as its specification says."""
    payload = payload.rstrip(b"\0") or b"\0"
    body = struct.pack("<BBBBBB", len(payload), 0, 0, sequence & 0xFF, system, 1)
    body += message.to_bytes(3, "little") + payload
    return b"\xfd" + body + struct.pack("<H", mavlink_crc(body + bytes([CRC_EXTRA[message]])))


def heartbeat(sequence, system):
    kind, autopilot = (2, 3) if system == 1 else (6, 8)  # quadrotor with ArduPilot, ground station
    return mavlink_frame(sequence, system, HEARTBEAT, struct.pack("<IBBBBB", 0, kind, autopilot, 81, 4, 3))


def attitude(sequence, system):
    angle = sequence / 50
    values = struct.pack("<I6f", sequence * 50, math.sin(angle), math.cos(angle), angle % 6.28, 0.1, 0.2, 0.3)
    return mavlink_frame(sequence, system, ATTITUDE, values)


def telemetry(sequence, system):
    """Frame number `sequence` of one side: a heartbeat a second, from the drone its attitude between."""
    return heartbeat(sequence, system) if system != 1 or sequence % TELEMETRY_HZ == 0 else attitude(sequence, system)


class Stream:
    """One direction of one flow: what was sent and which of it arrived."""

    def __init__(self, name, make, parse):
        self.name, self.make, self.parse = name, make, parse
        self.first = self.next = 0  # packets from `first` on count
        self.seen, self.foreign, self.twice = set(), 0, 0

    @property
    def sent(self):
        return self.next - self.first

    def start_counting(self):
        self.first = self.next
        self.seen, self.foreign, self.twice = set(), 0, 0

    def send(self, sock, to):
        try:
            sock.sendto(self.make(self.next), to)
        except ConnectionRefusedError:
            return  # the client's port is not open at this moment; this packet is tried again
        self.next += 1

    def receive(self, packet):
        number = self.parse(packet)
        if number is None or number >= self.next:
            self.foreign += 1  # somebody types into the port from another terminal, or it was altered
        elif number in self.seen:
            self.twice += 1
        elif number >= self.first:
            self.seen.add(number)

    def ok(self):
        return self.sent > 0 and not self.twice and self.sent - len(self.seen) <= self.sent * ALLOWED_LOSS

    def __str__(self):
        return f"{self.name} {len(self.seen)}/{self.sent}" + (f" (+{self.foreign} unknown)" if self.foreign else "")


def mavlink_parser(stream_of, system):
    """The number of a frame from `system`; MAVLink counts to 255 only, so the text is compared."""
    def parse(packet):
        stream = stream_of()
        for number in range(stream.next - 1, max(-1, stream.next - 1 - 8 * TELEMETRY_HZ), -1):
            if len(packet) > 4 and (number & 0xFF) == packet[4] and packet == stream.make(number):
                return number
        return None
    return parse


def udp(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(address)
    sock.setblocking(False)
    return sock


def status(address):
    """The client's own view over its local API, or None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{address}:{API_PORT}/v1/status", timeout=1) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def path_line():
    """How the drone's client reaches the ground station, in words."""
    peers = (status(DRONE) or {}).get("peers") or [{}]
    rtt = peers[0].get("rtt_ms")
    return f"path {peers[0].get('path', 'none')}" + (f", {rtt:.1f} ms" if rtt is not None else "")


class Exchange:
    """All four applications on one loop."""

    def __init__(self):
        self.camera, self.player = udp(("127.0.0.1", 0)), udp(PLAYER)
        self.autopilot, self.software = udp(("127.0.0.1", 0)), udp(("127.0.0.1", 0))
        self.video = Stream("video drone3→gcs4", rtp_packet, rtp_sequence)
        self.down = Stream("mavlink drone3→gcs4", lambda n: telemetry(n, 1), mavlink_parser(lambda: self.down, 1))
        self.up = Stream("mavlink gcs4→drone3", lambda n: telemetry(n, 255), mavlink_parser(lambda: self.up, 255))
        self.streams = [self.video, self.down, self.up]
        self.selector = selectors.DefaultSelector()
        for sock, stream in ((self.player, self.video), (self.software, self.down), (self.autopilot, self.up)):
            self.selector.register(sock, selectors.EVENT_READ, stream)

    def receive(self, seconds):
        for key, _ in self.selector.select(max(0, seconds)):
            while True:
                try:
                    key.data.receive(key.fileobj.recv(65536))
                except (BlockingIOError, ConnectionRefusedError):
                    break

    def register(self):
        """The ground station's first word, so that its client knows where its telemetry goes."""
        deadline = time.monotonic() + 10
        while not self.up.seen and time.monotonic() < deadline:
            self.up.send(self.software, (STATION, MAVLINK_PORT))
            self.down.send(self.autopilot, (DRONE, MAVLINK_PORT))
            pause = time.monotonic() + 0.1
            while time.monotonic() < pause:
                self.receive(pause - time.monotonic())
        # What was said before both ends knew each other is not counted against the link.
        for stream in self.streams:
            stream.start_counting()

    def run(self, seconds, show):
        start = time.monotonic()
        next_frame = next_telemetry = next_show = start
        while seconds is None or time.monotonic() < start + seconds:
            now = time.monotonic()
            if now >= next_frame:
                next_frame += 1 / FPS
                for _ in range(PACKETS_PER_FRAME):
                    self.video.send(self.camera, (DRONE, VIDEO_PORT))
            if now >= next_telemetry:
                next_telemetry += 1 / TELEMETRY_HZ
                self.down.send(self.autopilot, (DRONE, MAVLINK_PORT))
                self.up.send(self.software, (STATION, MAVLINK_PORT))
            if now >= next_show:
                next_show += 1
                show(now - start, self.streams)
            self.receive(min(next_frame, next_telemetry, next_show) - time.monotonic())
        self.drain()

    def drain(self):
        end = time.monotonic() + DRAIN_S
        while time.monotonic() < end and any(len(s.seen) < s.sent for s in self.streams):
            self.receive(end - time.monotonic())


def show_line(seconds, streams):
    text = f"{seconds:5.0f} s   " + "   ".join(map(str, streams)) + f"   {path_line()}"
    print(f"\r\033[K{text}" if sys.stdout.isatty() else text, end="" if sys.stdout.isatty() else "\n", flush=True)


def summary(streams):
    print()
    for stream in streams:
        print(f"{'ok  ' if stream.ok() else 'FAIL'} {stream.name}: {stream.sent} sent, {len(stream.seen)} arrived unaltered, "
              f"{stream.sent - len(stream.seen)} missing, {stream.twice} twice, {stream.foreign} unknown")
    return all(s.ok() for s in streams)


def interrupt(*_):
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    # A shell starts its background jobs with SIGINT ignored.
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, interrupt)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float)
    arguments = parser.parse_args()
    exchange = Exchange()
    exchange.register()
    try:
        exchange.run(arguments.seconds, show_line)
    except KeyboardInterrupt:
        exchange.drain()
    return 0 if summary(exchange.streams) else 1


if __name__ == "__main__":
    sys.exit(main())
