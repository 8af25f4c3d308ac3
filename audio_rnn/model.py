"""The network of lesson 4: which of 256 levels the next sample has, given all samples so far.

    sample -> embedding -> GRU -> ... -> GRU -> softmax over the 256 levels of mu-law

There is no receptive field: what a GRU keeps in its state can be of any age (Cho et al. 2014, arXiv:1406.1078). With
`--condition` every recurrent layer has a bias of its own for each name, which `workshop/networks/sequence.py` adds.
Arrays are time-major: T samples, B streams, H units.
"""

import math
from typing import Any

import numpy as np
from keras import layers, ops
from keras.initializers import GlorotUniform, RandomUniform

from workshop.audio.mu_law import LEVELS
from workshop.networks import sequence
from workshop.networks.recurrent import first_weights, seeds_of_weights
from workshop.networks.sequence import Conditional, SequenceModel, WindowDropout

#: Samples for which the unit with the longest memory keeps what it has, when the training of `chrono` begins.
LONGEST = 300


def stacked(vocab_size: int, rnn_size: int, num_layers: int, cell: str, dropout: float, seed: int = 0) -> SequenceModel:
    """Recurrent layers on top of each other; --cell says which, `seed` is that of the initial weights."""
    kind = {"gru": layers.GRU, "lstm": layers.LSTM, "rnn": layers.SimpleRNN}[cell]
    seeds = seeds_of_weights(seed)
    # [T, B] levels -> [T, B, H]
    network: list[layers.Layer] = [
        layers.Embedding(vocab_size, rnn_size, RandomUniform(seed=next(seeds)), name="embedding")
    ]
    for depth in range(1, num_layers + 1):
        weights = first_weights(seeds)
        # [T, B, H] -> [T, B, H]; and the state, which the next window begins with
        network += [kind(rnn_size, return_sequences=True, return_state=True, name=f"{cell}_{depth}", **weights)]
        network += [WindowDropout(dropout, name=f"dropout_{depth}")] if dropout else []
    # [T, B, H] -> [T, B, 256] logits
    network += [layers.Dense(vocab_size, kernel_initializer=GlorotUniform(seed=next(seeds)), name="softmax")]
    return SequenceModel(network, seed)


def chrono(vocab_size: int, rnn_size: int, num_layers: int, cell: str, dropout: float, seed: int = 0) -> SequenceModel:
    """The same with a longer memory when training begins: the gates of GRUs keep what a unit has for one sample up to
    `LONGEST`, all lengths equally often on a logarithmic scale (chrono initialisation: Tallec and Ollivier 2018,
    arXiv:1804.11188). With gates that are half open nothing is left after some samples, and it takes long to learn what
    would be worth keeping for hundreds.
    """
    model = stacked(vocab_size, rnn_size, num_layers, cell, dropout, seed)
    rng = np.random.default_rng((seed, 1))
    for layer in model.recurrent if cell == "gru" else []:
        bias = np.zeros(layer.cell.bias.shape)
        # A gate of sigmoid(log n) keeps n / (n + 1) of a state at each sample.
        bias[0, :rnn_size] = rng.uniform(0, math.log(LONGEST), rnn_size)
        layer.cell.bias.assign(bias)
    return model


#: The networks of `train.py --network NAME`: add yours here.
NETWORKS = {"default": stacked, "chrono": chrono}


def build(network: dict[str, Any], most_weights: float = math.inf) -> SequenceModel:
    """The network that a run.json describes; its checkpoints hold `most_weights` weights.

    Raises:
        UserError: the description is damaged, or does not fit the checkpoints.
    """
    return sequence.build(NETWORKS, network, LEVELS, most_weights, Conditional)


def with_conditions(network: dict[str, Any], model: SequenceModel, count: int) -> SequenceModel:
    """A trained network of this description with one condition that changes nothing, or with none: then the mean of
    those that it has is added to its biases.

    Args:
        network: what run.json says of `model`.
        model: the trained network.
        count: 1 or 0.
    """
    made = build(network | {"conditions": count})
    for mine, theirs in zip(made.sequence, model.sequence, strict=True):
        mine.set_weights(theirs.get_weights())
    for layer, table in zip(made.recurrent, model.conditions, strict=False):
        kernel, *others, bias = layer.get_weights()
        bias[(0,) * (bias.ndim - 1)] += ops.convert_to_numpy(table).mean(axis=0) @ kernel  # a GRU has two, the first is
        layer.set_weights([kernel, *others, bias])  # that of its inputs
    return made
