"""What every lesson shows of its network: a picture in its experiments, and how likely each symbol was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import tensorflow as tf
from melodies import melody
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import TRAINED

from workshop import load
from workshop.notes.midifiles import pitch_name, write


@pytest.mark.parametrize("lesson", TRAINED)
def test_an_experiment_holds_the_picture_of_its_network(lesson: str, request: pytest.FixtureRequest) -> None:
    experiment = request.getfixturevalue(TRAINED[lesson])
    picture = ElementTree.parse(experiment / "network.svg").getroot()
    model = load(experiment).model
    weights = [int(box.attrib["data-weights"]) for box in picture.iter() if "data-weights" in box.attrib]
    assert sum(weights) == model.count_params()
    shown = {"".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {model.layer_rows()[0][0], model.layer_rows()[-1][0]} <= shown
    events = EventAccumulator(str(experiment / "tensorboard" / "train"))
    events.Reload()
    (event,) = events.Tensors("network/layers")
    table = tf.make_ndarray(event.tensor_proto).item().decode()
    assert f"| all | | | {model.count_params():,} |" in table


@pytest.mark.slow
def test_a_network_of_text_says_how_likely_each_character_was(trained: Path) -> None:
    net = load(trained)
    text = str(net.generate("the ", 20, seed=1))
    found = net.likelihoods(text)
    assert [found.names[symbol] for symbol in found.symbols] == [{" ": "␣", "\n": "↵"}.get(one, one) for one in text]
    stream = net.stream("the ", 20, seed=1)
    symbols = np.concatenate([stream.prompt, *stream.pieces])
    assert symbols.tolist() == found.symbols.tolist()
    np.testing.assert_array_equal(net.likelihoods(symbols).probabilities, found.probabilities)
    assert found.probabilities.sum(axis=1) == pytest.approx(1)
    # At a temperature near zero the likeliest character is drawn, but never the unknown one.
    cold = net.likelihoods(str(net.generate("", 30, temperature=1e-3)))
    assert (cold.symbols == cold.probabilities[:, 1:].argmax(axis=1) + 1).mean() > 0.9
    assert found.picture(0, 10).dtype == np.uint8


@pytest.mark.parametrize("kind", ["trained_midi", "trained_performance"])
def test_a_network_of_notes_says_how_likely_each_event_was(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    net = load(request.getfixturevalue(kind))
    notes = melody(3)
    write(tmp_path / "tune.mid", notes, tempo=100)
    found = net.likelihoods(tmp_path / "tune.mid")
    assert found.symbols.tolist() == net.prompt(tmp_path / "tune.mid").tolist()
    names = [found.names[symbol] for symbol in found.symbols]
    begun = [name.removeprefix("on ") for name in names if name.startswith(("on ", *"ABCDEFG"))]
    assert begun == [pitch_name(int(pitch)) for pitch in notes[:, 2]]
    assert len(set(found.names)) == len(found.names) == net.encoding.vocab_size
    stream: Any = net.stream(tmp_path / "tune.mid", 16, seed=1)
    assert stream.prompt.tolist() == found.symbols.tolist()


def test_the_places_of_a_generated_text_begin_with_its_prompt(trained_midi: Path, trained: Path) -> None:
    lengths: list[Callable[[], int]] = [
        lambda: len(load(trained).stream("oh", 5).prompt), lambda: len(load(trained_midi).stream(None, 5).prompt),
    ]  # fmt: skip
    assert [length() for length in lengths] == [2, 0]
