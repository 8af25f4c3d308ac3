"""Writing with a trained network, character by character; the loop is that of `workshop/networks/generation.py`."""

if __name__ == "__main__":
    from workshop.misplaced import refuse_generate

    refuse_generate()

from typing import Any

import numpy as np
from keras import ops

from char_rnn.vocab import Vocabulary
from workshop.networks.generation import GenerationLoop
from workshop.networks.sampling import NEVER
from workshop.networks.sequence import SequenceModel


class Generator(GenerationLoop):
    """Writes any number of texts side by side.

    Args:
        model: the trained network.
        vocabulary: its characters.
        sample: 0 always the likeliest character; 1 every character is drawn; 2 drawn at the beginning of each word
            only, the likeliest within it.
    """

    def __init__(self, model: SequenceModel, vocabulary: Vocabulary, sample: int = 1):
        super().__init__(model, len(vocabulary), _CharacterRules(vocabulary, sample))


class _CharacterRules:
    """The unknown symbol is never written, and in some places only the likeliest character is; what is remembered is
    the last character.
    """

    def __init__(self, vocabulary: Vocabulary, sample: int):
        self._drawn_after = np.array([sample == 1 or (sample == 2 and one.isspace()) for one in vocabulary.symbols])
        self._allowed = np.array([NEVER] + [0.0] * (len(vocabulary) - 1), np.float32)

    def init(self, batch_size: int) -> Any:
        return ops.zeros(batch_size, dtype="int32")

    def update(self, memory: Any, ids: Any) -> Any:
        return ids

    def mask(self, logits: Any, memory: Any) -> Any:
        logits = logits + self._allowed
        drawn = ops.take(ops.convert_to_tensor(self._drawn_after), memory)[:, None]
        return ops.where(drawn | (logits == ops.max(logits, axis=-1, keepdims=True)), logits, NEVER)
