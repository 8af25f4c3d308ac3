"""Writing: what the compiled loop gives is what the training graph would say, one character at a time."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from char_rnn.generate import Generator
from char_rnn.model import recurrent
from char_rnn.vocab import Vocabulary
from workshop.networks.generation import PIECE
from workshop.networks.sampling import SamplingConfig
from workshop.networks.sequence import SequenceModel

#: 20 symbols with the unknown one; a space and a line end among them.
VOCABULARY = Vocabulary(" \nabcdefghijklmnopq")
V = len(VOCABULARY)


def network(cell: str = "lstm", num_layers: int = 2, unknown: float = 0.0) -> SequenceModel:
    """A network with weights large enough that the past matters; `unknown` favours the unknown symbol."""
    model = recurrent(V, 8, num_layers, cell, 0.0, seed=3)
    rng = np.random.default_rng(5)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 1.2, variable.shape))
    bias = rng.normal(0, 0.5, V)
    bias[0] += unknown
    model.layers[-1].bias.assign(bias)
    return model


@pytest.fixture(scope="module")
def model() -> SequenceModel:
    return network()


@pytest.fixture(scope="module")
def drawing(model: SequenceModel) -> Generator:
    return Generator(model, VOCABULARY)


@pytest.fixture(scope="module")
def greedy(model: SequenceModel) -> Generator:
    return Generator(model, VOCABULARY, sample=0)


def write(
    generator: Generator, prime: np.ndarray, length: int, num_samples: int = 1, seed: int = 0, **config: float
) -> np.ndarray:
    chosen = SamplingConfig(**config)  # type: ignore[arg-type]
    return np.concatenate(list(generator.generate(prime, length, num_samples, seed, chosen)))


def some_text(length: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, V, length).astype(np.int32)


@tf.function
def whole_text(model: SequenceModel, ids: tf.Tensor) -> tf.Tensor:
    return model(ids[:, None], model.initial_state(1))[0][:, 0]


def logits_from_scratch(model: SequenceModel, ids: np.ndarray) -> np.ndarray:
    """Logits [T, V] after each of `ids` [T], by the function that training uses."""
    # Two lengths only, to trace the function rarely: what comes after a character does not change what comes before.
    length = 256 if len(ids) <= 256 else 2 * PIECE + 64
    return whole_text(model, tf.constant(np.pad(ids, (0, length - len(ids))), tf.int32)).numpy()[: len(ids)]


def written_from_scratch(model: SequenceModel, prime: np.ndarray, length: int) -> list[int]:
    """Always the likeliest character that is not the unknown one, by reading everything again for each."""
    ids = list(prime)
    for _ in range(length):
        ids.append(1 + np.argmax(logits_from_scratch(model, np.array(ids))[-1, 1:]))
    return ids[len(prime) :]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_step_by_step_equals_the_training_graph(cell: str, num_layers: int) -> None:
    model = network(cell, num_layers)
    ids = np.stack([some_text(40, seed) for seed in range(3)], axis=1)  # [T, B]
    expected, expected_state = model(ops.convert_to_tensor(ids), model.initial_state(3))
    assert np.std(np.asarray(expected)) > 0.3, "all the same would prove nothing"
    tables, state = model.prepare(), model.initial_state(3)
    for at in range(40):
        logits, state = model.step(tables, ops.convert_to_tensor(ids[at]), state)
        np.testing.assert_allclose(logits, expected[at], atol=1e-5)
    for one, other in zip(keras.tree.flatten(state), keras.tree.flatten(expected_state), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("prime_length", [1, 7])
def test_the_likeliest_characters_are_those_found_by_reading_all_again(
    model: SequenceModel, greedy: Generator, prime_length: int
) -> None:
    prime = some_text(prime_length)
    expected = written_from_scratch(model, prime, 60)
    assert len(set(expected)) > 2, "a network that repeats one character would prove nothing"
    assert write(greedy, prime, 60)[:, 0].tolist() == expected


@pytest.mark.parametrize("prime_length", [PIECE - 1, PIECE, PIECE + 1, PIECE + 2, 2 * PIECE + 1])
def test_a_prime_of_any_length_is_read_to_its_end(model: SequenceModel, greedy: Generator, prime_length: int) -> None:
    prime = some_text(prime_length)
    ids = np.concatenate([prime, write(greedy, prime, 20)[:, 0]])
    assert len(ids) == prime_length + 20
    scores = logits_from_scratch(model, ids)[prime_length - 1 : -1]
    assert (1 + np.argmax(scores[:, 1:], axis=1)).tolist() == ids[prime_length:].tolist()


def test_the_last_character_of_a_long_prime_matters(greedy: Generator) -> None:
    prime = some_text(PIECE + 5)
    other = prime.copy()
    other[-1] = prime[-1] % (V - 1) + 1
    assert write(greedy, prime, 30).tolist() != write(greedy, other, 30).tolist()


@pytest.mark.parametrize("length", [1, PIECE - 1, PIECE, PIECE + 1, 300, 2 * PIECE])
@pytest.mark.parametrize("prime_length", [1, 2, PIECE])
def test_the_length_is_exact(drawing: Generator, length: int, prime_length: int) -> None:
    pieces = list(drawing.generate(some_text(prime_length), length, 1, 0, SamplingConfig()))
    assert all(len(piece) and piece.shape[1:] == (1,) for piece in pieces)
    assert sum(map(len, pieces)) == length


def test_a_longer_text_begins_with_the_shorter_one(drawing: Generator) -> None:
    prime = some_text(3)
    assert write(drawing, prime, PIECE + 40)[:50].tolist() == write(drawing, prime, 50).tolist()


def test_a_text_does_not_depend_on_where_pieces_end(model: SequenceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    prime = some_text(30)
    texts = []
    for piece in (8, 29, 30, 256):
        monkeypatch.setattr("workshop.networks.generation.PIECE", piece)
        texts.append(write(Generator(model, VOCABULARY), prime, 100, 2, 4).tolist())
    assert texts[1:] == texts[:1] * 3


def test_the_same_seed_gives_the_same_text(drawing: Generator) -> None:
    prime = some_text(3)
    one, again, other = (write(drawing, prime, 100, 1, seed).tolist() for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_texts_of_a_batch_differ(drawing: Generator) -> None:
    written = write(drawing, some_text(3), 100, 4)
    assert written.shape == (100, 4)
    assert len({tuple(written[:, k]) for k in range(4)}) == 4


def test_greedy_texts_of_a_batch_are_the_same_one(greedy: Generator) -> None:
    written = write(greedy, some_text(3), 100, 3)
    assert (written == written[:, :1]).all()
    assert written[:, 0].tolist() == write(greedy, some_text(3), 100)[:, 0].tolist()


def test_choosing_among_one_is_greedy(drawing: Generator, greedy: Generator) -> None:
    prime = some_text(3)
    expected = write(greedy, prime, 100).tolist()
    assert write(drawing, prime, 100, 1, 9, top_k=1).tolist() == expected
    assert write(drawing, prime, 100, 1, 9, top_p=1e-6).tolist() == expected
    assert write(drawing, prime, 100, 1, 9, temperature=1e-4).tolist() == expected


def test_a_choice_is_kept_to(model: SequenceModel, drawing: Generator) -> None:
    """Every character is among the three likeliest given all before it, and not always the likeliest."""
    prime = some_text(3)
    ids = np.concatenate([prime, write(drawing, prime, 200, top_k=3)[:, 0]])
    scores = logits_from_scratch(model, ids)[2:-1, 1:]
    ranks = (scores > scores[np.arange(200), ids[3:] - 1][:, None] + 1e-4).sum(axis=1)
    assert ranks.max() == 2
    assert ranks.min() == 0


def test_what_is_drawn_follows_the_distribution(model: SequenceModel, drawing: Generator) -> None:
    prime = some_text(3)
    drawn = write(drawing, prime, 1, 1000)[0]
    expected = np.exp(logits_from_scratch(model, prime)[-1])
    expected[0] = 0.0
    expected /= expected.sum()
    shares = np.bincount(drawn, minlength=V) / 1000
    # Within five standard errors.
    np.testing.assert_array_less(abs(shares - expected), 5 * np.sqrt(expected * (1 - expected) / 1000) + 1e-3)


def test_words_are_drawn_at_their_beginning_only() -> None:
    """With --sample 2 a character after a space or line end may be any; every other one is the likeliest."""
    model = network()
    bias = np.asarray(model.layers[-1].bias).copy()
    bias[1:3] += 2.0  # spaces and line ends, so that there are words
    model.layers[-1].bias.assign(bias)
    prime = VOCABULARY.encode("ab\n").astype(np.int32)

    def ranks(sample: int) -> tuple[np.ndarray, np.ndarray]:
        """How many characters were likelier than the written one: after spaces, and elsewhere."""
        written = write(Generator(model, VOCABULARY, sample), prime, 200, 1, 1)[:, 0]
        ids = np.concatenate([prime, written])
        scores = logits_from_scratch(model, ids)[2:-1, 1:]
        rank = (scores > scores[np.arange(200), written - 1][:, None] + 1e-4).sum(axis=1)
        at_beginning = np.isin(ids[2:-1], VOCABULARY.encode(" \n"))
        assert 10 < at_beginning.sum() < 190
        return rank[at_beginning], rank[~at_beginning]

    beginnings, within = ranks(sample=2)
    assert beginnings.max() > 0
    assert within.max() == 0
    _, within = ranks(sample=1)
    assert within.max() > 0


@pytest.mark.parametrize("sample", [0, 1, 2])
def test_the_unknown_symbol_is_never_written(sample: int) -> None:
    eager = network(unknown=50.0)  # without a rule against it, nothing else would be written
    prime = some_text(3)
    assert np.argmax(logits_from_scratch(eager, prime)[-1]) == 0
    written = write(Generator(eager, VOCABULARY, sample), prime, 200, 2, temperature=2.0)
    assert written.min() >= 1
    assert written.max() < V


@pytest.mark.parametrize("choice", [{"top_k": 1}, {"top_p": 0.5}, {"top_k": V}, {"temperature": 1e9}])
def test_no_choice_brings_the_unknown_symbol_back(choice: dict[str, float]) -> None:
    written = write(Generator(network(unknown=50.0), VOCABULARY), some_text(3), 200, 2, **choice)
    assert written.min() >= 1


def test_a_prime_with_an_unknown_symbol_is_read(greedy: Generator) -> None:
    assert len(write(greedy, np.array([0, 0, 5]), 20)) == 20


def test_a_text_without_end_begins_at_once(drawing: Generator) -> None:
    first = next(drawing.generate(some_text(3), 10**15, 1, 0, SamplingConfig()))
    np.testing.assert_array_equal(first, write(drawing, some_text(3), len(first)))


def test_nothing_is_compiled_twice(model: SequenceModel) -> None:
    """Prompts and texts of any length, and any sampling, use one compiled loop; compiling takes longer than writing."""
    generator = Generator(model, VOCABULARY)
    traced = []
    original: Callable = model.step

    def counting(*args: object) -> object:
        traced.append(1)
        return original(*args)

    model.step = counting  # type: ignore[method-assign]
    try:
        for prime_length, length in ((1, 5), (40, 700), (PIECE, 3)):
            write(generator, some_text(prime_length), length)
        for config in ({"temperature": 0.5}, {"temperature": 2.0}, {"top_k": 3}, {"top_k": 5, "top_p": 0.9}):
            write(generator, some_text(1), 5, **config)
    finally:
        del model.step
    assert 1 <= len(traced) <= 2
