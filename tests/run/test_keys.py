"""Keys in the terminal of a training: p pauses, s saves, q saves and stops."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workshop import ROOT

pexpect = pytest.importorskip("pexpect")

PROGRAM = """
import sys, time
from pathlib import Path
from learners import Density
from test_learners import make, train

class Slow(Density):
    def step(self, frames):
        time.sleep(0.02)
        return super().step(frames)

sys.exit(train(make(Path(sys.argv[1]), Slow(), 1_000_000, num_epochs=100_000)))
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests" / "run")))}


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Any]:
    """A training in a terminal that would take hours."""
    child = pexpect.spawn(
        sys.executable, ["-c", PROGRAM, str(tmp_path / "01")], env=ENVIRONMENT, timeout=60, encoding="utf-8"
    )
    child.expect_exact("keys: p pauses and goes on, s saves now, q saves and stops")
    child.expect(r"step \d")
    yield child
    child.close(force=True)


def record(folder: Path) -> Any:
    return json.loads((folder / "01" / "run.json").read_text("utf-8"))


@pytest.mark.slow
def test_keys_save_pause_and_stop(training: Any, tmp_path: Path) -> None:
    for text in ("x", "sq", "s"):  # no key, two at once, as when something is pasted, and a key
        training.send(text)
        time.sleep(0.5)
    training.expect(r"saved at step ([\d,]+)\r\n")
    saved = int(training.match[1].replace(",", ""))
    assert record(tmp_path)["step"] >= saved > 0
    training.send("p")
    training.expect(r"paused at step ([\d,]+): p goes on, q saves and stops\r\n")
    paused = int(training.match[1].replace(",", ""))
    training.send("s")
    training.expect_exact(f"saved at step {paused:,}")
    time.sleep(1)
    assert training.buffer.strip() == ""
    assert record(tmp_path)["step"] == paused
    training.send("p")
    training.expect(r"step \d")
    training.send("q")
    training.expect_exact("ended: stopped by the key q; everything is saved")
    training.expect(pexpect.EOF)
    training.wait()
    assert training.exitstatus == 0
    found = record(tmp_path)
    assert found["status"] == "stopped"
    assert found["step"] >= paused


@pytest.mark.slow
def test_a_pause_ends_by_ctrl_c_too_and_the_terminal_is_as_before(training: Any, tmp_path: Path) -> None:
    import termios

    training.send("p")
    training.expect_exact("paused at step")
    training.sendintr()
    training.expect_exact("ended: stopped by Ctrl-C; everything is saved")
    assert termios.tcgetattr(training.child_fd)[3] & termios.ICANON
    training.expect(pexpect.EOF)
    training.wait()
    assert training.exitstatus == 130


@pytest.mark.slow
def test_where_there_is_no_terminal_nothing_is_read(tmp_path: Path) -> None:
    program = PROGRAM.replace("1_000_000", "20")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "01")], env=ENVIRONMENT, input="q" * 100, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "keys:" not in done.stderr
    assert record(tmp_path)["step"] == 20
