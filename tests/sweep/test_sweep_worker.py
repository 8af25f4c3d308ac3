"""Workers: each trial is trained to its end once, whatever happens to whom. The trainings are stubs (sweeping.py)."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from sweeping import numbers, starts, stub_plan

from workshop import ROOT
from workshop.errors import UserError
from workshop.sweep import claims, process, table, worker
from workshop.sweep.folder import Folder, Job
from workshop.sweep.plan import Plan, words
from workshop.sweep.training import Training, arguments_of
from workshop.sweep.worker import Worker


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.1)


def opened(tmp_path: Path, plan: Plan) -> Folder:
    folder = Folder(tmp_path / "sweep")
    folder.open(plan)
    return folder


def work(folder: Folder, plan: Plan, asked: list[int] | None = None, **more: int) -> bool:
    return Worker(folder, plan, **more).work([] if asked is None else asked)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def saved_epochs(path: Path) -> int:
    try:
        return int(numbers(path)["epoch"])
    except (OSError, ValueError):
        return -1


def in_the_middle(tmp_path: Path, patience_seconds: float) -> tuple[Folder, claims.Claim, Training]:
    """A long trial that this process trains, after its first epoch."""
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0, "seconds": 0.1, "num_epochs": 100}])
    folder = opened(tmp_path, plan)
    claim = claims.Claims(folder.claims).take("001.1")
    assert claim
    training = Training(folder, plan, Job(1, 1), claim, patience_seconds)
    until(lambda: training.poll() or saved_epochs(folder.experiment(1)) >= 1)
    return folder, claim, training


def test_all_trials_are_trained_and_the_table_says_which_is_best(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 2.0}, {"rate": 1.0}, {"rate": 3.0}])
    folder = opened(tmp_path, plan)
    assert work(folder, plan, jobs=2)
    said = table.write(folder, plan)
    assert [line.split()[1] for line in said.splitlines()[1:4]] == ["2", "1", "3"]
    assert "--rate=1.0" in said
    assert "trials/002" in said
    assert (folder.path / "table.csv").read_text().splitlines()[1].startswith("1,2,1.0,1.2500,40,40,4,")
    assert (folder.path / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (folder.path / "chart.svg").read_bytes()
    # A second worker finds nothing to do, and the same command does nothing again.
    assert work(folder, plan)
    assert [len(starts(folder.experiment(trial))) for trial in (1, 2, 3)] == [1, 1, 1]


def test_one_that_fails_is_in_the_table_with_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 9.0}, {"rate": 1.0}])
    folder = opened(tmp_path, plan)
    assert work(folder, plan)
    lines = table.rows(plan, folder.results())
    assert lines[1][1] == "2"
    assert lines[2][1] == "1"
    assert lines[2][-1] == "the loss is not a number any more"


def test_a_full_disk_ends_the_sweep_and_no_trial_is_given_up_for_it(tmp_path: Path) -> None:
    """What was saved stays, and the same command goes on when there is room."""
    trials = [{"rate": 1.0, "kill": str(tmp_path / "was_killed")}, {"rate": 2.0}]
    folder = opened(tmp_path, stub_plan(tmp_path / "lesson", trials))
    full = stub_plan(tmp_path / "lesson", [{**trials[0], "kill": "full"}, trials[1]])
    with pytest.raises(UserError, match=r"sweep cannot be written: .*no space left on device; free some space there"):
        work(folder, full)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1 << 20))
        with pytest.raises(UserError, match="free some space there"):
            work(folder, stub_plan(tmp_path / "lesson", trials))  # it is killed, for no reason that can be known
    assert folder.results() == []
    assert saved_epochs(folder.experiment(1)) == 2
    assert work(folder, stub_plan(tmp_path / "lesson", trials))
    assert [result.failed for result in folder.results()] == ["", ""]
    assert [begun for _, begun, _ in starts(folder.experiment(1))] == ["0", "2"]


def test_one_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    killed = {"rate": 1.0, "kill": str(tmp_path / "was_killed")}
    plan = stub_plan(tmp_path / "lesson", [killed, {"rate": 1.0}])
    folder = opened(tmp_path, plan)
    assert work(folder, plan)
    assert [begun for _, begun, _ in starts(folder.experiment(1))] == ["0", "2"]
    assert numbers(folder.experiment(1)) == numbers(folder.experiment(2))


def test_one_that_always_breaks_down_is_given_up(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0, "kill": "always"}])
    folder = opened(tmp_path, plan)
    assert work(folder, plan)
    assert "broke down 3 times" in folder.results()[0].failed


def test_bad_ones_are_stopped_early_and_the_best_is_as_if_trained_at_once(tmp_path: Path) -> None:
    trials = [{"rate": 1 + n / 10} for n in (3, 1, 2, 0, 4)]
    for trial in trials:
        trial.pop("num_epochs", None)
    plan = stub_plan(tmp_path / "lesson", trials, epochs=(1, 3, 6), keep=2)
    folder = opened(tmp_path, plan)
    assert work(folder, plan)
    epochs = [saved_epochs(folder.experiment(trial)) for trial in range(1, 6)]
    assert epochs[3] == 6, "the best one"
    assert epochs.count(1) >= 2
    straight = stub_plan(tmp_path / "lesson", [{"rate": 1.0, "num_epochs": 6}])
    other = Folder(tmp_path / "straight")
    other.open(straight)
    assert work(other, straight)
    assert numbers(folder.experiment(4)) == numbers(other.experiment(1))


def test_ctrl_c_saves_and_the_next_time_it_goes_on(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0, "seconds": 0.1, "num_epochs": 12}])
    folder = opened(tmp_path, plan)
    asked: list[int] = []
    waiting = threading.Thread(
        target=lambda: (until(lambda: saved_epochs(folder.experiment(1)) >= 3), asked.append(signal.SIGINT))
    )
    waiting.start()
    assert not work(folder, plan, asked)
    waiting.join()
    assert numbers(folder.experiment(1))["status"] == "stopped"
    assert folder.results() == []
    assert work(folder, plan)
    (_, first, _), (_, again, _) = starts(folder.experiment(1))
    assert first == "0"
    assert int(again) >= 3
    assert len(numbers(folder.experiment(1))["history"]) == 12


def test_a_trial_that_somebody_stops_stops_the_sweep_and_is_not_a_breakdown(tmp_path: Path) -> None:
    """As `./start.sh trainings stop` does. It would be begun again at once, and the third time be given up."""
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0, "seconds": 0.1, "num_epochs": 12}, {"rate": 2.0}])
    folder = opened(tmp_path, plan)
    asked: list[int] = []

    def stop() -> None:
        until(lambda: saved_epochs(folder.experiment(1)) >= 3)
        os.kill(int(starts(folder.experiment(1))[0][0]), signal.SIGTERM)

    waiting = threading.Thread(target=stop)
    waiting.start()
    assert not work(folder, plan, asked)
    waiting.join()
    assert asked == [signal.SIGTERM]
    assert numbers(folder.experiment(1))["status"] == "stopped"
    assert not list(folder.claims.glob("*/*/crashed.*"))
    assert not folder.experiment(2).exists()
    assert work(folder, plan)
    assert len(folder.results()) == 2


def test_the_best_is_told_with_the_data_that_it_was_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is typed in another folder than the clone, in which the plan's paths may be."""
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0, "data_dir": "data/lyrics"}])
    monkeypatch.chdir(tmp_path)
    (place,) = [one for one in words(arguments_of(plan, Job(1, 1))) if one.startswith("--data_dir=")]
    assert os.path.samefile(place.removeprefix("--data_dir="), ROOT / "data" / "lyrics")


def test_a_limit_of_minutes_holds_for_all_parts_together(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0, "max_minutes": 3.0, "kill": str(tmp_path / "was_killed")}])
    folder = opened(tmp_path, plan)
    assert work(folder, plan)
    assert [minutes for *_, minutes in starts(folder.experiment(1))] == ["3.0", "2.5"]


def test_one_that_cannot_be_taken_up_begins_again(tmp_path: Path) -> None:
    """As where it was killed after its last step, and before it could say so."""
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0}])
    folder = opened(tmp_path, plan)
    assert work(folder, plan)
    path = folder.experiment(1)
    straight = numbers(path)
    (folder.path / "results" / "001.1.json").unlink()
    (path / "run.json").write_text((path / "run.json").read_text().replace('"finished"', '"training"'))
    again = Folder(folder.path)
    next(folder.claims.glob("001.1/*")).joinpath("released").touch()
    assert work(again, plan)
    assert len(starts(path)) == 1, "in a new folder"
    assert numbers(path) == straight


def test_a_folder_that_was_hardly_begun_is_begun_again(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0}])
    folder = opened(tmp_path, plan)
    (folder.experiment(1) / "checkpoints").mkdir(parents=True)
    (folder.experiment(1) / "run.json").write_text("{")
    assert work(folder, plan)
    assert folder.results()[0].loss == 1.25


def test_one_whose_claim_is_lost_stops_and_leaves_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, claim, training = in_the_middle(tmp_path, 60)
    (claim.folder.parent / "2").mkdir()
    until(training.poll)
    assert training.result is None
    assert folder.results() == []
    assert not (claim.folder / "released").exists()
    assert numbers(folder.experiment(1))["status"] == "stopped"


def test_a_drive_that_stays_away_ends_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, training = in_the_middle(tmp_path, 0.5)

    def away(self: claims.Claim) -> None:
        raise OSError("stale file handle")

    monkeypatch.setattr(claims.Claim, "beat", away)
    began = time.monotonic()
    until(training.poll)
    assert training.result is None
    assert time.monotonic() - began < 10


def test_a_training_ends_with_the_worker_that_is_killed(tmp_path: Path) -> None:
    """What it has saved by then is there for the next one."""
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1.0}])
    path = tmp_path / "experiment"
    train = [sys.executable, str(plan.lesson.folder / "train.py"), f"--experiment_dir={path}"]
    train += ["--rate=1", "--seconds=0.05", "--num_epochs=1000"]
    code = "import sys, time, pathlib; from workshop.sweep import process\n"
    code += "process.start(sys.argv[2:], pathlib.Path(sys.argv[1]))\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "log"), *train]) as holder:
        until(lambda: saved_epochs(path) >= 1)
        (pid, *_), *_ = starts(path)
        holder.send_signal(signal.SIGKILL)
    until(lambda: not psutil.pid_exists(int(pid)))
    assert numbers(path)["status"] == "stopped"


def test_the_exit_status_of_a_training_comes_through(tmp_path: Path) -> None:
    for code, status in (("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)):
        started = process.start([sys.executable, "-c", code], tmp_path / "log")
        assert started.wait(timeout=20) == status
        process.ask_to_end(started)
    assert os.path.exists(tmp_path / "log")
