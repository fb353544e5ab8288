#!/usr/bin/env python3
"""Topology for the bench: three end namespaces wbA, wbS, wbB, one router wbR.

    wbA 198.19.1.2 --veth-- 198.19.1.1 wbR 198.19.2.1 --veth-- 198.19.2.2 wbS
                                     wbR 198.19.3.1 --veth-- 198.19.3.2 wbB

  topo.py up            build it (removes an older one first), mode 'direct'
  topo.py mode direct   A<->B routed by R
  topo.py mode relay    A and B have no way to each other, only to S
  topo.py mode viaS     A<->B routed by R through S's kernel (plain forwarding)
  topo.py down          remove
"""
import subprocess, sys
NET = {'A': 1, 'S': 2, 'B': 3}
IP = {k: f'198.19.{n}.2' for k, n in NET.items()}

def sh(cmd, check=True):
    r = subprocess.run(cmd, shell=True, capture_output=True, text=True)
    if check and r.returncode:
        raise SystemExit(f'{cmd}\n{r.stderr}')
    return r.stdout

def down():
    for n in ('wbA', 'wbS', 'wbB', 'wbR'):
        sh(f'ip netns del {n} 2>/dev/null', False)

def up():
    down()
    for n in ('wbA', 'wbS', 'wbB', 'wbR'):
        sh(f'ip netns add {n}; ip -n {n} link set lo up')
    sh('ip netns exec wbR sysctl -qw net.ipv4.ip_forward=1; ip netns exec wbS sysctl -qw net.ipv4.ip_forward=1')
    for k, n in NET.items():
        sh(f'ip link add wb{k}0 netns wb{k} type veth peer name r{k} netns wbR')
        sh(f'ip -n wb{k} addr add 198.19.{n}.2/24 dev wb{k}0; ip -n wb{k} link set wb{k}0 up')
        sh(f'ip -n wbR addr add 198.19.{n}.1/24 dev r{k}; ip -n wbR link set r{k} up')
        sh(f'ip -n wb{k} route add default via 198.19.{n}.1')
        for f in ('all', 'default', f'wb{k}0'):
            sh(f'ip netns exec wb{k} sysctl -qw net.ipv4.conf.{f}.rp_filter=0', False)
    for f in ('all', 'default', 'rA', 'rS', 'rB'):
        sh(f'ip netns exec wbR sysctl -qw net.ipv4.conf.{f}.rp_filter=0 net.ipv4.conf.{f}.send_redirects=0', False)
    sh('ip netns exec wbS sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.wbS0.send_redirects=0', False)
    mode('direct')

def mode(m):
    for a, b in (('A', 'B'), ('B', 'A')):
        dst = f'198.19.{NET[b]}.0/24'
        sh(f'ip -n wb{a} route del unreachable {dst}', False)
        sh(f'ip -n wbR rule del iif r{a} to {dst} table 100', False)
        if m == 'relay':
            sh(f'ip -n wb{a} route add unreachable {dst}')
        elif m == 'viaS':
            sh(f'ip -n wbR rule add iif r{a} to {dst} table 100')
            sh('ip -n wbR route replace default via 198.19.2.2 table 100')
        elif m != 'direct':
            raise SystemExit('mode: direct | relay | viaS')

if __name__ == '__main__':
    if sys.argv[1:2] == ['up']:
        up()
    elif sys.argv[1:2] == ['down']:
        down()
    elif sys.argv[1:2] == ['mode']:
        mode(sys.argv[2])
    else:
        print(__doc__)
