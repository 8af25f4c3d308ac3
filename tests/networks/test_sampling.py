"""Drawing from a predicted distribution: what the numbers mean, and that draws follow them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.networks import compiled_draw
from workshop.networks.sampling import NEVER, SamplingConfig, draw, warp_logits

LOGITS = st.integers(2, 12).flatmap(
    # Apart from one another by far more than a rounding error of float32.
    lambda size: st.lists(st.integers(-40, 40), min_size=size, max_size=size, unique=True)
).map(lambda values: np.array([values], np.float32) / 8)  # fmt: skip


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def adjusted(logits: np.ndarray, **choice: float) -> np.ndarray:
    config = SamplingConfig(**choice)  # type: ignore[arg-type]
    return np.asarray(warp_logits(logits, *config.knobs(logits.shape[-1])))


def counts(logits: np.ndarray, draws: int, **choice: float) -> np.ndarray:
    """How often each symbol is drawn in a batch of `draws`."""
    scores = adjusted(np.repeat(logits, draws, axis=0), **choice)
    symbols = np.asarray(draw(scores, np.random.default_rng(3).random(draws).astype(np.float32)))
    assert symbols.shape == (draws,)
    assert symbols.dtype == np.int32
    return np.bincount(symbols, minlength=logits.shape[1])


def assert_follows(seen: np.ndarray, probabilities: np.ndarray) -> None:
    """Pearson's statistic stays below a value that chance passes once in some ten thousand times."""
    draws, possible = seen.sum(), probabilities > 0
    assert seen[~possible].sum() == 0
    expected = draws * probabilities[possible]
    statistic = ((seen[possible] - expected) ** 2 / expected).sum()
    freedom = possible.sum() - 1
    assert statistic < freedom + 4 * np.sqrt(2 * freedom) + 8


LIKELY = np.log(np.array([[0.4, 0.3, 0.15, 0.1, 0.05]], np.float32))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_at_any_temperature(temperature: float) -> None:
    assert_follows(counts(LIKELY, 20_000, temperature=temperature), softmax(LIKELY / temperature)[0])


def test_the_statistic_can_fail() -> None:
    with pytest.raises(AssertionError):
        assert_follows(counts(LIKELY, 20_000, temperature=0.9), softmax(LIKELY)[0])


def test_draws_follow_what_top_k_and_top_p_leave() -> None:
    two = np.array([4 / 7, 3 / 7, 0, 0, 0])
    assert_follows(counts(LIKELY, 20_000, top_k=2), two)
    assert_follows(counts(LIKELY, 20_000, top_p=0.69), two)


def test_a_low_temperature_always_takes_the_likeliest_and_a_high_one_takes_all_alike() -> None:
    assert counts(LIKELY, 2000, temperature=1e-3).tolist() == [2000, 0, 0, 0, 0]
    assert_follows(counts(LIKELY, 20_000, temperature=1e6), np.full(5, 0.2))


@given(logits=LOGITS, k=st.integers(1, 14))
@settings(max_examples=40, deadline=None)
def test_top_k_keeps_exactly_the_k_likeliest(logits: np.ndarray, k: int) -> None:
    scores = adjusted(logits, top_k=k)
    likeliest = set(np.argsort(-logits[0])[:k].tolist())
    assert set(np.flatnonzero(scores[0] != NEVER).tolist()) == likeliest
    assert (scores[scores != NEVER] == logits[scores != NEVER]).all()


@given(logits=LOGITS, share=st.integers(1, 99))
@settings(max_examples=60, deadline=None)
def test_top_p_keeps_the_smallest_set_that_reaches_the_share(logits: np.ndarray, share: int) -> None:
    top_p = share / 100
    order = np.argsort(-logits[0])
    reached = np.cumsum(softmax(logits)[0][order])
    if np.abs(reached - top_p).min() < 1e-5:
        return  # decided by rounding
    smallest = int(np.searchsorted(reached, top_p)) + 1
    scores = adjusted(logits, top_p=top_p)
    assert set(np.flatnonzero(scores[0] != NEVER).tolist()) == set(order[:smallest].tolist())
    assert scores[0, order[0]] == logits[0, order[0]]


def test_top_p_counts_with_the_temperature_and_among_the_top_k() -> None:
    """The order is temperature, top-k, top-p, in every lesson."""
    # At temperature 0.5 the probabilities are 16 : 9 : 2.25 : 1 : 0.25, so that two reach 0.85.
    assert (adjusted(LIKELY, temperature=0.5, top_p=0.85)[0] != NEVER).tolist() == [True, True, False, False, False]
    assert (adjusted(LIKELY, top_p=0.84)[0] != NEVER).tolist() == [True, True, True, False, False]
    # Among the two likeliest, the first alone has 4/7.
    assert (adjusted(LIKELY, top_k=2, top_p=0.55)[0] != NEVER).tolist() == [True, False, False, False, False]


def test_each_row_of_a_batch_is_chosen_from_by_itself() -> None:
    batch = np.concatenate([LIKELY, LIKELY[:, ::-1]])
    for choice in ({"top_k": 2}, {"top_p": 0.5}):
        kept = adjusted(batch, **choice) != NEVER
        assert kept[0].tolist() == kept[1, ::-1].tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("choice", [{}, {"top_k": 5}, {"top_k": 99}, {"top_p": 1.0}])
def test_nothing_is_left_out_that_was_not_asked_to_be(choice: dict[str, float]) -> None:
    assert (adjusted(LIKELY, **choice) == LIKELY).all()


@pytest.mark.parametrize("choice", [{}, {"temperature": 1000.0}, {"top_k": 3}, {"top_p": 0.999}])
def test_what_is_never_is_never_drawn(choice: dict[str, float]) -> None:
    logits = np.array([[NEVER, 0.0, -1.0, NEVER, -50.0]], np.float32)
    seen = counts(logits, 5000, **choice)
    assert seen[[0, 3]].tolist() == [0, 0]
    assert seen.sum() == 5000


def test_a_network_that_is_sure_gives_the_sequence_it_is_sure_of() -> None:
    melody = [3, 1, 4, 1, 5, 2]
    rng = np.random.default_rng(0)
    certain = np.where(np.eye(6)[melody], 0, NEVER).astype(np.float32)
    for choice in ({}, {"temperature": 2.0, "top_k": 3, "top_p": 0.5}):
        drawn = np.asarray(draw(adjusted(certain, **choice), rng.random(6).astype(np.float32)))
        assert drawn.tolist() == melody


def test_a_draw_is_the_inverse_of_the_cumulative_distribution() -> None:
    """The sums of the probabilities are 0.4, 0.7, 0.85, 0.95 and 1."""
    uniform = np.array([0.0, 0.399, 0.401, 0.699, 0.701, 0.849, 0.851, 0.949, 0.951, 1 - 2**-24], np.float32)
    drawn = np.asarray(draw(np.repeat(LIKELY, len(uniform), axis=0), uniform))
    assert drawn.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    # 1 itself, which a number of float64 may round to, draws what is there.
    assert np.asarray(draw(np.array([[NEVER, 0.0, NEVER]], np.float32), np.ones(1, np.float32))).tolist() == [1]


@pytest.mark.parametrize("temperature", [1e-300, 1e-9, 1e9, 1e300])
def test_no_temperature_is_too_extreme(temperature: float) -> None:
    logits = np.array([[NEVER, 3.0, 2.0, -60.0]], np.float32)
    seen = counts(logits, 900, temperature=temperature)
    if temperature < 1:
        assert seen.tolist() == [0, 900, 0, 0]
    else:
        assert_follows(seen, np.array([0, 1 / 3, 1 / 3, 1 / 3]))


@given(
    logits=LOGITS,
    uniform=st.integers(0, 9999).map(lambda number: number / 10_000),
    temperature=st.sampled_from([0.5, 1.0, 1.7]),
    top_k=st.none() | st.integers(1, 14),
    top_p=st.none() | st.integers(1, 100).map(lambda share: share / 100),
)
@settings(max_examples=200, deadline=None)
def test_the_compiled_draw_is_the_draw_for_tensors(
    logits: np.ndarray, uniform: float, temperature: float, top_k: int | None, top_p: float | None
) -> None:
    knobs = SamplingConfig(temperature, top_k, top_p).knobs(logits.shape[1])
    warped = np.asarray(warp_logits(logits, *knobs))
    if np.abs(np.cumsum(softmax(warped)) - uniform).min() < 1e-5:
        return  # decided by rounding, as is the next
    if top_p and np.abs(np.cumsum(-np.sort(-softmax(adjusted(logits, temperature=temperature)))) - top_p).min() < 1e-5:
        return
    tensors = np.asarray(draw(warped, np.array([uniform], np.float32)))
    assert tensors.tolist() == [compiled_draw.draw(logits[0], uniform, *knobs)]
