"""The running average of a network's weights, which generates better than the weights of any one step (Polyak and
Juditsky 1992).
"""

from collections.abc import Sequence
from typing import Any

from keras import ops

#: The average follows the weights within about this many steps, and faster in the beginning.
AVERAGE_STEPS = 500


def follow(averaged: Sequence[Any], weights: Sequence[Any], steps: Any) -> None:
    """Let averaged variables follow others.

    Args:
        averaged: they are changed.
        weights: those that learn, in the same order.
        steps: how many steps these have taken, a number or a tensor.
    """
    keep = ops.minimum(1 - 1 / AVERAGE_STEPS, steps / (10 + steps))
    for average, weight in zip(averaged, weights, strict=True):
        average.assign(average * keep + weight * (1 - keep))
