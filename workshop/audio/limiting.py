"""Keeping loops below full scale: where one would clip, it is turned down, a little before and after as well.

The phase of a picture is only found nearly, and a kick drum whose partials do not quite agree has higher peaks than the
one that the picture was made of. A limiter (as in Zölzer 2011, DAFX, chapter 4) leaves the loudness as it is.
"""

import numpy as np

#: The largest value that a sample may have: -1 dBFS.
CEILING = 10 ** (-1 / 20)
#: It turns down 2 to this power samples before a peak, and as many after it.
REACH = 10


def limited(loops: np.ndarray) -> np.ndarray:
    """Loops [..., N] that go round, without values beyond `CEILING`: float32. What is quieter stays as it is."""
    size = loops.shape[-1]
    gain = (CEILING / np.maximum(np.abs(loops), CEILING)).astype(float)
    for power in range(REACH):  # the least gain of the samples up to 2 ** REACH later, round the loop
        gain = np.minimum(gain, np.roll(gain, -(1 << power), axis=-1))
    # The mean of all spans that a sample lies in: none of them has a larger gain than the sample may have.
    span = 1 << REACH
    rounds = np.concatenate([gain[..., np.arange(-span, 0) % size], gain], axis=-1)
    sums = np.cumsum(rounds, axis=-1)
    smooth = (sums[..., span:] - sums[..., :-span]) / span
    return (loops * np.minimum(smooth, 1)).astype(np.float32)
