#!/usr/bin/env python3
"""wireguard-go.  direct: A<->B.  hub: A<->S<->B, both tunnels end in S."""
import sys, os, time
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
m = sys.argv[1] if len(sys.argv) > 1 else 'direct'
b = Bench('wireguard-go-' + m, f'wireguard-go {m}')
b.topology('direct' if m == 'direct' else 'relay')
who = 'AB' if m == 'direct' else 'ASB'
key = {}
for w in who:
    k = b.sh('wg genkey').strip()
    f = b.file(f'{w}.key', k + '\n')
    os.chmod(f, 0o600)
    key[w] = (f, b.sh(f'wg pubkey < {f}').strip())
T = {'A': '10.99.0.1', 'B': '10.99.0.2', 'S': '10.99.0.3'}
b.t0()
for w in who:
    b.spawn(w, f'wireguard-go -f wbwg{w}')
for w in who:
    for _ in range(100):
        if os.path.exists(f'/var/run/wireguard/wbwg{w}.sock'):
            break
        time.sleep(.01)
    nsx = f'ip netns exec wb{w} '
    b.sh(nsx + f'wg set wbwg{w} listen-port 51820 private-key {key[w][0]}')
    others = 'AB' if w == 'S' else ('AB'.replace(w, '') if m == 'direct' else 'S')
    for o in others:
        allow = '10.99.0.0/24' if o == 'S' else T[o] + '/32'
        b.sh(nsx + f'wg set wbwg{w} peer {key[o][1]} allowed-ips {allow} endpoint {IP[o]}:51820')
    b.sh(f'ip -n wb{w} addr add {T[w]}/24 dev wbwg{w}; ip -n wb{w} link set wbwg{w} mtu 1420 up')
b.measure(f"{T['B']}:7000", f"{T['B']}:7000")
b.tcp(T['B'])
b.done()
