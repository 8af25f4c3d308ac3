"""The picture of a network and how likely each symbol was, in a real browser."""

from typing import Any

import pytest
from browsing import choose, finished, generate, until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("lesson", "layer"), [("char_rnn", "softmax"), ("midi_rnn", "lstm_1"), ("wavenet", "block_1")])
def test_the_network_is_shown(page: Any, lesson: str, layer: str) -> None:
    choose(page, lesson)
    page.press("#network summary", "Enter")
    picture = page.locator("#network img")
    picture.wait_for(state="visible", timeout=30_000)
    until(lambda: picture.evaluate("picture => picture.complete && picture.naturalWidth > 300"))
    words = picture.get_attribute("alt")
    assert layer in words
    assert f"{lesson}, 01" in words
    # Another network has another picture.
    choose(page, "wavenet" if lesson == "char_rnn" else "char_rnn")
    until(lambda: lesson not in (picture.get_attribute("alt") or lesson))


@pytest.mark.parametrize(("lesson", "length"), [("char_rnn", "40"), ("midi_rnn", "48")])
def test_the_keyboard_goes_from_place_to_place(page: Any, lesson: str, length: str) -> None:
    generate(page, lesson, length=length, seed="3")
    finished(page)
    page.press(".likely summary", "Enter")
    page.wait_for_selector(".expected:visible", timeout=30_000)
    places = page.locator(".places span")
    assert places.count() == int(length)
    slider = page.locator(".expected input")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    words = slider.get_attribute("aria-valuetext")
    assert words.startswith("Place 3: ")
    assert page.inner_text(".expected caption") == words
    assert page.evaluate("[...document.querySelectorAll('.places span')].findIndex(one => one.matches('.here'))") == 2
    assert page.locator(".expected tbody tr").count() == 6
    shares = page.evaluate("[...document.querySelectorAll('.expected meter')].map(meter => meter.value)")
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001
    places.nth(5).click()
    assert slider.get_attribute("aria-valuetext").startswith("Place 6: ")


def test_a_prompt_is_seen_too(page: Any) -> None:
    generate(page, "char_rnn", length="10", prompt="the sea")
    finished(page)
    page.click(".likely summary")
    page.wait_for_selector(".expected:visible", timeout=30_000)
    assert page.inner_text(".places").replace("\n", "").startswith("the␣sea")
