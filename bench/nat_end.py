#!/usr/bin/env python3
"""One end of a try of nat_matrix.py, inside a client's network namespace: an application that sends numbered
datagrams to its flow port, and an eye on what arrives from the network.

    nat_end.py NAME RATE

Sends until standard input ends; then prints one JSON line: "sent", "got" (number → first arrival), "twice", and
"direct"/"relayed": when the first data frame arrived from the peer itself and by the server (seconds of the monotonic clock).
"""
import json
import select
import socket
import struct
import sys
import time

PORT = 14550
SERVERS = {"198.51.100.10", "198.51.100.11", "198.51.100.12"}
ETH_P_IP, UDP, DIRECT, RELAYED = 0x0800, 17, 0x10, 0x11


def data_frame(packet):
    """(source, type) of an IPv4 packet that is a data frame of wormhole's, else None."""
    if len(packet) < 34 or packet[0] >> 4 != 4 or packet[9] != UDP:
        return None
    body = packet[(packet[0] & 15) * 4 + 8:]
    if len(body) < 28 or body[0] not in (DIRECT, RELAYED) or body[2:4] == b"\0\0":
        return None
    return socket.inet_ntoa(packet[12:16]), body[0]


def main():
    name, rate = sys.argv[1].encode()[:8].ljust(8, b"\0"), float(sys.argv[2])
    application = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    application.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    application.bind(("127.0.0.1", PORT))
    # Cooked, and what goes out is told by the packet type.
    eye = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    eye.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    result = {"sent": [], "got": {}, "twice": 0, "direct": None, "relayed": None}
    print("ready", flush=True)
    start, count, sending = time.monotonic(), 0, True
    while True:
        wait = max(0, start + count / rate - time.monotonic()) if sending else None
        for ready in select.select([application, eye, sys.stdin], [], [], wait)[0]:
            if ready is sys.stdin:
                if sys.stdin.readline() == "stop\n":
                    sending = False  # listen on
                    continue
                print(json.dumps(result), flush=True)
                return
            if ready is application:
                try:
                    data = application.recv(65536)
                except ConnectionRefusedError:
                    continue
                number = struct.unpack("<Q", data[8:16])[0]
                if data[:8] == name:
                    continue  # its own: the client is not there yet
                if number in result["got"]:
                    result["twice"] += 1
                result["got"].setdefault(number, time.monotonic())
                continue
            packet, (interface, _, kind, *_) = eye.recvfrom(65536)
            frame = data_frame(packet) if kind == socket.PACKET_HOST and interface != "lo" else None
            if frame:
                way = "relayed" if frame[0] in SERVERS else "direct"
                result[way] = result[way] or time.monotonic()
        if sending and time.monotonic() >= start + count / rate:
            try:
                application.sendto(name + struct.pack("<Q", count) + bytes(184), ("127.1.0.1", PORT))
                result["sent"].append(time.monotonic())
                count += 1
            except ConnectionRefusedError:
                pass


main()
