"""Run the long form of the reliability tests, and make a table of their figures.

    python tests/reliability/table.py                      some hours; rewrites the table
    python tests/reliability/table.py -k kill              these alone, as pytest chooses them; other rows stay
    python tests/reliability/table.py --medium -k kill     without XLA and with fewer repetitions, see conftest.py
    python tests/reliability/table.py --short              minutes; the table is only printed

The rows are kept in docs/reliability.json, and shown in docs/reliability.md. A run in which a test fails changes none.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from workshop import ROOT
from workshop.files import read_json, write_json, write_text

PAGE = ROOT / "docs" / "reliability.md"
KEPT = PAGE.with_suffix(".json")
FORMS = ("short", "medium", "long")
#: Tests of other folders that have rows.
ELSEWHERE = ("live/test_stage.py", "container/test_container_class.py")
REGION = re.compile(r"(<!-- tried -->\n).*?(<!-- end of tried -->)", re.DOTALL)


def run(form: str, further: list[str], figures: Path) -> int:
    """Run the tests in that form; their figures go to a file. Returns pytest's exit status."""
    tests = [Path(__file__).parent, *(ROOT / "tests" / name for name in ELSEWHERE)]
    command = [sys.executable, "-m", "pytest", *map(str, tests), "-m", "slow or container", "-v", *further]
    environment = {**os.environ, "WORKSHOP_RELIABILITY": form, "WORKSHOP_FIGURES": str(figures)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def table(rows: dict[str, list[str]]) -> str:
    """The figures as a table in Markdown: what was tried, how often, what came out."""
    lines = ["| what was tried | how often | what came out |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {what} | {' | '.join(row)} |" for what, row in sorted(rows.items())), ""])


def fill(page: str, rows: dict[str, list[str]]) -> str:
    """Return the page with the table in its place."""
    return REGION.sub(lambda place: f"{place[1]}{table(rows)}{place[2]}", page)


def main() -> int:
    """Run, print, and keep what a run in which nothing failed has found, unless it was a short one."""
    further = [word for word in sys.argv[1:] if word.removeprefix("--") not in FORMS]
    form = next((form for form in FORMS if f"--{form}" in sys.argv), "long")
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.jsonl"
        figures.touch()
        status = run(form, further, figures)
        found = [json.loads(line) for line in figures.read_text("utf-8").splitlines()]
    rows = {what: row for what, *row in found}
    print(table(rows))
    if form != "short" and status == 0:
        if (further or form == "medium") and KEPT.exists():
            rows = {**read_json(KEPT), **rows}
        write_json(KEPT, rows)
        write_text(PAGE, fill(PAGE.read_text("utf-8"), rows))
    return status


if __name__ == "__main__":
    sys.exit(main())
