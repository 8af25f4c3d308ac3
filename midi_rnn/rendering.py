"""Write generated notes as a MIDI file, audio and a piano roll."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workshop.audio.synthesis import RATE, render, write_wav
from workshop.errors import UserError
from workshop.notes.midifiles import write
from workshop.notes.roll import PAGE_BARS, PAGE_WIDTH, ROLL_BARS, ROLL_WIDTH, piano_roll
from workshop.pictures import write_png


def in_seconds(notes: np.ndarray, tempo: float) -> np.ndarray:
    """Notes [N, 4] with starts and ends turned from beats into seconds."""
    return np.column_stack([notes[:, :2] * 60 / tempo, notes[:, 2:]])


def write_files(
    stem: Path,
    notes: np.ndarray,
    tempo: float,
    program: int,
    wav: bool = True,
    png: bool = True,
    title: str = "",
    page: bool = False,
) -> tuple[list[Path], np.ndarray | None, np.ndarray | None]:
    """Write notes as `stem` with the suffixes .mid, .wav and .png.

    Args:
        stem: path without suffix.
        notes: [N, 4]: start and end in beats, pitch, velocity.
        tempo: beats a minute.
        program: General MIDI number of the instrument.
        wav: whether to render audio.
        png: whether to draw a piano roll.
        title: of the picture.
        page: whether the piano roll is a page with the whole piece, or a picture of the first bars for TensorBoard.

    Returns:
        the files; the samples [n] at `RATE` Hz, and the picture [H, W, 3], where they were asked for.

    Raises:
        UserError: a file cannot be written.
    """
    files = [stem.with_name(f"{stem.name}.mid")]
    write(files[0], notes, tempo, program, name=stem.name)
    samples = picture = None
    if wav:
        samples = render(in_seconds(notes, tempo), program)
        files.append(stem.with_name(f"{stem.name}.wav"))
        write_wav(files[-1], samples, RATE)
    if png:
        bars, width = (PAGE_BARS, PAGE_WIDTH) if page else (ROLL_BARS, ROLL_WIDTH)
        picture = piano_roll(notes, title, bars=bars, width=width)
        files.append(stem.with_name(f"{stem.name}.png"))
        write_png(files[-1], picture)
    return files, samples, picture


@dataclass(frozen=True)
class GeneratedNotes:
    """Notes that show themselves as a piano roll and a player in a notebook.

    Attributes:
        notes: [N, 4]: start and end in beats, pitch, velocity.
        tempo: beats a minute.
        program: General MIDI number of the instrument, from 0.
    """

    notes: np.ndarray
    tempo: float
    program: int = 0

    def __repr__(self) -> str:
        return f"{len(self.notes):,} notes at {self.tempo:g} beats a minute"

    def render(self) -> np.ndarray:
        """Samples, float32 [N] at `synthesis.RATE` Hz, of the notes played by the instrument."""
        return render(in_seconds(self.notes, self.tempo), self.program)

    def piano_roll(self, title: str = "") -> np.ndarray:
        """The whole piece as a page of piano rolls, uint8 [H, W, 3]."""
        return piano_roll(self.notes, title, bars=PAGE_BARS, width=PAGE_WIDTH)

    def save(self, path: str | Path) -> Path:
        """Write a MIDI file, a WAV file or a picture, as the suffix says.

        Raises:
            UserError: the suffix is none of these, or the file cannot be written.
        """
        path = Path(path)
        match path.suffix.lower():
            case ".mid" | ".midi":
                write(path, self.notes, self.tempo, self.program, name=path.stem)
            case ".wav":
                write_wav(path, self.render(), RATE)
            case ".png":
                write_png(path, self.piano_roll(path.stem))
            case suffix:
                raise UserError(f"notes cannot be saved as {path}: choose .mid, .wav or .png instead of {suffix!r}")
        return path

    def _ipython_display_(self) -> None:
        """Called by Jupyter."""
        from IPython.display import Audio, display
        from PIL.Image import fromarray

        display(fromarray(self.piano_roll()))
        display(Audio(self.render(), rate=RATE, normalize=False))
