"""Plans of sweeps: what they stand for, and what is said of mistakes in them."""

from pathlib import Path
from typing import Any

import pytest

from workshop import ROOT
from workshop.errors import UserError
from workshop.sweep import asking
from workshop.sweep.folder import Job
from workshop.sweep.plan import Plan, in_words, read, words
from workshop.sweep.training import arguments_of

GRID = """
lesson = "char_rnn"
[arguments]
num-epochs = 2
smoke = true
[vary]
dropout = [0.0, 0.5]
cell = ["gru", "lstm"]
"""
DRAW = """
lesson = "char_rnn"
draw = {draw}
seed = {seed}
[vary]
learning_rate = {{from = 1e-4, to = 1e-2, log = true}}
rnn_size = {{from = 16, to = 64}}
dropout = {{from = 0, to = 0.5}}
"""


def plan(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read(path)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(UserError) as error:
        plan(tmp_path, text)
    return str(error.value)


def test_a_grid_has_each_combination(tmp_path: Path) -> None:
    found = plan(tmp_path, GRID)
    assert found.lesson.name == "char_rnn"
    assert found.varied == ["dropout", "cell"]
    assert [(trial["dropout"], trial["cell"]) for trial in found.trials] == [
        (0.0, "gru"), (0.0, "lstm"), (0.5, "gru"), (0.5, "lstm"),
    ]  # fmt: skip
    assert all(trial["num_epochs"] == 2 for trial in found.trials)
    assert in_words(found.trials[2], found.varied) == "dropout 0.5, cell gru"


def test_equal_values_of_a_grid_are_one_trial(tmp_path: Path) -> None:
    found = plan(tmp_path, 'lesson = "char_rnn"\n[vary]\ndropout = [0.0, 0, 0.5, 0.5]\nsmoke = [true, 1]')
    assert [tuple(trial.values()) for trial in found.trials] == [(0.0, True), (0.0, 1), (0.5, True), (0.5, 1)]
    assert [words(trial)[-1] for trial in found.trials] == ["--smoke", "--smoke=1"] * 2


def test_words_cannot_become_other_arguments() -> None:
    arguments = {"smoke": True, "quiet": False, "message": "--resume", "dropout": 0.5}
    assert words(arguments) == ["--smoke", "--message=--resume", "--dropout=0.5"]


def test_draws_are_within_their_ranges_different_and_the_same_again(tmp_path: Path) -> None:
    found = plan(tmp_path, DRAW.format(draw=60, seed=1))
    again = plan(tmp_path, DRAW.format(draw=20, seed=1))
    other = plan(tmp_path, DRAW.format(draw=20, seed=2))
    assert found.trials[:20] == again.trials
    assert other.trials != again.trials
    assert len({str(trial) for trial in found.trials}) == 60
    rates: list[Any] = [trial["learning_rate"] for trial in found.trials]
    sizes: list[Any] = [trial["rnn_size"] for trial in found.trials]
    shares: list[Any] = [trial["dropout"] for trial in found.trials]
    assert all(1e-4 <= rate <= 1e-2 for rate in rates)
    assert 15 <= sum(rate < 1e-3 for rate in rates) <= 45, "the logarithm is drawn evenly"
    assert all(type(size) is int and 16 <= size <= 64 for size in sizes)
    assert all(type(share) is float and 0 <= share <= 0.5 for share in shares)


def test_a_smoke_test_has_the_same_trials_and_no_length(tmp_path: Path) -> None:
    halving = "[halving]\nepochs = [1, 2]\n"
    found = plan(tmp_path, GRID.replace("num-epochs = 2\nsmoke = true", "") + halving).smoke()
    assert found.epochs == ()
    assert [trial["cell"] for trial in found.trials] == ["gru", "lstm", "gru", "lstm"]
    assert all(trial["smoke"] is True and trial["size"] == "tiny" for trial in found.trials)


def test_a_smoke_test_of_lengths_has_none_to_tell_of(tmp_path: Path) -> None:
    found = plan(tmp_path, 'lesson = "char_rnn"\n[vary]\nnum_epochs = [5, 9]\ncell = ["gru"]').smoke()
    assert arguments_of(found, Job(2, 1))["message"] == "trial 2: cell gru"


def test_a_plan_of_an_editor_that_marks_utf_8_is_read(tmp_path: Path) -> None:
    assert len(plan(tmp_path, "\ufeff" + GRID).trials) == 4


def test_texts_keep_their_capitals() -> None:
    assert in_words({"data_dir": "Songs/A", "smoke": True}, ["data_dir", "smoke"]) == "data_dir Songs/A, smoke true"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lesson = ", "not valid TOML"),
        ('lesson = "char_rn"\n[vary]\ndropout = [0.1]', 'did you mean "char_rnn"?'),
        ("[vary]\ndropout = [0.1]", "'lesson' is missing"),
        ('lesson = "char_rnn"\nvarry = 1\n[vary]\ndropout = [0.1]', "varry"),
        ('lesson = "char_rnn"\n[vary]', "names at least one argument"),
        ('lesson = "char_rnn"\n[vary]\ndropout = []', "names at least one argument"),
        (GRID + 'resume = [true]', "resume cannot be in a plan"),
        (GRID.replace("smoke = true", "num_epochs = 3"), "stands there twice"),
        (GRID + "drop-out = [1]\ndrop_out = [2]", "stands there twice"),
        (GRID + "smoke = [false]", "smoke stands in both"),
        (GRID + "[halving]\nepochs = [1, 2]", "num_epochs cannot be beside [halving]"),
        ('lesson = "char_rnn"\n[vary]\nseed = [1]\n[halving]\nepochs = [2, 2]', "the epochs of [halving] grow"),
        ('lesson = "char_rnn"\n[vary]\nseed = [1]\n[halving]\nepochs = [2]\nkeep = 1', "a keep of at least 2"),
        (DRAW.format(draw=2, seed=0).replace("draw = 2", ""), "say how many trials"),
        ('lesson = "char_rnn"\ndraw = 9\n[vary]\ncell = ["gru", "lstm"]', "hardly more than 2 different trials"),
        ('lesson = "char_rnn"\ndraw = 2\n[vary]\ndropout = {from = 0, to = 1, log = true}', "begins above 0"),
        ('lesson = "char_rnn"\n[vary]\nseed = [' + "1," * 1001 + "]", "1,001 trials"),
        ('lesson = "char_rnn"\ndraw = 2\n[vary]\ndropout = {from = -1e308, to = 1e308}', "vary"),
        ('lesson = "char_rnn"\n[vary]\ndata_dir = ["a", "b\\u0000"]', "'data_dir' has the character NUL"),
        ('lesson = "char_rnn"\n[arguments]\nmessage = "\\u0000"\n[vary]\nseed = [1]', "'message' has the character"),
        ('lesson = "char_rnn"\ndraw = 2\n[vary]\n"a\\u0000" = {from = 1, to = 2}', "has the character NUL"),
        ("#" * 70_000, "larger than a plan can be"),
    ],
)  # fmt: skip
def test_mistakes_are_said_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    message = refused(tmp_path, text)
    assert said in message
    assert "plan.toml" in message


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("droput = [0.1]", 'no argument droput (did you mean "dropout"?)'),
        ("dropout = [0.1, 2]", "'2' is not"),
        ("rnn_size = [false, 64]", "rnn_size: expected one argument"),
    ],
)
def test_train_py_is_asked_whether_it_takes_the_arguments(tmp_path: Path, argument: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        asking.check(plan(tmp_path, f'lesson = "char_rnn"\n[vary]\n{argument}'))
    assert said in str(error.value)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "plans").glob("*.toml")), ids=lambda path: path.stem)
def test_the_plans_of_the_tutorial_can_be_trained(path: Path) -> None:
    asking.check(read(path))
    assert f"python -m workshop.sweep docs/plans/{path.name}" in path.read_text("utf-8")
