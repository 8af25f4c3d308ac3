"""The curves of a good, an overfitting and a broken run: kept, as the page describes them, and to be measured again."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import warm as warm_python

from workshop import ROOT

KEPT: dict[str, Any] = json.loads((ROOT / "docs" / "curves.json").read_text("utf-8"))


def losses(name: str, key: str) -> list[float]:
    """A kept curve, without its steps."""
    return [point[key] for point in KEPT[name]["history"] if key in point]


def best_ngram(name: str) -> float:
    return min(KEPT[name]["baseline"].values())


def test_each_picture_of_curves_has_its_curves() -> None:
    page = (ROOT / "docs" / "04-reading-tensorboard.md").read_text("utf-8")
    assert set(re.findall(r"<!-- picture: curves_(\w+)\.png", page)) == set(KEPT)


def test_both_curves_of_the_good_run_fall_together_below_the_best_ngram() -> None:
    for key in ("train", "validation"):
        assert losses("good", key) == sorted(losses("good", key), reverse=True)
        assert losses("good", key)[-1] < best_ngram("good")
    assert losses("good", "validation")[-1] - losses("good", "train")[-1] < 0.2


def test_what_is_learnt_by_heart_falls_and_what_is_held_out_turns_upwards() -> None:
    assert losses("overfitting", "train")[-1] < 0.3
    lowest = min(losses("overfitting", "validation"))
    assert losses("overfitting", "validation")[-1] > lowest + 0.1


def test_the_broken_run_begins_far_above_and_hangs_over_the_ngram() -> None:
    begin, *_, end = losses("broken", "validation")
    assert begin > 6
    assert end > best_ngram("broken") + 0.5


@pytest.mark.slow
def test_the_curves_can_be_measured(tmp_path: Path, warm: str) -> None:
    out = tmp_path / "curves.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "curves.py"), "--smoke", "--out", str(out)]
    done = subprocess.run(command, env=warm_python.environment(warm), capture_output=True, text=True, check=True)
    found = json.loads(out.read_text("utf-8"))
    last = {name: min(point["validation"] for point in run["history"]) for name, run in found.items()}
    assert json.loads(done.stdout.splitlines()[-1]) == last
    assert {name: run["title"] for name, run in found.items()} == {name: run["title"] for name, run in KEPT.items()}
    # The same songs in the same order of n-grams, whatever was learnt of them.
    assert all(found[name]["baseline"] == KEPT[name]["baseline"] for name in KEPT)
