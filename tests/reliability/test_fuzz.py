"""Whatever a file holds and whatever a server answers, it is read or refused in one sentence."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop import ROOT

FUZZ = Path(__file__).parent / "fuzz.py"
#: The readers, as the table calls them.
READERS = {
    "text": "texts of lesson 1", "abc": "tunes in ABC notation", "midi": "MIDI files", "audio": "sound files",
    "recordings": "sound files of phones and videos",
    "conditions": "conditions of sounds", "vocabulary": "vocabularies", "catalogue": "the catalogue",
    "manifest": "lists of files", "checkpoints": "checkpoints", "download": "servers, one file",
    "download_many": "servers, several files", "run_char": "run.json, lesson 1", "run_midi": "run.json, lesson 2",
    "run_wavenet": "run.json, lesson 3", "osc": "packets of OSC", "onnx_loops": "ONNX files of loops",
}  # fmt: skip
MAX_MB = 1024
#: For the short form and for the long one.
SECONDS = (300, 3600)


def fuzz(reader: str, cases: int, seed: int | None, timeout: float) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FUZZ), reader, "--cases", str(cases)]
    command += [] if seed is None else ["--seed", str(seed)]
    path = [str(ROOT), str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace", timeout=timeout,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_foreign_bytes_are_read_or_refused(
    reader: str, amount: Callable[[int, int], int], figure: Callable[[str, str, str], None]
) -> None:
    cases = amount(100, 2000)
    seed = amount(0, random.SystemRandom().randrange(1, 1 << 32)) or None
    done = fuzz(reader, cases, seed, amount(*SECONDS))
    assert done.returncode == 0, f"seed {seed}:\n{done.stderr[-5000:]}"
    came = json.loads(done.stdout.splitlines()[-1])
    assert came["cases"] >= cases
    assert came["accepted"] > 0
    assert came["refused"] > 0 or reader == "abc"
    assert came["peak_mb"] < MAX_MB
    counts = f"{came['accepted']:,} read, {came['refused']:,} refused"
    tried = f"{came['cases']:,} cases" + (f", seed {seed}" if seed else "")
    costs = f"at most {came['slowest']:.1f} s and {came['peak_mb']} MB"
    figure(f"fuzzed files: {READERS[reader]}", tried, f"{counts}; {costs}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "said"),
    [("raises", "ZeroDivisionError"), ("writes", "Forbidden: open"), ("removes", "Forbidden: os.remove"),
     ("starts", "Forbidden: subprocess.Popen"), ("hides", "Forbidden: os.mkdir"), ("dawdles", "took "),
     ("hangs", "Timeout (0:00:01)!")],
)  # fmt: skip
def test_a_mistake_of_a_reader_is_found(mistake: str, said: str) -> None:
    done = fuzz(mistake, 3, None, 120)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.slow
def test_memory_that_a_reader_takes_is_seen() -> None:
    done = fuzz("grows", 3, None, 120)
    assert 200 < json.loads(done.stdout)["peak_mb"] < 400
