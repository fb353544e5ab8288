"""What every comparison needs: the load tool, and one set of daemons in the namespaces of topo.py."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import topo
from topo import IP  # noqa: F401  (peers take it from here)

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.path.dirname(HERE), "build", "bench")
BLAST = os.environ.get("UDPBLAST", os.path.join(BUILD, "udpblast"))
DAEMON_CPUS = os.environ.get("BENCH_DAEMON_CPUS", "0,1")  # the load tool owns 2 (receiver) and 3 (sender)


def build():
    """The load tool, anew where its source is newer."""
    folder = os.path.join(HERE, "udpblast")
    newest = max(os.path.getmtime(os.path.join(folder, f)) for f in os.listdir(folder))
    if not os.path.exists(BLAST) or os.path.getmtime(BLAST) < newest:
        os.makedirs(BUILD, exist_ok=True)
        subprocess.check_call(["g++", "-O2", "-std=c++17", "-pthread", "-o", BLAST, os.path.join(folder, "udpblast.cpp")])


def cpu_ns(pids):
    """Processor time so far; children that have ended included (those in ticks of 10 ms)."""
    total = 0
    for pid in pids:
        try:
            total += time.clock_gettime_ns((~pid << 3) | 2)  # the process CPU clock of another pid
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            total += (int(fields[13]) + int(fields[14])) * 10_000_000
        except OSError:
            pass
    return total


def busy_cores(seconds=0.15):
    """Cores in use on the whole machine over a short window, those that the hypervisor took included."""
    def read():
        with open("/proc/stat") as file:
            values = list(map(int, file.readline().split()[1:9]))
        return sum(values) - values[3] - values[4], sum(values)
    before = read()
    time.sleep(seconds)
    after = read()
    return os.cpu_count() * (after[0] - before[0]) / max(1, after[1] - before[1])


def wait_for(condition, seconds=10.0):
    """True once the condition holds; False when it did not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Bench:
    """One set of daemons between A, S and B. Use it in a `with`: leaving it ends them and removes the namespaces."""

    def __init__(self, name):
        self.name, self.procs, self.args = name, [], {}
        self.patience = 0.0  # seconds left to wait for the machine to be quiet
        self.dir = tempfile.mkdtemp(prefix=f"wbench-{name}-")
        build()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def topology(self, mode):
        topo.up()
        topo.mode(mode)
        time.sleep(0.3)  # addresses settle: ARP and IPv6's checks

    def file(self, name, text):
        path = f"{self.dir}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def sh(self, command):
        return topo.sh(command)

    def spawn(self, where, command):
        """A daemon in namespace `where`; its output in the bench's folder."""
        with open(f"{self.dir}/{len(self.procs)}-{where}.log", "w") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", f"wb{where}", "nice", "-n", "-10", "taskset", "-c", DAEMON_CPUS]
                + (command if isinstance(command, list) else command.split()),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        process.where = where
        self.procs.append(process)
        return process

    def has_address(self, where, address):
        return address in self.sh(f"ip -n wb{where} -br a")

    def pids(self, where="ASB"):
        """The daemons, and what they have started, of these namespaces."""
        children = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as file:
                    children.setdefault(int(file.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
            except OSError:
                pass
        found, todo = [], [process.pid for process in self.procs if process.where in where]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += children.get(pid, [])
        return [pid for pid in found if os.path.exists(f"/proc/{pid}")]

    def stop(self):
        pids = self.pids()
        for how in (signal.SIGTERM, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, how)
                except OSError:
                    pass
            time.sleep(0.3 if how == signal.SIGTERM else 0)
        for process in self.procs:
            process.wait()
        self.procs = []
        topo.down()
        shutil.rmtree(self.dir, ignore_errors=True)

    def quiet(self):
        """Waits, as long as patience lasts, until others leave three of four cores alone; how many they use."""
        start = time.monotonic()
        used = busy_cores()
        while used > 0.8 and time.monotonic() - start < self.patience:
            time.sleep(0.5)
            used = busy_cores()
        self.patience -= time.monotonic() - start
        return used

    def blast(self, what, **options):
        """One run of the load tool from A to B, as its JSON; empty when it failed."""
        command = ["nice", "-n", "-10", BLAST, what, "--tx-ns", "wbA", "--rx-ns", "wbB"]
        for key, value in {**self.args, **options}.items():
            command += ["--" + key.replace("_", "-"), str(value)]
        if self.procs:
            command += ["--pids", ",".join(map(str, self.pids()))]
        self.quiet()
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        try:
            return json.loads(done.stdout.splitlines()[-1])
        except (IndexError, json.JSONDecodeError):
            print(f"{self.name}: udpblast {what} failed: {done.stdout} {done.stderr}", flush=True)
            return {}
