"""Start and stop the servers: a TensorBoard for each lesson, in the background, JupyterLab, the tutorial and the page.

    python -m workshop.services start | stop | status | lab | docs | play | serve NAME

`start.sh` calls this, and docker/entrypoint.sh does in the container. Each server has a
record (JSON) and a log in ``.workshop/``. Servers listen on loopback only (127.0.0.1), because TensorBoard has no
password; ``WORKSHOP_BIND`` changes that.
"""

import argparse
import contextlib
import functools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

from workshop import ROOT
from workshop.commands import start_sh
from workshop.errors import UserError
from workshop.files import explain, write_json
from workshop.host import tensorboard_app
from workshop.host.ports import (
    DOCS,
    LAB,
    PLAY,
    STEADY,
    TENSORBOARD_PORTS,
    Server,
    free_port_near,
    port_problem,
    refuse_in_class,
    wanted_server,
)

#: Timeout for the start of a server, in seconds. A first start on a slow disk reads many small files.
PATIENCE_SECONDS = 30.0
#: So long a server may take to end by itself.
SECONDS_TO_END = 10.0

#: The first page of JupyterLab, which leads to the notebooks; docker/host.sh and start.ps1 name the same one.
LAB_PAGE = "/lab/tree/docs/notebooks/README.md"
#: JupyterLab's default settings.
SETTINGS = Path(__file__).with_name("jupyter")

#: Child processes of this process, to be reaped when they are stopped.
CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """The record of a started server: its process id and its exact command line identify it."""

    name: str
    host: str
    port: int
    pid: int
    command: list[str]


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


@contextlib.contextmanager
def writing_state() -> Iterator[Path]:
    """A block that writes to the state folder, which it is given.

    Raises:
        UserError: if it cannot be written.
    """
    folder = state_dir()
    try:
        yield folder
    except OSError as error:
        raise UserError(f"Cannot write in '{folder}' ({explain(error, folder)}): free some space there.") from None


def log_file(name: str) -> Path:
    """The log file of a server.

    Raises:
        UserError: if the folder cannot be made.
    """
    return state_dir() / f"{name}.log"


# ---- processes -------------------------------------------------------------------------------------------------------


def command_line(pid: int) -> str | None:
    """The command line of a process, its words joined by spaces; None if there is no such process."""
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

    Process ids are reused, so the command line must be the same too, except for its first word, where macOS puts the
    path of its Python application.
    """
    try:
        running = Running(**json.loads((ROOT / ".workshop" / f"{name}.json").read_text(encoding="utf-8")))
        words = " ".join(running.command[1:])
        found = command_line(running.pid)
    except (OSError, ValueError, TypeError):
        return None
    return running if words and found and found.endswith(words) else None


def remember(server: Server, pid: int, command: list[str]) -> None:
    """Write the record of a started server, atomically.

    Raises:
        UserError: if it cannot be written; the server keeps running.
    """
    with writing_state() as folder:
        running = Running(server.name, server.host, server.port, pid, command)
        write_json(folder / f"{server.name}.json", asdict(running))


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """A lock: two terminals cannot start servers at the same time."""
    with writing_state() as folder:
        lock = (folder / "services.lock").open("w")
    with lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def answers(server: Server) -> bool:
    """Whether an HTTP server answers there. No proxy is used."""
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
                f"look into '{log_file(server.name)}', or type {start_sh('stop')} and try again."
            )
        time.sleep(0.2)


def last_line(path: Path) -> str:
    """The last non-empty line of a log, and the path of the log."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return f"{lines[-1].strip() if lines else 'its log is empty'} (more in '{path}')."


# ---- TensorBoard -----------------------------------------------------------------------------------------------------


def tensorboard_command(server: Server, log_dir: Path) -> list[str]:
    """The command line of a TensorBoard for the folder `log_dir`."""
    return [
        *(sys.executable, "-m", "workshop.services", "tensorboard"),
        *("--logdir", str(log_dir)),
        *("--host", server.host, "--port", str(server.port)),
        *("--window_title", server.name),
        *("--reload_interval", "5"),
    ]


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
            with writing_state():
                log = log_file(name).open("wb")
            with log:
                # In a new session, Ctrl-C in the terminal or closing it does not end TensorBoard.
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
                )
            CHILDREN[process.pid] = process
            try:
                remember(server, process.pid, command)
            except UserError:
                process.terminate()  # without a record it could not be stopped later
                process.wait()
                raise
        # Inside the lock: a process that has just started has no command line yet by which others could identify it.
        wait_until_it_answers(server, process)
    return server


def start_all() -> int:
    """Start every lesson's TensorBoard and print the addresses. Returns 1 if one of them could not be started.

    Raises:
        UserError: this is a student's container in a class.
    """
    refuse_in_class("what is started here", "TensorBoard starts when it is opened in JupyterLab's launcher")
    failed = 0
    for name in TENSORBOARD_PORTS:
        try:
            server = start_tensorboard(name)
            print(f"{server.title:<29}{server.url}", flush=True)
        except UserError as error:
            print(error, file=sys.stderr, flush=True)
            failed = 1
    return failed


# ---- JupyterLab ------------------------------------------------------------------------------------------------------


def lab_token() -> str:
    """The password of JupyterLab."""
    return _token("jupyter_token")


def play_token() -> str:
    """The password of the play page, which is not JupyterLab's: that one can run any program."""
    return _token("play_token")


def _token(name: str) -> str:
    """The password in this file: random, made once, and readable by its owner alone.

    Raises:
        UserError: it cannot be made, or the file is damaged.
    """
    path = state_dir() / name
    if not path.exists():
        with writing_state(), contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(secrets.token_hex(24) + "\n")
            except OSError:
                path.unlink()  # half a token is not valid
                raise
    if path.stat().st_mode & 0o077:
        with writing_state():
            path.chmod(0o600)
    token = path.read_text(encoding="ascii", errors="replace").strip()
    if not (token.isascii() and token.isalnum() and len(token) >= 32):
        raise UserError(f"'{path}' is damaged: remove it, and a new token is made.")
    return token


def lab_command(server: Server) -> list[str]:
    """The command line of JupyterLab, without the token: every user of the computer can read command lines."""
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        *("--ip", server.host, "--port", str(server.port), "--ServerApp.port_retries=0"),
        # Ctrl-C ends it at once instead of asking.
        "--ServerApp.answer_yes=True",
        f"--ServerApp.root_dir={ROOT}",
    ]
    # Jupyter refuses root otherwise, and many containers run as root.
    if sys.platform != "win32" and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def lab_environment() -> dict[str, str]:
    """Environment variables for JupyterLab: the token, and our settings, which turn off its question about news.

    Raises:
        UserError: if the token cannot be made.
    """
    paths = [str(SETTINGS), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    return {"JUPYTER_TOKEN": lab_token(), "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


# ---- any server ------------------------------------------------------------------------------------------------------


def command_of(server: Server) -> list[str]:
    """The command line of a server."""
    if server.name == LAB:
        return lab_command(server)
    place = ["--host", server.host, "--port", str(server.port)]
    if server.name == DOCS:
        return [sys.executable, "-m", "workshop.docs", "serve", *place]
    if server.name == PLAY:
        return [sys.executable, "-m", "workshop.play", *place]
    return tensorboard_command(server, ROOT / server.name)


def environment_of(server: Server) -> dict[str, str]:
    """Additional environment variables of a server.

    Raises:
        UserError: if JupyterLab's token cannot be made.
    """
    return lab_environment() if server.name == LAB else {}


def page_of(server: Server) -> str:
    """The address to open in a browser.

    Raises:
        UserError: if its token cannot be made.
    """
    if server.name == PLAY:
        return f"{server.url}/?token={play_token()}"
    return f"{server.url}{LAB_PAGE}?token={lab_token()}" if server.name == LAB else server.url


def free_server(name: str) -> Server:
    """The server of that name, on a free port.

    Raises:
        UserError: if it runs already, or if its port is taken.
    """
    server = wanted_server(name)
    running = remembered(name)
    if running:
        page = page_of(Server(name, running.host, running.port))
        raise UserError(f"{server.title} runs already: {page} ({start_sh('stop')} ends it).")
    problem = port_problem(server)
    if problem and server.may_move:
        other = replace(server, port=free_port_near(server.port))
        print(
            f"Port {server.port} is in use by another program, so {server.title} takes {other.port}.", file=sys.stderr
        )
        return other
    if problem:
        raise UserError(problem)
    return server


def run_until_ctrl_c(name: str) -> int:
    """Run JupyterLab, the tutorial or the play page until Ctrl-C or `stop`, and return the exit status.

    Raises:
        UserError: if its port is taken, or if it does not come up, or if it ends by itself.
    """
    server = free_server(name)
    environment = {**os.environ, **environment_of(server)}
    command = command_of(server)
    with writing_state():
        log = log_file(name).open("wb")
    with log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=environment)
    # Ctrl-C reaches the server directly, and this process waits for its end; SIGTERM is forwarded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        remember(server, process.pid, command)
        wait_until_it_answers(server, process)
    except UserError:
        process.terminate()
        process.wait()
        raise
    print(f"{server.title:<29}{page_of(server)}")
    print(f"Open that address in a browser. Ctrl-C ends it{'; what is saved stays' * (name == LAB)}.", flush=True)
    if process.wait() not in (0, -signal.SIGTERM, -signal.SIGINT):
        raise UserError(f"{server.title} ended: {last_line(log_file(name))}")
    return 0


def serve(name: str) -> NoReturn:
    """Replace this process by the server of that name. The caller supervises it and keeps its log.

    Raises:
        UserError: if the environment names something that is not a port, or if the token cannot be made.
    """
    server = wanted_server(name)
    os.environ.update(environment_of(server))
    command = command_of(server)
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606 - this process is replaced


# ---- stop and status -------------------------------------------------------------------------------------------------


def stop_server(running: Running) -> None:
    """End a server: SIGTERM first, SIGKILL after `SECONDS_TO_END`."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_END
        while remembered(running.name):
            if time.monotonic() > deadline:
                os.kill(running.pid, signal.SIGKILL)
                break
            time.sleep(0.1)
    if child := CHILDREN.pop(running.pid, None):
        child.wait()
    (ROOT / ".workshop" / f"{running.name}.json").unlink(missing_ok=True)


def stop_all() -> int:
    """Stop all servers of this clone and print which."""
    stopped = [running for name in STEADY if (running := remembered(name))]
    for running in stopped:
        stop_server(running)
        print(f"Stopped {Server(running.name, running.host, running.port).title} (port {running.port}).")
    if not stopped:
        print("Nothing of the workshop was running.")
    return 0


def print_status() -> int:
    """Print which servers run. Returns 0 if every TensorBoard runs, and 1 otherwise."""
    missing = 0
    for name in STEADY:
        server = wanted_server(name)
        running = remembered(name)
        if running:
            there = Server(name, running.host, running.port)
            state = there.url if answers(there) else f"runs (process {running.pid}) but does not answer yet"
        else:
            state = "does not run"
            missing += name in TENSORBOARD_PORTS
        print(f"{server.title:<29}{state}")
    return 1 if missing else 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m workshop.services", description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("start", help="start every lesson's TensorBoard in the background and print the addresses")
    verbs.add_parser("stop", help="stop the servers of this clone")
    verbs.add_parser("status", help="show which servers run")
    verbs.add_parser(LAB, help="run JupyterLab until Ctrl-C")
    verbs.add_parser(DOCS, help="run the tutorial's site until Ctrl-C")
    verbs.add_parser(PLAY, help="run the page on which trained networks are played until Ctrl-C")
    serving = verbs.add_parser("serve", help="run one server in the foreground (for a supervisor)")
    serving.add_argument("name", choices=STEADY)
    verbs.add_parser("tensorboard", help="run one TensorBoard with the given arguments", add_help=False)
    arguments, further = parser.parse_known_args(argv)
    if arguments.verb == "tensorboard":
        tensorboard_app.run(further)
        return 0
    if further:
        parser.error(f"unknown argument: {further[0]}")
    actions: dict[str, Callable[[], int]] = {"start": start_all, "stop": stop_all, "status": print_status}
    actions |= {name: functools.partial(run_until_ctrl_c, name) for name in (LAB, DOCS, PLAY)}
    actions["serve"] = lambda: serve(arguments.name)
    try:
        return actions[arguments.verb]()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
