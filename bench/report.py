#!/usr/bin/env python3
"""Markdown table of results/pass*/*.json.  Each pass holds medians of its repetitions; where a peer
has several passes the cell is the better one (the machine is shared: interference only ever worsens
a figure).  report.py [name ...]"""
import json, glob, os, sys
H = os.path.dirname(os.path.abspath(__file__))
R = {}
LOW = ('cpu_ns_pkt_5k', 'cpu_ns_pkt_20k', 'cpu_ns_pkt_50k', 'cpu_min_5k', 'cpu_min_20k', 'cpu_min_50k', 'daemon_cpu_ns_pkt_at_max', 'rtt_lat_p50_us', 'rtt_p50_best_us', 'rtt_p99_best_us', 'ow_p50_us', 'ow_p99_best_us', 'rtt_loss', 'tcp_cpu_ns_per_1200B', 'first_packet_ms', 'pss_idle_kib')
for f in sorted(glob.glob(H + '/results/pass*/*.json')):
    d = json.load(open(f))
    o = R.setdefault(d['name'], {})
    o.setdefault('passes', []).append(d)
for n, o in R.items():
    for d in o['passes']:
        for k, v in d.items():
            if k not in o or o[k] is None:
                o[k] = v
            elif k in LOW and v is not None and v >= 0:
                o[k] = min(o[k], v) if o[k] >= 0 else v
        for grp in (('lossfree_pps', 'reps', 'sender_limited'), ('overload_rx_pps', 'overload_offered_pps'), ('tcp_mbit', 'tcp_reps')):
            if d.get(grp[0]) and d[grp[0]] >= (o.get(grp[0]) or 0):
                for k in grp:
                    o[k] = d.get(k)
for o in R.values():
    c = [v for v in (o.get('rtt_p50_best_us'), o.get('rtt_lat_p50_us')) if v is not None]
    if c:
        o['rtt_p50_best_us'] = min(c)
order = ['veth-direct', 'veth-viaS', 'socat', 'socat-tuned', 'nginx', 'nginx-tuned', 'coturn', 'wireguard-go-direct', 'wireguard-go-hub', 'nebula-direct', 'nebula-relay', 'openvpn', 'tinc', 'n2n', 'srt-direct', 'srt-relay', 'ssh']
names = [n for n in order if n in R] + sorted(set(R) - set(order))
base = {'direct': R.get('veth-direct', {}), 'relay': R.get('veth-viaS', {}), 'viaS': R.get('veth-viaS', {})}
def f(x, d=1, s=1.0):
    return '-' if x is None or x == '' or x == -1 else f'{x * s:.{d}f}'
def add(d, k):
    b = base.get(d.get('topology'), {}).get(k)
    v = d.get(k)
    return '-' if v is None else f'{v:.0f}' if d['name'].startswith('veth') or b is None else f'{v - b:+.0f}'
def best(d, k):
    return d.get('cpu_min_' + k) if d.get('cpu_min_' + k) is not None else d.get('cpu_ns_pkt_' + k)
print('| peer | path | max <0.1 % loss, kpps (Mbit/s) | its reps | delivered at 2x that, kpps | CPU us/pkt at 5 kpps med (min) | at 20 kpps | at 50 kpps | at max | RTT p50 us, added | RTT p99 us, added (steal noise) | RTT loss at 5k | TCP Mbit/s | TCP CPU us/1200 B | idle PSS MiB (procs) | first packet ms |')
print('|' + '---|' * 16)
def cc(d, k):
    a, m = d.get('cpu_ns_pkt_' + k), d.get('cpu_min_' + k)
    if a is not None and m is not None:
        m = min(a, m)
    return '-' if a is None else f(a, 1, 1e-3) + (f' ({m / 1e3:.1f})' if m is not None else '')
for n in names:
    if sys.argv[1:] and n not in sys.argv[1:]:
        continue
    d = R[n]
    lf = d.get('lossfree_pps')
    nod = n.startswith('veth')
    print('|', ' | '.join([n, d.get('topology', ''), '-' if lf is None else f"{lf / 1e3:.1f} ({lf * 9.6e-3:.0f})" + ('*' if d.get('sender_limited') and nod else ''), '/'.join(f'{x / 1e3:.0f}' for x in d.get('reps', [])) or '-', f(d.get('overload_rx_pps'), 1, 1e-3),
        '-' if nod else cc(d, '5k'), '-' if nod else cc(d, '20k'), '-' if nod else cc(d, '50k'), '-' if nod else f(d.get('daemon_cpu_ns_pkt_at_max'), 1, 1e-3), add(d, 'rtt_p50_best_us' if 'rtt_p50_best_us' in d else 'rtt_lat_p50_us'), add(d, 'rtt_p99_best_us'), '-' if d.get('rtt_loss') is None else f"{d['rtt_loss'] * 100:.1f} %",
        f(d.get('tcp_mbit'), 0), '-' if nod else f(d.get('tcp_cpu_ns_per_1200B'), 2, 1e-3), '-' if nod else (f(d.get('pss_idle_kib'), 1, 1 / 1024) + f" ({d.get('nprocs', '?')})"), f(d.get('first_packet_ms'), 0)]), '|')
