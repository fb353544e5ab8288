"""No daemon at all: A-R-B (direct), or A-R-S-R-B through S's kernel (relay). What the others' round trips are counted from."""
from common import IP
from peers import Ways


def start(bench, variant):
    bench.topology("direct" if variant == "direct" else "viaS")
    return Ways(f"{IP['B']}:7000", f"{IP['B']}:7000", IP["B"])
