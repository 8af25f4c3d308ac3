"""Make the pictures and sounds that the site shows, into the folder that is named.

    python docs/make_media.py build/site_extra/media

The tune that the first page prints, as sound, notes and spectrogram; the curves of three trainings, which
benchmarks/curves.py has measured and docs/curves.json keeps; and what networks made at several stages, which
benchmarks/stages.py keeps in docs/stages. Seconds, and nothing when all is there already.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import soundfile

from workshop import cli, pictures
from workshop.audio import spectrogram
from workshop.audio.synthesis import RATE, render, write_wav
from workshop.files import read_json, write_text
from workshop.notes import midifiles, roll
from workshop.run import curves

CURVES = Path(__file__).with_name("curves.json")
STAGES = Path(__file__).with_name("stages")
FIRST_PAGE = Path(__file__).with_name("index.md")
TUNE = "hall"


def make_tune(folder: Path) -> list[Path]:
    """The tune of the first page, played by a flute; its notes, and the sound of its first seconds, drawn."""
    from workshop.datasets.midi_tunes import PROGRAM, TEMPOS, note_table
    from workshop.notes.abc_notation import read_tune
    from workshop.notes.abc_text import parse_tunes

    tune = next(parse_tunes(FIRST_PAGE.read_text("utf-8").partition("\n```\n")[2].partition("```")[0]))
    melody = read_tune(tune)
    notes = note_table(melody)
    # The tune is a jig: a bar of six eighths is three quarters long.
    picture = roll.piano_roll(notes, tune.title, 3, roll.PAGE_BARS, roll.PAGE_WIDTH)
    # Without the silence before the upbeat.
    notes[:, :2] = (notes[:, :2] - notes[0, 0]) * 60 / TEMPOS[melody.meter]
    samples = render(notes, PROGRAM)
    sound, score, spectrum = (folder / f"{TUNE}{end}" for end in (".wav", "_roll.png", "_spectrogram.png"))
    write_wav(sound, samples)
    pictures.write_png(score, picture)
    pictures.write_png(spectrum, spectrogram.spectrogram(samples[: 6 * RATE], RATE, tune.title))
    return [sound, score, spectrum]


def make_curves(folder: Path) -> list[Path]:
    """The curves of each training that was kept."""
    made = []
    for name, run in read_json(CURVES).items():
        made.append(folder / f"curves_{name}.png")
        curves.draw_curves(made[-1], run, run["title"])
    return made


def make_stages(kept: list[Path], folder: Path) -> list[Path]:
    """Of each file of notes a piano's sound and a piano roll; of each sound itself and its spectrogram."""
    made = []
    for file in kept:
        sound, picture = folder / f"{file.stem}.wav", folder / f"{file.stem}.png"
        samples, rate, drawn = notes_of(file) if file.suffix == ".mid" else sound_of(file)
        write_wav(sound, samples, rate)
        pictures.write_png(picture, drawn)
        made += [sound, picture]
    return made


def notes_of(file: Path) -> tuple[np.ndarray, int, np.ndarray]:
    """The sound of a MIDI file's notes [N], its samples a second, and its piano roll [H, W, 3]."""
    score = midifiles.read(file)
    notes = score.notes[:, :4]
    return render(score.timed(notes)), RATE, roll.piano_roll(notes)


def sound_of(file: Path) -> tuple[np.ndarray, int, np.ndarray]:
    """The samples [N] of a sound file, how many there are a second, and its spectrogram [H, W, 3]."""
    samples, rate = soundfile.read(file, dtype="float32")
    return samples, rate, spectrogram.spectrogram(samples, rate, "")


def main() -> None:
    """Make all of it, unless it is there and was made of the same."""
    folder = Path(sys.argv[1])
    drawing = [Path(str(module.__file__)) for module in (pictures, roll, spectrogram, curves)]
    kept = sorted(STAGES.glob("*.*"))
    makers = b"".join(path.read_bytes() for path in (Path(__file__), *drawing, CURVES, FIRST_PAGE, *kept))
    stamp = hashlib.sha256(makers).hexdigest()
    made_by = folder / "made_by.txt"
    said = made_by.read_text("utf-8").splitlines() if made_by.exists() else []
    if said[:1] == [stamp] and all((folder / name).exists() for name in said[1:]):
        return
    folder.mkdir(parents=True, exist_ok=True)
    made = make_tune(folder) + make_curves(folder) + make_stages(kept, folder)
    write_text(made_by, "\n".join([stamp, *(path.name for path in made)]) + "\n")


if __name__ == "__main__":
    cli.run(main)
