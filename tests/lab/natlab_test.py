#!/usr/bin/env python3
"""Self test of natlab: what turnutils_natdiscovery does not see. ./labtest.py [NAME..]"""
import json, os, re, socket, subprocess, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from natlab import Lab, LabError, SRV_IPS
from natlab.stun import start_stun

# agent: reads JSON lines on stdin, answers on stdout. One UDP socket per name.
AGENT = r'''
import json, select, socket, sys, time
S = {}
def sock(n, port=0):
    if n not in S:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", port)); S[n] = s
    return S[n]
for line in sys.stdin:
    r = json.loads(line); s = sock(r.get("s", "x"), r.get("lport", 0)); o = {}
    try:
        if "dev" in r: s.setsockopt(socket.SOL_SOCKET, 25, r["dev"].encode())
        if "send" in r: s.sendto(r.get("data", "hi").encode(), tuple(r["send"]))
        if "wait" in r:
            ok = select.select([s], [], [], r["wait"])[0]
            if ok: d, a = s.recvfrom(65536); o = {"data": d.decode(), "from": list(a)}
    except OSError as e: o = {"err": str(e)}
    o["local"] = s.getsockname()[1]
    print(json.dumps(o), flush=True)
'''
# echo server: answers with the address it saw; data "to:IP:PORT" makes it answer from another socket (ip index, port index)
ECHO = r'''
import select, socket, sys
ips, ports = sys.argv[1].split(","), [7001, 7002, 7003]
S = {}
for i in ips:
    for p in ports:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((i, p)); S[s] = (i, p)
B = {v: k for k, v in S.items()}
print("ready", flush=True)
while True:
    for s in select.select(list(S), [], [])[0]:
        d, a = s.recvfrom(65536); d = d.decode(errors="replace"); t = s
        if d.startswith("from:"): i, p = map(int, d.split(":")[1:3]); t = B[(ips[i], ports[p])]
        if d.startswith("big:"): t.sendto(b"x" * int(d[4:]), a); continue
        t.sendto(("%s:%d" % a).encode(), a)
'''


class Agent:
    def __init__(self, lab, who):
        self.p = lab.popen(who, [sys.executable, "-c", AGENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, **k):
        self.p.stdin.write(json.dumps(k) + "\n")
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())

    def seen(self, ip=0, port=7001, s="x", wait=1.0, **k):
        return self(s=s, send=[SRV_IPS[ip], port], wait=wait, **k).get("data")


def lab_up(sites, **k):
    lab = Lab("labt").up(sites, **k)
    e = lab.popen("srv", [sys.executable, "-c", ECHO, ",".join(SRV_IPS)], stdout=subprocess.PIPE, text=True)
    e.stdout.readline()
    return lab


def check(name, cond, info=""):
    print(f"{'ok  ' if cond else 'BAD '} {name} {info}", flush=True)
    RES.append(bool(cond))


RES = []


def t_seq():
    for kind, d in (("symmetric_seq", 1), ("symmetric_seq,delta=3", 3), ("symmetric_seq_k", 1)):
        lab = lab_up({"a": kind})
        a = Agent(lab, "a")
        ports = [int(a.seen(i, p).split(":")[1]) for i in range(3) for p in (7001, 7002)]
        check(f"{kind}: ports step {d}", all(y - x == d for x, y in zip(ports, ports[1:])), ports)


def t_random():
    for kind in ("symmetric", "symmetric_u"):
        lab = lab_up({"a": kind})
        a = Agent(lab, "a")
        ports = [int(a.seen(0, 7001, s=f"s{i}").split(":")[1]) for i in range(200)]
        check(f"{kind}: 200 ports spread over the range", len(set(ports)) > 195 and min(ports) < 6000 and max(ports) > 60000, f"{min(ports)}..{max(ports)} distinct {len(set(ports))}")


def t_preserve():
    for kind in ("port_restricted", "port_restricted_u", "full_cone", "restricted_cone", "full_cone_k", "restricted_cone_k"):
        lab = lab_up({"a": kind})
        a = Agent(lab, "a")
        r = a(s="x", send=[SRV_IPS[0], 7001], wait=1)
        check(f"{kind}: port preserved", r["data"].endswith(f":{r['local']}"), r["data"])
    lab = lab_up({"a": "symmetric_preserve"})
    a = Agent(lab, "a")
    r = a(s="x", send=[SRV_IPS[0], 7001], wait=1)
    p2 = int(a.seen(1).split(":")[1])
    check("symmetric_preserve: first preserved, second other", r["data"].endswith(f":{r['local']}") and p2 != r["local"], f"{r} then {p2}")


def t_early():
    """unsolicited inbound before the first outbound packet must not spoil the port-preserving mapping"""
    for kind in ("port_restricted", "port_restricted_u", "restricted_cone", "full_cone_k", "restricted_cone_k"):
        lab = lab_up({"a": kind, "b": "none"})
        a, b = Agent(lab, "a"), Agent(lab, "b")
        for _ in range(3):
            b(s="x", lport=6000, send=[lab.public_ip("a"), 5555])
            time.sleep(0.05)
        r = a(s="x", lport=5555, send=[lab.public_ip("b"), 6000])
        g = b(s="x", wait=1)
        check(f"{kind}: early inbound does not change the mapping", g.get("data") == "hi" and g["from"][1] == 5555, g)


def t_collision():
    """two hosts behind the same NAT, same source port, same destination"""
    for kind in ("port_restricted", "port_restricted_u"):
        lab = lab_up({"a": f"{kind},hosts=2"})
        a, b = Agent(lab, "a"), Agent(lab, "a.2")
        m = [a.seen(0, lport=5555, s="x"), b.seen(0, lport=5555, s="x"), b.seen(1, s="x"), b.seen(0, 7002, s="x")]
        lab = lab_up({"a": f"{kind},hosts=2"})
        a, b = Agent(lab, "a"), Agent(lab, "a.2")
        a.seen(0, lport=5555)
        o = [b.seen(1, lport=5555), b.seen(0), b.seen(2)]
        check(f"{kind}: collision, host2 first to another destination", True, f"{o} -> host2 is {'EIM' if len(set(o)) == 1 else 'NOT EIM'}")
        check(f"{kind}: collision", m[0] != m[1], f"host1 {m[0]}; host2 {m[1:]} -> host2 is {'EIM' if len(set(m[1:])) == 1 else 'NOT EIM'}")


def t_timeout():
    for kind in ("port_restricted", "full_cone", "symmetric", "symmetric_seq", "full_cone_k"):
        lab = lab_up({"a": f"{kind},timeout=3"})
        a = Agent(lab, "a")
        res = []
        for gap in (1.5, 5.0):
            a.seen()
            a(s="x", send=[SRV_IPS[0], 7001], wait=1)
            while a(s="x", wait=0.05).get("data"):
                pass
            m = a.seen()
            time.sleep(gap)
            # ask another way: server side sends to the old mapping
            h, p = m.split(":")
            srv = Agent(lab, "srv")
            subprocess.run(["true"])
            lab.run("srv", [sys.executable, "-c", f"import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.setsockopt(1,15,1);s.bind(('{SRV_IPS[0]}',0));s.sendto(b'late',('{h}',{p}))"]) if kind.startswith("full") else None
            late = a(s="x", wait=0.5).get("data") if kind.startswith("full") else None
            m2 = a.seen()
            res.append((gap, m == m2, late))
        ok = (res[0][2] == "late" and res[1][2] is None) if kind.startswith("full") else (res[0][1] and (res[1][1] == (kind == "port_restricted")))
        check(f"{kind}: timeout=3", ok, res)


def t_reboot():
    for kind in ("port_restricted", "full_cone", "symmetric", "symmetric_seq", "full_cone_k", "symmetric_seq_k", "cgnat"):
        lab = lab_up({"a": kind})
        a = Agent(lab, "a")
        m1 = a.seen()
        lab.reboot_nat("a")
        m2 = a.seen()
        ip = lab.reboot_nat("a", new_ip=True)
        m3 = a.seen(wait=2)
        tcp = lab.run("a", ["ping", "-c1", "-W1", SRV_IPS[0]]).returncode
        ip2 = lab.reboot_nat("a", new_ip=True, downtime=0.2)
        m4 = a.seen(wait=2)
        keep = kind in ("port_restricted", "full_cone", "full_cone_k")
        check(f"{kind}: reboot, new IP", m2 and m3 and m4 and (m1 == m2) == keep and m3.startswith(ip + ":") and m4.startswith(ip2 + ":") and ip != ip2 and tcp == 0, (m1, m2, m3, m4))


def t_reboot_drops():
    """after a reboot inbound traffic is dead until the inside sends again"""
    for kind in ("port_restricted", "full_cone", "restricted_cone", "full_cone_k"):
        lab = lab_up({"a": kind, "b": "none"})
        a, b = Agent(lab, "a"), Agent(lab, "b")
        a(s="x", lport=5555, send=[lab.public_ip("b"), 6000])
        b(s="x", lport=6000, wait=1)
        b(s="x", send=[lab.public_ip("a"), 5555])
        r1 = a(s="x", wait=1).get("data")
        lab.reboot_nat("a")
        b(s="x", send=[lab.public_ip("a"), 5555])
        r2 = a(s="x", wait=0.5).get("data")
        a(s="x", send=[lab.public_ip("b"), 6000])
        b(s="x", wait=1)
        b(s="x", send=[lab.public_ip("a"), 5555])
        r3 = a(s="x", wait=1).get("data")
        check(f"{kind}: reboot cuts inbound until refreshed", (r1, r2, r3) == ("hi", None, "hi"), (r1, r2, r3))


def t_link():
    for spec in ("port_restricted", "port_restricted,delay=5", "full_cone", "cgnat", "none", "firewall"):
        lab = lab_up({"a": spec})
        a = Agent(lab, "a")
        r = [bool(a.seen())]
        lab.link("a", "down")
        r.append(bool(a.seen(wait=0.3)))
        lab.link("a", "up")
        r.append(bool(a.seen()))
        lab.link("a", "down", hard=True)
        r.append(bool(a.seen(wait=0.3)))
        lab.link("a", "up", hard=True)
        time.sleep(0.1)
        r.append(bool(a.seen(wait=2)))
        lab.iface("a", "eth0", "down")
        e = a(s="x", send=[SRV_IPS[0], 7001], wait=0.2).get("err")
        r.append(e)
        lab.iface("a", "eth0", "up")
        r.append(bool(a.seen(wait=2)))
        check(f"{spec}: link cut/up, hard, iface", r[:5] == [True, False, True, False, True] and r[5] and r[6], r)


def t_dual():
    lab = lab_up({"a": "symmetric,delay=20", "a2": "port_restricted,delay=5,host=a", "b": "none"})
    a = Agent(lab, "a")
    i1, i2 = lab.public_ip("a"), lab.public_ip("a2")
    r = [a.seen(s="d"), a.seen(s="e0", dev="eth0"), a.seen(s="e1", dev="eth1")]
    lab.roam("a", 1, soft=True)
    r.append(a.seen(s="d"))
    lab.roam("a", 0, soft=True)
    r.append(a.seen(s="d"))
    lab.iface("a", "eth1", "down")
    lab.iface("a", "eth1", "up")
    lab.roam("a", 1, gap=0.3)
    r.append(a.seen(s="f", wait=2))
    check("two uplinks: default, per device, soft roam and back, hard roam", [x and x.split(":")[0] for x in r] == [i1, i1, i2, i2, i1, i2], r)


def t_udp():
    lab = lab_up({"a": "udp_blocked", "b": "udp_53_443", "c": "full_cone,udp=none", "d": "port_restricted,tcp=443"})
    for who in "abcd":
        g = Agent(lab, who)
        u = g.seen(wait=0.4)
        res = {"udp7001": bool(u)}
        for proto, port in (("tcp", 80), ("tcp", 443), ("udp", 443), ("udp", 53)):
            srv = lab.popen("srv", ["socat", "-u", f"{proto.upper()}-LISTEN:{port},reuseaddr,bind={SRV_IPS[1]}" if proto == "tcp" else f"UDP-RECV:{port},bind={SRV_IPS[1]}", "STDOUT"], stdout=subprocess.PIPE)
            time.sleep(0.15)
            lab.run(who, f"echo x | timeout 1 socat -u STDIN {proto.upper()}:{SRV_IPS[1]}:{port},connect-timeout=1" if proto == "tcp" else f"echo x | timeout 1 socat -u STDIN UDP:{SRV_IPS[1]}:{port}")
            time.sleep(0.1)
            srv.terminate()
            res[f"{proto}{port}"] = srv.communicate()[0] == b"x\n"
        want = {"a": [0, 1, 1, 0, 0], "b": [0, 1, 1, 1, 1], "c": [0, 1, 1, 0, 0], "d": [1, 0, 1, 1, 1]}[who]
        check(f"{lab.st['sites'][who]['chain'][0]} {lab.st['sites'][who]['opt']}: ports", [int(v) for v in res.values()] == want, res)


def t_hairpin():
    for kind in ("port_restricted", "full_cone", "symmetric"):
        for hp in (0, 1):
            lab = lab_up({"a": f"{kind},hosts=2,hairpin={hp}"})
            a, b = Agent(lab, "a"), Agent(lab, "a.2")
            ma, mb = a.seen().rsplit(":"), b.seen().rsplit(":")
            a(s="x", send=[mb[0], int(mb[1])])
            b(s="x", send=[ma[0], int(ma[1])])
            a(s="x", send=[mb[0], int(mb[1])])
            ra, rb = a(s="x", wait=0.4), b(s="x", wait=0.4)
            local = b(s="x", send=[lab.host_ip("a"), a(s="x")["local"]])
            l = a(s="x", wait=0.5).get("data")
            exp = bool(hp) and kind != "symmetric"
            check(f"{kind} hairpin={hp}", (ra.get("data") == "hi" and rb.get("data") == "hi") == exp and (l == "hi"), f"via public {ra.get('from')} {rb.get('from')}; on the LAN {l}")


def t_carrier():
    for hp in (0, 1):
        lab = lab_up({"c": f"full_cone,hosts=0,hairpin={hp}", "a": "port_restricted,behind=c", "b": "port_restricted,behind=c,delay=3"})
        a, b = Agent(lab, "a"), Agent(lab, "b")
        ma, mb = a.seen(), b.seen()
        same = ma.split(":")[0] == mb.split(":")[0] == lab.public_ip("c")
        A, B = (ma.split(":")[0], int(ma.split(":")[1])), (mb.split(":")[0], int(mb.split(":")[1]))
        a(s="x", send=B)
        b(s="x", send=A)
        time.sleep(0.1)
        a(s="x", send=B)
        r = a(s="x", wait=0.5).get("data"), b(s="x", wait=0.5).get("data")
        check(f"two homes behind one carrier, hairpin={hp}", same and (r == ("hi", "hi")) == bool(hp), (ma, mb, r))


def t_link_quality():
    lab = lab_up({"a": "port_restricted,delay=30,jitter=10,loss=10,rate=10", "b": "full_cone,up_delay=5,down_delay=50,reorder=20", "c": "none,delay=10,loss=5,burst=8"})
    o = lab.run("a", ["ping", "-q", "-i", "0.005", "-c", "1000", "-W", "1", SRV_IPS[0]]).stdout
    loss = float(re.search(r"([\d.]+)% packet loss", o)[1])
    rtt = re.search(r"= ([\d.]+)/([\d.]+)/([\d.]+)", o)
    check("a: 2x10% loss -> ~19%, rtt 60 +-20", 15 < loss < 23 and 40 < float(rtt[1]) < 62 and 58 < float(rtt[2]) < 75 and float(rtt[3]) < 100, o.splitlines()[-2:])
    o = lab.run("b", ["ping", "-q", "-i", "0.01", "-c", "100", SRV_IPS[0]]).stdout
    rtt = re.search(r"= ([\d.]+)/([\d.]+)/", o)
    check("b: 5 up 50 down", 54 < float(rtt[1]) < 58, o.splitlines()[-1])
    lab.run("srv", ["iperf3", "-s", "-D", "-1"])
    time.sleep(0.3)
    o = lab.run("a", ["iperf3", "-u", "-b", "30M", "-l", "1200", "-t", "3", "-c", SRV_IPS[0], "-J"]).stdout
    j = json.loads(o)["end"]["sum"]
    got = j["bits_per_second"] * (1 - j["lost_percent"] / 100) / 1e6
    check("a: rate=10 Mbit/s with 10% loss", 8.9 < got < 10.7, f"{got:.2f} Mbit/s received")


def t_big():
    """IP fragments (a 4000 byte datagram) both ways, and a path MTU"""
    for spec in ("port_restricted", "full_cone", "symmetric_seq,delay=2"):
        lab = lab_up({"a": spec})
        a = Agent(lab, "a")
        r = a(s="x", send=[SRV_IPS[0], 7001], data="y" * 4000, wait=1).get("data")
        big = a(s="x", send=[SRV_IPS[0], 7001], data="big:4000", wait=1).get("data")
        check(f"{spec}: fragments", r and big and len(big) == 4000, (r, big and len(big)))


def t_ttl():
    lab = lab_up({"a": "port_restricted", "b": "none"})
    o = lab.run("a", ["ping", "-c1", "-W1", "-t", "5", lab.public_ip("b")]).stdout
    check("TTL 5 dies in the core (hops=8), with an ICMP", "Time to live exceeded" in o, o.splitlines()[1:2])
    lab = lab_up({"a": "full_cone", "b": "none"})
    o = lab.run("a", ["ping", "-c1", "-W1", "-t", "5", lab.public_ip("b")]).stdout
    check("same through natbox (ICMP error translated)", "Time to live exceeded" in o, o.splitlines()[1:2])


def t_tcp():
    """TCP out through every kind, big transfer"""
    for spec in ("none", "firewall", "full_cone", "port_restricted", "symmetric", "symmetric_seq", "address_dependent", "cgnat", "symmetric_seq_k", "udp_blocked", "port_restricted,box=1"):
        lab = lab_up({"a": spec})
        lab.run("srv", ["iperf3", "-s", "-D", "-1"])
        time.sleep(0.2)
        o = lab.run("a", ["iperf3", "-t", "1", "-c", SRV_IPS[0], "-J"]).stdout
        try:
            g = json.loads(o)["end"]["sum_received"]["bits_per_second"] / 1e9
        except (KeyError, ValueError):
            g = 0
        check(f"{spec}: TCP", g > 0.1, f"{g:.2f} Gbit/s")


SIMOPEN = r'''
import socket, sys, time
ip, port, t0 = sys.argv[1], int(sys.argv[2]), time.time(); err = None
while time.time() - t0 < 6:
    s = socket.socket(); s.setsockopt(1, 2, 1); s.setsockopt(1, 15, 1); s.bind(("0.0.0.0", 7777)); s.settimeout(3)
    try:
        s.connect((ip, port)); s.sendall(b"hello"); print(s.recv(5).decode(), round(time.time() - t0, 2)); break
    except OSError as e: err = e; s.close(); time.sleep(0.05)
else: print("fail", err)
'''


def t_simopen():
    """TCP simultaneous open through port-preserving NATs"""
    for ka, kb in (("port_restricted", "port_restricted"), ("port_restricted_u", "port_restricted_u"), ("port_restricted,delay=20", "full_cone,delay=20"), ("firewall", "port_restricted"), ("symmetric", "port_restricted")):
        lab = lab_up({"a": ka, "b": kb})
        p = [lab.popen(x, [sys.executable, "-c", SIMOPEN, lab.public_ip(y), "7777"], stdout=subprocess.PIPE, text=True) for x, y in (("a", "b"), ("b", "a"))]
        o = [x.communicate()[0].strip() for x in p]
        check(f"TCP simultaneous open {ka} <-> {kb}", all(x.startswith("hello") for x in o) == (ka != "symmetric"), o)


def t_stunhairpin():
    """hairpin as turnutils_natdiscovery -H sees it"""
    for spec, want in (("full_cone,hairpin=1", True), ("full_cone", False)):     # (behind port restricted filtering the tool's single packet cannot pass)
        lab = Lab("labt").up({"a": spec})
        start_stun(lab)
        try:
            o = lab.run("a", ["turnutils_natdiscovery", "-H", "-L", lab.host_ip("a"), SRV_IPS[0]], timeout=20).stdout
        except subprocess.TimeoutExpired as e:
            o = str(e.stdout)
        got = "successful hairpinning" in o
        check(f"{spec}: turnutils -H", got == want, o.split("=====")[-2:] and [l for l in o.splitlines() if "airpin" in l or "timeout" in l])


def t_updown():
    before = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
    def boxes():
        return subprocess.run("ps -eo args | grep -c '[r]un/natlab/natbox.*/labt/'", shell=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    ts = []
    for i in range(10):
        t = time.time()
        lab = Lab("labt").up({"a": "cgnat,delay=3", "b": "symmetric_seq", "a2": "port_restricted,host=a"})
        lab.popen("a", ["sleep", "100"])
        lab.down()
        ts.append(time.time() - t)
    left = {n for n in os.listdir("/run/netns") if n.startswith("labt-")}
    check("10 x up/down leaves nothing", not left and boxes() == "0" and not os.path.exists("/run/natlab/labt"), f"{max(ts):.2f} s at most for up+down; left {left} boxes {boxes()}")


if __name__ == "__main__":
    names = sys.argv[1:] or [n[2:] for n in list(globals()) if n.startswith("t_")]
    for n in names:
        try:
            globals()["t_" + n]()
        except Exception as e:
            check(n, False, repr(e))
        finally:
            Lab("labt").down()
    print(f"{sum(RES)} of {len(RES)} ok")
    sys.exit(RES.count(False) and 1)
