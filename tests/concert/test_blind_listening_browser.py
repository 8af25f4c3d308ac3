"""Listening blind in a real browser: what a person hears and chooses becomes a vote."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessible import faults
from booths import pairs_of
from browsing import TOKEN, served, until

from workshop.concert.server import application
from workshop.concert.votes import Booth
from workshop.web.security import Guard

pytestmark = pytest.mark.slow

#: The sounds called short last half a second, the others a second and a half.
PAIRS = """
[[pair]]
question = "Which one is longer?"
labels = ["short", "long"]
files = ["short.wav", "long.wav"]
[[pair]]
question = "Which one is <real>?"
labels = ["first one", "other one"]
files = ["a.txt", "b.txt"]
"""


@pytest.fixture
def booth(tmp_path: Path) -> Booth:
    words = dict.fromkeys("ab", "<b>la la</b>")
    return Booth(pairs_of(tmp_path, PAIRS, {"short": 0.5, "long": 1.5}, words), tmp_path / "votes")


@pytest.fixture
def page(browser: Any, booth: Booth) -> Iterator[Any]:
    """The page, on which nothing went wrong in the end."""
    with served(lambda port: application(Guard(TOKEN, port), booth)) as port:
        context = browser.new_context()
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"http://localhost:{port}/?token={TOKEN}")
        page.wait_for_selector("#pair:not([hidden])")
        yield page
        context.close()
    assert problems == []


def seconds(page: Any, side: str) -> float:
    """How long the sound lasts that stands on this side, once it is known; a second of it is played on the way."""
    return float(until(lambda: page.evaluate(f"document.querySelector('#{side} audio').duration || 0")))


def test_a_listener_hears_two_chooses_and_the_vote_is_counted(page: Any, booth: Booth) -> None:
    lengths = {side: seconds(page, side) for side in ("first", "second")}
    assert sorted(lengths.values()) == pytest.approx([0.5, 1.5], abs=0.15)
    # Only one plays at a time.
    page.evaluate("document.querySelector('#first audio').play()")
    page.evaluate("document.querySelector('#second audio').play()")
    until(lambda: page.evaluate("document.querySelector('#first audio').paused"))
    assert page.inner_text("#progress") == "1 of 2"
    longer = max(lengths, key=lambda side: lengths[side])
    page.click(f"#choose-{longer}")
    page.wait_for_selector("#first pre")
    assert booth.counts()[0].first == 0
    assert booth.counts()[0].votes == 1
    # What others have written is text.
    assert page.inner_text("#question") == "Which one is <real>?"
    assert page.inner_text("#first") == "<b>la la</b>"
    page.click("#choose-first")
    until(lambda: "Thank you" in page.inner_text("#progress"))
    page.reload()
    until(lambda: "Thank you" in page.inner_text("#progress"))
    assert sum(count.votes for count in booth.counts()) == 2


def test_a_double_click_is_one_vote(page: Any, booth: Booth) -> None:
    page.dblclick("#choose-first", delay=200)
    page.wait_for_selector("#first pre")
    page.wait_for_timeout(200)
    assert page.inner_text("#progress") == "2 of 2"
    assert sum(count.votes for count in booth.counts()) == 1


def test_a_vote_without_an_answer_can_be_given_again(page: Any) -> None:
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('Failed to fetch')); }")
    page.click("#choose-second")
    until(lambda: page.inner_text("#said") == "The server does not answer: try again in a moment.")


def test_the_page_can_be_used_by_everybody(page: Any) -> None:
    # The policy of the page lets no other script in.
    assert faults(page) == []
    page.focus("#choose-first")
    page.keyboard.press("Enter")
    page.wait_for_selector("#first pre")
