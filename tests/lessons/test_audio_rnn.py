"""Lesson 4: what its network says in training it says in generating, and it learns a sound."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from audio_rnn import dataset, generate, train
from audio_rnn.generate import Generator
from audio_rnn.lesson import LESSON
from audio_rnn.model import build, with_conditions
from workshop import load
from workshop.audio.mu_law import LEVELS, SILENCE
from workshop.audio.synthesis import write_wav
from workshop.networks.gru_engine import GruEngine
from workshop.networks.sampling import SamplingConfig
from workshop.networks.sequence import SequenceModel

RATE = 8000
#: A quiet tone and a loud one, in Hz: no multiples of each other.
TONES = {300: 0.15, 470: 0.3}


def network(cell: str = "gru", **changes: int) -> SequenceModel:
    """A network with weights large enough that the past matters."""
    shape = {"vocab_size": LEVELS, "rnn_size": 8, "num_layers": 2, "cell": cell, "dropout": 0.0, "seed": 1}
    model = build(shape | changes)
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable) + rng.normal(0, 0.5, variable.shape))
    return model


#: Conditions of two streams.
LABELS = np.array([2, 0])


@pytest.fixture(scope="module", params=["gru", "lstm"])
def generator(request: pytest.FixtureRequest) -> Generator:
    """With conditions: by the compiled kernel, and by the loop that runs whatever Keras runs; one for all tests,
    because that is compiled.
    """
    return Generator(network(request.param, conditions=3), LABELS)


def in_training(model: SequenceModel, values: np.ndarray) -> np.ndarray:
    """Logits [T, B, 256] after each of values [T, B], as training computes them."""
    ids = ops.convert_to_tensor(values.astype(np.int32))
    inputs = (ids, ops.convert_to_tensor(LABELS)) if model.conditions else ids
    return np.asarray(model(inputs, model.initial_state(values.shape[1]))[0])


def generated(generator: Generator, prompt: np.ndarray, length: int, seed: int, config: SamplingConfig) -> np.ndarray:
    return np.concatenate(list(generator.generate(prompt, length, seed, config)))


@pytest.mark.parametrize("streams", [1, 4])
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_generation_says_what_training_says(cell: str, streams: int) -> None:
    model = network(cell)
    values = np.random.default_rng(3).integers(0, LEVELS, (20, streams))
    prepared, state = model.prepare(), model.initial_state(streams)
    for row, expected in zip(values, in_training(model, values), strict=True):
        logits, state = model.step(prepared, ops.convert_to_tensor(row), state)
        assert np.abs(np.asarray(logits) - expected).max() < 1e-4


@pytest.mark.parametrize("size", LESSON.sizes)
def test_every_size_generates_what_it_was_trained_to(size: str) -> None:
    shape = {name: LESSON.sizes[size][name] for name in LESSON.network}
    model = build({**shape, "vocab_size": LEVELS, "seed": 0})
    values = np.array([[100], [150], [SILENCE], [7]])
    made = GruEngine(model, np.zeros(1, int))
    ((state, work),) = started = made.start(values[0])
    made.advance(started, values[1:], np.zeros((3, 1)), SamplingConfig())
    assert (state.symbols == 7).all()
    assert np.abs(work.logits - in_training(model, values[:3])[-1]).max() < 1e-4


def test_chrono_begins_with_a_memory_that_the_default_lacks() -> None:
    """Two sounds that differ in their first sample: what is left of it 200 samples later."""
    shape = {"vocab_size": LEVELS, "rnn_size": 8, "num_layers": 1, "cell": "gru", "dropout": 0.0}
    sounds = np.full((200, 2), SILENCE, np.int32)
    sounds[0, 1] = LEVELS - 1
    left = {}
    for name in ("default", "chrono"):
        model = build({**shape, "name": name})
        first, second = np.asarray(model(sounds, model.initial_state(2))[0])[-1]
        left[name] = np.abs(first - second).max()
    assert left["chrono"] > 1e-6 > left["default"]


def test_classic_is_the_network_of_blekota() -> None:
    """But for its first matrix, which an embedding stands for, and Keras' second bias of a GRU."""
    shape = {name: LESSON.sizes["classic"][name] for name in LESSON.network}
    model = build({**shape, "vocab_size": LEVELS, "seed": 0})
    layer = 3 * (256 * 256 + 256 * 256 + 2 * 256)
    assert model.count_params() == 256 * 256 + 3 * layer + 256 * 256 + 256
    windows = ("sample_rate", "seq_length", "batch_size", "learning_rate")
    assert [LESSON.sizes["classic"][name] for name in windows] == [8000, 100, 80, 0.002]


def test_samples_are_drawn_after_silence_and_the_prompt(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Always the likeliest one, so that it can be known; from a prompt that is too long, its end is read."""
    monkeypatch.setattr(generate, "WARM_UP", 20)
    monkeypatch.setattr(generate, "MAX_PROMPT", 10)
    prompt = np.random.default_rng(4).integers(0, LEVELS, (40, 2))
    made = generated(generator, prompt, 3, 1, SamplingConfig(top_k=1))
    heard = np.concatenate([np.full((20, 2), SILENCE), prompt[-10:], made])
    assert (in_training(generator._model, heard)[29:32].argmax(axis=-1) == made).all()


def test_the_same_seed_makes_the_same_sound(generator: Generator) -> None:
    nothing = np.empty((0, 2), np.uint8)
    first, again, other = (generated(generator, nothing, 40, seed, SamplingConfig()) for seed in (1, 1, 2))
    assert first.shape == (40, 2)
    assert (first == again).all()
    assert (first != other).any()
    assert (first[:, 0] != first[:, 1]).any()


def test_what_generates_more_slowly_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Generator(network(), np.zeros(1, int))
    assert capsys.readouterr().err == ""
    Generator(network("rnn"), np.zeros(1, int))
    assert capsys.readouterr().err.endswith("because rnn_1 is a SimpleRNN and no GRU\n")


def test_the_window_is_said_in_milliseconds_and_periods() -> None:
    assert dataset.window_in_words(100, 8000) == (
        "window: 100 samples, 12.5 ms, 1.4 periods of a tone of 110 Hz; the state is carried on to the next"
    )


def test_a_network_takes_a_condition_on_and_loses_it() -> None:
    """As fine-tuning does where only one side has conditions: one that changes nothing, and the mean of all."""
    shape = {"vocab_size": LEVELS, "rnn_size": 8, "num_layers": 2, "dropout": 0.0, "seed": 1}
    values = np.random.default_rng(5).integers(0, LEVELS, (20, 2))
    for cell in ("gru", "lstm", "rnn"):
        plain, named = network(cell), network(cell, conditions=3)
        expected = in_training(plain, values)
        with_one = with_conditions({**shape, "cell": cell}, plain, 1)
        assert [table.shape[0] for table in with_one.conditions] == [1, 1]
        inputs = (ops.convert_to_tensor(values), ops.zeros(2, "int32"))
        assert np.abs(np.asarray(with_one(inputs, with_one.initial_state(2))[0]) - expected).max() < 1e-5
        for table in named.conditions:
            table.assign(np.asarray(table)[:1].repeat(3, axis=0))  # so that the mean is each of them
        without = with_conditions({**shape, "cell": cell, "conditions": 3}, named, 0)
        assert without.conditions == []
        assert np.abs(in_training(without, values) - in_training(named, values)).max() < 1e-4


@pytest.mark.slow
def test_two_tones_are_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two loudest frequencies of what is generated are those of the data, within 1 %."""
    time = np.arange(2 * RATE) / RATE
    for number in range(10):
        sound = sum(level * np.sin(2 * np.pi * hz * time + number) for hz, level in TONES.items())
        noise = np.random.default_rng(number).normal(0, 0.005, len(time))
        write_wav(tmp_path / "data" / f"{number}.wav", sound + noise, RATE)
    where = ["--data_dir", str(tmp_path / "data"), "--experiment_dir", str(tmp_path / "made"), "--size", "tiny"]
    length = ["--num_epochs", "8", "--sample_every", "1000000"]
    monkeypatch.setattr(sys, "argv", ["train.py", *where, *length])
    assert train.main() == 0
    info = json.loads((tmp_path / "made" / "run.json").read_text("utf-8"))
    assert info["best"]["validation"] < min(info["baseline"].values())
    made = load(tmp_path / "made").generate(prompt=tmp_path / "data" / "0.wav", seconds=2, seed=1, temperature=0.7)
    spectrum = np.abs(np.fft.rfft(made.samples * np.hanning(len(made.samples))))
    frequencies = np.fft.rfftfreq(len(made.samples), 1 / RATE)
    for hz in TONES:
        near = np.abs(frequencies - hz) < 60
        assert frequencies[near][spectrum[near].argmax()] == pytest.approx(hz, rel=0.01)
        assert spectrum[near].max() > 10 * np.median(spectrum)
