"""A training is seen and stopped from elsewhere, and outlives neither its terminal nor its own entry."""

import errno
import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workshop import ROOT
from workshop.run import trainings


@pytest.fixture
def begun(tiny_text: Path, tmp_path: Path, tiny_arguments: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A long training of lesson 1 in the folder `run`, in a terminal of its own, whose other end is given."""
    ours, theirs = pty.openpty()
    command = [sys.executable, str(ROOT / "char_rnn" / "train.py"), "--data_dir", str(tiny_text), *tiny_arguments]
    process = subprocess.Popen(
        [*command, "--num_epochs", "100000", "--experiment_dir", str(tmp_path / "run")],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"held-out data" not in said:
        said += os.read(ours, 4096)
    yield process, ours
    if process.poll() is None:
        process.kill()
        process.wait()


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    """What `./start.sh trainings` runs. Other trainings of these tests are listed as well, by whatever names."""
    command = [sys.executable, "-m", "workshop.trainings", *words]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def record(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((path / "run.json").read_text("utf-8"))
    return found


@pytest.mark.slow
def test_a_closed_terminal_saves_and_ends(begun: tuple[subprocess.Popen[bytes], int], tmp_path: Path) -> None:
    process, terminal = begun
    os.close(terminal)
    assert process.wait(120) == 129
    assert record(tmp_path / "run")["status"] == "stopped"
    assert not list((tmp_path / "run").rglob(".*.part"))


@pytest.mark.slow
def test_it_is_listed_and_stopped_by_its_name(
    begun: tuple[subprocess.Popen[bytes], int], tmp_path: Path,
    run_script: Callable[..., subprocess.CompletedProcess[str]],
) -> None:  # fmt: skip
    process, terminal = begun
    path = tmp_path / "run"
    again = run_script("char_rnn/train.py", "--resume", "--experiment_dir", path)
    assert again.returncode == 2
    assert f"./start.sh trainings stop {path}" in again.stderr
    (line,) = (line for line in typed().stdout.splitlines() if line.startswith(str(path)))
    assert str(process.pid) in line.split()
    os.set_blocking(terminal, False)
    assert typed("stop", str(path)).returncode == 0
    assert process.wait(60) == 143
    assert record(path)["status"] == "stopped"
    done = typed("stop", str(path))
    assert (done.returncode, done.stderr[:25]) == (2, "error: there is no traini")


@pytest.mark.parametrize("damaged", ["[]", "{}", '{"step": "x"}', "{", "\udcff"])
def test_a_damaged_experiment_is_listed_without_its_step(damaged: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(damaged, "utf-8", errors="surrogateescape")
    one = trainings.Training(str(tmp_path), 1, "here", False, "2026-11-28T09:05:00+00:00")
    assert trainings.table([one]).splitlines()[1].split()[:2] == [str(tmp_path), "-"]


def test_the_entry_of_a_dead_one_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings, "FOLDER", tmp_path / "entries")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    entry = trainings.enter(tmp_path / "run")
    assert entry is not None
    assert entry.is_file()
    assert trainings.running() == {}
    assert not entry.exists()


def test_an_experiment_whose_name_is_no_utf_8_is_listed(tmp_path: Path) -> None:
    """Other trainings that run here are in the list as well."""
    folder = tmp_path / os.fsdecode(b"caf\xe9\x1b[2J")
    (folder / "checkpoints").mkdir(parents=True)
    lock = os.open(folder / "checkpoints", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    entry = trainings.enter(folder)
    done = typed()
    os.close(lock)
    trainings.leave(entry)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path}/caf\\udce9\\x1b[2J  " in done.stdout


def test_one_that_does_not_hear_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings, "FOLDER", tmp_path / "entries")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    lock = os.open(tmp_path / "run" / "checkpoints", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    entry = trainings.enter(tmp_path / "run")
    began = time.monotonic()
    with pytest.raises(trainings.UserError, match=r"was asked to stop and still runs after 0 s"):
        trainings.stop(str(tmp_path / "run"), 0.3)
    assert time.monotonic() - began >= 0.3
    assert trainings.is_asked_to_stop(entry)
    os.close(lock)


def test_all_are_asked_when_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {tmp_path / f"{number}.json": f"training {number}" for number in (1, 2)}
    monkeypatch.setattr(trainings, "running", lambda: entries)
    assert trainings.ask_to_stop(None) == list(entries)
    assert {path.name for path in tmp_path.iterdir()} == {"1.stop", "2.stop"}
    entries.clear()
    trainings.stop(None)


def test_on_a_drive_without_locks_nothing_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    assert not trainings.is_locked(tmp_path)


def test_a_name_is_short_within_the_clone() -> None:
    training = trainings.Training("char_rnn/experiments/07", 1, "here", False, "2026-01-02T03:04:05+00:00")
    assert training.name == "char_rnn/07"
    assert "stop char_rnn/07`" in trainings.how_to_stop(ROOT / "char_rnn" / "experiments" / "07")


def test_ctrl_c_while_the_network_is_made_leaves_no_empty_experiment(tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path.append({str(ROOT / 'tests')!r})\n"
        "from pathlib import Path; import records; from workshop import cli; from workshop.run import experiment\n"
        "def main():\n"
        "    experiment.create(Path('some_rnn'), 'mine', **records.entries())\n"
        "    raise KeyboardInterrupt\n"
        "cli.run(main)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "stopped\n")
    assert not (tmp_path / "mine").exists()
