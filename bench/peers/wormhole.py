#!/usr/bin/env python3
"""wormhole: client on A, server on S, client on B; A and B cannot reach each other."""
import os, sys
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'tests'))
from common import *
from support.network import BINARY, Network
WHERE = {'server': 'S', 'a': 'A', 'b': 'B'}
b = Bench('wormhole-relay', 'wormhole through its server (ChaCha20-Poly1305, end to end)')
b.topology('relay')
flows = {'load': {'protocol': 'udp', 'port': 7000, 'between': ['a', 'b'], 'deliver': {'b': '127.0.0.1:7000'}}}
network = Network(b.dir, {'addresses': [IP['S']], 'port': 7700}, flows, lambda who: ['ip', 'netns', 'exec', 'wb' + WHERE[who]])
network.routes['clients'] = {'a': {}, 'b': {}}
with network:
    network.start_server()
    for client in 'ab':
        network.enrol(client)
b.t0()
b.spawn('S', f'{BINARY} server -c {b.dir}/routes.yaml')
for client in 'ba':
    b.spawn(WHERE[client], f'{BINARY} client --id {client} --state-dir {network.state(client)}')
b.measure('127.1.0.1:7000', '127.0.0.1:7000')
b.done()
