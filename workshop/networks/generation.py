"""Generating with a trained network: the state goes in and comes out, the past is never computed again.

The loop over the symbols is compiled, and works in pieces of a fixed length, so that it is compiled once whatever the
length of the prime and of the sample. A prime is read by the same loop: where a symbol is prescribed, it is taken
instead of the drawn one.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from keras import ops

from workshop.networks.sampling import Choice, adjust, draw, gumbel
from workshop.networks.sequence import SequenceModel

#: Symbols per call of the compiled loop.
PIECE = 512
#: Random numbers in a piece; a large vocabulary and many sequences at once make the pieces shorter.
MOST_NOISE = 1 << 24


class Rules(Protocol):
    """What a lesson knows about which symbols can follow; `memory` is whatever it has to remember of a sequence."""

    def begin(self, batch_size: int) -> Any:
        """The memory before the first symbol of B sequences: tensors whose first dimension is B."""

    def follow(self, memory: Any, ids: Any) -> Any:
        """The memory after symbols `ids` [B]."""

    def restrict(self, logits: Any, memory: Any) -> Any:
        """Logits [B, V] with `NEVER` for what cannot come next."""


class Loop:
    """A compiled loop that generates any number of sequences side by side.

    Args:
        model: the trained network.
        vocab_size: V.
        rules: what can follow what.
        choice: how the next symbol is chosen.
    """

    def __init__(self, model: SequenceModel, vocab_size: int, rules: Rules, choice: Choice):
        self.model, self.choice = model, choice
        self._vocab_size, self._rules = vocab_size, rules
        on_cpu = not tf.config.list_logical_devices("GPU")
        self._piece: Callable = tf.function(self._write_piece, jit_compile=on_cpu, autograph=False)

    def _write_piece(
        self, ids: tf.Tensor, state: Any, memory: Any, prescribed: tf.Tensor, noise: tf.Tensor
    ) -> tuple[tf.Tensor, Any, Any, tf.Tensor]:
        """Go on after symbols `ids` [B] for N steps.

        Args:
            ids: the last symbol of each sequence.
            state: the network's state before it.
            memory: what the rules remember from before it.
            prescribed: [N] symbols to take, -1 where one is to be chosen.
            noise: [N, B, V] Gumbel noise.

        Returns:
            the last symbols [B], state and memory before them, and all symbols [N, B].
        """
        prepared = self.model.prepare()

        def step(at: Any, ids: tf.Tensor, state: Any, memory: Any, written: tf.Tensor) -> tuple:
            memory = self._rules.follow(memory, ids)
            logits, state = self.model.step(prepared, ids, state)
            chosen = draw(adjust(self._rules.restrict(logits, memory), self.choice), noise[at])
            ids = ops.where(prescribed[at] >= 0, prescribed[at], chosen)
            return at + 1, ids, state, memory, ops.slice_update(written, (at, 0), ids[None])

        written = ops.zeros((prescribed.shape[0], ids.shape[0]), dtype="int32")
        _, ids, state, memory, written = ops.while_loop(
            lambda at, *_: at < prescribed.shape[0], step, (0, ids, state, memory, written)
        )
        return ids, state, memory, written

    def write(self, prime: np.ndarray, length: int, num_samples: int, seed: int) -> Iterator[np.ndarray]:
        """Generate `length` symbols after `prime`, piece by piece.

        Args:
            prime: the symbols to go on from, at least one; not part of what is given back.
            length: symbols to generate.
            num_samples: B, sequences generated side by side.
            seed: the same seed gives the same sequences.

        Yields:
            arrays [n, B] of symbols, together `length` of them.
        """
        rng = np.random.default_rng(seed)
        ids = tf.constant(np.full(num_samples, prime[0], np.int32))
        state, memory = self.model.initial_state(num_samples), self._rules.begin(num_samples)
        skip = len(prime) - 1
        total = skip + length
        steps = max(1, min(PIECE, MOST_NOISE // (num_samples * self._vocab_size)))
        prescribed = np.full(-(-total // steps) * steps, -1, np.int32)
        prescribed[:skip] = prime[1:]
        for at in range(0, total, steps):
            noise = gumbel(rng, (steps, num_samples, self._vocab_size))
            part = tf.constant(prescribed[at : at + steps])
            ids, state, memory, written = self._piece(ids, state, memory, part, tf.constant(noise))
            fresh = written.numpy()[max(0, skip - at) : total - at]
            if len(fresh):
                yield fresh
