"""What becomes of generated loops: files that say their tempo, pictures, and their latent values."""

from pathlib import Path

import numpy as np

from workshop import cli
from workshop.audio.loop_files import write_loop
from workshop.audio.quality import judge
from workshop.audio.spectrogram import spectrogram
from workshop.files import write_text
from workshop.pictures import write_png
from workshop.visible import visible_line


def write(
    stems: list[Path], sounds: list[np.ndarray], rate: int, beats: int, bpm: float, *, bits: int = 16,
    length: int | None = None, png: bool = False,
) -> None:  # fmt: skip
    """Write loops as wav files, print where they are, and say what a person would hear at once.

    Args:
        stems: paths without suffix, one for each.
        sounds: [N] each.
        rate: samples a second.
        beats: in each.
        bpm: beats a minute.
        bits: of a sample.
        length: samples of each file, in which the loop is repeated; None for the loop once.
        png: whether to draw each of them too.

    Raises:
        UserError: a file cannot be written.
    """
    for stem, loop in zip(stems, sounds, strict=True):
        sound = loop if length is None else np.resize(loop, length)
        file, counted = stem.with_name(f"{stem.name}.wav"), max(round(beats * len(sound) / len(loop)), 1)
        write_loop(file, sound, rate, counted, bpm, bits)
        print(visible_line(str(file)))
        judgement = judge(loop)
        cli.say(f"{file.name}: {len(sound) / rate:.2f} s, {counted} beats at {bpm:g} a minute, {judgement.words}")
        if png:
            write_png(file.with_suffix(".png"), spectrogram(sound, rate, stem.name))


def write_latents(stems: list[Path], ways: list[np.ndarray]) -> None:
    """Write the latent values [S, Z] of each file beside it, a point a line, as `--latent` reads one.

    Raises:
        UserError: a file cannot be written.
    """
    for stem, points in zip(stems, ways, strict=True):
        lines = (", ".join(f"{value:.9g}" for value in point) for point in points)
        write_text(stem.with_name(f"{stem.name}.txt"), "".join(f"{line}\n" for line in lines))
