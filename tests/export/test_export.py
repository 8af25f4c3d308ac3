"""A trained network as an ONNX file: it computes what Keras computes, says what it is, and plays by itself."""

import importlib.util
import json
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from exporting import H, V, own, recurrent_layer
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from char_rnn.vocab import Vocabulary
from midi_rnn.encoding import ENCODINGS
from midi_rnn.export import meaning
from midi_rnn.generate import notes_of
from wavenet import export as wavenet_export
from wavenet.model import Shape, WaveNet
from workshop import ROOT, load
from workshop.audio import mu_law
from workshop.errors import UserError
from workshop.export import checking, command_line, play, recurrent
from workshop.export.graph import Graph, Value
from workshop.export.step import Step
from workshop.lessons import Lesson
from workshop.networks.sequence import SequenceModel, WindowDropout
from workshop.notes.midifiles import read
from workshop.run import pretrained
from workshop.run.trained import named

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

#: Symbols, and units of a layer.
TRAINED = [
    "trained", "trained_midi", "trained_performance", "trained_wavenet",
    pytest.param("trained_audio_rnn", marks=pytest.mark.slow),
]  # fmt: skip


def content_of(step: Step, half: bool = False) -> bytes:
    graph = Graph(half)
    step.add(graph)
    return graph.model({})


# ---- what is computed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", TRAINED)
def test_each_lesson_gives_the_logits_of_keras(fixture: str, request: pytest.FixtureRequest) -> None:
    step = load(request.getfixturevalue(fixture)).exported()
    content = content_of(step)
    for sequences in (1, 3):
        difference, largest = checking.largest_difference(content, step, sequences)
        assert difference < 1e-4
        assert largest > 0.1


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_each_cell_and_the_layers_around_it(kind: type) -> None:
    model = own(
        layers.Dense(7, activation="tanh"), recurrent_layer(kind, name="one"), WindowDropout(0.5),
        layers.LayerNormalization(), layers.Dense(5, activation="relu", use_bias=False), layers.Dropout(0.5),
        recurrent_layer(kind, name="two"), layers.Activation("sigmoid"),
    )  # fmt: skip
    step = recurrent.step(model, {})
    difference, largest = checking.largest_difference(content_of(step), step)
    assert difference < 1e-5
    assert largest > 0.5


@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize(("stacks", "depth", "width"), [(2, 4, 2), (1, 3, 3), (1, 1, 2)])
def test_sound_with_conditions_and_any_filter(stacks: int, depth: int, width: int, conditions: int) -> None:
    step = wavenet_export.step(WaveNet(Shape(stacks, depth, width, 5, 4, 7, conditions), seed=1), {})
    content = content_of(step)
    for sequences in (1, 3):
        difference, largest = checking.largest_difference(content, step, sequences)
        assert difference < 1e-5
        assert largest > 0.5


def recurrent_with_conditions(kind: type) -> SequenceModel:
    one, two = (recurrent_layer(kind, name=name) for name in ("one", "two"))
    return own(one, layers.LayerNormalization(), two, conditions=2)


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_each_cell_with_conditions(kind: type) -> None:
    step = recurrent.step(recurrent_with_conditions(kind), {})
    assert step.conditions == 2
    difference, largest = checking.largest_difference(content_of(step), step)
    assert difference < 1e-5
    assert largest > 0.5


@pytest.mark.parametrize(
    "step",
    [
        lambda: wavenet_export.step(WaveNet(Shape(1, 2, 2, 5, 4, 7, 2), seed=1), {}),
        lambda: recurrent.step(recurrent_with_conditions(layers.GRU), {}),
    ],
    ids=["wavenet", "audio_rnn"],
)
def test_a_condition_changes_what_comes_out(step: Callable[[], Step]) -> None:
    made = step()
    session = checking.session(content_of(made))
    ids = np.random.default_rng(0).integers(made.symbols, size=(9, 1)).repeat(2, axis=1)
    first, second = checking.logits(session, ids, np.array([0, 1]))[-1]
    assert np.abs(first - second).max() > 0.01


def test_weights_of_half_the_size_cost_what_is_said() -> None:
    step = recurrent.step(own(recurrent_layer(layers.GRU)), {})
    whole, half = content_of(step), content_of(step, half=True)
    exact, rounded = (checking.largest_difference(content, step)[0] for content in (whole, half))
    assert exact < 1e-5 < rounded < 0.05
    step = recurrent.step(SequenceModel([layers.Embedding(V, 200), layers.Dense(V)]), {})
    assert len(content_of(step, half=True)) < 0.6 * len(content_of(step))


class OwnDense(layers.Dense):
    """Computes something else."""


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (lambda: layers.GaussianNoise(0.1, name="mine"), "because mine is a GaussianNoise"),
        (lambda: OwnDense(H, name="mine"), "because mine is a OwnDense"),
        (lambda: layers.Dense(H, activation="gelu", name="mine"), "because mine has an activation of its own"),
        (lambda: recurrent_layer(layers.GRU, reset_after=False, name="mine"), "because mine has reset_after=False"),
        (lambda: layers.LayerNormalization(scale=False, name="mine"), "because mine normalises otherwise"),
    ],
)
def test_a_layer_that_is_not_known_is_refused(layer: Callable[[], layers.Layer], said: str) -> None:
    with pytest.raises(UserError, match="the network cannot be exported") as refused:
        content_of(recurrent.step(own(layer()), {}))
    assert said in str(refused.value)
    assert "Embedding" in str(refused.value)


def test_layers_of_one_name_are_refused() -> None:
    model = own(recurrent_layer(layers.GRU, name="twin"), recurrent_layer(layers.GRU, name="twin"))
    with pytest.raises(UserError, match=r"two layers in model.py have the same name \(twin, twin\)"):
        content_of(recurrent.step(model, {}))


# ---- what is written -------------------------------------------------------------------------------------------------


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_folder_says_what_the_network_is(trained: Path, run_main: Run, tmp_path: Path) -> None:
    source = Path(shutil.copytree(trained, tmp_path / "songs"))
    (source / "SOURCE.txt").write_text("Given away under CC0 1.0.\n")
    done = run_main(command_line, source, "--to", "new/out")
    assert done.returncode == 0
    out = tmp_path / "new" / "out"
    assert sorted(files(out)) == ["README.txt", "model.json", "model.onnx", "play.py"]
    about = json.loads((out / "model.json").read_text())
    assert play.Network(out / "model.onnx").about == about, "the file alone says it too"
    assert "".join(about["symbols"]) == load(source).symbols
    assert (about["lesson"], about["kind"], about["step"]) == ("char_rnn", "text", 88)
    assert about["network"]["rnn_size"] == 16
    assert str(tmp_path) not in json.dumps(about), "no path of this computer"
    for text in ((out / "README.txt").read_text(), about["source"]):
        assert "Given away under CC0 1.0." in text
    assert "lstm_1_h             [batch, 16] float32" in (out / "README.txt").read_text()
    printed = done.stdout.splitlines()
    assert "differ by at most" in printed[0]
    assert f"written: new/out/model.onnx ({(out / 'model.onnx').stat().st_size:,} bytes)" in printed
    assert printed[-1].split() == ["to", "generate:", "python", "new/out/play.py", "--length", "300"]


def test_nothing_is_overwritten_unasked(trained: Path, run_main: Run, refused: Refused, tmp_path: Path) -> None:
    run_main(command_line, trained, "--to", "out")
    before = files(tmp_path / "out")
    assert refused(command_line, trained, "--to", "out") == (
        "--to out holds an export already: add --overwrite to replace it, or name another folder"
    )
    assert files(tmp_path / "out") == before
    done = run_main(command_line, trained, "--to", "out", "--overwrite", "--half")
    assert "because its weights are rounded to float16" in done.stdout
    after = files(tmp_path / "out")
    assert sorted(after) == sorted(before)
    assert json.loads(after["model.json"])["weights"] == "float16"
    assert len(after["model.onnx"]) < len(before["model.onnx"])


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_folder_of_something_else_is_left_alone(
    overwrite: list[str], trained: Path, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("dear")
    assert "holds something else than an export already" in refused(command_line, trained, "--to", "out", *overwrite)
    assert files(tmp_path / "out") == {"diary.txt": b"dear"}


def test_a_file_is_no_folder(trained: Path, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("dear")
    assert refused(command_line, trained, "--to", "out") == "--to out is a file: name a folder"
    sentence = refused(command_line, trained, "--to", "out/below")
    assert "out/below/model.onnx cannot be written: " in sentence
    assert (tmp_path / "out").read_text() == "dear"


def test_a_network_that_differs_is_not_written(
    trained: Path, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dense = recurrent._dense

    def wrong(graph: Graph, layer: Any, x: Value) -> Value:
        return graph.add("Add", dense(graph, layer, x), np.float32(0.01))

    monkeypatch.setitem(recurrent._ADDERS, layers.Dense, wrong)
    sentence = refused(command_line, trained, "--to", "out")
    assert sentence.startswith("the exported network differs from Keras by 0.01 in logits")
    assert not (tmp_path / "out").exists()


def test_another_checkpoint_is_taken_or_missed(trained: Path, run_main: Run, refused: Refused) -> None:
    assert "latest checkpoint" in run_main(command_line, trained, "--to", "out", "--checkpoint", "latest").stderr
    sentence = refused(command_line, trained, "--to", "out2", "--checkpoint", "7")
    assert sentence.startswith("there is no checkpoint of step 7 in ")


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))


def test_a_missing_package_is_named_with_the_cure(
    trained: Path, run_main: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cure = "-m pip install --require-hashes -r "
    without(monkeypatch, "onnxruntime")
    assert f"not compared with Keras, because onnxruntime is not installed: `python {cure}" in (
        run_main(command_line, trained, "--to", "out").stdout
    )
    without(monkeypatch, "onnx")
    sentence = refused(command_line, trained, "--to", "out2")
    assert f"the export needs onnx, which is not installed: `python {cure}" in sentence
    assert (ROOT / "requirements" / "export.txt").is_file()
    assert not (tmp_path / "out2").exists()


# ---- which experiment ------------------------------------------------------------------------------------------------


@pytest.fixture
def experiments(trained: Path, trained_midi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workshop with experiments of two lessons, and a network that comes with it."""
    monkeypatch.setattr(Lesson, "folder", property(lambda self: tmp_path / self.name))
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    for source, place in (
        (trained, "char_rnn/experiments/01"), (trained_midi, "midi_rnn/experiments/01"),
        (trained, "char_rnn/experiments/02"), (trained, "pretrained/char_rnn/songs"),
    ):  # fmt: skip
        shutil.copytree(source, tmp_path / place)
        (tmp_path / place / "run.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (None, "char_rnn/experiments/02"),
        ("songs", "pretrained/char_rnn/songs"),
        ("char_rnn/songs", "pretrained/char_rnn/songs"),
        ("02", "char_rnn/experiments/02"),
        ("midi_rnn/01", "midi_rnn/experiments/01"),
        ("midi_rnn", "midi_rnn/experiments/01"),
        ("midi_rnn/experiments/01", "midi_rnn/experiments/01"),
    ],
)
def test_an_experiment_is_found_by_its_name(name: str | None, place: str, experiments: Path) -> None:
    (experiments / "songs").mkdir()  # such as an export of it
    (experiments / "pretrained/char_rnn/songs/run.json").touch()
    (experiments / "char_rnn/experiments/02/run.json").touch()
    assert named(name).experiment.path.resolve() == experiments / place


@pytest.mark.parametrize("name", ["03", "char_rnn/03", "nowhere/at all", "x" * 300, ""])
def test_a_name_that_there_is_not_is_answered_in_a_sentence(name: str, experiments: Path) -> None:
    with pytest.raises(UserError, match="there is no experiment"):
        named(name)


def test_a_name_of_two_experiments_is_asked_back(experiments: Path) -> None:
    with pytest.raises(UserError) as asked:
        named("01")
    assert str(asked.value) == (
        "01 may be char_rnn/experiments/01 or midi_rnn/experiments/01: give one of these folders"
    )


def test_where_nobody_has_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lesson, "folder", property(lambda self: tmp_path / self.name))
    with pytest.raises(UserError, match="no experiment yet: name one that comes with the workshop"):
        named(None)


# ---- what is generated -----------------------------------------------------------------------------------------------


def played(folder: Path, *args: str) -> str:
    """What play.py prints, in a Python that finds no workshop."""
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "play.py"), *args], cwd=folder, capture_output=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def exported(folder: Path, run_main: Run, *args: str) -> Path:
    assert run_main(command_line, folder, "--to", "out", *args).returncode == 0
    return Path("out").resolve()


def test_a_text_is_that_of_the_same_seed(trained: Path, run_main: Run) -> None:
    out = exported(trained, run_main)
    text = load(trained).generate(prompt="oh my", length=200, temperature=0.8, seed=3)
    line = ["--prime", "oh my", "--length", "200", "--temperature", "0.8", "--seed", "3"]
    assert played(out, *line) == f"{text}\n"


@pytest.mark.parametrize("form", ["NFC", "NFD", None])
def test_a_prompt_is_spelled_as_the_training_text(form: Literal["NFC", "NFD"] | None) -> None:
    for symbols in ("?eé", "?e\u0301", "?xyz"):
        vocabulary = Vocabulary(symbols)
        about = {"symbols": list(vocabulary.symbols), "normal_form": form, "warm_up": [2]}
        for prompt in ("é", "e\u0301", "xé"):
            wanted = vocabulary.spelled(prompt, form)
            assert play.spelled(prompt, about) == (wanted, [2, *vocabulary.encode(wanted).tolist()])


def test_a_melody_is_that_of_the_same_seed(trained_midi: Path, run_main: Run) -> None:
    out = exported(trained_midi, run_main)
    assert "written: one.mid" in played(out, "--length", "120", "--seed", "5", "--out", "one.mid")
    wanted = load(trained_midi).generate(length=120, seed=5)
    assert len(wanted.notes) > 3
    score = read(out / "one.mid")
    np.testing.assert_allclose(score.pitched[:, :4], wanted.notes)
    assert score.seconds(np.ones(1)) == pytest.approx(60 / wanted.tempo, rel=1e-5)


@pytest.mark.parametrize("limits", [{"longest_note": 30, "voices": 2}, pytest.param(None, marks=pytest.mark.slow)])
def test_a_performance_is_that_of_the_same_seed(
    limits: dict[str, int] | None, trained_performance: Path, run_main: Run, tmp_path: Path
) -> None:
    """With the limits of held keys: hundreds of symbols of a young network that forgets which it holds."""
    experiment = Path(shutil.copytree(trained_performance, tmp_path / "young"))
    record = json.loads((experiment / "run.json").read_text())
    record["data"]["limits"] = limits
    (experiment / "run.json").write_text(json.dumps(record))
    net: Any = load(experiment)
    stream = net.stream(length=300, seed=5)
    wanted = np.concatenate(list(stream.pieces)).tolist()
    network = play.Network(exported(experiment, run_main) / "model.onnx")
    about = network.about
    assert list(network.generate(about["warm_up"], 300, about["temperature"], 5, 0)) == wanted
    notes = play.notes_of(wanted, about)
    assert len(notes) > 10
    if limits:
        assert max(end - start for start, end, *_ in notes) <= limits["longest_note"]


def test_a_sound_has_the_rate_and_the_samples_that_it_was_asked_for(trained_wavenet: Path, run_main: Run) -> None:
    out = exported(trained_wavenet, run_main)
    played(out, "--length", "300", "--seed", "5", "--out", "one.wav")
    with wave.open(str(out / "one.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (4000, 300)
        samples = np.frombuffer(file.readframes(300), "<i2")
    levels = np.round(mu_law.decode(np.arange(256)) * 32767)
    assert np.abs(samples[:, None] - levels).min(axis=1).max() <= 1
    assert len(set(samples.tolist())) > 5


@pytest.mark.parametrize("condition", [0, 1])
def test_the_program_makes_the_sound_of_a_condition(condition: int, tmp_path: Path) -> None:
    step = wavenet_export.step(WaveNet(Shape(1, 2, 2, 5, 4, 7, 2), seed=1), {})
    (tmp_path / "model.onnx").write_bytes(content_of(step))
    prompt = [mu_law.SILENCE] * (step.context + 1)
    wanted = list(prompt)
    for _ in range(20):
        logits = step.reference(np.array(wanted[-len(prompt) :])[:, None], np.array([condition]))
        wanted.append(int(logits[-1, 0].argmax()))
    network = play.Network(tmp_path / "model.onnx")
    coldest = 1e-6  # always the likeliest
    assert list(network.generate(prompt, 20, coldest, 0, condition)) == wanted[len(prompt) :]
    assert len(set(wanted)) > 2


class Facts:
    """What `meaning` reads of the data."""

    def __init__(self, encoding: str):
        self.allowed_symbols, self.tempo, self.warm_up = list(range(ENCODINGS[encoding].vocab_size)), 120.0, [0]
        self.limits = None


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.data())
def test_notes_are_read_as_the_lesson_reads_them(encoding: str, data: st.DataObject) -> None:
    about: dict[str, Any] = meaning(ENCODINGS[encoding], Facts(encoding))  # type: ignore[arg-type]
    # Few pitches, so that notes meet.
    few = [number for number, (word, value) in enumerate(about["symbols"]) if word not in ("on", "off") or value < 3]
    symbols = data.draw(st.lists(st.sampled_from(few), max_size=40))
    notes = np.array(play.notes_of(symbols, about), float).reshape(-1, 4)
    notes[:, :2] /= about["units_per_beat"]
    wanted = notes_of(ENCODINGS[encoding], np.array(symbols, int))
    np.testing.assert_allclose(notes, wanted)


def test_what_the_program_cannot_do_is_said(
    trained_midi: Path, run_main: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = exported(trained_midi, run_main)
    monkeypatch.setattr(play, "__file__", str(out / "play.py"))
    for line, said in (
        ("--condition harp", "there is no condition 'harp': the network knows none"),
        ("--prime oh", "--prime is for networks that write text"),
        ("--length 0", "--length has to be at least 1"),
        ("--temperature nan", "--temperature has to be at least 1e-06"),
        ("--temperature inf", "--temperature has to be at most 1e+06"),
        ("--seed -1", "--seed has to be at least 0"),
        ("--length 3 --out nowhere/one.mid", "nowhere/one.mid cannot be written: No such file or directory"),
    ):
        monkeypatch.setattr(sys, "argv", ["play.py", *line.split()])
        with pytest.raises(SystemExit) as ended:
            play.main()
        assert ended.value.code == 2
        assert capfd.readouterr().err.endswith(f"error: {said}\n")


def test_a_damaged_network_is_said_by_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no network")
    monkeypatch.setattr(play, "__file__", str(tmp_path / "play.py"))
    monkeypatch.setattr(sys, "argv", ["play.py"])
    with pytest.raises(SystemExit) as ended:
        play.main()
    assert ended.value.code == 2
    assert "model.onnx is damaged" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "lesson"), [("verse", "char_rnn"), ("tunes", "midi_rnn")])
def test_the_networks_that_come_with_the_workshop(name: str, lesson: str, run_main: Run) -> None:
    done = run_main(command_line, name, "--to", "out")
    assert "the logits" in done.stdout
    out = Path("out").resolve()
    net = load(pretrained.FOLDER / lesson / name)
    difference, _ = checking.largest_difference((out / "model.onnx").read_bytes(), net.exported(), 1)
    assert difference < 1e-4
    printed = played(out, "--length", "300", "--seed", "1")
    if name == "verse":
        assert len(printed) == 301
        assert printed == f"{net.generate(length=300, seed=1)}\n"
    else:
        assert len(read(out / "generated.mid").pitched) > 20
    assert "CC0 1.0" in (out / "README.txt").read_text()
