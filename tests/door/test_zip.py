"""The workshop downloaded as a ZIP file: without git and without execute bits, in a folder with a space."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from containers import copy_tree, free_ports

from workshop import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="start.sh is for bash; Windows has WSL"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git says what belongs into the archive"),
]

#: Most lines that a demo prints without a terminal, from the first set-up to its last words.
MAX_LINES = 66

PYTHON = """#!/bin/sh
PYTHONPATH='{root}' exec '{python}' "$@"
"""

NO_GIT = """#!/bin/sh
echo "$@" >>'{calls}'
exit 1
"""


def checksum(*files: Path) -> str:
    """What start.sh remembers of files that a step was made from."""
    content = b"".join(file.read_bytes() for file in files)
    done = subprocess.run(["cksum"], input=content, capture_output=True, check=True)
    return "-".join(done.stdout.decode().split())


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def ready_environment(folder: Path, root: Path) -> Path:
    """An environment that start.sh takes for its own, with the Python of these tests and the modules of ``root``."""
    program(folder / "bin" / "python", PYTHON.format(root=root, python=sys.executable))
    steps = {"owner": "the tests", "made": str(root), "kind": "cpu", "python": "the one of the tests"}
    steps |= {"packages": f"cpu-{checksum(root / 'requirements' / 'cpu.txt')}"}
    steps |= {"project": checksum(root / "pyproject.toml")}
    for name, value in steps.items():
        (folder / "workshop-setup").mkdir(exist_ok=True)
        (folder / "workshop-setup" / name).write_text(f"{value}\n")
    return folder


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The tree of this clone, unpacked from a ZIP file by a program that knows no execute bits."""
    archive = shutil.make_archive(str(tmp_path / "workshop"), "zip", copy_tree(tmp_path / "tree"))
    root = tmp_path / "my downloads" / "workshop"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(root)
    assert not any(os.access(script, os.X_OK) for script in root.rglob("*.sh"))
    assert not (root / ".git").exists()
    return root


@pytest.fixture
def env(unpacked: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user without git, whose servers end with the test."""
    program(tmp_path / "stubs" / "git", NO_GIT.format(calls=tmp_path / "calls of git"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKSHOP_", "PYTHONPATH"))}
    ports = {f"WORKSHOP_PORT_{name.upper()}": str(port) for name, port in free_ports().items()}
    environment = {**kept, **ports, "PATH": f"{tmp_path / 'stubs'}:{kept['PATH']}", "WORKSHOP_DEMO_SMOKE": "1"}
    environment["WORKSHOP_VENV"] = str(ready_environment(tmp_path / "an environment", unpacked))
    yield environment
    subprocess.run(["bash", "start.sh", "--local", "stop"], cwd=unpacked, env=environment, check=True, timeout=60)


def test_the_demo_runs_from_an_unpacked_zip(unpacked: Path, env: dict[str, str], tmp_path: Path) -> None:
    command = ["bash", "start.sh", "--local", "demo"]
    done = subprocess.run(
        command, cwd=unpacked, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=540
    )
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) <= MAX_LINES
    assert "That was the demo." in done.stdout
    assert (unpacked / "char_rnn" / "experiments" / "01" / "samples" / "demo.txt").stat().st_size > 0
    assert len(list((unpacked / "data" / "midi" / "tunes").glob("*.mid"))) > 3000
    assert not (tmp_path / "calls of git").exists()
    # What the pages and the demo's last words say works from now on.
    answer = subprocess.run(
        ["./start.sh", "--local", "run", "pwd"], cwd=unpacked, env=env, capture_output=True, text=True
    )
    assert answer.stdout == f"{unpacked}\n"
