"""What a network has to beat: a simple model of the same data. For symbols it is an n-gram, which only counts what
followed the last few of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from workshop.run import ngram
from workshop.words import NGRAM

ORDERS = (1, 2, 3, 4, 5, 6)
#: A longer training sequence is counted in its last part only; the baseline would take longer than the first steps of
#: the network.
MAX_COUNTED = 5_000_000


@dataclass(frozen=True)
class Baseline:
    """Losses of simple models on the held-out data, and how often the simplest guesses are right there.

    Attributes:
        losses: nats by order, the number of symbols before it that a model knows; as text because it is kept in JSON.
        accuracies: share of the symbols, from 0 to 1, that are guessed by always the same rule, by what the rule is.
        earlier: the loss of the best order that has also counted what a fine-tuned network was trained on before; None
            where that is not known.
        kind: what the models are called.
        unit: of the losses, as it is printed after one; nothing for a distance.
    """

    losses: dict[str, float]
    accuracies: dict[str, float] = field(default_factory=dict)
    earlier: float | None = None
    kind: str = NGRAM
    unit: str = " nats"

    @property
    def order(self) -> str:
        """The best order."""
        return min(self.losses, key=self.losses.__getitem__)

    @property
    def best(self) -> float:
        """The loss of the best order, in nats per symbol."""
        return self.losses[self.order]

    def comparison(self, loss: float) -> str:
        """How a network's loss stands against the baseline, in a few words."""
        said = f"the best {self.kind} ({self.best:.3f}, order {self.order}) {_verdict(loss, self.best)}"
        if self.earlier is None:
            return said
        return f"{said}, an {self.kind} of the earlier data as well ({self.earlier:.3f}) {_verdict(loss, self.earlier)}"


def _verdict(loss: float, limit: float) -> str:
    return "is beaten" if loss < limit else "is not beaten yet"


def ngram_baseline(
    train: np.ndarray, held_out: np.ndarray, vocab_size: int, orders: Sequence[int] = ORDERS,
    earlier: np.ndarray | None = None,
) -> Baseline:  # fmt: skip
    """Count the training sequence and measure on the held-out one; both of integers below `vocab_size`, like `earlier`,
    what a fine-tuned network was trained on before.
    """
    losses = ngram.evaluate(train[-MAX_COUNTED:], held_out, vocab_size, orders)
    most_frequent = np.bincount(train).argmax()
    before = np.append(train[-1:], held_out[:-1])
    accuracies = {
        "the most frequent": float((held_out == most_frequent).mean()),
        "repeating the last": float((held_out == before).mean()),
    }
    both = None
    if earlier is not None:
        counted = np.concatenate([earlier, train])[-MAX_COUNTED:]
        both = min(ngram.evaluate(counted, held_out, vocab_size, orders).values())
    return Baseline({str(order): loss for order, loss in losses.items()}, accuracies, both)
