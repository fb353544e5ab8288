#!/usr/bin/env python3
"""coturn TURN relay on S; A is a TURN client (ChannelData, in udpblast), B a plain UDP peer."""
import sys, os
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
b = Bench('coturn', 'coturn TURN relay on S (ChannelData)', 'no auth, no crypto; A to S ChannelData, S to B plain UDP')
b.topology('relay')
b.spawn('S', f"turnserver -n --listening-ip={IP['S']} --relay-ip={IP['S']} --listening-port=3478 --no-auth --no-tls --no-dtls --no-cli --realm=x --log-file=stdout --simple-log --pidfile={b.dir}/pid --db={b.dir}/db --allocation-default-address-family=ipv4")
b.measure(f"{IP['S']}:3478", f"{IP['B']}:7000", **{'turn': f"{IP['S']}:3478", 'turn-peer': f"{IP['B']}:7000", 'tx-bind': '0.0.0.0:0'})
b.done()
