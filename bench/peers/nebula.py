#!/usr/bin/env python3
"""nebula, lighthouse on S.  direct: A<->B peer to peer.  relay: S forwards (am_relay)."""
import sys, os
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
m = sys.argv[1] if len(sys.argv) > 1 else 'direct'
cipher = sys.argv[2] if len(sys.argv) > 2 else 'aes'
b = Bench('nebula-' + m, f'nebula {m} ({cipher})')
b.topology('direct' if m == 'direct' else 'relay')
T = {'A': '10.98.0.1', 'B': '10.98.0.2', 'S': '10.98.0.3'}
d = b.dir
b.sh(f'cd {d} && nebula-cert ca -name x')
for w in T:
    b.sh(f'cd {d} && nebula-cert sign -name {w} -ip {T[w]}/24')
for w in T:
    b.file(w + '.yml', f"""pki: {{ca: {d}/ca.crt, cert: {d}/{w}.crt, key: {d}/{w}.key}}
static_host_map: {{"{T['S']}": ["{IP['S']}:4242"]}}
lighthouse: {{am_lighthouse: {str(w == 'S').lower()}, interval: 5, hosts: [{'' if w == 'S' else '"' + T['S'] + '"'}]}}
listen: {{host: 0.0.0.0, port: 4242, batch: 64}}
punchy: {{punch: true}}
cipher: {cipher}
relay: {{am_relay: {str(w == 'S').lower()}, use_relays: true{'' if w == 'S' or m == 'direct' else ', relays: ["' + T['S'] + '"]'}}}
tun: {{dev: nb{w}, mtu: 1300, tx_queue: 500}}
logging: {{level: warning}}
firewall: {{outbound: [{{port: any, proto: any, host: any}}], inbound: [{{port: any, proto: any, host: any}}]}}
""")
b.t0()
for w in 'SBA':
    b.spawn(w, f'nebula -config {d}/{w}.yml')
import time
for _ in range(300):
    if all(f'nb{w}' in b.sh(f'ip -n wb{w} -br a') and T[w] in b.sh(f'ip -n wb{w} -br a') for w in 'AB'):
        break
    time.sleep(.02)
b.measure(f"{T['B']}:7000", f"{T['B']}:7000")
b.tcp(T['B'])
b.done()
