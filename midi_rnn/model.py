"""The network of lesson 2: which event comes next, given all events so far.

    event -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over all events of the encoding

It is the network of lesson 1, because a melody is read like a text; `workshop/networks/next_symbol.py` puts it together
from Keras layers, and `workshop/networks/recurrent.py` says what makes its recurrent layers fast.
"""

import math
from typing import Any

from workshop.networks import next_symbol


class MidiRNN(next_symbol.NextSymbol):
    """Next-event network over the V events of an encoding."""


def build(network: dict[str, Any], vocab_size: int, most_weights: float = math.inf) -> MidiRNN:
    """The network that a run.json describes; its checkpoints hold `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the encoding or the checkpoints.
    """
    return next_symbol.build(MidiRNN, network, vocab_size, most_weights)
