#!/usr/bin/env python3
"""openssh -L: A forwards a local TCP port through sshd on S to B (TCP only)."""
import sys, os, time, socket
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
b = Bench('ssh', 'openssh -L through S (TCP only)')
b.topology('relay')
d = b.dir
b.sh(f'ssh-keygen -q -t ed25519 -N "" -f {d}/host; ssh-keygen -q -t ed25519 -N "" -f {d}/id; mkdir -p /run/sshd')
os.rename(f'{d}/id.pub', f'{d}/auth')
os.chmod(f'{d}/auth', 0o600)
b.file('sshd.conf', f'ListenAddress {IP["S"]}:2222\nHostKey {d}/host\nAuthorizedKeysFile {d}/auth\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n')
b.t0()
b.spawn('S', f'/usr/sbin/sshd -D -e -f {d}/sshd.conf')
time.sleep(.2)
b.spawn('A', f'ssh -N -i {d}/id -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -L 127.0.0.1:5201:{IP["B"]}:5201 {IP["S"]}')
time.sleep(1.5)
b.r['pss_idle_kib'] = rss_kib(b.pids())
b.tcp('127.0.0.1')
b.done()
