"""How the sounds of a trained network hold up beside the recordings that it was trained on.

    python benchmarks/pretrained_sound.py EXPERIMENT --data data/audio/starter

Draws 20 sounds of 3 seconds of each name, takes as many excerpts of the recordings, in the 256 levels that a network
has (their noise alone makes violins flutes for a classifier that has never heard it), and prints for both: how often a
classifier of timbre, trained on the recordings, gives the right name (of the recordings, those of a file that it was
not trained on); of the tonal ones the share of frames that are voiced, and of these the
share within 30 cents of a semitone; of the drums the share of onsets within 20 ms of the grid of sixteenths that fits
them best. Some minutes on two cores.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import compare
import librosa
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workshop import load
from workshop.audio import audiofiles, mu_law

SOUNDS, SECONDS = 20, 3
WITHOUT_PITCH = "drums"
#: Cents from a semitone, and seconds from a grid, that count as on it.
CENTS, ON_GRID = 30, 0.02
#: Beats a minute that a grid may have, and how many places of its beginning are tried.
TEMPI, PHASES = np.arange(60, 181), 40


def timbre(sound: np.ndarray, rate: int) -> np.ndarray:
    """What the classifier sees of a sound [N]: mean and spread over time of 20 mel-frequency cepstral coefficients."""
    found = librosa.feature.mfcc(y=sound, sr=rate, n_mfcc=20, n_fft=512, hop_length=256, n_mels=40)
    return np.concatenate([found.mean(axis=1), found.std(axis=1)])


def in_tune(sound: np.ndarray, rate: int) -> tuple[float, float]:
    """The share of a sound's frames that have a pitch (pYIN: Mauch and Dixon 2014), and of these the share within
    `CENTS` of a semitone.
    """
    pitch, voiced, _ = librosa.pyin(sound, fmin=100, fmax=2000, sr=rate, frame_length=1024)
    if not voiced.any():
        return 0.0, 0.0
    semitones = librosa.hz_to_midi(pitch[voiced])
    return float(voiced.mean()), float(np.mean(np.abs(semitones - np.round(semitones)) < CENTS / 100))


def on_grid(sound: np.ndarray, rate: int) -> float:
    """The share of a sound's onsets on the grid of sixteenths that fits it best, of all tempi and beginnings."""
    onsets = librosa.onset.onset_detect(y=sound, sr=rate, hop_length=64, units="time")
    if len(onsets) < 2:
        return 0.0
    sixteenths = 15 / TEMPI[:, None]
    places = np.linspace(0, 1, PHASES, endpoint=False) * sixteenths
    off = (onsets - places[..., None] + sixteenths[..., None] / 2) % sixteenths[..., None] - sixteenths[..., None] / 2
    return float(np.mean(np.abs(off) < ON_GRID, axis=2).max())


def excerpts(files: Sequence[Path], rate: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[int]]:
    """`SOUNDS` excerpts of files in turn, and the number of the file of each."""
    found, numbers = [], []
    for number in range(SOUNDS):
        samples = audiofiles.read(files[number % len(files)], rate)
        start = rng.integers(max(len(samples) - SECONDS * rate, 1))
        found.append(mu_law.decode(mu_law.encode(samples[start : start + SECONDS * rate])))
        numbers.append(number % len(files))
    return found, numbers


def measured(name: str, sounds: Sequence[np.ndarray], rate: int) -> dict[str, float]:
    """What is said of sounds of one name, as means."""
    if name == WITHOUT_PITCH:
        return {"on grid": float(np.mean([on_grid(sound, rate) for sound in sounds]))}
    voiced, near = np.mean([in_tune(sound, rate) for sound in sounds], axis=0)
    return {"voiced": float(voiced), "in tune": float(near)}


def main() -> None:
    """Generate, cut out, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", help="folder of the network")
    parser.add_argument("--data", type=Path, required=True, help="the recordings, a folder for each name")
    parser.add_argument("--temperature", type=float, help="default: that of the network")
    args = parser.parse_args()
    net: Any = load(args.network)
    drawn = partial(net.generate, None, None, args.temperature, seconds=SECONDS)
    rng = np.random.default_rng(0)
    recorded, groups, generated = {}, [], {}
    for number, name in enumerate(net.conditions):
        recorded[name], files = excerpts(audiofiles.find_audio_files(args.data / name), net.rate, rng)
        groups += [1000 * number + file for file in files]
        generated[name] = [drawn(condition=name, seed=seed).samples for seed in range(SOUNDS)]
    labels = np.repeat(np.arange(len(net.conditions)), SOUNDS)
    features = np.array([timbre(sound, net.rate) for name in net.conditions for sound in recorded[name]])
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    of_recorded = cross_val_score(classifier, features, labels, groups=groups, cv=GroupKFold(4)).mean()
    classifier.fit(features, labels)
    result: dict[str, object] = {"named right, recordings": round(float(of_recorded), 3)}
    for number, name in enumerate(net.conditions):
        told = classifier.predict(np.array([timbre(sound, net.rate) for sound in generated[name]]))
        row = {"named right": float(np.mean(told == number)), **measured(name, generated[name], net.rate)}
        data = measured(name, recorded[name], net.rate)
        row |= {f"{key}, recordings": value for key, value in data.items()}
        result[name] = {key: round(value, 3) for key, value in row.items()}
        print(name, result[name], flush=True)
    compare.finish(result)


if __name__ == "__main__":
    main()
