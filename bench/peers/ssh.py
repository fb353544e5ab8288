"""ssh -L: A forwards a local TCP port through sshd on S to B. TCP only."""
import os

from common import IP
from peers import Ways


def start(bench, _):
    bench.topology("relay")
    d = bench.dir
    bench.sh(f'ssh-keygen -q -t ed25519 -N "" -f {d}/host; ssh-keygen -q -t ed25519 -N "" -f {d}/id; mkdir -p /run/sshd')
    os.rename(f"{d}/id.pub", f"{d}/auth")
    os.chmod(f"{d}/auth", 0o600)
    bench.file("sshd.conf", f"ListenAddress {IP['S']}:2222\nHostKey {d}/host\nAuthorizedKeysFile {d}/auth\nPidFile none\n"
                            "StrictModes no\nUsePAM no\nPermitRootLogin yes\n")
    bench.spawn("S", f"/usr/sbin/sshd -D -e -f {d}/sshd.conf")
    bench.spawn("A", f"ssh -N -i {d}/id -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectionAttempts=5 "
                     f"-L 127.0.0.1:5201:{IP['B']}:5201 {IP['S']}")
    return Ways(tcp="127.0.0.1")
