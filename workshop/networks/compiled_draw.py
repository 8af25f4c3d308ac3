"""The draw of `sampling.py`, compiled for the engine that generates on a CPU: one row of logits, the same result."""

import numpy as np

from workshop.networks.compiling import compiled


@compiled
def _threshold(logits: np.ndarray, top_k: int, top_p: float) -> np.float32:
    """The smallest of logits [V] that may be drawn."""
    descending = np.sort(logits)[::-1]
    least = descending[min(top_k, logits.shape[0]) - 1]
    if top_p >= 1:
        return least
    kept = np.where(descending >= least, np.exp(descending - descending[0]), 0)
    share, before, lowest = kept / kept.sum(), 0.0, descending[0]
    for j in range(len(share)):
        if before >= top_p or descending[j] < least:
            break
        before += share[j]
        lowest = descending[j]
    return lowest


@compiled
def draw(logits: np.ndarray, uniform: float, temperature: float, top_k: int, top_p: float) -> int:
    """The symbol that `warp_logits` and `draw` of sampling.py choose from logits [V]; 0 <= uniform < 1."""
    scaled = logits / np.float32(temperature)
    least = _threshold(scaled, top_k, top_p) if top_k < logits.shape[0] or top_p < 1 else scaled.min()
    likelihood = np.exp(scaled - scaled.max())
    total = 0.0
    for j in range(logits.shape[0]):
        if scaled[j] >= least:
            total += likelihood[j]
    passed, value = 0.0, 0
    for j in range(logits.shape[0]):
        if scaled[j] >= least:
            value = j
            passed += likelihood[j]
            if passed > uniform * total:
                break
    return value
