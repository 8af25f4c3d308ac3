"""Until when a server serves."""

import signal
import threading


def asked() -> threading.Event:
    """The event that Ctrl-C and SIGTERM set from now on."""
    event = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: event.set())
    return event


def wait(event: threading.Event) -> None:
    """Wait until the event is set."""
    while not event.wait(1):  # with a limit, because Windows does not interrupt a wait
        pass
