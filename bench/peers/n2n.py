#!/usr/bin/env python3
"""n2n v1 (Debian 1.3.1): edges on A and B, all traffic through the supernode on S."""
import sys, os, time
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
b = Bench('n2n', 'n2n 1.3.1 via supernode on S (Twofish)')
b.by_ns = True
b.topology('relay')
b.t0()
b.spawn('S', 'supernode -l 7777')
time.sleep(.2)
for w, ip in (('A', '10.96.0.1'), ('B', '10.96.0.2')):
    b.spawn(w, f'edge -f -d n2n{w} -a {ip} -c net -k secretkey -u 0 -g 0 -l {IP["S"]}:7777 -M 1400')
for _ in range(200):
    if '10.96.0.1' in b.sh('ip -n wbA -br a') and '10.96.0.2' in b.sh('ip -n wbB -br a'):
        break
    time.sleep(.05)
b.measure('10.96.0.2:7000', '10.96.0.2:7000')
b.tcp('10.96.0.2')
b.done()
