"""The page in a real browser: trained networks write, play and sound, are stopped, and what they made is kept."""

import asyncio
import io
import shutil
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from workshop import ROOT, lessons
from workshop.run import pretrained
from workshop.web import experiments, networks, results
from workshop.web.jobs import Line
from workshop.web.security import Guard
from workshop.web.server import application

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef0123456789abcdef"

#: Lets the test hear what the page plays: every sound on its way out passes a meter too.
METER = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    window.meter = new AnalyserNode(this.context, { fftSize: 2048 });
    connect.call(this, window.meter);
  }
  return connect.call(this, to, ...rest);
};
"""
LEVEL = """() => {
  if (!window.meter) return 0;
  const samples = new Float32Array(2048);
  window.meter.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}"""


@pytest.fixture
def clone(
    trained: Path, trained_midi: Path, trained_wavenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A clone with an experiment of each of three lessons."""
    made = {"char_rnn": trained, "midi_rnn": trained_midi, "wavenet": trained_wavenet}
    for lesson, folder in made.items():
        shutil.copytree(folder, tmp_path / lesson / "experiments" / "01")
        shutil.copy(ROOT / lesson / "lesson.py", tmp_path / lesson)
    for module in (lessons, experiments, results):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr("workshop.run.trained.ROOT", tmp_path)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    monkeypatch.chdir(tmp_path)
    lessons.lessons.cache_clear()
    yield tmp_path
    lessons.lessons.cache_clear()


@pytest.fixture
def address(clone: Path) -> Iterator[str]:
    """The address that is printed, of a server in a thread, below a path."""
    loop, told, addresses = asyncio.new_event_loop(), threading.Event(), []

    async def serve() -> None:
        line = Line()
        socket, port = bind_unused_port()
        server = HTTPServer(application(Guard(TOKEN, port), line, "/some/path/"))
        server.add_sockets([socket])
        addresses.append(f"http://localhost:{port}/some/path/?token={TOKEN}")
        told.set()
        await ended.wait()
        line.stop_all()
        while line._running:
            await asyncio.sleep(0.01)
        server.stop()
        await server.close_all_connections()

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    told.wait(10)
    yield addresses[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(30)
    loop.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, ready; afterwards nothing of it went wrong, and it has asked nobody but the server."""
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    context.add_init_script(METER)
    page = context.new_page()
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.problems = problems
    page.goto(address)
    page.wait_for_selector("#generate:enabled", timeout=30_000)
    assert TOKEN not in page.url
    yield page
    root = address.partition("?")[0]
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith(root)] == []
    assert problems == []
    context.close()


def until(there: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.05)
    return found


def generate(page: Any, name: str, **values: str) -> None:
    """Choose an experiment, fill in fields, and press the button with the keyboard."""
    page.select_option("#experiment", f"{name}/experiments/01")
    for field, value in values.items():
        page.fill(f"#{field}", value)
    page.press("#seed", "Control+Enter")


def finished(page: Any) -> str:
    page.wait_for_selector("#after:not([hidden])", timeout=60_000)
    status: str = page.inner_text("#status")
    return status


def wav_of(page: Any) -> np.ndarray:
    """The samples that the player has, from -1 to 1."""
    answer = page.context.request.get(page.evaluate("document.getElementById('player').src"))
    with wave.open(io.BytesIO(answer.body())) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def decibels(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-12))


def test_a_text_streams_is_stopped_and_is_kept(page: Any, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces_of = networks._in_turn

    def unhurried(*given: Any) -> Iterator[np.ndarray]:
        for piece in pieces_of(*given):
            yield piece
            time.sleep(0.2)

    monkeypatch.setattr(networks, "_in_turn", unhurried)
    assert "comes trained" not in page.inner_text("#settings")
    generate(page, "char_rnn", prompt="Oh my ", length="20000", seed="5")
    until(lambda: len(page.inner_text("#text")) > 100)
    first = page.inner_text("#text")
    assert first.startswith("Oh my ")
    until(lambda: len(page.inner_text("#text")) > len(first))
    page.keyboard.press("Escape")
    stopped = time.monotonic()
    words = finished(page)
    assert time.monotonic() - stopped < 1
    assert words.startswith("Stopped: ")
    assert words.endswith("seed 5.")
    length = len(page.inner_text("#text"))
    assert length < 20_000
    page.click("#keep")
    until(lambda: page.inner_text("#kept"))
    assert page.inner_text("#kept") == "Kept as data/generated/char_rnn-01-01.txt"
    kept = (clone / "data/generated/char_rnn-01-01.txt").read_text("utf-8")
    assert kept.startswith(first)
    with page.expect_download() as download:
        page.click("#downloads a")
    assert download.value.suggested_filename == "char_rnn-01.txt"
    # A second one begins within a second, because the network is ready.
    started = time.monotonic()
    generate(page, "char_rnn", length="100", prompt="")
    until(lambda: page.inner_text("#text"))
    assert time.monotonic() - started < 3  # the promise is one second, on a computer with nothing else to do
    assert "100 characters" in finished(page)


def test_a_wrong_value_is_one_sentence(page: Any) -> None:
    generate(page, "char_rnn", seed="-1")
    page.wait_for_selector("#status.problem")
    assert page.inner_text("#status") == "seed: '-1' is not a whole number from 0 to 4294967295"
    page.wait_for_selector("#generate:enabled")


def test_notes_are_drawn_and_played(page: Any, clone: Path) -> None:
    generate(page, "midi_rnn", length="128", seed="1")
    words = finished(page)
    assert "notes, made in" in words
    colours = page.evaluate(
        """() => {
          const canvas = document.getElementById("roll-canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert colours > 4
    assert decibels(wav_of(page)) > -40
    player = "document.getElementById('player')"
    until(lambda: page.evaluate(f"{player}.currentTime") > 0.2, 20)
    assert page.evaluate(f"{player}.duration") > 1
    line = "document.querySelector('#roll .head').style.transform"
    before = page.evaluate(line)
    until(lambda: page.evaluate(line) != before, 20)
    page.click("#keep")
    until(lambda: page.inner_text("#kept"))
    names = {file.name for file in (clone / "data/generated").iterdir()}
    assert names == {f"midi_rnn-01-01.{suffix}" for suffix in ("mid", "wav", "png")}


def test_sound_is_heard_while_it_is_made(page: Any) -> None:
    generate(page, "wavenet", seconds="20", temperature="1")
    until(lambda: page.evaluate(LEVEL) > 0.01)
    if page.evaluate("document.getElementById('after').hidden"):
        assert page.is_enabled("#stop")
    finished(page)
    assert decibels(wav_of(page)) > -40
    # When it is over, the player has it.
    page.click("#stop")
    page.wait_for_selector("#stop:disabled")
    page.evaluate("document.getElementById('player').play()")
    until(lambda: page.evaluate("document.getElementById('player').currentTime") > 0.1, 20)


def test_it_is_readable_on_a_phone_and_in_the_dark(page: Any) -> None:
    generate(page, "char_rnn", length="300")
    finished(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    for field in page.query_selector_all("select, input, textarea, button, audio"):
        assert field.evaluate("field => field.labels?.length || field.textContent || field.ariaLabel")


def test_tunes_are_shown_as_a_score(page: Any) -> None:
    """As the network of a test writes none, the page's own code gets some."""
    page.evaluate(
        """async () => {
          const { showScore } = await import(new URL("static/score.js", document.baseURI));
          await showScore(document.getElementById("score"), "X:1\\nT:One\\nK:G\\nGABc|\\n\\nX:2\\nT:Two\\nK:C\\nc2|");
        }"""
    )
    assert page.locator("#score svg").count() == 2
    assert page.inner_text("#score").count("Two") == 1
    # The strict rules refuse one style of abcjs, which is not needed.
    page.problems[:] = [problem for problem in page.problems if "style-src" not in problem]


def test_without_the_token_the_page_says_what_to_do(browser: Any, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address.partition("?")[0])
    assert "./start.sh play" in page.inner_text("body")
    context.close()
