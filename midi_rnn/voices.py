"""Melody extraction: choose the part of a file that carries the melody, and its highest voice."""

import re

import numpy as np

from workshop.errors import UserError
from workshop.nearest import did_you_mean
from workshop.notes.midifiles import Score

#: A track is taken for the melody if a word of its name begins like this.
MELODY_NAME = re.compile(r"\b(melody|vocal|voice|lead|sopran|sing|tune)", re.IGNORECASE)
#: A part with fewer notes than this share of the largest part is not taken for the melody.
MIN_SHARE = 0.25


def chosen_part(score: Score, track: str | None) -> np.ndarray:
    """The notes [N, 4] of one part that is not drums: `track`, or else the most likely melody.

    The most likely melody is a part with such a name, or else, of the parts with enough notes, the one with the highest
    mean pitch.

    Args:
        score: the file.
        track: a name, a part of a name, or a number from 1.

    Raises:
        UserError: there is no such part; the message continues the file's name.
    """
    parts = [k for k, part in enumerate(score.parts) if not part.is_drums]
    notes = {k: score.notes[score.notes[:, 4] == k, :4] for k in parts}
    if track is not None:
        return notes[_called(score, parts, track)]
    if not parts:
        return np.empty((0, 4))
    named = [k for k in parts if MELODY_NAME.search(score.parts[k].name)]
    if named and len(named) < len(parts):  # a word in all names, such as the title of the piece, tells nothing
        return notes[named[0]]
    largest = max(len(notes[k]) for k in parts)
    return max((notes[k] for k in parts if len(notes[k]) >= MIN_SHARE * largest), key=lambda n: n[:, 2].mean())


def _called(score: Score, parts: list[int], track: str) -> int:
    if track.isdecimal() and 1 <= int(track) <= len(parts):
        return parts[int(track) - 1]
    names = [score.parts[k].name for k in parts]
    for name in [name for name in names if name.lower() == track.lower()] + names:
        if track.lower() in name.lower():
            return parts[names.index(name)]
    there = ", ".join(f"{number} {name!r}" for number, name in enumerate(names, 1)) or "none"
    raise UserError(f"has no track {track}{did_you_mean(track, names)} (it has {there})")


def highest(notes: np.ndarray) -> np.ndarray:
    """The highest voice (skyline) of notes [N, 4], ordered by onset: at most one note sounds at a time.

    A note is cut where the next one begins. It is left out if a higher note sounds during more than half of the time
    until it ends or a higher one begins: a note that is held slightly too long does not hide the next one.
    """
    notes = notes[np.lexsort((-notes[:, 1], -notes[:, 2], notes[:, 0]))]
    if (notes[:-1, 1] <= notes[1:, 0]).all() and (np.diff(notes[:, 0]) > 0).all():
        return notes
    kept: list[list[float]] = []
    for note, uncovered in zip(notes.tolist(), _until_higher(notes).tolist(), strict=True):
        start, _, pitch, _ = note
        hidden = any(p > pitch and e - start > (uncovered - start) / 2 for _, e, p, _ in kept[-4:])
        if not hidden and not (kept and kept[-1][0] == start):
            kept.append(note)
    voice = np.array(kept).reshape(-1, 4)
    voice[:-1, 1] = np.minimum(voice[:-1, 1], voice[1:, 0])
    return voice


def _until_higher(notes: np.ndarray) -> np.ndarray:
    """For each note, the earlier of its end and the onset of a later, higher note; float64 [N]."""
    until = notes[:, 1].copy()
    # Monotonic stack: pitches and starts of later notes with no higher one in between.
    later: list[tuple[float, float]] = []
    for k in reversed(range(len(notes))):
        start, _, pitch, _ = notes[k].tolist()
        while later and later[-1][0] <= pitch:
            later.pop()
        if later:
            until[k] = min(until[k], later[-1][1])
        later.append((pitch, start))
    return until
