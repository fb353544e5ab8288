"""Building a lab: the internet, the server, and the sites with their gateways and clients."""
import ipaddress
import re
import subprocess

from .kinds import KINDS, NATOPT, SRV_IPS, U, imp_args, parse_spec
from .space import Space
from .system import LabError


class Builder(Space):
    """Adds up() to the namespaces."""

    def up(self, sites, hops=8, srv="", common=""):
        """sites: {'a': 'symmetric,delay=20', ..}; common: options added to every site; srv: impairments of the server's link"""
        for s in sites.values():
            parse_spec(s)
        self.down()
        self.st = {"ns": [], "sites": {}, "hosts": {}, "procs": [], "hops": hops, "spec": sites}
        self.save()
        try:
            self._up(sites, hops, srv, common)
        except BaseException:
            self.down()
            raise
        self.save()
        return self

    def _up(self, sites, hops, srv, common):
        inet = self.add_ns("inet")
        self.ip(inet, "addr add 198.51.100.1/32 dev lo")
        srvns = self.add_ns("srv")
        _, o = parse_spec("none" + ("," + srv if srv else ""))
        self._attach("srv", srvns, inet, SRV_IPS, o, None, None)
        if hops:
            t = "\n".join(f"chain t{i} {{ ip ttl set {max(1, i - hops)}; }}" for i in range(1, 256))
            v = ", ".join(f"{i} : jump t{i}" for i in range(1, 256))
            self.nft(inet, f"table ip hops {{\n{t}\nchain pre {{ type filter hook prerouting priority -300; policy accept;\n ip ttl vmap {{ {v} }}\n}}\n}}\n")
        parsed = {n: parse_spec(s + ("," + common if common else "")) for n, s in sites.items()}
        order = [n for n in parsed if parsed[n][1].get("hosts") == "0"] + [n for n in parsed if parsed[n][1].get("hosts") != "0"]
        for n in order:
            if not re.fullmatch(r"[a-z][a-z0-9]{0,8}", n) or n in ("srv", "inet"):
                raise LabError(f"bad site name {n!r}")
            self._site(n, *parsed[n])
            self.save()

    def _site(self, name, chain, opt):
        k = len(self.st["sites"])
        if k > 29:
            raise LabError("at most 30 sites")
        pool = [f"203.0.113.{8 + 8 * k + i}" for i in range(8)]
        lan = ipaddress.ip_network(opt.get("lan", f"192.168.{k + 1}.0/24"))
        up_ns, up_carrier = self.ns("inet"), None
        if "behind" in opt:
            c = self.st["sites"][opt["behind"]]
            up_ns = c["gws"][0]["ns"]
            ck = c["k"]
            c["down"] = c.get("down", 0) + 1
            pool = [f"100.64.{ck}.{8 * c['down'] + i}" for i in range(8)]
        site = {"k": k, "chain": chain, "opt": opt, "pool": pool, "cur": 0, "gws": [], "lan": str(lan), "hosts": []}
        self.st["sites"][name] = site
        # outermost gateway first
        for lvl in range(len(chain) - 1, -1, -1):
            outer = lvl == len(chain) - 1
            kind = dict(KINDS[chain[lvl]])
            ns = self.add_ns(f"{name}-gw" if lvl == 0 else f"{name}-cgw{lvl}")
            pub = kind["engine"] == "route"
            if pub and len(chain) > 1:
                raise LabError("none/firewall cannot be chained")
            wan_ip = pool[0] if outer else f"100.64.{k}.{10 + lvl}"
            gw = {"ns": ns, "kind": chain[lvl], "cfg": kind, "ip": wan_ip, "up_ns": up_ns, "outer": outer, "dev": f"d-{name}{lvl}"}
            site["gws"].insert(0, gw)
            nat = None
            user = kind["engine"] == "user" or (outer and opt.get("hairpin") == "1" and kind["engine"] == "masq")
            if user and kind["engine"] == "masq":     # kernel masquerade cannot do hairpin: same kind in user space
                if any(kind.get(x) for x in ("dyn", "dmz", "seq")):
                    raise LabError("hairpin=1 does not go with *_k kinds")
                kind.update(U("apd", "apd", "random") if kind.get("random") else U("ei", "apd"))
            if kind["engine"] == "user":
                nat = {x: kind[x] for x in ("map", "filter", "alloc")}
                if outer:
                    nat.update({x: opt[x] for x in NATOPT if x in opt})
                elif "timeout" in opt:
                    nat["timeout"] = opt["timeout"]
                nat["ext"] = wan_ip
            ips = pool if pub else [wan_ip]
            self._attach(f"{name}{lvl}", ns, up_ns, ips, opt if outer else {}, nat, gw, addr=not pub and not nat)
            self._gw_rules(gw, opt, str(lan) if lvl == 0 else None)
            up_ns = ns
        if opt.get("hosts") == "0":
            return
        # clients
        ns = site["gws"][0]["ns"]
        pub = KINDS[chain[0]]["engine"] == "route"
        lan_gw = "169.254.1.1" if pub else str(lan[1])
        plen = 32 if pub else lan.prefixlen
        self.ip(ns, "link add br0 type bridge", "link set br0 up", f"addr add {lan_gw}/{plen} dev br0")
        for i in range(1, int(opt.get("hosts", 1)) + 1):
            hname = opt["host"] if "host" in opt else name if i == 1 else f"{name}.{i}"
            if hname not in self.st["hosts"]:
                if "host" in opt:
                    raise LabError(f"site {name}: no client {hname} yet")
                self.st["hosts"][hname] = {"ns": self.add_ns(hname), "uplinks": []}
            h = self.st["hosts"][hname]
            n = len(h["uplinks"])
            ip = pool[i - 1] if pub else str(lan[1 + i if "host" not in opt else 100])
            self.ip(ns, f"link add h{name}{i} type veth peer name eth{n} netns {h['ns']}", f"link set h{name}{i} master br0", f"link set h{name}{i} up")
            if pub:
                self.ip(ns, f"route add {ip}/32 dev br0")
            u = {"dev": f"eth{n}", "ip": ip, "plen": plen, "gw": lan_gw, "site": name, "table": 101 + n, "metric": 100 + 100 * n}
            h["uplinks"].append(u)
            site["hosts"].append(hname)
            self._host_if_up(h, u)
            self.ip(h["ns"], f"rule add from {ip} lookup {u['table']} priority {1000 + n}")

    def _host_if_up(self, h, u):
        self.ip(h["ns"], f"link set {u['dev']} up", f"addr replace {u['ip']}/{u['plen']} dev {u['dev']}",
                f"route replace default via {u['gw']} dev {u['dev']} onlink metric {u['metric']}",
                f"route replace default via {u['gw']} dev {u['dev']} onlink table {u['table']}")

    def _attach(self, label, ns, up_ns, ips, opt, nat, gw, addr=True):
        """link ns (device wan) to up_ns (device d-LABEL), which routes ips to it"""
        dev, mtu = f"d-{label}", opt.get("mtu", "1500")
        imp, down_via = imp_args(opt), ""
        gwa = f"169.254.{10 + self.st['ns'].index(up_ns)}.1"      # differs per level: a carrier's own downlinks must not hold its gateway's address
        if nat or imp["up"] or imp["down"] or opt.get("box") == "1":
            ctl = f"{self.dir}/{label}.ctl"
            cmd = [self.natbox_bin(), "--in", f"{ns}:wan", "--out", f"{up_ns}:{dev}", "--ctl", ctl]
            if nat:
                cmd += ["--nat", ",".join(f"{k}={v}" for k, v in nat.items())]
            for d in ("up", "down"):
                if imp[d]:
                    cmd += [f"--{d}", imp[d]]
            if "seed" in opt:
                cmd += ["--seed", opt["seed"]]
            err = open(f"{self.dir}/{label}.log", "w")
            p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, start_new_session=True)
            self.st["procs"].append({"pid": p.pid, "ctl": ctl})
            self.save()
            if p.stdout.readline() != b"ready\n":
                raise LabError(f"natbox failed: {open(err.name).read()}")
            p.stdout.close()
            if gw is not None:
                gw["ctl"], gw["nat"] = ctl, nat
            self.st.setdefault("boxes", {})[label] = ctl
            self.ip(ns, f"link set wan mtu {mtu} txqueuelen 5000 up")
            self.ip(up_ns, f"link set {dev} mtu {mtu} txqueuelen 5000 up")
            via = "dev wan"
        else:
            self.ip(up_ns, f"link add {dev} mtu {mtu} type veth peer name wan mtu {mtu} netns {ns}", f"link set {dev} up", f"addr add {gwa}/32 dev {dev}")
            self.ip(ns, "link set wan up")
            via = f"via {gwa} dev wan onlink"
            if not addr:                             # nobody answers ARP for a routed public address: route it via the gateway
                self.ip(ns, "addr add 169.254.0.2/32 dev wan")
                down_via = " via 169.254.0.2"
        if addr:
            self.ip(ns, *[f"addr add {i}/32 dev wan" for i in ips])
        src = f" src {ips[0]}" if addr else ""
        self.ip(ns, f"route add default {via}{src}")
        for i in ips:
            self.ip(up_ns, f"route add {i}/32{down_via} dev {dev}" + (" onlink" if down_via else ""))
        if gw is not None:
            gw["via"], gw["dev"], gw["addr"], gw["label"], gw["down_via"] = via, dev, addr, label, down_via

    def _gw_rules(self, gw, opt, lan):
        k, inside = gw["cfg"], 'iifname != "wan"'
        eng = k["engine"]
        pol = ""
        for proto in ("udp", "tcp"):
            allow = opt.get(proto, k.get(proto)) if lan else None       # applied in the client's own gateway
            if allow == "none":
                pol += f"  meta l4proto {proto} drop\n"
            elif allow:
                ports = allow.replace("+", ", ")
                pol += f"  {inside} {proto} dport != {{ {ports} }} drop\n  iifname \"wan\" {proto} sport != {{ {ports} }} drop\n"
        t = opt.get("timeout")
        if eng == "masq" or k.get("fw"):
            if t:
                self.nsx(gw["ns"], ["sh", "-c", f"cd /proc/sys/net/netfilter; echo {int(float(t))} >nf_conntrack_udp_timeout; echo {int(float(t))} >nf_conntrack_udp_timeout_stream"])
            if "tcp_timeout" in opt:
                self.nsx(gw["ns"], ["sh", "-c", f"echo {int(float(opt['tcp_timeout']))} >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established"])
        if eng == "user" or (eng == "route" and not k.get("fw")):
            if pol:
                self.nft(gw["ns"], f"table ip lab {{\n chain forward {{ type filter hook forward priority filter; policy accept;\n{pol} }}\n}}\n")
            return
        r = "table ip lab {\n"
        if eng == "masq" and k.get("dyn"):
            dt = int(float(t or 120))
            ty, key = ("inet_service", "udp sport") if k["dyn"] == "fc" else ("ipv4_addr . inet_service", "ip daddr . udp sport")
            r += f" map eim {{ type {ty} : ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout {dt}s; }}\n"
            r += f' chain learn {{ type filter hook postrouting priority srcnat - 1; policy accept;\n  oifname "wan" meta l4proto udp update @eim {{ {key} : ip saddr . udp sport }}\n }}\n'
            look = "udp dport" if k["dyn"] == "fc" else "ip saddr . udp dport"
            r += f' chain pre {{ type nat hook prerouting priority dstnat; policy accept;\n  iifname "wan" dnat ip to {look} map @eim\n }}\n'
        if k.get("dmz"):
            r += f' chain pre {{ type nat hook prerouting priority dstnat; policy accept;\n  iifname "wan" meta l4proto {{ tcp, udp }} dnat to {ipaddress.ip_network(lan)[2]}\n }}\n'
        r += (' chain input { type filter hook input priority filter; policy accept;\n  iifname "wan" ct state established,related accept\n  iifname "wan" drop\n }\n'
              f' chain forward {{ type filter hook forward priority filter; policy drop;\n{pol}  ct state established,related accept\n  {inside} accept\n  ct status dnat accept\n }}\n')
        if eng == "masq":
            if k.get("seq"):
                lo, hi = int(opt.get("lo", 20000)), int(opt.get("hi", 24095))
                # not "numgen inc mod N offset LO": that number reaches the packet with its two bytes swapped (nft 1.0.6)
                ports = ", ".join(f"{i} : {lo + i}" for i in range(hi - lo + 1))
                m = f'meta l4proto udp snat to {gw["ip"]} : numgen inc mod {hi - lo + 1} map {{ {ports} }}\n  oifname "wan" masquerade'
            else:
                m = "masquerade" + (f' to :{opt.get("lo", 1024)}-{opt.get("hi", 65535)}' if gw["outer"] and ("lo" in opt or "hi" in opt) else "")
                m = m if not k.get("random") else m + (" fully-random")
                if gw["outer"] and ("lo" in opt or "hi" in opt):
                    m = "meta l4proto { tcp, udp } " + m + '\n  oifname "wan" masquerade'
            r += f' chain post {{ type nat hook postrouting priority srcnat; policy accept;\n  oifname "wan" {m}\n }}\n'
        r += "}\n"
        self.nft(gw["ns"], r)
        gw["nft"] = r
