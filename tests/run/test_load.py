"""`from workshop import load`: the trained network of any lesson in Python, and what it refuses."""

import json
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from IPython.lib.pretty import pretty
from PIL import Image
from tiny import RATE

from workshop import ROOT, lessons, load
from workshop.errors import UserError
from workshop.lessons import lesson_of
from workshop.notes.midifiles import read
from workshop.run import checkpoint

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def trained_wavenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of lesson 3, with the weights of steps 4 and 8."""
    made = ROOT / "tests" / "fixtures" / "v1" / "wavenet" / "experiment"
    path = Path(shutil.copytree(made, tmp_path_factory.mktemp("trained_wavenet") / "experiment"))
    arrays, _ = checkpoint.load(path / "checkpoints" / "best.npz")
    for step in (4, 8):
        checkpoint.save(path / "checkpoints" / f"step_{step:06d}.npz", arrays, {"step": step})
    return path


# ---- what is generated


def test_a_text_is_the_one_that_sample_py_writes(trained: Path, run_main: Run) -> None:
    from char_rnn import sample

    net = load(trained)
    text = net.generate(prompt="oh my", length=60, temperature=0.8, seed=3)
    assert isinstance(text, str)
    assert text.startswith("oh my")
    assert len(text) == 65
    options = ["--prime", "oh my", "-n", "60", "--temperature", "0.8", "--seed", "3", "--no_copy_check"]
    assert run_main(sample, "--experiment_dir", trained, *options).stdout == f"{text}\n"
    assert net.generate(length=40, seed=5) == net.generate(length=40, temperature=net.temperature, seed=5)
    assert net.generate(length=40) != net.generate(length=40), "without a seed each is another one"


def test_a_text_shows_itself_as_it_reads_and_is_saved(trained: Path, tmp_path: Path) -> None:
    text = load(trained).generate(prompt="\x1b[2J\n", length=20, seed=1)
    assert pretty(text).startswith("\\x1b[2J\n")
    assert text.save(tmp_path / "songs" / "one.txt").read_text("utf-8") == f"{text}\n"


def test_notes_are_those_that_sample_py_plays(trained_midi: Path, run_main: Run, tmp_path: Path) -> None:
    from midi_rnn import sample

    net = load(trained_midi)
    played = net.generate(length=80, seed=5, midi_instrument="flute")
    options = ["-n", "80", "--seed", "5", "--num_samples", "1", "--midi_instrument", "flute", "--out", "one.mid"]
    assert run_main(sample, "--experiment_dir", trained_midi, *options).returncode == 0
    (tmp_path / "more").mkdir()
    saved = played.save(tmp_path / "more" / "one.mid")  # of the same name, because the file holds it
    assert saved.read_bytes() == (tmp_path / "one.mid").read_bytes()
    assert played.notes.shape[1:] == (4,)
    assert len(played.notes) > 5
    assert read(saved).notes.shape[0] == len(played.notes)
    assert "notes at" in repr(played)


def test_notes_go_on_from_a_file_or_from_its_beginning(trained_midi: Path, tiny_music: Path) -> None:
    net = load(trained_midi)
    tune = tiny_music / "tune 03.mid"
    symbols = net.prompt(tune)
    whole, beginning = (net.generate(prompt=prompt, length=10, seed=1).notes for prompt in (tune, symbols[:32]))
    assert len(whole) > len(beginning) > 0
    begun = net.encoding.decode(symbols[:24])
    np.testing.assert_allclose(beginning[: len(begun) - 1], begun[:-1])


def test_notes_are_saved_as_the_suffix_says(trained_midi: Path, tmp_path: Path) -> None:
    played = load(trained_midi).generate(length=40, seed=5, tempo=90)
    assert played.tempo == 90
    with wave.open(str(played.save(tmp_path / "one.wav"))) as file:
        assert file.getnframes() > 1000
    with Image.open(played.save(tmp_path / "one.png")) as picture:
        assert picture.size[0] > 500
    with pytest.raises(UserError, match=r"one\.ogg: choose \.mid, \.wav or \.png"):
        played.save(tmp_path / "one.ogg")


def test_sound_is_that_of_sample_py(trained_wavenet: Path, run_main: Run, tmp_path: Path) -> None:
    from wavenet import sample

    net = load(trained_wavenet)
    made = net.generate(seconds=0.05, seed=2)
    assert made.samples.dtype == np.float32
    assert made.samples.shape == (RATE // 20,)
    assert made.rate == RATE
    made.save(tmp_path / "two.wav")
    run_main(sample, "--experiment_dir", trained_wavenet, "--seconds", "0.05", "--seed", "2", "--out", "one.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
    assert "<audio" in made._repr_html_()
    # The whole of it as a prompt, from its samples and from its file.
    following = [net.generate(prompt=prompt, length=50, seed=3) for prompt in (made.samples, tmp_path / "two.wav")]
    assert len(following[0].samples) == len(following[1].samples) == 50
    assert (following[0].samples != net.generate(length=50, seed=3).samples).any()


def test_notes_show_a_picture_and_a_player(trained_midi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    load(trained_midi).generate(length=40, seed=5)._ipython_display_()
    assert [type(one).__name__ for one in shown] == ["Image", "Audio"]


def test_one_loop_is_compiled_for_all_temperatures(trained: Path) -> None:
    net = load(trained)
    for temperature in (0.5, 0.8, 1.3):
        net.generate(length=5, temperature=temperature)
    net.generate(length=5, top_k=3, top_p=0.9)
    assert net._generator._piece.experimental_get_tracing_count() == 1


# ---- which experiment


def test_a_checkpoint_can_be_chosen(trained_wavenet: Path) -> None:
    steps = [load(trained_wavenet, checkpoint=which).step for which in (4, 8, "latest", "best")]
    assert steps[:2] == [4, 8]
    assert repr(load(trained_wavenet, 4)) == f"{trained_wavenet}, step_000004 checkpoint (step 4)"
    with pytest.raises(UserError, match="no checkpoint of step 5"):
        load(trained_wavenet, checkpoint=5)
    with pytest.raises(UserError, match=r"checkpoint: 'newest' is not best, latest or the number of a step"):
        load(trained_wavenet, checkpoint="newest")


def test_a_path_is_of_the_current_folder_or_else_of_the_clone(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    folder = clone / "char_rnn" / "experiments" / "01"
    shutil.copytree(trained, folder)
    shutil.copy(ROOT / "char_rnn" / "lesson.py", clone / "char_rnn")
    monkeypatch.setattr(lessons, "ROOT", clone)
    monkeypatch.setattr("workshop.run.trained.ROOT", clone)
    lessons.lessons.cache_clear()
    try:
        monkeypatch.chdir(tmp_path)
        assert load("char_rnn/experiments/01").experiment.path.resolve() == folder
        assert load("char_rnn").experiment.path.resolve() == folder, "the newest"
        monkeypatch.chdir(clone / "char_rnn")
        assert load("experiments/01").experiment.path == Path("experiments/01")
        with pytest.raises(UserError, match=r"there is no experiment .*99: char_rnn has experiments/01"):
            load("char_rnn/experiments/99")
    finally:
        lessons.lessons.cache_clear()


@pytest.mark.parametrize("name", ["toy_rnn", "os", "workshop", "../char_rnn", "", None, ["char_rnn"], {"a": "b" * 999}])
def test_a_lesson_that_is_none_of_the_clone_is_refused(trained: Path, tmp_path: Path, name: object) -> None:
    """Also in the folder of one: the name is only ever compared, and nothing of that name is imported."""
    (tmp_path / "toy_rnn").mkdir()
    (tmp_path / "toy_rnn" / "lesson.py").write_text("raise SystemExit('imported')")
    record = tmp_path / "toy_rnn" / "run.json"
    record.write_text(json.dumps(json.loads((trained / "run.json").read_text("utf-8")) | {"lesson": name}))
    before = set(sys.modules)
    with pytest.raises(UserError, match="which is no lesson of this workshop") as refused:
        load(record.parent)
    assert len(str(refused.value)) < 300 + len(str(record.parent))
    assert ", ".join(lesson.name for lesson in lessons.lessons()) in str(refused.value)
    assert set(sys.modules) == before


def test_what_is_no_experiment_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no experiment .*nothing: name its folder"):
        load(tmp_path / "nothing")
    shutil.copytree(trained, tmp_path / "copy")
    (tmp_path / "copy" / "run.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        load(tmp_path / "copy")
    with pytest.raises(UserError, match="there is no experiment"):
        load("x" * 5000)


def test_a_lesson_is_found_by_its_folder_where_there_is_no_run_json() -> None:
    assert lesson_of(ROOT / "wavenet" / "experiments" / "99").name == "wavenet"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"temperature": 0}, "temperature: '0' is not a number above 0"),
        ({"top_k": 0.5}, "top_k: '0.5' is not a whole number of at least 1"),
        ({"top_p": 2}, "top_p: '2' is not a number above 0 and at most 1"),
        ({"length": -1}, "length: '-1' is not a whole number of at least 1"),
        ({"seed": "x"}, "seed: 'x' is not a whole number from 0 to 4294967295"),
    ],
)
def test_an_invalid_argument_is_named(trained: Path, arguments: dict, sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        load(trained).generate(**arguments)
    assert str(refused.value) == sentence


def test_importing_the_workshop_imports_nothing_heavy() -> None:
    code = "import sys, workshop; workshop.load; print({'numpy', 'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
