#!/usr/bin/env python3
"""Physical limits:  run.py crypto | udpsys | fwd [mode ...] | all   (builds to build/bench/)
fwd runs each asiofwd mode as the daemon on S, one pinned core, under udpblast."""
import sys, os, subprocess, json, time
H = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(H))
BUILD = os.path.join(os.path.dirname(os.path.dirname(H)), 'build', 'bench')
def mk(n, *libs):
    os.makedirs(BUILD, exist_ok=True)
    o = f'{BUILD}/{n}'
    s = f'{H}/{n}.cpp'
    if not os.path.exists(o) or os.path.getmtime(o) < os.path.getmtime(s):
        subprocess.check_call(['g++', '-O2', '-std=c++17', '-pthread', '-o', o, s, *libs])
    return o
os.makedirs(f'{H}/../results', exist_ok=True)
what = sys.argv[1] if len(sys.argv) > 1 else 'all'
def tool(n, *libs, pre=()):
    r = subprocess.run(['nice', '-n', '-10', *pre, mk(n, *libs)], capture_output=True, text=True)
    print(r.stdout + r.stderr, flush=True)
    open(f'{H}/../results/micro-{n}.txt', 'w').write(r.stdout)
if what in ('crypto', 'all'):
    tool('crypto', '-lsodium', '-lcrypto', pre=('taskset', '-c', '0'))
if what in ('udpsys', 'all'):
    tool('udpsys')
if what in ('fwd', 'all'):
    os.environ['BENCH_DAEMON_CPUS'] = os.environ.get('BENCH_DAEMON_CPUS', '1')
    from common import Bench, IP
    med = lambda l: sorted(l)[len(l) // 2]
    mk("asiofwd")
    out = []
    cases = [('asio', {}, 0), ('asio1', {}, 0), ('try', {}, 0), ('mmsg', {}, 0), ('mmgso', {}, 0), ('grogso', {}, 0), ('grogso', {}, 1), ('mmgso', {'gso': 16, 'batch': 64}, 0), ('mmsg', {'gso': 16, 'batch': 64}, 0), ('grogso', {'gso': 16, 'batch': 64}, 0)]
    for m, kw, gro in cases:
        if sys.argv[2:] and m not in sys.argv[2:]:
            continue
        b = Bench('fwd')
        b.topology('relay')
        if gro:
            b.sh('ip netns exec wbS ethtool -K wbS0 gro on')
        b.spawn('S', f'{BUILD}/asiofwd {m} 7000 {IP["B"]} 7000')
        time.sleep(.3)
        b.args = {'to': f"{IP['S']}:7000", 'bind': f"{IP['B']}:7000", **kw}
        row = {'mode': m, 'sender': 'gso16' if kw else 'plain', 'veth_gro': gro}
        for rate, key in ((5000, '5k'), (20000, '20k'), (50000, '50k'), (100000, '100k'), (400000, 'sat')):
            x = [b.blast('run', rate=rate, secs=0.7) for _ in range(3)]
            row[f'cpu_{key}'] = round(med([i['daemon_cpu_ns_pkt'] for i in x]))
            row[f'loss_{key}'] = round(med([i['loss'] for i in x]), 4)
            if key == 'sat':
                row['sat_rx_pps'] = round(med([i['rx_pps'] for i in x]))
                row['sat_rx_best'] = round(max(i['rx_pps'] for i in x))
                row['sat_cores'] = round(med([i['daemon_cpu_cores'] for i in x]), 2)
                row['sat_offered'] = round(med([i['tx_pps'] for i in x]))
        b.stop()
        print(row, flush=True)
        out.append(row)
    json.dump(out, open(f'{H}/../results/micro-fwd.json', 'w'), indent=1)
