"""With dropout, more than two workers draw other units than one process does, so they agree with it as draws do: in the
mean, and in how much they differ from each other.

All workers are in the process of the test, each with the learner, the place and the part of a batch that it has in a
process of its own; the means are taken here instead of on the way between them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from char_rnn.train import LESSON
from workshop.run.cluster import Place

pytestmark = pytest.mark.slow

SYMBOLS, STEPS, BATCH_SIZE = 6, 12, 16
NETWORK = {
    "name": "default", "rnn_size": 12, "num_layers": 1, "cell": "gru", "dropout": 0.5, "seed": 3,
    "vocab_size": SYMBOLS,
}  # fmt: skip
#: Of the random numbers for one batch; trainings, and steps of each.
DRAWS, TRAININGS, LONG = 150, 4, 200


class Team:
    """A process that trains alone, or workers that take the same steps.

    Args:
        ranks: for each worker, which one's random numbers it draws.
    """

    def __init__(self, ranks: Sequence[int] = ()):
        from workshop.run.workers import Workers

        class Apart(Workers):
            """A worker that keeps its losses and gradients to itself."""

            def mean(self, loss: Any, gradients: list[Any]) -> tuple[Any, list[Any]]:
                return loss, gradients

            def shared(self, arrays: Sequence[Any]) -> list[Any]:
                return list(arrays)

        places = [Place(("127.0.0.1:9",) * len(ranks), rank) for rank in range(len(ranks))]
        self._parts = [Workers(LESSON, place).part for place in places] or [lambda batch: batch]
        self._learners = [learner() for _ in self._parts]
        for one, rank in zip(self._learners, ranks, strict=False):
            one.join(Apart(LESSON, places[rank]))
        self._start = [np.array(variable) for variable in self._variables(self._learners[0])]

    def _variables(self, one: Any) -> list[Any]:
        return [*one.model.variables, *one.average.variables, *one.optimizer.variables]

    def begin(self, seed: int) -> None:
        """All is as it was, but for the random numbers."""
        for one in self._learners:
            for variable, value in zip(self._variables(one), self._start, strict=True):
                variable.assign(value)
            one.model.seeds.state.assign([seed, 0])
            one.begin_epoch()

    def gradients(self, batch: tuple[Any, ...]) -> tuple[float, list[np.ndarray]]:
        """Mean loss and gradients of a batch."""
        found = [one.gradients(*part(batch)) for one, part in zip(self._learners, self._parts, strict=True)]
        losses, gradients = zip(*found, strict=True)
        return float(np.mean(losses)), [np.mean(parts, axis=0) for parts in zip(*gradients, strict=True)]

    def draws(self, batch: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Losses [DRAWS] and gradients [DRAWS, weights] of a batch, each with other units dropped."""
        self.begin(seed=1)
        found = []
        for _ in range(DRAWS):
            for one in self._learners:
                one.begin_epoch()
            found.append(self.gradients(batch))
        losses, gradients = zip(*found, strict=True)
        return np.array(losses), np.array([np.concatenate([part.ravel() for part in one]) for one in gradients])

    def trained(self, seed: int) -> float:
        """The loss on held-out data after a training."""
        self.begin(seed)
        for step in range(LONG):
            _, gradients = self.gradients(window(step))
            for one in self._learners:
                one.descend(gradients)
                one.update_average()
        return float(self._learners[-1].evaluate().loss)


def window(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets [T, B]: each symbol is followed by one of the next two."""
    steps = np.random.default_rng(number).integers(1, 3, (STEPS + 1, BATCH_SIZE))
    symbols = np.cumsum(steps, axis=0, dtype=np.int32) % SYMBOLS
    return symbols[:-1], symbols[1:]


def learner() -> Any:
    from char_rnn.model import build
    from workshop.run.learner import NextSymbolLearner, cross_entropy

    model, average = (build(NETWORK, SYMBOLS) for _ in range(2))
    held_out = [(*window(10_000), np.ones((STEPS, BATCH_SIZE), np.float32))]
    return NextSymbolLearner(
        model, average, cross_entropy, learning_rate=0.01, batch_size=BATCH_SIZE, held_out=held_out
    )


@pytest.fixture
def alone(uncompiled: None) -> Team:
    return Team()


@pytest.fixture
def workers(uncompiled: None) -> Team:
    return Team(range(4))


@pytest.fixture
def batch() -> tuple[np.ndarray, ...]:
    """The same sequence again and again: a loss then differs from another by what is dropped alone."""
    inputs, targets = window(0)
    return np.repeat(inputs[:, :1], BATCH_SIZE, axis=1), np.repeat(targets[:, :1], BATCH_SIZE, axis=1)


def error(draws: np.ndarray) -> np.ndarray:
    """The standard error of the mean of draws [DRAWS, ...], squared."""
    return np.var(draws, axis=0, ddof=1) / len(draws)


def test_workers_drop_as_one_process_does(alone: Team, workers: Team, batch: tuple[np.ndarray, ...]) -> None:
    (ours, our_gradients), (theirs, their_gradients) = alone.draws(batch), workers.draws(batch)
    assert not np.allclose(ours, theirs, rtol=1e-4)
    assert abs(ours.mean() - theirs.mean()) < 3 * np.sqrt(error(ours) + error(theirs))
    # The variance of the mean over independent sequences; the quotient of two such estimates is F-distributed, and
    # lies within these with a probability of 0.999.
    assert 0.58 < theirs.var() / ours.var() < 1.72
    distances = our_gradients.mean(axis=0) - their_gradients.mean(axis=0)
    scores = distances / np.sqrt(error(our_gradients) + error(their_gradients) + 1e-20)
    # 1 on average where the means are the same, with few units that all weights depend on.
    assert np.mean(scores**2) < 2.5


def test_workers_that_drop_the_same_units_would_be_found(alone: Team, batch: tuple[np.ndarray, ...]) -> None:
    """Each of four sequences in a worker stands for four, so the losses differ four times as much."""
    assert Team([0] * 4).draws(batch)[0].var() / alone.draws(batch)[0].var() > 2.5


def test_two_workers_drop_what_one_process_drops(alone: Team) -> None:
    """Without GPUs, where one process learns from two halves of a batch at the same time."""
    two = Team(range(2))
    alone.begin(seed=1)
    two.begin(seed=1)
    for number in range(3):
        (loss, ours), (other, theirs) = alone.gradients(window(number)), two.gradients(window(number))
        assert other == pytest.approx(loss, rel=1e-6)
        for gradient, its in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(its, gradient, atol=1e-6)


def test_workers_learn_what_one_process_learns(alone: Team, workers: Team) -> None:
    ours, theirs = (np.array([team.trained(seed) for seed in range(TRAININGS)]) for team in (alone, workers))
    assert not np.allclose(ours, theirs, rtol=1e-4)
    assert abs(ours.mean() - theirs.mean()) < 4 * np.sqrt(error(ours) + error(theirs))
    chance, known = np.log(SYMBOLS), np.log(2)
    assert max(*ours, *theirs) < (chance + known) / 2
