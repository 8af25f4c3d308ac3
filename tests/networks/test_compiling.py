"""What numba has compiled is compiled again when any source of it has changed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import ROOT
from workshop.networks.compiling import MARKS, sources_hash

KERNELS = [
    file
    for file in sorted(ROOT.glob("*/**/*.py"))
    if file.relative_to(ROOT).parts[0] not in ("tests", ".venv", "benchmarks")
    and "networks.compiling import" in file.read_text("utf-8")
]


def test_the_folder_is_named_by_all_files_of_kernels(tmp_path: Path) -> None:
    rooms, lesson = tmp_path / "networks", tmp_path / "lesson"
    for folder in (rooms, lesson):
        folder.mkdir()
        (folder / "kernel.py").write_text("from workshop.networks.compiling import compiled\n")
        (folder / "page.py").write_text("import keras\n")
    hashes = []
    for change in (rooms / "kernel.py", lesson / "kernel.py", rooms / "page.py"):
        change.write_text(change.read_text() + "# changed\n")
        sources_hash.cache_clear()
        hashes.append(sources_hash(lesson, rooms))
    assert hashes[0] != hashes[1]
    assert hashes[1] == hashes[2]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: str(kernel.relative_to(ROOT)))
def test_what_a_kernel_takes_from_elsewhere_is_in_its_hash(kernel: Path) -> None:
    """Functions, and constants that are compiled in."""
    text = kernel.read_text("utf-8")
    assert "njit" not in text
    for module, names in re.findall(r"^from ((?:workshop|[a-z]+_rnn|wavenet)[\w.]*) import (.*)$", text, re.MULTILINE):
        file = ROOT / (module.replace(".", "/") + ".py")
        assert file.parent in (kernel.parent, ROOT / "workshop" / "networks")
        is_hashed = any(mark in file.read_bytes() for mark in MARKS)
        is_compiling = module == "workshop.networks.compiling"
        assert is_hashed or is_compiling or re.fullmatch(r"[A-Z][a-z]+(, [A-Z][a-z]+)*", names), f"{module}: {names}"


def test_only_one_place_calls_numbas_decorator() -> None:
    assert len(KERNELS) >= 6
    sources = [file for file in ROOT.glob("*/**/*.py") if file.relative_to(ROOT).parts[0] not in ("tests", ".venv")]
    assert [file.name for file in sources if "cache=True" in file.read_text("utf-8")] == ["compiling.py"]


@pytest.mark.slow
def test_a_change_of_what_a_kernel_calls_is_seen(tmp_path: Path) -> None:
    head = "from workshop.networks.compiling import compiled\n"
    (tmp_path / "outer.py").write_text(
        f"{head}from inner import inner\n@compiled\ndef outer(x: int) -> int:\n    return inner(x)\n"
        "print(outer(1), sum(outer.stats.cache_hits.values()))\n"
    )
    said = []
    for number in (10, 10, 20):
        (tmp_path / "inner.py").write_text(f"{head}@compiled\ndef inner(x: int) -> int:\n    return x + {number}\n")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("NUMBA_CACHE_DIR", None)
        command = [sys.executable, str(tmp_path / "outer.py")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        said.append(done.stdout.split())
    assert said == [["11", "0"], ["11", "1"], ["21", "0"]]
