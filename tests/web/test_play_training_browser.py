"""A training in the browser: started, watched and stopped with the buttons of the page, as `train.py` does it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browsing import TOKEN, finished, generate, until
from test_play_accessible import look_at
from tiny import TINY

from workshop import ROOT
from workshop.run import trainings

pytestmark = pytest.mark.slow

#: The lesson's own script, with a network that learns within seconds.
SCRIPT = f"""
import runpy, sys
sys.path.insert(0, {str(ROOT)!r})
sys.argv += {[*TINY, "--sample_every", "40"]!r}
sys.argv[0] = {str(ROOT / "char_rnn" / "train.py")!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def trainable(clone: Path, tiny_text: Path) -> Path:
    """A clone in which lesson 1 can be trained on its starter set."""
    (clone / "char_rnn" / "train.py").write_text(SCRIPT)
    starter = clone / "data" / "lyrics" / "starter"
    starter.mkdir(parents=True)
    (starter / "songs.txt").write_bytes((tiny_text / "input.txt").read_bytes())
    return clone


def record(clone: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((clone / "char_rnn/experiments/02/run.json").read_text("utf-8"))
    return found


def test_a_training_is_started_watched_and_stopped(trainable: Path, page: Any, address: str) -> None:
    page.select_option("#train-lesson", "char_rnn")
    page.fill("#train-minutes", "5")
    assert page.input_value("#train-data") == "data/lyrics/starter"
    page.press("#train-minutes", "Enter")
    until(lambda: page.is_visible("#train-preview-text"), 120)
    status = page.inner_text("#train-status")
    assert status.startswith(
        "char_rnn/experiments/02 learns from data/lyrics/starter. It goes on when this page is closed."
    )
    assert page.is_disabled("#train-start")
    assert "nats" in page.inner_text("#train-loss")
    assert page.inner_text("#train-preview-title").startswith("Preview at step ")
    assert look_at(page) == {}
    # It goes on without a page, is in the list of all trainings, and another page finds it.
    context = page.context.browser.new_context()
    listed = subprocess.run(
        [sys.executable, "-m", "workshop.trainings"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert str(trainable / "char_rnn/experiments/02") in listed.stdout
    other = context.new_page()
    other.goto(f"{address.partition('?')[0]}?token={TOKEN}")
    other.wait_for_selector("#train-stop:enabled")
    other.click("#train-stop")
    until(lambda: "has ended" in other.inner_text("#train-status"), 60)
    assert record(trainable)["status"] == "stopped"
    context.close()
    # What was trained can be played, without a reload.
    until(lambda: page.locator("#experiment option[value='char_rnn/experiments/02']").count(), 30)
    page.select_option("#experiment", "char_rnn/experiments/02")
    page.fill("#length", "50")
    page.click("#generate")
    assert "50 characters" in finished(page)


def test_a_training_that_fails_says_why(trainable: Path, page: Any) -> None:
    (trainable / "data/lyrics/starter/songs.txt").write_text("la la")
    page.select_option("#train-lesson", "char_rnn")
    page.click("#train-start")
    page.wait_for_selector("#train-status.problem", timeout=60_000)
    assert page.inner_text("#train-status").startswith("char_rnn/experiments/02: ")
    assert "characters" in page.inner_text("#train-status")
    page.fill("#train-minutes", "many")
    page.click("#train-start")
    until(lambda: page.inner_text("#train-status").startswith("minutes: 'many' is not a number above 0"))
    page.problems[:] = [problem for problem in page.problems if "400" not in problem]  # the refusal
    generate(page, "char_rnn", length="20")
    assert "20 characters" in finished(page)


def test_a_long_name_of_another_training_fits_on_a_phone(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "/a/folder/" + "x" * 300
    other = trainings.Training(name, 1, "localhost", False, "2026-01-01 12:00:00")
    monkeypatch.setattr(trainings, "running", lambda: {Path("entry"): other})
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()
    until(lambda: name in page.inner_text("#train-status"), 30)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
