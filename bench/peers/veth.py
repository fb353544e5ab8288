#!/usr/bin/env python3
"""Plain veth forwarding: A-R-B (direct) or A-R-S-R-B through S's kernel (viaS): the physical limit."""
import sys, os
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
m = sys.argv[1] if len(sys.argv) > 1 else 'direct'
b = Bench('veth-' + m, f'plain veth, {"A-R-B" if m == "direct" else "A-R-S(kernel)-R-B"}')
b.topology(m)
b.measure(f"{IP['B']}:7000", f"{IP['B']}:7000")
b.tcp(IP['B'])
b.done()
