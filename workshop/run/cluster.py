"""Which of the workers of a data-parallel training this process is: by `--workers N`, or by TF_CONFIG.

`--workers N` is for one computer: the process that was started is the first worker, and starts the others. On several
computers whoever starts the processes (SLURM, Kubernetes, a person) tells each of them in the environment variable
TF_CONFIG where all are, and which it is: TensorFlow's own convention.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

import msgspec
from msgspec import Meta

from workshop.checks import Whole
from workshop.errors import UserError
from workshop.visible import visible_line

VARIABLE = "TF_CONFIG"
#: The workers meet one port above that of the first.
MAX_PORT = 65534
#: Of what a worker has said last so many characters are quoted.
_LONGEST_QUOTE = 300
_EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:5000", "10.0.0.2:5000"]}, "task": {"type": "worker", "index": 0}}'


class _Jobs(msgspec.Struct):
    """The addresses of the processes by what they do; a chief is the first of the workers."""

    worker: list[Annotated[str, Meta(pattern=r"^.+:[0-9]{1,5}$")]] = []
    chief: list[Annotated[str, Meta(pattern=r"^.+:[0-9]{1,5}$")]] = []


class _Task(msgspec.Struct):
    """Which of them a process is."""

    type: str = "worker"
    index: Whole = 0


class _Config(msgspec.Struct):
    """What TF_CONFIG holds."""

    cluster: _Jobs
    task: _Task


@dataclass(frozen=True)
class Place:
    """Where a worker is among all of them.

    Attributes:
        addresses: HOST:PORT of each worker, where TensorFlow sends gradients to.
        rank: which of them this process is, from 0.
        is_typed: `--workers` was typed here, so that this process starts the others.
    """

    addresses: tuple[str, ...]
    rank: int
    is_typed: bool = False

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self.addresses)

    @property
    def meeting(self) -> tuple[str, int]:
        """Where the workers wait for one another and hear of each other's end: one port above that of the first."""
        host, port = self.addresses[0].rsplit(":", 1)
        return host.strip("[]"), int(port) + 1

    @property
    def neighbours(self) -> list[int]:
        """The ranks on the same computer, this one among them."""
        host = self.addresses[self.rank].rsplit(":", 1)[0]
        return [rank for rank, address in enumerate(self.addresses) if address.rsplit(":", 1)[0] == host]

    def config(self, rank: int) -> str:
        """TF_CONFIG of a worker."""
        return json.dumps({"cluster": {"worker": self.addresses}, "task": {"type": "worker", "index": rank}})


def place(workers: int | None) -> Place | None:
    """The place of this process; None where it trains alone.

    Args:
        workers: `--workers`, or None.

    Raises:
        UserError: the environment is not valid, or says another number.
    """
    given = os.environ.get(VARIABLE)
    if not given or workers == 1:
        return Place(_free_addresses(workers), 0, is_typed=True) if workers and workers > 1 else None
    try:
        config = msgspec.json.decode(given, type=_Config)
        jobs, task = config.cluster, config.task
        rank = task.index + (len(jobs.chief) if task.type == "worker" else 0)
        found = Place((*jobs.chief, *jobs.worker), rank)
        if task.type not in ("worker", "chief") or not rank < found.size:
            raise msgspec.ValidationError(f"there is no {task.type} {task.index}")
        for address in found.addresses:
            if not 1 <= int(address.rsplit(":", 1)[1]) <= MAX_PORT:
                raise msgspec.ValidationError(f"the port of {address} is not from 1 to {MAX_PORT}")
    except msgspec.DecodeError as error:
        raise UserError(
            f"the environment variable {VARIABLE} is not valid ({visible_line(str(error))}): "
            f"it should be like {_EXAMPLE}; unset it to train with one process"
        ) from error
    if workers and workers != found.size:
        raise UserError(f"--workers {workers} contradicts {VARIABLE}, which names {found.size}: leave one of them out")
    return found if found.size > 1 else None


def _free_addresses(size: int) -> tuple[str, ...]:
    """Addresses on this computer that nobody uses; the port above each is free as well."""
    found: list[int] = []
    while len(found) < size:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
        if not {port - 1, port, port + 1} & set(found):
            found.append(port)
    return tuple(f"127.0.0.1:{port}" for port in found)


class Started:
    """A worker that this process has started: the same command again, told its place."""

    def __init__(self, script: Path, at: Place, rank: int):
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the worker lives
        # A session of its own, so that Ctrl-C reaches the first worker alone: they stop together, at the same step.
        self._process = subprocess.Popen(
            [sys.executable, str(script), *sys.argv[1:]], env={**os.environ, VARIABLE: at.config(rank)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said, start_new_session=True,
        )  # fmt: skip

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def ended(self) -> str:
        """How it has ended, in words."""
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "does not answer"
        if status < 0:
            return f"was ended by signal {-status}"
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        said = f": {visible_line(lines[-1].removeprefix('error: '))[:_LONGEST_QUOTE]}" if lines else ""
        return f"has ended with status {status}{said}"
