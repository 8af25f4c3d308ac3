"""Generating with a trained network: the state goes in and comes out, and nothing is computed twice.

The loop over the symbols is compiled and runs in pieces of a fixed length, so that it is compiled once, whatever the
prompt, the length and the sampling. A prompt is read by the same loop: where a symbol is prescribed, it is taken
instead of the drawn one.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from keras import ops

from workshop.networks.sampling import SamplingConfig, draw, warp_logits
from workshop.networks.sequence import SequenceModel

#: Symbols per call of the compiled loop.
PIECE = 512

Tensor = Any


class LogitsProcessor(Protocol):
    """A lesson's rules about which symbols can follow; `memory` is what it has to remember of a sequence."""

    def init(self, batch_size: int) -> Any:
        """The memory before the first symbol of B sequences: tensors whose first dimension is B."""

    def update(self, memory: Any, ids: Tensor) -> Any:
        """The memory after symbols `ids` [B]."""

    def mask(self, logits: Tensor, memory: Any) -> Tensor:
        """Logits [B, V] with `NEVER` for symbols that must not come next."""


class AllSymbols:
    """The rule that any symbol can follow any other."""

    def init(self, batch_size: int) -> Any:
        """Nothing has to be remembered."""
        return ()

    def update(self, memory: Any, ids: Tensor) -> Any:
        """Nothing has to be remembered."""
        return memory

    def mask(self, logits: Tensor, memory: Any) -> Tensor:
        """The logits as they are."""
        return logits


class GenerationLoop:
    """A compiled loop that generates any number of sequences side by side.

    Args:
        model: the trained network.
        vocab_size: V.
        processor: which symbols can follow.
    """

    def __init__(self, model: SequenceModel, vocab_size: int, processor: LogitsProcessor):
        self.model = model
        self._vocab_size, self._processor = vocab_size, processor
        on_cpu = not tf.config.list_logical_devices("GPU")
        self._piece: Callable = tf.function(self._generate_piece, jit_compile=on_cpu, autograph=False)

    def step(
        self, prepared: Any, state: Any, ids: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, uniform: Tensor
    ) -> tuple[Any, Tensor]:
        """Draw the symbols that follow.

        Args:
            prepared: the weights, from `model.prepare`.
            state: of the network and of the processor, before symbols `ids`.
            ids: [B] the last symbols.
            temperature: see `warp_logits`, as are the next two.
            top_k: likewise.
            top_p: likewise.
            uniform: [B] random numbers, 0 <= uniform < 1.

        Returns:
            the state after `ids`, and the symbols [B] drawn.
        """
        network, memory = state
        memory = self._processor.update(memory, ids)
        logits, network = self.model.step(prepared, ids, network)
        logits = warp_logits(self._processor.mask(logits, memory), temperature, top_k, top_p)
        return (network, memory), draw(logits, uniform)

    def _generate_piece(
        self, ids: Tensor, state: Any, prescribed: Tensor, uniform: Tensor, knobs: tuple[Tensor, Tensor, Tensor],
        labels: Tensor | None,
    ) -> tuple[Tensor, Any, Tensor]:  # fmt: skip
        """N steps after symbols `ids` [B].

        Args:
            ids: the last symbol of each sequence.
            state: of the network and of the processor, before it.
            prescribed: [N, B] symbols to take, or [N] for all sequences; -1 where one is to be drawn.
            uniform: [N, B] random numbers.
            knobs: temperature, top-k and top-p.
            labels: [B] conditions.

        Returns:
            the last symbols [B], the state before them, and all symbols [N, B].
        """
        prepared = self.model.prepare(labels)

        def body(at: Any, ids: Tensor, state: Any, generated: Tensor) -> tuple:
            state, drawn = self.step(prepared, state, ids, *knobs, uniform=uniform[at])
            ids = ops.where(prescribed[at] >= 0, prescribed[at], drawn)
            return at + 1, ids, state, ops.slice_update(generated, (at, 0), ids[None])

        generated = ops.zeros((prescribed.shape[0], ids.shape[0]), dtype="int32")
        _, ids, state, generated = ops.while_loop(
            lambda at, *_: at < prescribed.shape[0], body, (0, ids, state, generated)
        )
        return ids, state, generated

    def generate(
        self, prompt: np.ndarray, length: int, num_samples: int, seed: int, config: SamplingConfig,
        labels: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:  # fmt: skip
        """Generate `length` symbols after `prompt`, piece by piece.

        Args:
            prompt: the symbols to go on from, at least one: [T] for all sequences, or [T, B]; not part of the result.
            length: symbols to generate.
            num_samples: B, sequences generated side by side.
            seed: the same seed gives the same sequences.
            config: how the next symbol is chosen.
            labels: [B] conditions of the sequences, of a network with conditions.

        Yields:
            arrays [n, B] of symbols, together `length` of them.
        """
        rng = np.random.default_rng(seed)
        ids = tf.constant(np.broadcast_to(prompt[0], num_samples).astype(np.int32))
        conditions = None if labels is None else tf.constant(labels, tf.int32)
        state = self.model.initial_state(num_samples), self._processor.init(num_samples)
        knobs = tuple(map(tf.constant, config.knobs(self._vocab_size)))
        skip = len(prompt) - 1
        total = skip + length
        for at in range(0, total, PIECE):
            heard = prompt[1 + at : 1 + at + PIECE]
            prescribed = np.full((PIECE, *prompt.shape[1:]), -1, np.int32)
            prescribed[: len(heard)] = heard
            uniform = tf.constant(rng.random((PIECE, num_samples)).astype(np.float32))
            ids, state, generated = self._piece(ids, state, tf.constant(prescribed), uniform, knobs, conditions)
            fresh = generated.numpy()[max(0, skip - at) : total - at]
            if len(fresh):
                yield fresh
