"""coturn as TURN relay on S: A is a TURN client (ChannelData, in udpblast), B a plain UDP peer. No cryptography."""
from common import IP
from peers import Ways


def start(bench, _):
    bench.topology("relay")
    bench.spawn("S", f"turnserver -n --listening-ip={IP['S']} --relay-ip={IP['S']} --listening-port=3478 --no-auth --no-tls --no-dtls "
                     f"--no-cli --realm=x --log-file=stdout --simple-log --pidfile={bench.dir}/pid --db={bench.dir}/db "
                     "--allocation-default-address-family=ipv4")
    at, peer = f"{IP['S']}:3478", f"{IP['B']}:7000"
    return Ways(at, peer, options={"turn": at, "turn-peer": peer, "tx-bind": "0.0.0.0:0"})
