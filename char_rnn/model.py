"""The network of lesson 1: which character comes next, given all characters so far.

    character -> embedding -> recurrent layer -> ... -> recurrent layer -> softmax over the vocabulary

These layers are what is trained, saved and sampled from. `SequenceModel` hands the recurrent layers' state on from
window to window and from character to character, and lets a faster engine do the arithmetic of those that it knows.
Shapes are time-major: T steps, B sequences side by side, H units, V characters.
"""

import math
from typing import Any

from keras import layers
from keras.initializers import GlorotUniform, RandomUniform

from workshop.networks import sequence
from workshop.networks.recurrent import first_weights, seeds_of_weights
from workshop.networks.sequence import SequenceModel, WindowDropout


def recurrent(
    vocab_size: int, rnn_size: int, num_layers: int, cell: str, dropout: float, seed: int = 0
) -> SequenceModel:
    """The network of --rnn_size, --num_layers, --cell and --dropout, with the first weights of --seed."""
    layer = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}[cell]
    draws = seeds_of_weights(seed)
    table = RandomUniform(seed=next(draws))
    network = [layers.Embedding(vocab_size, rnn_size, table, name="embedding")]  # [T, B] numbers -> [T, B, H]
    for k in range(num_layers):
        network.append(
            layer(  # [T, B, H] -> [T, B, H], and its state after the last step
                rnn_size, return_sequences=True, return_state=True, name=f"{cell}_{k + 1}", **first_weights(draws)
            )
        )
        if dropout:
            network.append(WindowDropout(dropout, name=f"dropout_{k + 1}"))  # [T, B, H], in training only
    output = GlorotUniform(seed=next(seeds_of_weights((seed, 1))))
    network.append(layers.Dense(vocab_size, kernel_initializer=output, name="softmax"))  # [T, B, H] -> [T, B, V] logits
    return SequenceModel(network, seed)


#: The networks that `train.py --network NAME` can train: add yours here.
NETWORKS = {"default": recurrent}


def build(network: dict[str, Any], vocab_size: int, most_weights: float = math.inf) -> SequenceModel:
    """The network that a run.json describes; its checkpoints hold `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the vocabulary or the checkpoints.
    """
    return sequence.build(NETWORKS, network, vocab_size, most_weights)
