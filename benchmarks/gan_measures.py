"""What loops of trained networks measure, beside training slices, a Gaussian in PCA space, and slices with noise.

    python benchmarks/gan_measures.py --data_dir data/audio/loops spectral_gan/experiments/01

2,000 loops of each network, 2,000 slices of the starter set, and as held-out ones 2,000 bars of songs that are not in
it, by the same kits and patterns. Without experiments, the baselines alone, as pictures of 64 x 128. Some minutes.
"""

import argparse
from pathlib import Path

import compare
import numpy as np

import workshop
from spectral_gan.measures import MOST, Reference
from workshop.audio.drum_kits import KITS
from workshop.audio.drum_loops import PATTERNS, SONGS, Song
from workshop.audio.loop_spectrogram import LoopSpectrogram
from workshop.audio.slices import load_pictures

#: Songs of each kit and pattern that are not in the starter set.
NEW = range(SONGS, SONGS + 3)


def unheard(loops: LoopSpectrogram) -> np.ndarray:
    """Pictures [MOST, T, D] of bars of other songs than the starter set's."""
    songs = (Song(kit, pattern, number) for number in NEW for kit in KITS for pattern in PATTERNS)
    pictures = [loops.pictures(np.stack([bar for _, bar in song.bars()])) for song in songs]
    return np.concatenate(pictures)[:MOST].astype(np.float16)


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="*", type=Path, help="trained networks of one size of pictures")
    parser.add_argument("--data_dir", type=Path, default=compare.ROOT / "data" / "audio" / "loops")
    arguments = parser.parse_args()
    nets = {str(path): workshop.load(path) for path in arguments.experiments}
    made = {}
    for name, net in nets.items():
        latents = np.random.default_rng(0).standard_normal((MOST, net.latent_size)).astype(np.float32)
        made[name] = net.pictures(latents)
    size = next(iter(made.values())).shape[1:] if made else (64, 128)
    data = load_pictures(arguments.data_dir, *size)
    reference = Reference(data.train, unheard(data.facts.representation()))
    fits = reference.gaussians()
    best = min(fits, key=lambda count: fits[count].distance)
    table = {
        "training slices": reference.training_slices(),
        f"PCA-Gaussian, {best} components": fits[best],
        "training slices with noise": reference.noisy(),
    } | {name: reference.measure(pictures) for name, pictures in made.items()}
    result: dict[str, object] = {}
    for name, measures in table.items():
        result[name] = {key: round(value, 3) for key, value in measures.scalars().items()}
        print(name, result[name], *measures.warnings(), flush=True)
    compare.finish(result)


if __name__ == "__main__":
    main()
