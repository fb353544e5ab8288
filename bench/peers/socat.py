"""socat as UDP and TCP relay on S: 4 MiB receive buffer. No cryptography."""
from common import IP
from peers import Ways


def start(bench, _):
    bench.topology("relay")
    bench.spawn("S", f"socat -b65536 UDP4-LISTEN:7000,fork,reuseaddr,rcvbuf=4194304 UDP4:{IP['B']}:7000")
    bench.spawn("S", f"socat -b65536 TCP4-LISTEN:5201,fork,reuseaddr TCP4:{IP['B']}:5201")
    return Ways(f"{IP['S']}:7000", f"{IP['B']}:7000", IP["S"])
