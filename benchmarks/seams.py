"""Whether loops loop: where the end meets the beginning, nothing jumps that does not jump elsewhere.

    python benchmarks/seams.py spectral_gan/experiments/01

Of each loop the jump from the last sample to the first, and how much the spectrum changes over two frames there (of 512
samples, 128 apart), beside the 95th percentile of both inside of the loop. A loop passes where both are at most that.
The same of the synthesiser's bars: they begin with a stroke, which is a change wherever the seam is. So the change of a
network's loop is also compared with that at the same stroke where the loop was made with its seam elsewhere. Half a
minute.
"""

import argparse
from itertools import islice
from pathlib import Path
from typing import Any

import compare
import numpy as np

import workshop
from workshop.audio.drum_loops import songs
from workshop.audio.latents import drawn
from workshop.audio.limiting import limited
from workshop.audio.stft import Stft

STFT = Stft(512, 128)
#: Percentile of what is inside.
PERCENTILE = 95


def jumps(loop: np.ndarray) -> tuple[float, float]:
    """The step from the last sample of a loop [N] to the first one, and the percentile of the steps inside."""
    return float(abs(loop[0] - loop[-1])), float(np.percentile(np.abs(np.diff(loop)), PERCENTILE))


def fluxes(loop: np.ndarray) -> tuple[float, float]:
    """How much the spectrum changes from a frame to the one after the next: the most around the seam of a loop [N], and
    the percentile of what is inside.
    """
    turned = np.roll(loop, len(loop) // 2)
    magnitudes = np.abs(STFT.spectra(turned))
    change = np.linalg.norm(magnitudes[2:] - magnitudes[:-2], axis=1)
    middles = (np.arange(len(change)) + 1) * STFT.hop + STFT.window // 2
    is_seam = np.abs(middles - len(loop) // 2) <= STFT.hop
    return float(change[is_seam].max()), float(np.percentile(change[~is_seam], PERCENTILE))


def measured(loops: list[np.ndarray]) -> dict[str, float]:
    """How many of so many loops pass, and by how much the median of them does: below 1 it is smoother at the seam."""
    steps, changes = (np.array([measure(loop) for loop in loops]) for measure in (jumps, fluxes))
    passes = [(pairs[:, 0] <= pairs[:, 1]) for pairs in (steps, changes)]
    ratios = [np.median(pairs[:, 0] / np.maximum(pairs[:, 1], 1e-9)) for pairs in (steps, changes)]
    return {
        "loops": len(loops), "pass": int(np.sum(passes[0] & passes[1])), "jump_passes": int(passes[0].sum()),
        "flux_passes": int(passes[1].sum()), "median_jump": round(float(ratios[0]), 3),
        "median_flux": round(float(ratios[1]), 3),
    }  # fmt: skip


def beside_elsewhere(net: Any, latents: np.ndarray) -> dict[str, float]:
    """How many times as large as elsewhere the change is at the seam: of loops that begin in the middle of their
    picture, and so have the same stroke inside.
    """
    pictures = net.pictures(latents)
    half = net.samples // 2
    shifted = limited(net.spectrogram.sounds(np.roll(pictures, pictures.shape[1] // 2, axis=1)))
    here = [fluxes(loop)[0] for loop in net.sounds(latents)]
    there = [fluxes(np.roll(loop, half))[0] for loop in shifted]
    ratios = np.array(here) / np.maximum(there, 1e-9)
    return {"median": round(float(np.median(ratios)), 3), "at_95_percent": round(float(np.percentile(ratios, 95)), 3)}


def main() -> None:
    """Measure a network's loops and the synthesiser's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path, help="a trained network of lesson 6")
    parser.add_argument("--loops", type=int, default=100)
    args = parser.parse_args()
    net = workshop.load(args.experiment)
    latents = drawn(args.loops, net.latent_size, 1)
    found = {
        "network": measured(list(net.sounds(latents))),
        "change at the seam, times that of the same stroke elsewhere": beside_elsewhere(net, latents),
        "synthesiser": measured([next(iter(song.bars()))[1] for song in islice(songs(), args.loops)]),
    }
    for name, values in found.items():
        print(name, values)
    compare.finish(dict(found))


if __name__ == "__main__":
    main()
