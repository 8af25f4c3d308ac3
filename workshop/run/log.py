"""log.txt of an experiment: every line that a training prints, with its time, below the command that was typed.

Lines are taken from the streams that they are printed to, so that nothing that prints has to know of the log. Those
from before there is a place for them wait; from then on each is appended at once, and kill -9 loses none. Of a line
that renews itself the log has the last state, as the screen does.
"""

import contextlib
import functools
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, cast

from workshop import cli
from workshop.commands import command
from workshop.errors import UserError
from workshop.files import explain
from workshop.visible import visible

NAME = "log.txt"

#: The log of the `main` that runs, if it is one with a log.
_RUNNING: list["Log"] = []


class Log:
    """The lines of one run, in memory until there is an experiment to append them to.

    Args:
        typed: the command that the run was started with.
    """

    def __init__(self, typed: str):
        self._folder: Path | None = None
        self._waiting = b""
        self._is_over = self._has_failed = False
        self.add(f"$ {typed}")

    def add(self, text: str) -> None:
        """Append lines of text with the present time, control characters escaped."""
        if self._is_over:
            return
        time = datetime.now().astimezone().isoformat(timespec="seconds")
        lines = [f"{time}  {visible(line)}".rstrip() for line in text.split("\n")]
        self._waiting += "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        self._write()

    def keep_in(self, experiment: Path) -> None:
        """Write to the log.txt of this experiment from now on, beginning with what has been said so far."""
        self._folder = experiment
        self._write()

    def end(self) -> None:
        """Take no more lines: one of the streams may still be referenced."""
        self._is_over = True

    def _write(self) -> None:
        """Append what waits. What there is no room for goes on waiting; that is said once, and is no error."""
        if self._folder is None:
            return
        path = self._folder / NAME
        try:
            # Opened for each line: an experiment without a checkpoint is deleted, and Windows deletes no open file.
            with open(path, "ab", buffering=0) as file:
                while self._waiting:
                    self._waiting = self._waiting[file.write(self._waiting) :]
        except FileNotFoundError:
            pass  # the experiment has been deleted, and its log with it
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                with contextlib.suppress(OSError):
                    cli.say(f"{path} cannot be written: {explain(error, path)}; the training goes on without it")


class _Recorded:
    """A text stream that passes on what is written to it, and its finished lines to a log."""

    def __init__(self, stream: TextIO, log: Log):
        self._stream, self._log = stream, log
        self._line = ""

    def write(self, text: str) -> int:
        """Write to the stream, then to the log: there also if the terminal of the stream has been closed."""
        try:
            return self._stream.write(text)
        finally:
            *lines, rest = (self._line + text).split("\n")
            self._line = rest.rpartition("\r")[2]
            for line in lines:
                self._log.add(line.rpartition("\r")[2])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def keep_in(experiment: Path) -> None:
    """Begin the log.txt of an experiment, or append to it, where this is a run with a log."""
    for log in _RUNNING:
        log.keep_in(experiment)


def recorded(main: Callable[[], int], typed: str = "") -> Callable[[], int]:
    """Give a script's `main` a log of what is printed in it, and of the error that ends it; `keep_in` says where.

    Args:
        main: returns an exit status.
        typed: what a person has typed to start it; by default the command line of this process.
    """

    @functools.wraps(main)
    def run() -> int:
        log = Log(typed or command(Path(sys.argv[0]), *sys.argv[1:]))
        _RUNNING.append(log)
        out, err = (cast(TextIO, _Recorded(stream, log)) for stream in (sys.stdout, sys.stderr))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                return main()
        except UserError as error:
            log.add(cli.answer(error))
            raise
        except KeyboardInterrupt:
            log.add(cli.STOPPED)
            raise
        except Exception:
            log.add(traceback.format_exc())
            raise
        finally:
            log.end()
            _RUNNING.remove(log)

    return run
