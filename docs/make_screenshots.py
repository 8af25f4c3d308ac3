"""Take the pictures of TensorBoard that its page shows: docs/tensorboard_*.png.

    python docs/make_screenshots.py --minutes 10

Trains each lesson on its starter set for so long, starts its TensorBoard, and looks at it with Chromium. Needs the
packages of requirements/container.txt, a browser, and the sets `starter` of lyrics and audio and `tunes` of MIDI. With
--experiments FOLDER the experiments are kept there, and those that are there already are not trained again.
"""

import argparse
import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from workshop import ROOT
from workshop.ports import Server, free_port_near
from workshop.services import tensorboard_command, wait_until_it_answers

HERE = Path(__file__).parent
#: How each lesson is trained: what is to be seen, not what is best.
TRAININGS = {
    "char_rnn": ["--size", "tiny", "--message", "small network"],
    "midi_rnn": [],
    "wavenet": ["--condition", "folder"],
}
#: Colours that are enough, and pixels of the window.
COLOURS, WINDOW = 128, (1180, 760)


def train(lesson: str, folder: Path, minutes: float) -> None:
    """Train a lesson into the first experiment of a folder, unless there is one."""
    place = folder / "experiments" / "01"
    if not (place / "run.json").exists():
        command = [sys.executable, "train.py", "--max_minutes", str(minutes), "--experiment_dir", str(place)]
        subprocess.run([*command, *TRAININGS[lesson]], cwd=ROOT / lesson, check=True)


@contextlib.contextmanager
def showing(lesson: str, folder: Path) -> Iterator[str]:
    """The address of a TensorBoard that shows a folder for as long as the block takes."""
    server = Server(lesson, "127.0.0.1", free_port_near(7100))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(tensorboard_command(server, folder), **quiet)
    try:
        wait_until_it_answers(server, process)
        yield f"http://127.0.0.1:{server.port}"
    finally:
        process.terminate()
        process.wait()


def keep(picture: bytes, name: str, height: int | None = None) -> None:
    """Write a screenshot with few colours, cut off below."""
    with Image.open(io.BytesIO(picture)) as image:
        cut = image.crop((0, 0, image.width, min(height or image.height, image.height)))
        cut.convert("RGB").quantize(COLOURS).save(HERE / f"tensorboard_{name}.png", optimize=True)


def look(page: Any, address: str, tab: str, there: str) -> bytes:
    """Open a tab and take its picture once something is there."""
    page.goto("about:blank")
    page.goto(f"{address}/#{tab}")
    page.locator(there).first.wait_for(timeout=120_000)
    page.wait_for_timeout(5000)  # curves and pictures fade in
    picture: bytes = page.screenshot()
    return picture


def main() -> None:
    """Train, look, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of each training (default: %(default)s)")
    parser.add_argument("--experiments", type=Path, help="folder in which the experiments are kept")
    args = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with contextlib.ExitStack() as stack:
        kept = args.experiments or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for lesson in TRAININGS:
            train(lesson, kept.absolute() / lesson, args.minutes)
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--no-proxy-server"])
        page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        with showing("char_rnn", kept / "char_rnn") as address:
            keep(look(page, address, "timeseries", "scalar-card line-chart"), "curves", 690)
            for group in ("loss", "loss in bits", "more"):
                page.locator("metrics-card-group-toolbar button", has_text=group).first.click()
            page.get_by_role("button", name="Settings").first.click()
            page.wait_for_timeout(5000)
            keep(page.screenshot(), "more", 690)
            keep(look(page, address, "text", "tf-markdown-view"), "text", 520)
        with showing("midi_rnn", kept / "midi_rnn") as address:
            keep(look(page, address, "images", "img[src*='individualImage']"), "images")
        with showing("wavenet", kept / "wavenet") as address:
            keep(look(page, address, "audio", "audio"), "audio", 520)
        browser.close()


if __name__ == "__main__":
    main()
