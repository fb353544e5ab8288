"""natlab: a private NAT test lab in network namespaces (root, Linux, standard library only)."""
from .kinds import SRV_IPS
from .lab import Lab
from .system import LabError

__all__ = ["Lab", "LabError", "SRV_IPS"]
