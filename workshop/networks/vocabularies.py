"""The weights of a trained network for another vocabulary, which is how fine-tuning on new data begins.

Most weights do not depend on what the symbols are. Those of the embedding and of the output have a row or column for
each symbol; a model says in `symbol_axes` which axis that is.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from workshop.errors import UserError


def remapped(weights: np.ndarray, axis: int, old: Sequence[Hashable], new: Sequence[Hashable]) -> np.ndarray:
    """Weights with their rows in the order of a new vocabulary.

    Args:
        weights: of the trained network.
        axis: the one that has a row for each symbol of `old`.
        old: the vocabulary of the trained network.
        new: the new vocabulary. A symbol that is in both keeps its row, any other one gets the mean of all rows.
    """
    numbers = {symbol: number for number, symbol in enumerate(old)}
    mean = weights.shape[axis]
    rows = np.array([numbers.get(symbol, mean) for symbol in new], int)
    return np.take(np.concatenate([weights, weights.mean(axis, keepdims=True)], axis), rows, axis)


def give_weights(source: Any, target: Any, old: Sequence[Hashable], new: Sequence[Hashable]) -> None:
    """Give the weights of a trained network to one of the same layers with another vocabulary.

    Args:
        source: the trained network, whose symbols are `old`.
        target: the network that gets the weights; its symbols are `new`.
        old: in the order of their numbers, like `new`.
        new: see `remapped`.

    Raises:
        UserError: the layers are not the same; no weight has been changed.
    """
    values = [
        np.asarray(weights) if axis is None else remapped(np.asarray(weights), axis, old, new)
        for weights, axis in zip(source.trainable_variables, source.symbol_axes, strict=True)
    ]
    if [value.shape for value in values] != [tuple(variable.shape) for variable in target.trainable_variables]:
        raise UserError(
            "the trained network has other layers than the new one: its function in model.py has to make the same "
            "layers for any number of symbols, or train from nothing with --init_from none"
        )
    for variable, value in zip(target.trainable_variables, values, strict=True):
        variable.assign(value)
