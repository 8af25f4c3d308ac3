"""A list of Keras layers as a network: which layers run how, one step at a time, what is refused, and its table."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from char_rnn import model as char_model
from midi_rnn import model as midi_model
from workshop.errors import UserError
from workshop.networks.layer_table import MAX_LINES, layer_table
from workshop.networks.sequence import SequenceModel, WindowDropout, build

T, B, V, H = 7, 3, 11, 5
DESCRIPTION = {"vocab_size": V, "rnn_size": H, "num_layers": 2, "cell": "gru", "dropout": 0.0, "seed": 4}
LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}


class KerasOwn(layers.Wrapper):
    """A layer that is not known to be pointwise: it only passes on to Dense."""

    def call(self, x: Any) -> Any:
        assert x.shape[0] in {B, None}, "sequences come first for a layer that is not known"
        return self.layer(x)


def recurrent(kind: Callable, **arguments: Any) -> keras.layers.Layer:
    return kind(H, return_sequences=True, return_state=True, **arguments)


def symbols() -> np.ndarray:
    return np.random.default_rng(0).integers(0, V, (T, B)).astype(np.int32)


def own(*between: keras.layers.Layer) -> SequenceModel:
    return SequenceModel([layers.Embedding(V, 4), *between, layers.Dense(V)])


def both_ways(model: SequenceModel) -> None:
    """Step by step is what a whole window is, in logits and state."""
    labels = np.array([2, 0, 2]) if model.conditions else None
    ids, state, prepared = symbols(), model.initial_state(B), model.prepare(labels)
    logits, last = model((ids, labels) if model.conditions else ids, state)
    assert logits.shape == (T, B, V)
    for t in range(T):
        step, state = model.step(prepared, tf.constant(ids[t]), state)
        np.testing.assert_allclose(step, logits[t], rtol=1e-5, atol=1e-6)
    for one, other in zip(keras.tree.flatten(state), keras.tree.flatten(last), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    second, _ = model((ids, labels) if model.conditions else ids, last)
    assert np.abs(np.asarray(second) - np.asarray(logits)).max() > 1e-4, "the state makes no difference"


@pytest.mark.parametrize("cell", LAYERS)
def test_keras_own_path_is_the_engine_to_float_precision(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a state is carried on from the window before, which the first step's gradient goes through."""
    model = char_model.build({**DESCRIPTION, "cell": cell}, V)
    rng = np.random.default_rng(1)
    ids, target = symbols(), rng.normal(size=(T, B, V)).astype(np.float32)
    carried = keras.tree.map_structure(
        lambda zeros: tf.constant(rng.normal(size=zeros.shape), tf.float32), model.initial_state(B)
    )

    def run() -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            logits, state = model(ids, carried)
            loss = tf.reduce_sum(logits * target)
        found = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        return [np.asarray(tf.convert_to_tensor(each)) for each in (logits, *keras.tree.flatten(state), *found)]

    fast = run()
    monkeypatch.setattr(model, "cells", [None] * len(model.cells))
    for one, other in zip(fast, run(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)
    both_ways(model)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (lambda: recurrent(layers.GRU, recurrent_dropout=0.5, name="one"), "one has recurrent_dropout=0.5"),
        (lambda: recurrent(layers.LSTM, activation="relu", name="one"), "one has activation='relu'"),
        (lambda: recurrent(layers.GRU, reset_after=False, name="one"), "one has reset_after=False"),
        (lambda: recurrent(layers.SimpleRNN, use_bias=False, name="one"), "one has use_bias=False"),
        (
            lambda: layers.RNN(
                [layers.LSTMCell(H), layers.GRUCell(H)], return_sequences=True, return_state=True, name="one"
            ),
            "one is a RNN",
        ),
    ],
)
def test_what_the_engine_does_not_know_is_run_by_keras_and_said(layer: Callable, reason: str) -> None:
    model = own(layer())
    said = f"network: Keras' own layers run them, slower than the compiled ones, because {reason}"
    assert model.remark == said
    assert model.in_words().endswith(said)
    both_ways(model)


def test_layers_between_recurrent_ones() -> None:
    """Those that work along the last axis, those that are not known to, and engine and Keras in one network."""
    model = own(
        recurrent(layers.GRU), layers.LayerNormalization(), KerasOwn(layers.Dense(6)), WindowDropout(0.4),
        recurrent(layers.LSTM, recurrent_activation="hard_sigmoid", name="slow"), layers.Dropout(0.3),
        layers.Dense(4, activation="relu"), recurrent(layers.SimpleRNN),
    )  # fmt: skip
    assert "own layers run slow, slower" in model.remark
    both_ways(model)
    logits = [np.asarray(model(symbols(), model.initial_state(B), training=True)[0]) for _ in range(2)]
    assert (logits[0] != logits[1]).any(), "nothing is dropped in training"


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (lambda: layers.LSTM(H, name="one"), "layer one in model.py needs return_sequences=True"),
        (lambda: layers.Conv1D(H, 3, padding="causal", name="one"), "layer one in model.py is a Conv1D, which mixes"),
        (lambda: recurrent(layers.GRU, stateful=True, name="one"), "nor stateful"),
    ],
)
def test_what_cannot_go_on_from_its_state_is_refused(layer: Callable, said: str) -> None:
    with pytest.raises(UserError, match=said):
        own(layer())


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("cell", LAYERS)
def test_a_condition_is_a_bias_of_its_own(cell: str, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each recurrent layer, whoever runs it: the same as its bias plus what its kernel makes of the condition."""
    model = own(recurrent(LAYERS[cell]), layers.LayerNormalization(), recurrent(LAYERS[cell]))
    plain = np.asarray(model(symbols(), model.initial_state(B))[0])
    model.add_conditions(3)
    if not fast:
        monkeypatch.setattr(model, "cells", [None] * len(model.cells))
    begun = (symbols(), np.array([0, 1, 2])), model.initial_state(B)
    np.testing.assert_allclose(model(*begun)[0], plain, atol=1e-6, err_msg="it changes nothing at first")
    rng = np.random.default_rng(2)
    for table in model.conditions:
        table.assign(rng.normal(size=table.shape))
    both_ways(model)
    named = np.asarray(model(*begun)[0])
    for label in range(3):
        alone = own(recurrent(LAYERS[cell]), layers.LayerNormalization(), recurrent(LAYERS[cell]))
        for mine, theirs in zip(alone.sequence, model.sequence, strict=True):
            mine.set_weights(theirs.get_weights())
        for layer, table in zip(alone.recurrent, model.conditions, strict=True):
            kernel, others, bias = layer.get_weights()
            (bias if bias.ndim == 1 else bias[0])[:] += np.asarray(table)[label] @ kernel
            layer.set_weights([kernel, others, bias])
        expected = np.asarray(alone(symbols(), alone.initial_state(B))[0])
        np.testing.assert_allclose(named[:, label], expected[:, label], atol=1e-5)
    assert model.layer_rows()[-1] == ("conditions_2", "lookup", f"[B, {H}]", 3 * H)
    assert sum(weights for *_, weights in model.layer_rows()) == model.count_params()


def test_only_conditions_differ_from_data_to_data_where_the_symbols_do_not() -> None:
    model = own(recurrent(layers.GRU))
    assert model.symbol_axes == [0, None, None, None, 1, 0]
    model.add_conditions(0)
    assert model.symbol_axes == [None] * 6
    model.add_conditions(2)
    named = {id(variable): axis for variable, axis in zip(model.trainable_variables, model.symbol_axes, strict=True)}
    assert [axis for axis in named.values() if axis is not None] == [0]
    assert named[id(model.conditions[0])] == 0


# ---- building


@pytest.mark.parametrize("module", [char_model, midi_model])
def test_a_network_is_chosen_by_name_and_nothing_else_can_be(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def dense(vocab_size: int, rnn_size: int, **_: Any) -> SequenceModel:
        return SequenceModel([layers.Embedding(vocab_size, rnn_size), layers.Dense(vocab_size)])

    monkeypatch.setitem(module.NETWORKS, "dense", dense)
    assert module.build({**DESCRIPTION, "name": "dense"}, V).count_params() == V * H + H * V + V
    without = module.build(DESCRIPTION, V)
    assert without.count_params() == module.build({**DESCRIPTION, "name": "default"}, V).count_params()
    for name in ("build", "os.system", "", None, ["default"]):
        with pytest.raises(UserError, match=r"there is no network .*NETWORKS has: default, dense; choose"):
            module.build({**DESCRIPTION, "name": name}, V)


def test_lessons_1_and_2_have_the_same_weights_for_the_same_seed() -> None:
    one, other = char_model.build(DESCRIPTION, V), midi_model.build(DESCRIPTION, V)
    for a, b in zip(one.variables, other.variables, strict=True):
        assert (np.asarray(a) == np.asarray(b)).all()


def test_layers_without_a_seed_follow_the_seed_of_the_network() -> None:
    def start(seed: int) -> np.ndarray:
        def plain(vocab_size: int, **_: Any) -> SequenceModel:
            return SequenceModel([layers.Embedding(vocab_size, 3), layers.Dense(vocab_size)])

        model = build({"default": plain}, {**DESCRIPTION, "seed": seed}, V)
        return np.concatenate([np.ravel(variable) for variable in model.trainable_variables])

    assert (start(1) == start(1)).all()
    assert (start(1) != start(2)).any()


def test_no_array_is_allocated_beyond_what_the_checkpoints_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = char_model.build(DESCRIPTION, V).count_params()
    assert char_model.build(DESCRIPTION, V, weights).count_params() == weights
    with pytest.raises(UserError, match=f"a network of {weights:,} weights, and the checkpoints hold fewer"):
        char_model.build(DESCRIPTION, V, weights - 1)
    with pytest.raises(UserError, match="and the checkpoints hold fewer"):
        char_model.build({**DESCRIPTION, "rnn_size": 10**9}, V, weights)


# ---- the table


def test_the_table_counts_every_weight() -> None:
    description = {**DESCRIPTION, "rnn_size": 128, "cell": "lstm", "dropout": 0.1, "vocab_size": 62}
    model = char_model.build(description, 62)
    assert model.in_words().splitlines() == [
        "network: 2 x 128 lstm, 279,102 weights",
        "  embedding               Embedding      [T, B, 128]        7,936",
        "  lstm_1 to lstm_2        LSTM           [T, B, 128]  2 x 131,584",
        "  dropout_1 to dropout_2  WindowDropout  [T, B, 128]            0",
        "  softmax                 Dense          [T, B, 62]         7,998",
    ]
    assert 7936 + 2 * 131_584 + 7998 == 279_102


def test_a_long_table_ends_with_a_sum() -> None:
    lines = layer_table((f"layer_{k}", "Dense", "[T, B, 2]", k) for k in range(1, 21)).splitlines()
    assert len(lines) == MAX_LINES == 12
    assert lines[-1].split() == ["and", "9", "more", str(sum(range(12, 21)))]


def test_a_new_network_that_no_memory_has_room_for_is_refused_before_it_is_built() -> None:
    with pytest.raises(UserError, match="memory when it is trained: choose a smaller one"):
        build(char_model.NETWORKS, {**DESCRIPTION, "rnn_size": 10**9}, V)
