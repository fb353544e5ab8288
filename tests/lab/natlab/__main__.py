"""natlab: a private NAT test lab in network namespaces (root, Linux, Python 3.11, standard library only).

  python3 -m natlab up --a symmetric --b port_restricted,delay=20 [--delay 20ms] [--hops 8] [--lab NAME]
  python3 -m natlab exec a -- CMD ..       run in client a (also: b, a.2, srv, inet, a.gw, CARRIER.gw)
  python3 -m natlab reboot-nat a [--new-ip] [--downtime 2]
  python3 -m natlab link a down|up [--hard]           silent blackhole (or, hard, the gateway's wan interface goes down)
  python3 -m natlab iface a eth0 down|up              a client's own interface
  python3 -m natlab roam a N [--soft] [--gap S]       client moves to its uplink N (0 first)
  python3 -m natlab set a delay=50,loss=2             change a running link (any impairment, or box=1, at `up`)
  python3 -m natlab nat a                             mappings and counters of a's NAT(s)
  python3 -m natlab verify [KIND..]                   each kind against coturn's RFC 5780 tool
  python3 -m natlab status | down | kinds

A site is  KIND[+CARRIERKIND][,opt=value..]:
  KIND   none firewall full_cone restricted_cone port_restricted symmetric symmetric_seq symmetric_preserve
         address_dependent cgnat(=port_restricted+symmetric) udp_blocked udp_53_443
         *_k = done with kernel nft, *_u = done by natbox (user space)
  opts   delay jitter (ms) loss dup reorder (%) burst (mean length of a loss burst) reorder_ms rate (Mbit/s)
         queue (ms); each also as up_X / down_X; box=1 (natbox link though nothing is impaired)
         timeout tcp_timeout (s) hairpin=1 lo hi (port range) delta alloc=preserve|random|seq max (mappings)
         noise (foreign ports taken per second) refresh_in=0   [these go to the outermost NAT]
         udp=none or udp=53+443, tcp=none or tcp=443+80 (all other ports dropped silently)
         hosts=N (clients behind the same NAT: a, a.2, ..)  lan=192.168.1.0/24  mtu=N
         behind=CARRIER (a carrier is a site with hosts=0: --c symmetric,hosts=0 --a port_restricted,behind=c)
         host=a (this site is one more uplink of client a: --a symmetric --a2 symmetric_seq,host=a)
Addresses: server 198.51.100.10 .11 .12, public side of site number k 203.0.113.(8+8k).., carrier 100.64.k.0/24.
"""
import json
import os
import sys
import time

from .kinds import ALIAS, IMP, KINDS, SRV_IPS
from .lab import Lab
from .stun import verify
from .system import LabError


def main(argv):
    def opt(name, flag=False, default=None):
        if f"--{name}" in argv:
            i = argv.index(f"--{name}")
            if flag:
                del argv[i]
                return True
            v = argv[i + 1]
            del argv[i:i + 2]
            return v
        return default
    tail = []
    if "--" in argv:
        i = argv.index("--")
        argv, tail = argv[:i], argv[i + 1:]
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    lab = Lab(opt("lab", default="lab"))
    c = argv.pop(0)
    if c == "up":
        hops, srv = int(opt("hops", default="8")), opt("srv", default="")
        common = ",".join(f"{k}={v}" for k in IMP + ["timeout", "mtu"] if (v := opt(k)) is not None)
        sites = {}
        while argv:
            if not argv[0].startswith("--") or len(argv) < 2:
                raise LabError(f"what is {argv[0]!r}?")
            sites[argv[0][2:]] = argv[1]
            argv = argv[2:]
        t = time.time()
        lab.up(sites, hops=hops, srv=srv, common=common)
        for n, s in lab.st["sites"].items():
            print(f"{n}: {'+'.join(s['chain'])} public {s['gws'][-1]['ip']} clients {' '.join(h + '=' + ','.join(u['ip'] for u in lab.st['hosts'][h]['uplinks']) for h in s['hosts'])}")
        print(f"up in {time.time() - t:.2f} s; server {' '.join(SRV_IPS)}")
    elif c == "exec":
        os.execvp("ip", lab.cmd(argv[0], tail or argv[1:]))
    elif c == "reboot-nat":
        new, dt, lvl = opt("new-ip", True), float(opt("downtime", default="0")), opt("level")
        print("public IP", lab.reboot_nat(argv[0], bool(new), dt, None if lvl is None else int(lvl)))
    elif c == "link":
        hard = bool(opt("hard", True))
        lab.link(argv[0], argv[1], hard)
    elif c == "iface":
        lab.iface(*argv[:3])
    elif c == "roam":
        soft, gap = bool(opt("soft", True)), float(opt("gap", default="0"))
        lab.roam(argv[0], int(argv[1]), soft, gap)
    elif c == "set":
        lab.set_link(argv[0], argv[1], argv[2] if len(argv) > 2 else None)
    elif c == "nat":
        print(lab.nat_dump(argv[0]), end="")
    elif c == "verify":
        v = bool(opt("verbose", True))
        return 1 if verify(argv, lab.name if lab.name != "lab" else "labv", verbose=v) else 0
    elif c == "status":
        print(json.dumps(lab.st, indent=1))
    elif c == "kinds":
        print(" ".join(KINDS), *ALIAS)
    elif c == "down":
        lab.down()
    else:
        raise LabError(f"unknown command {c!r}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (LabError, KeyError, IndexError) as e:
        print(f"natlab: {type(e).__name__}: {e}", file=sys.stderr)
        sys.exit(2)
