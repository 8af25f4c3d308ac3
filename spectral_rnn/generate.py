"""Making frames with a trained network, one after the other, and sound of them.

A frame of one stream takes a fraction of a millisecond by plain NumPy: no TensorFlow is needed, and the live room can
play with it.

B streams, D numbers in a frame, H units, K components.
"""

if __name__ == "__main__":
    from workshop.misplaced import refuse_generate

    refuse_generate()

import abc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workshop.audio.bands import STEPS, Bands
from workshop.audio.parts import Parts
from workshop.audio.phase import Resynthesiser

if TYPE_CHECKING:
    from spectral_rnn.model import FrameModel, NextFrame

#: Temperature of the previews, and of sample.py unless it is told otherwise.
TEMPERATURE = 1.0
#: Frames in a piece; so often the progress is told and Ctrl-C is heard.
PIECE = 64
#: Of a longer prompt the last frames are read.
MAX_PROMPT = 2_000


@dataclass(frozen=True)
class State:
    """What a network remembers of B streams; never changed, so that a state can be kept and gone back to.

    Attributes:
        layers: of each LSTM layer the output and the cell, [B, H].
        last: the last frame, as the network computes with it [B, D].
    """

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    last: np.ndarray


class Engine(abc.ABC):
    """Runs the network of a model frame by frame, with the weights that it has at the time.

    Args:
        model: the network; it is not needed any more afterwards.
    """

    #: The step of silence.
    silence: int

    def __init__(self, model: "NextFrame"):
        self.shape = model.shape
        self._layers = [
            (np.concatenate([np.asarray(part) for part in (one.cell.kernel, one.cell.recurrent_kernel)]),
             np.asarray(one.cell.bias))
            for one in model.recurrent
        ]  # fmt: skip
        self._head, self._bias = np.asarray(model.head), np.asarray(model.head_bias)

    @property
    @abc.abstractmethod
    def draws(self) -> int:
        """Random numbers that a step takes for each stream."""

    @abc.abstractmethod
    def start(self, streams: int = 1) -> State:
        """The state before the first frame of B streams: nothing was heard but silence."""

    @abc.abstractmethod
    def read(self, state: State, frame: np.ndarray) -> tuple[State, np.ndarray]:
        """The state after a frame [B, D] in steps, and what is known of the next one [B, any]."""

    @abc.abstractmethod
    def draw(self, likely: np.ndarray, temperature: float, uniform: np.ndarray) -> np.ndarray:
        """The next frame [B, D] in steps, by what `read` says of it.

        Args:
            likely: [B, any].
            temperature: divides the logarithms of the probabilities: below 1 more conservative, above 1 more random.
            uniform: [B, draws] random numbers, 0 <= uniform < 1.
        """

    def _start(self, last: np.ndarray) -> State:
        """The state before the first frame of B streams, `last` [B, D] being the one before."""
        nothing = np.zeros((len(last), self.shape.rnn_size), np.float32)
        return State(tuple((nothing, nothing) for _ in self._layers), last)

    def _run(self, x: np.ndarray, state: State) -> tuple[np.ndarray, tuple[tuple[np.ndarray, np.ndarray], ...]]:
        """The head's numbers after inputs [B, inputs], and the state of the layers."""
        layers = []
        for (kernel, bias), (h, c) in zip(self._layers, state.layers, strict=True):
            gates = np.concatenate([x, h], axis=1) @ kernel + bias
            i, f, g, o = np.split(gates, 4, axis=1)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            x = _sigmoid(o) * np.tanh(c)
            layers.append((x, c))
        return x @ self._head + self._bias, tuple(layers)

    def step(
        self, state: State, frame: np.ndarray, temperature: float, uniform: np.ndarray
    ) -> tuple[np.ndarray, State]:
        """The next frame [B, D], drawn after `frame` [B, D], both in steps; and the state after the latter. The other
        arguments are those of `draw`.
        """
        state, likely = self.read(state, frame)
        return self.draw(likely, temperature, uniform), state

    def generate(
        self, prompt: np.ndarray, length: int, streams: int, seed: int, temperature: float
    ) -> Iterator[np.ndarray]:
        """Generate `length` frames after `prompt`, piece by piece.

        Args:
            prompt: frames [P, D] in steps to go on from, the same in all streams; silence stands before them.
            length: frames.
            streams: B.
            seed: the same seed gives the same frames.
            temperature: see `draw`.

        Yields:
            frames [n, B, D] in steps, together `length` of them.
        """
        rng = np.random.default_rng(seed)
        state, frame = self.start(streams), np.full((streams, self.shape.bands), self.silence, np.float32)
        for following in prompt[-MAX_PROMPT:]:
            state, _ = self.read(state, frame)
            frame = np.repeat(following[None].astype(np.float32), streams, axis=0)
        for at in range(0, length, PIECE):
            piece = []
            for _ in range(min(PIECE, length - at)):
                frame, state = self.step(state, frame, temperature, rng.random((streams, self.draws)))
                piece.append(frame)
            yield np.stack(piece)


class Frames(Engine):
    """Runs a network that gives probabilities; see `Engine`.

    Args:
        model: the network; it is not needed any more afterwards.
        loudest: [D] in steps: no level is drawn above it. A normal distribution knows no end, and one level of many
            thousands that is far too loud would be all that is heard. Without it, the top of all levels.
    """

    silence = 0

    def __init__(self, model: "FrameModel", loudest: np.ndarray | None = None):
        from spectral_rnn.model import CAREFUL, MIDDLE, NARROWEST, SCALE, WIDEST

        super().__init__(model)
        self._middle, self._scale, self._spreads = MIDDLE, SCALE, (NARROWEST, WIDEST)
        self._loudest = np.full(self.shape.bands, STEPS) if loudest is None else loudest
        self._linear, self._constant = CAREFUL * np.asarray(model.linear), np.asarray(model.constant)
        triangle = CAREFUL * np.asarray(model.axes, np.float64)
        triangle = np.tril(triangle, -1) + np.diag(np.exp(np.diag(triangle)))
        #: From errors along the axes back to bands.
        self._bands = np.linalg.inv(triangle).T.astype(np.float32)

    @property
    def draws(self) -> int:
        """Random numbers that a step takes for each stream: one for the component, and two for two bands each."""
        return 1 + 2 * -(-self.shape.bands // 2)

    def start(self, streams: int = 1) -> State:
        """The state before the first frame of B streams: nothing was heard but silence."""
        return self._start(np.full((streams, self.shape.bands), -self._middle / self._scale, np.float32))

    def read(self, state: State, frame: np.ndarray) -> tuple[State, np.ndarray]:
        """The state after a frame [B, D] in steps, and what the next one is likely to be: [B, D + K (2 D + 1)]."""
        now = ((frame - self._middle) / self._scale).astype(np.float32)
        both = np.concatenate([now, state.last], axis=1)
        numbers, layers = self._run(both, state)
        expected = both @ self._linear + self._constant
        return State(layers, now), np.concatenate([expected, numbers], axis=1)

    def draw(self, likely: np.ndarray, temperature: float, uniform: np.ndarray) -> np.ndarray:
        """A frame [B, D] in steps, drawn from what `read` says of it.

        Args:
            likely: [B, D + K (2 D + 1)].
            temperature: divides the logarithms of the probabilities: below 1 more conservative, above 1 more random.
            uniform: [B, draws] random numbers, 0 <= uniform < 1.
        """
        size, count = self.shape.bands, self.shape.components
        expected, logits = likely[:, :size], likely[:, size : size + count]
        rest = likely[:, size + count :].reshape(-1, 2, count, size)
        shares = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
        sums = np.cumsum(shares, axis=1)
        chosen = np.minimum((sums <= uniform[:, :1] * sums[:, -1:]).sum(axis=1), count - 1)
        streams = np.arange(len(likely))
        spreads = np.exp(rest[streams, 1, chosen].clip(*self._spreads)) * np.sqrt(temperature)
        errors = rest[streams, 0, chosen] + spreads * _normal(uniform[:, 1:])[:, :size]
        return (
            ((expected + errors @ self._bands) * self._scale + self._middle).clip(0, self._loudest).astype(np.float32)
        )


def sounds(
    pieces: Iterator[np.ndarray],
    length: int,
    bands: Bands | Parts,
    made: list[Resynthesiser],
    raw: list[np.ndarray] | None = None,
) -> Iterator[np.ndarray]:
    """Samples of frames, piece by piece.

    Args:
        pieces: frames [n, B, D] in steps.
        length: samples of each stream, of all pieces together; what is left over is cut off.
        bands: what the frames are.
        made: what makes sound of the frames of each stream, in which nothing has come yet.
        raw: gets the values of each piece, [n, B, D]: levels in dB, or parts; None to keep none.

    Yields:
        samples float32 [any number, B].
    """
    left = length

    def cut(parts: list[np.ndarray]) -> np.ndarray:
        nonlocal left
        samples = np.stack(parts, axis=1)[:left].clip(-1, 1)
        left -= len(samples)
        return samples

    for piece in pieces:
        values = bands.values(piece)
        if raw is not None:
            raw.append(values)
        spectra = bands.spectra(values)
        samples = cut([one.add(spectra[:, stream]) for stream, one in enumerate(made)])
        if len(samples):
            yield samples
    samples = cut([one.finish() for one in made])
    if len(samples):
        yield samples


def _sigmoid(x: np.ndarray) -> np.ndarray:
    half = np.float32(0.5)
    result: np.ndarray = half * np.tanh(half * x) + half
    return result


def _normal(uniform: np.ndarray) -> np.ndarray:
    """Normally distributed numbers [B, N] of as many uniform ones, N even (Box and Muller 1958)."""
    one, other = np.split(uniform, 2, axis=1)
    radius = np.sqrt(-2 * np.log1p(-one))
    return np.concatenate([radius * np.cos(2 * np.pi * other), radius * np.sin(2 * np.pi * other)], axis=1)
