"""Summary statistics of music, to compare generated pieces with the training data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from midi_rnn.encoding import STEPS_PER_BEAT
from workshop.checks import NotNegative, Whole
from workshop.notes.midifiles import PITCH_CLASSES, pitch_name

#: Longest note of each kind, in sixteenths, and its name.
LENGTHS = ((1, "sixteenth"), (2, "eighth"), (3, "dotted eighth"), (4, "quarter"), (6, "dotted quarter"), (8, "half"))
#: All kinds of note values.
KINDS = [*(name for _, name in LENGTHS), "longer"]

Pitch = Annotated[int, Meta(ge=0, le=127)]


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
        kinds=np.bincount(kinds, minlength=len(KINDS)),
    )


class Summary(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Counts and shares of pieces.

    Attributes:
        notes: how many.
        lowest: pitch; of no notes 127.
        highest: pitch; of no notes 0.
        notes_per_beat: from the first note of a piece to the end of its last.
        rests: share of the time in which nothing sounds.
        repeated: share of the notes with the pitch of the one before.
        voices: notes that sound at once where any do.
        pitch_classes: share of the notes, by the name of the pitch class.
        lengths: share of the notes, by the name of the note value.
    """

    notes: Whole
    lowest: Pitch
    highest: Pitch
    notes_per_beat: NotNegative
    rests: NotNegative
    repeated: NotNegative
    voices: NotNegative
    pitch_classes: dict[str, NotNegative]
    lengths: dict[str, NotNegative]

    def __post_init__(self) -> None:
        if (list(self.pitch_classes), list(self.lengths)) != (list(PITCH_CLASSES), KINDS):
            raise ValueError("the shares are not those of all pitch classes and note values")


def summarise(pieces: Sequence[np.ndarray]) -> Summary:
    """The summary of pieces, each notes [N, 4]: start and end in beats, pitch, velocity."""
    return combined([measure(piece) for piece in pieces if len(piece)])


def combined(pieces: Sequence[Measures]) -> Summary:
    """The summary of pieces that have been measured."""
    notes = sum(piece.notes for piece in pieces)
    beats = max(sum(piece.beats for piece in pieces), 1e-9)
    sounding = sum(piece.sounding for piece in pieces)
    classes = sum((piece.classes for piece in pieces), np.zeros(12, int)) / max(notes, 1)
    kinds = sum((piece.kinds for piece in pieces), np.zeros(len(KINDS), int)) / max(notes, 1)
    return Summary(
        notes=notes,
        lowest=min((piece.lowest for piece in pieces), default=127),
        highest=max((piece.highest for piece in pieces), default=0),
        notes_per_beat=notes / beats,
        rests=max(1 - sounding / beats, 0.0) if pieces else 1.0,
        repeated=sum(piece.repeated for piece in pieces) / max(notes - len(pieces), 1),
        voices=sum(piece.sounded for piece in pieces) / max(sounding, 1e-9),
        pitch_classes=dict(zip(PITCH_CLASSES, classes.tolist(), strict=True)),
        lengths=dict(zip(KINDS, kinds.tolist(), strict=True)),
    )


def _sounding(piece: np.ndarray) -> float:
    """Beats in which at least one of the notes, in the order of their starts, sounds."""
    reached = np.maximum.accumulate(piece[:, 1])
    before = np.concatenate([[piece[0, 0]], reached[:-1]])
    return float(np.maximum(reached - np.maximum(piece[:, 0], before), 0).sum())


def table(summaries: dict[str, Summary]) -> str:
    """Summaries side by side as a table in Markdown, one column for each name."""
    columns = list(summaries.values())
    rows = [("", list(summaries)), ("---", ["---:"] * len(columns))]
    rows.append(("notes", [f"{one.notes:,}" for one in columns]))
    rows.append(("pitch range", [_range(one) for one in columns]))
    rows.append(("notes a beat", [f"{one.notes_per_beat:.2f}" for one in columns]))
    rows.append(("voices", [f"{one.voices:.2f}" for one in columns]))
    rows.append(("rests", [f"{one.rests:.1%}" for one in columns]))
    rows.append(("repeated notes", [f"{one.repeated:.1%}" for one in columns]))
    rows += ((name, [f"{one.lengths[name]:.1%}" for one in columns]) for name in KINDS)
    rows += ((name, [f"{one.pitch_classes[name]:.1%}" for one in columns]) for name in PITCH_CLASSES)
    width = max(len(name) for name, _ in rows)
    widths = [max(len(values[k]) for _, values in rows) for k in range(len(columns))]
    return "\n".join(
        f"| {name.ljust(width)} | " + " | ".join(v.rjust(w) for v, w in zip(values, widths, strict=True)) + " |"
        for name, values in rows
    )


def _range(summary: Summary) -> str:
    return f"{pitch_name(summary.lowest)} to {pitch_name(summary.highest)}" if summary.notes else "none"
