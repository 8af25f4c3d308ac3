"""The network of lesson 2: which event comes next, given all events so far.

    event -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over all events of the encoding

A melody is read like a text, so the layers are those of lesson 1; they are what is trained, saved and sampled from.
Sequences run along the first axis of an array: T steps, B pieces side by side; H are the units, V the events.
"""

import math
from typing import Any

import keras

from workshop.networks.recurrent import first_weights, seeds_of_weights
from workshop.networks.sequence import SequenceModel, WindowDropout
from workshop.networks.sequence import build as build_from

KINDS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}


def recurrent(
    vocab_size: int, rnn_size: int, num_layers: int, cell: str, dropout: float, seed: int = 0
) -> SequenceModel:
    """A network of `num_layers` recurrent layers; arguments as in `train.py --help`."""
    draws, last_draw = seeds_of_weights(seed), seeds_of_weights((seed, 1))
    stack: list[keras.layers.Layer] = [
        keras.layers.Embedding(  # [T, B] events -> [T, B, H]
            vocab_size, rnn_size, keras.initializers.RandomUniform(seed=next(draws)), name="embedding"
        )
    ]
    for name in (f"{cell}_{k}" for k in range(1, num_layers + 1)):
        start = first_weights(draws)
        stack += [
            # The outputs of all steps go up [T, B, H]; the state goes on to the next window.
            KINDS[cell](rnn_size, return_sequences=True, return_state=True, name=name, **start),
            *([WindowDropout(dropout, name=f"dropout_of_{name}")] if dropout else []),  # the same units in each step
        ]
    softmax = keras.layers.Dense(  # [T, B, H] -> [T, B, V] logits
        vocab_size, kernel_initializer=keras.initializers.GlorotUniform(seed=next(last_draw)), name="softmax"
    )
    return SequenceModel([*stack, softmax], seed)


#: What `train.py --network NAME` chooses from.
NETWORKS = {"default": recurrent}


def build(network: dict[str, Any], vocab_size: int, most_weights: float = math.inf) -> SequenceModel:
    """What a run.json describes, for V events and checkpoints of `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the encoding or the checkpoints.
    """
    return build_from(NETWORKS, network, vocab_size, most_weights)
