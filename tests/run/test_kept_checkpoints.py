"""--keep_every keeps numbered checkpoints, also of a run that is stopped and resumed; --checkpoint STEP reads one.

These trainings are not compiled; reliability/test_kill.py has the compiled ones, of each lesson.
"""

import json
import shutil
import signal
import subprocess
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_training import content, fit, kill, make
from tiny import LESSONS, without_xla

from char_rnn import sample
from workshop.errors import UserError
from workshop.run import checkpoint, experiment
from workshop.run.experiment import Experiment
from workshop.run.session import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

#: Of 24 steps in 4 epochs; some of the steps that are kept are those of a save, or of an epoch's end.
SETTINGS: dict[str, Any] = {"num_epochs": 4, "save_every": 4, "keep_every": 3, "sample_every": 8}
KEPT = [3, 6, 9, 12, 15, 18, 21, 24]


class Killed(BaseException):
    """Ends a training as kill -9 does: nothing that it leads to is saved."""


def kept_in(path: Path) -> dict[str, bytes]:
    """The kept checkpoints of an experiment with their content."""
    return {file.name: file.read_bytes() for file in sorted((path / "checkpoints").glob("step_*"))}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment that was trained in one go."""
    path = tmp_path_factory.mktemp("kept") / "straight"
    with pytest.MonkeyPatch.context() as patch:
        without_xla(patch)
        assert fit(make(path, **SETTINGS)) == 0
    return path


@pytest.fixture
def quick(straight: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainings of this test are not compiled."""
    without_xla(monkeypatch)


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained experiment."""
    return Path(shutil.copytree(trained, tmp_path / "copied"))


# ---- kept


@pytest.mark.usefixtures("quick")
def test_the_averaged_weights_of_each_so_many_steps_are_kept(tmp_path: Path) -> None:
    trainer = make(tmp_path / "a", max_steps=8, keep_every=3)
    weights = []
    count = trainer.count

    def counting(loss: Any) -> None:
        weights.append(np.asarray(trainer.learner.average.table).copy())
        count(loss)

    trainer.count = counting
    fit(trainer)
    assert list(kept_in(tmp_path / "a")) == ["step_000003.npz", "step_000006.npz"]
    assert trainer.experiment.kept_steps == [3, 6]
    for step in (3, 6):
        arrays, meta = checkpoint.load(trainer.experiment.kept(step), checkpoint.Saved)
        assert meta.step == step
        assert arrays.keys() == {"average/0"}
        assert (arrays["average/0"] == weights[step - 1]).all()


@pytest.mark.usefixtures("quick")
def test_nothing_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert fit(make(tmp_path / "a", max_steps=3, save_every=1)) == 0
    assert kept_in(tmp_path / "a") == {}


@pytest.mark.usefixtures("quick")
def test_keeping_changes_nothing_else(straight: Path, tmp_path: Path) -> None:
    assert fit(make(tmp_path / "a", **{**SETTINGS, "keep_every": None})) == 0
    assert content(tmp_path / "a") == content(straight)


@pytest.mark.usefixtures("quick")
def test_in_parts_the_same_are_kept_as_in_one_go(straight: Path, tmp_path: Path) -> None:
    assert [Experiment(straight, {}).kept(step).name for step in KEPT] == list(kept_in(straight))
    path = tmp_path / "parts"
    assert fit(make(path, **{**SETTINGS, "num_epochs": 2})) == 0
    assert fit(make(path, preview=kill(signal.SIGINT, 16), **SETTINGS)) == 130
    assert fit(make(path, **SETTINGS)) == 0
    assert content(path) == content(straight)
    assert kept_in(path) == kept_in(straight)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("after", "before"),
    [("latest", "step_000003"), ("step_000003", "best"), ("step_000009", "step_000012"), ("step_000012", "latest")],
)
def test_killed_between_two_saves_the_same_are_kept(
    after: str, before: str, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, save = [""], checkpoint.save

    def killing(path: Path, *content: Any) -> None:
        if (saved[-1], path.stem) == (after, before):
            # What kill -9 leaves of a file that is being written.
            path.with_name(f".{path.name}.1.part").write_bytes(b"half")
            raise Killed
        save(path, *content)
        saved.append(path.stem)

    path = tmp_path / "killed"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", killing)
        with pytest.raises(Killed):
            fit(make(path, **SETTINGS))
    assert fit(make(path, **SETTINGS)) == 0
    assert content(path) == content(straight)
    assert kept_in(path) == kept_in(straight)
    assert not list(path.rglob(".*"))


@pytest.mark.usefixtures("quick")
def test_a_full_disk_is_said_and_what_was_saved_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = checkpoint.atomic_write

    def full(path: Path) -> object:
        if path.name == "step_000003.npz":
            raise OSError(28, "No space left on device")
        return replace(path)

    said = r"step_000003\.npz could not be saved: no space left.*go on with --resume"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "atomic_write", full)
        with pytest.raises(UserError, match=said):
            fit(make(tmp_path / "a", **SETTINGS))
    assert fit(make(tmp_path / "a", **SETTINGS)) == 0
    assert len(kept_in(tmp_path / "a")) == len(KEPT)


@pytest.mark.usefixtures("quick")
def test_weights_that_are_not_numbers_are_not_kept(tmp_path: Path) -> None:
    trainer = make(tmp_path / "a", keep_every=2)
    table = trainer.learner.average.table
    table.assign(np.full(table.shape, np.nan))
    trainer.learner.update_average = lambda: None
    with pytest.raises(UserError, match="the loss is not a number any more"):
        fit(trainer)
    assert kept_in(tmp_path / "a") == {}


# ---- found


def with_kept(path: Path, *steps: int) -> Experiment:
    found = Experiment(path, {})
    found.latest.parent.mkdir(parents=True)
    for step in steps:
        found.kept(step).write_bytes(bytes(4 * step))
    return found


def test_a_step_names_its_checkpoint(tmp_path: Path) -> None:
    found = with_kept(tmp_path, 500, 1000, 12_000_000)
    assert found.checkpoint(500) == tmp_path / "checkpoints" / "step_000500.npz"
    assert found.checkpoint(12_000_000) == tmp_path / "checkpoints" / "step_12000000.npz"
    assert found.checkpoint("latest") == found.checkpoint("best") == found.latest


@pytest.mark.parametrize(
    ("steps", "asked", "nearest"),
    [
        ((), 7, "only best and latest are kept"),
        ((500,), 7, "the nearest that are kept: 500"),
        (range(100, 1100, 100), 501, "the nearest that are kept: 400, 500, 600, 700"),
        (range(100, 1100, 100), 10**300, "the nearest that are kept: 700, 800, 900, 1000"),
    ],
)
def test_a_step_that_is_not_kept_is_answered_with_the_nearest(
    tmp_path: Path, steps: tuple[int, ...], asked: int, nearest: str
) -> None:
    with pytest.raises(UserError) as refused:
        with_kept(tmp_path, *steps).checkpoint(asked)
    assert str(refused.value).startswith(
        f"there is no checkpoint of step {asked} in {tmp_path}: {nearest}; --keep_every"
    )


def test_other_files_among_the_checkpoints_are_none(tmp_path: Path) -> None:
    found = with_kept(tmp_path, 40)
    names = ["step_000050.npz.bak", "step_50.npz", "step_-00050.npz", "step_00x050.npz", f"step_{'9' * 99}.npz",
             ".step_000050.npz.1.part", "step_0000050.npz"]  # fmt: skip
    for name in names:
        (found.latest.parent / name).write_bytes(b"something")
    (found.latest.parent / "step_000060.npz").mkdir()
    assert found.kept_steps == [40]


def test_kept_checkpoints_are_checkpoints(tmp_path: Path) -> None:
    """An experiment of which somebody gives away nothing else is not deleted, and limits its network's size."""
    found = with_kept(tmp_path, 100, 200)
    assert found.checkpoints == [found.kept(100), found.kept(200)]
    assert found.most_weights == 800
    found.discard_if_empty()
    assert tmp_path.exists()


# ---- typed


def test_a_step_can_be_sampled(copied: Path, run_main: Run) -> None:
    shutil.copy(copied / "checkpoints" / "latest.npz", copied / "checkpoints" / "step_000088.npz")
    args = ["--experiment_dir", "copied", "-n", "60", "--seed", "1", "--checkpoint"]
    latest, kept = run_main(sample, *args, "latest"), run_main(sample, *args, "88")
    assert kept.returncode == 0, kept.stderr
    assert "copied, step_000088 checkpoint (step 88), seed 1" in kept.stderr
    assert kept.stdout == latest.stdout


def test_a_resumed_run_goes_on_keeping(copied: Path) -> None:
    saved = experiment.find(copied.parent / "char_rnn", str(copied))
    asked = Namespace(**saved.record.arguments, message="", data_dir="", given=set(), fits=lambda name, value: True)
    experiment.take_over(asked, saved)
    assert asked.keep_every is None
    asked.keep_every, asked.given = 20, {"keep_every"}
    experiment.take_over(asked, saved)
    saved.update()
    again = Namespace(**vars(asked) | {"keep_every": None, "given": set()})
    experiment.take_over(again, experiment.find(copied.parent / "char_rnn", str(copied)))
    assert again.keep_every == 20
    assert Settings.of(again, 20).keep_every == 20


def test_what_is_asked_for_and_not_there_is_answered(copied: Path, refused: Refused) -> None:
    asked = ("--experiment_dir", "copied", "--checkpoint")
    sentence = refused(sample, *asked, "1,000")
    assert "there is no checkpoint of step 1000 in copied: only best and latest are kept; --keep_every N" in sentence
    assert "'newest' is not best, latest or the number of a step" in refused(sample, *asked, "newest")
    (copied / "checkpoints" / "step_000040.npz").write_bytes(b"PK\x03\x04 and nothing")
    assert "step_000040.npz is damaged" in refused(sample, *asked, "40")
    assert "the nearest that are kept: 40;" in refused(sample, *asked, "41")


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_keeps_and_samples(
    lesson: str, request: pytest.FixtureRequest, tmp_path: Path, read_here: None, run_main: Run
) -> None:
    fixture, arguments = LESSONS[lesson]
    train, sample = (import_module(f"{lesson}.{name}") for name in ("train", "sample"))
    where = ["--experiment_dir", "kept"]
    begin = ["--data_dir", request.getfixturevalue(fixture), *arguments, "--keep_every", "5"]
    done = run_main(train, *where, *begin, "--num_epochs", "1")
    assert done.returncode == 0, done.stderr
    done = run_main(train, *where, "--resume", "--num_epochs", "2")
    assert done.returncode == 0, done.stderr
    last = json.loads((tmp_path / "kept" / "run.json").read_text("utf-8"))["step"]
    assert Experiment(tmp_path / "kept", {}).kept_steps == list(range(5, last + 1, 5))
    done = run_main(sample, *where, "--checkpoint", "10", "-n", "20", "--num_samples", "1")
    assert done.returncode == 0, done.stderr
    assert "step_000010 checkpoint (step 10)" in done.stderr
    commands = [line for line in (tmp_path / "kept" / "log.txt").read_text("utf-8").splitlines() if "  $ " in line]
    assert [line.partition("  $ ")[2].split()[:4] for line in commands] == [["python", "train.py", *where]] * 2
