"""The settings files that come with the lessons, of the programs that these descend from."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from parsers import parsers
from tiny import LESSONS

from workshop import ROOT, cli

CONFIGS = sorted(path for lesson in LESSONS for path in (ROOT / lesson / "configs").iterdir())
#: What full windows would take minutes for; the command line wins over the file.
SHORTER = {
    "wavenet": ["--seq_length", "200", "--sample_rate", "4000"],
    "audio_rnn": ["--seq_length", "10", "--batch_size", "4"],
    "spectral_rnn": ["--rnn_size", "16", "--bands", "20", "--window", "256", "--hop", "64", "--seq_length", "10"],
    "spectral_gan": ["--frames", "32", "--bands", "32", "--channels", "4"],
}  # fmt: skip


def of(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.stem}"


def test_every_ancestor_has_one() -> None:
    assert {path.parent.parent.name for path in CONFIGS} == set(LESSONS)


@pytest.mark.parametrize("path", CONFIGS, ids=of)
def test_each_is_understood_and_says_how_it_is_used(path: Path) -> None:
    parser = parsers(f"{path.parent.parent.name}.train")
    assert isinstance(parser, cli.Parser)
    args = parser.read(["--config", str(path)])
    assert len(args.given) >= 8
    assert f"python train.py --config configs/{path.name}" in path.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("path", CONFIGS, ids=of)
def test_each_trains(path: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    lesson = path.parent.parent.name
    data = request.getfixturevalue(LESSONS[lesson][0])
    settings = ["--config", str(path), *SHORTER.get(lesson, [])]
    with pytest.MonkeyPatch.context() as patch:
        run = tmp_path / "run"
        patch.setattr(sys, "argv", ["t", *settings, "--smoke", "--data_dir", str(data), "--experiment_dir", str(run)])
        assert importlib.import_module(f"{lesson}.train").main() == 0
    record = json.loads((run / "run.json").read_text("utf-8"))
    parser = parsers(f"{lesson}.train")
    assert isinstance(parser, cli.Parser)
    given = parser.read(settings)
    for name in given.given - {"config"}:
        assert record["arguments"][name] == getattr(given, name)
