"""The scripts of lesson 2 as a person runs them."""

import functools
import io
import itertools
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
import tensorflow as tf
from melodies import melody
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from midi_rnn import sample, train
from workshop import ROOT
from workshop.audio.synthesis import RATE
from workshop.notes.midifiles import read, write
from workshop.run import checkpoint

Run = Callable[..., subprocess.CompletedProcess[str]]


def strict_json(path: Path) -> dict:
    """JSON as the standard has it, without Python's NaN and Infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in {path}")

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def ok(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


def opened(path: Path) -> np.ndarray:
    """The notes of a MIDI file [N, 4] in seconds, after other programs have opened it without finding fault."""
    now, down = 0, set()
    for message in mido.merge_tracks(mido.MidiFile(path).tracks):
        assert message.time >= 0
        now += message.time
        if message.type == "note_on" and message.velocity:
            assert message.note not in down, "a key goes down that is down"
            down.add(message.note)
        elif message.type in ("note_on", "note_off"):
            down.remove(message.note)
    assert not down, "a note is stuck"
    midi = pretty_midi.PrettyMIDI(str(path))
    notes = [(n.start, n.end, n.pitch, n.velocity) for i in midi.instruments for n in i.notes]
    table = np.array(sorted(notes), float).reshape(-1, 4)
    assert (table[:, 0] >= 0).all()
    assert (table[:, 1] > table[:, 0]).all()
    assert ((table[:, 2] >= 0) & (table[:, 2] <= 127)).all()
    assert ((table[:, 3] >= 1) & (table[:, 3] <= 127)).all()
    for pitch in np.unique(table[:, 2]):
        same = table[table[:, 2] == pitch]
        assert all(one[1] <= other[0] + 1e-9 for one, other in itertools.pairwise(same))
    return table


def heard(path: Path) -> float:
    """The root mean square of a WAV file, from 0 to 1."""
    with wave.open(str(path)) as sound:
        assert sound.getframerate() == RATE
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    return float(np.sqrt(np.mean((samples / 32768.0) ** 2)))


def seen(path: Path) -> int:
    """The number of colours of a picture."""
    with Image.open(path) as picture:
        picture.load()
        assert picture.size[0] > 300
        return len(picture.convert("RGB").getcolors(1 << 24))


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory, tiny_music: Path) -> Path:
    """A clone in small, with this lesson's scripts and a set of data where older tutorials have them."""
    clone = tmp_path_factory.mktemp("clone") / "with a space"
    shutil.copytree(tiny_music, clone / "data" / "midi" / "x")
    (clone / "data" / "midi" / "x" / "broken.mid").write_bytes(b"MThd")
    for part in ("midi_rnn", "workshop"):
        shutil.copytree(ROOT / part, clone / part, ignore=shutil.ignore_patterns("experiments", "__pycache__"))
    return clone


def in_clone(clone: Path, *command: str, folder: str = "midi_rnn") -> subprocess.CompletedProcess[str]:
    """`cd midi_rnn && python ...` in the clone, with the clone's own modules."""
    return subprocess.run(
        [sys.executable, *command], cwd=clone / folder, capture_output=True, encoding="utf-8", timeout=120,
        env={**os.environ, "PYTHONPATH": str(clone)}, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def saved(tutorial: Path) -> subprocess.CompletedProcess[str]:
    """The old tutorial's training command, made short."""
    args = ["--data_dir", "../data/midi/x", "--experiment_dir", "experiments/01", "--smoke", "--window_size", "20"]
    return ok(in_clone(tutorial, "train.py", *args))


@pytest.fixture
def sampled(run_main: Run) -> Run:
    """Run sample.py in this process; from the test's own folder."""
    return functools.partial(run_main, sample)


# ---- training


def test_a_smoke_run_leaves_a_complete_experiment(tutorial: Path, saved: subprocess.CompletedProcess[str]) -> None:
    experiment = tutorial / "midi_rnn" / "experiments" / "01"
    there = sorted(path.name for path in experiment.iterdir())
    assert there == ["checkpoints", "log.txt", "network.svg", "run.json", "samples", "skipped.txt", "tensorboard"]
    info = strict_json(experiment / "run.json")
    assert info["lesson"] == "midi_rnn"
    assert info["status"] == "finished"
    assert info["step"] == 20
    assert info["network"] == {
        "name": "default", "rnn_size": 64, "num_layers": 1, "cell": "lstm", "dropout": 0.0,
        "vocab_size": 131,
    }  # fmt: skip
    assert info["arguments"]["smoke"] is True
    assert info["arguments"]["seq_length"] == 20
    assert info["arguments"]["encoding"] == "melody"
    data = info["data"]
    assert data["path"] == "data/midi/x"
    assert (data["files"], data["read"], data["used"], data["skipped"]) == (13, 12, 12, 1)
    assert re.fullmatch(r"[0-9a-f]{64}", data["fingerprint"])
    assert sorted(info["baseline"]) == list("12345")
    assert all(0 < loss < 10 for loss in info["baseline"].values())
    assert info["best"]["step"] == 20
    assert 0 < info["best"]["validation"] < math.log(131)
    for name in ("latest", "best"):
        arrays, at = checkpoint.load(experiment / "checkpoints" / f"{name}.npz")
        assert at["step"] == 20
        assert all(np.isfinite(array).all() for array in arrays.values())
    (reason,) = (experiment / "skipped.txt").read_text("utf-8").splitlines()
    assert "broken.mid is cut short" in reason
    assert not list(experiment.rglob("*.part"))
    assert not list(experiment.rglob("*.pkl"))


def test_previews_are_files_that_can_be_heard_and_seen(tutorial: Path, saved: subprocess.CompletedProcess[str]) -> None:
    samples = tutorial / "midi_rnn" / "experiments" / "01" / "samples"
    names = [f"step_0000{step}{suffix}" for step in (10, 20) for suffix in (".mid", ".png", ".wav")]
    assert sorted(path.name for path in samples.iterdir()) == names
    for step in (10, 20):
        assert len(opened(samples / f"step_0000{step}.mid"))
        assert heard(samples / f"step_0000{step}.wav") > 0.005
        assert seen(samples / f"step_0000{step}.png") > 20


def test_tensorboard_has_curves_and_previews(tutorial: Path, saved: subprocess.CompletedProcess[str]) -> None:
    folder = tutorial / "midi_rnn" / "experiments" / "01" / "tensorboard"
    losses = json.loads((folder.parent / "run.json").read_text("utf-8"))["baseline"]
    curves = ["train", "validation", f"baseline/order_{min(losses, key=losses.get)}"]
    events = {curve: EventAccumulator(str(folder / curve), size_guidance={"tensors": 0}) for curve in curves}
    assert {path.parent.relative_to(folder).as_posix() for path in folder.rglob("*events*")} == set(curves)
    for reader in events.values():
        reader.Reload()
        assert {"loss/nats", "loss in bits"} <= set(reader.Tags()["tensors"])
        for event in reader.Tensors("loss/nats"):
            assert math.isfinite(float(tf.make_ndarray(event.tensor_proto)))
    shown = {kind: list(events["train"].PluginTagToContent(kind)) for kind in ("audio", "images", "text")}
    assert shown["text"].pop(0) == "network/layers"
    assert shown == {
        "audio": ["preview/piano"], "images": ["preview/piano roll"], "text": ["preview/notes in numbers"]
    }  # fmt: skip
    for kind, (tag,) in shown.items():
        tensors = {event.step: tf.make_ndarray(event.tensor_proto) for event in events["train"].Tensors(tag)}
        assert sorted(tensors) == [10, 20]
        for step, tensor in tensors.items():
            stem = folder.parent / "samples" / f"step_{step:06d}"
            if kind == "audio":
                samples, rate = tf.audio.decode_wav(tensor[0, 0])
                with wave.open(f"{stem}.wav") as sound:
                    assert (rate, len(samples)) == (sound.getframerate(), sound.getnframes())
            elif kind == "images":
                with Image.open(f"{stem}.png") as picture, Image.open(io.BytesIO(tensor[2])) as in_tensorboard:
                    assert np.array_equal(np.asarray(picture.convert("RGB")), np.asarray(in_tensorboard.convert("RGB")))
            else:
                assert re.match(r"\| +\| +data \| +preview \|\n\| ---", tensor.item().decode())


def test_progress_and_the_farewell_are_told(saved: subprocess.CompletedProcess[str]) -> None:
    assert re.search(r"^data: \.\./data/midi/x: 13 files found, 12 read, 12 used: \d+ notes, \d\.\d minutes$", saved.stdout, re.M)  # noqa: E501 # fmt: skip
    assert re.search(r"^  2,304 sixteenths; held out: 1 of them \(192\)$", saved.stdout, re.M)
    assert re.search(r"^  skipped: .*broken\.mid is cut short", saved.stdout, re.M)
    assert re.search(r"^network: 1 x 64 lstm, [\d,]+ weights$", saved.stdout, re.M)
    assert re.search(r"^step 1/20  epoch \d\.\d\d  loss \d\.\d{3} nats = \d\.\d{3} bits", saved.stderr, re.M)
    assert re.search(r"held-out data: \d\.\d+ nats = \d\.\d+ bits, .*n-gram", saved.stderr)
    assert len(re.findall(r"^    \| ([A-G]#?\d ){3,}", saved.stderr, re.M)) == 2


def test_the_commands_of_the_farewell_work(tutorial: Path, saved: subprocess.CompletedProcess[str]) -> None:
    commands = dict(re.findall(r"^  (to go on|to generate): +python (.*)$", saved.stdout, re.M))
    assert commands.keys() == {"to go on", "to generate"}
    ok(in_clone(tutorial, *shlex.split(commands["to go on"]), "--help"))
    done = ok(in_clone(tutorial, *shlex.split(commands["to generate"]), "-n", "30"))
    files = done.stdout.splitlines()
    assert [Path(file).name for file in files] == [f"{number:02d}.mid" for number in range(1, 11)]
    for file in files:
        opened(tutorial / "midi_rnn" / file)
    assert {Path(file).parent.as_posix() for file in files} == {"experiments/01/generated"}


@pytest.mark.slow
def test_the_old_sampling_command_works(tutorial: Path, saved: subprocess.CompletedProcess[str]) -> None:
    old = "--experiment_dir experiments/01 --data_dir ../data/midi/x --save_dir ../data/midi/generated"
    more = ["--file_length", "40", "--num_files", "2", "--prime_file", "../data/midi/x/tune 03.mid"]
    done = ok(in_clone(tutorial, "sample.py", *old.split(), *more))
    assert done.stdout.splitlines() == ["../data/midi/generated/01.mid", "../data/midi/generated/02.mid"]
    prime = melody(3)
    for file in done.stdout.splitlines():
        notes = opened(tutorial / "midi_rnn" / file)
        assert notes[: len(prime), 2].tolist() == prime[:, 2].tolist()
    assert "experiments/01, best checkpoint (step 20), seed " in done.stderr


@pytest.mark.slow
def test_training_as_a_module_takes_the_next_free_folder(
    tutorial: Path, saved: subprocess.CompletedProcess[str], tiny_midi_arguments: list[str]
) -> None:
    """`python -m midi_rnn.train`; without --experiment_dir the folder lies beside the script, wherever one is."""
    args = ["--data_dir", "data/midi/x", "--smoke", *tiny_midi_arguments, "--encoding", "performance"]
    more = ["--transpose", "1", "--stretch", "0.1", "-m", "a note: \u266a"]
    ok(in_clone(tutorial, "-m", "midi_rnn.train", *args, *more, folder="."))
    info = strict_json(tutorial / "midi_rnn" / "experiments" / "02" / "run.json")
    assert info["message"] == "a note: \u266a"
    assert info["network"]["vocab_size"] == 389
    assert info["arguments"]["stretch"] == 0.1
    assert not (tutorial / "experiments").exists()


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(tiny_music: Path, tiny_midi_arguments: list[str], tmp_path: Path) -> None:
    experiment = tmp_path / "exp"
    args = [*tiny_midi_arguments, "--num_epochs", "1000000", "--transpose", "1"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "midi_rnn" / "train.py"), "--data_dir", str(tiny_music), "--experiment_dir",
         str(experiment), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        # On a slow machine lines about the reading may come before.
        assert next(line for line in lines if line.startswith("compiling the network"))
        assert next(lines).startswith("step 1/")
        assert next(line for line in lines if line.startswith("held-out data: "))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "--resume --experiment_dir" in out
    info = strict_json(experiment / "run.json")
    assert info["status"] == "stopped"
    assert checkpoint.load(experiment / "checkpoints" / "latest.npz")[1]["step"] == info["step"] >= 20


def test_ctrl_c_in_the_middle_of_generating_leaves_nothing(trained_midi: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "midi_rnn" / "sample.py"), "--experiment_dir", str(trained_midi), "-n", "10000000",
         "--out", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr
        assert "checkpoint" in process.stderr.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in err
    assert process.returncode == 130
    assert not (tmp_path / "out").exists()


# ---- sampling


def test_ten_pieces_unless_told_otherwise_and_none_is_overwritten(
    trained_midi: Path, tmp_path: Path, sampled: Run
) -> None:
    experiment = Path(shutil.copytree(trained_midi, tmp_path / "exp"))
    first = ok(sampled("--experiment_dir", experiment, "-n", "40", "--seed", "3")).stdout.splitlines()
    assert first == [str(experiment / "generated" / f"{number:02d}.mid") for number in range(1, 11)]
    before = {file: Path(file).read_bytes() for file in first}
    assert len({opened(Path(file)).tobytes() for file in first}) > 5
    (experiment / "generated" / "12.wav").touch()
    again = ok(sampled("--experiment_dir", experiment, "-n", "40", "--num_samples", "2")).stdout.splitlines()
    assert [Path(file).name for file in again] == ["13.mid", "14.mid"]
    assert {file: Path(file).read_bytes() for file in first} == before


def test_the_printed_seed_plays_the_same_again(trained_midi: Path, tmp_path: Path, sampled: Run) -> None:
    args = ["--experiment_dir", trained_midi, "-n", "100", "--num_samples", "2", "--out"]
    (seed,) = re.findall(r"seed (\d+)", ok(sampled(*args, "one")).stderr)
    ok(sampled(*args, "two", "--seed", seed))
    ok(sampled(*args, "three", "--seed", str(int(seed) ^ 1)))
    played = {
        name: [read(tmp_path / name / f"0{k}.mid").notes.tolist() for k in (1, 2)] for name in ("one", "two", "three")
    }
    assert played["one"] == played["two"]
    assert played["one"] != played["three"]
    assert played["one"][0] != played["one"][1]


@pytest.mark.parametrize("which", ["trained_midi", pytest.param("trained_performance", marks=pytest.mark.slow)])
def test_sound_picture_and_numbers_of_both_encodings(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, sampled: Run
) -> None:
    experiment = request.getfixturevalue(which)
    args = ["--num_samples", "2", "-n", "120", "--wav", "--png", "--stats", "--seed", "5", "--out", "out"]
    done = ok(sampled("--experiment_dir", experiment, *args, "--midi_instrument", "flute", "--temperature", "0.9"))
    lines = done.stdout.splitlines()
    assert lines[:6] == [f"out/0{number}{suffix}" for number in (1, 2) for suffix in (".mid", ".wav", ".png")]
    counted = 0
    for number in (1, 2):
        stem = tmp_path / "out" / f"0{number}"
        counted += len(opened(stem.with_suffix(".mid")))
        assert read(stem.with_suffix(".mid")).parts[0].program == 73
        assert heard(stem.with_suffix(".wav")) > 0.005
        assert seen(stem.with_suffix(".png")) > 20
    assert counted
    summary = strict_json(experiment / "run.json")["data"]["summary"]
    assert re.fullmatch(r"\| +\| +data \| +generated \|", lines[6])
    assert any(re.fullmatch(rf"\| notes +\| +{summary['notes']} \| +{counted} \|", line) for line in lines)


def test_one_piece_goes_to_the_file_that_is_named(trained_midi: Path, tmp_path: Path, sampled: Run) -> None:
    args = ["--experiment_dir", trained_midi, "-n", "60", "--num_samples", "1", "--seed", "1", "--wav"]
    done = ok(sampled(*args, "--out", "new/caf\u00e9 no. 1.mid", "--tempo", "1000", "--midi_instrument", "Violin"))
    assert done.stdout.splitlines() == ["new/caf\u00e9 no. 1.mid", "new/caf\u00e9 no. 1.wav"]
    fast = read(tmp_path / "new" / "caf\u00e9 no. 1.mid")
    assert (fast.parts[0].name, fast.parts[0].program) == ("caf\u00e9 no. 1", 40)
    ok(sampled(*args[:-1], "--out", "slow.mid", "--tempo", "10", "--midi_instrument", "40"))
    slow = read(tmp_path / "slow.mid")
    assert slow.parts[0].program == 40
    assert 60 / fast.tempos[0, 1] == pytest.approx(1000)
    assert 60 / slow.tempos[0, 1] == pytest.approx(10)
    np.testing.assert_array_equal(fast.notes, slow.notes)


def test_without_a_tempo_it_is_that_of_the_data(trained_midi: Path, tmp_path: Path, sampled: Run) -> None:
    ok(sampled("--experiment_dir", trained_midi, "-n", "30", "--num_samples", "1", "--out", "a.mid"))
    tempo = strict_json(trained_midi / "run.json")["data"]["tempo"]
    assert tempo == 117.5
    assert 60 / read(tmp_path / "a.mid").tempos[0, 1] == pytest.approx(tempo, abs=1e-3)


@pytest.mark.parametrize("which", ["trained_midi", "trained_performance"])
def test_pieces_begin_with_the_beginning_that_is_given(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, sampled: Run
) -> None:
    """One that is longer than what is generated, too."""
    prime = melody(20, 8)
    write(tmp_path / "prime.mid", prime, tempo=120)
    args = ["--experiment_dir", request.getfixturevalue(which), "--prime", "prime.mid", "--num_samples", "2"]
    ok(sampled(*args, "-n", "16", "--tempo", "120", "--out", "out"))
    for number in (1, 2):
        notes = opened(tmp_path / "out" / f"0{number}.mid")
        assert notes[: len(prime), 2].tolist() == prime[:, 2].tolist()
        np.testing.assert_allclose(notes[: len(prime), 0], prime[:, 0] / 2, atol=0.011)
        # The last one may be held on.
        np.testing.assert_allclose(notes[: len(prime) - 1, 1], prime[:-1, 1] / 2, atol=0.011)
        assert notes[len(prime) - 1, 1] >= prime[-1, 1] / 2 - 0.011


def test_a_whole_piece_ends_where_the_network_ends_it(
    trained_midi: Path, tmp_path: Path, sampled: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not so the length that is asked for, which may hold several."""
    args = ["--experiment_dir", trained_midi, "--num_samples", "12", "-n", "400", "--seed", "4", "--temperature", "1.3"]
    ok(sampled(*args, "--out", "long"))
    ok(sampled(*args, "--out", "whole", "--whole"))
    shorter = 0
    for number in range(1, 13):
        long, whole = (read(tmp_path / folder / f"{number:02d}.mid").notes for folder in ("long", "whole"))
        assert len(whole) <= len(long)
        np.testing.assert_array_equal(whole, long[: len(whole)])
        shorter += len(whole) < len(long)
    assert shorter


def test_a_silent_piece_is_said_to_be_silent(
    trained_midi: Path, tmp_path: Path, sampled: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midi_rnn.generate.notes_of", lambda encoding, symbols: np.empty((0, 4)))
    args = ["--num_samples", "1", "-n", "5", "--out", "out", "--wav", "--png", "--stats"]
    done = ok(sampled("--experiment_dir", trained_midi, *args))
    assert "01 is silent: train for longer, or give a higher --temperature" in done.stderr
    assert len(opened(tmp_path / "out" / "01.mid")) == 0
    assert heard(tmp_path / "out" / "01.wav") == 0


@pytest.mark.slow
def test_an_experiment_plays_elsewhere_without_its_data(
    tiny_music: Path, tiny_midi_arguments: list[str], tmp_path: Path, run_main: Run
) -> None:
    shutil.copytree(tiny_music, tmp_path / "data")
    args = ["--data_dir", "data", "--experiment_dir", "here", "--smoke", "--sample_every", "1000000"]
    ok(run_main(train, *args, *tiny_midi_arguments))
    sampling = ["-n", "80", "--seed", "5", "--num_samples", "1", "--stats", "--out"]
    before = ok(run_main(sample, *sampling, "before.mid", "--experiment_dir", "here"))
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "here", tmp_path / "elsewhere" / "there")
    shutil.rmtree(tmp_path / "data")
    after = ok(run_main(sample, *sampling, "after.mid", "--experiment_dir", "elsewhere/there"))
    assert after.stdout.replace("after", "before") == before.stdout
    np.testing.assert_array_equal(read(tmp_path / "before.mid").notes, read(tmp_path / "after.mid").notes)


def test_a_file_name_that_is_no_text_can_be_drawn(trained_midi: Path, tmp_path: Path, sampled: Run) -> None:
    name = os.fsdecode(b"caf\xe9.mid")
    args = ["--num_samples", "1", "-n", "20", "--png", "--out", name]
    ok(sampled("--experiment_dir", trained_midi, *args))
    opened(tmp_path / name)
    assert seen((tmp_path / name).with_suffix(".png")) > 20


# ---- help


def test_help_is_instant_and_shows_no_old_spelling(run_script: Run) -> None:
    for script, old in (
        ("train.py", "--window_size"),
        ("sample.py", "--save_dir --data_dir --file_length --num_files --prime_file"),
    ):
        started = time.monotonic()
        done = ok(run_script(f"midi_rnn/{script}", "--help"))
        assert time.monotonic() - started < 5, "on a busy machine; on an idle one it takes a tenth of a second"
        assert "--experiment_dir" in done.stdout
        assert not [spelling for spelling in old.split() if spelling in done.stdout]
        code = (
            f"import sys; sys.argv = ['{script}', '--help']\nimport midi_rnn.{script[:-3]} as script\n"
            "try: script.main()\nexcept SystemExit: pass\nprint({'numpy', 'keras', 'mido'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        assert done.stdout.endswith("set()\n")
