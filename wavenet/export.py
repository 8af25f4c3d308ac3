"""One step of a network as an ONNX graph, for `python -m workshop.export`.

The blocks' inputs of the past are rings in one array [rows, B, C], as in `loop.py`: with each sample the oldest row of
each ring makes room for the newest. B streams, C residual channels, D channels of the gates, F filter width, L blocks.
"""

from typing import Any

import numpy as np
from keras import ops

from wavenet.model import WaveNet
from workshop.audio.mu_law import LEVELS
from workshop.export.graph import BATCH, CONDITION, SYMBOL, Graph, Shape, Value
from workshop.export.step import Step


def step(model: WaveNet, meaning: dict[str, Any]) -> Step:
    """The step of a network whose symbols mean what `meaning` says; see `Step`."""

    def reference(ids: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        values = ids.astype(np.int32)
        logits, _ = model((values, conditions.astype(np.int32)) if model.shape.conditions else values)
        return ops.convert_to_numpy(logits)

    return Step(
        meaning, LEVELS, lambda graph: add_step(graph, model), reference,
        context=model.shape.receptive_field - 1, conditions=model.shape.conditions, page=lambda: _page(model),
    )  # fmt: skip


def _page(model: WaveNet) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """The layers and weights as the page takes them (`blocks.js`): the blocks, and the dense layers above."""
    shape = model.shape
    biases = np.stack([_array(bias) for bias in model.biases])
    arrays = [_array(model.table), biases + _array(model.conditions) if shape.conditions else biases]
    for k, kernel in enumerate(model.kernels):
        arrays.append(_array(kernel))
        if k < len(model.residuals):
            arrays += [_array(model.residuals[k]), _array(model.residual_biases[k])]
    blocks = {
        "kind": "blocks", "taps": shape.filter_width, "levels": LEVELS, "channels": shape.residual_channels,
        "gates": shape.dilation_channels, "dilations": shape.dilations, "conditions": max(shape.conditions, 1),
    }  # fmt: skip
    layers = [blocks]
    for weights, bias, activation in (
        (model.skips, model.skip_bias, "relu"),
        (model.hidden, model.hidden_bias, "relu"),
        (model.output_kernel, model.output_bias, "linear"),
    ):
        arrays += [_array(weights), _array(bias)]
        inputs, width = weights.shape
        layers.append({"kind": "dense", "units": 0, "activation": activation, "inputs": inputs, "width": width})
    return layers, arrays


def _array(weights: Any) -> np.ndarray:
    return ops.convert_to_numpy(weights).astype(np.float32)


def add_step(graph: Graph, model: WaveNet) -> None:
    """Write a network's step into a graph.

    Its states are `rings` [rows, batch, C], what the blocks have seen; `values` [F - 1, batch], the last samples; and
    `time` [1], how many samples were read.
    """
    shape = model.shape
    blocks, taps = len(shape.dilations), shape.filter_width - 1
    symbol = graph.input(SYMBOL, [BATCH])
    label = graph.input(CONDITION, [BATCH]) if shape.conditions else None
    rows: Shape = [taps * sum(shape.dilations), BATCH, shape.residual_channels]
    rings = graph.input("rings", rows, np.float32)
    values = graph.input("values", [taps, BATCH])
    time = graph.input("time", [1])

    heard = graph.add("Concat", values, graph.add("Unsqueeze", symbol, np.array([0])), axis=0)  # [F, B]
    places = _places(graph, model, time)  # [L, F - 1]
    past = _past(graph, model, graph.add("Gather", rings, places))
    biases = _biases(graph, model, label)
    x = _looked_up(graph, model, heard)  # [1, B, C], as everything from here on
    seen, gated = [], []
    for k in range(blocks):
        seen.append(x)
        taken = graph.add("Concat", past[k], x, axis=-1)
        kernel = _array(model.kernels[k]).reshape(-1, 2 * shape.dilation_channels)
        before = graph.add("Add", graph.add("MatMul", taken, kernel), biases[k])
        filtered, gate = graph.add_many("Split", 2, before, axis=-1, num_outputs=2)
        gated.append(graph.add("Mul", graph.add("Tanh", filtered), graph.add("Sigmoid", gate)))
        if k < len(model.residuals):
            x = graph.add("Add", x, _dense(graph, gated[-1], model.residuals[k], model.residual_biases[k]))
    skip = graph.add("Concat", *gated, axis=-1)
    for weights, bias in ((model.skips, model.skip_bias), (model.hidden, model.hidden_bias)):
        skip = graph.add("Relu", _dense(graph, skip, weights, bias))
    logits = _dense(graph, skip, model.output_kernel, model.output_bias)
    graph.give_logits(graph.add("Squeeze", logits, np.array([0])), LEVELS)

    # The rows of the oldest inputs, which have been read.
    oldest = graph.add("Slice", places, np.array([0]), np.array([1]), np.array([1]))  # [L, 1]
    newest = graph.add("Concat", *seen, axis=0)  # [L, B, C]
    graph.give_back("rings", graph.add("ScatterND", rings, oldest, newest), rows)
    graph.give_back("values", graph.add("Slice", heard, np.array([1]), np.array([1 + taps])), [taps, BATCH], np.int64)
    graph.give_back("time", graph.add("Add", time, np.array([1])), [1], np.int64)


def _places(graph: Graph, model: WaveNet, time: Value) -> Value:
    """The rows [L, F - 1] of the rings that each block reads now, the oldest first."""
    taps = model.shape.filter_width - 1
    dilations = np.array(model.shape.dilations)[:, None]
    reach = taps * dilations
    moved = graph.add("Mod", graph.add("Add", time, dilations * np.arange(taps)), reach)
    return graph.add("Add", moved, np.cumsum(reach, axis=0) - reach)


def _past(graph: Graph, model: WaveNet, rows: Value) -> tuple[Value, ...]:
    """What each block has seen, [1, B, (F - 1) * C], of rows [L, F - 1, B, C]."""
    width = (model.shape.filter_width - 1) * model.shape.residual_channels
    blocks = len(model.shape.dilations)
    past = graph.add("Transpose", rows, perm=[0, 2, 1, 3])
    return _each(graph, graph.add("Reshape", past, np.array([blocks, -1, width])), blocks)


def _each(graph: Graph, values: Value, blocks: int) -> tuple[Value, ...]:
    """The parts [1, ...] of values [L, ...]."""
    return graph.add_many("Split", blocks, values, axis=0, num_outputs=blocks)


def _biases(graph: Graph, model: WaveNet, label: Value | None) -> tuple[Value | np.ndarray, ...]:
    """The bias of each block: a vector [2 * D], or [1, B, 2 * D] where the network has conditions."""
    biases = np.stack([_array(bias) for bias in model.biases])
    if label is None:
        return tuple(biases)
    chosen = graph.add("Gather", (_array(model.conditions) + biases).transpose(1, 0, 2), label, axis=1)
    return _each(graph, chosen, len(biases))


def _looked_up(graph: Graph, model: WaveNet, heard: Value) -> Value:
    """What the table makes of the last samples [F, B]: [1, B, C]."""
    width = model.shape.filter_width
    taps = graph.add_many("Split", width, heard, axis=0, num_outputs=width)
    found = [graph.add("Gather", table, tap) for table, tap in zip(_array(model.table), taps, strict=True)]
    return graph.add("Sum", *found)


def _dense(graph: Graph, x: Value, weights: Any, bias: Any) -> Value:
    return graph.add("Add", graph.add("MatMul", x, _array(weights)), _array(bias))
