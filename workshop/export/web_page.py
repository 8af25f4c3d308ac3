"""A trained network as a folder that any web host serves: a page that runs it in the browser, with its weights.

The page is that of the folder `page` beside this file. `network.json` says what the symbols mean and which layers there
are, `network.bin` holds their weights one after the other: for each layer the kernel [inputs, width], its bias [width]
and, of a recurrent layer, the recurrent kernel [units, width] and its bias [width]. The first layer has a row for each
symbol in place of a kernel: what it makes of the embedding. Of a network with conditions, each recurrent layer has a
bias for each of them [conditions, width]. A network of another kind says itself what its first layer is (`Step.page`).
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from workshop.errors import UserError
from workshop.export import folder
from workshop.export.names import PAGE_ABOUT, WEIGHTS
from workshop.export.step import Step
from workshop.networks.recurrent import CELLS
from workshop.networks.sequence import SequenceModel, WindowDropout
from workshop.run.trained import Trained

#: How numbers are stored: little-endian, as browsers read them.
_TYPES = {"float16": "<f2", "float32": "<f4"}
_ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid")
_NOTHING = (keras.layers.Embedding, keras.layers.Dropout, WindowDropout)


class Page:
    """A trained network as the files of a page.

    Args:
        net: the network.
        step: what its lesson says of it.
        weights: float16, or float32 in twice the space.

    Raises:
        UserError: it has a layer that the page does not know.
    """

    def __init__(self, net: Trained, step: Step, weights: str = "float16"):
        layers, arrays = step.page() if step.page else _layers(net.model)
        about = {**folder.about(net, step, weights), "layers": layers}
        self._contents = {
            PAGE_ABOUT: json.dumps(about).encode(),
            WEIGHTS: np.concatenate([array.ravel() for array in arrays]).astype(_TYPES[weights]).tobytes(),
        }

    def write(self, target: Path) -> list[Path]:
        """Write all files and return their paths; see `folder.write`."""
        return folder.write(target, {path.name: path.read_bytes() for path in folder.page_files()} | self._contents)


def _layers(model: SequenceModel) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """The layers as network.json lists them, and their weights in the order of network.bin.

    Raises:
        UserError: the page does not know one.
    """
    labels = np.arange(model.conditions[0].shape[0]) if model.conditions else None
    names = {cell.layer: name for name, cell in CELLS.items()}
    layers: list[dict[str, Any]] = []
    arrays: list[np.ndarray] = []
    for layer, cell, prepared in zip(model.sequence, model.cells, model.prepare(labels), strict=True):
        if cell:
            kernel, bias, recurrent, recurrent_bias = map(keras.ops.convert_to_numpy, prepared)
            if not layers and layer is not model.sequence[1]:  # dropout stands before it: it looks nothing up itself
                kernel = keras.ops.convert_to_numpy(model.sequence[0].embeddings) @ kernel
            arrays += [kernel, bias, recurrent, recurrent_bias]
            layers.append({"kind": names[cell.layer], "units": layer.units, "conditions": bias.size // kernel.shape[1]})
        elif type(layer) is keras.layers.Dense and layer.activation.__name__ in _ACTIVATIONS and layers:
            kernel = keras.ops.convert_to_numpy(layer.kernel)
            bias = keras.ops.convert_to_numpy(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1], np.float32)
            arrays += [kernel, bias]
            layers.append({"kind": "dense", "units": 0, "activation": layer.activation.__name__})
        elif type(layer) in _NOTHING and (type(layer) is not keras.layers.Embedding or not layers):
            continue
        else:
            raise UserError(
                f"the page cannot run {layer.name}, a {type(layer).__name__}: it runs an Embedding, then LSTM, GRU, "
                "SimpleRNN, Dropout and Dense layers; leave out --page for an ONNX file"
            )
        layers[-1] |= {"inputs": kernel.shape[0], "width": kernel.shape[1]}
    return layers, arrays
