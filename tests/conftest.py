"""What several test files share: a small text, a trained experiment, and a way to run a lesson's script."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop import ROOT

#: Arguments that make a training of lesson 1 small: 44 steps an epoch on the tiny text, thousands of weights.
TINY = [
    "--rnn_size", "16",
    "--num_layers", "1",
    "--dropout", "0.2",
    "--seq_length", "20",
    "--batch_size", "20",
    "--learning_rate", "0.01",
    "--save_every", "20",
    "--sample_every", "1000000",
]  # fmt: skip


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an `input.txt` of 20,000 characters of the starter lyrics; not to be written to."""
    folder = tmp_path_factory.mktemp("tiny_text")
    songs = sorted((ROOT / "data" / "lyrics" / "starter").glob("*.txt"))
    text = "\n\n".join(song.read_text("utf-8") for song in songs)[:20_000]
    assert len(text) == 20_000
    (folder / "input.txt").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_arguments() -> list[str]:
    """Arguments of `char_rnn/train.py` for a network that trains in a second or two; previews are off."""
    return TINY.copy()


@pytest.fixture(scope="session")
def trained(tiny_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of lesson 1, trained for 88 steps in this process; copy it before you write to it."""
    from char_rnn import train

    path = tmp_path_factory.mktemp("trained") / "experiment"
    with pytest.MonkeyPatch.context() as patch:
        where = ["--data_dir", str(tiny_text), "--experiment_dir", str(path)]
        length = ["--num_epochs", "2", "--sample_every", "40", "--message", "made by the tests"]
        patch.setattr(sys, "argv", ["train.py", *where, *TINY, *length])
        assert train.main() == 0
    return path


@pytest.fixture(scope="session")
def run_script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a lesson's script: `run_script("char_rnn/sample.py", "-n", "10", cwd=..., stdin=...)`.

    Standard output and error come back as text; nothing is assumed about the exit status.
    """

    def run(
        script: str | Path, *args: str | Path, cwd: str | Path = ROOT, stdin: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / script), *map(str, args)]
        return subprocess.run(
            command, cwd=cwd, input=stdin if stdin is not None else "", capture_output=True, encoding="utf-8",
            timeout=timeout, env={**os.environ, "COLUMNS": "120"}, check=False,
        )  # fmt: skip

    return run
