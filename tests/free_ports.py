"""Ports for the servers of a test: nobody listens there, no connection is given one by the system, no two are equal."""

import itertools
import os
import random
import re
import socket
from collections.abc import Iterator

#: Below those that Linux (from 32768) and others (from 49152) give to connections, and above the well-known ones.
FIRST, LAST = 12000, 31999
#: Each of the processes that share the tests among them takes its ports from a part of its own.
PARTS = 16


def _candidates() -> Iterator[int]:
    """This process's ports, again and again, from somewhere on: two runs on one computer begin at different ones."""
    worker = int((re.findall(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", "")) or ["0"])[0])
    size = (LAST + 1 - FIRST) // PARTS
    begin = FIRST + worker % PARTS * size
    start = random.SystemRandom().randrange(size)
    return itertools.cycle(begin + (start + step) % size for step in range(size))


_NEXT = _candidates()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port at which nobody listens; each call gives another one.

    Args:
        kind: SOCK_STREAM for TCP, SOCK_DGRAM for UDP.
    """
    for port in _NEXT:
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("the ports go round and never end")
