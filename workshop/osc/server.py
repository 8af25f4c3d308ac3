"""A server of Open Sound Control (OSC 1.0, by UDP), which answers its mistakes to whoever made them.

A route is an address with the arguments that it takes and a function. What the function returns goes back to the sender
under the same address; a packet, an address or an argument that makes no sense is answered by `/error` and a sentence.
A bundle is taken at once, whatever its time. `/help` is answered by every address and what it does.

It listens on loopback only: OSC knows no password, and a program on another computer reaches it through a tunnel of its
user's.
"""

import logging
import math
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.errors import UserError
from workshop.nearest import did_you_mean
from workshop.visible import visible_line

#: Where the server listens.
HOST = "127.0.0.1"
#: Where a mistake is told. What comes to this address is never answered, or two servers would talk for ever.
ERROR = "/error"
#: Bytes of the largest datagram.
_LARGEST = 65_536
#: Seconds between two looks at whether the server is to end.
_NAP = 0.2
#: The packages that bring OSC, MIDI and sound devices.
MISSING = "OSC needs the package python-osc, which is not installed: pip install -r requirements/live.txt"

Argument = float | int | str


@dataclass(frozen=True)
class Route:
    """What an address does.

    Attributes:
        kinds: of the arguments, `float`, `int` or `str`. A whole number is a `float` too.
        function: called with the arguments; what it returns is sent back, unless it is None.
        words: what it does, for `/help`.
        optional: whether it can be called without any argument as well, such as to ask for a value.
    """

    kinds: tuple[type, ...]
    function: Callable[..., Sequence[Argument] | None]
    words: str = ""
    optional: bool = False

    def read(self, given: Sequence[Any]) -> list[Argument]:
        """The arguments as the function wants them.

        Raises:
            UserError: they do not fit.
        """
        if not given and self.optional:
            return []
        if len(given) != len(self.kinds):
            raise UserError(f"it takes {len(self.kinds)} arguments, and {len(given)} were sent")
        return [_fitting(kind, value) for kind, value in zip(self.kinds, given, strict=True)]


def _fitting(kind: type, value: Any) -> Argument:
    """A value as an argument of a kind.

    Raises:
        UserError: it is none.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind is float and is_number:
        return float(value)
    if kind is int and is_number and value == int(value):
        return int(value)
    if kind is str and isinstance(value, str):
        return value
    wanted = {float: "a number", int: "a whole number", str: "a text"}[kind]
    raise UserError(f"{visible_line(repr(value))[:40]} is not {wanted}")


class OscServer:
    """Serves routes from a thread of its own, one message after the other.

    Args:
        routes: by their addresses.
        port: to listen on; 0 takes a free one.

    Raises:
        UserError: the port is in use, or python-osc is not installed.
    """

    def __init__(self, routes: Mapping[str, Route], port: int):
        try:
            import pythonosc.osc_message_builder
            import pythonosc.osc_packet
        except ImportError as error:
            raise UserError(MISSING) from error
        self._build, self._packet = pythonosc.osc_message_builder.build_msg, pythonosc.osc_packet.OscPacket
        self._routes = {**routes, "/help": Route((), self._help, "answer with all addresses")}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((HOST, port))
        except OSError as error:
            self._socket.close()
            raise UserError(f"port {port} for OSC is not available ({error.strerror}): choose another port") from error
        self._socket.settimeout(_NAP)
        self.port: int = self._socket.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="osc", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> "OscServer":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def answers(self, datagram: bytes) -> list[tuple[str, Sequence[Argument]]]:
        """What a datagram is answered by, as addresses and arguments. Nothing in it raises an error."""
        try:
            messages = [timed.message for timed in self._packet(datagram).messages]
        except Exception as error:  # the library meets foreign bytes here, in bundles within bundles
            return [(ERROR, [f"the packet is not OSC: {visible_line(str(error))[:200]}"])]
        return [answer for message in messages for answer in self._answers(message.address, list(message))]

    def _answers(self, address: str, arguments: list[Any]) -> list[tuple[str, Sequence[Argument]]]:
        if address == ERROR:
            return []
        shown = visible_line(address)[:80]
        route = self._routes.get(address)
        if route is None:
            near = did_you_mean(address[:80], self._routes)
            return [(ERROR, [f"there is no {shown}{near}: /help lists all addresses"])]
        try:
            answer = route.function(*route.read(arguments))
        except UserError as error:
            return [(ERROR, [f"{shown}: {error}"])]
        except Exception:
            logging.exception("an OSC message failed")
            return [(ERROR, [f"{shown}: something went wrong that should not; the program's output says more"])]
        if address == "/help":
            return [("/help", [name, one.words]) for name, one in self._routes.items()]
        return [] if answer is None else [(address, answer)]

    def _help(self) -> None:
        """Every address is an answer of its own, which `_answers` makes."""

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                datagram, sender = self._socket.recvfrom(_LARGEST)
            except TimeoutError:
                continue
            except OSError:  # on Windows, a sender that is gone already is told here
                continue
            for address, arguments in self.answers(datagram):
                self._send(address, arguments, sender)

    def _send(self, address: str, arguments: Sequence[Argument], to: tuple[str, int]) -> None:
        try:
            self._socket.sendto(self._build(address, list(arguments)).dgram, to)
        except OSError:
            logging.warning("an OSC answer could not be sent")
