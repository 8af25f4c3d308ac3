"""TensorBoard, really started, shows a run's curves and texts."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from free_ports import free_port

from midi_rnn.rendering import write_files
from workshop.host.services import Server, tensorboard_command
from workshop.notes.roll import BEAT, ROLL_BARS
from workshop.run.board import TensorBoardWriter

#: What the runs of the experiment are called.
RUNS = ["01 - as it comes", "01 n-gram - as it comes", "01 validation - as it comes"]
TRAIN, NGRAM, VALIDATION = RUNS


@pytest.fixture(scope="module")
def experiments(
    tiny_text: Path,
    tiny_arguments: list[str],
    tmp_path_factory: pytest.TempPathFactory,
    run_script: Callable[..., subprocess.CompletedProcess[str]],
) -> Path:
    """A lesson's folder with an experiment of a smoke run."""
    lesson = tmp_path_factory.mktemp("lesson") / "char_rnn"
    place = ["--data_dir", tiny_text, "--experiment_dir", lesson / "experiments" / "01", "--message", "as it comes"]
    small = tiny_arguments[: tiny_arguments.index("--sample_every")]  # with the previews of a smoke run
    done = run_script("char_rnn/train.py", "--smoke", *place, *small)
    assert done.returncode == 0, done.stderr
    return lesson


@pytest.fixture(scope="module")
def tensorboard(experiments: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TensorBoard, started with the command that ./start.sh uses, that watches the lesson's folder."""
    with watching(experiments, tmp_path_factory.mktemp("tensorboard") / "log", "plugin/scalars/tags", 3) as address:
        yield address


@contextlib.contextmanager
def watching(lesson: Path, log: Path, what: str, count: int) -> Iterator[str]:
    """The address of a TensorBoard that watches a lesson's folder, once it has so many of something."""
    port = free_port()
    with open(log, "wb") as file:
        process = subprocess.Popen(
            tensorboard_command(Server(lesson.name, "127.0.0.1", port), lesson), stdout=file, stderr=file,
            env={**os.environ, "TMPDIR": str(log.parent)},
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                if len(ask(address, what)) == count:
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def ask(address: str, what: str, **parameters: str) -> Any:
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{address}/data/{what}?{query}", timeout=10) as answer:
        return json.load(answer)


def points(address: str, run: str, tag: str) -> list[tuple[int, float]]:
    """(step, value) of a curve."""
    return [(step, value) for _, step, value in ask(address, "plugin/scalars/scalars", run=run, tag=tag)]


@pytest.mark.slow
def test_an_experiment_is_three_runs_with_short_names(tensorboard: str) -> None:
    assert sorted(ask(tensorboard, "runs")) == RUNS
    tags = ask(tensorboard, "plugin/scalars/tags")
    assert set(tags) == set(RUNS)
    assert all({"loss/nats", "loss in bits"} <= set(of_a_run) for of_a_run in tags.values())


@pytest.mark.slow
def test_the_values_are_those_of_run_json(tensorboard: str, experiments: Path) -> None:
    info = json.loads((experiments / "experiments" / "01" / "run.json").read_text("utf-8"))
    measured = points(tensorboard, VALIDATION, "loss/nats")
    assert measured == [(info["step"], pytest.approx(info["best"]["validation"], rel=1e-5))]
    line = points(tensorboard, NGRAM, "loss/nats")
    assert [step for step, _ in line] == [0, info["step"]], "a level line as long as the curves"
    assert [value for _, value in line] == pytest.approx([min(info["baseline"].values())] * 2, rel=1e-5)
    training = points(tensorboard, TRAIN, "loss/nats")
    assert [step for step, _ in training] == [1, 10, 20]
    bits = points(tensorboard, TRAIN, "loss in bits")
    assert [value for _, value in bits] == pytest.approx([value / np.log(2) for _, value in training], rel=1e-5)


@pytest.mark.slow
def test_accuracy_is_beside_the_simplest_guesses(tensorboard: str, experiments: Path, tiny_text: Path) -> None:
    ((step, accuracy),) = points(tensorboard, VALIDATION, "more/accuracy")
    assert step == 20
    assert 0 <= accuracy < 1
    text = (tiny_text / "input.txt").read_text("utf-8")
    train, held_out = text[:-2000], text[-2000:]
    most_frequent = max(set(train), key=train.count)
    guesses = {"the most frequent": held_out.count(most_frequent) / 2000}
    guesses["repeating the last"] = sum(a == b for a, b in zip(train[-1] + held_out, held_out, strict=False)) / 2000
    for name, share in guesses.items():
        line = points(tensorboard, NGRAM, f"more/accuracy of {name}")
        assert line == [(0, pytest.approx(share, abs=0.002)), (20, pytest.approx(share, abs=0.002))]
    assert [step for step, _ in points(tensorboard, TRAIN, "more/characters a second")] == [10, 20]
    assert dict(points(tensorboard, TRAIN, "more/learning rate"))[20] == pytest.approx(0.01)


@pytest.mark.slow
def test_the_previews_can_be_read(tensorboard: str, experiments: Path) -> None:
    tags = ask(tensorboard, "plugin/text/tags")
    assert {run: sorted(names) for run, names in tags.items()} == {TRAIN: ["network/layers", "preview/text"]}
    shown = ask(tensorboard, "plugin/text/text", run=TRAIN, tag="preview/text")
    samples = sorted((experiments / "experiments" / "01" / "samples").iterdir())
    assert [f"step_{text['step']:06d}.txt" for text in shown] == [sample.name for sample in samples]
    assert len(samples) == 2
    for text, sample in zip(shown, samples, strict=True):
        # As code, so that Markdown takes nothing in it for a heading or a list.
        assert "<code>" in text["text"]
        words = max(sample.read_text("utf-8").split(), key=lambda word: word.isalpha() * len(word))
        assert words in text["text"]


@pytest.mark.slow
def test_it_says_where_the_data_is(tensorboard: str, experiments: Path) -> None:
    assert ask(tensorboard, "environment")["data_location"] == str(experiments)


# ---- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A window of a small laptop."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    yield page
    page.close()


@pytest.mark.slow
def test_a_student_sees_curves_that_are_named_in_full_and_not_smoothed(tensorboard: str, page: Any) -> None:
    page.goto(tensorboard)
    page.locator("scalar-card line-chart").first.wait_for()
    assert page.locator(".scalars-smoothing input[type=number]").input_value() == "0"
    names = page.locator("runs-data-table tb-data-table-content-cell", has_text="01")
    assert sorted(name.strip() for name in names.all_inner_texts()) == RUNS
    for name in names.all():
        assert name.evaluate("cell => cell.scrollWidth <= cell.clientWidth + 1"), "cut off"
    colours = page.locator("runs-data-table .run-color-swatch, runs-data-table [style*='background']")
    assert len({one.get_attribute("style") for one in colours.all()}) == 3
    # The loss is in front, and everything else is collapsed.
    groups = [text.split("\n")[0] for text in page.locator("metrics-card-group-toolbar").all_inner_texts()]
    assert [re.sub(r"\d+ cards", "", group).strip() for group in groups] == ["loss", "loss in bits", "more"]
    assert page.locator("scalar-card").count() == 2
    page.get_by_role("tab", name="Scalars").click()
    page.locator("tf-smoothing-input").wait_for()
    page.wait_for_function("document.querySelector('tf-scalar-dashboard') && location.hash.includes('Weight=0')")


@pytest.mark.slow
def test_a_piano_roll_can_be_read_where_images_shows_it(tmp_path: Path, page: Any) -> None:
    """Of a preview of 40 bars at most 16 are there, at 8 pixels or more a sixteenth without a click."""
    place = tmp_path / "midi_rnn" / "experiments" / "01"
    (place / "tensorboard").mkdir(parents=True)
    (place / "run.json").write_text("{}")
    start = np.arange(40 * 16) / 4
    notes = np.stack([start, start + 0.25, 60 + np.arange(len(start)) % 12, np.full(len(start), 64)], 1)
    _, _, picture = write_files(tmp_path / "step_000001", notes, 120.0, 0, wav=False)
    assert picture is not None
    board = TensorBoardWriter(place / "tensorboard")
    board.picture("preview/piano roll", picture, 1)
    board.flush()
    with watching(place.parents[1], tmp_path / "log", "plugin/images/tags", 1) as address:
        page.goto(f"{address}/#images")
        image = page.locator("img[src*='individualImage']").first
        image.wait_for()
        page.wait_for_function("document.querySelector('tf-image-dashboard')")
        shown, drawn = image.evaluate("image => [image.clientWidth, image.naturalWidth]")
    assert drawn == picture.shape[1]
    assert ROLL_BARS <= 16
    assert BEAT / 4 * shown / drawn >= 8


def test_it_is_gone_when_it_is_ended(tmp_path: Path) -> None:
    """The command starts one process, not a family: ending it frees the port."""
    port = free_port()
    command = tensorboard_command(Server("char_rnn", "127.0.0.1", port), tmp_path)
    assert command[0] == sys.executable
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline
            try:
                assert ask(f"http://127.0.0.1:{port}", "plugin/scalars/tags") == {}
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(20)
    with pytest.raises(urllib.error.URLError):
        ask(f"http://127.0.0.1:{port}", "plugin/scalars/tags")
