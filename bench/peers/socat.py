#!/usr/bin/env python3
"""socat UDP4-LISTEN relay (and TCP4-LISTEN) on S."""
import sys, os
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
t = sys.argv[1:] == ['tuned']
b = Bench('socat' + '-tuned' * t, 'socat UDP/TCP relay on S' + ', rcvbuf 4 MiB' * t)
b.topology('relay')
opt = ',rcvbuf=4194304' * t
b.spawn('S', f"socat -b65536 UDP4-LISTEN:7000,fork,reuseaddr{opt} UDP4:{IP['B']}:7000")
b.measure(f"{IP['S']}:7000", f"{IP['B']}:7000")
b.spawn('S', f"socat -b65536 TCP4-LISTEN:5201,fork,reuseaddr TCP4:{IP['B']}:5201")
import time
time.sleep(.5)
b.tcp(IP['S'])
b.done()
