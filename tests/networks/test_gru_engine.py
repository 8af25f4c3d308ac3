"""The kernel of GRUs says what training says, step by step, alone and among others, on one core and on two."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from workshop.networks import engine, gru_kernel, second_core
from workshop.networks.gru_engine import GruEngine, unfit
from workshop.networks.products import rounded
from workshop.networks.sampling import SamplingConfig, draw, warp_logits
from workshop.networks.second_core import DONE, IN_TIME, JOB, WAIT
from workshop.networks.sequence import SequenceModel, WindowDropout

V = 11


def gru(units: int, name: str, **more: object) -> layers.Layer:
    return layers.GRU(units, return_sequences=True, return_state=True, name=name, **more)


def network(units: int, depth: int, vocab_size: int = V, dropout: bool = False, conditions: int = 0) -> SequenceModel:
    """A network with weights large enough that the past matters."""
    stack = [gru(units, f"gru_{k}") for k in range(depth)]
    more = [WindowDropout(0.5)] if dropout else []
    model = SequenceModel([layers.Embedding(vocab_size, 4), *stack, *more, layers.Dense(vocab_size)])
    model.add_conditions(conditions)
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable) + rng.normal(0, 0.3, variable.shape))
    return model


def labels(streams: int) -> np.ndarray:
    """Conditions [B]: of three, each in turn."""
    return np.arange(2, 2 + streams) % 3


def in_training(model: SequenceModel, symbols: np.ndarray) -> np.ndarray:
    """Logits [T, B, V] after each of symbols [T, B], as training computes them."""
    ids, streams = ops.convert_to_tensor(symbols.astype(np.int32)), symbols.shape[1]
    inputs = (ids, ops.convert_to_tensor(labels(streams))) if model.conditions else ids
    return np.asarray(model(inputs, model.initial_state(streams))[0])


def in_generating(model: SequenceModel, symbols: np.ndarray, half: bool) -> np.ndarray:
    """The same by the engine, a step at a time."""
    made = GruEngine(model, labels(symbols.shape[1]), half)
    state, found = made.start(symbols[0]), []
    for row in [*symbols[1:], np.zeros_like(symbols[0])]:
        made.advance(state, row[None], np.zeros((1, len(row))), SamplingConfig())
        found.append(np.concatenate([work.logits for _, work in state])[:, : model.shapes[-1][0]])
    return np.array(found)


def drawn(made: GruEngine, prompt: np.ndarray, length: int, config: SamplingConfig) -> np.ndarray:
    return np.concatenate(list(engine.generate(made, prompt, length, 5, config)))


@settings(max_examples=12, deadline=None)
@given(
    units=st.integers(1, 20), depth=st.integers(1, 3), vocab_size=st.integers(2, 40), streams=st.sampled_from([1, 4]),
    seed=st.integers(0, 99), conditions=st.sampled_from([0, 3]), length=st.integers(1, 6), half=st.booleans(),
)  # fmt: skip
def test_its_logits_are_those_of_training(
    units: int, depth: int, vocab_size: int, streams: int, seed: int, conditions: int, length: int, half: bool
) -> None:
    """Without a prompt, which is one symbol, and after a longer one; to float precision, and where weights are of half
    precision, which the engine keeps in half the bytes, as well.
    """
    model = network(units, depth, vocab_size, seed % 2 == 1, conditions)
    for variable in model.trainable_variables if half else []:
        variable.assign(rounded(np.asarray(variable)))
    symbols = np.random.default_rng(seed).integers(0, vocab_size, (length, streams))
    assert np.abs(in_generating(model, symbols, half) - in_training(model, symbols)).max() < 1e-4


@pytest.mark.parametrize("config", [SamplingConfig(), SamplingConfig(0.7, 6, 0.9)])
@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize("streams", [1, 4])
def test_each_symbol_is_drawn_from_what_training_says(streams: int, conditions: int, config: SamplingConfig) -> None:
    """After a prompt, and with the knobs that sampling.py defines."""
    model = network(7, 2, conditions=conditions)
    prompt = np.random.default_rng(2).integers(0, V, (5, streams))
    made = drawn(GruEngine(model, labels(streams)), prompt, 30, config)
    logits = in_training(model, np.concatenate([prompt, made]))[4:-1]
    uniform = np.random.default_rng(5).random((30, streams)).astype(np.float32)
    for row, chances, taken in zip(logits, uniform, made, strict=True):
        assert (np.asarray(draw(warp_logits(ops.convert_to_tensor(row), *config.knobs(V)), chances)) == taken).all()


@pytest.mark.parametrize("streams", [1, 3, 6])
def test_the_number_of_cores_makes_no_difference(streams: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in the last bit; and what is made does not depend on the pieces that it is made in."""
    model, found = network(9, 3, conditions=3), []
    prompt = np.random.default_rng(3).integers(0, V, (4, streams))
    for cores, piece in ((1, 800), (2, 800), (4, 7)):
        monkeypatch.setattr(engine, "usable_cores", lambda cores=cores: cores)
        monkeypatch.setattr(engine, "PIECE", piece)
        made = GruEngine(model, labels(streams))
        found.append(drawn(made, prompt, 300, SamplingConfig(1.1)).tobytes())
    assert found[0] == found[1] == found[2]


def test_the_second_core_does_half_of_the_work() -> None:
    """What it is given is what is taken: seen by having it do something else."""
    model = network(6, 2)
    made = GruEngine(model, np.zeros(1, int))
    ((state, work),) = made.start(np.zeros(1, int))
    work.signals[[JOB, DONE, IN_TIME, WAIT]] = 0, 1 << 40, 1, 0  # done before it is asked for
    work.helped[:] = np.nan
    values = np.empty((4, 1), np.int64)
    gru_kernel.advance(
        made._weights[0], state, work, np.full((4, 1), 3), np.zeros((4, 1)), *SamplingConfig().knobs(V), values
    )
    assert np.isnan(work.logits).all()


def test_a_second_core_that_is_taken_away_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    model, found = network(6, 2), []
    for done in (-1, 0):  # never there, or last seen when it had nothing to do
        made = GruEngine(model, np.zeros(1, int))
        ((state, work),) = made.start(np.zeros(1, int))
        work.signals[DONE] = done
        work.helped[:] = np.nan
        values, chances = np.empty((50, 1), np.int64), np.random.default_rng(4).random((50, 1))
        knobs = SamplingConfig().knobs(V)
        gru_kernel.advance(made._weights[0], state, work, np.full((50, 1), -1), chances, *knobs, values)
        found.append((values.tolist(), work.logits.tolist()))
    assert found[0] == found[1]


def test_signals_of_two_cores() -> None:
    """Jobs are of the kind that is asked for, and done in their order; who comes back begins with the newest."""
    signals = second_core.new_signals()
    assert second_core.give(signals, 0, 3) == second_core.AWAY  # nobody is there
    assert second_core.next_job(signals) == 0
    second_core.report(signals, 0)
    given_now = [second_core.give(signals, kind, 3) for kind in (1, 2, 0)]
    assert [job % 3 for job in given_now] == [1, 2, 0]
    for job in given_now:
        assert second_core.next_job(signals) == job
        second_core.report(signals, job)
        assert second_core.is_done(signals, job)
    late = second_core.give(signals, 1, 3)
    assert not second_core.is_done(signals, late)
    assert second_core.give(signals, 2, 3) == second_core.AWAY
    second_core.report(signals, late)  # after all
    signals[WAIT] = 0
    assert second_core.give(signals, 0, 3) == late + 2
    assert second_core.next_job(signals) == late + 2  # and not the one between, which was never given
    second_core.end(signals)
    assert second_core.next_job(signals) == second_core.AWAY
    second_core.begin(signals)
    assert second_core.next_job(signals) == 0


def test_what_it_cannot_run_is_said() -> None:
    embedding, dense = layers.Embedding(V, 4), layers.Dense(V, name="out")
    for sequence, words in (
        ([embedding, gru(4, "one"), dense], ""),
        ([embedding, gru(4, "one"), layers.Dropout(0.5), gru(4, "two"), dense], ""),
        ([embedding, layers.LSTM(4, return_sequences=True, return_state=True, name="one"), dense], "one is a LSTM"),
        ([embedding, gru(4, "one"), layers.LayerNormalization(name="norm"), dense], "norm is a LayerNormalization"),
        ([embedding, gru(4, "one", reset_after=False), dense], "one has reset_after=False"),
        ([embedding, gru(4, "one"), gru(5, "two"), dense], "two has 5 units and one has 4"),
        ([embedding, layers.Dropout(0.1, name="drop"), gru(4, "one"), dense], "drop stands between"),
        ([embedding, gru(4, "one"), layers.Dense(V, "relu", name="out")], "out is no Dense layer"),
        ([embedding, dense], "it has no GRU"),
    ):
        model = SequenceModel([keras.layers.deserialize(keras.layers.serialize(layer)) for layer in sequence])
        assert unfit(model).startswith(words)
        assert bool(unfit(model)) == bool(words)
