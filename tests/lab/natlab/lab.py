"""A lab in use: run commands in it, cut links, reboot NATs, let clients roam."""
import re
import subprocess
import time

from .build import Builder
from .system import LabError


class Lab(Builder):
    """A lab by name. An existing one is taken up again; up() builds it anew; down() removes it."""

    def cmd(self, who, cmd):
        return ["ip", "netns", "exec", self.ns(who)] + (["sh", "-c", cmd] if isinstance(cmd, str) else list(cmd))

    def run(self, who, cmd, **kw):
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.STDOUT)
        kw.setdefault("text", True)
        return subprocess.run(self.cmd(who, cmd), **kw)

    def popen(self, who, cmd, **kw):
        return subprocess.Popen(self.cmd(who, cmd), **kw)

    def public_ip(self, site):
        return self.st["sites"][site]["gws"][-1]["ip"]

    def host_ip(self, host, uplink=0):
        return self.st["hosts"][host]["uplinks"][uplink]["ip"]

    def _gw_flush(self, gw):
        if gw.get("nat"):
            self.ctl(gw, "flush")
        elif gw["cfg"]["engine"] == "masq" or gw["cfg"].get("fw"):
            if gw["cfg"].get("dyn"):
                self.nft(gw["ns"], "flush map ip lab eim\n")
            self.nsx(gw["ns"], ["conntrack", "-F"])

    def reboot_nat(self, site, new_ip=False, downtime=0.0, level=None):
        """all mappings gone (every NAT of the site's chain, or one level: 0 home, 1 carrier); optionally a new public IP"""
        s = self.st["sites"][site]
        if downtime:
            self.link(site, "down")
            time.sleep(downtime)
        for i, gw in enumerate(s["gws"]):
            if level is None or level == i:
                if new_ip and gw["outer"]:
                    self._new_ip(s, gw)
                self._gw_flush(gw)
        if downtime:
            self.link(site, "up")
        self.save()
        return s["gws"][-1]["ip"]

    def _new_ip(self, s, gw):
        if gw["cfg"]["engine"] == "route":
            raise LabError("new IP: only for NAT sites")
        old = gw["ip"]
        s["cur"] = (s["cur"] + 1) % len(s["pool"])
        new = gw["ip"] = s["pool"][s["cur"]]
        if gw.get("nat"):
            self.ctl(gw, f"ext {new}")
            gw["nat"]["ext"] = new
        else:
            self.ip(gw["ns"], f"addr add {new}/32 dev wan", f"route replace default {gw['via']} src {new}", f"addr del {old}/32 dev wan")
            if gw["cfg"].get("seq"):
                self.nft(gw["ns"], "delete table ip lab\n" + gw["nft"].replace(f"snat to {old} ", f"snat to {new} "))
                gw["nft"] = gw["nft"].replace(f"snat to {old} ", f"snat to {new} ")
        self.ip(gw["up_ns"], f"route replace {new}/32 dev {gw['dev']}", f"route del {old}/32 dev {gw['dev']}")

    def link(self, site, state, hard=False):
        """down: blackhole between the site's outermost gateway and the internet (nobody notices); hard: interface down"""
        gw = self.st["sites"][site]["gws"][-1]
        if hard:
            self.ip(gw["ns"], f"link set wan {state}")
            if state == "up":
                self.ip(gw["ns"], f"route replace default {gw['via']}" + (f" src {gw['ip']}" if gw["addr"] else ""))
                self.ip(gw["up_ns"], f"link set {gw['dev']} up", *[f"route replace {i}/32{gw['down_via']} dev {gw['dev']}" + (" onlink" if gw["down_via"] else "") for i in (self.st["sites"][site]["pool"] if gw["cfg"]["engine"] == "route" else [gw["ip"]])])
            return
        t = "cut_" + re.sub(r"\W", "_", gw["dev"])
        rules = f"table ip {t}\ndelete table ip {t}\n"
        if state == "down":
            rules += (f'table ip {t} {{\n chain a {{ type filter hook prerouting priority -400; iifname "{gw["dev"]}" drop; }}\n'
                      f' chain b {{ type filter hook postrouting priority 400; oifname "{gw["dev"]}" drop; }}\n}}\n')
        self.nft(gw["up_ns"], rules)

    def iface(self, host, dev, state):
        h = self.st["hosts"][host]
        u = next(x for x in h["uplinks"] if x["dev"] == dev)
        if state == "up":
            self._host_if_up(h, u)
        else:
            self.ip(h["ns"], f"link set {dev} down")

    def roam(self, host, to, soft=False, gap=0.0):
        """hard: all other uplinks go down, gap seconds nothing, then uplink `to` comes up; soft: only the default route moves"""
        h = self.st["hosts"][host]
        if soft:
            for u in h["uplinks"]:
                self.nsx(h["ns"], ["ip", "route", "del", "default", "via", u["gw"], "dev", u["dev"], "metric", str(u["metric"])], check=False)
            for i, u in enumerate(h["uplinks"]):
                u["metric"] = 50 if i == to else 100 + 100 * i
                self.ip(h["ns"], f"route replace default via {u['gw']} dev {u['dev']} onlink metric {u['metric']}")
            self.save()
            return
        for i, u in enumerate(h["uplinks"]):
            if i != to:
                self.iface(host, u["dev"], "down")
        time.sleep(gap)
        self.iface(host, h["uplinks"][to]["dev"], "up")

    def set_link(self, site, changes, direction=None):
        """change impairments of a running natbox link: set_link('a', 'delay=50,loss=2')"""
        gw = {"ctl": self.st["boxes"]["srv"]} if site == "srv" else self.st["sites"][site]["gws"][-1]
        if not gw.get("ctl"):
            raise LabError(f"{site} has a kernel link: give it box=1 (or any impairment) at up")
        self.ctl(gw, f"imp {direction or 'both'} {changes}")

    def nat_dump(self, site):
        out = ""
        for gw in self.st["sites"][site]["gws"]:
            out += f"# {gw['kind']} {gw['ip']} ({gw['ns']})\n"
            if gw.get("ctl"):
                out += self.ctl(gw, "stats")
            if gw.get("nat"):
                out += self.ctl(gw, "dump")
            else:
                out += self.nsx(gw["ns"], ["conntrack", "-L"], check=False)
        return out
