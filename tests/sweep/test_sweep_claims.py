"""Claims in a shared folder: one holder at a time, also where holders die or a drive is slow."""

import json
import multiprocessing
import os
import sys
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from clocks import set_forward

from workshop.files import write_json
from workshop.sweep import claims
from workshop.sweep.claims import Claim, Claims


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims seem to be of another computer, of whose processes nobody here knows."""
    monkeypatch.setattr(claims, "_has_died", lambda attempt: False)


def taken(folder: Path, patience_seconds: float = 60) -> Claim:
    claim = Claims(folder, patience_seconds).take("001.1")
    assert claim
    return claim


def test_of_two_one_gets_it(tmp_path: Path) -> None:
    one, other = Claims(tmp_path), Claims(tmp_path)
    assert one.take("001.1")
    assert other.take("001.1") is None
    assert one.take("001.1") is None, "nor does one get it twice"
    assert other.take("002.1")


def _race(folder: Path, start: float, got: "multiprocessing.Queue[int]", is_over: Event) -> None:
    time.sleep(max(0, start - time.time()))
    mine = Claims(folder)
    got.put(sum(1 for number in range(40) if mine.take(f"{number:03d}.1")))
    is_over.wait(60)  # what one has claimed that has ended is free again


def test_of_many_at_the_same_moment_one_gets_each(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    got: multiprocessing.Queue[int] = context.Queue()
    start = time.time() + 0.3
    is_over = context.Event()
    processes = [context.Process(target=_race, args=(tmp_path, start, got, is_over)) for _ in range(6)]
    for process in processes:
        process.start()
    taken_by_all = sum(got.get(timeout=30) for _ in processes)
    is_over.set()
    assert taken_by_all == 40
    for process in processes:
        process.join()


def test_what_is_given_back_can_be_taken(tmp_path: Path) -> None:
    claim = taken(tmp_path)
    claim.release()
    again = taken(tmp_path)
    assert again.folder.name == "2"


@pytest.mark.parametrize("kept", [0, os.WNOWAIT], ids=["gone", "its parent has not asked yet how it ended"])
def test_what_a_dead_process_of_this_computer_held_can_be_taken_at_once(kept: int, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        Claims(tmp_path).take("001.1")
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | kept)
    assert taken(tmp_path).folder.name == "2"
    if kept:
        os.waitpid(child, 0)


def test_a_process_that_has_got_the_same_number_is_another_one(tmp_path: Path) -> None:
    claim = taken(tmp_path)
    holder = json.loads((claim.folder / "holder.json").read_text())
    write_json(claim.folder / "holder.json", {**holder, "began": holder["began"] - 100})
    assert taken(tmp_path).folder.name == "2"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep the time at which a process began")
def test_a_clock_that_is_set_ends_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken(tmp_path)
    set_forward(monkeypatch)
    assert Claims(tmp_path).take("001.1") is None


@pytest.mark.usefixtures("elsewhere")
def test_a_silent_holder_elsewhere_is_waited_for_and_then_loses_it(tmp_path: Path) -> None:
    claim = taken(tmp_path)
    other = Claims(tmp_path, 0.4)
    assert other.take("001.1") is None, "the first look says nothing about the time before it"
    until = time.monotonic() + 0.8
    while time.monotonic() < until:
        claim.beat(0.1)
        assert other.take("001.1") is None, "it beats"
        time.sleep(0.05)
    assert not claim.is_lost
    time.sleep(0.5)
    assert other.take("001.1")
    assert claim.is_lost


@pytest.mark.usefixtures("elsewhere")
def test_a_holder_that_died_before_its_first_beat_loses_it_too(tmp_path: Path) -> None:
    (tmp_path / "001.1" / "1").mkdir(parents=True)
    other = Claims(tmp_path, 0.1)
    assert other.take("001.1") is None
    time.sleep(0.2)
    assert other.take("001.1")


def test_no_clock_but_that_of_the_one_who_looks_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files from the year 1980 or the future are as good as any."""
    monkeypatch.setattr(claims, "_has_died", lambda attempt: False)
    claim = taken(tmp_path)
    other = Claims(tmp_path, 60)
    for when in (315_532_800, 4_000_000_000):
        os.utime(claim.folder / "beat", (when, when))
        assert other.take("001.1") is None


def test_breakdowns_are_counted_over_all_claims(tmp_path: Path) -> None:
    first = taken(tmp_path)
    assert [first.crash(), first.crash()] == [1, 2]
    first.release()
    assert taken(tmp_path).crash() == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"computer": 3}'])
def test_a_damaged_claim_is_waited_for_like_any(tmp_path: Path, content: str) -> None:
    (tmp_path / "001.1" / "1").mkdir(parents=True)
    (tmp_path / "001.1" / "1" / "holder.json").write_text(content)
    other = Claims(tmp_path, 0.1)
    assert other.take("001.1") is None
    time.sleep(0.2)
    assert other.take("001.1")
