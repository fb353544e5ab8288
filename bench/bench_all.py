#!/usr/bin/env python3
"""Run every peer (or those named) one after the other, then rewrite the table:
   bench_all.py [name ...]      e.g. bench_all.py veth-direct socat nebula-relay"""
import os, subprocess, sys, time
H = os.path.dirname(os.path.abspath(__file__))
ALL = {'wormhole-relay': ['wormhole.py'], 'veth-direct': ['veth.py', 'direct'], 'veth-viaS': ['veth.py', 'viaS'], 'socat': ['socat.py'], 'nginx': ['nginx.py'], 'socat-tuned': ['socat.py', 'tuned'], 'nginx-tuned': ['nginx.py', 'tuned'], 'coturn': ['coturn.py'],
       'wireguard-go-direct': ['wireguard.py', 'direct'], 'wireguard-go-hub': ['wireguard.py', 'hub'], 'nebula-direct': ['nebula.py', 'direct'], 'nebula-relay': ['nebula.py', 'relay'],
       'openvpn': ['openvpn.py'], 'ssh': ['ssh.py'], 'srt-direct': ['srt.py', 'direct'], 'srt-relay': ['srt.py', 'relay'], 'tinc': ['tinc.py'], 'n2n': ['n2n.py']}
for n in sys.argv[1:] or ALL:
    t = time.time()
    try:
        r = subprocess.run([sys.executable, os.path.join(H, 'peers', ALL[n][0])] + ALL[n][1:], capture_output=True, text=True, timeout=240)
        o = (r.stdout + r.stderr).strip()[-600:]
    except subprocess.TimeoutExpired as e:
        o = f'TIMEOUT {e.stdout}'
    print(f'== {n} {time.time() - t:.0f}s\n{o}', flush=True)
