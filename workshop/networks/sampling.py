"""Drawing from the distribution that a network predicts: temperature, top-k, top-p - the same meaning in every lesson.

Drawing is done with Gumbel noise: the largest of (log-probability + noise) is a draw from the distribution. The noise
is made outside, by numpy, so that the same seed gives the same sample on every machine and the compiled loop holds no
random state.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

Tensor = Any

#: Stands for a log-probability of nothing; finite, so that it never makes a NaN.
NEVER = -1e9


@dataclass(frozen=True)
class Choice:
    """How to choose the next symbol.

    Attributes:
        temperature: divides the log-probabilities; above 0.
        top_k: choose among so many of the likeliest, or None for all.
        top_p: choose among the likeliest that together have this probability (nucleus sampling, Holtzman et al. 2020,
            arXiv:1904.09751), or None.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None


def adjust(logits: Tensor, choice: Choice) -> Tensor:
    """Log-probabilities [B, V] up to a constant, divided by the temperature and with everything outside of top-k and
    top-p at `NEVER`.
    """
    logits = logits / choice.temperature
    vocab_size = logits.shape[-1]
    if choice.top_k is not None and choice.top_k < vocab_size:
        threshold = ops.top_k(logits, choice.top_k)[0][:, -1:]
        logits = ops.where(logits < threshold, NEVER, logits)
    if choice.top_p is not None and choice.top_p < 1:
        descending = -ops.sort(-logits, axis=-1)
        # A symbol stays while the likelier ones alone have not reached the share: the likeliest always does.
        probabilities = ops.softmax(descending, axis=-1)
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        smallest = ops.min(ops.where(before < choice.top_p, descending, -NEVER), axis=-1, keepdims=True)
        logits = ops.where(logits < smallest, NEVER, logits)
    return logits


def gumbel(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard Gumbel noise, float32."""
    return rng.gumbel(size=shape).astype(np.float32)


def draw(logits: Tensor, noise: Tensor) -> Tensor:
    """Draw symbols [B] from log-probabilities [B, V] with Gumbel noise [B, V]; zero noise gives the likeliest."""
    return ops.cast(ops.argmax(logits + noise, axis=-1), "int32")
