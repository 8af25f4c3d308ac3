"""The same changes to real and to made pictures before the discriminator sees them, so that a small set is not learnt
by heart (differentiable augmentation: Zhao et al. 2020, arXiv:2006.10738). They are what may happen to a loop.

B pictures of T frames of D bands.
"""

from typing import Any

import numpy as np
from keras import ops

Tensor = Any

#: How much louder or softer, in units of a picture; bands up or down at most; share of the frames that is left out.
LOUDER, HIGHER, LEFT_OUT = 0.1, 2, 0.25


def augmented(pictures: Tensor, draws: Tensor) -> Tensor:
    """Pictures [B, T, D], each louder or softer, shifted by some bands, and without a part of its frames, as the random
    numbers `draws` [B, DRAWS] from 0 to 1 decide.
    """
    frames, bands = pictures.shape[1:]
    louder = pictures + LOUDER * (2 * draws[:, :1, None] - 1)
    shift = ops.cast(ops.floor(draws[:, 1] * (2 * HIGHER + 1)), "int32")
    padded = ops.pad(louder, [[0, 0], [0, 0], [HIGHER, HIGHER]], constant_values=-1)
    shifted = ops.zeros_like(louder)
    for number in range(2 * HIGHER + 1):
        chosen = ops.cast(shift == number, louder.dtype)[:, None, None]
        shifted += chosen * padded[:, :, number : number + bands]
    # Frames from `start` on, around the end; in every other picture none.
    after = (np.arange(frames, dtype=np.float32)[None] / frames - draws[:, 2:3]) % 1
    kept = ops.cast((after >= LEFT_OUT) | (draws[:, 3:4] < 0.5), louder.dtype)
    return (shifted + 1) * kept[..., None] - 1
