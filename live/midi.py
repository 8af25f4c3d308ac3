"""MIDI ports of this computer, by rtmidi2: what comes in is done by the stage, and what networks play goes out."""

import contextlib
import threading
from collections.abc import Callable, Iterable
from typing import Any

from live.room import MOST
from live.stage import Stage
from workshop import cli
from workshop.errors import UserError
from workshop.nearest import did_you_mean
from workshop.quiet import quietly
from workshop.run.voice import PlayedNote

#: Seconds between two looks at whether the port is still there.
LOOK = 2.0
#: The controller that ends what sounds on a channel.
ALL_NOTES_OFF = 123
_MISSING = "MIDI ports need the package rtmidi2, which is not installed: pip install -r requirements/live.txt"


def _rtmidi() -> Any:
    try:
        import rtmidi2
    except ImportError as error:
        raise UserError(_MISSING) from error
    return rtmidi2


def names() -> tuple[list[str], list[str]]:
    """The names of the ports that can be heard, and of those that can be played to.

    Raises:
        UserError: rtmidi2 is not installed.
    """
    rtmidi = _rtmidi()
    with quietly():
        try:
            return list(rtmidi.get_in_ports()), list(rtmidi.get_out_ports())
        except RuntimeError:  # a system without MIDI, such as a container
            return [], []


def _number(wanted: str, there: list[str]) -> int:
    """The number of the port with this name, or a part of it.

    Raises:
        UserError: there is none; those that there are are named.
    """
    for number, name in enumerate(there):
        if wanted.lower() in name.lower():
            return number
    listed = ", ".join(map(repr, there)) or "none"
    raise UserError(f"there is no MIDI port called {wanted!r}{did_you_mean(wanted, there)}: there are {listed}")


class MidiIn:
    """Hears a port, and again when it was unplugged and is there again.

    Args:
        stage: does what the messages say.
        name: of the port, or a part of it.
        say: is told what happens.

    Raises:
        UserError: there is no such port.
    """

    def __init__(self, stage: Stage, name: str, say: Callable[[str], None] = cli.say):
        self._stage, self._name, self._say = stage, name, say
        self._port: Any = None
        self._open()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Let go of the port."""
        self._ended.set()
        self._watcher.join()
        self._let_go()

    def __enter__(self) -> "MidiIn":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open(self) -> None:
        number = _number(self._name, names()[0])
        port = _rtmidi().MidiIn()
        port.callback = lambda message, time: self._stage.midi(bytes(message))
        port.open_port(number)
        self._port = port

    def _let_go(self) -> None:
        if self._port is not None:
            self._port.close_port()
            self._port = None

    def _watch(self) -> None:
        while not self._ended.wait(LOOK):
            is_there = any(self._name.lower() in name.lower() for name in names()[0])
            if self._port is not None and not is_there:
                self._say(f"the MIDI port {self._name!r} has gone: the knobs stay as they are until it is there again")
                self._let_go()
            elif self._port is None and is_there:
                with contextlib.suppress(UserError, RuntimeError):
                    self._open()
                    self._say(f"the MIDI port {self._name!r} is there again")


class MidiOut:
    """Plays the notes of networks to a port.

    Args:
        name: of the port, or a part of it.

    Raises:
        UserError: there is no such port.
    """

    def __init__(self, name: str):
        number = _number(name, names()[1])
        self._port = _rtmidi().MidiOut()
        self._port.open_port(number)

    def __enter__(self) -> "MidiOut":
        return self

    def __exit__(self, *error: object) -> None:
        """End all notes, which would hang in a synthesiser, and let go of the port."""
        for channel in range(MOST):
            self._port.send_raw(0xB0 + channel, ALL_NOTES_OFF, 0)
        self._port.close_port()

    def send(self, message: int) -> None:
        """Send a message of one byte, such as a tick of a clock."""
        self._port.send_raw(message)

    def play(self, notes: Iterable[tuple[int, PlayedNote]]) -> None:
        """Play the notes of a block; network 1 on channel 1, and so on."""
        for place, note in notes:
            self._port.send_raw(0x90 + place - 1, note.pitch, note.velocity)
