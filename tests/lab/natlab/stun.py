"""The lab's NATs as coturn's RFC 5780 tool sees them."""
import re
import subprocess
import time

from .kinds import EXPECT, SRV_IPS
from .lab import Lab
from .system import LabError


def start_stun(lab):
    p = lab.popen("srv", ["turnserver", "-n", "-S", "--no-tls", "--no-dtls", "--no-cli", "-p", "3478", "--alt-listening-port", "3479",
                           "-L", SRV_IPS[0], "-L", SRV_IPS[1], "-l", "stdout", "--pidfile", f"{lab.dir}/turn.pid", "--db", f"{lab.dir}/turn.db", "-m", "1"],
                   stdout=open(f"{lab.dir}/turn.log", "w"), stderr=subprocess.STDOUT)
    for _ in range(100):
        if ":3479" in lab.run("srv", "ss -Hunl").stdout:
            return p
        time.sleep(0.05)
    raise LabError("turnserver did not start")


def discover(lab, who="a"):
    """(mapping, filtering) as coturn's turnutils_natdiscovery sees them: OPEN EI AD APD NOUDP ?"""
    def tool(flag):
        try:
            return lab.run(who, ["turnutils_natdiscovery", flag, "-L", lab.host_ip(who), SRV_IPS[0]], timeout=20).stdout
        except subprocess.TimeoutExpired as e:
            return (e.stdout or b"").decode() if isinstance(e.stdout, bytes) else (e.stdout or "")

    def verdict(out, what):
        if "No NAT" in out and what == "Mapping":
            return "OPEN"
        for txt, v in (("Endpoint Independent", "EI"), ("Address and Port Dependent", "APD"), ("Address Dependent", "AD")):
            if f"{txt} {what}" in out:
                return v
        return "NOUDP" if "STUN server is not" in out or "timeout" in out.lower() or not re.search(r"Response|Mapped|reflexive", out, re.I) else "?"
    m, f = tool("-m"), tool("-f")
    return verdict(m, "Mapping"), verdict(f, "Filtering"), m, f


def verify(kinds, labname, hops=8, verbose=False):
    bad = 0
    for k in kinds or EXPECT:
        lab = Lab(labname)
        try:
            lab.up({"a": k}, hops=hops)
            start_stun(lab)
            m, f, mo, fo = discover(lab, "a")
            want = EXPECT.get(k.split(",")[0])
            ok = want is None or want == (m, f)
            bad += not ok
            print(f"{'ok  ' if ok else 'BAD '} {k:22} mapping {m:6} filtering {f:6}" + ("" if ok else f" expected {want}"), flush=True)
            if verbose or not ok:
                print(mo, fo)
        finally:
            lab.down()
    return bad
