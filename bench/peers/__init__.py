"""What the data plane is compared with. Each module has start(bench, variant): it makes the topology, starts the daemons and
says where the applications send and listen."""
from dataclasses import dataclass, field


@dataclass
class Ways:
    """How applications use a set of daemons."""
    to: str = ""    # A's application sends datagrams here; empty: no UDP
    bind: str = ""  # B's application listens here
    tcp: str = ""   # A connects here to reach B's port 5201; empty: no TCP
    tcp_bind: str = "0.0.0.0"  # B's iperf3
    options: dict = field(default_factory=dict)  # of udpblast
