"""Networks with layers of the tests' own, for exports."""

import functools

import numpy as np
from keras import layers

from workshop.networks.sequence import SequenceModel

#: Symbols, and units of each layer.
V, H = 11, 6


def own(*between: layers.Layer) -> SequenceModel:
    """A network with these layers, and with weights that are all different from zero."""
    model = SequenceModel([layers.Embedding(V, H), *between, layers.Dense(V)])
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return model


recurrent_layer = functools.partial(lambda kind, **more: kind(H, return_sequences=True, return_state=True, **more))
