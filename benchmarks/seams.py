"""Whether loops loop: where the end meets the beginning, nothing jumps that does not jump elsewhere.

    python benchmarks/seams.py spectral_gan/experiments/01

Of each loop the jump from the last sample to the first, and how much the spectrum changes over two frames there (of 512
samples, 128 apart), beside the 95th percentile of both inside of the loop. A loop passes where both are at most that.
The same of the synthesiser's bars: they begin with a stroke, which is a change wherever the seam is.

So that percentile does not ask whether there is a seam. A loop goes round, and so does its picture in the network: it
has no beginning of its own, and where the sound that is made of it has its seam is a choice, which nobody must hear.
So each loop is made 20 times, with its seam in another place each time, and turned back. The jump at its beginning
passes where it is not the largest of the 20 when the seam lies there, and so does the change. Without a seam 95 of 100
loops pass each of the two by chance, and 90 both, whatever they begin with. Whether this sees a seam is tried with the
same loops cut out badly: of each, 1/64 is missing at the end. Some minutes.
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
#: Where a loop may have its seam: one of so many places is the largest of them by chance in 5 of 100.
PLACES = 20
#: The part of a loop that is missing where it is cut out badly.
CUT = 64


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


def at_beginning(loops: np.ndarray) -> np.ndarray:
    """The jump and the change where loops [L, N] begin: [L, 2]."""
    return np.array([(jumps(loop)[0], fluxes(loop)[0]) for loop in loops])


def elsewhere(net: Any, pictures: np.ndarray) -> np.ndarray:
    """The same [S, L, 2] of the same loops, made of pictures [L, T, D] with their seam in other places, S of them."""
    frames, found = pictures.shape[1], []
    for share in np.arange(1, PLACES) / PLACES:
        turn = round(share * frames)
        made = limited(net.spectrogram.sounds(np.roll(pictures, turn, axis=1)))
        found.append(at_beginning(np.roll(made, -round(turn / frames * net.samples), axis=1)))
    return np.array(found)


def times(here: np.ndarray, there: np.ndarray) -> dict[str, float]:
    """How many times as large changes [L] are as others [L]."""
    ratios = here / np.maximum(there, 1e-9)
    return {"median": round(float(np.median(ratios)), 3), "at_95_percent": round(float(np.percentile(ratios, 95)), 3)}


def among_places(here: np.ndarray, there: np.ndarray) -> dict[str, float]:
    """How many loops pass whose jump and change at the seam are `here` [L, 2], and `there` [S, L, 2] at the same moment
    with the seam elsewhere; and how many times as large as usual the change is.
    """
    passes = here <= there.max(axis=0)
    jump, flux = passes.sum(axis=0)
    counts = {"pass": int(passes.all(axis=1).sum()), "jump_passes": int(jump), "flux_passes": int(flux)}
    return {**counts, **times(here[:, 1], np.median(there[..., 1], axis=0))}


def cut_badly(loops: np.ndarray) -> np.ndarray:
    """Loops [L, N] of which the end is missing."""
    return loops[:, : -(loops.shape[1] // CUT)]


def main() -> None:
    """Measure a network's loops and the synthesiser's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path, help="a trained network of lesson 6")
    parser.add_argument("--loops", type=int, default=100)
    args = parser.parse_args()
    net = workshop.load(args.experiment)
    latents = drawn(args.loops, net.latent_size, 1)
    loops, pictures = net.sounds(latents), net.pictures(latents)
    here, there = at_beginning(loops), elsewhere(net, pictures)
    found = {
        "network": measured(list(loops)),
        "change at the seam, times that of the same stroke in the middle": times(
            here[:, 1], there[PLACES // 2 - 1, :, 1]
        ),
        "beside itself with the seam elsewhere": among_places(here, there),
        "the same, cut badly": among_places(at_beginning(cut_badly(loops)), there),
        "synthesiser": measured([next(iter(song.bars()))[1] for song in islice(songs(), args.loops)]),
    }
    for name, values in found.items():
        print(name, values)
    compare.finish(dict(found))


if __name__ == "__main__":
    main()
