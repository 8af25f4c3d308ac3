"""Experiments are put aside or deleted, and nothing else: not the music, and not what a link leads to."""

import fcntl
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from workshop.errors import UserError
from workshop.run import experiment, resetting

NAMES = ("char_rnn", "wavenet")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two lessons with two experiments each, logs, what is kept of music, and the music; the current folder."""
    for name in NAMES:
        for number in ("01", "02"):
            folder = tmp_path / name / "experiments" / number
            (folder / "checkpoints").mkdir(parents=True)
            for file in ("run.json", "log.txt", "checkpoints/best.npz"):
                (folder / file).write_text("x" * 100_000)
    for file in ("music/a.wav", ".workshop/audio/a.samples", ".workshop/lab.log", ".workshop/play_token"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x")
    lessons = [SimpleNamespace(name=name, folder=tmp_path / name) for name in NAMES]
    monkeypatch.setattr(resetting, "lessons", lambda: lessons)
    monkeypatch.setattr(resetting, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reset(clone: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["reset", *arguments])
    resetting.main((clone / ".workshop/audio", clone / ".workshop/midi"))


def files(clone: Path) -> set[str]:
    return {path.relative_to(clone).as_posix() for path in clone.rglob("*") if not path.is_dir()}


def test_experiments_are_put_aside_and_can_be_had_back(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(clone)
    reset(clone, monkeypatch, "char_rnn")
    assert experiment.all_of(clone / "char_rnn") == []
    assert len(experiment.all_of(clone / "wavenet")) == 2
    lines = capsys.readouterr().out.splitlines()
    for line in lines[:-1]:
        here, _, there = line.partition(" is now ")
        assert (clone / there / "checkpoints/best.npz").is_file()
        Path(there).rename(here)
    assert lines[-1] == "to have one back, move it back"
    assert files(clone) == before
    reset(clone, monkeypatch)
    assert not [one for name in NAMES for one in experiment.all_of(clone / name)]
    reset(clone, monkeypatch)
    assert capsys.readouterr().out.endswith("there are no experiments\n")


LOGS = {f"{name}/experiments/{number}/log.txt" for name in NAMES for number in ("01", "02")} | {".workshop/lab.log"}
WAVENETS = {
    f"wavenet/experiments/{number}/{file}"
    for number in ("01", "02")
    for file in ("run.json", "log.txt", "checkpoints/best.npz")
}


@pytest.mark.parametrize(
    ("arguments", "gone"),
    [(["--cache"], {".workshop/audio/a.samples"}), (["--logs"], LOGS), (["--clear", "wavenet"], WAVENETS)],
)
def test_each_deletes_that_alone_after_listing_it(
    arguments: list[str], gone: set[str], clone: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    before = files(clone)
    with pytest.raises(UserError, match="nobody to ask; --yes"):
        reset(clone, monkeypatch, *arguments)
    listed = capsys.readouterr().out.splitlines()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda question: "n")
    reset(clone, monkeypatch, *arguments)
    assert files(clone) == before
    monkeypatch.setattr("builtins.input", lambda question: "y")
    reset(clone, monkeypatch, *arguments)
    assert before - files(clone) == gone
    assert all(any(one.startswith(line.split("  ")[0]) for line in listed) for one in gone)
    reset(clone, monkeypatch, *arguments)
    assert capsys.readouterr().out.endswith("there is nothing to delete\n")


def test_an_experiment_put_aside_beside_the_scripts_is_cleared_as_well(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "char_rnn/experiments/01").rename(clone / "char_rnn/mine")
    reset(clone, monkeypatch, "char_rnn")
    assert len(list(clone.glob("char_rnn/aside/*/mine/run.json"))) == 1
    reset(clone, monkeypatch, "char_rnn", "--clear", "--yes")
    assert not [file for file in files(clone) if file.startswith("char_rnn")]


def test_what_a_link_leads_to_is_not_touched(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = clone / "music"
    os.symlink(elsewhere, clone / ".workshop/midi")
    os.symlink(elsewhere / "a.wav", clone / ".workshop/audio/linked.samples")
    os.symlink(elsewhere, clone / "wavenet/experiments/01/samples")
    moved = clone / "on_another_drive"
    (clone / "wavenet/experiments/02").rename(moved)
    os.symlink(moved, clone / "wavenet/experiments/02")
    reset(clone, monkeypatch, "--cache", "--clear", "--yes")
    assert (elsewhere / "a.wav").read_text() == "x"
    assert (moved / "run.json").is_file()
    assert not list((clone / "wavenet/experiments").iterdir())
    assert not os.path.lexists(clone / ".workshop/midi")


@pytest.mark.parametrize("arguments", [[], ["--clear", "--yes"], ["--logs", "--yes"]])
def test_what_is_being_trained_is_left(arguments: list[str], clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(clone)
    descriptor = os.open(clone / "wavenet/experiments/02/checkpoints", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(UserError, match=r"wavenet/experiments/02 is being trained: stop it first.*trainings"):
            reset(clone, monkeypatch, *arguments)
    finally:
        os.close(descriptor)
    assert files(clone) == before


def test_another_lesson_is_not_guessed(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no lesson is called charrnn: there are char_rnn, wavenet"):
        reset(clone, monkeypatch, "charrnn")
