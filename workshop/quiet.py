"""Importing TensorFlow without its talk about itself."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

from workshop.errors import UserError


class _Aside:
    """Where standard error goes while at least one block wants it to be quiet. There is one of them in a process,
    so that the blocks of several threads share the place of the first.
    """

    def __init__(self) -> None:
        # Reentrant, because a signal handler may print while its own thread is in here.
        self._lock = threading.RLock()
        self._blocks = 0
        self._held: IO[bytes] | None = None
        self._visible = 2

    def enter(self) -> None:
        """Begin a block."""
        with self._lock:
            if not self._blocks:
                sys.stderr.flush()
                self._held = tempfile.TemporaryFile()  # noqa: SIM115 - `leave` closes it
                self._visible = os.dup(2)
                os.dup2(self._held.fileno(), 2)
            self._blocks += 1

    def leave(self, failed: bool) -> None:
        """End a block; if it failed, print what was held back."""
        with self._lock:
            assert self._held is not None
            if failed:
                self._held.seek(0)
                os.write(self._visible, self._held.read())
            self._blocks -= 1
            if not self._blocks:
                os.dup2(self._visible, 2)
                os.close(self._visible)
                self._held.close()

    def print(self, text: str) -> None:
        """Print to where standard error goes while no block holds it back."""
        with self._lock:
            stream = sys.__stderr__
            if self._blocks and stream is not None and sys.stderr is stream:
                os.write(self._visible, text.encode(stream.encoding, "backslashreplace"))
            else:
                print(text, end="", file=sys.stderr, flush=True)


_ASIDE = _Aside()


def print_aloud(text: str) -> None:
    """Print to standard error what a person should read, even where a block, such as one of another thread that loads a
    network, holds back what is printed there.
    """
    _ASIDE.print(text)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Hold back what native libraries print to standard error, and print it after all if the block fails, other than by
    a sentence for the user.

    No setting of TensorFlow silences its first lines without changing how it computes.
    """
    _ASIDE.enter()
    try:
        yield
    except BaseException as error:
        _ASIDE.leave(failed=not isinstance(error, UserError))
        raise
    else:
        _ASIDE.leave(failed=False)
