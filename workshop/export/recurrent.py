"""The step of a `SequenceModel` in ONNX' own operators.

V symbols, D inputs and H units of a layer. A recurrent layer of Keras is one node: ONNX has the same cells, with
transposed weights and the gates of the LSTM in another order.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from workshop.errors import UserError
from workshop.export.graph import BATCH, CONDITION, SYMBOL, Graph, Value
from workshop.export.step import Step
from workshop.networks.recurrent import unfit, weights_of
from workshop.networks.sequence import SequenceModel, WindowDropout

#: For each recurrent layer of Keras: ONNX' operator, the places of its gates in Keras' order, its states, and what the
#: operator has to be told.
_CELLS: dict[type, tuple[str, tuple[int, ...], tuple[str, ...], dict[str, Any]]] = {
    keras.layers.LSTM: ("LSTM", (0, 3, 1, 2), ("h", "c"), {}),
    keras.layers.GRU: ("GRU", (0, 1, 2), ("h",), {"linear_before_reset": 1}),
    keras.layers.SimpleRNN: ("RNN", (0,), ("h",), {"activations": ["Tanh"]}),
}

#: ONNX' operator for each activation of Keras; none for the one that changes nothing.
_ACTIVATIONS: dict[Any, str] = {
    keras.activations.linear: "", keras.activations.relu: "Relu", keras.activations.tanh: "Tanh",
    keras.activations.sigmoid: "Sigmoid",
}  # fmt: skip

#: The axis of the steps, of which there is one: recurrent operators take a sequence.
_ONE_STEP = np.array([0])


def step(model: SequenceModel, meaning: dict[str, Any]) -> Step:
    """The step of a network whose symbols mean what `meaning` says; see `Step`."""

    def reference(ids: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        symbols = ids.astype(np.int32)
        inputs = (symbols, conditions.astype(np.int32)) if model.conditions else symbols
        logits, _ = model(inputs, model.initial_state(ids.shape[1]))
        return keras.ops.convert_to_numpy(logits)

    known = model.conditions[0].shape[0] if model.conditions else 0
    return Step(meaning, model.shapes[-1][-1], lambda graph: add_step(graph, model), reference, conditions=known)


def add_step(graph: Graph, model: SequenceModel) -> None:
    """Write a network's step into a graph; the states are named after the layers.

    Raises:
        UserError: there is a layer that the export does not know, or two have the same name.
    """
    names = [layer.name for layer in model.recurrent]
    if len(set(names)) < len(names):
        raise UserError(
            f"two layers in model.py have the same name ({', '.join(names)}), and states are named by layer"
        )
    x = graph.input(SYMBOL, [BATCH])
    label = graph.input(CONDITION, [BATCH]) if model.conditions else None
    tables = iter(model.conditions)
    for layer in model.sequence:
        if reason := _unknown(layer):
            layers = ", ".join(sorted(kind.__name__ for kind in _ADDERS))
            raise UserError(
                f"the network cannot be exported, because {reason}; what can be is made of {layers}, with the "
                f"activations {', '.join(activation.__name__ for activation in _ACTIVATIONS)}"
            )
        if label and isinstance(layer, keras.layers.RNN):
            x = graph.add("Add", x, graph.add("Gather", _array(next(tables)), label))
        x = _ADDERS[type(layer)](graph, layer, x)
    graph.give_logits(x, model.shapes[-1][-1])


def _unknown(layer: keras.layers.Layer) -> str:
    """Why a layer cannot be exported, as the end of a sentence; empty where it can."""
    if type(layer) not in _ADDERS:
        return f"{layer.name} is a {type(layer).__name__}"
    if isinstance(layer, keras.layers.RNN):
        return unfit(layer)
    if isinstance(layer, keras.layers.LayerNormalization) and not _is_plain(layer):
        return f"{layer.name} normalises otherwise than along the features, with a scale and a shift"
    if getattr(layer, "activation", keras.activations.linear) not in _ACTIVATIONS:
        return f"{layer.name} has an activation of its own"
    return ""


def _is_plain(layer: keras.layers.LayerNormalization) -> bool:
    return list(layer.axis) in ([-1], [2]) and layer.scale and layer.center and not layer.rms_scaling


def _array(tensor: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor).astype(np.float32)


def _embedding(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.add("Gather", _array(layer.embeddings), x)


def _recurrent(graph: Graph, layer: Any, x: Value) -> Value:
    operator, places, names, told = _CELLS[type(layer)]

    def gates(tensor: Any) -> np.ndarray:
        """The gates [..., G*H] of Keras as [1, G*H, ...] in ONNX' order."""
        parts = np.split(_array(tensor), len(places), axis=-1)
        return np.concatenate([parts[place] for place in places], axis=-1).T[None]

    kernel, bias, recurrent, recurrent_bias = weights_of(layer)
    shape = [BATCH, layer.units]
    states = [graph.input(f"{layer.name}_{name}", shape, np.float32) for name in names]
    sequence, *before = (graph.add("Unsqueeze", value, _ONE_STEP) for value in (x, *states))
    biases = np.concatenate([gates(bias), gates(recurrent_bias)], axis=1)
    _, *after = graph.add_many(
        operator, 1 + len(names), sequence, gates(kernel), gates(recurrent), biases, None, *before,
        hidden_size=layer.units, **told,
    )  # fmt: skip
    new = [graph.add("Squeeze", value, _ONE_STEP) for value in after]
    for name, value in zip(names, new, strict=True):
        graph.give_back(f"{layer.name}_{name}", value, shape)
    return new[0]


def _dense(graph: Graph, layer: Any, x: Value) -> Value:
    product = graph.add("MatMul", x, _array(layer.kernel))
    return _activation(graph, layer, graph.add("Add", product, _array(layer.bias)) if layer.use_bias else product)


def _activation(graph: Graph, layer: Any, x: Value) -> Value:
    operator = _ACTIVATIONS[layer.activation]
    return graph.add(operator, x) if operator else x


def _nothing(graph: Graph, layer: Any, x: Value) -> Value:
    return x


def _normalization(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.add("LayerNormalization", x, _array(layer.gamma), _array(layer.beta), axis=-1, epsilon=layer.epsilon)


#: The layers that the export knows: exactly these, because one derived from them may compute something else.
_ADDERS: dict[type, Callable[[Graph, Any, Value], Value]] = {
    keras.layers.Embedding: _embedding,
    keras.layers.LSTM: _recurrent,
    keras.layers.GRU: _recurrent,
    keras.layers.SimpleRNN: _recurrent,
    keras.layers.Dense: _dense,
    keras.layers.Activation: _activation,
    keras.layers.LayerNormalization: _normalization,
    keras.layers.Dropout: _nothing,
    WindowDropout: _nothing,
}
