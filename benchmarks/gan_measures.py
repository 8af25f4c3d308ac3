"""What loops of trained networks measure, beside training slices, a Gaussian in PCA space, and slices with noise.

    python benchmarks/gan_measures.py --data_dir data/audio/loops spectral_gan/experiments/01

2,000 loops of each network, 2,000 slices of the starter set, and as held-out ones 2,000 bars of songs that are not in
it, by the same kits and patterns. Without experiments, the baselines alone, as pictures of 64 x 128. With `--of_sound`
the networks may have pictures of different sizes and scales: what is measured is the sound, as pictures of 64 x 128 on
the mel scale, and of the bars too what comes back from their pictures. Then how many of the onsets of 100 loops of
each, and of 100 such bars, lie within 20 ms of a sixteenth note. Some minutes.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import compare
import librosa
import numpy as np

import workshop
from spectral_gan.measures import MOST, Reference
from workshop.audio import latents
from workshop.audio.bands import MEL
from workshop.audio.drum_kits import KITS
from workshop.audio.drum_loops import PATTERNS, SONGS, Song
from workshop.audio.slices import load_pictures

#: Frames and bands of pictures where no network says them.
SIZE = (64, 128)
#: Songs of each kit and pattern that are not in the starter set.
NEW = range(SONGS, SONGS + 3)
#: Loops whose onsets are found, and seconds from a sixteenth note that count as on it.
HEARD, ON_GRID = 100, 0.02


def bars() -> Iterator[np.ndarray]:
    """Bars [N] of other songs than the starter set's."""
    for number in NEW:
        for kit in KITS:
            for pattern in PATTERNS:
                yield from (bar for _, bar in Song(kit, pattern, number).bars())


def on_grid(loops: np.ndarray, rate: int, bpm: float) -> float:
    """The share of the onsets of loops [L, N] that lie within `ON_GRID` of a sixteenth note, of which the first is at
    the beginning.
    """
    near: list[bool] = []
    for loop in loops:
        # Heard in the middle of its repetitions, so that the stroke at the beginning has something before it.
        heard = librosa.onset.onset_detect(y=np.tile(loop, 3), sr=rate, hop_length=64, units="samples")
        inside = heard[(heard >= len(loop)) & (heard < 2 * len(loop))] / rate * bpm / 15
        near += list(np.abs(inside - np.round(inside)) * 15 / bpm < ON_GRID)
    return float(np.mean(near))


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="*", type=Path, help="trained networks of one size of pictures")
    parser.add_argument("--data_dir", type=Path, default=compare.ROOT / "data" / "audio" / "loops")
    parser.add_argument(
        "--temperatures", type=float, nargs="+", default=[1.0], help="of the latent values (default: 1)"
    )
    parser.add_argument("--of_sound", action="store_true", help="measure pictures of the sound of the networks' loops")
    arguments = parser.parse_args()
    nets = {str(path): workshop.load(path) for path in arguments.experiments}
    heated = [(name, net, value) for name, net in nets.items() for value in arguments.temperatures]
    first = None if arguments.of_sound else next(iter(nets.values()), None)
    size, scale = ((first.info.frames, first.info.bands), first.info.scale) if first else (SIZE, MEL)
    data = load_pictures(arguments.data_dir, *size, scale=scale)
    representation = data.facts.representation()
    made = {}
    for name, net, temperature in heated:
        points = latents.drawn(MOST, net.latent_size, 0, temperature)
        made[f"{name} at {temperature:g}"] = (
            representation.pictures(net.sounds(points)) if arguments.of_sound else net.pictures(points)
        )
    unheard = np.stack(list(bars()))
    held_out = representation.pictures(unheard[:MOST]).astype(np.float16)
    reference = Reference(data.train, held_out)
    fits = reference.gaussians()
    best = min(fits, key=lambda count: fits[count].distance)
    table = {
        "training slices": reference.training_slices(),
        f"PCA-Gaussian, {best} components": fits[best],
        "training slices with noise": reference.noisy(),
    } | {name: reference.measure(pictures) for name, pictures in made.items()}
    if arguments.of_sound:
        back = representation.pictures(representation.sounds(held_out))
        table["bars of other songs, from their pictures"] = reference.measure(back)
    result: dict[str, object] = {}
    for name, measures in table.items():
        result[name] = {key: round(value, 3) for key, value in measures.scalars().items()}
        print(name, result[name], *measures.warnings(), flush=True)
    chosen = np.random.default_rng(0).permutation(len(unheard))[:HEARD]
    heard = {"bars of other songs": unheard[chosen]}
    for name, net, temperature in heated:
        heard[f"{name} at {temperature:g}"] = net.sounds(latents.drawn(HEARD, net.latent_size, 0, temperature))
    on_time = {
        name: round(on_grid(sounds, data.facts.sample_rate, data.facts.bpm), 3) for name, sounds in heard.items()
    }
    print("onsets on the grid:", on_time)
    compare.finish(result | {"onsets on the grid": on_time})


if __name__ == "__main__":
    main()
