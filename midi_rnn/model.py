"""The network of lesson 2: which event comes next, given all events so far.

    event -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over all events of the encoding

It is the network of lesson 1, because a melody is read like a text; `workshop/next_symbol.py` puts it together from
Keras layers, and `workshop/recurrent.py` says what makes its recurrent layers fast.
"""

from typing import Any

from workshop import next_symbol
from workshop.experiment import Experiment


class MidiRNN(next_symbol.NextSymbol):
    """Next-event network over the V events of an encoding."""


def build(network: dict[str, Any], vocab_size: int, experiment: Experiment | None = None) -> MidiRNN:
    """The network that a run.json describes; `experiment` has its weights, if any are there already.

    Raises:
        UserError: the description is damaged, or does not fit the encoding or the checkpoints.
    """
    return next_symbol.build(MidiRNN, network, vocab_size, experiment)
