"""Writing with a trained network: the state goes in and comes out, the past is never computed again.

The loop over the characters is compiled, and works in pieces of a fixed length, so that it is compiled once whatever
the length of the prime and of the sample. A prime is read by the same loop: where a character is prescribed, it is
taken instead of the drawn one.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from char_rnn.model import CharRNN
from char_rnn.vocab import Vocabulary
from workshop.sampling import NEVER, Choice, adjust, draw, gumbel

#: Characters per call of the compiled loop.
PIECE = 512
#: Random numbers in a piece; a large vocabulary and many texts at once make the pieces shorter.
MOST_NOISE = 1 << 24


class Generator:
    """A compiled loop that writes `num_samples` texts at once.

    Args:
        model: the trained network.
        vocabulary: its characters.
        choice: how the next character is chosen.
        sample: 0 always the likeliest character; 1 every character is drawn; 2 drawn at the beginning of each word
            only, the likeliest within it.
    """

    def __init__(self, model: CharRNN, vocabulary: Vocabulary, choice: Choice, sample: int = 1):
        self.model, self.vocabulary, self.choice = model, vocabulary, choice
        starts_word = [symbol.isspace() for symbol in vocabulary.symbols]
        self._drawn_after = np.array(
            {0: [False], 1: [True], 2: starts_word}[sample] * (1 if sample == 2 else len(vocabulary)), np.float32
        )
        # The unknown symbol is never written.
        self._allowed = np.array([NEVER] + [0.0] * (len(vocabulary) - 1), np.float32)
        on_cpu = not tf.config.list_logical_devices("GPU")
        self._piece: Callable = tf.function(self._write_piece, jit_compile=on_cpu, autograph=False)

    def _write_piece(
        self, ids: tf.Tensor, state: Any, prescribed: tf.Tensor, noise: tf.Tensor
    ) -> tuple[tf.Tensor, Any, tf.Tensor]:
        """Go on after characters `ids` [B] for N steps.

        Args:
            ids: the last character of each text.
            state: the network's state before it.
            prescribed: [N] characters to take, -1 where one is to be chosen.
            noise: [N, B, V] Gumbel noise.

        Returns:
            the last characters [B], the state before them, and all characters [N, B].
        """
        prepared = self.model.prepare()
        drawn_after = ops.convert_to_tensor(self._drawn_after)

        def step(at: Any, ids: tf.Tensor, state: Any, written: tf.Tensor) -> tuple:
            logits, state = self.model.step(prepared, ids, state)
            scores = adjust(logits + self._allowed, self.choice)
            chosen = draw(scores, noise[at] * ops.take(drawn_after, ids)[:, None])
            ids = ops.where(prescribed[at] >= 0, prescribed[at], chosen)
            return at + 1, ids, state, ops.slice_update(written, (at, 0), ids[None])

        written = ops.zeros((prescribed.shape[0], ids.shape[0]), dtype="int32")
        _, ids, state, written = ops.while_loop(lambda at, *_: at < prescribed.shape[0], step, (0, ids, state, written))
        return ids, state, written

    def write(self, prime: np.ndarray, length: int, num_samples: int, seed: int) -> Iterator[np.ndarray]:
        """Write `length` characters after `prime`, piece by piece.

        Args:
            prime: the characters to go on from, at least one; not part of what is given back.
            length: characters to write.
            num_samples: B, texts written side by side.
            seed: the same seed gives the same texts.

        Yields:
            arrays [n, B] of characters, together `length` of them.
        """
        rng = np.random.default_rng(seed)
        ids = tf.constant(np.full(num_samples, prime[0], np.int32))
        state = self.model.initial_state(num_samples)
        skip = len(prime) - 1
        total = skip + length
        steps = max(1, min(PIECE, MOST_NOISE // (num_samples * len(self.vocabulary))))
        prescribed = np.full(-(-total // steps) * steps, -1, np.int32)
        prescribed[:skip] = prime[1:]
        for at in range(0, total, steps):
            noise = gumbel(rng, (steps, num_samples, len(self.vocabulary)))
            ids, state, written = self._piece(ids, state, tf.constant(prescribed[at : at + steps]), tf.constant(noise))
            fresh = written.numpy()[max(0, skip - at) : total - at]
            if len(fresh):
                yield fresh
