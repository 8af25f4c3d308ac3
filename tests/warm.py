"""A Python that has loaded TensorFlow already, because loading it is most of the time of a short command.

    with warm.python(folder) as place:                        starts the process that has loaded it
        python -I -S tests/warm.py PLACE train.py --smoke     runs a script as `python train.py --smoke` would; so with
                                                          `-m MODULE` in place of a script, or `-` for standard input

Each script gets a process of its own, forked from the one that waits, with the folder, the environment, the standard
streams and the arguments of the caller. A signal to the caller that asks it to end goes to the script, and where the
caller is killed, so is the script. Nothing of the workshop is loaded before.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def python(folder: Path) -> Iterator[str]:
    """Where the process listens, until the block ends: a socket in the folder, whose path must be short."""
    place = str(folder / "socket")
    # A session of its own, by which all that it forks is ended.
    process = subprocess.Popen(
        [sys.executable, __file__, place], stdout=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )  # fmt: skip
    try:
        assert process.stdout
        assert process.stdout.readline() == b"warm\n", "TensorFlow could not be loaded"
        yield place
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def environment(place: str) -> dict[str, str]:
    """The environment in which `python .../train.py`, `sample.py` and `benchmarks/*.py` become one of these, where a
    program starts them, too, and do without XLA, because compiling takes most of the time of a short training.
    """
    paths = [str(Path(__file__).parent / "warm_start"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "WARM_PYTHON": place, "WARM_WITHOUT_XLA": "1", "PYTHONPATH": os.pathsep.join(paths)}


def run(place: str, script: str, *arguments: str) -> int:
    """Run a script with this process's folder, environment and streams; return its exit status as a shell has it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        asked = json.dumps([os.getcwd(), dict(os.environ), [script, *arguments]]).encode()
        socket.send_fds(connection, [asked + b"\n"], [0, 1, 2])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: connection.sendall(bytes([number])))
        status = int(connection.recv(10) or 1)
    return status if status >= 0 else 128 - status


def _serve(place: str) -> None:
    """Load TensorFlow, and fork for each that connects."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        print("warm", flush=True)
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(connection)
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _answer(connection: socket.socket) -> None:
    """Fork once more for the script, wait for its end, and say how it ended; does not return."""
    asked, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not asked.endswith(b"\n"):
        more = connection.recv(1 << 20)
        if not more:  # the caller was killed while it asked
            os._exit(1)
        asked += more
    folder, environment, arguments = json.loads(asked)
    script = os.fork()
    if script == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        _become(arguments)
    threading.Thread(target=_pass_on, args=(connection, script), daemon=True).start()
    _, status = os.waitpid(script, 0)
    connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _pass_on(connection: socket.socket, script: int) -> None:
    """Give the script the signals that its caller gets, and end it with the caller."""
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        while numbers := connection.recv(1):
            os.kill(script, numbers[0])
        os.kill(script, signal.SIGKILL)


def _become(arguments: list[str]) -> None:
    """Run a script as Python does when it is started with these words; does not return."""
    import multiprocessing.process
    import runpy

    if "WARM_WITHOUT_XLA" in os.environ:
        import pytest
        from tiny import without_xla

        without_xla(pytest.MonkeyPatch())
    script = arguments[0]
    sys.argv = arguments[1:] if script == "-m" else arguments
    folder = os.getcwd() if script in {"-m", "-"} else os.path.dirname(os.path.abspath(script))
    sys.path[:1] = [folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    # Where processes that the script starts look for it.
    multiprocessing.process.ORIGINAL_DIR = os.getcwd()  # type: ignore[attr-defined]
    if script == "-m":
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif script == "-":
        with tempfile.NamedTemporaryFile("w", suffix=".py") as typed:
            typed.write(sys.stdin.read())
            typed.flush()
            runpy.run_path(typed.name, run_name="__main__")
    else:
        runpy.run_path(script, run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    if sys.argv[2:]:
        sys.exit(run(*sys.argv[1:]))
    _serve(sys.argv[1])
