"""Until when a server serves."""

import signal
import threading


def wait(ended: threading.Event | None = None) -> None:
    """Wait for Ctrl-C, for SIGTERM, or until the event is set."""
    until = ended or threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: until.set())
    while not until.wait(1):  # with a limit, because Windows does not interrupt a wait
        pass
