"""The network of lesson 1: which character comes next, given all characters so far.

    character -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over the vocabulary

It is the network of all lessons that work with symbols: `workshop/networks/next_symbol.py` puts it together from Keras
layers, and `workshop/networks/recurrent.py` says what makes its recurrent layers fast.
"""

import math
from typing import Any

from workshop.networks import next_symbol


class CharRNN(next_symbol.NextSymbol):
    """Next-character network over V characters."""


def build(network: dict[str, Any], vocab_size: int, most_weights: float = math.inf) -> CharRNN:
    """The network that a run.json describes; its checkpoints hold `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the vocabulary or the checkpoints.
    """
    return next_symbol.build(CharRNN, network, vocab_size, most_weights)
