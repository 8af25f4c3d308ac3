"""When the notes of a MIDI channel end: which note-off belongs to which note-on, and what the pedals hold.

A place in a file is (tick, number), the number counting the events of the file: what happens at one tick happens in
the order in which it is written.
"""

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Place = tuple[int, int]

#: Control changes: the sustain and the sostenuto pedal, and what a channel is told all at once.
SUSTAIN, SOSTENUTO, ALL_SOUND_OFF, RESET_CONTROLLERS, ALL_NOTES_OFF = 64, 66, 120, 121, 123
#: The mode messages from "all notes off" on (omni, mono, poly) end the notes of their channel too.
PEDALS = (SUSTAIN, SOSTENUTO)
ENDS_NOTES = (ALL_SOUND_OFF, *range(ALL_NOTES_OFF, 128))
#: The pedal is down from this value on.
PEDAL_DOWN = 64


@dataclass(frozen=True, slots=True)
class Note:
    """A note of one channel.

    Attributes:
        pitch: 0..127.
        velocity: 1..127.
        struck: place of the note-on.
        end: tick at which it ends, later than `struck`.
        released: place of what ended it; None where the key was not released.
    """

    pitch: int
    velocity: int
    struck: Place
    end: float
    released: Place | None


@dataclass(frozen=True, slots=True)
class Control:
    """A control change of one channel: its place, controller and value, 0..127 each."""

    place: Place
    controller: int
    value: int


def paired(
    pitch: int, presses: Sequence[tuple[Place, int]], longest: float, controls: Sequence[Control] = ()
) -> list[Note]:
    """The notes of one key: a note-off ends the note that has sounded longest (first in, first out).

    A note-on that has no note-off ends where the key is struck again, and after `longest` ticks at the latest; struck
    again at the same tick it is no note of its own. Of several note-ons it is the first that has none.

    Args:
        pitch: of the key.
        presses: place and velocity of its note-ons and, with velocity 0, its note-offs, in their order.
        longest: ticks that a note lasts which nothing ends.
        controls: of its channel, in their order; only those of `ENDS_NOTES` matter.
    """
    notes: list[Note] = []
    for segment, closed in _between(presses, [change.place for change in controls if change.controller in ENDS_NOTES]):
        unreleased = _unreleased(segment)
        sounding: deque[tuple[Place, int]] = deque()
        for k, (place, velocity) in enumerate(segment):
            if not velocity:
                if sounding:
                    struck, loudness = sounding.popleft()
                    # Some programs write notes without length; they are meant to be heard.
                    notes.append(Note(pitch, loudness, struck, max(place[0], struck[0] + 1), place))
            elif k not in unreleased:
                sounding.append((place, velocity))
            elif again := unreleased[k]:
                if again[0] > place[0]:
                    notes.append(Note(pitch, velocity, place, min(again[0], place[0] + longest), None))
            else:
                notes.append(Note(pitch, velocity, place, closed[0] if closed else place[0] + longest, closed))
    return notes


def _between(
    presses: Sequence[tuple[Place, int]], ends: Sequence[Place]
) -> Iterator[tuple[Sequence[tuple[Place, int]], Place | None]]:
    """Split the presses of a key where all notes of its channel end; with each piece, what ended it. What is struck at
    the same tick comes after: several tracks tell a channel at their beginning to be silent.
    """
    begin = 0
    while begin < len(presses):
        following = bisect_right(ends, presses[begin][0][0], key=lambda place: place[0])
        closed = ends[following] if following < len(ends) else None
        tick = closed[0] if closed else math.inf
        end = bisect_left(presses, tick, begin, key=lambda press: press[0][0])
        yield presses[begin:end], closed
        begin = end


def _unreleased(presses: Sequence[tuple[Place, int]]) -> dict[int, Place | None]:
    """Which presses of a key, by their index, are note-ons for which no note-off is left; and where the key is struck
    next.
    """
    left = 0
    again: Place | None = None
    found: dict[int, Place | None] = {}
    for k in reversed(range(len(presses))):
        place, velocity = presses[k]
        if not velocity:
            left += 1
            continue
        if left:
            left -= 1
        else:
            found[k] = again
        again = place
    return found


def held(notes: Sequence[Note], controls: Sequence[Control], last: float) -> list[float]:
    """When notes of one channel end, in ticks, with its pedals: a key that is released while the sustain pedal is down
    sounds until it is up or the key is struck again. The sostenuto pedal does so for the keys that were down before it.

    Args:
        notes: of the channel, in any order.
        controls: of the channel, in their order.
        last: tick at which what the pedal still holds at the end of the file ends.
    """
    ends = [note.end for note in notes]
    strikes = [(note.struck, 0, k) for k, note in enumerate(notes)]
    releases = [(note.released, 1, k) for k, note in enumerate(notes) if note.released]
    changes = [(change.place, 2, k) for k, change in enumerate(controls)]
    is_down = is_sostenuto = False
    caught: set[int] = set()
    pressed = [0] * 128
    ringing: dict[int, list[int]] = {}

    def end(pitch: int, tick: float) -> None:
        for k in ringing.pop(pitch, ()):
            ends[k] = max(ends[k], tick)

    for (tick, _), what, k in sorted(strikes + releases + changes):
        if what == 2:
            change = controls[k]
            is_reset = change.controller == RESET_CONTROLLERS
            goes_down = not is_reset and change.value >= PEDAL_DOWN
            if change.controller == SUSTAIN or is_reset:
                is_down = goes_down
            if change.controller == SOSTENUTO or is_reset:
                if goes_down != is_sostenuto:
                    caught = {pitch for pitch in range(128) if goes_down and pressed[pitch]}
                is_sostenuto = goes_down
            for pitch in list(ringing):
                if change.controller == ALL_SOUND_OFF or not (is_down or pitch in caught):
                    end(pitch, tick)
            continue
        pitch = notes[k].pitch
        if what == 0:
            end(pitch, tick)
            pressed[pitch] += notes[k].released is not None
        else:
            pressed[pitch] -= 1
            # While another note holds the key down, there is nothing for the pedal to hold.
            if (is_down or pitch in caught) and not pressed[pitch]:
                ringing.setdefault(pitch, []).append(k)
    for pitch in list(ringing):
        end(pitch, last)
    return ends
