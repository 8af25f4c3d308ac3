"""What a training says while it runs, what it has to beat, and what is kept from the screen."""

import dataclasses
import os
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from workshop import words
from workshop.quiet import quietly
from workshop.run import ngram, progress
from workshop.run.baseline import MAX_COUNTED, ORDERS, Baseline, ngram_baseline
from workshop.run.progress import Pace, Progress


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""  # standard output is for what a script is asked for
    return err.splitlines()


# ---- in a log


def test_the_first_step_is_said_at_once_and_without_a_speed(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    said = Progress(1000, 0, "characters")
    clock.now += 8  # the first step includes the compilation: a speed made of it would frighten
    said.step(1, 0.001, np.log(2) * 4, 2500)
    (line,) = lines(capsys)
    assert line == "step 1/1,000  epoch 0.00  loss 2.773 nats = 4.000 bits"


def test_then_a_line_every_ten_seconds_with_speed_and_time_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Progress(1000, 0, "characters")
    clock.now += 8
    said.step(1, 0, 3.0, 500)
    lines(capsys)
    for step in range(2, 102):  # 10 steps, 5,000 characters a second
        clock.now += 0.1
        said.step(step, step / 500, 3.0, 500)
    (line,) = lines(capsys)
    assert re.search(r"step 10[01]/1,000  epoch 0\.20  loss 3\.000 nats = 4\.328 bits", line)
    assert "5,000 characters/s" in line
    assert "1:30 left" in line


def test_the_last_step_is_said(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    said = Progress(3, 0, "notes")
    for step in (1, 2, 3):
        clock.now += 1
        said.step(step, step / 3, 1.0, 10)
    first, last = lines(capsys)
    assert first.startswith("step 1/3 ")
    assert last.startswith("step 3/3 ")
    assert "10 notes/s  0:00 left" in last


def test_a_resumed_run_counts_its_own_steps_only(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    said = Progress(2000, 1000, "notes")
    clock.now += 5
    said.step(1001, 1, 1.0, 100)
    for step in range(1002, 1102):
        clock.now += 1
        said.step(step, 1, 1.0, 100)
    last = lines(capsys)[-1]
    assert "100 notes/s" in last
    assert "14:59 left" in last


@pytest.mark.parametrize(
    ("total", "minutes", "early", "shown"),
    [
        (1000, None, False, "5 notes/s  2:46:20 left"),
        (1000, 2.5, False, "5 notes/s  2:15 left"),  # 15 of the 150 seconds have gone
        (1000, 30, False, "5 notes/s  29:45 left"),
        (1000, 300, False, "5 notes/s  2:46:20 left"),
        (1000, 2.5, True, "5 notes/s  at most 2:15 left"),
        (None, 20, True, "5 notes/s  at most 19:45 left"),
        (None, 0.1, True, "5 notes/s  at most 0:00 left"),  # previews took longer than that
        (None, None, False, "5 notes/s"),
    ],
)
def test_the_time_left_is_the_least_of_steps_and_limit(
    clock: Clock, capsys: pytest.CaptureFixture[str], total: int | None, minutes: float | None, early: bool, shown: str
) -> None:
    said = Progress(total, 0, "notes", minutes, early)
    clock.now += 5
    said.step(1, 0, 1.0, 1)
    clock.now += 10
    said.step(2, 0, 1.0, 50)
    first, last = lines(capsys)
    assert first.startswith("step 1  " if total is None else "step 1/1,000  ")
    assert last.endswith(shown)


def test_the_loss_is_a_running_mean(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    said = Progress(2, 0, "notes")
    said.step(1, 0, 2.0, 1)
    clock.now += 1
    said.step(2, 0, 4.0, 1)
    assert "loss 2.100 nats" in lines(capsys)[-1]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3599, "59:59"), (36_061, "10:01:01")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert words.duration(seconds) == shown


# ---- in a terminal


def test_in_a_terminal_one_line_renews_itself(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = Progress(100, 0, "notes")
    for step in range(1, 12):
        said.step(step, 0, 1.0, 10)
        clock.now += 0.1
    said.say("    | la la la")
    said.step(100, 1, 1.0, 10)
    said.close()
    said.close()
    err = capsys.readouterr().err
    before, after = err.split("    | la la la\n")
    shown = before.split("\r")[1:]
    assert [line.split("/")[0] for line in shown] == ["step 1", "step 6", "step 11"]
    # Nothing of a longer line stays on the screen, and what is said begins on a line of its own.
    assert all(len(b.rstrip("\n")) >= len(a.rstrip("\n").rstrip()) for a, b in pairwise(shown))
    assert before.endswith("\n")
    assert before.count("\n") == 1
    assert after.startswith("\rstep 100/100")
    assert after.endswith("\n")
    assert after.count("\n") == 1


def test_a_shorter_line_covers_a_longer_one(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = Progress(10**6, 0, "notes")
    said.step(1, 0, 1.0, 1)
    clock.now += 1
    said.step(2, 0, 1.0, 10**9)  # 1,000,000,000 notes/s
    clock.now += 1000
    said.step(3, 0, 1.0, 1)
    long, short = capsys.readouterr().err.split("\r")[2:]
    assert len(short.rstrip()) < len(long)
    assert len(short) >= len(long)


# ---- the baseline


def test_the_best_order_and_what_is_said_about_it() -> None:
    baseline = Baseline({"1": 3.0, "2": 2.25, "10": 2.5})
    assert (baseline.order, baseline.best) == ("2", 2.25)
    assert baseline.comparison(2.24) == "the best n-gram (2.250, order 2) is beaten"
    assert baseline.comparison(2.25) == "the best n-gram (2.250, order 2) is not beaten yet"
    fine_tuned = dataclasses.replace(baseline, earlier=2.0)
    both = "the best n-gram (2.250, order 2) is beaten, an n-gram of the earlier data as well (2.000) is not beaten yet"
    assert fine_tuned.comparison(2.1) == both


def test_the_baseline_counts_the_training_part_and_measures_the_other() -> None:
    rng = np.random.default_rng(0)
    train, held_out = np.tile([0, 1, 2, 3], 200).astype(np.uint8), np.tile([0, 1, 2, 3], 20).astype(np.uint8)
    baseline = ngram_baseline(train, held_out, 4)
    assert baseline.losses == {str(n): loss for n, loss in ngram.evaluate(train, held_out, 4, ORDERS).items()}
    assert list(baseline.losses) == ["1", "2", "3", "4", "5", "6"]
    assert baseline.losses["1"] == pytest.approx(np.log(4), abs=0.01)
    assert baseline.best < 0.1
    noise = ngram_baseline(rng.integers(0, 4, 800), rng.integers(0, 4, 400), 4)
    assert noise.best > 1.2


def test_the_earlier_data_is_counted_too() -> None:
    rng = np.random.default_rng(0)
    train, held_out, earlier = rng.integers(0, 4, 50), np.tile([0, 1, 2, 3], 20), np.tile([0, 1, 2, 3], 200)
    baseline = ngram_baseline(train, held_out, 4, earlier=earlier)
    assert baseline.losses == ngram_baseline(train, held_out, 4).losses
    assert baseline.earlier is not None
    assert baseline.earlier < 0.5 < 1.3 < baseline.best


def test_of_a_very_long_text_the_last_part_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    monkeypatch.setattr(ngram, "evaluate", lambda train, *rest: seen.append(train) or {1: 1.0})
    train = np.zeros(MAX_COUNTED + 10, np.uint8)
    train[-1] = 7
    ngram_baseline(train, np.zeros(3, np.uint8), 8)
    assert len(seen[0]) == MAX_COUNTED
    assert seen[0][-1] == 7


# ---- quiet

NATIVE = "import os, sys\nfrom workshop.quiet import quietly\n"


def stderr_of(code: str) -> tuple[int, str]:
    result = subprocess.run([sys.executable, "-c", NATIVE + code], capture_output=True, text=True, check=False)
    return result.returncode, result.stderr


def test_native_talk_is_held_back_and_what_comes_after_is_not() -> None:
    code = "print('before', file=sys.stderr)\nwith quietly():\n    os.write(2, b'chatter\\n')\n"
    code += "    os.system('echo more chatter >&2')\nprint('after', file=sys.stderr)"
    assert stderr_of(code) == (0, "before\nafter\n")


def test_native_talk_is_shown_after_all_when_the_block_fails() -> None:
    status, err = stderr_of(
        "with quietly():\n    os.write(2, b'libfoo.so is missing\\n')\n    raise ImportError('foo')"
    )
    assert status == 1
    assert err.startswith("libfoo.so is missing\n")
    assert err.rstrip().endswith("ImportError: foo")


def test_native_talk_is_no_part_of_a_sentence_for_the_user() -> None:
    status, err = stderr_of(
        "from workshop import cli\nfrom workshop.errors import UserError\ndef main():\n    with quietly():\n"
        "        os.write(2, b'chatter\\n')\n        raise UserError('no')\ncli.run(main)"
    )
    assert (status, err) == (2, "error: no\n")


def test_no_descriptor_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with quietly():
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_simplest_guesses_are_counted() -> None:
    train, held_out = np.array([0, 1, 1, 1, 2], np.uint8), np.array([2, 1, 1, 0], np.uint8)
    # The last symbol before the held-out ones is the end of training.
    assert ngram_baseline(train, held_out, 3).accuracies == {"the most frequent": 0.5, "repeating the last": 0.5}


def test_pace_is_that_of_the_last_steps_without_the_first() -> None:
    pace = Pace()
    pace.count(100, 50.0)
    assert pace.take() is None
    pace.count(100, 0.5)
    pace.count(300, 1.5)
    assert pace.take() == 200
    pace.count(100, 0.25)
    assert pace.take() == 400
    assert pace.take() is None
