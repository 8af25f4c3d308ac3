"""How near loops come to the pictures that they are made of, and what that costs, by size and scale of the picture.

    python benchmarks/loop_phase.py

Bars of the synthesiser as pictures, and back: spectral convergence in dB, of the phase alone and of picture and phase,
and milliseconds of processor time, with the phase integrated (numba) and by iterations alone, as where numba is
missing. Three minutes.
"""

import argparse
import itertools
import time
from itertools import islice

import compare
import numpy as np

from spectral_gan.lesson import LESSON
from workshop.audio import loop_spectrogram
from workshop.audio.bands import CORNERS
from workshop.audio.drum_loops import RATE, SAMPLES, songs
from workshop.audio.loop_spectrogram import LoopSpectrogram, convergence


def measured(loops: LoopSpectrogram, bars: np.ndarray, pictures: np.ndarray) -> dict[str, float]:
    """Mean and worst convergence in dB, its mean with what the picture has lost, and milliseconds of processor time for
    a loop; the second time counts.
    """
    for _ in range(2):
        begun = time.process_time()
        sounds = loops.sounds(pictures)
        milliseconds = 1000 * (time.process_time() - begun) / len(pictures)
    made = loops.magnitudes(sounds)
    reached, whole = (
        [convergence(found, one) for found, one in zip(made, wanted, strict=True)]
        for wanted in (loops.wanted(pictures), loops.magnitudes(bars))
    )
    return {
        "mean_db": round(float(np.mean(reached)), 1), "worst_db": round(max(reached), 1),
        "whole_db": round(float(np.mean(whole)), 1), "cpu_ms": round(milliseconds),
    }  # fmt: skip


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", type=int, default=24, help="bars, each the first of a song")
    parser.add_argument("--sizes", nargs="+", choices=LESSON.sizes, default=list(LESSON.sizes))
    args = parser.parse_args()
    every = max(len(songs()) // args.loops, 1)
    bars = np.stack([next(iter(song.bars()))[1] for song in islice(songs(), 0, every * args.loops, every)])
    found = {}
    with_numba = loop_spectrogram.find_spec
    for size, scale in itertools.product(args.sizes, CORNERS):
        shape = int(LESSON.sizes[size]["frames"]), int(LESSON.sizes[size]["bands"])
        loops = LoopSpectrogram(RATE, SAMPLES, *shape, scale=scale)
        pictures = loops.pictures(bars)
        found[f"{size}, {scale}, integrated"] = measured(loops, bars, pictures)
        loop_spectrogram.find_spec = lambda name: None  # as where numba is missing
        found[f"{size}, {scale}, iterations alone"] = measured(loops, bars, pictures)
        loop_spectrogram.find_spec = with_numba
    for name, values in found.items():
        print(name, values)
    compare.finish_speeds(dict(found))


if __name__ == "__main__":
    main()
