"""Slices on disk -> pictures and the random numbers of each training step; whole songs held out.

B pictures of T frames of D bands, Z latent values.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workshop.audio.slices import LoopInfo, Pictures, describe, load_pictures
from workshop.datasets import loops

__all__ = ["LoopBatches", "LoopInfo", "describe", "load"]

#: Random numbers that decide how a picture is changed before the discriminator sees it: see `augmentation`.
DRAWS = 4


def load(path: Path, frames: int, bands: int, val_split: float, scale: str) -> Pictures:
    """The slices in a folder as pictures; see `slices.load_pictures`. The starter set is made where it is missing.

    Raises:
        UserError: there is nothing that can be used.
    """
    loops.make_if_missing(path)
    return load_pictures(path, frames, bands, val_split, scale)


@dataclass(frozen=True)
class LoopBatches:
    """Training batches: the slices in a new order in each epoch, and all that chance decides in a step. Both depend on
    nothing but the seed and the number of the step, so that a training that is resumed draws what it would have drawn.

    Attributes:
        pictures: [N, T, D] from -1 to 1.
        batch_size: B, or all slices where there are fewer.
        latent: Z.
        seed: of the orders and of what chance decides.
    """

    pictures: np.ndarray
    batch_size: int
    latent: int
    seed: int = 0
    _kept: list[Any] = field(default_factory=lambda: [None, None], init=False, repr=False, compare=False)

    @property
    def windows(self) -> int:
        """Batches in an epoch; what is left over is in other places of the next one's order."""
        return max(1, len(self.pictures) // self.batch_size)

    def window(self, epoch: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Pictures [B, T, D], and random numbers [B, 1, 2 Z + DRAWS]: latent values for the step of the discriminator
        and for that of the generator, which are normally distributed, and what decides how the pictures are changed,
        from 0 to 1. All float32.
        """
        if self._kept[0] != epoch:
            self._kept[:] = epoch, np.random.default_rng((self.seed, epoch)).permutation(len(self.pictures))
        chosen = self._kept[1][number * self.batch_size : (number + 1) * self.batch_size]
        rng = np.random.default_rng((self.seed, epoch, number))
        drawn = rng.standard_normal((len(chosen), 1, 2 * self.latent))
        random = np.concatenate([drawn, rng.random((len(chosen), 1, DRAWS))], axis=2)
        return self.pictures[chosen].astype(np.float32), random.astype(np.float32)
