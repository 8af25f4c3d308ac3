"""A reader for tunes in ABC notation: what is written, played out note by note.

It knows what the collections of `workshop/tunes.py` use: keys with their modes, accidentals that hold to the end of the
bar, broken rhythms, tuplets, ties, repeats with a first and a second ending. Of a chord the highest note is played, and
ornaments are left to the player. It is strict where music21's reader guesses, because a tune that is understood wrongly
teaches wrong music and there are plenty of others; and it is a hundred times as fast. What a network has written is
read by `read_loosely`, which plays what it can and says what it could not.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from workshop.tunes import Tune

#: Ticks of a whole note: 128ths, and the tuplets of 3, 5, 7 and 9 notes among quarters, are whole ticks.
WHOLE = 128 * 9 * 5 * 7
#: No length is a number of more digits.
MOST_DIGITS = 4
#: So many letters of what cannot be understood are shown.
MOST_SHOWN = 40

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ALTERED = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_FIFTHS = "FCGDAEB"
#: How many sharps a mode has more than the major key of the same name.
_MODES = {"": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
#: How long p notes of a tuplet last, in notes; for those that are not here it depends on the meter.
_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}

_LENGTH = r"(\d*)(/*)(\d*)"
_NOTE = rf"(\^\^?|__?|=)?([A-Ga-gzx])([,']*){_LENGTH}"
_CHORD_NOTE = r"(?:(?:\^\^?|__?|=)?[A-Ga-g][,']*[\d/]*-?)"
_TOKEN = re.compile(
    rf"""
    ^(?P<line>[KLM]:.*)$ | \[(?P<inline>[KLM]:[^\]]*)\]
    | (?P<skip>\s | \{{[^}}]*\}} | [.~HTSy)])
    | \((?P<tuplet>[2-9])(?!\d)(?::(?P<q>\d?))?(?::(?P<r>\d?))? | (?P<slur>\()
    | (?P<note>{_NOTE})
    | \[(?P<chord>{_CHORD_NOTE}+)\](?P<times>[\d/]*)
    | (?P<broken>>+|<+)
    | (?P<tie>-)
    | (?P<bar>(?:\[?\|\]?|:)+)(?P<ending>\[?\d(?![\d,.-]))? | \[(?P<opens>\d)(?![\d,.-])
    """,
    re.VERBOSE | re.MULTILINE,
)


_Read = TypeVar("_Read")


class Garbled(ValueError):
    """A tune that cannot be understood without guessing; the message is the reason in a few words."""


@dataclass(frozen=True)
class Melody:
    """A tune as it is played, repeats and all.

    Attributes:
        notes: start, length (in ticks, see `WHOLE`) and MIDI pitch of each note; they do not overlap. Bars begin at
            multiples of `bar`, so that a tune with an upbeat begins late in the first one.
        meter: notes of a bar and what note each is, such as (6, 8).
        bar: ticks of a bar.
    """

    notes: list[tuple[int, int, int]]
    meter: tuple[int, int]
    bar: int


@dataclass
class _Sound:
    """A note, or a rest where `pitch` is None, as written."""

    pitch: int | None
    ticks: int
    tied: bool = False
    #: Letter and octave without accidentals, by which a tie over the bar line finds its end.
    name: str = ""


@dataclass(frozen=True)
class _Bar:
    """A bar line: what it asks for."""

    opens: bool = False
    closes: bool = False
    divides: bool = False
    ending: int = 0

    @property
    def is_plain(self) -> bool:
        return self == _Bar()


def read_tune(tune: Tune) -> Melody:
    """Return what a tune in ABC notation plays.

    Raises:
        Garbled: it does not fit its own meter, or uses something that this reader does not know.
    """
    meter = _meter(tune.meter)
    bar = WHOLE * meter[0] // meter[1]
    scanner = _Scanner(meter, _unit(tune.unit) if tune.unit else _default_unit(meter), _signature(tune.key))
    scanner.scan(tune.body)
    return Melody(_in_bars(_play_out(scanner.items), bar), meter, bar)


def read_loosely(tune: Tune) -> tuple[Melody, list[str]]:
    """Return what can be played of a tune in ABC notation, and what had to be passed over, each in a few words.

    Signs that make no sense are skipped. Where repeats do not fit together everything is played once, and where bars do
    not fit the meter note follows note.
    """
    remarks: list[str] = []
    meter = _or_else(_meter, tune.meter, (4, 4), "4/4", remarks)
    bar = WHOLE * meter[0] // meter[1]
    unit = _default_unit(meter)
    if tune.unit:
        unit = _or_else(_unit, tune.unit, unit, f"1/{WHOLE // unit}", remarks)
    scanner = _LooseScanner(meter, unit, _or_else(_signature, tune.key, {}, "C", remarks), remarks=remarks)
    scanner.scan(tune.body)
    played = scanner.items
    try:
        played = list(_play_out(scanner.items))
    except Garbled as error:
        remarks.append(f"{error}, so nothing is repeated")
    try:
        return Melody(_in_bars(iter(played), bar), meter, bar), remarks
    except Garbled as error:
        remarks.append(f"{error}, so note follows note")
        sounds = [item for item in played if isinstance(item, _Sound)]
        # Without bar lines it is one bar, which has room for all.
        return Melody(_in_bars(iter(sounds), sum(sound.ticks for sound in sounds)), meter, bar), remarks


def _or_else(read: Callable[[str], _Read], value: str, default: _Read, name: str, remarks: list[str]) -> _Read:
    """Return what a field says, or `default`, called `name`, with a remark."""
    try:
        return read(value)
    except Garbled as error:
        remarks.append(f"{error} {value!r}, read as {name}")
        return default


def _meter(value: str) -> tuple[int, int]:
    value = {"C": "4/4", "C|": "2/2"}.get(value, value)
    found = re.fullmatch(r"([1-9]\d?)/(1|2|4|8|16)", value)
    if found is None:
        raise Garbled("unknown meter")
    return int(found[1]), int(found[2])


def _unit(value: str) -> int:
    found = re.fullmatch(r"1/(1|2|4|8|16|32)", value)
    if found is None:
        raise Garbled("unknown unit of length")
    return WHOLE // int(found[1])


def _default_unit(meter: tuple[int, int]) -> int:
    """The unit where a tune names none: a sixteenth in short meters, else an eighth."""
    return WHOLE // 16 if meter[0] / meter[1] < 0.75 else WHOLE // 8


def _signature(key: str) -> dict[str, int]:
    """Return by how many semitones a key alters each letter."""
    found = re.fullmatch(r"([A-G])([b#]?)([a-z]*)", key)
    if found is None or found[3].lower() not in _MODES:
        raise Garbled("unknown key")
    sharps = _FIFTHS.index(found[1]) - 1 + {"#": 7, "b": -7, "": 0}[found[2]] + _MODES[found[3].lower()]
    if abs(sharps) > 7:
        raise Garbled("unknown key")
    if sharps >= 0:
        return dict.fromkeys(_FIFTHS[:sharps], 1)
    return dict.fromkeys(_FIFTHS[sharps:], -1)


def _scaled(ticks: int, times: int, parts: int) -> int:
    if times == 0 or parts == 0 or ticks * times % parts:
        raise Garbled("impossible length")
    return ticks * times // parts


def _lengthened(ticks: int, written: str) -> int:
    """Return a length in ticks multiplied as written: 2, 3/2, / for a half, // for a quarter."""
    found = re.fullmatch(_LENGTH, written)
    if found is None:
        raise Garbled("impossible length")
    times, slashes, parts = found.groups()
    if len(times) > MOST_DIGITS or len(parts) > MOST_DIGITS:
        raise Garbled("impossible length")
    return _scaled(ticks, int(times or 1), int(parts) if parts else 2 ** len(slashes))


@dataclass
class _Scanner:
    """Turns what is written into notes, rests and bar lines, in the order of writing."""

    meter: tuple[int, int]
    unit: int
    signature: dict[str, int]
    items: list[_Sound | _Bar] = field(default_factory=list)
    _accidentals: dict[str, int] = field(default_factory=dict)
    #: The note that a broken rhythm or a tie may follow.
    _last: _Sound | None = None
    #: What the next note is multiplied by, after a broken rhythm.
    _stretch: tuple[int, int] = (1, 1)
    #: Notes left in the tuplet, and what they are multiplied by.
    _tuplet: tuple[int, int, int] = (0, 1, 1)

    def scan(self, body: str) -> None:
        """Append the items of `body`."""
        at = 0
        while at < len(body):
            found = _TOKEN.match(body, at)
            if found is None:
                raise Garbled("unknown sign")
            at = found.end()
            self._take(found)
        if self._stretch != (1, 1):
            raise Garbled("broken rhythm without a second note")

    def _take(self, found: re.Match[str]) -> None:
        if found["note"]:
            self._sound([found["note"]])
        elif found["bar"] or found["opens"]:
            self._bar(found["bar"] or "", (found["ending"] or found["opens"] or "0").lstrip("["))
        elif found["chord"]:
            self._sound(re.findall(_CHORD_NOTE, found["chord"]), found["times"])
        elif found["tuplet"]:
            self._begin_tuplet(int(found["tuplet"]), found["q"], found["r"])
        elif found["broken"]:
            self._break(found["broken"])
        elif found["tie"]:
            if self._last is not None:
                self._last.tied = True
        elif found["line"] or found["inline"]:
            self._field(found["line"] or found["inline"])

    def _sound(self, notes: list[str], times: str = "") -> None:
        """Append the highest of `notes`, which begin and end together."""
        voices = [self._voice(note) for note in notes]
        if len({voice.ticks for voice in voices}) > 1:
            raise Garbled("chord of several lengths")
        top = max(voices, key=lambda voice: voice.pitch or 0)
        ticks = _scaled(_lengthened(top.ticks, times), *self._stretch)
        left, *factor = self._tuplet
        if left:
            ticks = _scaled(ticks, *factor)
            self._tuplet = (left - 1, factor[0], factor[1])
        top.ticks, self._stretch, self._last = ticks, (1, 1), top
        self.items.append(top)

    def _voice(self, note: str) -> _Sound:
        found = re.fullmatch(rf"{_NOTE}(-?)", note)
        assert found is not None, note
        accidental, letter, octaves, *_, tie = found.groups()
        written = note[found.start(4) : found.end(6)]
        ticks = _lengthened(self.unit, written)
        if letter in "zx":
            return _Sound(None, ticks)
        name = letter.upper()
        natural = 60 + 12 * letter.islower() + _SEMITONES[name] + 12 * (octaves.count("'") - octaves.count(","))
        last = self._last
        if accidental:
            # An accidental holds for the octaves as well, as the standard has it where a tune says nothing else.
            self._accidentals[name] = _ALTERED[accidental]
        elif last is not None and last.tied and last.name == letter + octaves:
            return _Sound(last.pitch, ticks, bool(tie), last.name)
        altered = self._accidentals.get(name, self.signature.get(name, 0))
        return _Sound(natural + altered, ticks, bool(tie), letter + octaves)

    def _begin_tuplet(self, notes: int, q: str | None, r: str | None) -> None:
        compound = self.meter[0] in (6, 9, 12)
        time = int(q) if q else _TUPLETS.get(notes, 3 if compound else 2)
        if self._tuplet[0]:
            raise Garbled("tuplet in a tuplet")
        self._tuplet = (int(r) if r else notes, time, notes)

    def _break(self, signs: str) -> None:
        if self._last is None or self._stretch != (1, 1):
            raise Garbled("broken rhythm without a first note")
        parts = 2 ** len(signs)
        long, short = (2 * parts - 1, parts), (1, parts)
        first, second = (long, short) if signs[0] == ">" else (short, long)
        self._last.ticks = _scaled(self._last.ticks, *first)
        self._stretch = second

    def _bar(self, line: str, ending: str) -> None:
        line = line.replace("[|]", "|")
        if line == ":" or int(ending) > 2:
            raise Garbled("unknown bar line")
        if self._stretch != (1, 1) or self._tuplet[0]:
            raise Garbled("rhythm across a bar line")
        self._accidentals.clear()
        self.items.append(
            _Bar(
                opens=line.endswith(":"),
                closes=line.startswith(":"),
                divides=bool(re.search(r"\|\||\|\]|\[\|", line)),
                ending=int(ending),
            )
        )

    def _field(self, text: str) -> None:
        name, value = text[0], text[2:].strip()
        if name == "K":
            self.signature = _signature(value)
        elif name == "L":
            self.unit = _unit(value)
        elif _meter(value) != self.meter:
            raise Garbled("change of meter")


@dataclass
class _LooseScanner(_Scanner):
    """Passes over what makes no sense, with a remark each time."""

    remarks: list[str] = field(default_factory=list)

    def scan(self, body: str) -> None:
        """Append the items of `body` that can be understood."""
        at, again = 0, -1
        while at < len(body):
            found = _TOKEN.match(body, at)
            if found is None:
                self.remarks.append(f"unknown sign {body[at]!r}")
                at += 1
                continue
            try:
                self._take(found)
            except Garbled as error:
                self.remarks.append(f"{error} at {found[0].strip()[:MOST_SHOWN]!r}")
                if self._forget_rhythm() and again != at:
                    again = at
                    continue  # the same once more, free of what was left open before it
            at = found.end()

    def _forget_rhythm(self) -> bool:
        """Close an open tuplet or broken rhythm; return whether there was one."""
        was_open = self._stretch != (1, 1) or self._tuplet[0] > 0
        self._stretch, self._tuplet = (1, 1), (0, 1, 1)
        return was_open


def _play_out(items: list[_Sound | _Bar]) -> Iterator[_Sound | _Bar]:
    """Yield the items in the order of playing.

    A repeat goes back to its sign, or without one to the last double bar or end of a repeat. The sign that often ends
    a second ending too repeats nothing.
    """
    start, is_signed = 0, False  # what the next repeat goes back to, and whether a sign says so
    first = -1  # where the first ending begins, until the second one is over
    in_second = is_due = False  # whether the second ending is being played, and whether it must come next
    for at, item in enumerate(items):
        yield item
        if isinstance(item, _Sound):
            if is_due:
                raise Garbled("first ending without a second one")
            continue
        if in_second:
            if item.ending:
                raise Garbled("ending in an ending")
            if item.closes or item.divides or item.opens:
                start, is_signed, first, in_second = at + 1, False, -1, False
        elif item.closes or item.ending == 2:
            if item.ending == 2 and first < 0:
                raise Garbled("second ending without a first one")
            if not is_due:
                yield from items[start : (at if first < 0 else first) + 1]
            if first < 0:
                start, is_signed = at + 1, False
            in_second = item.ending == 2
            is_due = first >= 0 and not in_second
        if item.ending == 1 or (item.opens and not is_due):
            if first >= 0:
                raise Garbled("first ending without a second one")
            first = at if item.ending == 1 else -1
        if item.opens or (item.divides and not is_signed and first < 0):
            start, is_signed = at + 1, item.opens
    if first >= 0 and not in_second:
        raise Garbled("first ending without a second one")


def _in_bars(played: Iterator[_Sound | _Bar], bar: int) -> list[tuple[int, int, int]]:
    """Return start, length and pitch of the notes, ties joined, with bars at multiples of `bar`.

    Bars that end short where a part ends go on in the upbeat of the next part. All others must be full but the first
    and the last one.

    Raises:
        Garbled: some are not.
    """
    notes: list[tuple[int, int, int]] = []
    filled = now = 0
    has_begun = is_short = tied = False
    for item in played:
        if isinstance(item, _Sound):
            if is_short:
                raise Garbled("bar that does not fit the meter")
            if item.pitch is not None:
                if tied and notes and notes[-1][2] == item.pitch:
                    notes[-1] = (notes[-1][0], notes[-1][1] + item.ticks, item.pitch)
                else:
                    notes.append((now, item.ticks, item.pitch))
            tied = item.tied
            now += item.ticks
            filled += item.ticks
        elif filled:
            if not has_begun and filled < bar:
                # The upbeat: what is there so far moves to the end of the first bar.
                notes = [(start + bar - filled, length, pitch) for start, length, pitch in notes]
                now, filled = bar, 0
            elif filled == bar:
                filled = 0
            elif filled > bar:
                break
            else:
                # Only the last one of all may be, for it is often closed by a plain bar line.
                is_short = item.is_plain
            has_begun = True
    if filled > bar:
        raise Garbled("bar that does not fit the meter")
    return notes
