"""An experiment goes on in any folder, in a moved clone and with moved data; a copied one samples."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from records import entries

from char_rnn import sample, train
from workshop import ROOT, places
from workshop.places import found, kept
from workshop.run import experiment


def resume(root: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Go on with the newest experiment of lesson 1 in the clone `root`, standing in `folder`."""
    command = [sys.executable, os.path.relpath(root / "char_rnn" / "train.py", folder), "--resume", *args]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(root)}
    )


def test_a_path_in_the_clone_is_kept_relative_to_its_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT / "char_rnn")
    assert kept("../data/lyrics/starter") == kept(ROOT / "data/lyrics/starter") == "data/lyrics/starter"
    assert found("data/lyrics/starter") == Path("../data/lyrics/starter")
    assert kept(tmp_path / "songs") == str(tmp_path / "songs")
    assert found(str(tmp_path / "songs")) is None
    assert found("x" * 300) is None
    assert found("\0") is None


def test_a_link_stays_as_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root, stick = tmp_path / "clone", tmp_path / "stick" / "music"
    (root / "data").mkdir(parents=True)
    stick.mkdir(parents=True)
    (stick.parent / "other").mkdir()
    (root / "data" / "mine").symlink_to(stick)
    monkeypatch.setattr(places, "ROOT", root)
    assert kept(root / "data" / "mine") == "data/mine"
    assert kept(root / "data" / "mine" / ".." / "other") == str(stick.parent / "other")
    assert kept(root) == "."


def test_a_path_of_an_older_experiment_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("clone/data/x", "clone/char_rnn/mine", "here/songs"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(places, "ROOT", tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "here")
    for typed in ("data/x", "../data/x", "mine", "songs"):
        there = found(typed, "char_rnn")
        assert there is not None, typed
        assert there.is_dir()


@pytest.mark.slow
def test_a_training_goes_on_in_any_folder_and_in_a_moved_clone(
    tree: Path, tmp_path: Path, tiny_arguments: list[str]
) -> None:
    """Started in the root as the demo is, gone on with in the lesson's folder, in the root, and after a move."""
    (tree / "data/lyrics/mine").mkdir()
    songs = (tree / "data/lyrics/starter/a01_two_minutes_old.txt").read_text("utf-8") * 8
    (tree / "data/lyrics/mine/song.txt").write_text(songs, "utf-8")
    command = [sys.executable, "char_rnn/train.py", "--data_dir", "data/lyrics/mine", *tiny_arguments]
    begun = subprocess.run(
        [*command, "--num_epochs", "1"], cwd=tree, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )  # fmt: skip
    assert begun.returncode == 0, begun.stderr
    record = json.loads((tree / "char_rnn/experiments/01/run.json").read_text("utf-8"))
    assert record["data"]["path"] == "data/lyrics/mine"

    moved = tmp_path / "elsewhere"
    done = resume(tree, tree / "char_rnn", "--num_epochs", "2")
    assert done.returncode == 0, done.stderr
    tree.rename(moved)
    done = resume(moved, moved / "char_rnn", "--num_epochs", "3")
    assert done.returncode == 0, done.stderr
    assert "data: ../data/lyrics/mine" in done.stdout
    assert json.loads((moved / "char_rnn/experiments/01/run.json").read_text("utf-8"))["epoch"] == 3


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("typed", ["", "../data/mine", "data/mine"])
def test_an_older_record_goes_on(
    typed: str, trained: Path, tiny_text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    run_main: Callable[..., subprocess.CompletedProcess[str]],
) -> None:  # fmt: skip
    """Its argument is relative to a folder of long ago; the clone has moved, or the description has the whole path."""
    shutil.copytree(trained, tmp_path / "old")
    record = json.loads((tmp_path / "old/run.json").read_text("utf-8"))
    record["format"] = 1
    record["arguments"] |= {"data_dir": typed or "some/folder", "message": ""}
    record["data"]["path"] = str(tiny_text) if not typed else "/there/was/once"
    (tmp_path / "old/run.json").write_text(json.dumps(record), "utf-8")
    shutil.copytree(tiny_text, tmp_path / "clone/data/mine")
    (tmp_path / "clone/char_rnn").mkdir()
    monkeypatch.setattr(places, "ROOT", tmp_path / "clone")
    done = run_main(train, "--resume", "--experiment_dir", "old", "--num_epochs", "3")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_data_that_moved_is_named_and_can_be_given_once(
    trained: Path, tiny_text: Path, tmp_path: Path, run_main: Callable[..., subprocess.CompletedProcess[str]],
) -> None:  # fmt: skip
    shutil.copytree(trained, tmp_path / "old")
    record = json.loads((tmp_path / "old/run.json").read_text("utf-8"))
    record["data"]["path"] = "/there/was/once"
    (tmp_path / "old/run.json").write_text(json.dumps(record), "utf-8")
    done = run_main(train, "--resume", "--experiment_dir", "old", "--num_epochs", "3")
    assert done.returncode == 2
    assert "the data of old is not in /there/was/once any more" in done.stderr
    assert "--data_dir" in done.stderr
    shutil.copytree(tiny_text, tmp_path / "new place")
    for epochs, more in (("3", ["--data_dir", "new place"]), ("4", [])):
        done = run_main(train, "--resume", "--experiment_dir", "old", "--num_epochs", epochs, *more)
        assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "old/run.json").read_text("utf-8"))
    assert record["data"]["path"] == str(tmp_path / "new place")


def test_one_that_was_copied_without_its_data_samples(
    trained: Path, tmp_path: Path, run_main: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    shutil.copytree(trained, tmp_path / "copied")
    record = json.loads((tmp_path / "copied/run.json").read_text("utf-8"))
    record["data"]["path"] = "data/of/another/computer"
    (tmp_path / "copied/run.json").write_text(json.dumps(record), "utf-8")
    done = run_main(sample, "-n", "20", "--experiment_dir", "copied")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 15
    assert "copied passages were not searched for: the training text, " in done.stderr


def test_an_experiment_is_found_by_its_number_or_its_place_in_the_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = tmp_path / "some_rnn"
    path = experiment.create(lesson, None, **entries()).path
    monkeypatch.chdir(tmp_path)
    for name in ("some_rnn/experiments/01", "experiments/01", "01"):
        assert experiment.find(lesson, name).path.resolve() == path.resolve()
