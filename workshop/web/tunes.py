"""A text of tunes in ABC notation, which the page shows as a score, draws as notes and plays."""

import re
from pathlib import Path

import numpy as np

from workshop.audio.synthesis import RATE, render, write_wav
from workshop.datasets.abc_to_midi import playable, tunes_in
from workshop.datasets.midi_tunes import PROGRAM, note_table, usual_tempo
from workshop.notes import midifiles
from workshop.notes.roll import PAGE_BARS, PAGE_WIDTH, piano_roll
from workshop.pictures import write_png
from workshop.text.generated import GeneratedText

#: The first fields of a tune, which every one has: its number and its key, each at the beginning of a line.
_NUMBER, _KEY = re.compile(r"^X:\s*\d", re.MULTILINE), re.compile(r"^K:\s*[A-Ga-gHn]", re.MULTILINE)

#: A text that begins within the first tune's header: a network that has read tunes goes on where they ended.
_BEGUN = re.compile(r"\s*[TMLK]:")

#: Seconds between two tunes.
PAUSE = 1.0

#: The tempo of a MIDI file that holds several tunes, each as fast as it is played: beats a minute.
TEMPO = 120.0


def is_tune(text: str) -> bool:
    """Whether a text holds the fields of a tune in ABC notation."""
    return bool((_NUMBER.search(text) or _BEGUN.match(text)) and _KEY.search(text))


class GeneratedTunes(GeneratedText):
    """Tunes that a network has written, one after the other. What is no tune in the text is passed over, and a header
    whose number is missing gets one.

    Attributes:
        notes: [N, 4]: start and end in beats of `tempo`, pitch and velocity.
        tempo: beats a minute.
    """

    notes: np.ndarray
    tempo: float = TEMPO

    def __new__(cls, text: str) -> "GeneratedTunes":
        """Read the tunes of a text."""
        made = super().__new__(cls, f"X:1\n{text.lstrip()}" if _BEGUN.match(text) else text)
        made.notes = _notes(made)
        return made

    def save(self, path: str | Path) -> Path:
        """Write the text, or a MIDI file, a WAV file or a piano roll of the notes, as the suffix says.

        Raises:
            UserError: the file cannot be written.
        """
        path = Path(path)
        match path.suffix:
            case ".mid":
                midifiles.write(path, self.notes, self.tempo, PROGRAM, name=path.stem)
            case ".wav":
                seconds = self.notes * [60 / self.tempo, 60 / self.tempo, 1, 1]
                write_wav(path, render(seconds, PROGRAM), RATE)
            case ".png":
                write_png(path, piano_roll(self.notes, path.stem, bars=PAGE_BARS, width=PAGE_WIDTH))
            case _:
                super().save(path)
        return path


def _notes(text: str) -> np.ndarray:
    """The notes of all tunes in a text, in beats of `TEMPO`."""
    played: list[np.ndarray] = [np.empty((0, 4))]
    start = 0.0
    for _, tune in tunes_in(text)[0]:
        melody, _ = playable(tune)
        if melody.notes:
            table = note_table(melody)
            table[:, :2] = start + table[:, :2] * (TEMPO / (melody.tempo or usual_tempo(melody)))
            played.append(table)
            start = float(table[:, 1].max()) + PAUSE * TEMPO / 60
    return np.concatenate(played)
