"""wormhole: client on A, server on S, client on B. relay: p2p off, and no way from A to B; direct: public addresses."""
import os
import sys

from common import HERE, IP, wait_for
from peers import Ways

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))
from support.network import BINARY, Network

WHERE = {"server": "S", "a": "A", "b": "B"}
FLOWS = {
    "load": {"protocol": "udp", "port": 7000, "between": ["a", "b"], "deliver": {"b": "127.0.0.1:7000"}},
    "bulk": {"protocol": "tcp", "port": 5201, "from": "a", "to": "b"},
}


def start(bench, variant):
    bench.topology(variant)
    network = Network(bench.dir, {"addresses": [IP["S"]], "port": 7700}, FLOWS,
                      lambda who: ["ip", "netns", "exec", "wb" + WHERE[who]])
    network.routes["clients"] = {client: {"p2p": "on" if variant == "direct" else "off"} for client in "ab"}
    with network:
        network.start_server()
        for client in "ab":
            network.enrol(client)
    bench.spawn("S", f"{BINARY} server -c {bench.dir}/routes.yaml")
    for client in "ba":
        network.binds[client] = "127.1.0.1"
        bench.spawn(WHERE[client], f"{BINARY} client --id {client} --state-dir {network.state(client)}")

    def ready():
        statuses = [network.status(client) for client in "ab"]
        return all(status and status["peers"] and status["peers"][0]["path"] == variant for status in statuses)
    if not wait_for(ready, 20):
        raise RuntimeError(f"no {variant} path within 20 s")
    return Ways("127.1.0.1:7000", "127.0.0.1:7000", "127.1.0.1", tcp_bind="127.0.0.1")
