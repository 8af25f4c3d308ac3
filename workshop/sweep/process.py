"""A training as a process of its own that does not outlive the worker who has started it.

This module, run as a small process with the training's command line, stands between the two. Its standard input is a
pipe that the worker holds: when the worker closes it, or is killed in whatever way, the pipe ends, and the training is
asked to save and end. A training that went on alone would write to a folder that another worker has taken over.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from workshop.errors import UserError
from workshop.files import explain


def start(command: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a training. What it says is appended to `log`; closing its `stdin` lets it save and end.

    Raises:
        UserError: the log cannot be written.
    """
    try:
        with open(log, "ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", __name__, *command], stdin=subprocess.PIPE, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise UserError(f"{log} cannot be written: {explain(error, log)}") from error


def ask_to_end(process: "subprocess.Popen[bytes]") -> None:
    """Let a training that `start` has begun save and end, without waiting for it."""
    if process.stdin:
        process.stdin.close()


def main(command: Sequence[str]) -> int:
    """Run a command until it ends, or standard input does; returns its exit status as a shell has it."""
    # On Windows Ctrl-C reaches all processes of a window; the worker decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    training = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with, args=(sys.stdin.buffer, training), daemon=True).start()
    status = training.wait()
    return status if status >= 0 else 128 - status


def _end_with(pipe: IO[bytes], training: "subprocess.Popen[bytes]") -> None:
    """Ask the training to end when the pipe does."""
    while pipe.read(1):
        pass
    training.terminate()


if __name__ == "__main__":
    # Not by way of Python's clearing up, which would wait for the thread that reads.
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)
