"""nebula, lighthouse on S. direct: A and B peer to peer; relay: S forwards (am_relay)."""
from common import IP, wait_for
from peers import Ways

ADDRESS = {"A": "10.98.0.1", "B": "10.98.0.2", "S": "10.98.0.3"}


def config(bench, who, direct):
    d, hub = bench.dir, who == "S"
    return f"""pki: {{ca: {d}/ca.crt, cert: {d}/{who}.crt, key: {d}/{who}.key}}
static_host_map: {{"{ADDRESS['S']}": ["{IP['S']}:4242"]}}
lighthouse: {{am_lighthouse: {str(hub).lower()}, interval: 5, hosts: [{'' if hub else '"' + ADDRESS['S'] + '"'}]}}
listen: {{host: 0.0.0.0, port: 4242, batch: 64}}
punchy: {{punch: true}}
cipher: aes
relay: {{am_relay: {str(hub).lower()}, use_relays: true{'' if hub or direct else ', relays: ["' + ADDRESS['S'] + '"]'}}}
tun: {{dev: nb{who}, mtu: 1300, tx_queue: 500}}
logging: {{level: warning}}
firewall: {{outbound: [{{port: any, proto: any, host: any}}], inbound: [{{port: any, proto: any, host: any}}]}}
"""


def start(bench, variant):
    bench.topology(variant)
    bench.sh(f"cd {bench.dir} && nebula-cert ca -name x")
    for who, address in ADDRESS.items():
        bench.sh(f"cd {bench.dir} && nebula-cert sign -name {who} -ip {address}/24")
        bench.file(f"{who}.yml", config(bench, who, variant == "direct"))
    for who in "SBA":
        bench.spawn(who, f"nebula -config {bench.dir}/{who}.yml")
    wait_for(lambda: all(bench.has_address(who, ADDRESS[who]) for who in "AB"))
    return Ways(f"{ADDRESS['B']}:7000", f"{ADDRESS['B']}:7000", ADDRESS["B"])
