"""The page about reliability shows the rows that were measured, as they were kept."""

import sys
from pathlib import Path

import pytest

from workshop import ROOT
from workshop.files import read_json

sys.path.append(str(ROOT / "tests" / "reliability"))
import table

ROWS = {"b": ["2 times", "well"], "a": ["once", "well"]}


def test_the_page_shows_what_was_kept() -> None:
    page = table.PAGE.read_text("utf-8")
    assert len(table.REGION.findall(page)) == 1
    if table.KEPT.exists():
        assert table.fill(page, read_json(table.KEPT)) == page


def test_rows_stand_in_the_table_in_order_and_replace_the_old_ones() -> None:
    page = "before\n<!-- tried -->\nold\n<!-- end of tried -->\nafter\n"
    filled = table.fill(page, ROWS)
    assert filled.splitlines()[2:6] == [
        "| what was tried | how often | what came out |", "| --- | --- | --- |", "| a | once | well |",
        "| b | 2 times | well |",
    ]  # fmt: skip
    assert table.fill(filled, ROWS) == filled
    assert "old" not in filled


@pytest.mark.parametrize(
    ("words", "status", "kept"),
    [
        ([], 0, {"a": ["1", "new"]}),
        (["-k", "kill"], 0, {"a": ["1", "new"], "b": ["2 times", "well"]}),
        ([], 1, ROWS),
        (["--medium"], 0, {"a": ["1", "new"], "b": ["2 times", "well"]}),
        (["--short"], 0, ROWS),
    ],
)
def test_only_a_run_of_some_length_without_a_failure_is_kept(
    words: list[str], status: int, kept: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(form: str, further: list[str], figures: Path) -> int:
        assert form == ([word[2:] for word in words if word.startswith("--")] or ["long"])[0]
        assert further == [word for word in words if not word.startswith("--")]
        figures.write_text('["a", "1", "new"]\n')
        return status

    monkeypatch.setattr(table, "run", run)
    monkeypatch.setattr(table, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(table, "KEPT", tmp_path / "page.json")
    monkeypatch.setattr(sys, "argv", ["table.py", *words])
    table.PAGE.write_text("<!-- tried -->\n<!-- end of tried -->\n")
    table.write_json(table.KEPT, ROWS)
    assert table.main() == status
    assert read_json(table.KEPT) == kept
