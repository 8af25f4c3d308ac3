"""Where the answers of a server go: to one port, or to standard output for a program that sends them on."""

import logging
import socket
import sys

from workshop.errors import UserError
from workshop.host.ports import read_port

#: What stands before a datagram on standard output; docker/host.sh and start.ps1 send what follows it.
MARK = "osc "


class ToPort:
    """Sends datagrams to an address, whether anybody listens there or not.

    Args:
        host: a name or a number.
        port: of UDP.

    Raises:
        UserError: there is no such host.
    """

    def __init__(self, host: str, port: int):
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError(f"--answer_to: there is no host {host!r} ({reason}): give HOST:PORT") from error
        # Of two addresses of `localhost`, clients of OSC listen to the older kind.
        family, _, _, _, to = min(found, key=lambda one: one[0] != socket.AF_INET)
        self._socket, self._to = socket.socket(family, socket.SOCK_DGRAM), to

    def __enter__(self) -> "ToPort":
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def __call__(self, datagram: bytes) -> None:
        """Send one."""
        try:
            self._socket.sendto(datagram, self._to)
        except OSError as error:
            logging.warning("an OSC answer could not be sent: %s", error.strerror)


def to_output(datagram: bytes) -> None:
    r"""Print one as a line of `\x..`, each byte, which bash's `printf %b` turns into bytes again."""
    sys.stdout.write(MARK + "".join(f"\\x{byte:02x}" for byte in datagram) + "\n")
    sys.stdout.flush()


def read_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, or of a port of this computer.

    Raises:
        UserError: it is neither.
    """
    host, _, port = text.rpartition(":")
    return host.strip("[]") or "127.0.0.1", read_port(port, "--answer_to")
