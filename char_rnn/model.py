"""The network of lesson 1: which character comes next, given all characters so far.

    character -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over the vocabulary

It is the network of all lessons that work with symbols: `workshop/next_symbol.py` puts it together from Keras layers,
and `workshop/recurrent.py` says what makes its recurrent layers fast.
"""

from typing import Any

from workshop import next_symbol
from workshop.experiment import Experiment


class CharRNN(next_symbol.NextSymbol):
    """Next-character network over V characters."""


def build(network: dict[str, Any], vocab_size: int, experiment: Experiment | None = None) -> CharRNN:
    """The network that a run.json describes; `experiment` has its weights, if any are there already.

    Raises:
        UserError: the description is damaged, or does not fit the vocabulary or the checkpoints.
    """
    return next_symbol.build(CharRNN, network, vocab_size, experiment)
