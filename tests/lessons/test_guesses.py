"""Lesson 5 with `--target complex`, the exhibit: real and imaginary parts, guessed by the smallest squared error."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import RATE, TINY_SPECTRAL

from spectral_rnn import dataset, sample, train, turning
from spectral_rnn.dataset import FrameInfo
from spectral_rnn.guesses import Guesses
from spectral_rnn.model import GuessModel, Shape, build
from workshop import load
from workshop.audio import audiofiles, drums
from workshop.audio.parts import SIDE, ZERO, Parts, companded, expanded
from workshop.audio.phase import WithPhase
from workshop.audio.stft import Stft
from workshop.errors import UserError
from workshop.run import checkpoint
from workshop.run.voice import Block, Knobs

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

SHAPE = Shape(bands=10, rnn_size=7, num_layers=2, components=1, dropout=0.3, target="complex")
PARTS = Parts(Stft(128, 32), RATE)
GUESSING = [*TINY_SPECTRAL, "--target", "complex", "--learning_rate", "0.003"]


def tone(hertz: float, count: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(count) / RATE + 0.3)


def frames_of(samples: np.ndarray) -> np.ndarray:
    return PARTS.steps(PARTS.stft.analyse(samples))


@pytest.fixture(scope="module")
def model() -> GuessModel:
    """A network with random weights, all of which count."""
    made = GuessModel(SHAPE, seed=3)
    for number, variable in enumerate(made.trainable_variables):
        variable.assign(np.random.default_rng(number).normal(0, 0.4, variable.shape))
    return made


# ---- frames


def test_parts_are_kept_within_half_a_step() -> None:
    steps = np.arange(1, 256)
    np.testing.assert_allclose(companded(expanded(steps)), steps, atol=1e-3)
    assert expanded(np.array([ZERO - SIDE, ZERO, ZERO + SIDE])) == pytest.approx([-1, 0, 1])
    assert (PARTS.steps(np.zeros((2, 65))) == PARTS.silence).all()
    spectra = np.random.default_rng(0).normal(0, 5, (9, 65, 2)) @ np.array([1, 1j])
    found = PARTS.steps(spectra)
    assert found.shape == (9, PARTS.count)
    off = companded(PARTS.values(PARTS.steps(PARTS.spectra(PARTS.values(found))))) - found
    assert np.abs(off).max() < 0.01
    assert PARTS.loudness(PARTS.steps(3 * spectra)).mean() > PARTS.loudness(found).mean()


def test_what_was_analysed_comes_back_with_its_phase() -> None:
    sound = drums.loop(*drums.loops()[0], RATE)
    values = PARTS.values(frames_of(sound))
    whole, blocks = WithPhase(PARTS.stft), WithPhase(PARTS.stft)
    made = whole.add(PARTS.spectra(values))[: len(sound)]
    assert np.linalg.norm(made - sound) < 10 ** (-30 / 20) * np.linalg.norm(sound)
    one_by_one = np.concatenate([blocks.step(PARTS.spectra(one)) for one in values])
    np.testing.assert_allclose(one_by_one[96 : 96 + len(made)], made, atol=1e-6)
    assert not len(whole.finish())


# ---- what it has to beat


def test_a_steady_tone_goes_on_turning() -> None:
    frames = frames_of(tone(500, RATE))[8:-8]
    noise = PARTS.steps(np.random.default_rng(0).normal(0, 5, (len(frames), 65, 2)) @ np.array([1, 1j]))
    for order in (1, 2):
        of_tone, of_noise = (turning.fit(given, PARTS, order) for given in (frames, noise))
        assert np.abs(of_tone.turns[:, 16].sum()) == pytest.approx(1, abs=0.05)
        assert np.abs(of_noise.turns).max() < 0.3
        assert of_tone.losses(frames, PARTS).mean() < of_noise.losses(frames, PARTS).mean()


def test_the_turns_are_those_of_least_squares() -> None:
    frames = frames_of(drums.loop(*drums.loops()[0], RATE))
    numbers = turning.numbers(frames, PARTS)
    found = turning.fit(frames, PARTS, 2).turns
    for frequency in (3, 20):
        known = np.stack([numbers[1:-1, frequency], numbers[:-2, frequency]], axis=1)
        plain, *_ = np.linalg.lstsq(known, numbers[2:, frequency], rcond=None)
        np.testing.assert_allclose(found[:, frequency], plain, atol=2e-3)


# ---- the network


@pytest.mark.parametrize("order", [1, 2])
def test_it_begins_as_the_linear_predictor(order: int) -> None:
    frames = frames_of(drums.loop(*drums.loops()[0], RATE))[:200]
    predictor = turning.fit(frames, PARTS, order)
    made = GuessModel(Shape(PARTS.count, 4, 1, 1, 0.0, "complex"))
    made.begin_with(predictor)
    made.head.assign(np.zeros(made.head.shape))
    inputs = np.swapaxes(frames[:-1, None].astype(np.float32), 1, 2)
    predictions, _ = made(inputs, made.initial_state(1))
    found = np.asarray(made.losses(predictions, frames[1:, None].astype(np.float32)))[order - 1 :, 0]
    np.testing.assert_allclose(found, predictor.losses(frames, PARTS), rtol=1e-3, atol=0.5)


def test_the_best_guess_is_the_mean_which_is_neither(model: GuessModel) -> None:
    """Of two that come equally often, the guess in the middle costs least: half of each, or nothing."""
    one = companded(np.full((1, 1, 10), 0.5)).astype(np.float32)
    other = companded(np.full((1, 1, 10), -0.5)).astype(np.float32)
    spread = np.zeros(1, np.float32)

    def cost(part: float) -> float:
        guess = np.full((1, 1, 10), part * 5847, np.float32)
        return float(sum(np.asarray(model.losses((guess, spread), target)).item() for target in (one, other)))

    assert cost(0) < min(cost(0.5), cost(-0.5), cost(0.2))


def test_frame_by_frame_is_what_was_trained(model: GuessModel) -> None:
    frames = np.random.default_rng(0).integers(1, 256, (20, 10)).astype(np.float32)
    engine = Guesses(model)
    predictions, _ = model(np.swapaxes(frames[:, None], 1, 2), model.initial_state(1))
    state = engine.start()
    for t, frame in enumerate(frames):
        state, likely = engine.read(state, frame[None])
        np.testing.assert_allclose(likely[0] * 5847, np.asarray(predictions[0])[t, 0], rtol=2e-3, atol=0.5)


def test_fed_with_its_own_guesses_it_grows_silent() -> None:
    """As it begins, on noise with a tone in it: after two seconds there is next to nothing left."""
    sound = tone(430, 2 * RATE) * 0.3 + np.random.default_rng(0).normal(0, 0.1, 2 * RATE)
    frames = frames_of(sound)
    made = GuessModel(Shape(PARTS.count, 4, 1, 1, 0.0, "complex"))
    made.begin_with(turning.fit(frames, PARTS, 2))
    made.head.assign(np.zeros(made.head.shape))
    guessed = np.concatenate(list(Guesses(made).generate(frames[:64], 250, 1, 0, 1.0)))[:, 0]
    power = np.square(PARTS.values(guessed)).mean(axis=1)
    assert power[-50:].mean() < 0.01 * np.square(PARTS.values(frames)).mean()
    again = np.concatenate(list(Guesses(made).generate(frames[:64], 250, 2, 9, 0.1)))
    np.testing.assert_allclose(again[:, 1], guessed, atol=1e-3)


def test_a_damaged_description_is_refused() -> None:
    good = {"bands": 10, "rnn_size": 4, "num_layers": 2, "components": 2, "dropout": 0.0, "target": "complex"}
    assert build(good).shape.weights == build(good).count_params()
    for damage in ({"bands": 9}, {"target": "phase"}):
        with pytest.raises(UserError):
            build({**good, **damage})
    facts = {"sample_rate": RATE, "window": 128, "hop": 32, "target": "complex", "symbols": (1, 1)}
    known = {"path": "x", "fingerprint": "x", "files": 1, "used": 1, "skipped": 0, "duplicate_files": 0}
    assert FrameInfo(**facts, **known, bands=130).representation() == PARTS
    with pytest.raises(ValueError, match="parts"):
        FrameInfo(**facts, **known, bands=12)


# ---- scripts


def test_a_training_leaves_a_complete_experiment(trained_guesses: Path) -> None:
    info = json.loads((trained_guesses / "run.json").read_text("utf-8"))
    assert (info["data"]["target"], info["data"]["bands"], info["network"]["target"]) == ("complex", 130, "complex")
    assert list(info["baseline"]) == ["1", "2"]
    assert len(list((trained_guesses / "samples").glob("step_*.wav"))) == 1
    arrays, _ = checkpoint.load(trained_guesses / "checkpoints" / "best.npz")
    assert dataset.KEPT_EXCERPTS in arrays
    assert dataset.KEPT_LOUDEST not in arrays


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_a_resumed_run_is_the_same(tones: Path, run_main: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    begin = ["--data_dir", tones, *GUESSING, "--smoke", "--sample_every", "1000000"]
    for name, steps, args in (("ten", 6, begin), ("parts", 3, begin), ("parts", 6, ["--resume", "--smoke"])):
        monkeypatch.setattr(train, "SMOKE_STEPS", steps)
        done = run_main(train, "--experiment_dir", name, *args)
        assert done.returncode == 0, done.stderr
    for name in ("ten", "parts"):
        arrays, meta = checkpoint.load(Path(name) / "checkpoints" / "latest.npz")
        found.append({key: array.tobytes() for key, array in arrays.items()} | {"step": meta["step"]})
    assert found[0] == found[1]


def test_it_sounds_in_files_and_in_python(trained_guesses: Path, tmp_path: Path, run_main: Run) -> None:
    copied = shutil.copytree(trained_guesses, tmp_path / "copied")
    asked = ["--experiment_dir", copied, "--length", "900", "--seed", "3", "--save_raw"]
    done = run_main(sample, *asked, "--out", tmp_path / "a.wav")
    assert done.returncode == 0, done.stderr
    written = audiofiles.read(tmp_path / "a.wav", RATE)
    net = load(copied)
    made = net.generate(length=900, seed=3).samples
    np.testing.assert_allclose(written, made - made.mean(), atol=1e-3)
    assert len(made) == 900
    raw = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert (raw.shape[1], np.abs(raw).max() <= 1) == (130, True)
    assert "real and imaginary parts" in done.stderr


@pytest.mark.parametrize("asked", [("--temperature", "0.5"), ("--num_samples", "2"), ("--phase", "live")])
def test_what_a_guess_has_not_is_said(trained_guesses: Path, asked: tuple[str, str], refused: Refused) -> None:
    said = refused(sample, "--experiment_dir", trained_guesses, *asked)
    assert "--target complex" in said
    assert said.endswith(f"leave out {asked[0]}")


def test_it_answers_live(trained_guesses: Path) -> None:
    net = load(trained_guesses)
    heard = tone(300, RATE).astype(np.float32)
    found = []
    for cut in (64, 500):
        voice = net.voice("continuous", 1)
        pieces = np.split(heard, range(cut, len(heard), cut))
        found.append(np.concatenate([voice.process(Block(piece), Knobs()).samples for piece in pieces]))
    np.testing.assert_array_equal(*found)
    assert np.std(found[0]) > 1e-3
    call = net.voice("call", 1)
    assert not call.process(Block(heard), Knobs()).samples[: RATE // 2].any()


def test_the_targets_do_not_mix(trained_guesses: Path, tones: Path, refused: Refused) -> None:
    levels = [argument for argument in GUESSING if argument not in ("--target", "complex")]
    said = refused(train, "--data_dir", tones, *levels, "--target", "levels", "--init_from", trained_guesses)
    assert "target" in said
