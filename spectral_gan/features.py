"""What pictures of loops are compared by: the last hidden layer of a small network that was trained to tell the kit,
the pattern and the fill of the starter set's loops.

A Gaussian fitted in PCA space wins every measure that is linear in the pixels, and features of random weights say
little of what is heard; these know drums. The weights are part of the project, because distances in other features are
other numbers: `benchmarks/gan_features.py` trains them, with a fixed seed. Pictures of any size are averaged to one
size first. NumPy alone.

N pictures of T frames of D bands, S = `SIDE`, F = `FEATURES`.
"""

import functools
from pathlib import Path

import numpy as np

#: Both sides of the picture that the network sees.
SIDE = 64
#: Channels of the convolutions, each of which halves both sides; and numbers that a picture is compared by.
CHANNELS, FEATURES = (16, 32, 64, 64), 64
#: Pictures that go through the network at a time.
TOGETHER = 64
WEIGHTS = Path(__file__).with_name("features.npz")


def shrunk(pictures: np.ndarray) -> np.ndarray:
    """Pictures [N, T, D] averaged to float32 [N, S, S]; smaller ones are stretched."""
    _, frames, bands = pictures.shape
    small = np.empty((len(pictures), SIDE, SIDE), np.float32)
    for at in range(0, len(pictures), TOGETHER):
        group = pictures[at : at + TOGETHER].astype(np.float32)
        if bands != SIDE:
            group = group @ _averaging(bands).T
        if frames != SIDE:
            group = _averaging(frames) @ group
        small[at : at + TOGETHER] = group
    return small


def features(pictures: np.ndarray) -> np.ndarray:
    """Features float32 [N, F] of pictures [N, T, D] with values from -1 to 1."""
    weights = _weights()
    found = [np.empty((0, FEATURES), np.float32)]
    for at in range(0, len(pictures), TOGETHER):
        x = shrunk(pictures[at : at + TOGETHER])[..., None]
        for layer in range(len(CHANNELS)):
            x = _convolved(x, weights[f"kernel{layer}"])
            x += weights[f"bias{layer}"]
            np.maximum(x, 0, out=x)
        found.append(np.maximum(x.reshape(len(x), -1) @ weights["kernel"] + weights["bias"], 0))
    return np.concatenate(found)


def _convolved(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """[N, A, B, C] convolved with a kernel [3, 3, C, K], every other place: [N, A / 2, B / 2, K]. Time goes round;
    above the highest band there is nothing.
    """
    count, along, across, channels = x.shape
    around = np.zeros((count, along + 1, across + 1, channels), np.float32)
    around[:, :along, :across] = x
    around[:, along, :across] = x[:, 0]
    # A window's three bands of all channels lie side by side in memory, so each is copied in three pieces, and all
    # windows are multiplied with the kernel at once.
    item, place, band, value = around.strides
    windows = np.lib.stride_tricks.as_strided(
        around, (count, along // 2, across // 2, 3, 3 * channels), (item, 2 * place, 2 * band, place, value),
    )  # fmt: skip
    return (windows.reshape(-1, 9 * channels) @ kernel.reshape(9 * channels, -1)).reshape(*windows.shape[:3], -1)


@functools.cache
def _weights() -> dict[str, np.ndarray]:
    with np.load(WEIGHTS, allow_pickle=False) as kept:
        return {name: kept[name].astype(np.float32) for name in kept.files}


@functools.cache
def _averaging(size: int) -> np.ndarray:
    """The share of each of `size` values in each of S, float32 [S, size]: each covers 1 / S of the whole."""
    edges = np.arange(SIDE + 1) * size / SIDE
    low, high = edges[:-1, None], edges[1:, None]
    cells = np.arange(size)
    covered = np.minimum(high, cells + 1) - np.maximum(low, cells)
    return (np.maximum(covered, 0) * SIDE / size).astype(np.float32)
