"""Which notes of a file make a melody: the part that carries it, and the highest voice of that part."""

import re

import numpy as np

from workshop.errors import UserError
from workshop.nearest import did_you_mean
from workshop.notes.midifiles import Score

#: The name of a track says that it is the one where a word begins like this.
MELODY_NAME = re.compile(r"\b(melody|vocal|voice|lead|sopran|sing|tune)", re.IGNORECASE)
#: A part with fewer notes than this share of the fullest one is not taken for the melody.
MIN_SHARE = 0.25


def chosen_part(score: Score, track: str | None) -> np.ndarray:
    """The notes [N, 4] of one part that is not drums: the one that `track` means, or else the one that is likeliest the
    melody.

    That is one whose name says so, or else the one with the highest notes on average, of those that play a good share
    of the time. `track` is a name or a part of it, or a number from 1.

    Raises:
        UserError: there is no such part; the sentence goes on from the file's name.
    """
    parts = [k for k, part in enumerate(score.parts) if not part.is_drums]
    notes = {k: score.notes[score.notes[:, 4] == k, :4] for k in parts}
    if track is not None:
        return notes[_called(score, parts, track)]
    if not parts:
        return np.empty((0, 4))
    named = [k for k in parts if MELODY_NAME.search(score.parts[k].name)]
    if named and len(named) < len(parts):  # what all names say, as the title of the piece may, says nothing
        return notes[named[0]]
    fullest = max(len(notes[k]) for k in parts)
    return max((notes[k] for k in parts if len(notes[k]) >= MIN_SHARE * fullest), key=lambda n: n[:, 2].mean())


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
    """The highest voice of notes [N, 4] in the order of their starts: at most one at a time, none cut but where the
    next begins.

    A note is left out where a higher one goes on sounding for more than half of the time until it ends or a higher one
    begins, so that one that is only held a little too long does not hide the next.
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
    """When each of the notes ends or, if that is sooner, a later and higher one begins, float64 [N]."""
    until = notes[:, 1].copy()
    later: list[tuple[float, float]] = []  # pitches and starts of those that nothing between is as high as
    for k in reversed(range(len(notes))):
        start, _, pitch, _ = notes[k].tolist()
        while later and later[-1][0] <= pitch:
            later.pop()
        if later:
            until[k] = min(until[k], later[-1][1])
        later.append((pitch, start))
    return until
