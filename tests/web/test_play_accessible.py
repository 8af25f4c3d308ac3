"""What people with a screen reader, a keyboard, weak eyes or a phone find on the page."""

from pathlib import Path
from typing import Any

import pytest
from accessible import look_at
from browsing import finished, generate

pytestmark = pytest.mark.slow

#: Shows a tune, which the network of a test does not write.
TUNE = """async () => {
  const { showScore } = await import(new URL("static/score.js", document.baseURI));
  await showScore(document.querySelector(".score"), "X:1\\nT:A tune\\nK:G\\nGABc|");
}"""


def test_nothing_bars_a_text_and_a_tune(page: Any) -> None:
    generate(page, "char_rnn", length="3000")
    finished(page)
    page.click("#network summary")
    page.click(".likely summary")
    page.wait_for_selector(".expected:visible")
    page.wait_for_selector("#network img:visible")
    page.evaluate(TUNE)
    assert look_at(page) == {}
    page.problems[:] = [problem for problem in page.problems if "style-src" not in problem]  # abcjs, see its own test


@pytest.mark.parametrize(("lesson", "length"), [("midi_rnn", {"length": "64"}), ("wavenet", {"seconds": "1"})])
def test_nothing_bars_notes_and_a_sound(page: Any, lesson: str, length: dict[str, str]) -> None:
    generate(page, lesson, **length)
    finished(page)
    for summary in page.locator("#settings summary:visible").all():
        summary.click()
    assert look_at(page) == {}


def test_a_fault_would_be_found(page: Any) -> None:
    page.evaluate("document.querySelector('label[for=seed]').remove()")
    page.evaluate("document.getElementById('seed').placeholder = ''")
    page.evaluate("document.getElementById('status').style.color = '#ddd'")
    assert {fault.partition(" ")[0] for fault in look_at(page)["light, 1100"]} >= {"label", "color-contrast"}


def test_nothing_bars_results_side_by_side(page: Any) -> None:
    page.select_option("#variants", "2")
    page.select_option("#compare", "temperature")
    generate(page, "midi_rnn", length="64")
    finished(page)
    assert look_at(page) == {}


def test_nothing_bars_own_files(page: Any, tiny_text: Path) -> None:
    page.set_input_files("#own-files", [tiny_text / "input.txt"])
    page.wait_for_selector(".verdict")
    page.click(".verdict summary")
    assert look_at(page) == {}
