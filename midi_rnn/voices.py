"""Which notes of a file make a melody: the part that carries it, and the highest voice of that part."""

import numpy as np

from workshop.errors import UserError
from workshop.midifiles import Score
from workshop.nearest import did_you_mean

#: Names of tracks that say that it is the one.
MELODY_NAMES = ("melody", "vocal", "voice", "lead", "sopran", "sing", "tune")
#: A part with fewer notes than this share of the fullest one is not taken for the melody.
LEAST_SHARE = 0.25


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
    for k in parts:
        if any(name in score.parts[k].name.lower() for name in MELODY_NAMES):
            return notes[k]
    fullest = max(len(notes[k]) for k in parts)
    return max((notes[k] for k in parts if len(notes[k]) >= LEAST_SHARE * fullest), key=lambda n: n[:, 2].mean())


def _called(score: Score, parts: list[int], track: str) -> int:
    if track.isdecimal() and 1 <= int(track) <= len(parts):
        return parts[int(track) - 1]
    names = [score.parts[k].name for k in parts]
    for k, name in zip(parts, names, strict=True):
        if track.lower() in name.lower():
            return k
    there = ", ".join(f"{number} {name!r}" for number, name in enumerate(names, 1)) or "none"
    raise UserError(f"has no track {track}{did_you_mean(track, names)} (it has {there})")


def highest(notes: np.ndarray) -> np.ndarray:
    """The highest voice of notes [N, 4] in the order of their starts: at most one at a time, none cut but where the
    next begins.

    A note is left out while a higher one goes on sounding for more than half of it, so that one that is only held a
    little too long does not hide the next.
    """
    notes = notes[np.lexsort((-notes[:, 2], notes[:, 0]))]
    if (notes[:-1, 1] <= notes[1:, 0]).all() and (np.diff(notes[:, 0]) > 0).all():
        return notes
    kept: list[list[float]] = []
    for start, end, pitch, velocity in notes.tolist():
        while kept and kept[-1][0] == start and kept[-1][2] <= pitch:
            kept.pop()
        hidden = any(p > pitch and e - start > (end - start) / 2 for _, e, p, _ in kept[-4:])
        if not hidden and not (kept and kept[-1][0] == start):
            kept.append([start, end, pitch, velocity])
    voice = np.array(kept).reshape(-1, 4)
    voice[:-1, 1] = np.minimum(voice[:-1, 1], voice[1:, 0])
    return voice
