"""`wormhole netcheck` behind every kind of NAT of the lab: what it says against what the NAT is."""
import concurrent.futures
import json
import shutil
import tempfile
import unittest

from natlab import SRV_IPS, Lab
from natlab.kinds import EXPECT
from natlab.stun import discover, start_stun
from support.network import Network, wait_until

WORDS = {"OPEN": "none (public address)", "EI": "endpoint-independent", "AD": "address-dependent", "APD": "address and port-dependent"}
EITHER = "endpoint-independent or address-dependent"
ALLOCATION = {"symmetric": "random", "symmetric_u": "random", "address_dependent": "random", "cgnat": "random",
              "symmetric_seq": "sequential", "symmetric_seq_k": "sequential"}
VARIANTS = ["full_cone,hairpin=1", "symmetric_seq,delta=7", "port_restricted_u,alloc=random", "full_cone,alloc=seq"]
ALSO_BY_STUN = ["full_cone", "restricted_cone", "port_restricted", "symmetric", "address_dependent"]
BLOCKED = ["udp_blocked", "udp_53_443"]
JOBS = 4


class Site:
    """A server with `addresses` and an enrolled client behind a NAT of a kind."""

    def __init__(self, name, spec, addresses=2):
        self.name, self.spec, self.addresses = name, spec, SRV_IPS[:addresses]

    def __enter__(self):
        self.lab = Lab(self.name)
        self.folder = tempfile.mkdtemp(prefix="netcheck")
        try:
            self.lab.up({"a": self.spec + ",delay=5"})
            where = {"server": "srv", "enrolment": "srv"}
            prefix = lambda who: ["ip", "netns", "exec", self.lab.ns(where.get(who, "a"))]
            self.network = Network(self.folder, {"addresses": self.addresses}, {}, prefix)
            self.network.routes["clients"] = {"drone3": {}}
            self.network.start_server()
            # In the server's network, because the client's may let no UDP out.
            done = self.network.run("enrolment", "enroll", "--state-dir", self.network.state("drone3"), stdin=self.network.invite("drone3"))
            assert done.returncode == 0, done.stdout
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if hasattr(self, "network"):
            self.network.__exit__()
        self.lab.down()
        shutil.rmtree(self.folder)

    def start_client(self):
        self.network.start_client("drone3")
        wait_until("the client's API", lambda: self.network.status("drone3"))

    def netcheck(self, *more):
        return self.network.run("drone3", "netcheck", *more)

    def found(self, *more):
        done = self.netcheck("--json", *more)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stdout
        return json.loads(lines[0])


def expectation(spec):
    kind, *options = spec.split(",")
    options = dict(option.split("=") for option in options)
    mapping, filtering = (WORDS[code] for code in EXPECT[kind])
    allocation = {"seq": "sequential", "random": "random"}.get(options.get("alloc")) or ALLOCATION.get(kind, "port-preserving")
    hairpin = None if mapping == WORDS["OPEN"] else options.get("hairpin") == "1"
    return {"mapping": mapping, "filtering": filtering, "allocation": allocation, "hairpin": hairpin}


def check_kind(number, spec):
    """What is wrong, one sentence each."""
    with Site(f"nc{number}", spec) as site:
        site.start_client()
        found = site.found()
        want = {**expectation(spec), "complete": True, "udp_passes": True, "problem": None}
        wrong = [f"{spec}: {key} is {found[key]}, expected {value}" for key, value in want.items() if found[key] != value]
        if found["allocation"] == "sequential" and found["step"] != int(spec.partition("delta=")[2] or 1):
            wrong.append(f"{spec}: step {found['step']}")
        address = (found["mapped"] or "").split(":")[0]
        if address != site.lab.public_ip("a"):
            wrong.append(f"{spec}: public {found['mapped']}, expected {site.lab.public_ip('a')}")
        table = site.network.run("drone3", "status").stdout
        if address not in table.partition("NAT: ")[2]:
            wrong.append(f"{spec}: no NAT line in {table}")
        if spec in ALSO_BY_STUN:
            start_stun(site.lab)
            mapping, filtering, *_ = discover(site.lab)
            if (WORDS[mapping], WORDS[filtering]) != (found["mapping"], found["filtering"]):
                wrong.append(f"{spec}: {found['mapping']}, {found['filtering']}, but turnutils_natdiscovery says {mapping}, {filtering}")
    return wrong


class Netcheck(unittest.TestCase):
    def test_every_kind_is_told_as_it_is(self):
        kinds = ALSO_BY_STUN + [k for k in EXPECT if k not in BLOCKED + ALSO_BY_STUN] + VARIANTS
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            wrong = [line for lines in pool.map(check_kind, range(len(kinds)), kinds) for line in lines]
        self.assertEqual(wrong, [])

    def test_a_firewall_that_drops_udp(self):
        with Site("ncb", BLOCKED[0]) as site:
            site.start_client()
            found = site.found()
            self.assertEqual((found["problem"], found["udp_passes"], found["known"]), ("udp_blocked", False, False))
            done = site.netcheck()
            self.assertEqual(done.returncode, 1)
            self.assertIn("blocks UDP", done.stdout)

    def test_a_server_of_one_address(self):
        with Site("nco", "port_restricted", addresses=1) as site:
            site.start_client()
            found = site.found()
            self.assertEqual((found["problem"], found["mapping"], found["one_address"]), ("one_address", EITHER, True))
            self.assertIn("can't be told", " ".join(site.netcheck().stdout.split()))

    def test_without_a_client_that_runs(self):
        with Site("ncn", "full_cone") as site:
            self.assertIn("no client answers", site.netcheck().stdout)
            alone = ["--id", "drone3", "--state-dir", site.network.state("drone3")]
            self.assertEqual(site.found(*alone)["filtering"], WORDS["EI"])
            self.assertEqual(site.found(*alone, "--server", SRV_IPS[1])["filtering"], EITHER)  # asked there alone


if __name__ == "__main__":
    unittest.main()
