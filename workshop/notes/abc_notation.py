"""A reader for tunes in ABC notation: what is written, played out note by note.

It knows what the collections of the starter set use: keys with their modes, accidentals that hold to the end of the
bar, broken rhythms, tuplets, ties, repeats with a first and a second ending. Of a chord the highest note is played, and
ornaments are left to the player. It is strict where music21's reader guesses, because a tune that is understood wrongly
teaches wrong music and there are plenty of others; and it is a hundred times as fast. What a network has written is
read by `read_leniently`, which plays what it can and says what it could not.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import TypeVar

from workshop.notes.abc_fields import (
    WHOLE,
    AbcError,
    Key,
    default_unit,
    read_key,
    read_meter,
    read_parts,
    read_tempo,
    read_unit,
)
from workshop.notes.abc_repeats import (
    MAX_TIMES,
    Bar,
    Item,
    NoteOrRest,
    Part,
    expand_repeats,
    in_bars,
    in_order,
    read_endings,
)
from workshop.notes.abc_text import Tune

#: No length is a number of more digits.
MAX_DIGITS = 4
#: Maximal number of invalid letters to show.
MAX_SHOWN = 40
#: A rest of whole bars has no more of them.
MAX_BARS = 999

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ALTERED = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
#: How long p notes of a tuplet last, in notes; for 5, 7 and 9 it depends on the meter.
_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_FREE_METERS = ("none", "free")

_LENGTH = r"(\d*)(/*)(\d*)"
_ACCIDENTAL = r"[\^_]\d{0,2}/\d{0,2}(?=[A-Ga-g])|\^\^?|__?|="
_NOTE = rf"({_ACCIDENTAL})?([A-Ga-gzx])([,']*){_LENGTH}"
#: Slurs and decorations of one sign, which are left to the player.
_SIGNS = "().~HJLMOPRSTuv"
_CHORD_NOTE = rf"(?:[{_SIGNS}\s]*(?:{_ACCIDENTAL})?[A-Ga-gzx][,']*[\d/]*-?)"
_PASSES = r"\d+(?:[,-]\d+)*"
_TOKEN = re.compile(
    rf"""
    ^(?P<line>[KLMP]:(?![|:]).*)$ | \[(?P<inline>[KLMP]:(?![|:])(?:[^\]|]{{0,300}}|[Cc]\|))\]
    | \((?P<tuplet>\d{{1,2}})(?!\d)(?::(?P<q>\d{{0,2}}))?(?::(?P<r>\d{{0,2}}))?
    | (?P<overlay>\(&|&\)|&+)
    | (?P<skip>\s | \{{[^}}\n]{{0,300}}\}} | y[\d/]* | [{_SIGNS}])
    | (?P<note>{_NOTE})
    | [ZX](?P<bars>\d*)
    | \[(?P<chord>{_CHORD_NOTE}+)[{_SIGNS}\s]*\](?P<times>[\d/]*)
    | (?P<broken>>+|<+)
    | (?P<tie>-)
    | (?P<bar>(?:\[?\|\]?|:)+)(?:[ ]*\[?(?P<ending>{_PASSES}))? | \[(?P<opens>{_PASSES})
    """,
    re.VERBOSE | re.MULTILINE,
)

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Melody:
    """A tune as it is played, repeats and all.

    Attributes:
        notes: start, length (in ticks, see `WHOLE`) and MIDI pitch of each note; they do not overlap. Bars begin at
            multiples of `bar`, so that a tune with an upbeat begins late in the first one.
        meter: notes of a bar and what note each is, such as (6, 8).
        bar: ticks of a bar.
        tempo: quarter notes a minute, where the tune says it.
    """

    notes: list[tuple[int, int, int]]
    meter: tuple[int, int]
    bar: int
    tempo: float | None = None


def read_tune(tune: Tune) -> Melody:
    """Return what a tune in ABC notation plays.

    Raises:
        AbcError: it does not fit its own meter, or uses something that this reader does not know.
    """
    meter = read_meter(tune.meter)
    unit = read_unit(tune.unit) if tune.unit else default_unit(meter)
    scanner = _Scanner(meter, unit, spread=tune.spread)
    scanner.change_key(tune.key)
    scanner.scan(tune.body)
    parts, missing = in_order(scanner.items, read_parts(tune.parts))
    if missing:
        raise AbcError("missing part")
    played = list(_joined(list(expand_repeats(part)) for part in parts))
    tempo = read_tempo(tune.tempo, unit) if tune.tempo else None
    return Melody(in_bars(iter(played), scanner.bar), meter, scanner.bar, tempo)


def read_leniently(tune: Tune) -> tuple[Melody, list[str]]:
    """Return what can be played of a tune in ABC notation, and what was skipped, each in a few words.

    Invalid signs are skipped. Where repeats do not fit together everything is played once, and where bars do
    not fit the meter note follows note.
    """
    remarks = list(tune.remarks)
    is_free = tune.meter.lower() in _FREE_METERS
    meter = (4, 4) if is_free else _or_else(read_meter, tune.meter, (4, 4), "4/4", remarks)
    unit = default_unit(meter)
    if tune.unit:
        unit = _or_else(read_unit, tune.unit, unit, f"1/{WHOLE // unit}", remarks)
    scanner = _LenientScanner(meter, unit, spread=tune.spread, remarks=remarks, is_free=is_free)
    key = _or_else(read_key, tune.key, Key("C", {}), "C", remarks)
    scanner.set_key(key, tune.key)
    scanner.scan(tune.body)
    played = _play_leniently(scanner.items, tune.parts, remarks)
    bar = WHOLE * meter[0] // meter[1]
    tempo = None
    if tune.tempo:
        tempo = _or_else(lambda value: read_tempo(value, unit), tune.tempo, None, "usual in the meter", remarks)
    if not scanner.is_free:
        try:
            return Melody(in_bars(iter(played), bar), meter, bar, tempo), remarks
        except AbcError as error:
            remarks.append(f"{error}, so note follows note")
    sounds = [item for item in played if isinstance(item, NoteOrRest)]
    # Without bar lines it is one bar, which has room for all.
    return Melody(in_bars(iter(sounds), sum(sound.ticks for sound in sounds)), meter, bar, tempo), remarks


def _play_leniently(items: list[Item], order: str, remarks: list[str]) -> list[NoteOrRest | Bar]:
    """Return the items in the order of playing, as far as it can be followed."""
    parts, missing = in_order(items, _or_else(read_parts, order, [], "one part", remarks))
    if missing:
        remarks.append(f"no part {', '.join(sorted(missing))} (P:)")
    played: list[list[NoteOrRest | Bar]] = []
    for part in parts:
        try:
            played.append(list(expand_repeats(part)))
        except AbcError as error:
            played.append(part)
            remark = f"{error}, so nothing is repeated"
            if remark not in remarks:
                remarks.append(remark)
    return list(_joined(played))


def _joined(parts: "Iterator[list[NoteOrRest | Bar]] | list[list[NoteOrRest | Bar]]") -> Iterator[NoteOrRest | Bar]:
    """Yield the items of all parts, with a double bar between them."""
    for number, part in enumerate(part for part in parts if part):
        yield from chain([Bar(divides=True)] if number else [], part)


def _or_else(read: Callable[[str], _Read], value: str, default: _Read, name: str, remarks: list[str]) -> _Read:
    """Return what a field says, or `default`, called `name`, with a remark."""
    try:
        return read(value)
    except AbcError as error:
        remarks.append(f"{error} {value!r}, read as {name}")
        return default


def _scaled(ticks: int, times: int, parts: int, is_exact: bool) -> int:
    """Return a length multiplied; one between two ticks is an error where `is_exact`, and else rounded."""
    if times == 0 or parts == 0 or (is_exact and ticks * times % parts):
        raise AbcError("impossible length")
    return max(ticks * times // parts, 1)


@dataclass
class _Scanner:
    """Turns what is written into notes, rests and bar lines, in the order of writing."""

    meter: tuple[int, int]
    unit: int
    signature: dict[str, int] = field(default_factory=dict)
    #: By how much notes sound higher than written.
    semitones: int = 0
    items: list[Item] = field(default_factory=list)
    is_exact: bool = True
    #: How far accidentals hold, see `Tune`.
    spread: str = "pitch"
    #: Those of the bar so far, by letter, or by letter and octave.
    _accidentals: dict[str, int] = field(default_factory=dict)
    #: The note that a broken rhythm or a tie may follow.
    _last: NoteOrRest | None = None
    #: What the next note is multiplied by, after a broken rhythm.
    _stretch: tuple[int, int] = (1, 1)
    #: Notes left in the tuplet, and what they are multiplied by.
    _tuplet: tuple[int, int, int] = (0, 1, 1)
    #: Bar lines up to the end of an overlay, which is not played; -1 for one that ends with a sign.
    _overlay: int = 0
    _is_long_overlay: bool = False
    #: Where the last of them ends in the body.
    _last_close: int | None = None

    @property
    def bar(self) -> int:
        """Ticks of a bar."""
        return WHOLE * self.meter[0] // self.meter[1]

    def scan(self, body: str) -> None:
        """Append the items of `body`."""
        at = 0
        while at < len(body):
            found = _TOKEN.match(body, at)
            if found is None:
                raise AbcError("unknown sign")
            at = found.end()
            self._take(found)
        if self._stretch != (1, 1):
            raise AbcError("broken rhythm without a second note")

    def change_key(self, value: str) -> None:
        """Go on in another key, as a field K says."""
        self.set_key(read_key(value), value)

    def set_key(self, key: Key, value: str) -> None:
        """Go on in a key that has been read of `value`."""
        if key.altered is not None:
            self.signature = key.altered
        if key.semitones is not None:
            self.semitones = key.semitones
        for word in key.unknown:
            self._doubt(f"unknown {word[:MAX_SHOWN]!r} in the key {value[:MAX_SHOWN]!r}", "unknown key")

    def _doubt(self, remark: str, reason: str) -> None:
        """Answer something that is played in part only."""
        raise AbcError(reason)

    def _take(self, found: re.Match[str]) -> None:
        if self._overlay and not self._leave_overlay(found):
            return
        if found["note"]:
            self._sound([found["note"]])
        elif found["bar"] or found["opens"]:
            self._bar(found["bar"] or "", read_endings(found["ending"] or found["opens"] or ""))
        elif found["chord"]:
            self._sound(
                [note.lstrip(f"{_SIGNS} \n") for note in re.findall(_CHORD_NOTE, found["chord"])], found["times"]
            )
        elif found["tuplet"]:
            self._begin_tuplet(int(found["tuplet"]), found["q"], found["r"])
        elif found["broken"]:
            self._break(found["broken"])
        elif found["tie"]:
            if self._last is not None:
                self._last.tied = True
        elif found["line"] or found["inline"]:
            self._field(found["line"] or found["inline"])
        elif found["bars"] is not None:
            self._rest(found["bars"])
        elif found["overlay"]:
            self._begin_overlay(found)

    def _sound(self, notes: list[str], times: str = "") -> None:
        """Append the highest of `notes`, which begin together; the first one says how long they last."""
        voices = [self._voice(note) for note in notes]
        if len({voice.ticks for voice in voices}) > 1 and self.is_exact:
            raise AbcError("chord of several lengths")
        top = max(voices, key=lambda voice: voice.pitch if voice.pitch is not None else -1000)
        ticks = self._scaled(self._lengthened(voices[0].ticks, times), *self._stretch)
        left, *factor = self._tuplet
        if left:
            ticks = self._scaled(ticks, *factor)
            self._tuplet = (left - 1, factor[0], factor[1])
        top.ticks, self._stretch, self._last = ticks, (1, 1), top
        self.items.append(top)

    def _voice(self, note: str) -> NoteOrRest:
        found = re.fullmatch(rf"{_NOTE}(-?)", note)
        assert found is not None, note
        accidental, letter, octaves, *_, tie = found.groups()
        written = note[found.start(4) : found.end(6)]
        ticks = self._lengthened(self.unit, written)
        if letter in "zx":
            return NoteOrRest(None, ticks)
        name = letter.upper()
        natural = 60 + 12 * letter.islower() + _SEMITONES[name] + 12 * (octaves.count("'") - octaves.count(","))
        # An accidental holds for the octaves as well, as the standard has it where a tune says nothing else.
        heard = name if self.spread == "pitch" else letter + octaves
        altered = self._accidentals.get(heard, self.signature.get(name, 0))
        last = self._last
        if accidental:
            altered = self._alteration(accidental)
            if self.spread != "not":
                self._accidentals[heard] = altered
        elif last is not None and last.tied and last.name == letter + octaves:
            return NoteOrRest(last.pitch, ticks, bool(tie), last.name)
        return NoteOrRest(natural + altered + self.semitones, ticks, bool(tie), letter + octaves)

    def _alteration(self, accidental: str) -> int:
        if "/" not in accidental:
            return _ALTERED[accidental]
        self._doubt("microtones are not played", "microtones")
        over, under = accidental[1:].split("/")
        part = Fraction(int(over or 1), int(under or 2) or 1)
        return int(part if accidental[0] == "^" else -part)

    def _rest(self, count: str) -> None:
        """Append whole bars of rest."""
        bars = int(count or 1) if len(count) <= MAX_DIGITS else 0
        if not 1 <= bars <= MAX_BARS:
            raise AbcError("impossible length")
        for number in range(bars):
            if number:
                self.items.append(Bar())
            self.items.append(NoteOrRest(None, self.bar))
        self._last = None

    def _begin_tuplet(self, notes: int, q: str | None, r: str | None) -> None:
        compound = self.meter[0] in (6, 9, 12)
        time = int(q) if q else _TUPLETS.get(notes, notes if notes > 9 else 3 if compound else 2)
        if notes < 2 or not time or (r and not int(r)):
            raise AbcError("unknown tuplet")
        if self._tuplet[0]:
            raise AbcError("tuplet in a tuplet")
        self._tuplet = (int(r) if r else notes, time, notes)

    def _break(self, signs: str) -> None:
        if self._last is None or self._stretch != (1, 1):
            raise AbcError("broken rhythm without a first note")
        if len(signs) > MAX_DIGITS:
            raise AbcError("impossible length")
        parts = 2 ** len(signs)
        long, short = (2 * parts - 1, parts), (1, parts)
        first, second = (long, short) if signs[0] == ">" else (short, long)
        self._last.ticks = self._scaled(self._last.ticks, *first)
        self._stretch = second

    def _bar(self, line: str, endings: tuple[int, ...]) -> None:
        line = line.replace("[|]", "|")
        if line == ":":
            raise AbcError("unknown bar line")
        if self._stretch != (1, 1) or self._tuplet[0]:
            raise AbcError("rhythm across a bar line")
        self._accidentals.clear()
        colons = len(line) - len(line.lstrip(":")) if "|" in line else 1
        self.items.append(
            Bar(
                opens=line.endswith(":"),
                closes=min(colons, MAX_TIMES - 1) if line else 0,
                divides=bool(re.search(r"\|\||\|\]|\[\|", line)),
                endings=endings,
            )
        )

    def _begin_overlay(self, found: re.Match[str]) -> None:
        """Leave out what sounds at the same time as music that has been read: & to the bar line, or (& & &)."""
        sign = found["overlay"]
        if sign == "(&":
            if self._last_close is None:
                self._last_close = found.string.rfind("&)")
            self._is_long_overlay = found.start() < self._last_close
        elif sign == "&)":
            self._is_long_overlay = False
        else:
            self._doubt("overlay (&) left out", "overlay")
            self._overlay = -1 if self._is_long_overlay else len(sign)

    def _leave_overlay(self, found: re.Match[str]) -> bool:
        """Return whether an overlay is over, with what is to be read next."""
        if found["overlay"] == "&)":
            self._overlay, self._is_long_overlay = 0, False
            return False
        if found["bar"] and self._overlay > 0:
            self._overlay -= 1
        return not self._overlay

    def _field(self, text: str) -> None:
        name, value = text[0], text[2:].strip()
        if name == "K":
            self.change_key(value)
        elif name == "L":
            self.unit = read_unit(value)
        elif name == "P":
            self.items.append(Part(value))
        else:
            self._change_meter(value)

    def _change_meter(self, value: str) -> None:
        if read_meter(value) != self.meter:
            raise AbcError("change of meter")

    def _scaled(self, ticks: int, times: int, parts: int) -> int:
        return _scaled(ticks, times, parts, self.is_exact)

    def _lengthened(self, ticks: int, written: str) -> int:
        """Return a length in ticks multiplied as written: 2, 3/2, / for a half, // for a quarter."""
        found = re.fullmatch(_LENGTH, written)
        if found is None:
            raise AbcError("impossible length")
        times, slashes, parts = found.groups()
        if max(len(times), len(slashes), len(parts)) > MAX_DIGITS * 2 or max(len(times), len(parts)) > MAX_DIGITS:
            raise AbcError("impossible length")
        return self._scaled(ticks, int(times or 1), int(parts) if parts else 2 ** len(slashes))


@dataclass
class _LenientScanner(_Scanner):
    """A scanner that skips invalid notation, with a remark each time."""

    remarks: list[str] = field(default_factory=list)
    is_exact: bool = False
    #: Whether bars have no length that holds for the whole tune.
    is_free: bool = False
    _said: set[str] = field(default_factory=set)

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
            except AbcError as error:
                self.remarks.append(f"{error} at {found[0].strip()[:MAX_SHOWN]!r}")
                if self._forget_rhythm() and again != at:
                    again = at
                    continue  # the same once more, free of what was left open before it
            at = found.end()

    def _doubt(self, remark: str, reason: str) -> None:
        if remark not in self._said:
            self._said.add(remark)
            self.remarks.append(remark)

    def _change_meter(self, value: str) -> None:
        if value.lower() in _FREE_METERS:
            self.is_free = True
            return
        meter = read_meter(value)
        if meter != self.meter:
            self.meter, self.is_free = meter, True
            self._doubt("change of meter, so note follows note", "")

    def _forget_rhythm(self) -> bool:
        """Close an open tuplet or broken rhythm; return whether there was one."""
        was_open = self._stretch != (1, 1) or self._tuplet[0] > 0
        self._stretch, self._tuplet = (1, 1), (0, 1, 1)
        return was_open
