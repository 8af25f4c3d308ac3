"""The servers without the container, as several test files start and ask them; and who listens on this computer."""

import contextlib
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: The state of a socket that waits for connections, as Linux writes it.
LISTENS = "0A"


def get(url: str) -> bytes:
    """Ask without any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        body: bytes = answer.read()
        return body


def until_there(url: str, seconds: float = 60) -> bytes:
    """The page, once it is there."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(urllib.error.URLError):
            return get(url)
        assert time.monotonic() < deadline, url
        time.sleep(0.2)


@contextlib.contextmanager
def in_the_foreground(clone: Path, verb: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m workshop.services VERB` with its state in the clone, in a session of its own."""
    script = f"import pathlib; from workshop.host import services; services.ROOT = pathlib.Path({str(clone)!r}); "
    script += f"raise SystemExit(services.main([{verb!r}]))"
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "HOME": str(clone)},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class Listener(NamedTuple):
    """A socket that waits for connections: its address, its port, and its number among the files of processes."""

    address: str
    port: int
    inode: str


def listeners(tables: str) -> list[Listener]:
    """Who listens, by what Linux has in /proc/net/tcp and /proc/net/tcp6."""
    found = []
    for place, port, inode in re.findall(
        rf"^ *\d+: ([0-9A-F]+):([0-9A-F]{{4}}) \S+ {LISTENS}(?: +\S+){{5}} +(\d+)", tables, re.MULTILINE
    ):
        # Written as 32-bit numbers of this computer, whose bytes are in the order of the network.
        words = [
            bytes.fromhex(place[at : at + 8])[:: 1 if sys.byteorder == "big" else -1] for at in range(0, len(place), 8)
        ]
        family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
        found.append(Listener(socket.inet_ntop(family, b"".join(words)), int(port, 16), inode))
    return found


def listeners_here() -> list[Listener]:
    """Who listens on this computer."""
    return listeners("".join(Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6")))


def is_loopback(address: str) -> bool:
    """Whether only this computer reaches the address."""
    return address == "::1" or address.removeprefix("::ffff:").startswith("127.")


def addresses_elsewhere_reaches() -> list[str]:
    """This computer's own addresses, IPv4 and IPv6, that are not loopback."""
    trie = Path("/proc/net/fib_trie").read_text()
    found = {address for address in re.findall(r"-- (\S+)\n +/32 host LOCAL", trie) if not is_loopback(address)}
    with contextlib.suppress(FileNotFoundError):
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0]))
            # Those of one cable (fe80) can be bound to with the cable's name alone.
            if not is_loopback(address) and not address.startswith("fe80"):
                found.add(address)
    return sorted(found)


def nobody_answers(address: str, port: int) -> bool:
    """Whether nobody listens there, found out without any traffic: the place can still be taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            # An address that is just being set up cannot be taken either, for another reason.
            return error.errno != errno.EADDRINUSE
        return True
