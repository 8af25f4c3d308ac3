"""The fast recurrent layers against Keras' own: results, states, gradients, and one step at a time."""

from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from char_rnn.model import recurrent as network
from workshop.networks import recurrent
from workshop.networks.recurrent import CELLS
from workshop.networks.sequence import SequenceModel

T, B, H, LAYERS = 9, 3, 5, 2
SMALL = 11
LARGE = recurrent._ONE_HOT_LIMIT + 1
KINDS = [(cell, vocab_size) for cell in CELLS for vocab_size in (SMALL, LARGE)]


def make(cell: str, vocab_size: int = SMALL, dropout: float = 0.0) -> SequenceModel:
    """A network with weights that are all different from zero, biases too."""
    stack = network(vocab_size, H, LAYERS, cell, dropout, seed=1)
    rng = np.random.default_rng(2)
    for variable in stack.trainable_variables:
        variable.assign(rng.normal(size=variable.shape, scale=0.6))
    return stack


def data(stack: SequenceModel, vocab_size: int = SMALL) -> tuple[np.ndarray, list, np.ndarray, list]:
    """Symbols [T, B] with repetitions, initial states, and weights that make a loss of outputs and final states."""
    rng = np.random.default_rng(3)
    ids = rng.integers(0, vocab_size, (T, B)).astype(np.int32)
    ids[1] = ids[0]

    def states() -> list:
        shapes = [[part.shape for part in layer] for layer in stack.initial_state(B)]
        return [tuple(tf.constant(rng.normal(size=shape), tf.float32) for shape in layer) for layer in shapes]

    return ids, states(), rng.normal(size=(T, B, vocab_size)).astype(np.float32), states()


def ours(stack: SequenceModel, ids: np.ndarray, states: list) -> tuple[Any, list]:
    return stack(ids, states)


def keras_own(stack: SequenceModel, ids: np.ndarray, states: list) -> tuple[Any, list]:
    """The same network as Keras runs it: batch-major, its own layers and its own gradients."""
    embedding, *layers, softmax = stack.sequence
    x, last = embedding(ops.transpose(ids)), []
    for layer, state in zip(layers, states, strict=True):
        x, *state = layer(x, initial_state=list(state))
        last.append(tuple(state))
    return ops.transpose(softmax(x), (1, 0, 2)), last


def all_of(run: Any, stack: SequenceModel, ids: Any, states: list, w_outputs: Any, w_states: list) -> dict[str, Any]:
    """Outputs, final states, and the gradients of everything that has one."""
    flat = keras.tree.flatten(states)
    with tf.GradientTape() as tape:
        tape.watch(flat)
        outputs, last = run(stack, ids, keras.tree.pack_sequence_as(states, flat))
        loss = ops.sum(outputs * w_outputs)
        for state, weight in zip(keras.tree.flatten(last), keras.tree.flatten(w_states), strict=True):
            loss = loss + ops.sum(state * weight)
    variables = [variable.value for variable in stack.trainable_variables]
    gradients, state_gradients = tape.gradient(loss, [variables, flat])
    result = {"outputs": outputs}
    result |= {f"last/{k}": value for k, value in enumerate(keras.tree.flatten(last))}
    result |= {
        variable.path: tf.convert_to_tensor(gradient)
        for variable, gradient in zip(stack.trainable_variables, gradients, strict=True)
    }
    result |= {f"initial state/{k}": value for k, value in enumerate(state_gradients)}
    return result


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        a, b = np.asarray(one[name]), np.asarray(other[name])
        assert np.abs(b).max() > 1e-3, f"{name} is nothing: this compares nothing"
        # Of a sum of large terms that cancel each other, the error has the size of the terms: at most 1e-6 of the
        # largest where it was measured, and somewhat more on a processor that adds in another order.
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=4e-6 * max(1.0, float(np.abs(b).max())), err_msg=name)


@pytest.mark.parametrize(("cell", "vocab_size"), KINDS)
def test_results_and_all_gradients_are_those_of_keras(cell: str, vocab_size: int) -> None:
    stack = make(cell, vocab_size)
    inputs = data(stack, vocab_size)
    one, other = all_of(ours, stack, *inputs), all_of(keras_own, stack, *inputs)
    assert len(one) == 1 + 2 * LAYERS * CELLS[cell].states + len(stack.trainable_variables)
    assert len(stack.trainable_variables) == 1 + 3 * LAYERS + 2
    assert [cell.layer for cell in stack.cells if cell] == [CELLS[cell].layer] * LAYERS
    assert not stack.remark
    assert_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "vocab_size"), KINDS)
def test_compiled_by_xla_they_are_the_same(cell: str, vocab_size: int) -> None:
    stack = make(cell, vocab_size)
    ids, *rest = data(stack, vocab_size)

    @tf.function(jit_compile=True)
    def compiled(ids: Any) -> dict[str, Any]:
        return all_of(ours, stack, ids, *rest)

    assert_equal(compiled(tf.constant(ids)), all_of(keras_own, stack, ids, *rest))


@pytest.mark.parametrize("cell", CELLS)
def test_a_window_of_one_step(cell: str) -> None:
    stack = make(cell)
    ids, states, w_outputs, w_states = data(stack)
    inputs = (ids[:1], states, w_outputs[:1], w_states)
    assert_equal(all_of(ours, stack, *inputs), all_of(keras_own, stack, *inputs))


@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_is_the_same_as_a_whole_window(cell: str) -> None:
    stack = make(cell)
    ids, states, *_ = data(stack)
    outputs, last = stack(ids, states)
    tables = stack.prepare()
    for t in range(T):
        output, states = stack.step(tables, tf.constant(ids[t]), states)
        np.testing.assert_allclose(output, outputs[t], rtol=1e-5, atol=1e-6)
    for a, b in zip(keras.tree.flatten(states), keras.tree.flatten(last), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_two_windows_are_one_long_one(cell: str) -> None:
    stack = make(cell)
    ids, states, *_ = data(stack)
    whole, _ = stack(ids, states)
    first, between = stack(ids[:4], states)
    second, _ = stack(ids[4:], between)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-5, atol=1e-6)


def test_the_state_before_everything_is_zero() -> None:
    state = make("lstm").initial_state(4)
    assert [[np.shape(part) for part in layer] for layer in state] == [[(4, H), (4, H)]] * LAYERS
    assert all(not np.any(part) for part in keras.tree.flatten(state))


@pytest.mark.parametrize("vocab_size", [SMALL, LARGE])
def test_looking_up_adds_the_gradients_of_a_symbol_that_occurs_twice(vocab_size: int) -> None:
    table = tf.random.stateless_normal((vocab_size, 3), (0, 1))
    ids = tf.constant([[2, 5], [2, 2]])
    with tf.GradientTape() as tape:
        tape.watch(table)
        rows = recurrent.look_up(table, ids)
        loss = ops.sum(rows * [[[1.0]], [[10.0]]])
    assert (np.asarray(rows) == np.asarray(table)[np.asarray(ids)]).all()
    gradient = np.asarray(tf.convert_to_tensor(tape.gradient(loss, table)))
    expected = np.zeros((vocab_size, 3))
    expected[2], expected[5] = 21, 1
    assert (gradient == expected).all()


@pytest.mark.parametrize(("cell", "weights"), [("lstm", 279_873), ("gru", 214_849), ("rnn", 82_497)])
def test_the_classic_network_has_the_number_of_weights_that_keras_gives(cell: str, weights: int) -> None:
    assert network(65, 128, 2, cell, 0).count_params() == weights
    # By hand: embedding, layers (a GRU of Keras has a second bias), softmax.
    gates, biases = {"lstm": (4, 1), "gru": (3, 2), "rnn": (1, 1)}[cell]
    layer = gates * 128 * (128 + 128 + biases)
    assert weights == 65 * 128 + 2 * layer + 128 * 65 + 65


# ---- dropout


def below_the_output(model: SequenceModel) -> SequenceModel:
    """The layers but for the last, which mixes the units."""
    return SequenceModel(model.sequence[:-1], seed=1)


def dropped(stack: SequenceModel, ids: np.ndarray) -> np.ndarray:
    return np.asarray(stack(ids, stack.initial_state(ids.shape[1]), training=True)[0])


def test_dropout_takes_the_same_units_for_all_steps_of_a_window_and_others_for_the_next() -> None:
    stack = below_the_output(network(SMALL, 64, 1, "gru", 0.4, seed=1))
    ids = np.random.default_rng(0).integers(0, SMALL, (T, B))
    masks = [dropped(stack, ids) == 0 for _ in range(2)]
    for mask in masks:
        assert (mask == mask[0]).all()
        assert 0.25 < mask.mean() < 0.55
        assert (mask[0, 0] != mask[0, 1]).any()  # every sequence has its own
    assert (masks[0] != masks[1]).any()


def test_dropout_keeps_the_mean() -> None:
    stack = below_the_output(network(SMALL, 256, 1, "rnn", 0.4, seed=1))
    ids = np.random.default_rng(0).integers(0, SMALL, (2, 40))
    plain = np.asarray(stack(ids, stack.initial_state(40))[0])
    kept = dropped(stack, ids)
    np.testing.assert_allclose(kept[kept != 0], (plain / 0.6)[kept != 0], rtol=1e-5)
    assert np.abs(kept).mean() == pytest.approx(np.abs(plain).mean(), rel=0.05)


def test_there_is_no_dropout_when_nothing_is_trained() -> None:
    with_dropout, without = make("lstm", dropout=0.5), make("lstm")
    ids, states, *_ = data(with_dropout)
    before = np.asarray(with_dropout.seeds.state)
    assert (np.asarray(with_dropout(ids, states)[0]) == np.asarray(without(ids, states)[0])).all()
    assert (np.asarray(with_dropout.seeds.state) == before).all()


def test_dropout_leaves_the_state_whole() -> None:
    """It thins what goes up, not what goes on: the memory of the network."""
    stack = make("gru", dropout=0.5)
    ids, states, *_ = data(stack)
    _, last = stack(ids, states, training=True)
    assert all(np.all(np.asarray(part) != 0) for part in keras.tree.flatten(last))


def test_the_random_state_is_a_variable_that_a_checkpoint_holds() -> None:
    stack = make("rnn", dropout=0.5)
    ids, *_ = data(stack)
    assert any(variable is stack.seeds.state for variable in stack.variables)
    kept = np.asarray(stack.seeds.state)
    windows = [dropped(stack, ids) for _ in range(3)]
    assert all((a != b).any() for a, b in pairwise(windows))
    stack.seeds.state.assign(kept)
    assert all((a == dropped(stack, ids)).all() for a in windows)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_same_seed_makes_the_same_weights(cell: str) -> None:
    """Whatever Keras' own global seed is; and no two arrays of a network repeat each other."""

    def weights(seed: int, global_seed: int) -> list[np.ndarray]:
        keras.utils.set_random_seed(global_seed)
        return [np.asarray(v) for v in network(SMALL, H, 2, cell, 0.0, seed).trainable_variables]

    drawn = [array for array in weights(4, 1) if np.unique(array).size > 2]
    assert len(drawn) == 6  # the table, two kernels of each layer, the softmax; the biases begin as zeros and ones
    assert all((a == b).all() for a, b in zip(weights(4, 1), weights(4, 2), strict=True))
    others = [array for array in weights(5, 1) if np.unique(array).size > 2]
    assert not any((a == b).any() for a, b in zip(drawn, others, strict=True))
    assert len({array.flat[0] for array in drawn}) == len(drawn)
