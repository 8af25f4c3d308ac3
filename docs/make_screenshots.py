"""Take the pictures of TensorBoard that its page shows: docs/tensorboard_*.png.

    python docs/make_screenshots.py --minutes 10

Trains each lesson on its starter set for so long, starts its TensorBoard, and looks at it with Chromium. Needs the
packages of requirements/container.txt, a browser, and the sets `starter` of lyrics and audio and `tunes` of MIDI. With
--experiments FOLDER the experiments are kept there, and those that are there already are not trained again.
"""

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from workshop import ROOT
from workshop.host.ports import Server, free_port_near
from workshop.host.services import tensorboard_command, wait_until_it_answers

HERE = Path(__file__).parent
#: How each lesson is trained: what is to be seen, not what is best.
TRAININGS = {
    "char_rnn": ["--size", "tiny", "--message", "small network"],
    "midi_rnn": [],
    "wavenet": ["--condition", "folder"],
}
#: Colours that are enough, and the width of the window in pixels.
COLOURS, WIDTH = 128, 1180


def train(lesson: str, folder: Path, minutes: float) -> None:
    """Train a lesson into the first experiment of a folder, unless there is one."""
    place = folder / "experiments" / "01"
    if not (place / "run.json").exists():
        command = [sys.executable, "train.py", "--max_minutes", str(minutes), "--experiment_dir", str(place)]
        subprocess.run([*command, *TRAININGS[lesson]], cwd=ROOT / lesson, check=True)


@contextlib.contextmanager
def showing(lesson: str, kept: Path) -> Iterator[str]:
    """The address of a TensorBoard that shows a lesson's folder of experiments for as long as the block takes."""
    server = Server(lesson, "127.0.0.1", free_port_near(7100))
    # From where it stands the folder is the lesson's name, which is what the pictures show.
    process = subprocess.Popen(
        tensorboard_command(server, Path(lesson)), cwd=kept, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until_it_answers(server, process)
        yield f"http://127.0.0.1:{server.port}"
    finally:
        process.terminate()
        process.wait()


def keep(page: Any, name: str) -> None:
    """Write what the window shows, with few colours."""
    page.wait_for_timeout(5000)  # curves and pictures fade in
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.convert("RGB").quantize(COLOURS).save(HERE / f"tensorboard_{name}.png", optimize=True)


def open_tab(page: Any, address: str, height: int, there: str) -> None:
    """Open a tab in a window of so many pixels, until something is there."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.goto("about:blank")
    page.goto(address)
    page.locator(there).first.wait_for(timeout=120_000)


def main() -> None:
    """Train, look, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of each training (default: %(default)s)")
    parser.add_argument("--experiments", type=Path, help="folder in which the experiments are kept")
    args = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with contextlib.ExitStack() as stack:
        kept = args.experiments or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept = kept.absolute()
        for lesson in TRAININGS:
            train(lesson, kept / lesson, args.minutes)
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--no-proxy-server"])
        page = browser.new_page()
        with showing("char_rnn", kept) as address:
            open_tab(page, f"{address}/#timeseries", 690, "scalar-card line-chart")
            keep(page, "curves")
            page.set_viewport_size({"width": WIDTH, "height": 1210})
            for group in ("loss", "loss in bits", "more"):
                page.locator("metrics-card-group-toolbar button", has_text=group).first.click()
            page.get_by_role("button", name="Settings").first.click()
            keep(page, "more")
            open_tab(page, f"{address}/#text", 560, "tf-markdown-view")
            keep(page, "text")
        with showing("midi_rnn", kept) as address:
            open_tab(page, f"{address}/#images", 820, "img[src*='individualImage']")
            keep(page, "images")
        with showing("wavenet", kept) as address:
            open_tab(page, f"{address}/#audio", 640, "audio")
            keep(page, "audio")
        browser.close()


if __name__ == "__main__":
    main()
