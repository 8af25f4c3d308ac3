"""The generator as an ONNX graph, for `python -m workshop.export`.

ONNX has the channels before the frames, so that is how everything lies between the first layer and the last one:
[B, C, T], or [B, C, T, D] where a picture is taken as a picture. B pictures of T frames of D bands, C channels.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import layers, ops

from spectral_gan.model import Pair, Ring
from workshop.errors import UserError
from workshop.export.graph import BATCH, Graph, Value
from workshop.export.maker import LATENT, PICTURE, Maker


def maker(pair: Pair, meaning: dict[str, Any]) -> Maker:
    """What there is to export of a generator whose pictures mean what `meaning` says.

    Raises:
        UserError: it has a layer that the export does not know.
    """
    for layer in pair.generator.parts:
        if type(layer) not in _ADDERS:
            raise UserError(
                f"the network cannot be exported, because {layer.name} is a {type(layer).__name__}: write it in "
                "spectral_gan/export.py"
            )

    def reference(latents: np.ndarray) -> np.ndarray:
        return _array(pair(latents))

    return Maker(meaning, pair.shape.latent, lambda graph: add_generator(graph, pair), reference)


def add_generator(graph: Graph, pair: Pair) -> None:
    """Write a generator into a graph: pictures [B, T, D] of latents [B, Z]."""
    shape, network = pair.shape, pair.generator
    x = graph.input(LATENT, [BATCH, shape.latent], np.float32)
    reshape = next(layer for layer in network.parts if isinstance(layer, layers.Reshape))
    for layer in network.parts:
        x = _ADDERS[type(layer)](graph, layer, x)
        if layer is reshape:  # [B, ..., C] -> [B, C, ...]
            last = len(reshape.target_shape)
            x = graph.add("Transpose", x, perm=[0, last, *range(1, last)])
    if isinstance(network.parts[-1], layers.Conv1D):
        x = graph.add("Transpose", x, perm=[0, 2, 1])
    graph.give(PICTURE, x, [BATCH, shape.frames, shape.bands])


def _array(weights: Any) -> np.ndarray:
    made: np.ndarray = ops.convert_to_numpy(weights).astype(np.float32)
    return made


def _dense(graph: Graph, layer: Any, x: Value) -> Value:
    x = graph.add("MatMul", x, _array(layer.kernel))
    return graph.add("Add", x, _array(layer.bias)) if layer.use_bias else x


def _reshape(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.add("Reshape", x, np.array([-1, *layer.target_shape]))


def _leaky(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.add("LeakyRelu", x, alpha=float(layer.negative_slope))


def _twice(graph: Graph, layer: Any, x: Value) -> Value:
    """Each frame as often as the layer says."""
    apart = graph.add("Unsqueeze", x, np.array([3]))
    several = graph.add("Concat", *[apart] * layer.size, axis=3)
    return graph.add("Reshape", several, np.array([0, 0, -1]))


def _ring(graph: Graph, layer: Any, x: Value) -> Value:
    """The last frames before the first one, and the first ones after the last."""
    axis = np.array([2])
    last = graph.add("Slice", x, np.array([-layer.before]), np.array([np.iinfo(np.int64).max]), axis)
    first = graph.add("Slice", x, np.array([0]), np.array([layer.after]), axis)
    return graph.add("Concat", last, x, first, axis=2)


def _convolution(graph: Graph, layer: Any, x: Value) -> Value:
    kernel = _array(layer.kernel).transpose(2, 1, 0)  # [F, C, C'] -> [C', C, F]
    return _activated(graph, layer, graph.add("Conv", x, kernel, _array(layer.bias)))


def _up(graph: Graph, layer: Any, x: Value) -> Value:
    """A transposed convolution whose picture is as many times as large as its strides say."""
    kernel = _array(layer.kernel).transpose(3, 2, 0, 1)  # [F, F, C', C] -> [C, C', F, F]
    beyond = [size - stride for size, stride in zip(layer.kernel_size, layer.strides, strict=True)]
    pads = [more // 2 for more in beyond] + [more - more // 2 for more in beyond]
    made = graph.add("ConvTranspose", x, kernel, strides=list(layer.strides), pads=pads)
    return _activated(graph, layer, made)


def _activated(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.add("Tanh", x) if layer.activation.__name__ == "tanh" else x


def _normalised(graph: Graph, layer: Any, x: Value) -> Value:
    """Batch normalisation by what was seen in training."""
    seen = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    return graph.add("BatchNormalization", x, *map(_array, seen), epsilon=float(layer.epsilon))


_ADDERS: dict[type, Callable[[Graph, Any, Value], Value]] = {
    layers.Dense: _dense, layers.Reshape: _reshape, layers.LeakyReLU: _leaky, layers.UpSampling1D: _twice,
    Ring: _ring, layers.Conv1D: _convolution, layers.Conv2DTranspose: _up, layers.BatchNormalization: _normalised,
}  # fmt: skip
