#!/usr/bin/env python3
"""Any daemon set (the product): same measurements as the peers.
 custom.py NAME direct|relay --to IP:PORT --bind IP:PORT [--S CMD] [--A CMD] [--B CMD] [--tcp HOST:PORT] [--title T]
 Addresses: A 10.77.1.2, S 10.77.2.2, B 10.77.3.2.  S is started first, then B, then A (0.3 s apart).
 --to is where A's application sends (for instance 127.0.0.1:5600, the tunnel's local port), --bind where B's
 application listens; iperf3 serves on B port 5201, --tcp is where A connects to reach it.  {dir} = scratch folder."""
import sys, os, time, argparse
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
p = argparse.ArgumentParser()
p.add_argument('name')
p.add_argument('mode')
for o in ('to', 'bind', 'S', 'A', 'B', 'tcp', 'title'):
    p.add_argument('--' + o)
a = p.parse_args()
b = Bench(a.name, a.title or a.name)
b.topology(a.mode)
b.t0()
for w in 'SBA':
    c = getattr(a, w)
    if c:
        b.spawn(w, ['sh', '-c', 'exec ' + c.replace('{dir}', b.dir)])
        time.sleep(.3 if w == 'S' else 0)
b.measure(a.to, a.bind)
if a.tcp:
    b.tcp(*[f(x) for f, x in zip((str, int), a.tcp.rsplit(':', 1))])
b.done()
