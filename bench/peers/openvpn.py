#!/usr/bin/env python3
"""openvpn 2.6, UDP, TLS, AES-256-GCM, server on S with client-to-client (user space: no DCO module)."""
import sys, os, time
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
b = Bench('openvpn', 'openvpn UDP hub on S (AES-256-GCM)')
b.topology('relay')
d = b.dir
b.sh(f'cd {d} && openssl ecparam -name prime256v1 -out ec && openssl req -x509 -newkey ec:ec -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 30 2>/dev/null')
for w in 'SAB':
    eku = 'serverAuth' if w == 'S' else 'clientAuth'
    b.file('ext' + w, f'extendedKeyUsage={eku}\nkeyUsage=digitalSignature\n')
    b.sh(f'cd {d} && openssl req -newkey ec:ec -nodes -keyout {w}.key -out {w}.csr -subj /CN={w} 2>/dev/null && openssl x509 -req -in {w}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out {w}.crt -days 30 -extfile ext{w} 2>/dev/null')
b.file('ccd/A', 'ifconfig-push 10.97.0.11 255.255.255.0\n')
b.file('ccd/B', 'ifconfig-push 10.97.0.12 255.255.255.0\n')
com = lambda w: f'--ca {d}/ca.crt --cert {d}/{w}.crt --key {d}/{w}.key --proto udp4 --data-ciphers AES-256-GCM --verb 1 --dev-type tun --dev ov{w}'
b.t0()
b.spawn('S', f'openvpn --mode server --tls-server --dh none --topology subnet --server 10.97.0.0 255.255.255.0 --client-to-client --client-config-dir {d}/ccd --port 1194 --local {IP["S"]} ' + com('S'))
for w in 'AB':
    b.spawn(w, f'openvpn --client --nobind --remote {IP["S"]} 1194 --connect-retry 1 ' + com(w))
for _ in range(400):
    if '10.97.0.11' in b.sh('ip -n wbA -br a') and '10.97.0.12' in b.sh('ip -n wbB -br a'):
        break
    time.sleep(.05)
b.measure('10.97.0.12:7000', '10.97.0.12:7000')
b.tcp('10.97.0.12')
b.done()
