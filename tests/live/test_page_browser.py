"""The live room in a real browser, whose microphone beeps: continuous sound, counted gaps, and latency by a click."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from accessible import look_at
from browsing import LEVEL, METER, TOKEN, served, until

from live.controls import Controls
from live.page import application
from live.room import Room
from live.stage import Stage
from live.through import Through
from workshop import ROOT
from workshop.web.security import Guard

pytestmark = pytest.mark.slow

#: A microphone that hears nothing.
SILENT = """
  const silent = new MediaStreamAudioDestinationNode(new AudioContext());
  navigator.mediaDevices.getUserMedia = async () => silent.stream;
"""
#: Counts how often the browser lends a microphone.
COUNTED = """() => {
  const lend = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.lent = 0;
  navigator.mediaDevices.getUserMedia = (wish) => {
    window.lent += 1;
    return lend(wish);
  };
}"""
#: Plays a constant sound through the worklet, with a gap in it; returns what was played. Its code is written in:
#: the page's policy forbids functions that are made of text.
GAP = """() => {
  const sampleRate = 48000, registerProcessor = () => {};
  class AudioWorkletProcessor { port = { postMessage() {} } }
  CODE
  const duplex = new Duplex({ processorOptions: { piece: 512 } });
  const played = [];
  for (const pieces of [3, 0, 3]) {
    for (let piece = 0; piece < pieces; piece += 1) duplex.take(new Float32Array(500).fill(0.5));
    for (let block = 0; block < 14; block += 1) {
      const out = new Float32Array(128);
      duplex.process([[new Float32Array(128)]], [[out]]);
      played.push(...out);
    }
  }
  return [played, duplex.gaps];
}"""
#: Seconds of listening, and of a block.
LISTENED, BLOCK = 5, 512 / 22050


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A room whose network passes what it hears, in blocks of 23 ms."""
    with Room([("through", Through(22050))], 22050, 512, 2, lambda sentence: None, patience=0.023) as room:
        yield Stage(room, Controls(), lambda name, place: Through(22050), say=lambda sentence: None)


@pytest.fixture
def address(stage: Stage) -> Iterator[str]:
    """The address of a server in a thread, with the token."""
    with served(lambda port: application(Guard(TOKEN, port), stage, set())) as port:
        yield f"http://localhost:{port}/?token={TOKEN}"


@pytest.fixture
def live_page(browser: Any, address: str, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """The page, on which nothing went wrong in the end."""
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    context.add_init_script(METER)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_selector("#begin:enabled")
    yield page
    context.close()
    assert problems == []
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def gaps(page: Any) -> int:
    return int(page.get_attribute("#gaps", "data-gaps"))


def waited() -> float:
    """Seconds since the start of the computer in which a process waited for a core, where the kernel counts them."""
    pressure = Path("/proc/pressure/cpu")
    return int(pressure.read_text().split("total=")[1].split()[0]) / 1e6 if pressure.exists() else 0.0


@pytest.mark.alone
def test_the_microphone_is_heard_without_a_gap_and_the_delay_is_measured(live_page: Any, stage: Stage) -> None:
    live_page.click("#begin")
    until(lambda: live_page.evaluate(LEVEL) > 0.001)
    begun, number, before = gaps(live_page), stage.room._number, waited()
    live_page.wait_for_timeout(1000 * LISTENED)
    played = (stage.room._number - number) * BLOCK
    found, late = gaps(live_page) - begun, stage.room.slots[0].counts.late
    # None, on a computer with nothing else to do: a gap may come where something had to wait for as long as a block.
    explained = 2 + int((waited() - before) / BLOCK)
    live_page.click("#begin")
    assert live_page.inner_text("#status") == "Ended."
    print(f"{played:.1f} s were played, with {found} gaps of {explained}; {live_page.inner_text('#gaps')}")
    assert 1 < played < 1.3 * LISTENED
    assert found <= explained
    assert late <= explained


@pytest.mark.alone
def test_latency_is_measured_by_a_click(live_page: Any) -> None:
    # The beeps of the browser's own would be taken for the click.
    live_page.evaluate(SILENT)
    live_page.click("#begin")
    until(lambda: live_page.get_attribute("#gaps", "data-gaps") is not None)
    live_page.wait_for_timeout(1000)
    before = waited()
    live_page.click("#click")
    until(lambda: live_page.inner_text("#latency"))
    words = live_page.inner_text("#latency")
    print(words)
    assert 60 < int(words.split()[0]) < 500 + 1000 * (waited() - before)
    assert "from the microphone to the loudspeaker" in words


def test_the_edges_of_a_gap_are_soft(live_page: Any) -> None:
    code = (ROOT / "live" / "static" / "duplex.js").read_text("utf-8")
    played, count = live_page.evaluate(GAP.replace("CODE", code))
    assert count == 2
    assert max(played) == 0.5
    assert played[14 * 128 : 2 * 14 * 128] == [0] * (14 * 128)
    assert max(abs(a - b) for a, b in pairwise(played)) < 0.01


def test_two_clicks_begin_once(live_page: Any) -> None:
    live_page.evaluate(COUNTED)
    live_page.evaluate("for (let click = 0; click < 2; click += 1) document.getElementById('begin').click()")
    until(lambda: live_page.evaluate(LEVEL) > 0.001)
    assert live_page.evaluate("window.lent") == 1
    assert live_page.is_enabled("#begin")


def test_knobs_keys_and_words_reach_the_room(live_page: Any, stage: Stage) -> None:
    live_page.click("#begin")
    until(lambda: live_page.evaluate(LEVEL) > 0.001)
    live_page.fill("#words", "oh my")
    live_page.press("#words", "Enter")
    live_page.focus("#mix")
    live_page.keyboard.press("End")
    until(lambda: stage.room.knobs.mix == 127)
    until(lambda: "1: oh my" in live_page.inner_text("#log"))
    live_page.locator(".keys button").first.click()
    until(lambda: "note 60" in live_page.inner_text("#log"))


def test_what_is_sent_before_the_beginning_is_not_said_to_be_heard(live_page: Any) -> None:
    for field in ("#words", "#name"):
        live_page.evaluate("document.getElementById('status').textContent = ''")
        live_page.fill(field, "oh my")
        live_page.press(field, "Enter")
        assert "press Begin first" in live_page.inner_text("#status")
        assert live_page.input_value(field) == "oh my"
    assert live_page.inner_text("#log") == ""


def test_a_page_that_is_closed_and_opened_again_plays_on(live_page: Any, stage: Stage) -> None:
    for _ in range(2):
        live_page.click("#begin")
        until(lambda: live_page.evaluate(LEVEL) > 0.001)
        number = stage.room._number
        until(lambda number=number: stage.room._number > number)
        live_page.reload()
        live_page.wait_for_selector("#begin:enabled")


def test_nothing_bars_the_page(live_page: Any) -> None:
    assert shutil.which("chromium") or shutil.which("google-chrome")
    assert look_at(live_page) == {}
