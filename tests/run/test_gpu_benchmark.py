"""The script that tries the lessons on a card, on a computer that may have none."""

import json
import subprocess
import sys

import pytest

from workshop import ROOT

SCRIPT = ROOT / "benchmarks" / "gpu.py"


@pytest.mark.slow
def test_the_cpu_comes_to_what_the_cpu_comes_to() -> None:
    asked = ["--anyway", "--only", "char_rnn", "--minutes", "0.05"]
    done = subprocess.run([sys.executable, str(SCRIPT), *asked], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    if not found["cards"]:
        assert found["char_rnn"]["apart"] == 0
    assert found["char_rnn"]["apart"] < 1e-3
    assert found["char_rnn"]["steps_a_minute"] > 0
