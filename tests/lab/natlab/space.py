"""One lab's namespaces and its state on disk: the tools that building and using it share."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from .system import RUN, LabError, sh

HERE = os.path.dirname(os.path.abspath(__file__))


class Space:
    """Namespaces, addresses and processes of the lab called `name`; state in /run/natlab/name/state.json."""

    def __init__(self, name="lab"):
        if not re.fullmatch(r"[a-z0-9]{1,12}", name):
            raise LabError("lab name: 1 to 12 of a-z 0-9")
        self.name, self.dir = name, f"{RUN}/{name}"
        self.st = {"ns": [], "sites": {}, "hosts": {}, "procs": [], "hops": 0}
        try:
            self.st = json.load(open(f"{self.dir}/state.json"))
        except (OSError, ValueError):
            pass

    def save(self):
        os.makedirs(self.dir, exist_ok=True)
        tmp = f"{self.dir}/state.json.{os.getpid()}"
        json.dump(self.st, open(tmp, "w"), indent=1)
        os.replace(tmp, f"{self.dir}/state.json")

    def ns(self, who):
        """network namespace of: a client (a, a.2), srv, inet, SITE.gw, SITE.carrier"""
        if who in ("srv", "inet"):
            return f"{self.name}-{who}"
        if who in self.st["hosts"]:
            return self.st["hosts"][who]["ns"]
        m = re.fullmatch(r"(.+)\.(gw|carrier)", who)
        if m and m[1] in self.st["sites"]:
            g = self.st["sites"][m[1]]["gws"]
            return g[-1 if m[2] == "carrier" else 0]["ns"]
        raise LabError(f"nobody called {who!r}; there are: srv inet {' '.join(self.st['hosts'])}")

    def nsx(self, ns, cmd, inp=None, check=True, timeout=30):
        return sh(["ip", "netns", "exec", ns] + cmd, inp, check, timeout)

    def ip(self, ns, *lines):
        sh(["ip", "-n", ns, "-batch", "-"], "\n".join(lines) + "\n")

    def nft(self, ns, rules):
        self.nsx(ns, ["nft", "-f", "-"], rules)

    def add_ns(self, short):
        ns = f"{self.name}-{short}"
        sh(["ip", "netns", "add", ns])
        self.st["ns"].append(ns)
        self.nsx(ns, ["sh", "-c", "cd /proc/sys/net; ip link set lo up; echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/disable_ipv6; "
                      "echo 1 >ipv6/conf/default/disable_ipv6; echo 0 >ipv4/conf/all/rp_filter; echo 0 >ipv4/conf/default/rp_filter; "
                      "echo 0 >ipv4/conf/all/send_redirects; echo 0 >ipv4/conf/default/send_redirects; echo 0 >ipv4/icmp_ratelimit; "
                      "echo '0 2147483647' >ipv4/ping_group_range"])
        return ns

    def natbox_bin(self):
        """The emulator's executable, built anew when a source is newer."""
        folder, exe = f"{HERE}/natbox", f"{RUN}/natbox"
        newest = max(os.path.getmtime(f"{folder}/{f}") for f in os.listdir(folder))
        if not os.path.exists(exe) or os.path.getmtime(exe) < newest:
            os.makedirs(RUN, exist_ok=True)
            sh(["g++", "-O2", "-std=c++17", "-o", f"{exe}.{os.getpid()}", f"{folder}/natbox.cpp"], timeout=120)
            os.replace(f"{exe}.{os.getpid()}", exe)
        return exe

    def ctl(self, gw, line):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        s.connect(gw["ctl"])
        s.sendall(line.encode() + b"\n")
        out = b""
        while True:
            b = s.recv(65536)
            if not b:
                break
            out += b
        out = out.decode()
        if out.startswith("error"):
            raise LabError(f"natbox {line}: {out}")
        return out

    def down(self):
        names = set(self.st.get("ns", []))
        try:
            names |= {n for n in os.listdir("/run/netns") if n.startswith(f"{self.name}-")}
        except OSError:
            pass
        pids = set()
        for n in names:
            p = subprocess.run(["ip", "netns", "pids", n], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            pids |= {int(x) for x in p.stdout.split()}
        for p in self.st.get("procs", []):
            try:
                if p["ctl"].encode() in open(f"/proc/{p['pid']}/cmdline", "rb").read():
                    pids.add(p["pid"])
            except OSError:
                pass
        pids -= {os.getpid(), os.getppid()}
        for sig, wait in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 2.0)):
            for p in pids:
                try:
                    os.kill(p, sig)
                except ProcessLookupError:
                    pass
            end = time.time() + wait
            while pids and time.time() < end:
                for p in list(pids):
                    try:
                        os.waitpid(p, os.WNOHANG)
                    except (ChildProcessError, OSError):
                        pass
                    try:
                        st = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[0]
                        if st == "Z":
                            pids.discard(p)
                    except OSError:
                        pids.discard(p)
                if pids:
                    time.sleep(0.01)
            if not pids:
                break
        for n in names:
            subprocess.run(["ip", "netns", "del", n], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)
        self.st = {"ns": [], "sites": {}, "hosts": {}, "procs": [], "hops": 0}
