#!/usr/bin/env python3
"""SRT: srt-live-transmit udp->srt on A, srt->udp on B; direct, or relayed by a third one on S.  One way only."""
import sys, os, time
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
m = sys.argv[1] if len(sys.argv) > 1 else 'direct'
lat = sys.argv[2] if len(sys.argv) > 2 else '120'
b = Bench('srt-' + m, f'srt-live-transmit {m} (latency {lat} ms, AES-128)', f'one way only; {lat} ms receive buffer per hop is deliberate')
b.topology('direct' if m == 'direct' else 'relay')
q = f'latency={lat}&passphrase=wormhole-bench&pbkeylen=16'
b.t0()
t = 'srt-live-transmit -q -chunk:1456 -a:yes -timeout:-1'.split()
if m == 'direct':
    b.spawn('B', t + [f'srt://:6000?mode=listener&{q}', f"udp://{IP['B']}:7000"])
    time.sleep(.3)
    b.spawn('A', t + ['udp://:5000', f"srt://{IP['B']}:6000?mode=caller&{q}"])
else:
    b.spawn('S', t + [f'srt://:6000?mode=listener&{q}', f'srt://:6001?mode=listener&{q}'])
    time.sleep(.3)
    b.spawn('B', t + [f"srt://{IP['S']}:6001?mode=caller&{q}", f"udp://{IP['B']}:7000"])
    b.spawn('A', t + ['udp://:5000', f"srt://{IP['S']}:6000?mode=caller&{q}"])
b.measure('10.77.1.2:5000', f"{IP['B']}:7000", rtt=False, reps=3, start=2000, **{'drain-ms': 400, 'tries': 2})
b.done()
