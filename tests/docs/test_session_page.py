"""Each line of the session that a page shows is typed on its prompt, in a terminal, Ctrl-C included."""

import os
import shlex
import sys
from pathlib import Path

import pytest
from pages import fenced

from workshop import ROOT

#: What makes the network small, and keeps its training from taking long.
SMALL = "--rnn_size 8 --num_layers 1 --seq_length 40 --batch_size 10"
PAGES = ["audio_rnn/README.md", "docs/08-memory.md"]


def shown(page: str) -> tuple[str, list[str]]:
    """The command that opens the session of a page, and what is typed on its prompt."""
    blocks = [(language, text) for _, language, text, _ in fenced((ROOT / page).read_text("utf-8"))]
    (command,) = (text.splitlines()[0] for language, text in blocks if language == "sh" and "--model-name" in text)
    (typed,) = (text for language, text in blocks if language == "python")
    return command, typed.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_session_of_a_page_can_be_typed(page: str, tree: Path, home: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    command, lines = shown(page)
    program, *words = shlex.split(f"{command} {SMALL}")
    assert program == "python"
    settings = os.environ | {"HOME": str(home), "PYTHONPATH": str(tree)}
    child = pexpect.spawn(
        sys.executable, words, cwd=tree / "audio_rnn", timeout=120, encoding="utf-8", dimensions=(40, 200),
        env=settings | {"IPY_TEST_SIMPLE_PROMPT": "1"},  # without colours and completion
    )  # fmt: skip
    said = []
    for number, line in enumerate(lines, start=1):
        child.expect_exact(f"In [{number}]: ")
        said.append(child.before)
        child.sendline(line)
        if "Ctrl-C" in line:
            child.expect(r"step \d")
            child.sendintr()
            child.expect_exact("ended: stopped by Ctrl-C; everything is saved")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    printed = "\n".join([*said, child.before])
    assert "Error" not in printed
    assert "error:" not in printed
    assert sum("Ctrl-C" in line for line in lines) == 1
    experiment = tree / "audio_rnn" / "experiments" / "hall"
    kept = [int(path.stem.removeprefix("step_")) for path in experiment.glob("checkpoints/step_*.npz")]
    assert 1000 in kept
    assert max(kept) > 1000
    assert (experiment / "samples" / f"step_{max(kept):06d}.wav").is_file()
