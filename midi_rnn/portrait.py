"""Summary statistics of music, to compare generated pieces with the training data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from midi_rnn.encoding import STEPS_PER_BEAT
from workshop.notes.midifiles import PITCH_CLASSES, pitch_name

#: Longest note of each kind, in sixteenths, and its name.
LENGTHS = ((1, "sixteenth"), (2, "eighth"), (3, "dotted eighth"), (4, "quarter"), (6, "dotted quarter"), (8, "half"))
LONGER = "longer"


@dataclass(frozen=True)
class Measures:
    """Counts of one piece: notes, lowest and highest pitch, beats from the first note to the end of the last one, beats
    in which anything sounds, beats of all notes together, notes with the pitch of the one before, and notes by pitch
    class int [12] and by kind of length int [7].
    """

    notes: int
    lowest: int
    highest: int
    beats: float
    sounding: float
    sounded: float
    repeated: int
    classes: np.ndarray
    kinds: np.ndarray


def measure(piece: np.ndarray) -> Measures:
    """The counts of a piece, at least one note [N, 4]: start and end in beats, pitch, velocity."""
    piece = piece[np.lexsort((piece[:, 2], piece[:, 0]))]
    start, end, pitch = piece[:, :3].T
    lengths = np.maximum(np.floor((end - start) * STEPS_PER_BEAT + 0.5), 1)
    kinds = np.searchsorted([steps for steps, _ in LENGTHS], lengths)
    return Measures(
        notes=len(piece),
        lowest=int(pitch.min()),
        highest=int(pitch.max()),
        beats=float(end.max() - start[0]),
        sounding=_sounding(piece),
        sounded=float((end - start).sum()),
        repeated=int((np.diff(pitch) == 0).sum()),
        classes=np.bincount(pitch.astype(int) % 12, minlength=12),
        kinds=np.bincount(kinds, minlength=len(LENGTHS) + 1),
    )


def portrait(pieces: Sequence[np.ndarray]) -> dict[str, Any]:
    """Counts and shares of pieces, each notes [N, 4]: start and end in beats, pitch, velocity; see `combined`."""
    return combined([measure(piece) for piece in pieces if len(piece)])


def combined(pieces: Sequence[Measures]) -> dict[str, Any]:
    """Counts and shares of pieces that have been measured.

    Returns:
        `notes`, their number; `lowest` and `highest` pitch; `notes_per_beat`; `rests`, the share of time in which
        nothing sounds; `repeated`, the share of notes with the pitch of the one before; `voices`, notes that sound at
        once where any do; `pitch_classes` and `lengths`, shares of the notes by name.
    """
    notes = sum(piece.notes for piece in pieces)
    beats = max(sum(piece.beats for piece in pieces), 1e-9)
    sounding = sum(piece.sounding for piece in pieces)
    classes = sum((piece.classes for piece in pieces), np.zeros(12, int)) / max(notes, 1)
    kinds = sum((piece.kinds for piece in pieces), np.zeros(len(LENGTHS) + 1, int)) / max(notes, 1)
    return {
        "notes": notes,
        "lowest": min((piece.lowest for piece in pieces), default=127),
        "highest": max((piece.highest for piece in pieces), default=0),
        "notes_per_beat": notes / beats,
        "rests": max(1 - sounding / beats, 0.0) if pieces else 1.0,
        "repeated": sum(piece.repeated for piece in pieces) / max(notes - len(pieces), 1),
        "voices": sum(piece.sounded for piece in pieces) / max(sounding, 1e-9),
        "pitch_classes": dict(zip(PITCH_CLASSES, classes.tolist(), strict=True)),
        "lengths": dict(zip([*(name for _, name in LENGTHS), LONGER], kinds.tolist(), strict=True)),
    }


def _sounding(piece: np.ndarray) -> float:
    """Beats in which at least one of the notes, in the order of their starts, sounds."""
    reached = np.maximum.accumulate(piece[:, 1])
    before = np.concatenate([[piece[0, 0]], reached[:-1]])
    return float(np.maximum(reached - np.maximum(piece[:, 0], before), 0).sum())


def table(portraits: dict[str, dict[str, Any]]) -> str:
    """Portraits side by side as a table in Markdown, one column for each name."""
    rows = [("", list(portraits)), ("---", ["---:"] * len(portraits))]
    rows.append(("notes", [f"{p['notes']:,}" for p in portraits.values()]))
    rows.append(("pitch range", [_range(p) for p in portraits.values()]))
    rows.append(("notes a beat", [f"{p['notes_per_beat']:.2f}" for p in portraits.values()]))
    rows.append(("voices", [f"{p['voices']:.2f}" for p in portraits.values()]))
    rows.append(("rests", [f"{p['rests']:.1%}" for p in portraits.values()]))
    rows.append(("repeated notes", [f"{p['repeated']:.1%}" for p in portraits.values()]))
    for kind in ("lengths", "pitch_classes"):
        for name in next(iter(portraits.values()))[kind]:
            rows.append((name, [f"{p[kind][name]:.1%}" for p in portraits.values()]))
    width = max(len(name) for name, _ in rows)
    columns = [max(len(values[k]) for _, values in rows) for k in range(len(portraits))]
    return "\n".join(
        f"| {name.ljust(width)} | " + " | ".join(v.rjust(w) for v, w in zip(values, columns, strict=True)) + " |"
        for name, values in rows
    )


def _range(portrait: dict[str, Any]) -> str:
    return f"{pitch_name(portrait['lowest'])} to {pitch_name(portrait['highest'])}" if portrait["notes"] else "none"
