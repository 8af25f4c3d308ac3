"""The prompt: what is named is there, and a mistake is answered by its sentence, on each kind of it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
from workshop import prompt
from workshop.errors import UserError

def fail(): raise UserError("there is no tune")
def main():
    print("in a notebook:", prompt.in_notebook())
    if OPENS:
        prompt.converse({"tune": 42, "fail": fail}, "hello")
    else:
        fail()
if __name__ == "__main__":
    prompt.run(main)
"""
TYPED = "print(tune + 1)\nfail()\n1 / 0\nprint('still', 'here')\nexit()\n"


def conversation(tmp_path: Path, *flags: str, opens: bool = True, typed: str = TYPED) -> tuple[int, str]:
    """Exit status, and what is printed."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("OPENS", str(opens)), "utf-8")
    settings = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *flags, str(script)], input=typed, env=settings, timeout=60, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["-i"]])
def test_what_is_named_is_there_and_mistakes_are_sentences(tmp_path: Path, flags: list[str]) -> None:
    status, printed = conversation(tmp_path, *flags)
    assert status == 0
    before, _, after = printed.partition("error: there is no tune\n")
    assert "hello" in before
    assert "43" in before
    assert "Traceback" not in before
    assert "ZeroDivisionError" in after
    assert "still here" in after


def test_a_script_that_fails_leaves_no_empty_prompt(tmp_path: Path) -> None:
    assert conversation(tmp_path, "-i", opens=False, typed="print(6 * 7)\n") == (
        2,
        "in a notebook: False\nerror: there is no tune\n",
    )


@pytest.mark.slow
def test_within_ipython_its_own_prompt_is_used(tmp_path: Path) -> None:
    conversation(tmp_path)
    typed = f"%run {tmp_path / 'script.py'}\n{TYPED}"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner"], input=typed, timeout=60, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")},
    )  # fmt: skip
    before, _, after = done.stdout.partition("error: there is no tune\n")
    assert "hello" in before
    assert "43" in before
    assert "still here" in after


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of the client that stands in for a browser
def test_in_a_notebook_the_names_are_there_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = pytest.importorskip("jupyter_client.manager")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    conversation(tmp_path)  # writes the script
    kernel, client = manager.start_new_kernel(cwd=str(tmp_path))
    said: list[str] = []

    def note(message: dict[str, Any]) -> None:
        said.append(message["content"].get("text", message["content"].get("ename", "")))

    try:
        for cell in ("%run script.py", "print(tune + 1)", "fail()"):
            client.execute_interactive(cell, timeout=60, output_hook=note)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
    printed = "".join(said)
    assert "in a notebook: True\nhello\n" in printed
    assert printed.endswith("43\nerror: there is no tune\n")
