"""How near loops come to the pictures that they are made of, and what that costs, by size of the picture.

    python benchmarks/loop_phase.py

Bars of the synthesiser as pictures, and back: spectral convergence in dB, and milliseconds of processor time, with the
phase integrated (numba) and by iterations alone, as where numba is missing. Two minutes.
"""

import argparse
import time
from itertools import islice

import compare
import numpy as np

from spectral_gan.lesson import LESSON
from workshop.audio import loop_spectrogram
from workshop.audio.drum_loops import RATE, SAMPLES, songs
from workshop.audio.loop_spectrogram import LoopSpectrogram, convergence


def measured(loops: LoopSpectrogram, pictures: np.ndarray) -> dict[str, float]:
    """Mean and worst convergence in dB, and milliseconds of processor time for a loop; the second time counts."""
    for _ in range(2):
        begun = time.process_time()
        sounds = loops.sounds(pictures)
        milliseconds = 1000 * (time.process_time() - begun) / len(pictures)
    pairs = zip(loops.magnitudes(sounds), loops.wanted(pictures), strict=True)
    reached = [convergence(found, wanted) for found, wanted in pairs]
    return {
        "mean_db": round(float(np.mean(reached)), 1), "worst_db": round(max(reached), 1), "cpu_ms": round(milliseconds),
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
    for size in args.sizes:
        loops = LoopSpectrogram(RATE, SAMPLES, int(LESSON.sizes[size]["frames"]), int(LESSON.sizes[size]["bands"]))
        pictures = loops.pictures(bars)
        found[f"{size}, integrated"] = measured(loops, pictures)
        loop_spectrogram.find_spec = lambda name: None  # as where numba is missing
        found[f"{size}, iterations alone"] = measured(loops, pictures)
        loop_spectrogram.find_spec = with_numba
    for name, values in found.items():
        print(name, values)
    compare.finish(dict(found))


if __name__ == "__main__":
    main()
