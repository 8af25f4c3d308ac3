"""The notebooks: text without outputs, and executed from the first cell to the last by a kernel of Jupyter's."""

import os
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
import warm as warm_python
from jupytext.config import load_jupytext_config
from nbclient import NotebookClient

from workshop import ROOT

FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.Rmd"))
#: What each shows at least, by the type of the output.
SHOWN = {
    "01-text": {"audio": 1, "image/png": 3},
    "02-notes": {"audio": 6, "image/png": 8, "text/markdown": 1},
    "03-sound": {"audio": 7, "image/png": 7},
    "04-compare": {"image/png": 2, "text/markdown": 1},
    "05-memory": {"audio": 7, "image/png": 9},
    "06-spectra": {"audio": 8, "image/png": 9},
    "07-loops": {"audio": 10, "image/png": 11},
}
#: What a training says that a notebook runs in its own kernel.
PROGRESS = re.compile(r"compiling the |step \d|held-out data: |ended: ")
#: A cell that takes longer hangs.
TIMEOUT_SECONDS = 300


def cells(notebook: Path, kind: str) -> list[str]:
    return [cell.source for cell in jupytext.read(notebook).cells if cell.cell_type == kind]


def shown(executed: Any) -> dict[str, int]:
    """How many outputs of each type an executed notebook has; players count as "audio"."""
    counts: dict[str, int] = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            kinds = {"audio"} if "<audio" in data.get("text/html", "") else data.keys()
            for kind in kinds:
                counts[kind] = counts.get(kind, 0) + 1
    return counts


def test_there_is_one_for_each_lesson_and_a_comparison() -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(SHOWN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_valid_text(path: Path) -> None:
    notebook = jupytext.read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    # Saved by JupyterLab without a change it is the same text, so that a comparison shows what somebody changed.
    notebook.metadata.language_info = {"name": "python", "version": "3.11"}
    assert jupytext.writes(notebook, "Rmd", config=load_jupytext_config(str(path))) == path.read_text("utf-8")
    assert not list(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_first_what_one_will_be_able_to_do(path: Path) -> None:
    first = jupytext.read(path).cells[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# .+\n\nWhen you have gone through this notebook, you will be able to\n\n- ", first.source)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_of_a_notebook_are_short(path: Path) -> None:
    for source in cells(path, "code"):
        compile(source, path.name, "exec")
        assert len(source.splitlines()) <= 20
    assert all(len(line) <= 140 for line in path.read_text("utf-8").splitlines())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_notebook_refers_to_is_there(path: Path) -> None:
    for source in cells(path, "markdown"):
        for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", source):
            assert re.match(r"\w+:", link) or (path.parent / link).exists(), link
        for page in re.findall(r"`(docs/[^`]+)`", source):
            assert (ROOT / page).is_file(), page


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_can_be_executed(
    path: Path, tree: Path, home: Path, warm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel inherits this: the copy of the tree, nobody's settings, and nobody who could move a slider.
    monkeypatch.setenv("PYTHONPATH", str(tree))
    for name, value in warm_python.environment(warm).items():
        monkeypatch.setenv(name, value)
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    # What IPython runs first. Not compiled: that takes longer than these trainings.
    startup = home / "profile_default" / "startup" / "without_xla.py"
    startup.parent.mkdir(parents=True)
    path_of_tests = str(ROOT / "tests")
    startup.write_text(
        f"import sys; sys.path.append({path_of_tests!r})\nimport pytest, tiny\ntiny.without_xla(pytest.MonkeyPatch())\n"
    )
    notebook = jupytext.read(tree / path.relative_to(ROOT))
    place = tree / "docs" / "notebooks"
    client = NotebookClient(notebook, timeout=TIMEOUT_SECONDS, resources={"metadata": {"path": str(place)}})
    # In what it takes for a test of itself, the kernel does not catch what native libraries and child processes print.
    executed = client.execute(env={name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"})
    found = shown(executed)
    assert {kind: count for kind, count in SHOWN[path.stem].items() if found.get(kind, 0) < count} == {}, found
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert "temperature 1.3" in "".join(output.get("text", "") for output in outputs)
    said = "".join(output.text for output in outputs if output.get("name") == "stderr").splitlines()
    assert [line for line in said if not PROGRESS.match(line)] == []
