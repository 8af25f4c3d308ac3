"""Give a file reader thousands of files that no program should have written.

    python tests/reliability/fuzz.py midi --cases 2000            always the same cases
    python tests/reliability/fuzz.py midi --cases 2000 --seed 7   others

Allowed is a value or a `UserError`. Everything else ends the run with the case in which it happened: another exception,
a case of more than `MAX_SECONDS`, anything written outside of the folder of the case, a process started, a name looked
up in the network. What came of it is one line of JSON: `cases`, `accepted`, `refused`, `slowest` (seconds) and
`peak_mb`, by how much the memory grew at the most.
"""

import argparse
import contextlib
import faulthandler
import io
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: Reading a network may compile it, and the machine may be busy.
MAX_SECONDS = 20.0
#: After so many seconds a case is taken to hang: where it stands is printed, and the run ends.
HANGING_SECONDS = 60.0

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: Events of Python's audit whose first arguments, as many as that, are paths that are changed.
CHANGES = {
    "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.truncate": 1,
    "os.chmod": 1, "os.chown": 1, "os.utime": 1,
}  # fmt: skip
#: Events that no reader has a reason for.
FOREIGN = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pickle.find_class", "os.chdir")


class Forbidden(BaseException):
    """Something was done that reading a file must not do; no `except` for mistakes of users takes it for one."""


@dataclass(frozen=True)
class Reader:
    """A file reader under test.

    Attributes:
        cases: a hypothesis strategy of what it is given.
        read: (case, empty folder) -> None; raises `UserError` where it refuses the case.
    """

    cases: Any
    read: Callable[[Any, Path], None]


class Guard:
    """Watches what a case does to the rest of the machine; `folder` is where it may write, None between the cases."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple) -> None:
        folder = self.folder  # another thread may still work when the case is over
        if folder is None:
            return
        if event == "open":
            path, mode, flags = args
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (mode is None and flags & WRITING):
                self._expect_inside(folder, event, path)
        elif event in CHANGES:
            for path in args[: CHANGES[event]]:
                self._expect_inside(folder, event, path)
        elif event in FOREIGN:
            self._forbid(f"{event} {args}")
        elif event in ("socket.getaddrinfo", "socket.connect"):
            host = args[0] if event == "socket.getaddrinfo" else args[1][0]
            if host not in ("127.0.0.1", "localhost"):
                raise ConnectionRefusedError(111, "there is no network in these tests")

    def _expect_inside(self, folder: str, event: str, path: Any) -> None:
        if isinstance(path, int) or os.fsdecode(path) == os.devnull:
            return
        real = os.path.realpath(os.fsdecode(path))
        if not f"{real}{os.sep}".startswith(f"{folder}{os.sep}"):
            self._forbid(f"{event} {real}")

    def _forbid(self, what: str) -> None:
        self.seen.append(what)
        raise Forbidden(what)


class Tally:
    """Runs cases and counts what comes of them."""

    def __init__(self, reader: Reader, folder: Path):
        self._reader, self._folder, self._guard = reader, folder, Guard()
        self.accepted = self.refused = 0
        self.slowest = 0.0

    def run(self, case: Any) -> None:
        """Give the reader one case in an empty folder.

        Raises:
            Exception: it did something else than to accept or to refuse it.
        """
        from workshop.errors import UserError

        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(exist_ok=True)  # a thread of an earlier case may just have written to it
        os.chdir(self._folder)
        tempfile.tempdir = str(self._folder)
        faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True)
        begun = time.monotonic()
        self._guard.folder = str(self._folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                self._reader.read(case, self._folder)
            self.accepted += 1
        except UserError:
            self.refused += 1
        finally:
            self._guard.folder = None
            faulthandler.cancel_dump_traceback_later()
            taken = time.monotonic() - begun
            self.slowest = max(self.slowest, taken)
        if self._guard.seen:
            raise Forbidden(self._guard.seen[0])
        assert taken < MAX_SECONDS, f"took {taken:.1f} s"


def memory_mb(name: str) -> float:
    """What Linux says of this process's memory: `VmRSS`, in use now, or `VmHWM`, the most until now."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def fuzz(name: str, cases: int, seed: int | None) -> dict[str, Any]:
    """Try a reader with so many cases, always the same ones without a seed; what came of it."""
    import hypothesis
    from foreign import reader

    with tempfile.TemporaryDirectory() as scratch:
        with contextlib.redirect_stdout(sys.stderr):
            made = reader(name, Path(scratch).resolve())
        tally = Tally(made, Path(scratch).resolve() / "case")
        options = hypothesis.settings(
            max_examples=cases, derandomize=seed is None, database=None, deadline=None, print_blob=False,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        )  # fmt: skip
        test = options(hypothesis.given(made.cases)(tally.run))
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the most until now is what is in use now
        before = memory_mb("VmRSS")
        (test if seed is None else hypothesis.seed(seed)(test))()
        grown = max(memory_mb("VmHWM") - before, 0.0)
        os.chdir(HERE)
        tempfile.tempdir = None
    return {
        "cases": tally.accepted + tally.refused, "accepted": tally.accepted, "refused": tally.refused,
        "slowest": round(tally.slowest, 2), "peak_mb": round(grown), "seed": seed,
    }  # fmt: skip


def main() -> None:
    """Fuzz the reader that the command line names."""
    parser = argparse.ArgumentParser(description="Fuzz a file reader.")
    parser.add_argument("reader")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, help="of other cases; always the same ones without it")
    args = parser.parse_args()
    sys.dont_write_bytecode = True
    # No program that the readers would ask for help, no proxy, and no network.
    os.environ |= {"PATH": "", "no_proxy": "*", "CUDA_VISIBLE_DEVICES": ""}
    warnings.simplefilter("error", RuntimeWarning)
    print(json.dumps(fuzz(args.reader, args.cases, args.seed)))


if __name__ == "__main__":
    # As the module that the readers import, so that there is one of it.
    from fuzz import main as start

    start()
