"""Signals that ask a training to stop: noted, and obeyed after the step."""

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: The signal of a terminal that is closed; None where there is no such signal.
HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)


def in_words(number: int) -> str:
    """In words, for the line at the end of a training that a signal stopped."""
    return f"stopped by {'Ctrl-C' if number == signal.SIGINT else signal.Signals(number).name}; everything is saved"


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Turn Ctrl-C, SIGTERM and the closing of the terminal into an entry in the list that is given; a second one ends
    the process at once.
    """
    received: list[int] = []

    def receive(number: int, frame: Any) -> None:
        received.append(number)
        if number == HANG_UP:
            leave_terminal()
        for again in previous:
            signal.signal(again, previous[again])

    numbers = [signal.SIGINT, signal.SIGTERM]
    # `nohup` lets a training outlive its terminal.
    if HANG_UP is not None and signal.getsignal(HANG_UP) != signal.SIG_IGN:
        numbers.append(HANG_UP)
    previous = {number: signal.signal(number, receive) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def leave_terminal() -> None:
    """Say nothing more to a terminal that is gone: each line to it would be an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        # A terminal that is gone is not known as one any more, but still for a device.
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(number).st_mode):
                os.dup2(nowhere, number)
    os.close(nowhere)
