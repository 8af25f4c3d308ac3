"""The n-gram baseline: against an implementation with dictionaries, and against known figures."""

from collections import defaultdict
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop import ROOT
from workshop.run import ngram

SHAKESPEARE = ROOT.parent / "shared" / "data" / "tinyshakespeare" / "input.txt"


def witten_bell(train: list[int], held_out: list[int], num_symbols: int, order: int) -> list[float]:
    """The probability of each held-out symbol, straight from the formula."""
    counts: defaultdict[tuple[int, ...], defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for length in range(order):
        for end in range(length, len(train)):
            counts[tuple(train[end - length : end])][train[end]] += 1

    def probability(symbol: int, context: tuple[int, ...]) -> float:
        lower = probability(symbol, context[1:]) if context else 1 / num_symbols
        seen = counts.get(context)
        if not seen:
            return lower
        return (seen.get(symbol, 0) + len(seen) * lower) / (sum(seen.values()) + len(seen))

    everything = train + held_out
    places = range(len(train), len(everything))
    return [probability(everything[i], tuple(everything[max(0, i - order + 1) : i])) for i in places]


def sequences(num_symbols: int, min_size: int = 0, max_size: int = 60) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, num_symbols - 1), min_size=min_size, max_size=max_size)


@given(data=st.data(), num_symbols=st.integers(1, 5), dtype=st.sampled_from([np.uint8, np.int64, np.uint64]))
def test_agrees_with_dictionaries(data: st.DataObject, num_symbols: int, dtype: type[np.integer]) -> None:
    train = data.draw(sequences(num_symbols), label="train")
    held_out = data.draw(sequences(num_symbols, min_size=1, max_size=20), label="held_out")
    train_array, held_out_array = np.array(train, dtype=dtype), np.array(held_out, dtype=dtype)
    models = islice(ngram.probabilities(train_array, held_out_array, num_symbols), 6)
    losses = ngram.evaluate(train_array, held_out_array, num_symbols, range(1, 7))
    for order, p in enumerate(models, start=1):
        expected = witten_bell(train, held_out, num_symbols, order)
        np.testing.assert_allclose(p, expected, rtol=1e-12)
        assert losses[order] == pytest.approx(-np.mean(np.log(expected)), abs=1e-12)


@given(train=sequences(5), held_out=sequences(5, max_size=10))
def test_probabilities_sum_to_one(train: list[int], held_out: list[int]) -> None:
    totals = np.zeros(6)
    for symbol in range(5):
        models = ngram.probabilities(np.array(train, dtype=int), np.array([*held_out, symbol]), 5)
        totals += [p[-1] for p in islice(models, 6)]
    np.testing.assert_allclose(totals, 1, rtol=1e-12)


@given(codes=st.lists(st.integers(0, 30), min_size=1))
def test_ranking_by_table_equals_ranking_by_sorting(codes: list[int]) -> None:
    by_table = ngram._rank(np.array(codes), 0)
    by_sorting = ngram._rank(np.array(codes), 1 << 40)
    for a, b in zip(by_table, by_sorting, strict=True):
        np.testing.assert_array_equal(a, b)


def test_large_alphabets_stay_exact() -> None:
    rng = np.random.default_rng(0)
    symbols = rng.choice(rng.integers(0, 1 << 40, size=6), size=400)
    few = np.unique(symbols, return_inverse=True)[1]
    large = ngram.probabilities(symbols[:300], symbols[300:], 1 << 40)
    expected = witten_bell(few[:300].tolist(), few[300:].tolist(), 1 << 40, 6)
    np.testing.assert_allclose(next(islice(large, 5, None)), expected, rtol=1e-12)


def test_only_the_orders_asked_for() -> None:
    symbols = np.arange(50) % 7
    losses = ngram.evaluate(symbols, symbols, 7, [3, 1])
    assert list(losses) == [1, 3]
    assert ngram.evaluate(symbols, symbols, 7, []) == {}


@pytest.mark.parametrize(
    ("train", "held_out", "orders", "message"),
    [
        ([0, 1], [], [1], "held-out sequence is empty"),
        ([0, 2], [0], [1], "train holds symbols from 0 to 2, outside 0 to 1"),
        ([0, 1], [-1], [1], "held_out holds symbols from -1 to -1"),
        ([0, 1], [0], [2, 0], "orders start at 1"),
    ],
)
def test_unusable_arguments(train: list[int], held_out: list[int], orders: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ngram.evaluate(np.array(train, dtype=int), np.array(held_out, dtype=int), 2, orders)


def test_symbols_are_integers() -> None:
    with pytest.raises(ValueError, match="train holds float64 values"):
        ngram.evaluate(np.array([0.0]), np.array([0]), 2, [1])


@pytest.mark.skipif(not SHAKESPEARE.exists(), reason=f"tinyshakespeare is not at {SHAKESPEARE}")
def test_tinyshakespeare() -> None:
    text = np.frombuffer(SHAKESPEARE.read_bytes(), dtype=np.uint8)
    vocabulary, symbols = np.unique(text, return_inverse=True)
    assert (len(vocabulary), len(symbols)) == (65, 1_115_394)
    losses = ngram.evaluate(symbols[:1_003_854], symbols[1_003_854:], 65, [1, 2, 3, 5, 6])
    assert {order: round(loss, 3) for order, loss in losses.items()} == {
        1: 3.347,
        2: 2.486,
        3: 2.049,
        5: 1.669,
        6: 1.698,
    }
