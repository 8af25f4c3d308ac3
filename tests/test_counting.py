"""Progress through many files: nothing where it is quick, a line now and then in a log, a bar in a terminal."""

import sys
from collections.abc import Iterator

import pytest

from workshop import ROOT, counting
from workshop.counting import FIRST_SECONDS, LOG_SECONDS, counted, told


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is, in seconds, for the module alone."""
    now = [100.0]
    monkeypatch.setattr(counting.time, "monotonic", lambda: now[0])
    return now


def passing(clock: list[float], seconds: float, count: int) -> Iterator[int]:
    """So many numbers, each of which takes so long."""
    for number in range(count):
        clock[0] += seconds
        yield number


def test_what_is_quick_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counted(passing(clock, FIRST_SECONDS / 5, 4), 4, "reading")) == [0, 1, 2, 3]
    assert capsys.readouterr().err == ""


def test_a_log_has_a_line_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(list(counted(passing(clock, 0.01, 5000), 5000, "reading songs", "songs"))) == 5000
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"reading songs: {100 * FIRST_SECONDS - 1:,.0f} of 5,000 songs"
    assert len(lines) == 1 + (50 - FIRST_SECONDS) // LOG_SECONDS


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(counting, "FIRST_SECONDS", 0)
    assert list(counted(range(7), 7, "reading songs")) == list(range(7))
    assert "reading songs:" in capsys.readouterr().err


def test_a_log_tells_how_long_it_will_take(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with told(240 * 60, 60, "reading a.flac", "minutes") as tell:
        for _ in range(24):
            clock[0] += 5
            tell(10 * 60)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "reading a.flac: 10 of 240 minutes, 1:55 left"
    assert lines[1] == "reading a.flac: 30 of 240 minutes, 1:45 left"
    with told(0, 60, "reading b.m4a", "minutes") as tell:
        clock[0] += 50
        tell(600)
    assert capsys.readouterr().err == ""


def test_it_can_be_left_early(clock: list[float]) -> None:
    for number in counted(passing(clock, 1, 100), 100, "reading"):
        if number == 3:
            break
    assert number == 3


def test_one_place_makes_bars() -> None:
    sources = [file for file in ROOT.glob("*/**/*.py") if file.relative_to(ROOT).parts[0] not in ("tests", ".venv")]
    assert [file.name for file in sources if "from tqdm import" in file.read_text("utf-8")] == ["counting.py"]
