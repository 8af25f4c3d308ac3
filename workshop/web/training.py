"""A training that is started, watched and stopped from the page: `train.py` as a process of its own.

It goes on when the page is closed and when its server ends, and `./start.sh trainings` lists it like any other. The
file that its output goes to is locked for as long as it lives: so the page starts one at a time, and finds it again; on
a drive without locks, by its process.
"""

import contextlib
import os
import re
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import psutil

from workshop import ROOT, cli, lessons
from workshop.datasets.command_line import FOLDERS
from workshop.errors import UserError
from workshop.files import explain, read_json, short_path, write_json
from workshop.lessons import Lesson
from workshop.processes import began
from workshop.run import experiment, trainings
from workshop.run.trained import checked
from workshop.visible import visible, visible_line
from workshop.web import experiments

#: What the page may ask for, all of it texts; the last two may be empty.
SETTINGS = ("lesson", "data", "minutes", "size", "init_from")

#: The longest training in minutes. On the command line there is no such limit.
LONGEST_MINUTES = 240

#: Steps between measurements, and between previews: somebody is watching.
EVERY = 200

#: Points of the curve, characters of a preview, and bytes at the end of the output that the page is sent.
MOST_POINTS, LONGEST_PREVIEW, END_OF_OUTPUT = 200, 4_000, 4_000

#: The largest picture or sound of a preview.
LARGEST_PREVIEW = 32 << 20


@dataclass(frozen=True)
class Begun:
    """The training that the page has started last.

    Attributes:
        experiment: the id of its experiment.
        data: the id of its data.
        is_stopped: whether the page has asked it to end.
        pid: its process, by which it is found again on a drive without locks.
        born: when that process was started, as `processes.began` says it, because numbers of processes are reused.
    """

    experiment: str
    data: str
    is_stopped: bool = False
    pid: int = 0
    born: float = 0.0


def data_sets(lesson: Lesson) -> dict[str, Path]:
    """The folders that a lesson can train on, by their ids, the starter set first. A link out of the clone is none."""
    top = ROOT / "data" / FOLDERS[lesson.kind]
    inside = (ROOT / "data").resolve()
    found = [path for path in top.glob("[!.]*") if path.is_dir() and path.resolve().is_relative_to(inside)]
    ids = {path.relative_to(ROOT).as_posix(): path for path in found}
    return dict(sorted(ids.items(), key=lambda item: (item[0] != lesson.starter, item[0])))


def offered() -> list[dict[str, Any]]:
    """What the page may offer: the lessons with their sizes and data."""
    return [
        {"name": one.name, "sizes": list(one.sizes), "size": one.size, "data": list(data_sets(one))}
        for one in lessons.lessons()
    ]


def command_for(values: dict[str, Any]) -> tuple[list[str], Begun]:
    """The command that trains as the page asks, and what is begun by it. What the page names is looked up among what is
    there, and becomes no part of a path.

    Raises:
        UserError: a value is missing, unknown or out of range.
    """
    if set(values) - set(SETTINGS) or not all(isinstance(value, str) for value in values.values()):
        raise UserError(f"a training from the page has the settings {', '.join(SETTINGS)}, each a text")
    given = {name: values.get(name, "") for name in SETTINGS}
    lesson = _chosen("lesson", given["lesson"], {one.name: one for one in lessons.lessons()})
    data = _chosen("data", given["data"], data_sets(lesson))
    minutes = checked("minutes", given["minutes"], cli.positive)
    if minutes > LONGEST_MINUTES:
        raise UserError(f"minutes: the page trains for at most {LONGEST_MINUTES}; train.py has no such limit")
    number = experiment.next_number(lesson.folder / "experiments")
    folder = lesson.folder / "experiments" / f"{number:02d}"
    words = [sys.executable, str(lesson.folder / "train.py"), "--data_dir", str(data), "--experiment_dir", str(folder)]
    words += ["--max_minutes", f"{minutes:g}", "--save_every", f"{EVERY}", "--sample_every", f"{EVERY}"]
    words += [f"--message={data.name}, from the page"]
    if given["init_from"]:  # which decides the size
        own = {name: path for name, path in experiments.paths().items() if experiments.is_of(path, lesson)}
        words += ["--init_from", str(_chosen("init_from", given["init_from"], own))]
    else:
        words += ["--size", _chosen("size", given["size"], {name: name for name in lesson.sizes})]
    return words, Begun(folder.relative_to(ROOT).as_posix(), given["data"])


def _chosen(name: str, value: str, choices: dict[str, Any]) -> Any:
    if value not in choices:
        known = ", ".join(choices) or "none"
        raise UserError(
            f"{name}: there is no {visible_line(value)!r:.60} to train with; reload the page ({known:.300})"
        )
    return choices[value]


class Trainer:
    """Starts and watches the one training of the page. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _output(self) -> Path:
        return ROOT / ".workshop" / "page_training.log"

    @property
    def _memory(self) -> Path:
        return ROOT / ".workshop" / "page_training.json"

    def start(self, values: dict[str, Any]) -> None:
        """Start a training.

        Raises:
            UserError: one is running, a value is unknown or out of range, or the process cannot be started.
        """
        with self._lock:
            begun = self._begun()
            if begun and self._runs(begun):
                raise UserError(
                    f"{begun.experiment} is being trained already: the page trains one at a time; stop it first"
                )
            words, begun = command_for(values)
            try:
                self._output.parent.mkdir(exist_ok=True)
                with self._output.open("ab") as output:
                    _keep_locked(output)
                    output.truncate(0)
                    write_json(self._memory, asdict(begun))
                    self._process = subprocess.Popen(
                        words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                    )
                with contextlib.suppress(psutil.Error):  # it has ended at once
                    born = began(psutil.Process(self._process.pid))
                    write_json(self._memory, asdict(replace(begun, pid=self._process.pid, born=born)))
            except BlockingIOError as error:
                raise UserError(
                    "a training is being started already, by another server: the page trains one at a time; reload it"
                ) from error
            except OSError as error:
                raise UserError(
                    f"the training cannot be started: {explain(error, self._output)}; free some space there"
                ) from error

    def stop(self) -> None:
        """Ask the training to save and end. Where it has not begun to learn, it has nothing to save, and just ends.

        Raises:
            UserError: none is running, or it cannot be asked now.
        """
        with self._lock:
            begun = self._begun()
            if begun is None or not self._runs(begun):
                raise UserError("no training of the page is running; reload the page to see what is there")
            path = ROOT / begun.experiment
            if any(one.path == path for one in trainings.running().values()):
                trainings.ask_to_stop(str(path))
            elif self._process:
                self._process.terminate()
            elif process := _process_of(begun):
                process.terminate()
            else:
                raise UserError(f"{begun.experiment} is still reading its data: stop it in a moment")
            with contextlib.suppress(OSError):
                write_json(self._memory, asdict(replace(begun, is_stopped=True)))

    def state(self) -> dict[str, Any]:
        """What the page shows: whether the training runs, how far it is, and why it failed if it did."""
        with self._lock:
            begun = self._begun()
            runs = begun is not None and self._runs(begun)
        path = ROOT / begun.experiment if begun else None
        others = [visible_line(one.name) for one in trainings.running().values() if one.path != path]
        if begun is None or path is None:
            return {"phase": "none", "others": others}
        said = self._said()
        return {
            "phase": "running" if runs else "ended",
            "experiment": begun.experiment,
            "data": begun.data,
            "is_stopped": begun.is_stopped,
            "said": next((line for line in reversed(said) if not line.startswith("|")), ""),  # no line of a preview
            "problem": "" if runs else self._problem(begun, said),
            "others": others,
            **self._progress(begun.experiment, path),
        }

    def _problem(self, begun: Begun, said: list[str]) -> str:
        """Why a training that has ended has failed, in one sentence; '' where it has not."""
        failed = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        if failed:
            return failed[-1]
        if begun.is_stopped or (ROOT / begun.experiment / "checkpoints" / "latest.npz").exists():
            return ""
        return f"the training has ended before it had learnt anything: {short_path(self._output)} says more"

    def preview(self, suffix: str) -> bytes:
        """The picture or the sound of the last preview.

        Raises:
            UserError: there is none.
        """
        begun = self._begun()
        file = last_preview(ROOT / begun.experiment).get(suffix) if begun else None
        if file is None:
            raise UserError("there is no preview yet: it comes after some steps")
        return _content(file)

    def _runs(self, begun: Begun) -> bool:
        is_ours = self._process is not None and self._process.poll() is None
        return is_ours or trainings.is_locked(self._output) or _process_of(begun) is not None

    def _begun(self) -> Begun | None:
        """What was started last, as it was written down."""
        try:
            begun = Begun(**read_json(self._memory))
        except (UserError, TypeError):
            return None
        known = {one.folder.relative_to(ROOT).as_posix() for one in lessons.lessons()}
        lesson, _, number = begun.experiment.partition("/experiments/")
        return begun if lesson in known and re.fullmatch(r"\d{2,9}", number) else None

    def _said(self) -> list[str]:
        """The last lines that it has printed."""
        try:
            with self._output.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(file.tell() - END_OF_OUTPUT, 0))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [visible_line(line.strip()) for line in text.splitlines() if line.strip()]

    def _progress(self, name: str, path: Path) -> dict[str, Any]:
        if not (path / "run.json").is_file():
            return {}
        try:
            lesson = lessons.lesson_of(path)
            record = experiment.find(lesson.folder, str(path)).record
        except UserError as error:
            return {"problem": str(error)}
        entry = experiments.described(name, lesson, record)
        history = [(one.step, one.validation) for one in record.history]
        every = max(1, -(-len(history) // MOST_POINTS))
        return {
            "loss": entry.loss,
            "ngram": entry.ngram,
            "order": entry.order,
            "baseline": entry.baseline,
            "step": entry.step,
            "minutes": record.minutes,
            "status": visible_line(record.status),
            "curve": history[::-1][::every][::-1],
            "preview": _shown(last_preview(path)),
        }


def _process_of(begun: Begun) -> psutil.Process | None:
    """The process of a training as long as it lives; None where it is gone, or was never started."""
    with contextlib.suppress(psutil.Error, TypeError, ValueError, OverflowError):
        process = psutil.Process(begun.pid) if begun.pid > 0 else None
        alive = process and began(process) == begun.born and process.status() != psutil.STATUS_ZOMBIE
        return process if alive else None
    return None


def _keep_locked(output: IO[bytes]) -> None:
    """Lock a file for as long as this process or one that inherits it has it open; where there are no locks, not.

    Raises:
        BlockingIOError: another process has locked it.
    """
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return


def last_preview(path: Path) -> dict[str, Path]:
    """The files of an experiment's last preview, by suffix; of several sounds those of the first."""
    steps: dict[int, list[Path]] = {}
    for file in (path / "samples").glob("step_*.*"):
        found = re.match(r"step_(\d{1,12})", file.name)
        if found and file.is_file() and not file.is_symlink():
            steps.setdefault(int(found[1]), []).append(file)
    last = sorted(steps[max(steps)], reverse=True) if steps else []
    return {file.suffix[1:]: file for file in last}


def _shown(preview: dict[str, Path]) -> dict[str, Any] | None:
    """What the page is told of a preview: its step, its formats, and a text itself."""
    if not preview:
        return None
    file = next(iter(preview.values()))
    step = int(file.name.split("_")[1].partition(".")[0])
    text = ""
    if "txt" in preview:
        with contextlib.suppress(UserError):
            text = visible(_content(preview["txt"]).decode("utf-8", "replace")[:LONGEST_PREVIEW])
    return {"step": step, "formats": sorted(preview), "text": text}


def _content(file: Path) -> bytes:
    """The content of a file of a preview.

    Raises:
        UserError: it is not there any more, or far too large.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_PREVIEW + 1)
    except OSError as error:
        raise UserError(f"{short_path(file)} cannot be read: {explain(error, file)}") from error
    if len(content) > LARGEST_PREVIEW:
        raise UserError(f"{short_path(file)} is larger than a preview is")
    return content
