"""What there is to use of this computer, and of a container with a limit."""

import os
from pathlib import Path

import pytest

from workshop import machine


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a control group that says nothing yet."""
    monkeypatch.setattr(machine, "CONTROL_GROUP", tmp_path)
    return tmp_path


def test_this_computer() -> None:
    total, free = machine.memory()
    assert 1 << 28 < total < 1 << 50
    assert 0 <= free <= total
    assert 1 <= machine.usable_cores() <= (os.cpu_count() or 1)


def test_a_container_may_have_less(limit: Path) -> None:
    (limit / "memory.max").write_text(f"{64 << 20}\n")
    (limit / "memory.current").write_text(f"{24 << 20}\n")
    assert machine.memory() == (64 << 20, 40 << 20)


def test_what_a_container_took_beyond_its_limit_is_no_debt(limit: Path) -> None:
    (limit / "memory.max").write_text("1000")
    (limit / "memory.current").write_text("1001")
    assert machine.memory() == (1000, 0)


@pytest.mark.parametrize("said", ["max", "", str(1 << 60)])
def test_no_limit_is_that_of_the_computer(limit: Path, said: str) -> None:
    whole = machine.memory()[0]
    (limit / "memory.max").write_text(said)
    (limit / "memory.current").write_text("0")
    assert machine.memory()[0] == whole


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert machine.text_of(tmp_path / "missing") == ""
