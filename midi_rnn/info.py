"""What run.json says of music that a network was trained on."""

from typing import Annotated, Literal

from msgspec import Meta

from midi_rnn.encoding import ENCODINGS
from midi_rnn.limits import Limits
from midi_rnn.summary import Summary
from workshop.checks import NotNegative, Whole
from workshop.notes.tempos import TEMPOS
from workshop.run.record import DataInfo

Symbols = Annotated[list[Whole], Meta(min_length=1)]


class MusicInfo(DataInfo, kw_only=True):
    """What is said of music; `symbols` are those of the encoding, and `files` include those of the same notes.

    Attributes:
        read: files that could be read.
        encoding: name of the encoding.
        track: which part of each file is taken, as `--track` has it.
        notes: how many there are.
        notes_lost: how many the encoding cannot hold besides others.
        unisons: notes left out because another voice plays the same pitch at that time.
        polyphonic_files: files of which one voice is taken.
        other_notes: notes of their other voices.
        shortened_rests: rests shortened by whole bars.
        pedal_files: files with the sustain pedal in use.
        pedal_notes: notes that it lengthens.
        minutes: of all pieces.
        pieces: how many are trained on, and how many are held out.
        split: what decided which.
        allowed_symbols: the symbols that the network may play.
        limits: what it keeps to while it plays; None where it needs none, and in the oldest experiments.
        warm_up: the end of a piece, read before a piece is begun.
        tempo: the median, in beats a minute.
        summary: summary statistics of all pieces.
    """

    read: Whole = 0
    encoding: str
    track: str | None
    notes: Whole = 0
    notes_lost: Whole = 0
    unisons: Whole = 0
    polyphonic_files: Whole = 0
    other_notes: Whole = 0
    shortened_rests: Whole = 0
    pedal_files: Whole = 0
    pedal_notes: Whole = 0
    minutes: NotNegative = 0.0
    pieces: tuple[Whole, Whole] = (0, 0)
    split: Literal["files", "folders", "end of the piece"] = "files"
    allowed_symbols: Symbols
    limits: Limits | None = None
    warm_up: Symbols
    tempo: Annotated[float, Meta(ge=TEMPOS[0], le=TEMPOS[1])]
    summary: Summary

    def __post_init__(self) -> None:
        encoding = ENCODINGS.get(self.encoding)
        if encoding is None:
            raise ValueError(f"there is no encoding {self.encoding!r}")
        for name in ("allowed_symbols", "warm_up"):
            if max(getattr(self, name)) >= encoding.vocab_size:
                raise ValueError(f"{name} has more than the {encoding.vocab_size} symbols of the encoding")
        if self.limits and not encoding.in_real_time:
            raise ValueError(f"the encoding {self.encoding} has no limits")
