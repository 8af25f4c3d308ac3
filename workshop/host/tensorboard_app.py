"""TensorBoard as the workshop shows it: runs with short names, and charts that are not smoothed.

TensorBoard names a run after its folder below the folder that it watches. Watching a lesson, it would show names such
as `experiments/01/tensorboard/validation`, all cut off at the same place. So it watches a temporary folder with a link
to the event files of each curve: `01`, `01 validation` and `01 n-gram`. The experiments stay as they are, wherever they
come from, and those that come or go while TensorBoard runs come and go there too.
"""

import contextlib
import itertools
import json
import math
import os
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from workshop.errors import UserError
from workshop.files import read_json
from workshop.run.board import EARLIER
from workshop.visible import label
from workshop.words import NGRAM

#: Seconds between two looks for new experiments.
LOOK_SECONDS = 3.0
#: Levels of folders below the lesson that are searched for experiments.
DEPTH = 4
#: Characters that the list of runs shows in a window 1280 pixels wide; how many of them the name of an experiment may
#: take; and below how many a message says nothing.
WIDTH, NAME_WIDTH, MIN_MESSAGE = 32, 19, 6

#: The curves of an experiment, by what follows its name: the folder, or the folder of such folders, of the event files.
TRAIN, VALIDATION, NGRAM_OF_ALL = "", " validation", " n-gram all"

#: Sends a browser on to the same page without smoothing: the one that it asked for after the `#`, or the first one. The
#: first setting is that of the tab Time Series, the second that of Scalars.
WITHOUT_SMOOTHING = b"""<!DOCTYPE html><title>TensorBoard</title>
<script>location.replace("?smoothing=0" + (location.hash || "#timeseries") + "&_smoothingWeight=0")</script>
"""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


# ---- the runs --------------------------------------------------------------------------------------------------------


def experiments_below(folder: Path, depth: int = DEPTH) -> Iterator[Path]:
    """The folders of experiments below a folder, in the order of their names."""
    try:
        entries = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] not in "._")
    except OSError:  # gone, or not to be entered
        return
    for path in (folder / name for name in entries):
        if (path / "run.json").is_file():
            yield path
        elif depth > 1:
            yield from experiments_below(path, depth - 1)


def curves(experiment: Path, info: dict[str, Any]) -> dict[str, Path]:
    """The folders of event files to show of an experiment: training, validation, and the best n-gram, or
    other baseline, alone; of a fine-tuned one also the n-gram that has counted the earlier data as well.
    """
    events = experiment / "tensorboard"
    found = {TRAIN: events / "train", VALIDATION: events / "validation"}
    orders = sorted((events / "baseline").glob("order_*"))
    if orders:
        # Experiments of older versions have event files of all orders.
        losses = info.get("baseline")
        losses = losses if isinstance(losses, dict) else {}

        def loss(path: Path) -> float:
            value = losses.get(path.name.removeprefix("order_"))
            return value if isinstance(value, float) else math.inf

        kind = info.get("baseline_kind")
        # Its noun: names are short.
        noun = kind.split()[-1] if isinstance(kind, str) and kind.strip() else NGRAM
        found[f" {label(noun, len(VALIDATION) - 1)}"] = min(orders, key=loss)
    found[NGRAM_OF_ALL] = events / "baseline" / EARLIER
    return {kind: path for kind, path in found.items() if path.is_dir()}


def named_runs(lesson: Path) -> dict[str, Path]:
    """The folder of event files of each run below a lesson's folder, by the short name that the run is shown with."""
    runs: dict[str, Path] = {}
    names, seen = set(), set()
    # Numbered experiments come first: a folder of the same name elsewhere gets a longer name.
    for path in sorted(experiments_below(lesson), key=lambda path: path.parent.name != "experiments"):
        place = path.resolve()
        if place in seen:
            continue
        seen.add(place)
        info: dict[str, Any] = {}
        with contextlib.suppress(UserError):
            info = read_json(path / "run.json")
        short, longer = path.name, "_".join(path.relative_to(lesson).parts)
        numbered = (f"{number}_{short}" for number in itertools.count(2))
        labels = (label(name, NAME_WIDTH) for name in itertools.chain((short, longer), numbered))
        name = next(one for one in labels if one not in names)
        names.add(name)
        message = info.get("message")
        room = WIDTH - len(name + VALIDATION + " - ")
        said = f" - {label(message, room)}" if isinstance(message, str) and message and room >= MIN_MESSAGE else ""
        for kind, folder in curves(path, info).items():
            runs[f"{name}{kind}{said}"] = folder
    return runs


def refresh(shown: Path, lesson: Path) -> None:
    """Make the links in the folder `shown` those of the lesson's runs.

    Raises:
        OSError: there are no links on this system, or no space.
    """
    wanted = {name: os.path.abspath(folder) for name, folder in named_runs(lesson).items()}
    there = {link.name: os.readlink(link) for link in shown.iterdir()}
    for name in there.keys() - {name for name, folder in wanted.items() if there.get(name) == folder}:
        (shown / name).unlink()
        del there[name]
    for name in wanted.keys() - there.keys():
        (shown / name).symlink_to(wanted[name], target_is_directory=True)


@contextlib.contextmanager
def short_names(lesson: Path) -> Iterator[Path]:
    """A folder with links of short names to the lesson's runs, kept up to date for as long as the block takes; the
    lesson's own folder where there are no links.
    """
    with tempfile.TemporaryDirectory(prefix="workshop_runs_", ignore_cleanup_errors=True) as place:
        shown = Path(place)
        try:
            probe = shown / "probe"
            probe.symlink_to(lesson, target_is_directory=True)
            probe.unlink()
        except OSError:  # Windows, unless it is told to allow them
            yield lesson
            return
        over = threading.Event()

        def keep_up_to_date() -> None:
            while not over.wait(LOOK_SECONDS):
                # A folder may be moved at this moment: the next look finds it at its new place.
                with contextlib.suppress(OSError):
                    refresh(shown, lesson)

        with contextlib.suppress(OSError):
            refresh(shown, lesson)
        looking = threading.Thread(target=keep_up_to_date, daemon=True)
        looking.start()
        try:
            yield shown
        finally:
            over.set()
            # A link made now would keep the folder from being taken away.
            looking.join()


# ---- the pages -------------------------------------------------------------------------------------------------------


def opened_right(app: Application, lesson: Path, base: str = "") -> Application:
    """TensorBoard's web application, opened without smoothing, and naming the lesson's folder as where the data is.

    Args:
        app: TensorBoard's own.
        lesson: the lesson's folder.
        base: the path that it lies below, such as `/user/ada/char_rnn`.
    """

    def located(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        begun: list[Any] = []
        answer = b"".join(app({**environ, "HTTP_ACCEPT_ENCODING": ""}, lambda *args: begun.extend(args)))
        if begun[0].startswith("200"):
            answer = json.dumps({**json.loads(answer), "data_location": str(lesson)}).encode()
        headers = [(name, value) for name, value in begun[1] if name.lower() != "content-length"]
        start_response(begun[0], [*headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, asked = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        if path == f"{base}/" and not asked and "text/html" in environ.get("HTTP_ACCEPT", ""):
            headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(WITHOUT_SMOOTHING)))]
            start_response("200 OK", [*headers, ("Cache-Control", "no-store")])
            return [WITHOUT_SMOOTHING]
        return (located if path == f"{base}/data/environment" else app)(environ, start_response)

    return serve


def run(arguments: list[str]) -> None:
    """Be TensorBoard, with its own arguments, until the process is ended.

    TensorBoard loads all of TensorFlow where it finds it, only to read files: that takes seconds at each start and half
    a gigabyte for each lesson. The empty module below is TensorBoard's own switch for doing without (a 0.6 s start and
    80 MB); scalars, texts, images, audio and histograms are shown all the same.
    """
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    from absl import app
    from tensorboard import default, main_lib, program

    at = arguments.index("--logdir") + 1
    lesson = Path(arguments[at])

    def server(application: Application, flags: Any) -> Any:
        opened = opened_right(application, lesson, flags.path_prefix)
        return program.create_port_scanning_werkzeug_server(opened, flags)

    with short_names(lesson) as watched:
        sys.argv = ["tensorboard", *arguments[:at], str(watched), *arguments[at + 1 :]]
        main_lib.global_init()
        board = program.TensorBoard(plugins=default.get_plugins(), server_class=server)
        app.run(board.main, flags_parser=board.configure)
