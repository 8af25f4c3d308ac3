"""What TensorBoard is given to watch and what its first page does: names of runs, links, and no smoothing."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from workshop.host import tensorboard_app
from workshop.host.tensorboard_app import WIDTH, named_runs, opened_right, refresh, short_names
from workshop.run.board import EARLIER

ALL_ORDERS = {"1": 3.0, "2": 2.0, "3": 2.5}


def experiment(path: Path, orders: Iterable[str] = ("2",), **info: Any) -> Path:
    """The folders of an experiment that has written its curves."""
    for curve in ("train", "validation", *(f"baseline/order_{order}" for order in orders)):
        (path / "tensorboard" / curve).mkdir(parents=True)
    (path / "run.json").write_text(json.dumps({"baseline": ALL_ORDERS, **info}))
    return path


def test_an_experiment_is_three_runs_under_its_name(tmp_path: Path) -> None:
    events = experiment(tmp_path / "experiments" / "01") / "tensorboard"
    assert named_runs(tmp_path) == {
        "01": events / "train",
        "01 validation": events / "validation",
        "01 n-gram": events / "baseline" / "order_2",
    }


def test_a_fine_tuned_one_has_a_run_more(tmp_path: Path) -> None:
    events = experiment(tmp_path / "experiments" / "01") / "tensorboard"
    (events / "baseline" / EARLIER).mkdir()
    assert list(named_runs(tmp_path)) == ["01", "01 validation", "01 n-gram", "01 n-gram all"]
    assert named_runs(tmp_path)["01 n-gram all"] == events / "baseline" / EARLIER


def test_of_an_older_experiment_the_best_ngram_is_shown(tmp_path: Path) -> None:
    events = experiment(tmp_path / "save_X", ALL_ORDERS) / "tensorboard"
    assert list(named_runs(tmp_path)) == ["save_X", "save_X validation", "save_X n-gram"]
    assert named_runs(tmp_path)["save_X n-gram"] == events / "baseline" / "order_2"


@pytest.mark.parametrize(("kind", "name"), [("linear predictor", "01 predictor"), ("../x", "01 x"), ("", "01 n-gram")])
def test_another_baseline_is_called_by_its_noun(tmp_path: Path, kind: str, name: str) -> None:
    experiment(tmp_path / "experiments" / "01", baseline_kind=kind)
    assert list(named_runs(tmp_path)) == ["01", "01 validation", name]


@pytest.mark.parametrize("record", ["", "[]", '{"baseline": 5}', '{"baseline": {"2": "x"}, "message": 7}'])
def test_a_damaged_record_hides_no_curves(tmp_path: Path, record: str) -> None:
    experiment(tmp_path / "experiments" / "01").joinpath("run.json").write_text(record)
    assert list(named_runs(tmp_path)) == ["01", "01 validation", "01 n-gram"]


def test_the_message_is_in_the_name_shortened_and_safe(tmp_path: Path) -> None:
    experiment(tmp_path / "experiments" / "01", message="more dropout")
    experiment(tmp_path / "experiments" / "02", message="../../etc: \x1b[2J a\nlong message that says everything")
    runs = list(named_runs(tmp_path))
    assert runs[:3] == ["01 - more dropout", "01 validation - more dropout", "01 n-gram - more dropout"]
    assert all(len(name) <= WIDTH and "/" not in name and name.isprintable() for name in runs)
    assert runs[3] == "02 - etc [2J a long…"


def test_each_experiment_has_names_of_its_own(tmp_path: Path) -> None:
    long = "experiments/" + "long " * 12
    for place in ("experiments/01", "01", "old/01", f"{long}a", f"{long}b", os.fsdecode(b"caf\xe9")):
        experiment(tmp_path / place)
    runs = named_runs(tmp_path)
    assert len(runs) == 3 * 6
    assert runs["01"] == tmp_path / "experiments" / "01" / "tensorboard" / "train"
    assert runs["old_01"] == tmp_path / "old" / "01" / "tensorboard" / "train"
    assert all(name.isprintable() for name in runs)


def test_a_link_to_an_experiment_does_not_show_it_twice(tmp_path: Path) -> None:
    made = experiment(tmp_path / "experiments" / "01")
    (tmp_path / "experiments" / "newest").symlink_to(made)
    (tmp_path / "experiments" / "loop").symlink_to(tmp_path)
    assert len(named_runs(tmp_path)) == 3


def test_runs_come_and_go_with_the_experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson, shown = tmp_path / "lesson", tmp_path / "shown"
    shown.mkdir()
    first = experiment(lesson / "experiments" / "01")
    refresh(shown, lesson)
    assert sorted(link.name for link in shown.iterdir()) == ["01", "01 n-gram", "01 validation"]
    assert (shown / "01").samefile(first / "tensorboard" / "train")
    first.rename(lesson / "experiments" / "02")
    refresh(shown, lesson)
    assert sorted(link.name for link in shown.iterdir()) == ["02", "02 n-gram", "02 validation"]
    shutil.rmtree(lesson)
    refresh(shown, lesson)
    assert list(shown.iterdir()) == []


def test_the_folder_of_links_is_kept_up_to_date_and_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard_app, "LOOK_SECONDS", 0.01)
    with short_names(tmp_path) as shown:
        assert list(shown.iterdir()) == []
        made = experiment(tmp_path / "experiments" / "01")
        while not (shown / "01").exists():
            pass
    assert not shown.exists()
    assert (made / "tensorboard" / "train").is_dir()


def test_where_there_are_no_links_the_lesson_itself_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refused)
    with short_names(tmp_path) as shown:
        assert shown == tmp_path


def answered(environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of what a small application behind `opened_right` answers."""
    said: list[Any] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert environ.get("HTTP_ACCEPT_ENCODING", "") in ("", "gzip")
        body = b'{"data_location": "/tmp/links", "window_title": "x"}'
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    body = b"".join(opened_right(application, Path("lesson"))(environ, lambda *args: said.extend(args)))
    headers = dict(said[1])
    assert headers["Content-Length"] == str(len(body))
    return said[0], headers, body


def test_a_browser_is_sent_on_to_a_page_without_smoothing() -> None:
    status, headers, body = answered({"PATH_INFO": "/", "QUERY_STRING": "", "HTTP_ACCEPT": "text/html,*/*"})
    assert status == "200 OK"
    assert headers["Content-Type"].startswith("text/html")
    assert b"?smoothing=0" in body


@pytest.mark.parametrize(
    "environ",
    [
        {"PATH_INFO": "/", "QUERY_STRING": "smoothing=0.6", "HTTP_ACCEPT": "text/html"},
        {"PATH_INFO": "/", "QUERY_STRING": ""},
        {"PATH_INFO": "/data/runs", "QUERY_STRING": "", "HTTP_ACCEPT": "text/html"},
    ],
)
def test_everything_else_is_tensorboards(environ: dict[str, Any]) -> None:
    assert answered(environ)[2].startswith(b'{"data_location": "/tmp/links"')


def test_the_data_is_where_the_lesson_is() -> None:
    _, _, body = answered({"PATH_INFO": "/data/environment", "HTTP_ACCEPT_ENCODING": "gzip"})
    assert json.loads(body) == {"data_location": "lesson", "window_title": "x"}
