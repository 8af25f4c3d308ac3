"""The picture in README.md: what the three networks make after some minutes, as it comes out with seed 1.

    python benchmarks/picture.py

Trains each lesson on its starter set of tunes and instruments for five minutes, lets each make one sample, and draws
the text, the notes and the sound into docs/what_comes_out.png.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import compare
from matplotlib.figure import Figure
from PIL import Image

PICTURE = compare.ROOT / "docs" / "what_comes_out.png"
#: Lines of the text that fit, characters in a line, and colours that are enough.
LINES, WIDTH, COLOURS = 18, 110, 128
TUNES = ("--data_dir", compare.ROOT / "data" / "lyrics" / "tunes")


def sample(experiment: Path, lesson: str, *arguments: object) -> str:
    """What a lesson's `sample.py` prints with these arguments and seed 1."""
    script = compare.ROOT / lesson / "sample.py"
    command = [sys.executable, script, "--experiment_dir", experiment, "--seed", 1, *arguments]
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True).stdout


def draw(text: str, roll: Path, spectrogram: Path, minutes: float) -> None:
    """Put a text and two pictures below each other, each with a line that says what made it."""
    figure = Figure(figsize=(10, 11), dpi=100, layout="constrained")
    writes, plays, sounds = figure.subplots(3, height_ratios=[1.1, 1, 1])
    after = f"after {minutes:g} minutes on two cores"
    titles = {
        writes: f"char_rnn writes, {after}",
        plays: f"midi_rnn plays, {after}",
        sounds: f"wavenet makes the sound of a flute, {after}",
    }
    for axes, title in titles.items():
        axes.set_axis_off()
        axes.set_title(title, loc="left", weight="bold")
    shown = "\n".join(line[:WIDTH] for line in text.splitlines()[:LINES])
    writes.text(0.01, 0.98, shown, family="monospace", fontsize=9.5, va="top", in_layout=False)
    for axes, file in ((plays, roll), (sounds, spectrogram)):
        with Image.open(file) as picture:
            axes.imshow(picture)
    figure.savefig(PICTURE, metadata={"Software": None})
    with Image.open(PICTURE) as picture:
        picture.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)


def main() -> None:
    """Train, let each make something, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5, help="of each training (default: %(default)s)")
    minutes = parser.parse_args().minutes
    length = ("--max_minutes", minutes)
    with tempfile.TemporaryDirectory() as folder:
        roll, spectrogram = Path(folder) / "roll.png", Path(folder) / "spectrogram.png"
        with compare.trained("char_rnn", *TUNES, *length) as (experiment, _):
            text = sample(experiment, "char_rnn", "--prime", "X:1\n", "--length", 1000, "--temperature", 0.6)
        with compare.trained("midi_rnn", *length) as (experiment, _):
            options = ("--num_samples", 1, "--length", 256, "--temperature", 0.8, "--png")
            sample(experiment, "midi_rnn", *options, "--out", roll.with_suffix(".mid"))
        with compare.trained("wavenet", "--condition", "folder", *length) as (experiment, _):
            options = ("--condition", "flute", "--seconds", 3, "--png")
            sample(experiment, "wavenet", *options, "--out", spectrogram.with_suffix(".wav"))
        draw(text, roll, spectrogram, minutes)
    compare.finish({"picture": str(PICTURE.relative_to(compare.ROOT))})


if __name__ == "__main__":
    main()
