"""Notes as numbers: the representation of lesson 2, in two encodings.

`melody`       one voice on a grid of sixteenths: at each step a note begins, is held, or there is a rest.
               C4 for a quarter, then a rest of an eighth:  C4 hold hold hold rest rest
`performance`  any number of notes at once, in time instead of beats: note on, note off, wait 10 ms to 1 s, play louder
               or softer (Simon and Oore, "Performance RNN", Magenta 2017).
               The same:  velocity 20, on C4, wait 0.5 s, off C4

Each takes notes apart and puts them together again exactly, as far as it can express them: a melody has no loudness and
nothing shorter than a sixteenth, a performance nothing shorter than 10 ms. `END` stands between pieces in both.
"""

import math
from typing import Protocol

import numpy as np

from midi_rnn.voices import chosen_part, highest
from workshop.notes.midi_rests import rests
from workshop.notes.midifiles import DEFAULT_TEMPO, Score

#: Number of the symbol between two pieces.
END = 0
PITCHES = 128


class Encoding(Protocol):
    """What the lesson needs of an encoding; notes are float64 [N, 4]: start and end in beats, pitch, velocity."""

    name: str
    vocab_size: int
    unit: str
    #: Whether time is counted in seconds, so that a tempo has been played out already.
    in_real_time: bool

    def sounding(self, score: Score, track: str | None) -> np.ndarray:
        """The notes of a file that this encoding can express, in the beats of the file."""

    def compact(self, notes: np.ndarray, score: Score) -> np.ndarray:
        """Those notes in the beats of this encoding, without silence before them and with long rests shortened."""

    def encode(self, notes: np.ndarray) -> np.ndarray:
        """Symbols, int16 [T]."""

    def decode(self, symbols: np.ndarray) -> np.ndarray:
        """Notes [N, 4] of any symbols; invalid ones are skipped."""

    def transpose(self, symbols: np.ndarray, semitones: int) -> np.ndarray:
        """The same music so many semitones higher."""

    def stretch(self, symbols: np.ndarray, factor: float) -> np.ndarray:
        """The same music, `factor` times as long, where the encoding can express that."""


# ---- melody ----------------------------------------------------------------------------------------------------------

STEPS_PER_BEAT = 4
REST, HOLD, FIRST_PITCH = 1, 2, 3
#: A melody has no loudness; this is how it is played.
MELODY_VELOCITY = 90
#: Silence before a melody is shortened by so many beats at a time, so that a note on the beat stays there.
BAR_BEATS = 4
#: A note that finds its step taken may move so far, in steps; one that would have to go further is left out.
FARTHEST = 1.5
#: A note is left out where keeping it would move notes by so many steps in all: a grace note in the middle of a run.
LEFT_OUT = 8.0
#: So that of two steps that are equally near it is the later one.
HALF_UP = 1e-6


class MelodyEncoding:
    """One voice on a grid of sixteenths: `END`, `REST`, `HOLD`, and a symbol for the beginning of each pitch."""

    name = "melody"
    vocab_size = FIRST_PITCH + PITCHES
    unit = "sixteenths"
    in_real_time = False

    def sounding(self, score: Score, track: str | None) -> np.ndarray:
        """The highest voice of the part that carries the melody; keys sound as long as they are held down."""
        return highest(chosen_part(score, track))

    def compact(self, notes: np.ndarray, score: Score) -> np.ndarray:
        """Notes from the bar of the first one on, with long rests shortened by whole bars."""
        surplus = rests(notes, score.bars)[1]
        surplus[:1] = BAR_BEATS * (notes[:1, 0] // BAR_BEATS)
        return _earlier(notes, surplus)

    def encode(self, notes: np.ndarray) -> np.ndarray:
        """Symbols, int16 [T], of notes of which none begin together; velocities are lost."""
        starts, kept = quantise_onsets(notes[:, 0] * STEPS_PER_BEAT)
        notes = notes[kept]
        ends = np.maximum(np.floor(notes[:, 1] * STEPS_PER_BEAT + 0.5).astype(int), starts + 1)
        ends = np.minimum(ends, np.append(starts[1:], ends[-1:]))
        changes = np.zeros(ends[-1] + 1 if len(ends) else 0, int)
        changes[starts] += 1
        changes[ends] -= 1
        symbols = np.where(np.cumsum(changes[:-1]) > 0, HOLD, REST).astype(np.int16)
        symbols[starts] = FIRST_PITCH + notes[:, 2].astype(int)
        return symbols

    def decode(self, symbols: np.ndarray) -> np.ndarray:
        """Notes [N, 4]; the end of a piece is a rest, and a hold without a note is one too."""
        symbols = np.asarray(symbols)
        starts = np.flatnonzero(symbols >= FIRST_PITCH)
        breaks = np.append(np.flatnonzero(symbols != HOLD), len(symbols))
        ends = breaks[np.searchsorted(breaks, starts, side="right")]
        pitches = symbols[starts] - FIRST_PITCH
        velocities = np.full(len(starts), MELODY_VELOCITY)
        return np.column_stack([starts / STEPS_PER_BEAT, ends / STEPS_PER_BEAT, pitches, velocities]).astype(float)

    def transpose(self, symbols: np.ndarray, semitones: int) -> np.ndarray:
        """The same melody so many semitones higher; as it is where that would leave MIDI's range."""
        return _shifted(symbols, semitones, [FIRST_PITCH])

    def stretch(self, symbols: np.ndarray, factor: float) -> np.ndarray:
        """As it is: a melody is counted in beats, however long they last."""
        return symbols


def _earlier(notes: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Notes [N, 4] without the silence `left_out` [N] before each, in the unit of their starts and ends."""
    return np.column_stack([notes[:, :2] - np.cumsum(left_out)[:, None], notes[:, 2:]])


def quantise_onsets(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantise ascending onsets, in steps, to whole steps: each to a different one, with the least total shift.

    Dynamic programming from left to right: a note costs the distance that it is moved, or `LEFT_OUT`.

    Returns:
        the steps, int [K], strictly ascending, and which of the times they belong to, int [K].
    """
    nearest = np.floor(times + 0.5).astype(int)
    if (np.diff(nearest) > 0).all():
        return nearest, np.arange(len(times))
    # By the last step used: the least cost so far, and the path to it, as (path before, time, step).
    best: dict[int, tuple[float, tuple]] = {-1: (0.0, ())}
    for number, time in enumerate(times.tolist()):
        first = max(math.ceil(time - FARTHEST), 0)
        before: dict[int, tuple[float, tuple]] = {}
        for last, way in best.items():
            _keep_cheaper(before, max(last, first - 1), way)  # an earlier last step restricts nothing that follows
        best = {last: (cost + LEFT_OUT, path) for last, (cost, path) in before.items()}
        for step in range(first, math.floor(time + FARTHEST) + 1):
            cost, path = min((way for last, way in before.items() if last < step), key=_cost)
            _keep_cheaper(best, step, (cost + abs(step - time - HALF_UP), (path, number, step)))
    path = min(best.values(), key=_cost)[1]
    taken: list[tuple[int, int]] = []
    while path:
        path, number, step = path
        taken.append((step, number))
    steps, kept = np.array(taken[::-1], int).reshape(-1, 2).T
    return steps, kept


def _cost(way: tuple[float, tuple]) -> float:
    return way[0]


def _keep_cheaper(ways: dict[int, tuple[float, tuple]], last: int, way: tuple[float, tuple]) -> None:
    if last not in ways or way[0] < ways[last][0]:
        ways[last] = way


# ---- performance -----------------------------------------------------------------------------------------------------

#: Time is counted in units of so many seconds.
UNIT_SECONDS = 0.01
LONGEST_WAIT = 100
VELOCITIES = 32
NOTE_ON = 1
NOTE_OFF = NOTE_ON + PITCHES
WAIT = NOTE_OFF + PITCHES
VELOCITY = WAIT + LONGEST_WAIT
#: A performance is written with this tempo, so that a beat is half a second.
UNITS_PER_BEAT = 60 / DEFAULT_TEMPO / UNIT_SECONDS


class PerformanceEncoding:
    """Any number of notes at once: `END`, note on and note off for each pitch, waits of 1 to 100 units of 10 ms, and 32
    velocities.
    """

    name = "performance"
    vocab_size = VELOCITY + VELOCITIES
    unit = "events"
    in_real_time = True

    def sounding(self, score: Score, track: str | None) -> np.ndarray:
        """The notes of all parts but drums, or of the one called `track`, as the sustain pedal lets them sound."""
        score = score.with_pedal()
        return (score.pitched if track is None else chosen_part(score, track))[:, :4]

    def compact(self, notes: np.ndarray, score: Score) -> np.ndarray:
        """Notes from the first one on, at 120 beats a minute, with long rests shortened by whole bars.

        The file's tempos are played out: a beat of the result is half a second of the file.
        """
        surplus = rests(notes, score.bars)[1]
        surplus[:1] = notes[:1, 0]
        left_out = score.seconds(notes[:, 0]) - score.seconds(notes[:, 0] - surplus)
        notes = _earlier(score.timed(notes), left_out)
        notes[:, :2] *= DEFAULT_TEMPO / 60
        return notes

    def encode(self, notes: np.ndarray) -> np.ndarray:
        """Symbols, int16 [T]. Of notes of one pitch the later one ends the earlier one."""
        symbols: list[int] = []
        now, loudness = 0, -1
        for time, is_on, pitch, level in _events(_units(notes)):
            while time > now:
                wait = min(time - now, LONGEST_WAIT)
                symbols.append(WAIT + wait - 1)
                now += wait
            if is_on and level != loudness:
                symbols.append(VELOCITY + level)
                loudness = level
            symbols.append((NOTE_ON if is_on else NOTE_OFF) + pitch)
        return np.array(symbols, np.int16)

    def decode(self, symbols: np.ndarray) -> np.ndarray:
        """Notes [N, 4]; what still sounds at the end of a piece ends there."""
        notes: list[tuple[int, int, int, int]] = []
        sounding: dict[int, tuple[int, int]] = {}
        now, level = 0, VELOCITIES // 2

        def end(pitch: int) -> None:
            start, loudness = sounding.pop(pitch, (now, 0))
            if now > start:
                notes.append((start, now, pitch, 4 * loudness + 2))

        for symbol in np.asarray(symbols).tolist():
            if symbol >= VELOCITY:
                level = symbol - VELOCITY
            elif symbol >= WAIT:
                now += symbol - WAIT + 1
            elif symbol >= NOTE_OFF:
                end(symbol - NOTE_OFF)
            elif symbol >= NOTE_ON:
                end(symbol - NOTE_ON)
                sounding[symbol - NOTE_ON] = (now, level)
            else:
                for pitch in list(sounding):
                    end(pitch)
        for pitch in list(sounding):
            end(pitch)
        table = np.array(sorted(notes), float).reshape(-1, 4)
        table[:, :2] /= UNITS_PER_BEAT
        return table

    def transpose(self, symbols: np.ndarray, semitones: int) -> np.ndarray:
        """The same music so many semitones higher; as it is where that would leave MIDI's range."""
        return _shifted(symbols, semitones, [NOTE_ON, NOTE_OFF])

    def stretch(self, symbols: np.ndarray, factor: float) -> np.ndarray:
        """The same performance, `factor` times as long."""
        notes = self.decode(symbols)
        notes[:, :2] *= factor
        return self.encode(notes)


def unisons(notes: np.ndarray) -> int:
    """How many of notes [N, 4] are lost in a performance because another one of their pitch begins with them and both
    sound: two voices on one key.
    """
    begins = np.floor(notes[:, 0] * UNITS_PER_BEAT + 0.5)
    order = np.lexsort((notes[:, 1], begins, notes[:, 2]))
    begins, notes = begins[order], notes[order]
    together = (begins[:-1] == begins[1:]) & (notes[:-1, 2] == notes[1:, 2])
    return int((together & (notes[1:, 0] < notes[:-1, 1])).sum())


def _units(notes: np.ndarray) -> np.ndarray:
    """Start, end, pitch and level of loudness, int [N, 4], so that no two notes of a pitch overlap."""
    times = np.floor(notes[:, :2] * UNITS_PER_BEAT + 0.5)
    table = np.column_stack([times, notes[:, 2], (notes[:, 3] - 1) // 4]).astype(int)
    table[:, 1] = np.maximum(table[:, 1], table[:, 0] + 1)
    table = table[np.lexsort((table[:, 1], table[:, 0], table[:, 2]))]
    together = (table[:-1, [0, 2]] == table[1:, [0, 2]]).all(axis=1)  # the longest of them is the last
    table = np.delete(table, np.flatnonzero(together), axis=0)
    cut = np.flatnonzero((table[:-1, 2] == table[1:, 2]) & (table[:-1, 1] > table[1:, 0]))
    table[cut, 1] = table[cut + 1, 0]
    return table


def _events(table: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Time, 1 for on or 0 for off, pitch and level of loudness, in order; at one time the offs come first."""
    ons = np.column_stack([table[:, 0], np.ones(len(table), int), table[:, 2:]])
    offs = np.column_stack([table[:, 1], np.zeros(len(table), int), table[:, 2:]])
    events = np.concatenate([ons, offs])
    return events[np.lexsort((events[:, 2], events[:, 1], events[:, 0]))].tolist()


def _shifted(symbols: np.ndarray, semitones: int, firsts: list[int]) -> np.ndarray:
    """`symbols` with those of pitches, each kind of which begins at one of `firsts`, so many semitones higher; as they
    are where one would leave MIDI's range.
    """
    result = symbols.copy()
    for first in firsts:
        is_pitch = (symbols >= first) & (symbols < first + PITCHES)
        moved = symbols[is_pitch] - first + semitones
        if len(moved) and (moved.min() < 0 or moved.max() >= PITCHES):
            return symbols
        result[is_pitch] = first + moved
    return result


ENCODINGS: dict[str, Encoding] = {"melody": MelodyEncoding(), "performance": PerformanceEncoding()}
