"""The servers beside the lessons: a TensorBoard for each, which goes on in the background, and JupyterLab.

    python -m workshop.services start | stop | status | lab | serve NAME

`start.sh` calls this, and docker/entrypoint.sh does in the container. What `start` and `lab` started is remembered in
``.workshop/``: one JSON file and one log for each server. A server listens on this computer alone (127.0.0.1), because
TensorBoard asks nobody for a password; ``WORKSHOP_BIND`` opens it.
"""

import argparse
import contextlib
import errno
import json
import os
import runpy
import secrets
import signal
import socket
import subprocess
import sys
import time
import types
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

from workshop import LAB_PORT, ROOT, TENSORBOARD_PORTS
from workshop.errors import UserError

#: How long a server may take until it answers, in seconds. A first start on a slow disk reads many small files.
PATIENCE_SECONDS = 30.0

#: JupyterLab's name among the servers; the others are named by their lesson.
LAB = "lab"

#: JupyterLab's settings for everybody.
SETTINGS = Path(__file__).with_name("jupyter")

#: The servers that this very process started, so that it collects them when it stops them as well.
CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Server:
    """A server as it should run: its name (a lesson, or "lab"), the address it listens on, and its port."""

    name: str
    host: str
    port: int

    @property
    def title(self) -> str:
        """What people call it."""
        return "JupyterLab" if self.name == LAB else f"TensorBoard for {self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that gives it another port."""
        return f"WORKSHOP_PORT_{self.name.upper()}"

    @property
    def reach_host(self) -> str:
        """The address at which this computer itself reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        name = "localhost" if self.reach_host == "127.0.0.1" else self.reach_host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}"


@dataclass(frozen=True)
class Running:
    """A server that was started: its process id and exact command line, by which it is known again."""

    name: str
    host: str
    port: int
    pid: int
    command: list[str]


def wanted_server(name: str) -> Server:
    """The server of that name with the port and address that the environment or the defaults give it.

    Raises:
        UserError: if the environment names something that is not a port.
    """
    server = Server(name, wanted_host(), LAB_PORT if name == LAB else TENSORBOARD_PORTS[name])
    return replace(server, port=wanted_port(server.variable, server.port))


def wanted_host() -> str:
    """The address to listen on: this computer's own, unless the environment says otherwise."""
    return os.environ.get("WORKSHOP_BIND") or "127.0.0.1"


def wanted_port(variable: str, default: int) -> int:
    """The port that the environment gives in `variable`, or else the default.

    Raises:
        UserError: if it is not a port.
    """
    given = os.environ.get(variable, "").strip()
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= 65535):
        raise UserError(f"{variable} is '{given}', which is not a port: give a number from 1024 to 65535.")
    return int(given)


def state_dir() -> Path:
    """The folder of process ids, logs and the token; made on the first call.

    Raises:
        UserError: if it cannot be made.
    """
    folder = ROOT / ".workshop"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise UserError(f"Cannot write in '{ROOT}' ({reason}): start the workshop in a folder of your own.") from None
    return folder


def log_file(name: str) -> Path:
    """Where a server's own words are kept."""
    return ROOT / ".workshop" / f"{name}.log"


# ---- processes -------------------------------------------------------------------------------------------------------


def command_line(pid: int) -> str | None:
    """The command line of a process, its words joined by blanks; None if there is no such process."""
    if sys.platform == "linux":
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return None
        return words.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace") or None
    ask = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip() or None


def remembered(name: str) -> Running | None:
    """The server of that name if it was started here and still runs.

    A process id alone proves nothing, for numbers are given out again: the process must have the very command line that
    was started. The first word is left out, because macOS puts the path of its Python application there.
    """
    try:
        running = Running(**json.loads((ROOT / ".workshop" / f"{name}.json").read_text(encoding="utf-8")))
        words = " ".join(running.command[1:])
        found = command_line(running.pid)
    except (OSError, ValueError, TypeError):
        return None
    return running if words and found and found.endswith(words) else None


def remember(server: Server, pid: int, command: list[str]) -> None:
    """Write down what was started, aside first, so that a reader never meets half a file."""
    target = state_dir() / f"{server.name}.json"
    aside = target.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps(asdict(Running(server.name, server.host, server.port, pid, command))), encoding="utf-8")
    aside.replace(target)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let two terminals that start servers in the same second do it one after the other."""
    with (state_dir() / "services.lock").open("w") as lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---- ports -----------------------------------------------------------------------------------------------------------


def port_problem(server: Server) -> str | None:
    """Why the server cannot listen on its port, in one sentence with what to do; None if it can."""
    other = f"set {server.variable} to another number, for example {server.variable}={free_port_near(server.port)}"
    in_use = f"Port {server.port} for {server.title} is in use by another program: stop that program, or {other}."
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    # Somebody who listens on every address does not hinder macOS from giving out a single one, so it is asked first.
    with socket.socket(family) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((server.reach_host, server.port)) == 0:
            return in_use
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((server.host, server.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return in_use
        if error.errno == errno.EACCES:
            return f"Port {server.port} for {server.title} is reserved for the system: {other}."
        return f"{server.title} cannot listen on {server.host} ({error.strerror}): set WORKSHOP_BIND to 127.0.0.1."
    return None


def free_port_near(port: int) -> int:
    """A port that nobody listens on now, a few above the given one."""
    for candidate in range(port + 100, min(port + 200, 65536)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", candidate)) != 0:
                return candidate
    return 17006


def answers(server: Server) -> bool:
    """Whether somebody speaks HTTP there. A proxy of the school is never asked about this computer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{server.url.replace('localhost', '127.0.0.1')}/", timeout=2.0):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_until_it_answers(server: Server, process: subprocess.Popen[bytes] | None) -> None:
    """Return when the server answers.

    Raises:
        UserError: if its process ends before, or if it takes longer than `PATIENCE_SECONDS`.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(server):
        if process is not None and process.poll() is not None:
            raise UserError(f"{server.title} ended at once: {last_line(log_file(server.name))}")
        if time.monotonic() > deadline:
            raise UserError(
                f"{server.title} did not answer within {PATIENCE_SECONDS:.0f} seconds: "
                f"look into '{log_file(server.name)}', or type ./start.sh stop and try again."
            )
        time.sleep(0.2)


def last_line(path: Path) -> str:
    """The last line of a log that says anything, with the place of the rest."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return f"{lines[-1].strip() if lines else 'it said nothing'} (more in '{path}')."


# ---- TensorBoard -----------------------------------------------------------------------------------------------------


def tensorboard_command(server: Server, log_dir: Path) -> list[str]:
    """The command that shows everything that is recorded below a folder."""
    return [
        *(sys.executable, "-m", "workshop.services", "tensorboard"),
        *("--logdir", str(log_dir)),
        *("--host", server.host, "--port", str(server.port)),
        *("--window_title", server.name),
        *("--reload_interval", "5"),
    ]


def run_tensorboard(arguments: list[str]) -> None:
    """Be TensorBoard, until the process is ended.

    TensorBoard loads all of TensorFlow where it finds it, only to read files: that takes seconds at each start and half
    a gigabyte for each lesson. The empty module below is TensorBoard's own switch for doing without (a 0.6 s start and
    80 MB); scalars, texts, images, audio and histograms are shown all the same.
    """
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    sys.argv = ["tensorboard", *arguments]
    runpy.run_module("tensorboard.main", run_name="__main__")


def start_tensorboard(name: str) -> Server:
    """Start the TensorBoard of a lesson in the background, unless it runs already, and return it once it answers.

    Raises:
        UserError: if its port is taken, or if it does not come up.
    """
    server = wanted_server(name)
    with one_at_a_time():
        running = remembered(name)
        if running and (running.host, running.port) != (server.host, server.port):
            stop_server(running)
            running = None
        process = None
        if running is None:
            problem = port_problem(server)
            if problem:
                raise UserError(problem)
            command = tensorboard_command(server, ROOT / name)
            with log_file(name).open("wb") as log:
                # A session of its own: Ctrl-C in the terminal, and closing it, leave TensorBoard alone.
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
                )
            CHILDREN[process.pid] = process
            remember(server, process.pid, command)
        # Nobody else looks before: a process that has only just begun has no command line yet to be known by.
        wait_until_it_answers(server, process)
    return server


def start_all() -> int:
    """Start every lesson's TensorBoard and print the addresses. Returns 1 if one of them could not be started."""
    failed = 0
    for name in TENSORBOARD_PORTS:
        try:
            server = start_tensorboard(name)
            print(f"{server.title:<26}{server.url}", flush=True)
        except UserError as error:
            print(error, file=sys.stderr, flush=True)
            failed = 1
    return failed


# ---- JupyterLab ------------------------------------------------------------------------------------------------------


def lab_token() -> str:
    """The password of JupyterLab: random, made once, and readable by its owner alone."""
    path = state_dir() / "jupyter_token"
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(24) + "\n")
    path.chmod(0o600)
    token = path.read_text(encoding="ascii", errors="replace").strip()
    if not (token.isascii() and token.isalnum() and len(token) >= 32):
        raise UserError(f"'{path}' is damaged: remove it, and a new token is made.")
    return token


def lab_command(server: Server) -> list[str]:
    """The command that starts JupyterLab, without the token: every user of a computer can read command lines."""
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        *("--ip", server.host, "--port", str(server.port), "--ServerApp.port_retries=0"),
        # Ctrl-C ends it at once instead of asking.
        "--ServerApp.answer_yes=True",
        f"--ServerApp.root_dir={ROOT}",
    ]
    # Jupyter refuses root otherwise, which is who one is inside many containers.
    if sys.platform != "win32" and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def lab_environment() -> dict[str, str]:
    """What JupyterLab finds in its environment: the token, and our settings, which keep it from asking everybody
    whether they want its news.

    Raises:
        UserError: if the token cannot be made.
    """
    paths = [str(SETTINGS), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    return {"JUPYTER_TOKEN": lab_token(), "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def run_lab() -> int:
    """Run JupyterLab until Ctrl-C or `stop`, and return its exit status.

    Raises:
        UserError: if its port is taken, or if it does not come up.
    """
    server = wanted_server(LAB)
    running = remembered(LAB)
    if running:
        url = Server(LAB, running.host, running.port).url
        raise UserError(f"JupyterLab runs already: {url}/lab?token={lab_token()} (./start.sh stop ends it).")
    problem = port_problem(server)
    if problem:
        raise UserError(problem)
    environment = {**os.environ, **lab_environment()}
    command = lab_command(server)
    with log_file(LAB).open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=environment)
    # Ctrl-C reaches JupyterLab by itself, and this waits for its end; TERM is handed on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    remember(server, process.pid, command)
    try:
        wait_until_it_answers(server, process)
    except UserError:
        process.terminate()
        process.wait()
        raise
    print(f"JupyterLab                {server.url}/lab?token={environment['JUPYTER_TOKEN']}")
    print("Open that address in a browser. Ctrl-C ends it; what is saved stays.", flush=True)
    status = process.wait()
    return 0 if status in (0, -signal.SIGTERM, -signal.SIGINT) else status


def serve(name: str) -> NoReturn:
    """Become the server of that name, until somebody ends it. Whoever calls this looks after it and keeps its words.

    Raises:
        UserError: if the environment names something that is not a port, or if the token cannot be made.
    """
    server = wanted_server(name)
    if name == LAB:
        os.environ.update(lab_environment())
        command = lab_command(server)
    else:
        command = tensorboard_command(server, ROOT / name)
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606 - there is nobody left here to wait for it


# ---- stopping and looking --------------------------------------------------------------------------------------------


def stop_server(running: Running, patience_seconds: float = 10.0) -> None:
    """End a server that was started here: gently first."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + patience_seconds
        while remembered(running.name):
            if time.monotonic() > deadline:
                os.kill(running.pid, signal.SIGKILL)
                break
            time.sleep(0.1)
    if child := CHILDREN.pop(running.pid, None):
        child.wait()
    (ROOT / ".workshop" / f"{running.name}.json").unlink(missing_ok=True)


def stop_all() -> int:
    """Stop whatever was started here and say so."""
    names = [*TENSORBOARD_PORTS, LAB]
    stopped = [running for name in names if (running := remembered(name))]
    for running in stopped:
        stop_server(running)
        print(f"Stopped {Server(running.name, running.host, running.port).title} (port {running.port}).")
    if not stopped:
        print("Nothing of the workshop was running.")
    return 0


def print_status() -> int:
    """Print what runs. Returns 0 if every TensorBoard does, and 1 otherwise."""
    missing = 0
    for name in [*TENSORBOARD_PORTS, LAB]:
        server = wanted_server(name)
        running = remembered(name)
        if running:
            there = Server(name, running.host, running.port)
            state = there.url if answers(there) else f"runs (process {running.pid}) but does not answer yet"
        else:
            state = "does not run"
            missing += name != LAB
        print(f"{server.title:<26}{state}")
    return 1 if missing else 0


def main(argv: list[str] | None = None) -> int:
    """Do what the command line asks for, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m workshop.services", description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("start", help="start every lesson's TensorBoard in the background and print the addresses")
    verbs.add_parser("stop", help="stop what was started here")
    verbs.add_parser("status", help="say what runs")
    verbs.add_parser("lab", help="run JupyterLab until Ctrl-C")
    serving = verbs.add_parser("serve", help="be one server, under the eyes of whoever calls this")
    serving.add_argument("name", choices=[*TENSORBOARD_PORTS, LAB])
    verbs.add_parser("tensorboard", help="be one TensorBoard, with its own arguments", add_help=False)
    arguments, further = parser.parse_known_args(argv)
    if arguments.verb == "tensorboard":
        run_tensorboard(further)
        return 0
    if further:
        parser.error(f"unknown argument: {further[0]}")
    actions = {"start": start_all, "stop": stop_all, "status": print_status, "lab": run_lab}
    if arguments.verb == "serve":
        actions["serve"] = lambda: serve(arguments.name)
    try:
        return actions[arguments.verb]()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
