"""Make the pictures and sounds that the site shows, into the folder that is named.

    python docs/make_media.py build/site_extra/media

One tune of the starter set as sound, notes and spectrogram; and the curves of three small trainings, a good one, one
that learns by heart and one that is broken, as they really went. Two minutes, and nothing when all is there already.
With --smoke behind it the trainings are some steps long, which is enough to see that the site can be made.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from workshop import ROOT, pictures
from workshop.files import read_json, write_text

SONGS = ROOT / "data" / "lyrics" / "starter"
TUNES = ROOT / "data" / "lyrics" / "tunes" / "input.txt"
TUNE = "hall"
#: The trainings: what is learnt from, further arguments, and what is said above the picture.
RUNS: dict[str, tuple[Path, list[str], str]] = {
    "good": (SONGS, ["--size", "small", "--dropout", "0.1", "--num_epochs", "32", "--save_every", "50"], "a good run"),
    "overfitting": (
        SONGS / "a10_sleeper.txt", ["--size", "small", "--num_epochs", "400", "--save_every", "20"],
        "learning by heart",
    ),
    "broken": (
        SONGS, ["--size", "tiny", "--num_epochs", "6", "--save_every", "15", "--learning_rate", "1"], "a broken run",
    ),
}  # fmt: skip
FILES = [f"{TUNE}.wav", f"{TUNE}_roll.png", f"{TUNE}_spectrogram.png", *(f"curves_{name}.png" for name in RUNS)]


def make_tune(folder: Path) -> None:
    """The first tune of the starter set, played by a flute; the notes, and the sound of its first seconds, drawn."""
    from workshop.abc_notation import read_tune
    from workshop.midi_tunes import PROGRAM, TEMPOS, note_table
    from workshop.pictures import piano_roll, spectrogram, write_png
    from workshop.synthesis import RATE, render, write_wav
    from workshop.tunes import parse_tunes

    tune = next(parse_tunes(TUNES.read_text("utf-8")))
    melody = read_tune(tune)
    notes = note_table(melody)
    # Without the silence before the upbeat.
    notes[:, :2] = (notes[:, :2] - notes[0, 0]) * 60 / TEMPOS[melody.meter]
    samples = render(notes[notes[:, 1] < 20], PROGRAM)
    write_wav(folder / f"{TUNE}.wav", samples)
    write_png(folder / f"{TUNE}_roll.png", piano_roll(notes[notes[:, 1] < 20], tune.title))
    write_png(folder / f"{TUNE}_spectrogram.png", spectrogram(samples[: 6 * RATE], RATE, tune.title))


def make_curves(folder: Path, further: list[str]) -> None:
    """The curves of each training, with further arguments."""
    for name, (data, arguments, title) in RUNS.items():
        with tempfile.TemporaryDirectory() as place:
            experiment = Path(place) / "experiment"
            where = ["--data_dir", str(data), "--experiment_dir", str(experiment), "--sample_every", "1000000"]
            command = [sys.executable, str(ROOT / "char_rnn" / "train.py"), *where, *arguments, *further]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            print(f"training a small network, to draw its curves: {title} ...", flush=True)
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            if done.returncode:
                sys.exit(f"the training failed:\n{done.stderr}")
            pictures.draw_curves(folder / f"curves_{name}.png", read_json(experiment / "run.json"), title)


def main() -> None:
    """Make all of it, unless it is there and was made by this very script."""
    folder, further = Path(sys.argv[1]), sys.argv[2:]
    makers = Path(__file__).read_bytes() + Path(pictures.__file__).read_bytes()
    stamp = hashlib.sha256(makers).hexdigest() + " ".join(further)
    made_by = folder / "made_by.txt"
    if made_by.exists() and made_by.read_text() == stamp and all((folder / name).exists() for name in FILES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    make_tune(folder)
    make_curves(folder, further)
    write_text(made_by, stamp)


if __name__ == "__main__":
    main()
