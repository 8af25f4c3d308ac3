"""A server of Open Sound Control (OSC 1.0, by UDP), which answers its mistakes.

A route is an address with the arguments that it takes and a function. What the function returns goes back under the
same address; a packet, an address or an argument that makes no sense is answered by `/error` and a sentence, with the
request's id behind it where it has one. A bundle is taken at once, whatever its time. `/help` is answered by every
address and what it does. An answer goes to whoever sent the message, or where the server was told to send all of them.

It listens on loopback only, unless it is told otherwise: OSC knows no password, and a program on another computer
reaches it through a tunnel of its user's.
"""

import contextlib
import logging
import math
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.errors import UserError
from workshop.host.ports import cannot_listen
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
#: Characters of the longest name of a request, and the whole numbers that OSC can hold, so that an id can be answered.
_LONGEST_ID, _WHOLE = 64, range(-(1 << 63), 1 << 63)
#: The packages that bring OSC, MIDI and sound devices.
MISSING = "OSC needs the package python-osc, which is not installed: pip install -r requirements/live.txt"

Argument = float | int | str
Answer = tuple[str, Sequence[Argument]]


class Id:
    """The kind of an argument that names a request: a whole number, or a text of letters that can be seen."""


@dataclass(frozen=True)
class Route:
    """What an address does.

    Attributes:
        kinds: of the arguments: `float`, `int`, `str` or `Id`. A whole number is a `float` too. None for a function
            that takes any arguments and checks them itself.
        function: called with the arguments; what it returns is sent back, unless it is None.
        words: what it does, for `/help`.
        least: how many arguments there must be, where the last ones can be left out; None for all.
        is_listed: whether `/help` names it.
    """

    kinds: tuple[type, ...] | None
    function: Callable[..., Sequence[Argument] | None]
    words: str = ""
    least: int | None = None
    is_listed: bool = True

    def read(self, given: Sequence[Any]) -> list[Any]:
        """The arguments as the function wants them.

        Raises:
            UserError: they do not fit.
        """
        if self.kinds is None:
            return list(given)
        most = len(self.kinds)
        least = most if self.least is None else self.least
        if not least <= len(given) <= most:
            takes = f"{most}" if least == most else f"{least} to {most}"
            raise UserError(f"it takes {takes} arguments, and {len(given)} were sent")
        return [fitting(kind, value) for kind, value in zip(self.kinds, given, strict=False)]

    def id_of(self, given: Sequence[Any]) -> list[Argument]:
        """The id among arguments that may make no sense; nothing where there is none."""
        with contextlib.suppress(UserError):
            return [fitting(Id, value) for kind, value in zip(self.kinds or (), given, strict=False) if kind is Id]
        return []


def fitting(kind: type, value: Any) -> Argument:
    """A value as an argument of a kind.

    Raises:
        UserError: it is none.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    is_whole = is_number and value == int(value) and int(value) in _WHOLE
    if kind is float and is_number:
        return float(value)
    if kind in (int, Id) and is_whole:
        return int(value)
    if kind is str and isinstance(value, str):
        return value
    if kind is Id and isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_ID:
        return value
    wanted = {float: "a number", int: "a whole number", str: "a text", Id: "an id: a whole number or a short text"}
    raise UserError(f"{visible_line(repr(value))[:40]} is not {wanted[kind]}")


def packed(address: str, arguments: Sequence[Argument]) -> bytes:
    """A message as a datagram; in texts, what OSC cannot hold becomes a question mark."""
    from pythonosc.osc_message_builder import build_msg

    def text(value: Argument) -> Argument:
        if not isinstance(value, str):
            return value
        return value.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")

    datagram: bytes = build_msg(address, [text(value) for value in arguments]).dgram
    return datagram


class OscServer:
    """Serves routes from a thread of its own, one message after the other.

    Args:
        routes: by their addresses.
        port: to listen on; 0 takes a free one.
        host: the address to listen on.
        deliver: where all answers go, as datagrams; None sends each back to where the message came from.
        mistakes: where a mistake in a message to an address is told.

    Raises:
        UserError: the port is in use, or python-osc is not installed.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        port: int,
        host: str = HOST,
        deliver: Callable[[bytes], None] | None = None,
        mistakes: Callable[[str], str] = lambda address: ERROR,
    ):
        try:
            import pythonosc.osc_packet
        except ImportError as error:
            raise UserError(MISSING) from error
        self._packet = pythonosc.osc_packet.OscPacket
        self._routes = {**routes, "/help": Route((), self._help, "answer with all addresses")}
        self._deliver, self._mistakes = deliver, mistakes
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except (OSError, UnicodeError) as error:
            self._socket.close()
            raise cannot_listen(error, host, f"port {port} for OSC is not available", "choose another port") from error
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

    def answers(self, datagram: bytes) -> list[Answer]:
        """What a datagram is answered by, as addresses and arguments. Nothing in it raises an error."""
        try:
            messages = [timed.message for timed in self._packet(datagram).messages]
        except Exception as error:  # the library meets foreign bytes here, in bundles within bundles
            return [(ERROR, [f"the packet is not OSC: {visible_line(str(error))[:200]}"])]
        return [answer for message in messages for answer in self._answers(message.address, list(message))]

    def _answers(self, address: str, arguments: list[Any]) -> list[Answer]:
        if address == ERROR:
            return []
        shown = visible_line(address)[:80]
        mistake = self._mistakes(address)
        route = self._routes.get(address)
        if route is None:
            listed = [name for name, one in self._routes.items() if one.is_listed]
            return [(mistake, [f"there is no {shown}{did_you_mean(address[:80], listed)}: /help lists all addresses"])]
        try:
            answer = route.function(*route.read(arguments))
        except UserError as error:
            return [(mistake, [f"{shown}: {error}", *route.id_of(arguments)])]
        except Exception:
            logging.exception("an OSC message failed")
            return [(mistake, [f"{shown}: something went wrong that should not; the program's output says more"])]
        if address == "/help":
            return [("/help", [name, one.words]) for name, one in self._routes.items() if one.is_listed]
        return [] if answer is None else [(address, answer)]

    def _help(self) -> None:
        """Every address is an answer of its own, which `_answers` makes."""

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                datagram, sender = self._socket.recvfrom(_LARGEST)
            except OSError:  # nothing came; or on Windows, a sender is gone already
                continue
            for address, arguments in self.answers(datagram):
                self._send(address, arguments, sender)

    def _send(self, address: str, arguments: Sequence[Argument], to: Any) -> None:
        datagram = packed(address, arguments)
        if self._deliver is not None:
            self._deliver(datagram)
            return
        try:
            self._socket.sendto(datagram, to)
        except OSError:
            logging.warning("an OSC answer could not be sent")
