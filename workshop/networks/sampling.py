"""Sampling from the distribution that a network predicts: temperature, top-k, top-p, and the draw.

This is the definition for tensors; `compiled_draw.py` has the same for the engine that generates on a CPU without
TensorFlow, and a test compares the two. The knobs are run-time values, so that turning one compiles nothing again. The
random numbers are made outside, by numpy: the same seed gives the same sample on every machine.
"""

from dataclasses import dataclass
from typing import Any

from keras import ops

Tensor = Any

#: The logit of a symbol that must not be drawn; finite, so that it never makes a NaN.
NEVER = -1e9
#: Temperatures beyond these are taken as these: below, always the likeliest symbol and near the overflow of float32;
#: above, all symbols alike and `NEVER` no longer impossible.
MIN_TEMPERATURE, MAX_TEMPERATURE = 1e-6, 1e6
#: float32 has no number between 1 - 2**-24 and 1; a bit less makes sure that the last sum exceeds the target.
_BELOW_ONE = 1 - 2**-23


@dataclass(frozen=True)
class SamplingConfig:
    """How to choose the next symbol.

    Attributes:
        temperature: divides the logits; above 0.
        top_k: sample only from the k most likely, or None for all.
        top_p: sample only from the most likely that together have this probability (nucleus sampling, Holtzman et al.
            2020, arXiv:1904.09751), or None.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def knobs(self, vocab_size: int) -> tuple[float, int, float]:
        """Temperature, top-k and top-p as numbers, neutral ones (`vocab_size` and 1) for what is None."""
        temperature = min(max(self.temperature, MIN_TEMPERATURE), MAX_TEMPERATURE)
        return float(temperature), min(self.top_k or vocab_size, vocab_size), float(self.top_p or 1.0)


def warp_logits(logits: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """Divide logits [B, V] by the temperature, then set those outside of top-k, and then of top-p, to `NEVER`.

    Args:
        logits: of the next symbol.
        temperature: float, above 0.
        top_k: int, from 1 to V; V keeps all.
        top_p: float, above 0; 1 keeps all.
    """
    logits = logits / temperature

    def filtered() -> Tensor:
        return ops.where(logits < _threshold(logits, top_k, top_p), NEVER, logits)

    # Sorting takes as long as a small network's step: it is left out where nothing is filtered.
    return ops.cond((top_k < logits.shape[-1]) | (top_p < 1), filtered, lambda: logits)


def _threshold(logits: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """The smallest of logits [B, V] that may be drawn, [B, 1]."""
    descending = -ops.sort(-logits, axis=-1)
    smallest = ops.take(descending, top_k - 1, axis=-1)[:, None]
    probabilities = ops.softmax(ops.where(descending < smallest, NEVER, descending), axis=-1)
    # A symbol stays while the likelier ones alone have not reached the share: the likeliest always does.
    before = ops.cumsum(probabilities, axis=-1) - probabilities
    in_nucleus = (before < top_p) | (top_p >= 1)
    return ops.maximum(smallest, ops.min(ops.where(in_nucleus, descending, -NEVER), axis=-1, keepdims=True))


def draw(logits: Tensor, uniform: Tensor) -> Tensor:
    """Draw symbols [B] from logits [B, V] by the inverse of the cumulative distribution: the first symbol at which the
    sum of the probabilities exceeds `uniform` [B], 0 <= uniform < 1.
    """
    sums = ops.cumsum(ops.exp(logits - ops.max(logits, axis=-1, keepdims=True)), axis=-1)
    target = ops.minimum(uniform, _BELOW_ONE)[:, None] * sums[:, -1:]
    return ops.cast(ops.argmax(ops.cast(sums > target, "int32"), axis=-1), "int32")
