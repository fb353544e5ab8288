"""The kinds of NAT and link that the lab knows, and how a site's spec is read."""
import re

from .system import LabError

SRV_IPS = ["198.51.100.10", "198.51.100.11", "198.51.100.12"]
IMP = ["delay", "jitter", "loss", "burst", "dup", "reorder", "reorder_ms", "rate", "queue"]
NATOPT = ["timeout", "tcp_timeout", "hairpin", "refresh_in", "max", "noise", "lo", "hi", "delta", "alloc", "fallback"]
OTHER = ["hosts", "lan", "mtu", "behind", "host", "udp", "tcp", "box", "seed"]
U = lambda m, f, a="preserve", **k: dict(engine="user", map=m, filter=f, alloc=a, **k)
KINDS = {
    "none": dict(engine="route"),
    "firewall": dict(engine="route", fw=True),
    "full_cone": U("ei", "ei"), "restricted_cone": U("ei", "ad"), "port_restricted": dict(engine="masq"),
    "symmetric": dict(engine="masq", random=True),
    "symmetric_seq": U("apd", "apd", "seq"), "symmetric_preserve": U("apd", "apd", "preserve"),
    "address_dependent": U("ad", "ad", "random"),
    "port_restricted_u": U("ei", "apd"), "symmetric_u": U("apd", "apd", "random"),
    "full_cone_k": dict(engine="masq", dyn="fc"), "restricted_cone_k": dict(engine="masq", dyn="rc"),
    "full_cone_dmz_k": dict(engine="masq", dmz=True), "symmetric_seq_k": dict(engine="masq", seq=True),
    "udp_blocked": dict(engine="masq", udp="none"), "udp_53_443": dict(engine="masq", udp="53+443"),
}
ALIAS = {"cgnat": "port_restricted+symmetric"}
# what the RFC 5780 tool must say: (mapping, filtering)
EXPECT = {"none": ("OPEN", "EI"), "firewall": ("OPEN", "APD"), "full_cone": ("EI", "EI"), "restricted_cone": ("EI", "AD"),
          "port_restricted": ("EI", "APD"), "symmetric": ("APD", "APD"), "symmetric_seq": ("APD", "APD"),
          "symmetric_preserve": ("APD", "APD"), "address_dependent": ("AD", "AD"), "port_restricted_u": ("EI", "APD"),
          "symmetric_u": ("APD", "APD"), "full_cone_k": ("EI", "EI"), "restricted_cone_k": ("EI", "AD"), "full_cone_dmz_k": ("EI", "EI"),
          "symmetric_seq_k": ("APD", "APD"), "cgnat": ("APD", "APD"), "udp_blocked": ("NOUDP", "NOUDP"), "udp_53_443": ("NOUDP", "NOUDP")}


def parse_spec(spec):
    parts = [x.strip() for x in spec.split(",") if x.strip()]
    if not parts:
        raise LabError("empty site spec")
    chain = ALIAS.get(parts[0], parts[0]).split("+")
    for k in chain:
        if k not in KINDS:
            raise LabError(f"unknown NAT kind {k!r}; known: {' '.join(KINDS)} {' '.join(ALIAS)}")
    opt = {}
    for p in parts[1:]:
        k, eq, v = p.partition("=")
        base = re.sub(r"^(up|down)_", "", k)
        if not eq or not (k in NATOPT + OTHER or base in IMP):
            raise LabError(f"unknown option {p!r}")
        opt[k] = re.sub(r"(?<=\d)(ms|s|%|mbit)$", "", v)
    return chain, opt


def imp_args(opt):
    res = {}
    for d in ("up", "down"):
        kv = {k: opt[k] for k in IMP if k in opt}
        kv.update({k: opt[f"{d}_{k}"] for k in IMP if f"{d}_{k}" in opt})
        res[d] = ",".join(f"{k}={v}" for k, v in kv.items())
    return res
