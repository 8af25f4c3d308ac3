"""How likely each symbol was at each place of a sequence: what a network expected there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workshop.errors import UserError
from workshop.heatmap import heatmap
from workshop.networks.sequence import SequenceModel

#: Steps of a window; the state is carried from one to the next.
WINDOW = 256


@dataclass(frozen=True)
class Likelihoods:
    """What a network expected at each place of a sequence.

    Attributes:
        symbols: [T] the symbols that stand there.
        probabilities: float32 [T, V] of each symbol at each place, given all before it; each row sums to 1.
        names: what each of the V symbols is called.
    """

    symbols: np.ndarray
    probabilities: np.ndarray
    names: Sequence[str]

    def picture(self, start: int = 0, length: int = 100) -> np.ndarray:
        """A picture of so many places from `start` on, uint8 [H, W, 3].

        Raises:
            UserError: there are no such places.
        """
        shown = slice(start, start + length)
        if not 0 <= start < len(self.symbols) or length < 1:
            raise UserError(f"there is no place {start} to look at: the sequence has {len(self.symbols)}")
        return heatmap(self.probabilities[shown], self.symbols[shown], start, "place", self.names)

    def likeliest(self, most: int) -> np.ndarray:
        """[T, most] the symbols that were likeliest at each place, the likeliest first."""
        return np.argsort(-self.probabilities, axis=1, kind="stable")[:, :most]


def likelihoods(
    model: SequenceModel, before: np.ndarray, symbols: np.ndarray, names: Sequence[str]
) -> Likelihoods:  # fmt: skip
    """How likely each symbol was at each place: the network's own distribution, before temperature and rules.

    Args:
        model: the network.
        before: the symbols that it has read before the first place, at least one.
        symbols: [T].
        names: what each symbol is called.
    """
    from keras import ops

    whole = np.concatenate([before, symbols]).astype(np.int32)[:, None]
    state, found = model.initial_state(1), []
    for at in range(0, len(whole) - 1, WINDOW):
        ids = whole[at : min(at + WINDOW, len(whole) - 1)]
        logits, state = model(ops.convert_to_tensor(ids), state)
        found.append(ops.convert_to_numpy(ops.softmax(logits[:, 0])))
    probabilities = np.concatenate(found)[len(before) - 1 :] if found else np.empty((0, len(names)), np.float32)
    return Likelihoods(np.asarray(symbols, int), probabilities, names)
