"""`--config FILE`: names and values of arguments, of a file or of an experiment's run.json; the command line wins."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parsers import LESSON, refuse, sample_parser, train_parser

from char_rnn import sample, train
from midi_rnn import train as midi_train
from workshop.run import arguments


@pytest.fixture
def config(tmp_path: Path) -> Callable[[Any], str]:
    """Write a settings file, YAML from a text and JSON from anything else, and return its name."""

    def write(content: Any) -> str:
        path = tmp_path / ("Mine.yml" if isinstance(content, str) else "Mine.json")
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    "content",
    [
        "rnn_size: 24\nlearning-rate: 1e-3\nsmoke: true\nmessage: no\npatience:\n",
        {"rnn_size": 24, "learning_rate": 0.001, "smoke": True, "message": "no", "patience": None},
    ],
)
def test_a_setting_is_an_argument(config: Callable[[Any], str], content: Any) -> None:
    args = train_parser().read(["--config", config(content)])
    assert (args.rnn_size, args.learning_rate, args.smoke, args.message) == (24, 0.001, True, "no")
    assert args.given == {"config", "rnn_size", "learning_rate", "smoke", "message"}
    assert (args.patience, args.seed) == (None, 0)


def test_the_command_line_wins(config: Callable[[Any], str]) -> None:
    file = config("rnn_size: 24\nseed: 3\n")
    for argv in (["--config", file, "--rnn_size", "7"], ["--rnn_size=7", f"--config={file}"]):
        args = train_parser().read(argv)
        assert (args.rnn_size, args.seed) == (7, 3)
        assert args.given == {"config", "rnn_size", "seed"}


def test_a_typed_size_wins_over_its_parts_in_the_file(config: Callable[[Any], str]) -> None:
    """As where the file is the run.json of a larger network, in which all parts stand."""
    file = config({"size": "small", "rnn_size": 16, "num_layers": 2, "seed": 3})
    args = train_parser().read(["--config", file, "--size", "tiny", "--num_layers", "5"])
    arguments.apply_size(args, LESSON)
    assert (args.size, args.rnn_size, args.num_layers, args.seed) == ("tiny", 8, 5, 3)


def test_older_spellings_are_settings_too(config: Callable[[Any], str]) -> None:
    assert train_parser().read(["--config", config("window_size: 9\nmodel: gru")]).seq_length == 9
    assert sample_parser().read(["--config", config({"num_files": 3})]).num_samples == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("rnn_sise: 24", ["no argument rnn_sise", 'did you mean "rnn_size"?']),
        ({"Dropuot": 0.5}, ["no argument Dropuot", '"dropout"']),
        ("zzz: 1", ["no argument zzz"]),
        ("help: true", ["no argument help"]),
        ("config: other.yml", ["no argument config"]),
        ("rnn_size: big", ["rnn_size is not valid", "'big'"]),
        ({"rnn_size": 2.5}, ["rnn_size is not valid", "'2.5'"]),
        ("rnn_size: [1, 2]", ["rnn_size takes one value, not several"]),
        ("rnn_size: true", ["rnn_size takes one value, not true"]),
        ("rnn_size: {a: 1}", ["no argument rnn_size.a"]),
        ('init_from: "a\\0b"', ["init_from has the character NUL"]),
        ({"message": "\0"}, ["message has the character NUL"]),
        ("cell: nas", ["cell is not valid", "'nas'"]),
        ("dropout: .nan", ["dropout is not valid"]),
        ("smoke: yes", ["smoke is a switch", "'yes'"]),
        ({"smoke": 1}, ["smoke is a switch"]),
        ("seq_length: 3\nwindow_size: 4", ["window_size is given twice", "seq_length"]),
        ("optimizer: adam", ["optimizer is no longer an argument", "Adam"]),
        ("net: {batch_size: 8}", ["net.batch_size is no longer an argument", "--batch_size"]),
        ("net:\n  metrics: []\n", ["net.metrics is no longer an argument"]),
        ("rnn_size: [1", ["is damaged"]),
    ],
)
def test_a_mistake_is_one_sentence_with_the_file_and_the_nearest_name(
    config: Callable[[Any], str], content: Any, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = config(content)
    line = refuse(train_parser(), capsys, "--config", file, "--seed", "1")
    for word in (file, *words):
        assert word in line


def test_a_setting_that_is_overruled_is_checked_all_the_same(
    config: Callable[[Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "'big'" in refuse(train_parser(), capsys, "--config", config("rnn_size: big"), "--rnn_size", "7")


# ---- an experiment's run.json ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_a_run_is_trained_again_by_its_run_json(
    trained: Path, run_main: Callable[..., Any], tmp_path: Path, refused: Callable[..., str]
) -> None:
    again = tmp_path / "again"
    done = run_main(train, "--config", trained / "run.json", "--experiment_dir", again, "--num_epochs", "1")
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((path / "run.json").read_text()) for path in (trained, again))
    assert second["arguments"] == first["arguments"] | {"num_epochs": 1}
    assert [second[name] for name in ("network", "message")] == [first[name] for name in ("network", "message")]
    assert second["data"] == first["data"]
    assert "config" not in second["arguments"]
    # To go on, the settings are arguments: what would change the run is refused.
    file = tmp_path / "other.yml"
    file.write_text("rnn_size: 99\n")
    assert "--rnn_size 99 contradicts the experiment" in refused(
        train, "--resume", "--experiment_dir", again, "--config", file
    )
    file.write_text("rnn_size: 16\nnum_epochs: 2\n")
    assert run_main(train, "--resume", "--experiment_dir", again, "--config", file).returncode == 0
    assert json.loads((again / "run.json").read_text())["epoch"] == 2


def test_a_run_json_is_the_experiment_to_sample_from(trained: Path, run_main: Callable[..., Any]) -> None:
    done = run_main(sample, "--config", trained / "run.json", "-n", "20", "--seed", "1", "--no_copy_check")
    assert done.stdout == run_main(
        sample, "--experiment_dir", trained, "-n", "20", "--seed", "1", "--no_copy_check"
    ).stdout  # fmt: skip


def test_a_run_of_another_lesson_or_a_damaged_one_is_refused(
    trained: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    assert "is an experiment of char_rnn, not of midi_rnn" in refused(
        midi_train, "--config", trained / "run.json", "--data_dir", "nowhere"
    )
    copy = tmp_path / "run.json"
    shutil.copy(trained / "run.json", copy)
    content = json.loads(copy.read_text())
    del content["data"]["path"]
    copy.write_text(json.dumps(content))
    assert "its entry 'data.path' is missing" in refused(train, "--config", copy)
    content["format"] = 99
    copy.write_text(json.dumps(content))
    assert "has the format 99" in refused(train, "--config", copy)
