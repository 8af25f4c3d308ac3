"""Clients of OSC for the tests: one that listens for answers, and what sends messages."""

import contextlib
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg


class Client:
    """Sends to a server on this computer, and hears what comes to a port of its own, where the server answers to.

    Args:
        patience: seconds that it waits for an answer.
    """

    def __init__(self, patience: float = 30) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(patience)
        self._patience = patience
        self.port: int = self._socket.getsockname()[1]
        self.to = 0

    def deliver(self, datagram: bytes) -> None:
        """What a server in the same process delivers its answers by."""
        with contextlib.suppress(OSError):  # after the test
            self._socket.sendto(datagram, ("127.0.0.1", self.port))

    def send(self, address: str, *arguments: Any) -> None:
        """Send a message."""
        self.send_bytes(build_msg(address, list(arguments)).dgram)

    def send_bytes(self, datagram: bytes) -> None:
        """Send a datagram that need not be OSC."""
        self._socket.sendto(datagram, ("127.0.0.1", self.to))

    def hear(self) -> list[Any]:
        """The next answer: its address and its arguments."""
        message = OscMessage(self._socket.recv(65_536))
        return [message.address, *message.params]

    def ask(self, address: str, *arguments: Any) -> list[Any]:
        """Send a message and hear the next answer."""
        self.send(address, *arguments)
        return self.hear()

    def hears_nothing(self, seconds: float = 0.3) -> bool:
        """Whether no answer comes in that time."""
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(65_536)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(self._patience)
        return False

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()


def until(met: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 10
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)
