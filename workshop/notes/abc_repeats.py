"""A tune in ABC notation as it is played: its parts in their order, repeats, and notes in bars."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workshop.notes.abc_fields import AbcError

#: Maximal number of repeats of a section.
MAX_TIMES = 16


@dataclass
class NoteOrRest:
    """A note, or a rest where `pitch` is None, as written; `ticks` pass until the next one."""

    pitch: int | None
    ticks: int
    tied: bool = False
    #: Letter and octave without accidentals, by which a tie over the bar line finds its end.
    name: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar line: what it asks for. `closes` is how many times what is in front of it is played again."""

    opens: bool = False
    closes: int = 0
    divides: bool = False
    endings: tuple[int, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it only ends a bar."""
        return self == Bar()


@dataclass(frozen=True)
class Part:
    """A mark where a part begins."""

    name: str


Item = NoteOrRest | Bar | Part


def read_endings(written: str) -> tuple[int, ...]:
    """Return the passes in which a variant ending is played: 1,3 or 1-3; () where nothing is written.

    Raises:
        AbcError: a pass is beyond `MAX_TIMES`, or they run backwards.
    """
    passes: list[int] = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", written):
        begin, end = int(first[:4]), int((last or first)[:4])
        if not 1 <= begin <= end <= MAX_TIMES:
            raise AbcError("unknown bar line")
        passes += range(begin, end + 1)
    return tuple(passes)


def in_order(items: list[Item], order: list[str]) -> tuple[list[list[NoteOrRest | Bar]], set[str]]:
    """Return the parts in the order of playing, and the letters of parts that are missing.

    What stands before the first part comes first. Without an order the tune is one part.
    """
    lead: list[NoteOrRest | Bar] = []
    parts: dict[str, list[NoteOrRest | Bar]] = {}
    now = lead
    for item in items:
        if isinstance(item, Part):
            # A part that is marked twice is one that goes on.
            now = parts.setdefault(item.name, []) if order else lead
        else:
            now.append(item)
    if not parts:
        return [lead], set(order)
    return [lead, *(parts[name] for name in order if name in parts)], set(order) - set(parts)


def expand_repeats(items: list[NoteOrRest | Bar]) -> Iterator[NoteOrRest | Bar]:
    """Yield the items in the order of playing.

    A repeat goes back to its sign, or without one to the last double bar or end of a repeat. The sign that often ends
    a last ending too repeats nothing. A second ending behind a repeat needs no first one: `|: A :|2 B |` is A A B.

    Raises:
        AbcError: endings do not fit together.
    """
    start, is_signed = 0, False  # what the next repeat goes back to, and whether a sign says so
    is_last = False  # whether a second ending is being played that stands behind a repeat without a first one
    at = 0
    while at < len(items):
        item = items[at]
        yield item
        at += 1
        if isinstance(item, NoteOrRest):
            continue
        if item.closes and item.endings == (item.closes + 1,):
            is_last = True
        elif item.endings:
            if item.endings[0] != 1:
                raise AbcError("second ending without a first one")
            endings, end = _endings(items, at - 1)
            yield from _with_endings(items, start, at - 1, endings)
            at, is_last = end, False
            last = items[end - 1]
            start, is_signed = end, isinstance(last, Bar) and last.opens
            continue
        elif is_last and not item.is_plain:
            start, is_signed, is_last = at, item.opens, False
            continue
        for _ in range(item.closes):
            yield from items[start:at]
        if item.closes or item.opens or (item.divides and not is_signed):
            start, is_signed = at, item.opens


_Ending = tuple[tuple[int, ...], int, int]


def _endings(items: list[NoteOrRest | Bar], first: int) -> tuple[list[_Ending], int]:
    """Return the passes of each ending with its first and its last item, from the bar line at `first` on, and the end.

    An ending begins behind its bar line and ends with the bar line of the next one, or the last one with a double bar
    or a repeat.
    """
    endings: list[_Ending] = []
    bar = items[first]
    assert isinstance(bar, Bar)
    passes, begin = bar.endings, first + 1
    at = begin
    is_due = False  # whether a repeat sign says that another ending must come
    while at < len(items):
        item = items[at]
        at += 1
        if isinstance(item, NoteOrRest):
            if is_due:
                break
            continue
        if item.endings:
            if not is_due:
                endings.append((passes, begin, at))
            done = {one for each in endings for one in each[0]}
            if done & set(item.endings):
                raise AbcError("ending in an ending")
            passes, begin, is_due = item.endings, at, False
        elif is_due:
            continue
        elif item.closes and not _is_last(passes, endings):
            endings.append((passes, begin, at))
            is_due = _goes_on(items, at)
            if not is_due:
                break
        elif _is_last(passes, endings) and (item.closes or item.divides or item.opens):
            if not _goes_on(items, at):
                break
            endings.append((passes, begin, at))
            is_due = True
        elif item.opens:
            raise AbcError("first ending without a second one")
    if not endings or endings[-1][1] != begin:
        endings.append((passes, begin, at))
    played = sorted(one for each in endings for one in each[0])
    if played != list(range(1, len(played) + 1)) or len(endings) < 2:
        raise AbcError("first ending without a second one")
    return endings, endings[-1][2]


def _is_last(passes: tuple[int, ...], before: list[_Ending]) -> bool:
    """Return whether an ending may be the last one: there is one before it, and its passes are later."""
    return bool(before) and max(passes) > max(one for each in before for one in each[0])


def _goes_on(items: list[NoteOrRest | Bar], at: int) -> bool:
    """Return whether another ending follows before any note."""
    while at < len(items):
        item = items[at]
        if isinstance(item, NoteOrRest):
            return False
        if item.endings:
            return item.endings[0] > 1
        at += 1
    return False


def _with_endings(
    items: list[NoteOrRest | Bar], start: int, first: int, endings: list[_Ending]
) -> Iterator[NoteOrRest | Bar]:
    """Yield the passes of a section, from its first ending on; the body up to it has been played once."""
    where = {one: (begin, end) for passes, begin, end in endings for one in passes}
    for one in range(1, len(where) + 1):
        if one > 1:
            yield from items[start : first + 1]
        begin, end = where[one]
        yield from items[begin:end]


def in_bars(played: Iterator[NoteOrRest | Bar], bar: int) -> list[tuple[int, int, int]]:
    """Return start, length and pitch of the notes, ties joined, with bars at multiples of `bar`.

    Bars that end short where a part ends go on in the upbeat of the next part. All others must be full but the first
    and the last one.

    Raises:
        AbcError: some are not.
    """
    notes: list[tuple[int, int, int]] = []
    filled = now = 0
    has_begun = is_short = tied = False
    for item in played:
        if isinstance(item, NoteOrRest):
            if is_short:
                raise AbcError("bar that does not fit the meter")
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
                # The upbeat: the notes so far move to the end of the first bar.
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
        raise AbcError("bar that does not fit the meter")
    return notes
