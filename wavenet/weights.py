"""A network in the form that the kernel reads.

The matrices lie in memory as they are read, see `workshop/networks/products.py`.

B streams, F filter width, C residual channels, D channels of the gates, S skip channels, L blocks.
"""

from typing import NamedTuple

import numpy as np
from keras import ops

from wavenet.model import Shape, WaveNet
from workshop.audio.mu_law import LEVELS
from workshop.networks.products import fill, strips
from workshop.networks.second_core import new_signals

Three = tuple[np.ndarray, np.ndarray, np.ndarray]


class Weights(NamedTuple):
    """The weights of a network, float32; the matrices in half precision where that is asked for.

    Attributes:
        table: [F, 256, C] what each tap makes of a value.
        kernels: L * F matrices [C, 2 * D].
        biases: [L, B, 2 * D], the label of each stream included.
        residuals: L matrices [D, C]; the last is not used.
        residual_biases: [L, C].
        dense: one matrix each, of the skip connections of all blocks [L * D, S], hidden [S, S] and output [S, 256].
        dense_biases: [S], [S], [256].
        dilations: int64 [L].
    """

    table: np.ndarray
    kernels: np.ndarray
    biases: np.ndarray
    residuals: np.ndarray
    residual_biases: np.ndarray
    dense: Three
    dense_biases: Three
    dilations: np.ndarray


class State(NamedTuple):
    """What the network remembers of B streams.

    Attributes:
        seen: float32 [sum of (F - 1) * dilation, B, C]: for each block a ring of its last inputs.
        values: int64 [F, B]: the last values, a ring too.
        time: int64 [1]: steps so far.
    """

    seen: np.ndarray
    values: np.ndarray
    time: np.ndarray


class Work(NamedTuple):
    """What a step makes on its way, float32.

    Attributes:
        x: [B, C] input of a block.
        h: [B, 2 * D] before the gates.
        layers: [B, L * D] what the gates of all blocks have let through, and what the dense layers make of it: [B, S],
            [B, S], and the logits [B, 256].
        helped: the last three once more, for the half that a second core does.
        signals: int64 [32] between the two cores.
    """

    x: np.ndarray
    h: np.ndarray
    layers: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    helped: Three
    signals: np.ndarray


def pack(model: WaveNet, labels: np.ndarray, half: bool = False, streams: int = 0) -> Weights:
    """The weights of a network.

    Args:
        model: the network.
        labels: [B] of the streams.
        half: round its matrices to half precision.
        streams: how many a core has at once; without it, all of them.
    """
    shape, streams = model.shape, streams or len(labels)
    blocks = len(shape.dilations)

    def array(value: object) -> np.ndarray:
        return ops.convert_to_numpy(value).astype(np.float32)

    residuals = np.zeros((blocks, shape.dilation_channels, shape.residual_channels), np.float32)
    residual_biases = np.zeros((blocks, shape.residual_channels), np.float32)
    for k, (weight, bias) in enumerate(zip(model.residuals, model.residual_biases, strict=True)):
        residuals[k], residual_biases[k] = array(weight), array(bias)
    biases = np.stack([array(bias) for bias in model.biases])[:, None].repeat(len(labels), axis=1)
    if shape.conditions:
        biases = biases + array(model.conditions)[labels].transpose(1, 0, 2)
    skips, hidden, output = (
        strips(array(m)[None], streams, half) for m in (model.skips, model.hidden, model.output_kernel)
    )
    first, second, third = (fill(array(b)) for b in (model.skip_bias, model.hidden_bias, model.output_bias))
    return Weights(
        table=array(model.table),
        kernels=strips(np.concatenate([array(weight) for weight in model.kernels]), streams, half),
        biases=fill(biases),
        residuals=strips(residuals, streams, half),
        residual_biases=fill(residual_biases),
        dense=(skips, hidden, output),
        dense_biases=(first, second, third),
        dilations=np.array(shape.dilations),
    )


def initial_state(shape: Shape, first: np.ndarray) -> State:
    """The state of streams that have heard nothing but values `first` [B]."""
    rows = (shape.filter_width - 1) * sum(shape.dilations)
    seen = np.zeros((rows, len(first), shape.residual_channels), np.float32)
    values = np.zeros((shape.filter_width, len(first)), np.int64)
    values[0] = first
    return State(seen, values, np.zeros(1, np.int64))


def workspace(shape: Shape, streams: int) -> Work:
    """The arrays that a step of B streams fills."""

    def array(columns: int) -> np.ndarray:
        return fill(np.zeros((streams, columns), np.float32))

    gated = np.zeros((streams, len(shape.dilations) * shape.dilation_channels), np.float32)
    return Work(
        x=array(shape.residual_channels),
        h=array(2 * shape.dilation_channels),
        layers=(gated, array(shape.skip_channels), array(shape.skip_channels), array(LEVELS)),
        helped=(array(shape.skip_channels), array(shape.skip_channels), array(LEVELS)),
        signals=new_signals(),
    )
