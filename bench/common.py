"""Harness shared by peers/*.py.  A peer script makes a Bench, calls topology(),
spawn()s its daemons, then measure(); the result goes to results/<name>.json."""
import atexit, json, os, shutil, signal, subprocess, sys, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import topo
from topo import IP
BUILD = os.path.join(os.path.dirname(HERE), 'build', 'bench')
BLAST = os.environ.get('UDPBLAST', os.path.join(BUILD, 'udpblast'))
DCPUS = os.environ.get('BENCH_DAEMON_CPUS', '0,1')      # daemons; the load tool owns 2 (rx) and 3 (tx)
REPS = os.environ.get('BENCH_REPS', '3')

def build():
    folder = os.path.join(HERE, 'udpblast')
    newest = max(os.path.getmtime(os.path.join(folder, f)) for f in os.listdir(folder))
    if not os.path.exists(BLAST) or os.path.getmtime(BLAST) < newest:
        os.makedirs(BUILD, exist_ok=True)
        subprocess.check_call(['g++', '-O2', '-std=c++17', '-pthread', '-o', BLAST, os.path.join(folder, 'udpblast.cpp')])

def cpu_ns(pids):
    t = 0
    for p in pids:
        try:
            t += time.clock_gettime_ns((~p << 3) | 2)    # process CPU clock of another pid
            f = open(f'/proc/{p}/stat').read().rsplit(')', 1)[1].split()
            t += (int(f[13]) + int(f[14])) * 10_000_000  # children already reaped (10 ms ticks)
        except OSError:
            pass
    return t

def rss_kib(pids):
    t = 0
    for p in pids:
        try:
            for l in open(f'/proc/{p}/smaps_rollup'):
                if l.startswith('Pss:'):
                    t += int(l.split()[1])   # PSS: shared pages counted once
        except OSError:
            pass
    return t

def busy(secs=0.15):
    """cores in use (steal included) on the whole machine over a short window"""
    def rd():
        v = list(map(int, open('/proc/stat').readline().split()[1:9]))
        return sum(v) - v[3] - v[4], sum(v)
    a = rd()
    time.sleep(secs)
    b = rd()
    return 4.0 * (b[0] - a[0]) / max(1, b[1] - a[1])

class Bench:
    by_ns = False
    wait_budget = float(os.environ.get('BENCH_QUIET_S', '45'))
    def quiet(self):
        """wait (bounded, per peer) until other people leave at least 3 of the 4 cores alone"""
        t = time.time()
        u = busy()
        while u > 0.8 and self.wait_budget > 0:
            time.sleep(0.8)
            u = busy()
            self.wait_budget -= time.time() - t
            t = time.time()
        self.others.append(round(u, 2))
    def __init__(self, name, title, note=''):
        self.others = []
        self.name, self.procs, self.r = name, [], {'name': name, 'title': title, 'note': note, 'date': time.strftime('%Y-%m-%d')}
        self.dir = f'/tmp/wbench/{name}'
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        build()
        atexit.register(self.stop)
        signal.signal(signal.SIGTERM, lambda *a: sys.exit(1))
    def topology(self, mode):
        topo.up()
        topo.mode(mode)
        self.r['topology'] = mode
        time.sleep(0.3)
    def file(self, name, text):
        p = f'{self.dir}/{name}'
        os.makedirs(os.path.dirname(p), exist_ok=True)
        open(p, 'w').write(text)
        return p
    def sh(self, cmd):
        return topo.sh(cmd)
    def t0(self):
        self.start = time.monotonic_ns()
    def spawn(self, ns, cmd, env=None, count=True):
        if not hasattr(self, 'start'):
            self.t0()
        log = open(f'{self.dir}/{len(self.procs)}-{ns}.log', 'w')
        p = subprocess.Popen(['ip', 'netns', 'exec', f'wb{ns}', 'nice', '-n', '-10', 'taskset', '-c', DCPUS] + (cmd if isinstance(cmd, list) else cmd.split()),
                             stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, start_new_session=True)
        p.count = count
        self.procs.append(p)
        return p
    def pids(self):
        if self.by_ns:
            comm = lambda x: open(f'/proc/{x}/comm').read().strip() if os.path.exists(f'/proc/{x}/comm') else 'iperf3'
            return [int(x) for n in 'ASB' for x in topo.sh(f'ip netns pids wb{n}', False).split() if comm(x) not in ('iperf3', 'udpblast')]
        roots = [p.pid for p in self.procs if p.count]
        kids = {}
        for d in os.listdir('/proc'):
            if d.isdigit():
                try:
                    pp = int(open(f'/proc/{d}/stat').read().rsplit(')', 1)[1].split()[1])
                    kids.setdefault(pp, []).append(int(d))
                except OSError:
                    pass
        out, todo = [], roots
        while todo:
            p = todo.pop()
            out.append(p)
            todo += kids.get(p, [])
        return [p for p in out if os.path.exists(f'/proc/{p}')]
    def stop(self):
        ps = self.pids()
        for p in ps:
            try:
                os.kill(p, signal.SIGTERM)
            except OSError:
                pass
        time.sleep(0.3)
        for p in ps:
            try:
                os.kill(p, signal.SIGKILL)
            except OSError:
                pass
        for p in self.procs:
            p.kill() if p.poll() is None else None
            p.wait()
        self.procs = []
        topo.down()
    def blast(self, cmd, **kw):
        a = ['nice', '-n', '-10', BLAST, cmd, '--tx-ns', 'wbA', '--rx-ns', 'wbB']
        for k, v in {**self.args, **kw}.items():
            a += ['--' + k.replace('_', '-'), str(v)]
        if self.procs:
            a += ['--pids', ','.join(map(str, self.pids()))]
        if cmd != 'first':
            self.quiet()
        r = subprocess.run(a, capture_output=True, text=True, timeout=240)
        try:
            return json.loads(r.stdout.splitlines()[-1])
        except Exception:
            print('udpblast', cmd, 'failed:', r.stdout, r.stderr)
            return {}
    def measure(self, to, bind, rtt=True, reps=3, start=4000, **args):
        """UDP part.  to: where A sends; bind: where B listens."""
        self.args = {'to': to, 'bind': bind, 'tx-bind': '0.0.0.0:40000', **args}
        f = self.blast('first', t0=getattr(self, 'start', time.monotonic_ns()), secs=25)
        self.r['first_packet_ms'] = f.get('first_packet_ms', -1)
        if self.r['first_packet_ms'] < 0 :
            self.save()
            raise SystemExit(f'{self.name}: no packet came through; logs in {self.dir}')
        time.sleep(1.0)
        self.r['pss_idle_kib'] = rss_kib(self.pids())
        self.r['nprocs'] = len(self.pids())
        med = lambda l: sorted(l)[len(l) // 2]
        if rtt:
            x = [self.blast('run', mode='rtt', rate=5000, secs=1) for _ in range(reps)]
            x = [i for i in x if i]
            self.r['rtt_p50_best_us'] = min(i['lat_p50_us'] for i in x)
            for k in ('lat_p50_us', 'lat_p99_us', 'loss'):
                self.r['rtt_' + k] = med([i[k] for i in x]) if x else None
            self.r['rtt_p99_best_us'] = min(i['lat_p99_us'] for i in x)
        x = [self.blast('run', rate=5000, secs=1) for _ in range(reps)]
        self.r['ow_p50_us'] = med([i['lat_p50_us'] for i in x])
        self.r['ow_p99_us'] = med([i['lat_p99_us'] for i in x])
        self.r['ow_p99_best_us'] = min(i['lat_p99_us'] for i in x)
        self.r['cpu_ns_pkt_5k'] = med([i['daemon_cpu_ns_pkt'] for i in x])
        self.r['cpu_min_5k'] = min(i['daemon_cpu_ns_pkt'] for i in x)
        s = self.blast('search', reps=REPS, start=start)
        self.r.update(s)
        for rate, key in ((20000, '20k'), (50000, '50k')):
            if s.get('lossfree_pps', 0) >= rate * 0.5:
                x = [self.blast('run', rate=rate, secs=1) for _ in range(reps)]
                self.r['cpu_ns_pkt_' + key] = med([i['daemon_cpu_ns_pkt'] for i in x])
                self.r['cpu_min_' + key] = min(i['daemon_cpu_ns_pkt'] for i in x)
                self.r['loss_' + key] = med([i['loss'] for i in x])
                self.r['tx_ns_pkt_' + key] = med([i['tx_cpu_ns_pkt'] for i in x])
        over = self.blast('run', rate=min(300000, 2 * max(20000, s.get('lossfree_pps', 0))), secs=1)
        self.r['overload_offered_pps'], self.r['overload_rx_pps'] = over.get('tx_pps'), over.get('rx_pps')
        self.r['pss_after_kib'] = rss_kib(self.pids())
        self.save()
    def tcp(self, host, port=5201, secs=3, reps=3, server_ip='0.0.0.0'):
        """iperf3 from A to host:port, server in B on 5201; also CPU ns per 1200 B carried."""
        log = open(f'{self.dir}/iperf.log', 'w')
        srv = subprocess.Popen(['ip', 'netns', 'exec', 'wbB', 'taskset', '-c', '2', 'iperf3', '-s', '-p', '5201'], stdout=log, stderr=log)
        time.sleep(0.5)
        out = []
        try:
            for _ in range(reps):
                self.quiet()
                c0 = cpu_ns(self.pids())
                r = subprocess.run(['ip', 'netns', 'exec', 'wbA', 'taskset', '-c', '3', 'iperf3', '-c', host, '-p', str(port), '-t', str(secs), '-J'], capture_output=True, text=True, timeout=secs + 20)
                c = cpu_ns(self.pids()) - c0
                try:
                    e = json.loads(r.stdout)['end']['sum_received']
                    out.append((e['bits_per_second'] / 1e6, c / max(1, e['bytes'] / 1200)))
                except Exception:
                    print('iperf3 failed', r.stdout[-300:], r.stderr)
        finally:
            srv.terminate()
            srv.wait()
        if out:
            out.sort()
            self.r['tcp_mbit'], self.r['tcp_cpu_ns_per_1200B'] = out[len(out) // 2]
            self.r['tcp_reps'] = [round(o[0]) for o in out]
        self.save()
    def save(self):
        self.r['pids_cpus'] = DCPUS
        o = sorted(self.others)
        self.r['others_busy_cores_median'] = o[len(o) // 2] if o else None
        d = os.path.join(HERE, 'results', os.environ.get('BENCH_PASS', 'pass1'))
        os.makedirs(d, exist_ok=True)
        json.dump(self.r, open(os.path.join(d, self.name + '.json'), 'w'), indent=1)
    def done(self):
        self.save()
        print(json.dumps({k: v for k, v in self.r.items() if k not in ('title',)}))
