"""A wormhole server and its clients as processes, for the lab's tests and the benchmarks.

Everything lies under one folder: routes.yaml, a state directory and a log for each process. `prefix` says
in which network namespace a command runs; without it everything runs on this machine's loopback.
"""
import json
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = ROOT / "build" / "wormhole"


class Failed(Exception):
    """What was waited for did not happen."""


def wait_until(what, condition, seconds=10.0, step=0.02):
    """Polls `condition` until it gives something true, which is returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(step)


class Network:
    """One server, its clients, and their processes. Use it in a `with`: leaving it ends them all."""

    def __init__(self, folder, server, flows, prefix=lambda who: []):
        """`server`: the server section without state_dir; `flows`: the flows section."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prefix = prefix
        self.routes = {"server": {**server, "state_dir": str(self.folder / "server")}, "clients": {}, "flows": flows}
        self.processes, self.binds = {}, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.end(name)

    # ------------------------------------------------------------ files
    def write_routes(self):
        """Puts self.routes in force as an editor does: a new file under the old name. One entry a line; JSON is YAML."""
        text = self.folder / "routes.new"
        with open(text, "w") as file:
            for section, entries in self.routes.items():
                file.write(f"{section}:\n" if entries else f"{section}: {{}}\n")
                file.writelines(f"  {key}: {json.dumps(value)}\n" for key, value in entries.items())
        text.replace(self.folder / "routes.yaml")

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # ------------------------------------------------------------ processes
    def command(self, who, *arguments):
        return [*self.prefix(who), str(BINARY), *map(str, arguments)]

    def run(self, who, *arguments, stdin="", timeout=10):
        """A command to its end; .returncode, .stdout with both outputs."""
        return subprocess.run(self.command(who, *arguments), input=stdin, text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def spawn(self, name, command):
        with open(self.folder / f"{name}.log", "a") as log:
            self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.processes[name]

    def end(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start_server(self):
        """Starts it and waits until it answers on its control socket, which it opens last."""
        self.write_routes()
        process = self.spawn("server", self.command("server", "server", "-c", self.folder / "routes.yaml"))
        wait_until("the server answers", self.server_answers)
        return process

    def server_answers(self):
        with socket.socket(socket.AF_UNIX) as caller:
            return caller.connect_ex(str(self.folder / "server" / "control.sock")) == 0

    def invite(self, client):
        """The code for `client`, made by the running server."""
        done = subprocess.run(self.command("server", "invite", client, "-c", self.folder / "routes.yaml"),
                              capture_output=True, text=True, timeout=10)
        if done.returncode:
            raise Failed(f"no code for {client}: {done.stderr}")
        return done.stdout

    def state(self, client):
        return self.folder / client

    def enrol(self, client, code=None):
        done = self.run(client, "enroll", "--state-dir", self.state(client), stdin=code or self.invite(client))
        if done.returncode:
            raise Failed(f"{client} could not enrol: {done.stdout}")

    def start_client(self, client, bind="127.1.0.1", name=None, *more):
        """Starts the client; `name` tells a second process of the same ID apart."""
        self.binds[name or client] = bind
        return self.spawn(name or client, self.command(client, "client", "--id", client, "--state-dir", self.state(client),
                                                       "--bind", bind, *more))

    # ------------------------------------------------------------ what one can see
    def status(self, client):
        """The client's status, or None while it does not answer."""
        done = subprocess.run(self.command(client, "status", "--json", "--bind", self.binds[client]),
                              capture_output=True, text=True, timeout=10)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def connected(self, client, peers=1):
        """The client's status when it has its server and a path to `peers` peers, else None."""
        status = self.status(client)
        if not status or not status["server"]["connected"]:
            return None
        return status if sum(p["path"] != "none" for p in status["peers"]) >= peers else None

    def wait_connected(self, *clients, seconds=10.0):
        for client in clients:
            wait_until(f"{client} connected", lambda: self.connected(client), seconds)


def pss_kib(pid):
    """The process's proportional memory: pages that it shares with others counted in part."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def cpu_seconds(pid):
    """User and system time so far. The kernel counts in ticks of 10 ms, its clock of the process in ns."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


