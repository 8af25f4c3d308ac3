"""Which MIDI message turns which knob: the controllers of boii, a file with others, and learning by moving one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workshop.checks import typed
from workshop.errors import UserError
from workshop.files import read_json
from workshop.nearest import did_you_mean
from workshop.run.voice import KNOBS, PlayedNote

#: Messages by their upper four bits.
_NOTE_OFF, _NOTE_ON, _CONTROL, _PRESSURE, _WHEEL = 0x80, 0x90, 0xB0, 0xD0, 0xE0

#: What is turned by what: a controller's number, or one of the other two.
WHEEL, PRESSURE = "pitch wheel", "aftertouch"
Source = int | str
DEFAULT: Mapping[str, Source] = {
    "mix": 74, "mix23": 71, "temperature": 1, "volume": 7, "bend": WHEEL, "follow": 16, "press": PRESSURE,
}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """A knob is turned to a position, 0 to 127."""

    knob: str
    position: int


class Controls:
    """Reads MIDI messages.

    Args:
        mapping: the source of each knob; those that are missing have none.
    """

    def __init__(self, mapping: Mapping[str, Source] = DEFAULT):
        self.mapping = dict(mapping)
        #: The knob that the next message is bound to, and who is told when it is.
        self._learning: tuple[str, Callable[[str], None]] | None = None

    def learn(self, knob: str, told: Callable[[str], None]) -> None:
        """Bind a knob to what is moved next.

        Raises:
            UserError: there is no such knob.
        """
        check_knob(knob)
        self._learning = knob, told

    def read(self, message: bytes) -> Turn | PlayedNote | None:
        """What a message does: it turns a knob, plays a note, or means nothing here."""
        if len(message) < 2:
            return None
        kind, first, second = message[0] & 0xF0, message[1] & 0x7F, message[2] & 0x7F if len(message) > 2 else 0
        if kind in (_NOTE_ON, _NOTE_OFF):
            return PlayedNote(0, first, second if kind == _NOTE_ON else 0)
        turned: dict[int, tuple[Source, int]] = {
            _CONTROL: (first, second), _WHEEL: (WHEEL, second), _PRESSURE: (PRESSURE, first),
        }  # fmt: skip
        if kind not in turned:
            return None
        source, position = turned[kind]
        self._bind(source)
        knob = next((knob for knob, bound in self.mapping.items() if bound == source), None)
        return Turn(knob, position) if knob else None

    def _bind(self, source: Source) -> None:
        """Let the knob that is learning have this source, and no other knob any more."""
        if not self._learning:
            return
        (knob, told), self._learning = self._learning, None
        self.mapping = {other: bound for other, bound in self.mapping.items() if bound != source} | {knob: source}
        told(f"{knob} is turned by {described(source)} now")


def message_for(knob: str, position: int) -> bytes:
    """The message that turns a knob in the mapping that everybody begins with."""
    source = DEFAULT[knob]
    if source == WHEEL:
        return bytes([_WHEEL, 0, position])
    return bytes([_PRESSURE, position]) if source == PRESSURE else bytes([_CONTROL, int(source), position])


def described(source: Source) -> str:
    """A source in words."""
    return source if isinstance(source, str) else f"controller {source}"


def check_knob(name: str) -> None:
    """Refuse what is no knob.

    Raises:
        UserError: it is none; those that there are are named.
    """
    if name not in KNOBS:
        raise UserError(f"there is no knob {name!r:.40}{did_you_mean(name, list(KNOBS))}: there are {', '.join(KNOBS)}")


def read_mapping(path: Path) -> dict[str, Source]:
    """The mapping in a JSON file: {"mix": 74, "bend": "pitch wheel"}.

    Raises:
        UserError: it cannot be read, or something in it is neither a knob nor a source.
    """
    mapping = typed(dict[str, int | str], read_json(path), path)
    check_mapping(mapping, path)
    return mapping


def check_mapping(mapping: Mapping[str, Source], path: Path) -> None:
    """Refuse a mapping, which was read from a file, of something that is no knob or no source.

    Raises:
        UserError: it is one.
    """
    turned: dict[Source, str] = {}
    for knob, source in mapping.items():
        check_knob(knob)
        if source not in (WHEEL, PRESSURE) and not (isinstance(source, int) and 0 <= source < 128):
            raise UserError(
                f"{path}: {knob} cannot be turned by {source!r:.40}: give the number of a controller from 0 "
                f"to 127, {WHEEL!r} or {PRESSURE!r}"
            )
        if other := turned.get(source):
            raise UserError(f"{path}: {other} and {knob} are both turned by {described(source)}: give each its own")
        turned[source] = knob
