"""Ray on this computer alone, for as long as one sweep: it listens on 127.0.0.1, wants a token that nobody else has,
reports to nobody, and ends with the process that has started it.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from workshop.errors import UserError
from workshop.sweep import process

#: The number that Ray has for this computer.
_NODE = secrets.token_hex(28)
#: Ray's own settings.
_SETTINGS = {
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": _NODE,
    "RAY_USAGE_STATS_ENABLED": "0",
    # Without it, Ray on Linux takes the computer's address in its network in place of 127.0.0.1.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    # On a busy computer its parts begin slower than Ray expects (30 s), and it would give up.
    "RAY_agent_register_timeout_ms": "600000",
    # Its workers would give way to all other programs.
    "RAY_worker_niceness": "0",
}
#: What gets a port each. Where Ray chooses one itself, it waits 15 s to hear which one it is, and then gives up.
_PORTS = (
    "port", "node-manager-port", "object-manager-port", "runtime-env-agent-port", "dashboard-agent-grpc-port",
    "dashboard-agent-listen-port", "metrics-export-port", "ray-client-server-port",
)  # fmt: skip
#: Bytes of memory that Ray keeps for what its workers pass to each other, which here is nothing: the fewest it takes.
_OBJECT_STORE = 80_000_000
#: What Ray says when it is there.
_STARTED = b"Ray runtime started."
#: All of it has 30 s to begin, which cannot be set; so on a busy computer it is tried again.
_ATTEMPTS = 3
#: Seconds that it may take to end.
_ENDING_SECONDS = 60.0
_LOOK_SECONDS = 0.1


@contextmanager
def local_ray(workers: int, log: Path) -> Iterator[str]:
    """Start Ray, and give its address; it ends when the block does. What it says is appended to `log`.

    Args:
        workers: that work at the same time.
        log: a file.

    Raises:
        UserError: it cannot be started.
    """
    os.environ.update(_SETTINGS, RAY_AUTH_TOKEN=secrets.token_hex(32))
    # Its sockets lie in there: a short path, and no drive of a network.
    folder = tempfile.mkdtemp(prefix="ray-")
    server = None
    try:
        for _ in range(_ATTEMPTS):
            ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
            said_before = log.stat().st_size if log.exists() else 0
            server = process.start(_command(workers, folder, ports), log)
            while server.poll() is None and _STARTED not in log.read_bytes()[said_before:]:
                _say_that_there_is_no_dashboard(Path(folder))
                time.sleep(_LOOK_SECONDS)
            if server.poll() is None:
                break
            process.ask_to_end(server)  # closes the pipe
        else:
            raise UserError(f"Ray did not start: {log} says why; without --engine ray the same plan is trained as well")
        yield f"127.0.0.1:{ports['port']}"
    finally:
        if server:
            process.ask_to_end(server)
            with suppress(subprocess.TimeoutExpired):
                server.wait(_ENDING_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _say_that_there_is_no_dashboard(folder: Path) -> None:
    """Write what the agent of the dashboard would after some seconds. Ray gives up where that takes 15 s."""
    for session in folder.glob("session_*[0-9]"):
        file = session / f"dashboard_agent_listen_port_{_NODE}"
        if not file.exists():
            file.write_text("-1")


def _command(workers: int, folder: str, ports: dict[str, int]) -> list[str]:
    options = {
        "node-ip-address": "127.0.0.1", "num-cpus": workers, "temp-dir": folder, "object-store-memory": _OBJECT_STORE,
        "include-dashboard": "false", "include-log-monitor": "false", **ports,
    }  # fmt: skip
    words = [f"--{name}={value}" for name, value in options.items()]
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--no-monitor"]
    return [*start, "--disable-usage-stats", *words]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
