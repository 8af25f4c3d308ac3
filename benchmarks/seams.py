"""Whether loops loop: where the end meets the beginning, nothing jumps that does not jump elsewhere.

    python benchmarks/seams.py spectral_gan/experiments/01

Of each loop the jump from the last sample to the first, and how much the spectrum changes over two frames there (of 512
samples, 128 apart), beside the 95th percentile of both inside of the loop. A loop passes where both are at most that.
The same of the synthesiser's bars, which begin with a stroke. Half a minute.
"""

import argparse
from itertools import islice
from pathlib import Path

import compare
import numpy as np

import workshop
from workshop.audio.drum_loops import songs
from workshop.audio.latents import drawn
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


def main() -> None:
    """Measure a network's loops and the synthesiser's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path, help="a trained network of lesson 6")
    parser.add_argument("--loops", type=int, default=100)
    args = parser.parse_args()
    net = workshop.load(args.experiment)
    found = {
        "network": measured(list(net.sounds(drawn(args.loops, net.latent_size, 1)))),
        "synthesiser": measured([next(iter(song.bars()))[1] for song in islice(songs(), args.loops)]),
    }
    for name, values in found.items():
        print(name, values)
    compare.finish(dict(found))


if __name__ == "__main__":
    main()
