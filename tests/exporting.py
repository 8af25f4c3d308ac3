"""Networks with layers of the tests' own, for exports."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from keras import layers

from spectral_gan import export
from spectral_gan.model import build
from workshop.export.graph import Graph
from workshop.networks.sequence import SequenceModel

#: Symbols, and units of each layer.
V, H = 11, 6


def own(*between: layers.Layer, conditions: int = 0) -> SequenceModel:
    """A network with these layers, and with weights that are all different from zero."""
    model = SequenceModel([layers.Embedding(V, H), *between, layers.Dense(V)])
    model.add_conditions(conditions)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return model


recurrent_layer = functools.partial(lambda kind, **more: kind(H, return_sequences=True, return_state=True, **more))


def loop_network(path: Path, meaning: dict[str, Any]) -> Path:
    """An ONNX file, which says this, of an untrained generator of pictures of 16 x 16 from 8 latent values."""
    pair = build({"frames": 16, "bands": 16, "latent": 8, "channels": 8, "name": "default", "seed": 3})
    graph = Graph()
    export.add_generator(graph, pair)
    path.write_bytes(graph.model({name: json.dumps(value) for name, value in meaning.items()}))
    return path
