"""Generated notes as what a person can hear, see and open: a MIDI file, audio, a piano roll."""

import itertools
from pathlib import Path

import numpy as np

from workshop.errors import UserError
from workshop.midifiles import SUFFIXES, write
from workshop.pictures import piano_roll, write_png
from workshop.synthesis import RATE, render, write_wav

#: What a piece may consist of.
KINDS = (".mid", ".wav", ".png")


def in_seconds(notes: np.ndarray, tempo: float) -> np.ndarray:
    """Notes [N, 4] with starts and ends turned from beats into seconds."""
    return np.column_stack([notes[:, :2] * 60 / tempo, notes[:, 2:]])


def perform(
    stem: Path, notes: np.ndarray, tempo: float, program: int, wav: bool = True, png: bool = True, title: str = ""
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

    Returns:
        the files; the samples [n] at `RATE` Hz, and the picture [H, W, 3], where they were asked for.

    Raises:
        UserError: a file cannot be written.
    """
    files = [stem.with_name(f"{stem.name}.mid")]
    write(files[0], notes, tempo, program, name=stem.name)
    timed = in_seconds(notes, tempo)
    samples = picture = None
    if wav:
        samples = render(timed, program)
        files.append(stem.with_name(f"{stem.name}.wav"))
        write_wav(files[-1], samples, RATE)
    if png:
        # A file's name need not be text, a title has to be.
        picture = piano_roll(timed, title.encode("utf-8", "replace").decode("utf-8"))
        files.append(stem.with_name(f"{stem.name}.png"))
        write_png(files[-1], picture)
    return files, samples, picture


def free_names(out: str | None, folder: Path, count: int) -> list[Path]:
    """Paths without suffix for so many pieces: `out` itself if it names a MIDI file, else the next free numbers in the
    folder `out`, or in `folder` where `out` is None.

    Raises:
        UserError: `out` names one file for several pieces.
    """
    if out is not None and Path(out).suffix.lower() in SUFFIXES:
        if count > 1:
            raise UserError(f"--out {out} names one file for {count} pieces: name a folder, or add --num_samples 1")
        return [Path(out).with_suffix("")]
    folder = folder if out is None else Path(out)
    files = [file for file in folder.glob("*") if file.suffix in KINDS] if folder.is_dir() else []
    first = max((int(f.stem) for f in files if f.suffix == ".mid" and f.stem.isdecimal()), default=0) + 1
    taken = {file.stem for file in files}  # of a piece whose MIDI file has been moved away the rest may still be there
    free = (name for number in itertools.count(first) if (name := f"{number:02d}") not in taken)
    return [folder / name for name in itertools.islice(free, count)]
