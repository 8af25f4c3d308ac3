"""How likely each symbol was: as the network says it, whatever the windows, and as a picture."""

import numpy as np
import pytest
from keras import ops

from char_rnn import model as char_model
from workshop.errors import UserError
from workshop.heatmap import LEAST, MAX_ROWS, _likely_rows, heatmap
from workshop.networks import likelihoods as module
from workshop.networks.likelihoods import likelihoods

V = 7
NAMES = list("abcdefg")


@pytest.fixture(scope="module")
def model() -> object:
    network = {
        "name": "default", "seed": 3, "vocab_size": V, "rnn_size": 5, "num_layers": 2, "cell": "gru", "dropout": 0.5,
    }  # fmt: skip
    return char_model.build(network, V)


def test_they_are_the_softmax_of_the_logits_in_any_windows(model: object, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    before, symbols = rng.integers(0, V, 4), rng.integers(0, V, 30)
    logits, _ = model(np.concatenate([before, symbols])[:-1, None], model.initial_state(1))  # type: ignore[operator, attr-defined]
    expected = ops.convert_to_numpy(ops.softmax(logits[3:, 0]))
    for window in (256, 7, 1):
        monkeypatch.setattr(module, "WINDOW", window)
        found = likelihoods(model, before, symbols, NAMES)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.probabilities, expected, rtol=1e-5)
    assert found.symbols.tolist() == symbols.tolist()
    best = found.likeliest(2)
    assert (best[:, 0] == expected.argmax(axis=1)).all()
    assert best.shape == (30, 2)


def test_of_nothing_there_is_nothing(model: object) -> None:
    found = likelihoods(model, np.array([1]), np.empty(0, int), NAMES)  # type: ignore[arg-type]
    assert found.probabilities.shape == (0, V)
    with pytest.raises(UserError, match="the sequence has 0"):
        found.picture()


def test_a_picture_shows_the_places_that_are_asked_for(model: object) -> None:
    found = likelihoods(model, np.array([1]), np.arange(20) % V, ["$x$", *NAMES[1:]])  # type: ignore[arg-type]
    assert (found.picture(0, 10) != found.picture(10, 10)).any()
    with pytest.raises(UserError, match="no place 20"):
        found.picture(20)


def test_rows_are_the_likely_symbols_and_those_that_stand_there() -> None:
    probabilities = np.full((3, 100), 1e-5)
    probabilities[0, 60:] = 2 * LEAST
    assert _likely_rows(probabilities, np.array([2, 1, 2])).tolist() == [1, 2, *range(60, 98)]
    assert len(_likely_rows(probabilities, np.arange(50))) == MAX_ROWS
    probabilities[:] = 1e-5
    names = [str(k) for k in range(100)]
    bright = probabilities.copy()
    bright[1, 2] = 1
    values = np.array([2, 1, 2])
    dark, shown = (heatmap(table, values, names=names).astype(int).sum() for table in (probabilities, bright))
    assert shown > dark
