"""What people see: a browser opens TensorBoard, JupyterLab and the tutorial through the published ports.

The pictures are kept in build/screenshots, to be looked at.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from containers import Engine, Workshop

from workshop import ROOT
from workshop.host.ports import TENSORBOARD_PORTS

pytestmark = pytest.mark.container

SCREENSHOTS = ROOT / "build" / "screenshots"

#: What each lesson's previews are shown as.
PREVIEWS = {
    "char_rnn": ["text"],
    "midi_rnn": ["images", "audio"],
    "wavenet": ["images", "audio"],
    "audio_rnn": ["images", "audio"],
    "spectral_rnn": ["images", "audio"],
    "spectral_gan": ["images", "audio"],
}

#: What a page of TensorBoard shows of a preview, whatever its frame.
SHOWN = {"text": "tf-markdown-view", "images": "img[src*='individualImage']", "audio": "audio"}

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser(engine: Engine) -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=engine.env["BROWSER"], args=["--no-sandbox", "--no-proxy-server"]
        )
        yield browser
        browser.close()


@pytest.fixture
def view(browser: Any) -> Iterator[Callable[[str], Any]]:
    """Open an address in a window of its own: `page = view(address)`."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE_MS)

    def open_address(address: str) -> Any:
        page.goto(address)
        return page

    yield open_address
    page.close()


def keep(page: Any, name: str) -> None:
    """Keep a picture of the page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(1500)  # what fades in is there then
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.mark.parametrize("lesson", TENSORBOARD_PORTS)
def test_tensorboard_draws_the_loss_and_shows_previews(
    workshop: Workshop, view: Callable[[str], Any], lesson: str
) -> None:
    workshop.trained(lesson)
    address = f"http://localhost:{workshop.ports[lesson]}"
    page = view(f"{address}/#timeseries")
    page.locator("scalar-card", has_text="loss").locator("line-chart").first.wait_for()
    keep(page, f"{lesson}_scalars")
    for preview in PREVIEWS[lesson]:
        page.goto(f"{address}/#{preview}")
        page.locator(SHOWN[preview]).first.wait_for()
        keep(page, f"{lesson}_{preview}")


def test_jupyterlab_runs_a_notebook(workshop: Workshop, view: Callable[[str], Any]) -> None:
    source = "import midi_rnn.encoding\nimport matplotlib.pyplot as plt\nplt.plot([0, 1, 4, 9]); print('six times', 7)"
    cell = {"cell_type": "code", "id": "first", "metadata": {}, "source": source, "outputs": []}
    notebook = {"cells": [{**cell, "execution_count": None}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook["metadata"] = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    workshop.inside("bash", "-c", 'echo "$0" >picture.ipynb', json.dumps(notebook))

    page = view(f"http://localhost:{workshop.ports['lab']}/lab/tree/picture.ipynb?token={workshop.token}")
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached")
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-OutputArea-output", has_text="six times 7").wait_for()
    page.locator(".jp-OutputArea-output img").wait_for()
    keep(page, "lab_notebook")


def test_the_tutorial_shows_pictures_and_plays_a_tune(workshop: Workshop, view: Callable[[str], Any]) -> None:
    address = f"http://localhost:{workshop.ports['docs']}"
    page = view(address)
    page.locator("h1", has_text="ml4music workshop").wait_for()
    page.wait_for_function("[...document.images].length > 1 && [...document.images].every(i => i.naturalWidth > 100)")
    page.evaluate("window.audio = document.querySelector('audio'); audio.muted = true; audio.play()")
    page.wait_for_function("audio.duration > 10 && audio.currentTime > 0.5")
    page.evaluate("audio.currentTime = 12")
    page.wait_for_function("audio.currentTime > 12")
    keep(page, "docs_index")
    page.get_by_role("link", name="Reading TensorBoard").first.click()
    page.wait_for_function("document.images.length == 8 && [...document.images].every(i => i.naturalWidth > 100)")
    keep(page, "docs_curves")
    asked = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
