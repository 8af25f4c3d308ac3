"""The cached generator says what the plain one says, sample by sample."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from wavenet import kernel, loop
from wavenet.cores import CpuEngine
from wavenet.generate import Generator, reference
from wavenet.lesson import LESSON
from wavenet.loop import XlaEngine
from wavenet.model import Shape, WaveNet, build
from wavenet.weights import initial_state, pack, workspace
from workshop.audio.mu_law import LEVELS, SILENCE
from workshop.errors import UserError
from workshop.networks import engine
from workshop.networks.engine import PIECE
from workshop.networks.products import rounded
from workshop.networks.sampling import SamplingConfig, warp_logits
from workshop.networks.second_core import DONE, IN_TIME, JOB, WAIT

SHAPES = {
    "two taps": Shape(2, 3, 2, 6, 5, 9),
    "three taps": Shape(2, 3, 3, 6, 5, 9),
    "labelled": Shape(1, 4, 2, 8, 8, 16, conditions=3),
    "one block": Shape(1, 1, 2, 4, 4, 4),
}
#: So large that a second core has something to do: the skip connections of five blocks, and two more dense layers.
SHARED = Shape(1, 5, 2, 8, 48, 512)
#: Only the skip connections are worth it, four blocks at a time.
HALF_SHARED = Shape(1, 16, 2, 8, 64, 128)


def network(shape: Shape, scale: float = 1.5) -> WaveNet:
    """A network with weights large enough that the past matters, in half precision, which `Generator` rounds to."""
    model = WaveNet(shape, seed=1)
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:
        variable.assign(rounded(np.asarray(variable) * scale + rng.normal(0, 0.1, variable.shape)))
    return model


def cached_logits(model: WaveNet, values: np.ndarray, labels: np.ndarray, half: bool = True) -> np.ndarray:
    """Logits [T, B, 256] after each of values [T, B], before which silence stands, by the kernel one step at a time."""
    weights, work = pack(model, labels, half), workspace(model.shape, len(labels))
    field = model.shape.receptive_field
    sequence = np.concatenate([np.full((field, len(labels)), SILENCE), values]).astype(np.int64)
    state = initial_state(model.shape, sequence[0])
    found = []
    for row in [*sequence[1:], np.zeros(len(labels), np.int64)]:
        taken = np.empty((1, len(labels)), np.int64)
        kernel.advance(weights, state, work, row[None], np.empty((0, 0)), 1.0, LEVELS, 1.0, taken)
        found.append(work.layers[3].copy())
    return np.array(found[-len(values) :])


def looped_logits(model: WaveNet, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The same by the loop that XLA compiles."""
    loop = XlaEngine(model, labels)
    field = model.shape.receptive_field
    sequence = np.concatenate([np.full((field, len(labels)), SILENCE), values]).astype(np.int32)
    state = loop.start(sequence[0])
    step = tf.function(loop._logits, jit_compile=True, autograph=False)
    found = []
    for at, row in enumerate(sequence[1:]):
        logits, state["seen"] = step(state["seen"], state["values"], tf.constant(at))
        state["values"] = tf.concat([state["values"][1:], row[None]], axis=0)
        found.append(logits.numpy())
    found.append(step(state["seen"], state["values"], tf.constant(len(sequence) - 1))[0].numpy())
    return np.array(found[-len(values) :])


@pytest.mark.parametrize("way", [cached_logits, looped_logits])
@pytest.mark.parametrize("streams", [1, 4])
@pytest.mark.parametrize("name", SHAPES)
def test_cached_logits_are_those_of_the_whole_receptive_field(way: Callable, name: str, streams: int) -> None:
    shape = SHAPES[name]
    model = network(shape)
    labels = np.arange(streams) % max(shape.conditions, 1)
    values = np.random.default_rng(3).integers(0, LEVELS, (2 * shape.receptive_field + 5, streams))
    cached = way(model, values, labels)
    for end in (1, shape.receptive_field - 1, shape.receptive_field, len(values)):
        plain = reference(model, values[:end], labels if shape.conditions else None)
        assert np.abs(cached[end - 1] - plain).max() < 1e-4 * max(1, np.abs(plain).max())


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("size", LESSON.sizes)
def test_every_size_generates_what_it_was_trained_to(size: str, half: bool) -> None:
    """To float precision; and nearly so where the engine rounds weights."""
    model = WaveNet(Shape(*(LESSON.sizes[size][name] for name in LESSON.network)))
    values = np.random.default_rng(4).integers(0, LEVELS, (50, 1))
    cached, plain = cached_logits(model, values, np.zeros(1, int), half)[-1], reference(model, values)
    assert np.abs(cached - plain).max() < (1e-2 if half else 1e-4)


def test_training_sees_what_generation_sees() -> None:
    """Each of the logits of a window is that of the receptive field that ends there: nothing is padded."""
    shape = SHAPES["three taps"]
    model = network(shape)
    values = np.random.default_rng(5).integers(0, LEVELS, (shape.receptive_field + 7, 2))
    logits = ops.convert_to_numpy(model(values.astype(np.int32))[0])
    assert logits.shape == (8, 2, LEVELS)
    for k in range(8):
        assert np.allclose(logits[k], reference(model, values[: shape.receptive_field + k]), atol=1e-5)


def test_the_classic_network_is_the_ancestors() -> None:
    model = WaveNet(Shape(*(LESSON.sizes["large"][name] for name in LESSON.network)))
    assert model.shape.receptive_field == 5117
    # 50 blocks without the residual of the last, one skip bias for all.
    blocks = 50 * (2 * 32 * 64 + 64) + 49 * (32 * 32 + 32) + 50 * 32 * 512 + 512
    assert model.count_params() == 2 * 256 * 32 + blocks + 512 * 512 + 512 + 512 * 256 + 256


def drawn(
    model: WaveNet, choice: SamplingConfig, length: int, seed: int, streams: int = 1, prime: tuple = ()
) -> np.ndarray:
    generator = Generator(model, np.zeros(streams, int))
    beginning = np.array(prime, int)[:, None].repeat(streams, axis=1)
    return np.concatenate(list(generator.generate(beginning, length, seed, choice)))


def passed(logits: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """The value [B] at which the sum of the probabilities of logits [B, 256] passes chances [B]."""
    likelihood = np.exp(logits.astype(float))
    return (likelihood.cumsum(axis=1) <= chances[:, None] * likelihood.sum(axis=1, keepdims=True)).sum(axis=1)


def test_each_sample_is_drawn_from_the_logits_before_it() -> None:
    model, choice, seed = network(SHAPES["two taps"]), SamplingConfig(temperature=1.3), 7
    values = drawn(model, choice, 40, seed)
    chances = np.random.default_rng(seed).random((40, 1))
    for k in range(40):
        assert values[k] == passed(reference(model, values[:k]) / 1.3, chances[k])


@pytest.mark.parametrize(
    "choice",
    [SamplingConfig(top_k=3), SamplingConfig(top_p=0.5), SamplingConfig(0.7, 20, 0.9), SamplingConfig(top_k=1)],
)
def test_only_what_the_choice_allows_is_drawn(choice: SamplingConfig) -> None:
    model = network(SHAPES["two taps"])
    values = drawn(model, choice, 60, 1)
    for k in range(0, 60, 7):
        warped = warp_logits(ops.convert_to_tensor(reference(model, values[:k])), *choice.knobs(LEVELS))
        allowed = ops.convert_to_numpy(warped)[0] > -1e8
        assert allowed[values[k, 0]]


def test_the_same_seed_makes_the_same_sound_and_a_longer_one_begins_with_it() -> None:
    model = network(SHAPES["two taps"])
    short, again, other = (drawn(model, SamplingConfig(), n, s) for n, s in ((100, 1), (100, 1), (100, 2)))
    assert (short == again).all()
    assert (short != other).any()
    assert (drawn(model, SamplingConfig(), PIECE + 50, 1)[:PIECE] == drawn(model, SamplingConfig(), PIECE, 1)).all()


def test_streams_do_not_hear_one_another() -> None:
    model = network(SHAPES["three taps"])
    together = drawn(model, SamplingConfig(), 50, 3, streams=3)
    assert len({tuple(stream) for stream in together.T}) == 3
    for k in range(0, 50, 9):
        chances = np.random.default_rng(3).random((50, 3))[k]
        assert (together[k] == passed(reference(model, together[:k]), chances)).all()


@pytest.mark.parametrize(
    ("shape", "streams"),
    [(SHAPES["three taps"], 1), (SHARED, 1), (HALF_SHARED, 1), (SHAPES["three taps"], 3), (SHARED, 6)],
)
def test_the_number_of_cores_makes_no_difference(shape: Shape, streams: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in the last bit: a single stream is worked on by two cores, several are shared out among them."""
    model = network(shape, scale=1)
    prescribed, chances = np.full((300, streams), -1), np.random.default_rng(8).random((300, streams))
    found = []
    for count in (1, 2, 4):
        monkeypatch.setattr(engine, "usable_cores", lambda count=count: count)
        made = CpuEngine(model, np.zeros(streams, int))
        state = made.start(np.full(streams, SILENCE))
        values = made.advance(state, prescribed, chances, SamplingConfig(0.9, 100, 0.95))
        seen = np.concatenate([part.seen for part, _ in state], axis=1)
        found.append((values.tobytes(), seen.tobytes()))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("choice", [SamplingConfig(), SamplingConfig(0.7, 20, 0.9)])
@pytest.mark.parametrize("name", ["three taps", "labelled"])
def test_a_gpus_loop_draws_what_the_kernel_draws(
    name: str, choice: SamplingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, labels = network(SHAPES[name]), np.array([2, 0])
    prime = np.random.default_rng(10).integers(0, LEVELS, (5, 2))
    monkeypatch.setattr(loop, "PIECE", 64)
    by_kernel = np.concatenate(list(Generator(model, labels).generate(prime, 150, 1, choice)))
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    generator = Generator(model, labels)
    assert isinstance(generator._engine, XlaEngine)
    assert (np.concatenate(list(generator.generate(prime, 150, 1, choice))) == by_kernel).all()


@pytest.mark.parametrize(("shape", "kinds"), [(SHARED, 7), (HALF_SHARED, 4), (SHAPES["two taps"], 0)])
def test_what_the_second_core_does_is_taken(shape: Shape, kinds: int) -> None:
    """Seen by having it do something else; and a small network has nothing for it."""
    weights, work, state = (
        pack(network(shape), np.zeros(1, int)),
        workspace(shape, 1),
        initial_state(shape, np.zeros(1)),
    )
    assert kernel.jobs(weights)[2] == kinds
    work.signals[[JOB, DONE, IN_TIME, WAIT]] = 0, 1 << 40, 1, 0  # done before it is asked for
    for helped in work.helped:
        helped[:] = np.nan
    values = np.empty((1, 1), np.int64)
    kernel.advance(weights, state, work, np.full((1, 1), 3), np.empty((0, 0)), 1.0, LEVELS, 1.0, values)
    assert np.isnan(work.layers[3]).any() == (kinds > 0)


def test_a_second_core_that_is_taken_away_is_not_waited_for() -> None:
    model = network(SHARED)
    found = []
    for done in (-1, 0):  # never there, or last seen when it had nothing to do
        weights, work, state = (
            pack(model, np.ones(1, int)),
            workspace(model.shape, 1),
            initial_state(model.shape, np.zeros(1)),
        )
        work.signals[DONE] = done
        for half in work.helped:
            half[:] = np.nan
        values = np.empty((50, 1), np.int64)
        chances = np.random.default_rng(9).random((50, 1))
        kernel.advance(weights, state, work, np.full((50, 1), -1), chances, 1.0, LEVELS, 1.0, values)
        found.append(values.tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("length", [1, 5, 13, 14, 15, 200])
def test_a_prime_of_any_length_is_heard(length: int) -> None:
    model = network(SHAPES["two taps"])
    prime = np.random.default_rng(6).integers(0, LEVELS, length)
    first = drawn(model, SamplingConfig(top_k=1), 1, 0, prime=tuple(prime))[0, 0]
    assert first == reference(model, prime[:, None])[0].argmax()


def test_a_damaged_description_is_no_network() -> None:
    good = {name: 2 for name in LESSON.network} | {"seed": 0, "conditions": 0}
    assert build(good).shape == Shape(2, 2, 2, 2, 2, 2)
    large: list[dict] = [{"layers": 64}, {"layers": 10**400}, {"stacks": 10**6}, {"seed": 1 << 64}]
    for damage in ({"layers": 0}, {"stacks": "2"}, {"seed": -1}, {"more": 1}, {"filter_width": 1}, *large):
        with pytest.raises(UserError, match="do not describe a network of this lesson"):
            build(good | damage)
