"""Generation on a CPU with the GRUs of a `SequenceModel`, by the compiled kernel.

B streams, H units, L layers, V symbols.
"""

import keras
import numpy as np
from keras import layers, ops

from workshop.networks import engine, gru_kernel
from workshop.networks.gru_kernel import State, Weights, Work
from workshop.networks.products import fill, strips
from workshop.networks.recurrent import unfit as unfit_layer
from workshop.networks.sampling import SamplingConfig
from workshop.networks.second_core import AWAY, new_signals
from workshop.networks.sequence import SequenceModel, WindowDropout

#: Layers that change nothing outside of training.
_ONLY_IN_TRAINING = (WindowDropout, layers.Dropout)


def _layers(model: SequenceModel) -> list[layers.Layer]:
    """What generating has to run."""
    return [layer for layer in model.sequence if not isinstance(layer, _ONLY_IN_TRAINING)]


def unfit(model: SequenceModel) -> str:
    """Why the kernel cannot run a network, as the end of a sentence; empty where it can: an embedding, GRUs of the same
    size, and a Dense layer that makes the logits.
    """
    first, *between, last = _layers(model)
    if type(first) is not layers.Embedding:
        return f"{first.name} is a {type(first).__name__} and no Embedding"
    if type(last) is not layers.Dense or last.activation is not keras.activations.linear or not last.use_bias:
        return f"{last.name} is no Dense layer with a bias and without an activation"
    if not between:
        return "it has no GRU"
    for layer in between:
        if type(layer) is not layers.GRU:
            return f"{layer.name} is a {type(layer).__name__} and no GRU"
        if reason := unfit_layer(layer):
            return reason
        if layer.units != between[0].units:
            return f"{layer.name} has {layer.units} units and {between[0].name} has {between[0].units}"
    if model.sequence[1] is not between[0]:
        return f"{model.sequence[1].name} stands between the embedding and the first GRU"
    return ""


def pack(model: SequenceModel, labels: np.ndarray, half: bool = False, streams: int = 0) -> Weights:
    """The weights of a network that is not `unfit`.

    Args:
        model: the network.
        labels: [B] of the streams.
        half: round its matrices to half precision.
        streams: how many a core has at once; without it, all of them.
    """

    def array(value: object) -> np.ndarray:
        return ops.convert_to_numpy(value).astype(np.float32)

    streams = streams or len(labels)
    prepared = [layer for layer in model.prepare(labels) if layer is not None]
    # In place of its kernel, the first layer has what it makes of each symbol.
    (table, *kernels), biases, recurrent, recurrent_biases = (
        [array(part) for part in parts] for parts in zip(*prepared, strict=True)
    )
    each = [np.broadcast_to(bias, (len(labels), bias.shape[-1])) for bias in biases]
    output = _layers(model)[-1]
    return Weights(
        table=fill(table),
        kernels=strips(np.stack([np.zeros_like(recurrent[0]), *kernels]), streams, half),
        biases=fill(np.stack(each)),
        recurrent=strips(np.stack(recurrent), streams, half),
        recurrent_biases=fill(np.stack(recurrent_biases)),
        output=strips(array(output.kernel)[None], streams, half),
        output_bias=fill(array(output.bias)),
    )


def workspace(weights: Weights) -> Work:
    """The arrays that a step of the streams of `weights` fills."""
    depth, streams, columns = weights.biases.shape
    x, u = np.zeros((2, streams, columns), np.float32)
    logits = np.zeros((streams, len(weights.output_bias)), np.float32)
    helped = np.zeros((depth, streams, columns), np.float32)
    return Work(x, u, logits, helped, np.full(depth, AWAY), new_signals())


class GruEngine(engine.CpuEngine):
    """Takes streams on by a network's weights as they are now.

    Args:
        model: the network, which is not `unfit`.
        labels: [B] numbers of the conditions; of a network without any, their number is all that matters.
        half: round its matrices to half precision, which is faster.
    """

    def __init__(self, model: SequenceModel, labels: np.ndarray, half: bool = False):
        super().__init__(gru_kernel, model.shapes[-1][0], len(labels))
        self._weights = self.shared_out(lambda streams: pack(model, labels, half, streams))

    def start(self, first: np.ndarray) -> list[tuple[State, Work]]:
        """The state when nothing has been read but symbols `first` [B], and a workspace, for each core."""
        depth, units = self._weights[0].recurrent.shape[:2]
        return [
            (State(np.zeros((depth, len(part), units), np.float32), first[part].astype(np.int64)), workspace(weights))
            for part, weights in zip(self.parts, self._weights, strict=True)
        ]

    def advance(
        self, state: list[tuple[State, Work]], prescribed: np.ndarray, uniform: np.ndarray, config: SamplingConfig
    ) -> np.ndarray:
        """The symbols [N, B] of the next N steps, as `Engine` in engine.py says."""
        return self.run(self._weights, state, prescribed, uniform, config)
