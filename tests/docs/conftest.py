"""A copy of the workshop, as a reader finds it, for each page that the tests follow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import ROOT

#: What a fresh clone does not have, and what start.sh is not asked for.
NOT_COPIED = (".*", "__pycache__", "*.egg-info", "build", "experiments", "save*", "generated", "YOURDATA", "tests")


@pytest.fixture(scope="session")
def clean_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workshop after its set-up, with the starter sets and nothing that anybody made; not to be written to."""
    tree = tmp_path_factory.mktemp("tree") / "clean"
    shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
    for folder in ("lyrics", "midi", "audio"):
        for found in (tree / "data" / folder).glob("*"):
            if found.name not in {"starter", "tunes"}:
                shutil.rmtree(found)
    (tree / "data" / "generated").mkdir()
    # Makes what is missing; where they have been made already it does nothing.
    command = [sys.executable, "-m", "workshop.tunes", "--data_dir", str(tree / "data")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return tree


@pytest.fixture
def tree(clean_tree: Path, tmp_path: Path) -> Path:
    """A copy of the workshop of this test's own, in a folder with a space in its name."""
    root = tmp_path / "the workshop"
    # Hard links, because there are thousands of files; what the workshop writes, it writes to new ones.
    shutil.copytree(clean_tree, root, symlinks=True, copy_function=os.link)
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder
