"""Making sound with a trained network, sample by sample.

`reference` is the plain way, and what the other one is tested against: it looks at the whole receptive field again for
each sample. `Generator` keeps what the blocks have seen and does one step at a time, thousands of times as fast; its
inner loop is in `kernel.py`.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from keras import ops

from wavenet import kernel
from wavenet.model import WaveNet
from wavenet.mu_law import SILENCE, STEPS
from workshop.sampling import Choice, gumbel

#: Samples per call of the kernel, for each stream; so often the progress is told and Ctrl-C is heard.
PIECE = 800


def reference(model: WaveNet, values: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Logits [B, 256] of the sample after values [T, B], the last R of which count; silence stands before them."""
    field = model.shape.receptive_field
    padded = np.concatenate([np.full((field, values.shape[1]), SILENCE), values])[-field:]
    ids = ops.convert_to_tensor(padded.astype(np.int32))
    logits, _ = model((ids, labels) if model.shape.conditions else ids)
    return ops.convert_to_numpy(logits)[-1]


def pack(model: WaveNet, labels: np.ndarray) -> kernel.Weights:
    """The weights of a network in the form that the kernel reads, for streams with `labels` [B]."""
    shape = model.shape
    blocks, gates = len(shape.dilations), 2 * shape.dilation_channels

    def array(value: object, *size: int) -> np.ndarray:
        table = ops.convert_to_numpy(value).astype(np.float32)
        return np.ascontiguousarray(table.reshape(size) if size else table)

    residuals = np.zeros((blocks, shape.dilation_channels, shape.residual_channels), np.float32)
    residual_biases = np.zeros((blocks, shape.residual_channels), np.float32)
    for k, (weight, bias) in enumerate(zip(model.residuals, model.residual_biases, strict=True)):
        residuals[k], residual_biases[k] = array(weight), array(bias)
    biases = np.stack([array(bias) for bias in model.biases])[:, None].repeat(len(labels), axis=1)
    if shape.conditions:
        biases = biases + array(model.conditions)[labels].transpose(1, 0, 2)
    return kernel.Weights(
        table=array(model.table),
        kernels=np.stack([array(w, shape.filter_width * shape.residual_channels, gates) for w in model.kernels]),
        biases=np.ascontiguousarray(biases),
        residuals=residuals,
        residual_biases=residual_biases,
        skips=array(ops.transpose(model.skips)),
        hidden=array(ops.transpose(model.hidden)),
        output=array(ops.transpose(model.output_kernel)),
        skip_bias=array(model.skip_bias),
        hidden_bias=array(model.hidden_bias),
        output_bias=array(model.output_bias),
        dilations=np.array(shape.dilations),
    )


class Generator:
    """Makes any number of sounds side by side; streams are shared out among the processor's cores.

    Args:
        model: the trained network.
        choice: how the next sample is chosen.
        labels: [B] numbers of the conditions; of a network without any, their number is all that matters.
    """

    def __init__(self, model: WaveNet, choice: Choice, labels: np.ndarray):
        self._shape, self._choice, self._streams = model.shape, choice, len(labels)
        self._parts = np.array_split(np.arange(len(labels)), min(os.cpu_count() or 1, len(labels)))
        self._weights = [pack(model, labels[part]) for part in self._parts]

    def write(self, prime: np.ndarray, length: int, seed: int) -> Iterator[np.ndarray]:
        """Generate `length` samples after `prime`, piece by piece.

        Args:
            prime: values [T, B] for each sound to go on from; silence stands before them. Not part of what is given
                back.
            length: samples to generate.
            seed: the same seed gives the same sounds.

        Yields:
            values [n, B], together `length` of them.
        """
        rng = np.random.default_rng(seed)
        states = [self._silent(len(part)) for part in self._parts]
        field = self._shape.receptive_field
        before = np.concatenate([np.full((field, self._streams), SILENCE), prime]).astype(np.int64)[-field:]
        for part, state in zip(self._parts, states, strict=True):
            state.values[0] = before[0, part]
        with ThreadPoolExecutor(len(self._parts)) as threads:
            self._advance(threads, states, before[1:], np.empty((0, 0, STEPS)))
            for at in range(0, length, PIECE):
                steps = min(PIECE, length - at)
                noise = gumbel(rng, (steps, self._streams, STEPS))
                yield self._advance(threads, states, np.full((steps, self._streams), -1), noise)

    def _silent(self, streams: int) -> kernel.State:
        """The state before anything has been heard."""
        rows = (self._shape.filter_width - 1) * sum(self._shape.dilations)
        seen = np.zeros((rows, streams, self._shape.residual_channels), np.float32)
        return kernel.State(seen, np.zeros((self._shape.filter_width, streams), np.int64), np.zeros(1, np.int64))

    def _advance(
        self, threads: ThreadPoolExecutor, states: list[kernel.State], prescribed: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """Values [N, B] of the next N steps of all streams."""
        values = np.empty(prescribed.shape, np.int64)
        choice = self._choice

        def work(part: np.ndarray, weights: kernel.Weights, state: kernel.State) -> None:
            mine = np.empty((len(prescribed), len(part)), np.int64)
            kernel.advance(
                weights, state, np.ascontiguousarray(prescribed[:, part]),
                np.ascontiguousarray(noise[:, part] if len(noise) else noise, np.float32),
                float(choice.temperature), choice.top_k or STEPS, choice.top_p or 1.0,
                mine, np.empty((len(part), STEPS), np.float32),
            )  # fmt: skip
            values[:, part] = mine

        list(threads.map(work, self._parts, self._weights, states))
        return values
