"""Lesson 5: frames, the density of the next one, what it has to beat, and sound."""

import argparse
import json
import re
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny import RATE

from spectral_rnn import baseline, dataset, output, sample
from spectral_rnn.dataset import FrameBatches, HeldOutFrames
from spectral_rnn.generate import Frames
from spectral_rnn.model import FrameModel, Shape, build
from spectral_rnn.trained import Trained
from workshop import ROOT, load
from workshop.audio.bands import FLOOR, STEPS, Bands, to_decibels, to_steps
from workshop.audio.generated import MAX_SAMPLES
from workshop.audio.phase import convergence
from workshop.audio.stft import Stft
from workshop.audio.synthesis import write_wav
from workshop.errors import UserError
from workshop.run.batches import StatefulBatches

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

SHAPE = Shape(bands=5, rnn_size=7, num_layers=2, components=3, dropout=0.3)


def frames_like(count: int = 400, bands: int = 5, seed: int = 0) -> np.ndarray:
    """Frames that follow from one another, with jumps now and then: uint8 [count, bands]."""
    rng = np.random.default_rng(seed)
    found = [np.full(bands, 90.0)]
    for _ in range(count - 1):
        spread = 12 if rng.random() < 0.1 else 2
        found.append(90 + 0.9 * (found[-1] - 90) + rng.normal(0, spread, bands) + rng.normal(0, 1))
    return np.clip(np.round(found), 0, STEPS).astype(np.uint8)


@pytest.fixture(scope="module")
def model() -> FrameModel:
    """A network with random weights, all of which count."""
    made, rng = FrameModel(SHAPE, seed=3), np.random.default_rng(4)
    for variable in made.trainable_variables:
        variable.assign(rng.normal(0, 0.4, variable.shape))
    return made


# ---- frames


@pytest.mark.parametrize("count", [2, 20, 40, 65])
def test_bands_share_out_all_frequencies_and_silence_stays_silent(count: int) -> None:
    bands = Bands(Stft(128, 32), 8000, count)
    assert (bands.places[0], bands.places[-1]) == (0, pytest.approx(count - 1))
    steps = np.diff(bands.places)
    assert (steps > 0).all()
    assert (steps <= 1 + 1e-9).all()
    magnitudes = np.abs(np.random.default_rng(0).normal(size=(9, 65))).astype(np.float32)
    levels = bands.levels(magnitudes)
    assert levels.shape == (9, count)
    assert (bands.levels(np.zeros(65)) == FLOOR).all()
    assert not bands.magnitudes(np.full(count, FLOOR)).any()
    if count == 65:  # the linear spectrum: nothing is lost but what is rounded
        back = bands.magnitudes(to_decibels(to_steps(levels)))
        np.testing.assert_allclose(20 * np.log10(back / magnitudes), 0, atol=0.2501)


def test_a_flat_spectrum_keeps_its_level() -> None:
    bands = Bands(Stft(128, 32), 8000, 20)
    flat = np.full((1, 65), 3.0, np.float32)
    np.testing.assert_allclose(bands.magnitudes(bands.levels(flat)), flat, rtol=1e-4)


@pytest.mark.parametrize(
    ("given", "said"), [(("--window", "100", "--hop", "30"), "twice the --hop"), (("--bands", "999"), "513")]
)
def test_frames_that_cannot_be_are_said(given: tuple[str, ...], said: str, tiny_frames: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match=said):
        dataset.frames_of(tiny_frames(*given))


@pytest.fixture
def tiny_frames() -> Callable[..., Any]:
    """The arguments of a training that was given these."""

    def read(*given: str) -> Any:
        asked = dict(zip(given[::2], map(int, given[1::2]), strict=True))
        parts = {"--sample_rate": 8000, "--window": 1024, "--hop": 256, "--bands": 96} | asked
        return argparse.Namespace(target="levels", **{name.removeprefix("--"): value for name, value in parts.items()})

    return read


def test_files_of_one_name_in_two_folders_stay_two(tmp_path: Path) -> None:
    for number, folder in enumerate(("one", "other")):
        time = np.arange(RATE) / RATE
        write_wav(tmp_path / folder / "same.wav", 0.3 * np.sin(2 * np.pi * (300 + 400 * number) * time), RATE)
    sounds = dataset.load(tmp_path, Bands(Stft(128, 32), RATE, 12), 0.5, 0.0)
    assert (sounds.facts.used, sounds.facts.duplicate_files) == (2, 0)
    train, held_out = dataset.in_a_row(sounds)
    # A sound whose length is a multiple of the window loses nothing either.
    assert len(train) == len(held_out) == Stft(128, 32).frames(RATE) == sounds.facts.symbols[0]
    assert train.mean(axis=0).argmax() != held_out.mean(axis=0).argmax()


def test_windows_of_frames_are_those_of_symbols() -> None:
    frames = frames_like()
    order = StatefulBatches(np.arange(len(frames)), 4, 10, seed=2)
    batches = FrameBatches(frames, order)
    inputs, targets = batches.window(1, 3)
    places, after = order.window(1, 3)
    assert (inputs.shape, targets.shape) == ((10, 5, 4), (10, 4, 5))
    assert np.abs(np.swapaxes(inputs, 1, 2) - frames[places]).max() <= 0.5
    assert np.abs(targets - frames[after]).max() <= 0.5
    again, _ = batches.window(1, 3)
    np.testing.assert_array_equal(again, inputs)
    np.testing.assert_array_equal(np.swapaxes(inputs, 1, 2)[1:], targets[:-1])


def test_each_held_out_frame_is_measured_once() -> None:
    frames = frames_like()
    held_out = HeldOutFrames(frames[300:], frames[:300])
    counted, seen = 0.0, []
    for _, targets, weights in held_out:
        counted += weights.sum()
        seen.append(targets[weights > 0])
    assert counted == 100
    found = np.concatenate(seen).round()
    assert sorted(map(tuple, found)) == sorted(map(tuple, frames[300:].astype(float)))


MEASURE = """
import resource, sys
from pathlib import Path
from spectral_rnn import dataset
from workshop import counting
from workshop.audio import library
from workshop.audio.bands import Bands
from workshop.audio.stft import Stft
library.CACHE = Path(sys.argv[2])
counting.FIRST_SECONDS = 0
sounds = dataset.load(Path(sys.argv[1]), Bands(Stft(1024, 256), 22050, 96), 0.1, 0.0)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(sum(sounds.facts.symbols), peak // (1024 if sys.platform == "darwin" else 1))
"""


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage")
def test_the_memory_of_reading_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    """Two minutes each, so that four hours are as many files more; beside the frames themselves, of 96 bytes."""

    def peak(files: int) -> tuple[int, float]:
        folder = tmp_path / f"{files}"
        folder.mkdir()
        for number in range(files):
            noise = np.random.default_rng(number).normal(0, 0.1, 120 * 44100)
            soundfile.write(folder / f"{number}.flac", noise, 44100)
        # Started by a shell, because Linux counts the memory of the process that started it as its own.
        command = [
            "sh",
            "-c",
            '"$@"; exit $?',
            "sh",
            sys.executable,
            "-c",
            MEASURE,
            str(folder),
            str(tmp_path / "cache"),
        ]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        frames, kilobytes = map(int, said.splitlines()[-1].split())
        return frames, kilobytes / 1000

    (few, before), (many, after) = peak(1), peak(8)
    print(f"{before:.0f} MB for {few:,} frames, {after:.0f} MB for {many:,}")
    assert many == 8 * few
    assert after < before + 30 + 2 * (many - few) * 96 / 1e6
    assert after < 1000


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_the_memory_of_reading_does_not_grow_with_the_length_of_a_file(tmp_path: Path) -> None:
    """Beside the frames themselves: 15 minutes take as much as 30, which held in memory would be 317 MB."""

    def peak(minutes: int) -> float:
        noise = np.random.default_rng(0).normal(0, 0.1, 60 * 44100).astype(np.float32)
        folder = tmp_path / f"{minutes}"
        folder.mkdir()
        with soundfile.SoundFile(folder / "long.wav", "w", 44100, 1, "PCM_16") as file:
            for _ in range(minutes):
                file.write(noise)
        command = [sys.executable, "-c", MEASURE, str(folder), str(tmp_path / "cache")]
        said = subprocess.run(
            ["sh", "-c", '"$@"; exit $?', "sh", *command], cwd=ROOT, capture_output=True, text=True, check=True
        )
        frames, kilobytes = map(int, said.stdout.splitlines()[-1].split())
        assert frames == Stft(1024, 256).frames(minutes * 60 * 22050)
        assert re.search(rf"long\.wav: \d+ of {minutes} minutes, \d+:\d\d left", said.stderr)
        return kilobytes / 1000 - 2 * frames * 96 / 1e6

    before, after = peak(15), peak(30)
    print(f"{before:.0f} MB, {after:.0f} MB")
    assert after < before + 60


# ---- the baseline


def test_the_linear_predictor_against_a_plain_one() -> None:
    """Least squares by `lstsq`, and the density of Student's t written out, frame by frame."""
    frames = dataset.with_dither(frames_like(600)).astype(np.float64)
    predictor = baseline.fit(frames[:500], 2)
    rows = np.array([np.concatenate([frames[t - 1], frames[t - 2], [1.0]]) for t in range(2, 500)])
    plain, *_ = np.linalg.lstsq(rows, frames[2:500], rcond=None)
    np.testing.assert_allclose(predictor.weights[:-1], plain[:-1], atol=4e-3)
    held_out, losses = frames[500:], predictor.losses(frames[500:])
    for t in (2, 50, 99):
        error = held_out[t] - np.concatenate([held_out[t - 1], held_out[t - 2], [1.0]]) @ predictor.weights
        assert losses[t - 2] == pytest.approx(-log_student(error, predictor.scale, predictor.freedom))


def log_student(error: np.ndarray, scale: np.ndarray, freedom: float) -> float:
    from scipy import stats

    return float(stats.multivariate_t.logpdf(error, shape=scale, df=freedom))


def test_heavy_tails_are_found_and_worth_having() -> None:
    rng = np.random.default_rng(0)
    errors = rng.standard_t(3, (4000, 1)) * np.ones((1, 2)) + rng.normal(0, 0.5, (4000, 2))
    frames = 90 + np.cumsum(errors, axis=0) * 0.02 + errors
    predictor = baseline.fit(frames, 1)
    assert 1.5 < predictor.freedom < 8
    normal = baseline.Var(predictor.weights, np.cov(errors.T), 1e6)
    assert predictor.losses(frames).mean() < normal.losses(frames).mean()


def test_the_density_is_one() -> None:
    """In one dimension the probabilities of all steps together are 1."""
    predictor = baseline.Var(np.array([[0.5], [40.0]]), np.array([[9.0]]), 2.5)
    places = np.arange(-4000, 4000, 0.5)
    losses = [float(predictor.losses(np.array([[80.0], [place]]))[0]) for place in places]
    assert np.exp(-np.array(losses)).sum() * 0.5 == pytest.approx(1, abs=0.01)


# ---- the network


@pytest.mark.parametrize("order", baseline.ORDERS)
def test_it_begins_as_the_linear_predictor(order: int) -> None:
    frames = dataset.with_dither(frames_like())
    predictor = baseline.fit(frames, order)
    made = FrameModel(Shape(bands=5, rnn_size=4, num_layers=1, components=40, dropout=0.0))
    made.begin_with(predictor)
    predictions, _ = made(np.swapaxes(frames[:-1, None], 1, 2), made.initial_state(1))
    found = np.asarray(made.losses(predictions, frames[1:, None]))[order - 1 :, 0]
    # A mixture of 40 normal distributions is nearly Student's t.
    assert found[5:].mean() == pytest.approx(predictor.losses(frames)[5:].mean(), abs=0.15)


def test_what_it_gives_is_a_density() -> None:
    """In one dimension, summed over a fine grid."""
    made, rng = FrameModel(Shape(1, 3, 1, 4, 0.0)), np.random.default_rng(1)
    for variable in made.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    predictions, _ = made(np.full((1, 1, 1), 90.0, np.float32), made.initial_state(1))
    grid = np.arange(-3000, 3000, 0.25, dtype=np.float32)
    losses = np.asarray(made.losses(tuple(predictions), grid[:, None, None]))
    assert np.exp(-losses).sum() * 0.25 == pytest.approx(1, abs=0.01)


def test_frame_by_frame_is_what_was_trained(model: FrameModel) -> None:
    frames, engine = frames_like(20), Frames(model)
    predictions, _ = model(np.swapaxes(frames[:, None].astype(np.float32), 1, 2), model.initial_state(1))
    state = engine.start()
    for t, frame in enumerate(frames):
        state, likely = engine.read(state, frame[None])
        np.testing.assert_allclose(likely[0, :5], np.asarray(predictions[0])[t, 0], atol=1e-4)
        np.testing.assert_allclose(likely[0, 5:], np.asarray(predictions[1])[t, 0], atol=1e-4)


def test_frames_are_drawn_from_the_density(model: FrameModel) -> None:
    """The mean loss of many draws is the entropy that a grid cannot be summed for: it is that of a second sample."""
    engine = Frames(model)
    _, likely = engine.read(engine.start(), np.full((1, 5), 90.0))
    many = np.repeat(likely, 4000, axis=0)
    rng = np.random.default_rng(0)
    # Levels beyond the ends would be cut off.
    engine._scale = 2.0
    drawn = engine.draw(many, 1.0, rng.random((4000, engine.draws)))
    scaled = (drawn - engine._middle) / engine._scale
    logits, middles, spreads = (np.asarray(part) for part in model.parts(likely[:, 5:]))
    shares = np.exp(logits[0]) / np.exp(logits[0]).sum()
    mean = likely[0, :5] + (shares @ middles[0]) @ engine._bands
    inner = shares @ (np.exp(2 * spreads[0]) + middles[0] ** 2) - (shares @ middles[0]) ** 2
    assert np.abs(scaled.mean(axis=0) - mean).max() < 0.15 * np.sqrt((inner @ engine._bands**2).max())
    cold = engine.draw(many, 1e-6, rng.random((4000, engine.draws)))
    np.testing.assert_allclose(cold, cold[:1].repeat(4000, axis=0), atol=0.05)
    warm = engine.draw(many, 2.0, rng.random((4000, engine.draws)))
    assert warm.std() > drawn.std()


def test_nothing_is_louder_than_what_was_heard(model: FrameModel) -> None:
    loudest = np.array([90, 100, 110, 120, 130])
    engine = Frames(model, loudest)
    drawn = np.concatenate(list(engine.generate(frames_like(5), 200, 1, 0, 3.0)))
    assert (drawn <= loudest).all()
    assert (drawn == loudest).any()


def test_streams_do_not_know_of_each_other(model: FrameModel) -> None:
    engine = Frames(model)
    uniform = np.random.default_rng(0).random((3, engine.draws))
    frame = frames_like(3)
    together, state = engine.step(engine.start(3), frame, 1.0, uniform)
    alone, _ = engine.step(engine.start(1), frame[1:2], 1.0, uniform[1:2])
    np.testing.assert_allclose(together[1:2], alone, atol=1e-3)
    # A state that was kept can be gone back to.
    once_more = [engine.step(state, together, 1.0, uniform)[0] for _ in range(2)]
    np.testing.assert_array_equal(*once_more)


@pytest.mark.parametrize("damage", [{"bands": 0}, {"components": "two"}, {"cell": "gru"}, {"rnn_size": 10**9}])
def test_a_damaged_description_is_refused(damage: dict[str, Any]) -> None:
    good = {"bands": 5, "rnn_size": 4, "num_layers": 1, "components": 2, "dropout": 0.0}
    assert build(good).shape.weights == build(good).count_params()
    with pytest.raises(UserError):
        build({**good, **damage}, most_weights=10_000)


# ---- scripts


def sound_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


def test_a_training_leaves_a_complete_experiment(trained_spectral_rnn: Path) -> None:
    info = json.loads((trained_spectral_rnn / "run.json").read_text("utf-8"))
    assert (info["lesson"], info["status"]) == ("spectral_rnn", "finished")
    assert (list(info["baseline"]), info["baseline_kind"]) == (["1", "2"], "linear predictor")
    assert {name: info["data"][name] for name in ("used", "hop", "window", "bands")} == {
        "used": 10, "hop": 32, "window": 128, "bands": 12,
    }  # fmt: skip
    assert info["best"]["validation"] < min(info["baseline"].values()) + 2
    assert len(list((trained_spectral_rnn / "samples").glob("step_*.wav"))) == 1
    assert (
        trained_spectral_rnn / "tensorboard" / f"baseline/order_{min(info['baseline'], key=info['baseline'].get)}"
    ).is_dir()


def test_sounds_frames_and_fades(trained_spectral_rnn: Path, tmp_path: Path, run_main: Run) -> None:
    experiment = Path(shutil.copytree(trained_spectral_rnn, tmp_path / "copy"))
    args = ["--experiment_dir", experiment, "--seconds", "0.5", "--num_samples", "2", "--seed", "1", "--save_raw"]
    done = run_main(sample, *args)
    assert done.returncode == 0, done.stderr
    files = [Path(line) for line in done.stdout.splitlines()]
    first, second = map(sound_of, files)
    assert len(first) == RATE // 2
    assert (first != second).any()
    assert np.sqrt(np.mean(first**2)) > 0.01
    raw = np.load(files[0].with_suffix(".npy"), allow_pickle=False)
    bands = Trained(load(experiment).experiment).bands
    assert raw.shape == (bands.stft.frames(RATE // 2), 12)
    assert (raw >= FLOOR).all()
    assert convergence(first, bands.magnitudes(raw)[: RATE // 2 // 32], bands.stft) < -3
    faded = run_main(sample, *args, "--fade_in", "0.1", "--fade_out", "0.2", "--out", tmp_path / "faded")
    assert faded.returncode == 0, faded.stderr
    softer = sound_of(tmp_path / "faded" / "01.wav")
    np.testing.assert_allclose(softer[500:1100], first[500:1100], atol=1e-4)
    assert np.abs(softer[:4]).max() < 0.02
    assert np.abs(softer[-4:]).max() < 0.02


def test_live_phase_prompts_and_python(trained_spectral_rnn: Path, tones: Path, tmp_path: Path, run_main: Run) -> None:
    begin = ["--experiment_dir", trained_spectral_rnn, "--length", "900", "--seed", "3"]
    made = {}
    for name, more in {
        "best": [], "live": ["--phase", "live"], "silence": ["--seed_from", "silence"],
        "file": ["--prime", tones / "0.wav"], "with": ["--prime", tones / "0.wav", "--with_prime"],
    }.items():  # fmt: skip
        done = run_main(sample, *begin, *more, "--out", tmp_path / f"{name}.wav")
        assert done.returncode == 0, done.stderr
        made[name] = sound_of(tmp_path / f"{name}.wav")
    assert [len(made[name]) for name in ("best", "live", "silence", "file")] == [900] * 4
    assert len(made["with"]) == 900 + len(sound_of(tones / "0.wav")) // 32 * 32
    assert np.abs(made["best"] - made["live"]).max() > 1e-3
    net = load(trained_spectral_rnn)
    assert net.rate == RATE
    np.testing.assert_allclose(net.generate(length=900, seed=3).samples, made["best"], atol=1e-4)
    np.testing.assert_allclose(net.generate(tones / "0.wav", length=900, seed=3).samples, made["file"], atol=1e-4)


def test_the_single_step_is_that_of_the_scripts(trained_spectral_rnn: Path) -> None:
    net = Trained(load(trained_spectral_rnn).experiment)
    prompt = net.prompt("random", 5)
    whole = np.concatenate(list(net.frames.generate(prompt, 10, 1, 5, 1.0)))[:, 0]
    rng, state, frame = np.random.default_rng(5), net.frames.start(), np.zeros((1, 12))
    for following in prompt:
        state, _ = net.frames.read(state, frame)
        frame = following[None]
    for expected in whole:
        frame, state = net.frames.step(state, frame, 1.0, rng.random((1, net.frames.draws)))
        np.testing.assert_array_equal(frame[0], expected)


def test_what_a_density_has_not_is_said(refused: Refused, trained_spectral_rnn: Path) -> None:
    assert "--temperature" in refused(sample, "--experiment_dir", trained_spectral_rnn, "--top_k", "3")
    with pytest.raises(UserError, match="top_k"):
        load(trained_spectral_rnn).stream(top_k=3)
    with pytest.raises(UserError, match="exported"):
        load(trained_spectral_rnn).exported()


def test_a_checkpoint_without_excerpts_is_damaged(trained_spectral_rnn: Path, tmp_path: Path) -> None:
    from workshop.run import checkpoint

    copied = Path(shutil.copytree(trained_spectral_rnn, tmp_path / "copied"))
    arrays, meta = checkpoint.load(copied / "checkpoints" / "best.npz")
    del arrays[dataset.KEPT_EXCERPTS]
    checkpoint.save(copied / "checkpoints" / "best.npz", arrays, meta)
    with pytest.raises(UserError, match="damaged"):
        load(copied)


def test_a_fade_is_never_longer_than_any_sound() -> None:
    assert [output.fade_samples(seconds, 16_000) for seconds in (0.0, 5e-324, 0.5, 1e308)] == [0, 0, 8000, MAX_SAMPLES]


def test_fades_are_the_same_in_any_pieces() -> None:
    sound = np.ones((100, 1), np.float32)
    whole = np.concatenate(list(output.faded([sound], 100, 10, 20)))
    parts = np.concatenate(list(output.faded(np.split(sound, [3, 50, 95]), 100, 10, 20)))
    np.testing.assert_array_equal(parts, whole)
    assert (whole[10:80] == 1).all()
    assert 0 < whole[0] < 0.2
    assert 0 < whole[-1] < 0.1
    np.testing.assert_array_equal(np.concatenate(list(output.faded([sound], 100, 0, 0))), sound)
