"""Run the long form of the reliability tests, and make a table of their figures.

python tests/reliability/table.py                 an hour and a half; the table goes into docs/reliability.md
python tests/reliability/table.py --short         minutes; the table is only printed
python tests/reliability/table.py -k kill         what follows is for pytest; the table is only printed
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from workshop import ROOT
from workshop.files import write_text

PAGE = ROOT / "docs" / "reliability.md"
REGION = re.compile(r"(<!-- tried -->\n).*?(<!-- end of tried -->)", re.DOTALL)


def run(form: str, further: list[str], figures: Path) -> int:
    """Run the tests in that form; their figures go to a file. Returns pytest's exit status."""
    command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), "-m", "slow", "-v", *further]
    environment = {**os.environ, "WORKSHOP_RELIABILITY": form, "WORKSHOP_FIGURES": str(figures)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def table(rows: list[list[str]]) -> str:
    """The figures as a table in Markdown."""
    lines = ["| what was tried | how often | what came out |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in sorted(rows)), ""])


def fill(page: str, rows: list[list[str]]) -> str:
    """Return the page with the table in its place."""
    return REGION.sub(lambda place: f"{place[1]}{table(rows)}{place[2]}", page)


def main() -> int:
    """Run, print, and keep the table of a whole long run in which nothing failed."""
    further = [word for word in sys.argv[1:] if word != "--short"]
    form = "short" if "--short" in sys.argv else "long"
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.jsonl"
        figures.touch()
        status = run(form, further, figures)
        rows = [json.loads(line) for line in figures.read_text("utf-8").splitlines()]
    print(table(rows))
    if form == "long" and not further and status == 0:
        write_text(PAGE, fill(PAGE.read_text("utf-8"), rows))
    return status


if __name__ == "__main__":
    sys.exit(main())
