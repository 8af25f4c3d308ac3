"""Lesson 6: what goes round, what is measured, and what sample.py makes of latent values."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import warm as warm_python
from tiny import TINY_GAN

from spectral_gan import sample, train
from spectral_gan.augmentation import augmented
from spectral_gan.dataset import DRAWS, LoopBatches
from spectral_gan.generate import Loops, latent_of
from spectral_gan.judging import Judge
from spectral_gan.learner import PairLearner
from spectral_gan.losses import LOSSES
from spectral_gan.model import NETWORKS, Pair, build
from workshop import ROOT, load
from workshop.audio import latents
from workshop.audio.loop_files import tempo
from workshop.audio.loop_meaning import LoopMeaning
from workshop.audio.loop_spectrogram import LoopSpectrogram
from workshop.errors import UserError
from workshop.run import checkpoint
from workshop.run.learner import Measurement

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

NETWORK: dict[str, Any] = {"frames": 32, "bands": 16, "latent": 8, "channels": 4}


def pair_of(name: str, **changes: Any) -> Pair:
    return build({**NETWORK, "name": name, "seed": 3, **changes})


def beats(count: int, seed: int) -> np.ndarray:
    """Pictures [N, 32, 16] of random strokes on four beats."""
    rng = np.random.default_rng(seed)
    pictures = np.full((count, 32, 16), -1, np.float32)
    for picture in pictures:
        for beat in range(4):
            picture[8 * beat : 8 * beat + rng.integers(1, 5), rng.integers(4) * 4 :][:, :4] = rng.uniform(0, 1)
    return (pictures + rng.normal(0, 0.02, pictures.shape)).clip(-1, 1).astype(np.float16)


# ---- the networks


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_shapes_that_are_asked_for(name: str) -> None:
    pair = pair_of(name)
    pictures = np.asarray(pair(latents.drawn(3, 8, 1)))
    assert pictures.shape == (3, 32, 16)
    assert np.abs(pictures).max() <= 1
    assert pair.discriminator(pictures).shape == (3, 1)
    assert sum(row[3] for row in pair.layer_rows()) == pair.count_params()
    assert f"{NETWORK['latent']} latent values" in pair.in_words()


def test_what_is_made_and_judged_goes_round() -> None:
    """Rolled by a whole pixel of the coarsest layer, a picture is judged alike but for the last dense layer."""
    pair = pair_of("default")
    picture = beats(2, 1).astype(np.float32)
    inner, rolled = picture, np.roll(picture, 16, axis=1)
    for part in pair.discriminator.parts[:-3]:
        inner, rolled = part(inner), part(rolled)
    np.testing.assert_allclose(np.roll(np.asarray(inner), 1, axis=1), rolled, atol=1e-5)


def test_a_description_that_does_not_fit_is_refused() -> None:
    for changes in ({"frames": 24}, {"bands": 0}, {"latent": "9"}, {"width": 3}):
        with pytest.raises(UserError, match="do not describe a network"):
            pair_of("default", **changes)
    with pytest.raises(UserError, match="hold fewer"):
        build({**NETWORK, "channels": 10**6}, 1000)


# ---- what they are trained with


@pytest.mark.parametrize("name", LOSSES)
def test_who_wins_has_less_to_descend(name: str) -> None:
    loss, real, made = LOSSES[name], np.array([2.0], np.float32), np.array([-2.0], np.float32)
    assert float(loss.discriminator(real, made)[0]) < float(loss.discriminator(made, real)[0])
    assert float(loss.generator(made, real)[0]) < float(loss.generator(real, made)[0])


def test_changes_are_those_that_chance_decides() -> None:
    picture = np.full((3, 32, 16), -1, np.float32)
    picture[:, 3:6, 7] = 1
    draws = np.array([[0.5, 0.5, 0.9, 0.2], [0.5, 0.99, 0.9, 0.2], [0.5, 0.5, 0.05, 0.9]], np.float32)
    assert draws.shape[1] == DRAWS
    same, lower, shorter = np.asarray(augmented(picture, draws))
    np.testing.assert_allclose(same, picture[0], atol=1e-6)
    np.testing.assert_allclose(lower, np.roll(picture[1], -2, axis=1), atol=1e-6)
    assert (shorter[2:9] == -1).all()
    softer = np.asarray(augmented(picture[:1], np.array([[0.0, 0.5, 0, 0]], np.float32)))
    assert softer.max() == pytest.approx(0.9)


def test_a_step_draws_the_same_whenever_it_is_taken() -> None:
    pictures = beats(10, 1)
    batches = LoopBatches(pictures, 4, 8, seed=2)
    assert batches.windows == 2
    first, random = batches.window(3, 1)
    assert first.shape == (4, 32, 16)
    assert random.shape == (4, 1, 2 * 8 + DRAWS)
    batches.window(0, 0)
    again = LoopBatches(pictures, 4, 8, seed=2).window(3, 1)
    assert (again[0] == first).all()
    assert (again[1] == random).all()
    assert (random[..., -DRAWS:] >= 0).all()
    seen = np.concatenate([batches.window(5, number)[0] for number in range(2)])
    assert len(np.unique(seen.reshape(8, -1), axis=0)) == 8
    assert LoopBatches(pictures, 32, 8).window(0, 0)[0].shape[0] == 10


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "name"), [("relativistic", "default"), ("bce", "dcgan")])
def test_steps_change_both_networks_and_the_average_follows(loss: str, name: str, tmp_path: Path) -> None:
    pair, average = pair_of(name), pair_of(name)

    def learner(pair: Pair, average: Pair) -> PairLearner:
        return PairLearner(
            pair, average, loss=loss, r1=1.0, is_augmented=True, learning_rate=0.01, momentum=0.0,
            latents=latents.drawn(8, 8, 1), judge=lambda made: Measurement(float(made.std())),
        )  # fmt: skip

    learning, batches = learner(pair, average), LoopBatches(beats(16, 1), 8, 8)
    before = [np.asarray(weight).copy() for weight in pair.trainable_variables]
    for number in range(2):
        batch = batches.window(0, number)
        assert np.isfinite(float(learning.train_discriminator(*batch)))
        assert np.isfinite(float(learning.train_generator(*batch)))
        learning.update_average()
    changed = [
        np.abs(np.asarray(now) - then).max() > 0 for now, then in zip(pair.trainable_variables, before, strict=True)
    ]
    # The bias of the last layer may be in all scores alike.
    assert sum(not one for one in changed) <= 1
    apart = np.asarray(average.generator.trainable_variables[0]) - np.asarray(pair.generator.trainable_variables[0])
    assert 0 < np.abs(apart).max() < 0.1

    arrays = learning.arrays() | learning.averaged()
    other = learner(pair_of(name, seed=9), pair_of(name, seed=9))
    other.restore(arrays, tmp_path)
    batch = batches.window(1, 0)
    assert float(learning.train_discriminator(*batch)) == float(other.train_discriminator(*batch))
    assert float(learning.train_generator(*batch)) == float(other.train_generator(*batch))
    assert learning.evaluate().loss == other.evaluate().loss
    with pytest.raises(KeyboardInterrupt):
        learning.evaluate([2])


# ---- what is measured


def test_the_judge_tells_better_from_worse() -> None:
    train_pictures, held_out, others = beats(200, 1), beats(80, 2), beats(80, 3)
    judge = Judge(train_pictures, held_out)
    real = judge(others.astype(np.float32))
    noise = judge(np.random.default_rng(0).uniform(-1, 1, others.shape))
    same = judge(np.repeat(others[:1], 80, axis=0))
    copied = judge(train_pictures[:80])
    assert real.loss < judge.baseline.best / 2
    assert real.loss < noise.loss
    assert real.loss < same.loss
    assert real.more["precision"] > 0.8
    assert real.more["recall"] > 0.8
    assert noise.more["precision"] < 0.7
    assert not any("mode collapse" in remark for remark in noise.remarks)
    assert same.more["recall"] < 0.1
    assert not real.remarks
    assert any("mode collapse" in remark for remark in same.remarks)
    assert any("balance" in remark for remark in same.remarks)
    assert any("copies" in remark for remark in copied.remarks)
    resumed = Judge(train_pictures, held_out, best=real.loss)
    assert any("balance" in remark for remark in resumed(np.repeat(others[:1], 80, axis=0)).remarks)


# ---- an experiment


@pytest.mark.slow
def test_a_training_leaves_a_complete_experiment(trained_spectral_gan: Path) -> None:
    info = json.loads((trained_spectral_gan / "run.json").read_text("utf-8"))
    assert (info["lesson"], info["status"]) == ("spectral_gan", "finished")
    assert info["data"]["bpm"] == 480
    assert info["data"]["songs_held_out"] == 1
    assert set(info["baseline"]) == {"8", "16", "32"}
    assert len(list((trained_spectral_gan / "samples").glob("step_*.wav"))) == 1
    assert len(list((trained_spectral_gan / "samples").glob("loops_*.png"))) == 1
    (order,) = (trained_spectral_gan / "tensorboard" / "baseline").glob("order_*")
    assert order.name.removeprefix("order_") in info["baseline"]


@pytest.mark.slow
def test_loops_are_what_other_programs_need(trained_spectral_gan: Path) -> None:
    net = load(trained_spectral_gan)
    assert (net.latent_size, net.rate, net.samples, net.bpm, net.beats) == (8, 4000, 2000, 480.0, 4)
    points = latents.drawn(3, 8, 5)
    sounds = net.sounds(points)
    assert sounds.shape == (3, 2000)
    assert sounds.dtype == np.float32
    assert np.abs(sounds).max() <= 1
    assert net.pictures(points).shape == (3, 16, 16)
    np.testing.assert_allclose(net.sounds(points[1:2])[0], sounds[1], atol=1e-4)
    sound = net.generate(latent=points[0], length=4500)
    np.testing.assert_allclose(sound.samples, np.resize(sounds[0], 4500), atol=1e-4)
    assert net.generate(seed=4).samples.tobytes() == net.generate(seed=4).samples.tobytes()
    with pytest.raises(UserError, match="8 latent values"):
        net.sounds(latents.drawn(1, 9, 5))
    with pytest.raises(UserError, match="leave them out"):
        net.stream(top_k=3)


@pytest.mark.slow
def test_files_say_their_tempo_and_ways_are_as_long_as_their_steps(
    trained_spectral_gan: Path, tmp_path: Path, run_main: Run
) -> None:
    begin = ["--experiment_dir", trained_spectral_gan, "--seed", "3", "--out"]

    def made(name: str, *args: str) -> tuple[np.ndarray, tuple[int, float] | None, str]:
        done = run_main(sample, *begin, name, *args)
        assert done.returncode == 0, done.stderr
        file = tmp_path / name / "01.wav"
        return soundfile.read(file, dtype="float32")[0], tempo(file.read_bytes()), done.stderr

    loop, said, printed = made("one", "--png", "--num_samples", "2", "--save_latent", "--bits", "32")
    assert (len(loop), said) == (2000, (4, 480.0))
    assert "4 beats at 480 a minute" in printed
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        f"0{number}.{suffix}" for number in (1, 2) for suffix in ("png", "txt", "wav")
    ]
    again, _, _ = made("again", "--latent", "one/01.txt", "--bits", "32")
    np.testing.assert_allclose(again, loop, atol=1e-4)
    slow, said, _ = made("slow", "--bpm", "240")
    assert (len(slow), said) == (4000, (4, 240.0))
    for way in ("walk", "fade", "pingpong"):
        row, said, _ = made(way, f"--{way}", "3", "--bits", "24")
        assert (len(row), said) == (6000, (12, 480.0))
    long, said, _ = made("long", "--length", "5000")
    assert (len(long), said) == (5000, (10, 480.0))
    single, said, _ = made("single", "--fade", "1")
    assert (len(single), said) == (2000, (4, 480.0))


@pytest.mark.slow
def test_what_cannot_be_made_is_said(refused: Refused, trained_spectral_gan: Path, tmp_path: Path) -> None:
    where = ["--experiment_dir", trained_spectral_gan]
    (tmp_path / "words.txt").write_text("not a number")
    for given, words in (
        ("0.3,0.4", "holds 2 numbers"), ("words.txt", "something else than numbers"),
        ("nowhere.txt", "neither numbers with commas"), (",".join(["inf"] * 8), "not finite"),
    ):  # fmt: skip
        assert words in refused(sample, *where, "--latent", given)
    assert "--to holds 2 numbers" in refused(sample, *where, "--fade", "2", "--to", "0.3,0.4")
    assert "--fade or --pingpong" in refused(sample, *where, "--to", "0.3,0.4")
    assert "choose one" in refused(sample, *where, "--fade", "2", "--walk", "2")
    for way in ("--walk", "--fade", "--pingpong"):
        assert f"{way}: '1000000000000' is not a whole number from 1" in refused(sample, *where, way, f"{10**12}")
    assert "--latent" in refused(sample, *where, "--prime", "a.wav")
    assert "lower --bpm" in refused(sample, *where, "--bpm", "100000")
    assert "higher --bpm" in refused(sample, *where, "--bpm", "0.0001")
    assert "--frames" in refused(train, "--seq_length", "30")
    assert latent_of("1 2, 3", 3).tolist() == [1, 2, 3]


def test_a_tempo_at_which_the_bands_do_not_fit_is_refused() -> None:
    loops = Loops(lambda latents: np.zeros((len(latents), 64, 256), np.float32), LoopSpectrogram(22050, 33075, 64, 256))
    with pytest.raises(UserError, match=r"256 bands .*lower --bpm"):
        loops.at_length(256)
    with pytest.raises(UserError, match="higher --bpm"):
        loops.at_length(np.inf)


@pytest.mark.slow
def test_pictures_of_another_size_are_refused_on_going_on(
    refused: Refused, trained_spectral_gan: Path, loops: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(trained_spectral_gan, tmp_path / "copied")
    args = ["--resume", "--experiment_dir", copied, "--data_dir", loops, "--num_epochs", "9"]
    assert "--frames 32 contradicts" in refused(train, *args, "--frames", "32")
    assert "do not describe a network" in refused(
        train, "--data_dir", loops, *TINY_GAN, "--frames", "24", "--experiment_dir", "new"
    )


@pytest.mark.slow
def test_pictures_of_constant_q_stay_what_they_are(
    run_main: Run, refused: Refused, loops: Path, tmp_path: Path
) -> None:
    args = ["--data_dir", loops, *TINY_GAN, "--num_epochs", "1", "--scale", "constant_q", "--experiment_dir", "cq"]
    done = run_main(train, *args)
    assert done.returncode == 0, done.stderr
    net = load(tmp_path / "cq")
    assert net.spectrogram.scale == net.spectrogram.in_bands.scale == "constant_q"
    assert np.isfinite(net.sounds(latents.drawn(1, 8, 5))).all()
    entries = {name: json.dumps(value) for name, value in net.exported().meaning.items()}
    assert LoopMeaning.read(entries).spectrogram == net.spectrogram  # type: ignore[union-attr]
    for begin in ("--resume", "--init_from"):
        source = ["--experiment_dir"] if begin == "--resume" else []
        again = refused(train, begin, *source, "cq", "--data_dir", loops, "--scale", "mel")
        assert "--scale mel contradicts" in again


@pytest.mark.slow
def test_an_experiment_from_before_there_was_a_choice_of_scale_goes_on(
    run_main: Run, trained_spectral_gan: Path, loops: Path, tmp_path: Path
) -> None:
    older = Path(shutil.copytree(trained_spectral_gan, tmp_path / "older"))
    info = json.loads((older / "run.json").read_text("utf-8"))
    for part in ("arguments", "data"):
        assert info[part].pop("scale") == "mel"
    (older / "run.json").write_text(json.dumps(info), "utf-8")
    assert load(older).spectrogram.scale == "mel"
    done = run_main(train, "--resume", "--experiment_dir", older, "--data_dir", loops, "--num_epochs", "3")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_network_that_does_not_fit_its_data_is_damaged(trained_spectral_gan: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(trained_spectral_gan, tmp_path / "copied"))
    info = json.loads((copied / "run.json").read_text("utf-8"))
    info["data"]["bands"] = 32
    (copied / "run.json").write_text(json.dumps(info), "utf-8")
    with pytest.raises(UserError, match="pictures of other sizes"):
        _ = load(copied).model
    arrays, meta = checkpoint.load(trained_spectral_gan / "checkpoints" / "best.npz")
    checkpoint.save(copied / "checkpoints" / "best.npz", dict(list(arrays.items())[:3]), meta)
    info["data"]["bands"] = 16
    (copied / "run.json").write_text(json.dumps(info), "utf-8")
    with pytest.raises(UserError, match="damaged"):
        _ = load(copied).model


@pytest.mark.slow
def test_the_benchmark_runs(loops: Path, warm: str) -> None:
    command = [sys.executable, ROOT / "benchmarks" / "gan_recipes.py", "--smoke", "--data_dir", loops]
    done = subprocess.run(command, env=warm_python.environment(warm), capture_output=True, text=True, check=True)
    floor, head, _, *rows = done.stdout.splitlines()[-10:]
    assert floor.startswith("training slices: ")
    assert head.startswith("| after 2 steps |")
    assert len(rows) == 7
    assert all(row.count("|") == 7 and "nan" not in row for row in rows)
