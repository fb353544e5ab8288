"""wireguard-go. direct: A to B; hub: A to S to B, both tunnels end in S."""
import os

from common import IP, wait_for
from peers import Ways

ADDRESS = {"A": "10.99.0.1", "B": "10.99.0.2", "S": "10.99.0.3"}


def start(bench, variant):
    direct = variant == "direct"
    bench.topology("direct" if direct else "relay")
    members = "AB" if direct else "ASB"
    keys = {}
    for who in members:
        secret = bench.file(f"{who}.key", bench.sh("wg genkey"))
        os.chmod(secret, 0o600)
        keys[who] = (secret, bench.sh(f"wg pubkey < {secret}").strip())
        bench.spawn(who, f"wireguard-go -f wbwg{who}")
    for who in members:
        wait_for(lambda: os.path.exists(f"/var/run/wireguard/wbwg{who}.sock"))
        inside = f"ip netns exec wb{who} wg set wbwg{who} "
        bench.sh(inside + f"listen-port 51820 private-key {keys[who][0]}")
        for other in "AB" if who == "S" else "AB".replace(who, "") if direct else "S":
            allowed = "10.99.0.0/24" if other == "S" else ADDRESS[other] + "/32"
            bench.sh(inside + f"peer {keys[other][1]} allowed-ips {allowed} endpoint {IP[other]}:51820")
        bench.sh(f"ip -n wb{who} addr add {ADDRESS[who]}/24 dev wbwg{who}; ip -n wb{who} link set wbwg{who} mtu 1420 up")
    return Ways(f"{ADDRESS['B']}:7000", f"{ADDRESS['B']}:7000", ADDRESS["B"])
