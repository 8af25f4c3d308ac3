"""What music is like in numbers, so that what was generated can be held against what was learnt from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from midi_rnn.encoding import STEPS_PER_BEAT
from workshop.midifiles import PITCH_CLASSES, pitch_name

#: Longest note of each kind, in sixteenths, and its name.
LENGTHS = ((1, "sixteenth"), (2, "eighth"), (3, "dotted eighth"), (4, "quarter"), (6, "dotted quarter"), (8, "half"))
LONGER = "longer"


def portrait(pieces: Sequence[np.ndarray]) -> dict[str, Any]:
    """Counts and shares of pieces, each notes [N, 4]: start and end in beats, pitch, velocity.

    Returns:
        `notes`, their number; `lowest` and `highest` pitch; `notes_per_beat`; `rests`, the share of time in which
        nothing sounds; `repeated`, the share of notes with the pitch of the one before; `voices`, notes that sound at
        once where any do; `pitch_classes` and `lengths`, shares of the notes by name.
    """
    pieces = [piece[np.lexsort((piece[:, 2], piece[:, 0]))] for piece in pieces if len(piece)]
    notes = np.concatenate(pieces) if pieces else np.empty((0, 4))
    beats = sum(piece[:, 1].max() - piece[0, 0] for piece in pieces)
    sounding = sum(_sounding(piece) for piece in pieces)
    pairs = sum(len(piece) - 1 for piece in pieces)
    lengths = np.maximum(np.floor((notes[:, 1] - notes[:, 0]) * STEPS_PER_BEAT + 0.5), 1)
    kinds = np.bincount(np.searchsorted([steps for steps, _ in LENGTHS], lengths), minlength=len(LENGTHS) + 1)
    classes = np.bincount(notes[:, 2].astype(int) % 12, minlength=12)
    total = max(len(notes), 1)
    return {
        "notes": len(notes),
        "lowest": int(notes[:, 2].min(initial=127)),
        "highest": int(notes[:, 2].max(initial=0)),
        "notes_per_beat": len(notes) / max(beats, 1e-9),
        "rests": max(1 - sounding / max(beats, 1e-9), 0.0) if pieces else 1.0,
        "repeated": sum(int((np.diff(piece[:, 2]) == 0).sum()) for piece in pieces) / max(pairs, 1),
        "voices": float((notes[:, 1] - notes[:, 0]).sum()) / max(sounding, 1e-9),
        "pitch_classes": dict(zip(PITCH_CLASSES, (classes / total).tolist(), strict=True)),
        "lengths": dict(zip([*(name for _, name in LENGTHS), LONGER], (kinds / total).tolist(), strict=True)),
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
