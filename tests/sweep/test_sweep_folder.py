"""The shared folder: whose it is, what is to be trained next, and which trial is best."""

from pathlib import Path
from typing import Any

import pytest
from sweeping import stub_plan

from workshop.errors import UserError
from workshop.sweep import folder as folder_of_sweeps
from workshop.sweep import table
from workshop.sweep.folder import Folder, Job, Result, ranked, wanted
from workshop.sweep.plan import Plan


def result(trial: int, loss: float | None, rung: int = 1, failed: str = "") -> Result:
    return Result(trial=trial, rung=rung, loss=loss, failed=failed)


@pytest.fixture
def nine(tmp_path: Path) -> Plan:
    return stub_plan(tmp_path / "lesson", [{"rate": n / 10} for n in range(9)], epochs=(2, 4, 8), keep=3)


def test_without_halving_each_trial_is_trained_once(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1}, {"rate": 2}, {"rate": 3}])
    assert wanted(plan, []) == [Job(1, 1), Job(2, 1), Job(3, 1)]
    assert wanted(plan, [result(2, 1.0), result(1, None, failed="broken")]) == [Job(3, 1)]


def test_the_best_third_goes_on_as_soon_as_there_is_one(nine: Plan) -> None:
    assert wanted(nine, [result(1, 3.0), result(2, 2.0)])[0] == Job(3, 1)
    three = [result(1, 3.0), result(2, 2.0), result(3, 4.0)]
    assert wanted(nine, three)[:2] == [Job(2, 2), Job(4, 1)]
    assert wanted(nine, [*three, result(2, 1.9, rung=2)])[0] == Job(4, 1)


def test_a_sweep_comes_to_its_end_and_to_one_that_is_fully_trained(nine: Plan) -> None:
    results: list[Result] = []
    while jobs := wanted(nine, results):
        job = jobs[0]
        # The fourth is the best one.
        results.append(result(job.trial, 9.0 + (5 * job.trial + 7) % 9 - job.rung, job.rung))
        assert len(results) < 40
    last = [one for one in results if one.rung == 3]
    assert 4 in [one.trial for one in last]
    assert len(last) <= 2
    assert len([one for one in results if one.rung == 1]) == 9
    assert 3 <= len([one for one in results if one.rung == 2]) <= 5


def test_with_fewer_trials_than_keep_one_goes_on_all_the_same(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1}, {"rate": 2}], epochs=(1, 2), keep=3)
    both = [result(1, 2.0), result(2, 1.0)]
    assert wanted(plan, both) == [Job(2, 2)]
    assert wanted(plan, [*both, result(2, 0.5, rung=2)]) == []


def test_one_that_failed_does_not_go_on(tmp_path: Path) -> None:
    plan = stub_plan(tmp_path / "lesson", [{"rate": 1}, {"rate": 2}], epochs=(1, 2), keep=2)
    assert wanted(plan, [result(1, None, failed="broken"), result(2, 3.0)]) == [Job(2, 2)]
    assert wanted(plan, [result(1, None, failed="broken"), result(2, None, failed="broken")]) == []


def test_the_furthest_and_lowest_is_best_and_the_failed_are_last(nine: Plan) -> None:
    results = [result(1, 1.0), result(2, 2.0), result(2, 1.5, rung=2), result(3, None, failed="x"), result(4, 0.9)]
    assert [one.trial for one in ranked(results)] == [2, 4, 1, 3]
    lines = table.rows(nine, results)
    assert lines[0][:4] == ["place", "trial", "rate", "held-out loss"]
    assert lines[1][:4] == ["1", "2", "0.1", "1.5000"]
    assert lines[4][-1] == "x"
    assert lines[1][-1] == "stopped early"


def test_the_folder_of_another_plan_is_refused_and_a_longer_plan_is_not(tmp_path: Path) -> None:
    short, long = (stub_plan(tmp_path / "lesson", [{"rate": n} for n in range(count)]) for count in (2, 3))
    other = stub_plan(tmp_path / "lesson", [{"rate": 5}, {"rate": 1}, {"rate": 2}])
    folder = Folder(tmp_path / "sweep")
    folder.open(short)
    folder.open(long)
    for wrong in (short, other):
        with pytest.raises(UserError, match="belongs to another plan"):
            folder.open(wrong)


def test_a_folder_that_another_computer_is_opening_at_this_moment_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever that one has done so far."""
    plan, mkdir = stub_plan(tmp_path / "lesson", [{"rate": 1}]), Path.mkdir
    write_json, seen = folder_of_sweeps.write_json, []

    def meanwhile() -> None:
        if len(seen) < 5:
            seen.append(sorted(path.name for path in (tmp_path / "sweep").glob("*")))
            Folder(tmp_path / "sweep").open(plan)

    def mkdir_slowly(self: Path, *args: Any, **more: Any) -> None:
        mkdir(self, *args, **more)
        meanwhile()

    def write_slowly(path: Path, value: Any) -> None:
        meanwhile()
        write_json(path, value)

    monkeypatch.setattr(Path, "mkdir", mkdir_slowly)
    monkeypatch.setattr(folder_of_sweeps, "write_json", write_slowly)
    Folder(tmp_path / "sweep").open(plan)
    assert seen[0] == []


def test_names_that_look_like_mathematics_are_drawn_as_they_are(tmp_path: Path) -> None:
    trials = [{"data_dir": f"${name}$"} for name in "^_"]
    plan = Plan(stub_plan(tmp_path / "lesson", []).lesson, trials, ["data_dir"])
    folder = Folder(tmp_path / "sweep")
    folder.open(plan)
    folder.add(result(1, 0.2))
    table.write(folder, plan)
    assert (folder.path / "chart.svg").exists()


def test_results_of_trials_that_a_longer_plan_has_elsewhere_are_left_alone(tmp_path: Path) -> None:
    short, long = (stub_plan(tmp_path / "lesson", [{"rate": n} for n in range(count)]) for count in (2, 3))
    short, long = (Plan(one.lesson, one.trials, one.varied, (1, 2), 2) for one in (short, long))
    folder = Folder(tmp_path / "sweep")
    folder.open(short)
    folder.open(long)
    folder.add(result(3, 0.1))
    folder.add(result(1, 0.2))
    assert wanted(short, folder.results()) == [Job(2, 1)]
    said = table.write(folder, short)
    assert "trials/001" in said
    assert "1 of 2 trials are still to be trained" in said


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "homework.txt").touch()
    with pytest.raises(UserError, match="something else than a sweep"):
        Folder(tmp_path).open(stub_plan(tmp_path / "lesson", [{"rate": 1}]))


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "sweep")
    folder.open(stub_plan(tmp_path / "lesson", [{"rate": 1}]))
    (folder.path / "results" / "001.1.json").write_text('{"trial": 0, "rung": 1}')
    with pytest.raises(UserError, match=r"001\.1\.json is damaged"):
        folder.results()
