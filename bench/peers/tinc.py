#!/usr/bin/env python3
"""tinc 1.0.  A and B ConnectTo S; S forwards (A and B cannot reach each other)."""
import sys, os, time
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
b = Bench('tinc', 'tinc 1.0.36 via S (AES-256-CBC, SHA-256)')
b.topology('relay')
d = b.dir
T = {'A': '10.95.0.1', 'B': '10.95.0.2', 'S': '10.95.0.3'}
pub = {}
for w in T:
    b.file(f'{w}/hosts/x', '')
    b.sh(f'cd {d}/{w} && openssl genrsa -traditional -out rsa_key.priv 2048 2>/dev/null && openssl rsa -in rsa_key.priv -RSAPublicKey_out -out pub 2>/dev/null; chmod 600 rsa_key.priv')
    pub[w] = open(f'{d}/{w}/pub').read()
for w in T:
    b.sh(f'rm -f {d}/{w}/hosts/x')
    for o in T:
        b.file(f'{w}/hosts/{o}', f'Address = {IP[o]}\nSubnet = {T[o]}/32\n{pub[o]}')
    b.file(f'{w}/tinc.conf', f'Name = {w}\nInterface = tc{w}\nDeviceType = tun\n' + ('' if w == 'S' else 'ConnectTo = S\n'))
    up = b.file(f'{w}/tinc-up', f'#!/bin/sh\nip addr add {T[w]}/24 dev $INTERFACE\nip link set $INTERFACE mtu 1400 up\n')
    os.chmod(up, 0o755)
b.t0()
for w in 'SBA':
    b.spawn(w, f'tincd -D -c {d}/{w} --pidfile={d}/{w}.pid --logfile={d}/{w}.log')
for _ in range(200):
    if T['A'] in b.sh('ip -n wbA -br a') and T['B'] in b.sh('ip -n wbB -br a'):
        break
    time.sleep(.05)
b.measure(f"{T['B']}:7000", f"{T['B']}:7000")
b.tcp(T['B'])
b.done()
