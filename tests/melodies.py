"""Small melodies to learn from, made by rule."""

import numpy as np

SCALE = (60, 62, 64, 65, 67, 69, 71, 72, 74)
#: Beats of the notes of a bar.
RHYTHMS = ((1, 1, 1, 1), (0.5, 0.5, 1, 1, 1), (2, 1, 0.5, 0.5), (1.5, 0.5, 2))


def melody(number: int, bars: int = 12) -> np.ndarray:
    """A melody in C major, notes [N, 4] in beats; each number has one of its own."""
    rng = np.random.default_rng(number)
    rows: list[tuple[float, float, int, int]] = []
    degree, at = 4, 0.0
    for length in [length for _ in range(bars) for length in RHYTHMS[rng.integers(len(RHYTHMS))]]:
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, len(SCALE) - 1))
        rows.append((at, at + length, SCALE[degree], int(rng.integers(60, 110))))
        at += length
    return np.array(rows)
