"""The page in a real browser: a clone with trained networks, its server, and what a visitor does."""

import asyncio
import contextlib
import io
import shutil
import threading
import time
import wave
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from workshop import ROOT, lessons
from workshop.run import pretrained
from workshop.web import experiments, own_files, results, training
from workshop.web.jobs import Line
from workshop.web.security import Guard
from workshop.web.server import application

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
    yield from cloned(made, tmp_path, monkeypatch)


def cloned(made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone with experiments, each the first of its lesson; for a fixture."""
    for lesson, folder in made.items():
        shutil.copytree(folder, tmp_path / lesson / "experiments" / "01")
        shutil.copy(ROOT / lesson / "lesson.py", tmp_path / lesson)
    for module in (lessons, experiments, own_files, results, training):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr("workshop.run.trained.ROOT", tmp_path)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    monkeypatch.chdir(tmp_path)
    lessons.lessons.cache_clear()
    yield tmp_path
    lessons.lessons.cache_clear()


@contextlib.contextmanager
def served(make: Callable[[int], Application], ending: Callable[[], Awaitable[None]] | None = None) -> Iterator[int]:
    """The port of a server in a thread.

    Args:
        make: the application, for its port; called in that thread.
        ending: what is waited for at the end, before connections are closed.
    """
    loop, told, ports = asyncio.new_event_loop(), threading.Event(), []

    async def serve() -> None:
        socket, port = bind_unused_port()
        server = HTTPServer(make(port))
        server.add_sockets([socket])
        ports.append(port)
        told.set()
        await ended.wait()
        if ending:
            await ending()
        server.stop()
        await server.close_all_connections()

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert told.wait(10)
    yield ports[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(30)
    loop.close()


@contextlib.contextmanager
def page_served(base: str = "/") -> Iterator[int]:
    """The port of the page's server, below a path."""
    lines: list[Line] = []

    def make(port: int) -> Application:
        lines.append(Line())
        return application(Guard(TOKEN, port), lines[0], base)

    async def ending() -> None:
        lines[0].stop_all()
        while lines[0]._running:
            await asyncio.sleep(0.01)

    with served(make, ending) as port:
        yield port


@pytest.fixture
def address(clone: Path) -> Iterator[str]:
    """The address that is printed, of a server in a thread, below a path."""
    with page_served("/some/path/") as port:
        yield f"http://localhost:{port}/some/path/?token={TOKEN}"


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


def choose(page: Any, lesson: str) -> None:
    """Choose the experiment of a lesson."""
    page.select_option("#experiment", f"{lesson}/experiments/01")


def generate(page: Any, name: str, **values: str) -> None:
    """Choose an experiment, fill in fields, and press the button with the keyboard."""
    choose(page, name)
    for field, value in values.items():
        page.fill(f"#{field}", value)
    page.press("#seed", "Control+Enter")


def finished(page: Any) -> str:
    page.wait_for_selector("#generate:enabled", timeout=60_000)
    assert page.locator(".keep:visible").count()
    status: str = page.inner_text("#status")
    return status


def wav_of(page: Any) -> np.ndarray:
    """The samples that the player of the first result has, from -1 to 1."""
    return wav_from(page, ".player")


def wav_from(page: Any, player: str) -> np.ndarray:
    """The samples that a player has."""
    answer = page.context.request.get(page.evaluate("player => document.querySelector(player).src", player))
    with wave.open(io.BytesIO(answer.body())) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def decibels(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-12))
