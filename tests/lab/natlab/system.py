"""Running commands of the system, and the lab's one error."""
import subprocess

RUN = "/run/natlab"


class LabError(Exception):
    pass


def sh(cmd, inp=None, check=True, timeout=30):
    p = subprocess.run(cmd, input=inp, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    if check and p.returncode:
        raise LabError(f"{' '.join(cmd)}: rc {p.returncode}: {p.stdout.strip()[-2000:]}" + (f"\ninput:\n{inp}" if inp else ""))
    return p.stdout
