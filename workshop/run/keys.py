"""Keys that are typed while a training runs in a terminal."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import Any

try:
    import termios
    import tty
except ImportError:  # Windows has terminals of another kind
    termios = tty = None  # type: ignore[assignment]

#: What a training obeys, and what is said of it when it begins.
PAUSE, SAVE, QUIT = "p", "s", "q"
#: Seconds of a pause between two looks at what else may end it.
PATIENCE = 0.2
IN_WORDS = "keys: p pauses and goes on, s saves now, q saves and stops"


class Keys:
    """The keys that were typed, where there is a terminal that they can come from."""

    def __init__(self, terminal: int | None):
        self._terminal, self._before = terminal, None

    @property
    def are_there(self) -> bool:
        """Whether any can come: not where standard input is no terminal, or another program's at the moment. A program
        in the background must not touch its terminal, or it is stopped.
        """
        with contextlib.suppress(OSError):
            return self._terminal is not None and os.tcgetpgrp(self._terminal) == os.getpgrp()
        return False

    def typed(self, seconds: float = 0.0) -> str:
        """The key that was typed since the last time, in lower case, for which it waits so long. Nothing where there
        was none, or where there were several at once, which are meant for another program.
        """
        if self._terminal is None or not self.are_there:
            return ""
        # Again each time: a shell that has stopped a program and lets it go on has set the terminal for itself.
        self._listen(self._terminal)
        with contextlib.suppress(OSError):
            if select.select([self._terminal], [], [], seconds)[0]:
                read = os.read(self._terminal, 1024)
                if not read:  # it has been closed
                    self._terminal = None
                text = read.decode("ascii", "ignore").lower()
                return text[0] if len(set(text)) == 1 else ""
        return ""

    def _listen(self, terminal: int) -> None:
        """Let each key come at once, and not be shown; Ctrl-C and Ctrl-Z stay what they are."""
        now: Any = termios.tcgetattr(terminal)
        if not now[3] & termios.ICANON:
            return
        self._before = now
        tty.setcbreak(terminal, termios.TCSANOW)

    def leave(self) -> None:
        """Set the terminal as it was."""
        if self._terminal is not None and self._before is not None and self.are_there:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)


@contextlib.contextmanager
def listening() -> Iterator[Keys]:
    """The keys of standard input, until the block ends; none where it is no terminal."""
    terminal = None
    with contextlib.suppress(AttributeError, OSError, ValueError):  # it may be closed, or something else than a file
        if termios is not None and os.isatty(sys.stdin.fileno()):
            terminal = sys.stdin.fileno()
    keys = Keys(terminal)
    try:
        keys.typed()
        yield keys
    finally:
        keys.leave()
