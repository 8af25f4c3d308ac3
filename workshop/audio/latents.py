"""Ways through a latent space: what lies between two points, there and back, and a walk that goes anywhere.

Points are float32 [Z], of numbers that are normally distributed. S steps.
"""

import numpy as np


def drawn(count: int, size: int, seed: int, temperature: float = 1.0) -> np.ndarray:
    """Random points [count, size]: normally distributed, times the temperature."""
    return (temperature * np.random.default_rng(seed).standard_normal((count, size))).astype(np.float32)


def principal(points: np.ndarray, pictures: np.ndarray, count: int = 2) -> np.ndarray:
    """The directions in which what a generator makes changes most, float32 [count, Z], each of length 1.

    Those are the principal directions of the linear map that is nearest to the generator, by least squares; Härkönen et
    al. 2020 (GANSpace) find theirs likewise, from the outputs of random points.

    Args:
        points: [N, Z], random ones, more than Z.
        pictures: [N, ...], what it makes of them.
        count: how many, at most Z.
    """
    made = pictures.reshape(len(pictures), -1).astype(np.float64)
    slopes = np.linalg.lstsq(points - points.mean(axis=0), made - made.mean(axis=0), rcond=None)[0]
    directions = np.linalg.svd(slopes @ slopes.T)[0][:, :count].T
    # The sign of each is arbitrary, and should be the same every time.
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    found: np.ndarray = (directions * np.sign(largest)).astype(np.float32)
    return found


def between(start: np.ndarray, end: np.ndarray, share: float, is_spherical: bool = True) -> np.ndarray:
    """The point [Z] at a share of the way from one to another, 0 being the first one.

    In many dimensions nearly all random points are equally far from the middle, and the straight way between two of
    them comes nearer to it than a generator has ever been. The spherical way (Shoemake 1985) goes around.
    """
    if share in (0, 1):  # exactly
        return (end if share else start).astype(np.float32)
    start, end = start.astype(np.float64), end.astype(np.float64)  # squares of far values are beyond float32
    lengths = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    straight = (1 - share) * start + share * end
    if not is_spherical or min(lengths) == 0:
        return straight.astype(np.float32)
    angle = np.arccos(np.clip(np.dot(start / lengths[0], end / lengths[1]), -1, 1))
    if np.sin(angle) < 1e-4:  # the same direction, or the opposite one, from which all ways are equally far
        return straight.astype(np.float32)
    parts = np.sin((1 - share) * angle) * start / lengths[0] + np.sin(share * angle) * end / lengths[1]
    return (parts / np.sin(angle) * ((1 - share) * lengths[0] + share * lengths[1])).astype(np.float32)


def fade(start: np.ndarray, end: np.ndarray, steps: int, is_spherical: bool = True) -> np.ndarray:
    """Points [S, Z] from one to another: the first is the start, and the last the end; a single step is the start."""
    shares = np.linspace(0, 1, steps)
    return np.stack([between(start, end, float(share), is_spherical) for share in shares])


def pingpong(start: np.ndarray, end: np.ndarray, steps: int, is_spherical: bool = True) -> np.ndarray:
    """Points [S, Z] from the start to the end and back, to be repeated: the first is the start, the end is in the
    middle, and the last one is a step before the start.
    """
    forth, back = np.linspace(0, 1, steps // 2 + 1), np.linspace(1, 0, steps - steps // 2 + 1)[1:-1]
    return np.stack([between(start, end, float(share), is_spherical) for share in (*forth, *back)])


def walk(start: np.ndarray, steps: int, morph: float, seed: int, temperature: float = 1.0) -> np.ndarray:
    """Points [S, Z] of a random walk from the start, as far from the middle as random points are.

    Args:
        start: the first of them.
        steps: S.
        morph: how much of each point is new in the next one, from 0, the same for ever, to 1, any other.
        seed: the same seed gives the same walk.
        temperature: of the random points, as in `drawn`.
    """
    # Other numbers than those of `drawn`: the start may be a point of the same seed, and would be its own next one.
    rng, points = np.random.default_rng((seed, 1)), [start.astype(np.float32)]
    for _ in range(steps - 1):
        new = temperature * rng.standard_normal(len(start))
        points.append((np.sqrt(1 - morph**2) * points[-1] + morph * new).astype(np.float32))
    return np.stack(points)
