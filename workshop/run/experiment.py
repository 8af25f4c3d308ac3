"""The experiment folder: everything of one run, self-contained and relocatable, and nothing in it is code.

run.json        arguments, network, data, versions, status, history of measurements
log.txt         what train.py has printed, line by line
checkpoints/    latest.npz to go on from, best.npz to sample from, and the step_NNNNNN.npz of --keep_every
tensorboard/    train, validation, and the best n-gram as the baseline
samples/        what it produced on the way
skipped.txt     files that could not be used, and why
network.svg     a picture of the network
"""

import argparse
import atexit
import contextlib
import importlib.metadata
import math
import os
import platform
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from workshop.checks import typed
from workshop.commands import command
from workshop.errors import UserError
from workshop.files import explain, read_json, remove_leftovers, short_path, write_json, write_text
from workshop.nearest import did_you_mean
from workshop.places import found, kept
from workshop.run import checkpoint, log, pretrained, trainings, version_1
from workshop.run.board import TensorBoardWriter
from workshop.run.record import FORMAT, DataInfo, Record
from workshop.visible import visible_line

Info = TypeVar("Info", bound=DataInfo)

#: Skipped files shown on the screen; skipped.txt lists all of them.
SHOWN_REASONS = 5

#: So many kept checkpoints are named where another one was asked for.
NEAREST_KEPT = 4

#: The folders that this process keeps other trainings out of, by device and inode, since another one may take the place
#: of a folder that is moved; with the descriptor by which it does, and its entry among the trainings that run.
_LOCKED: dict[tuple[int, int], tuple[int, Path | None]] = {}


@dataclass
class Experiment:
    """One run's folder and the content of its run.json."""

    path: Path
    record: Record
    #: That of this process among the trainings that run, once it holds the lock.
    entry: Path | None = None

    @property
    def latest(self) -> Path:
        """The checkpoint to resume from."""
        return self.path / "checkpoints" / "latest.npz"

    @property
    def best(self) -> Path:
        """The checkpoint with the lowest loss on held-out data; weights only."""
        return self.path / "checkpoints" / "best.npz"

    def kept(self, step: int) -> Path:
        """The checkpoint that `--keep_every` keeps of this step; weights only."""
        return self.path / "checkpoints" / f"step_{step:06d}.npz"

    @property
    def kept_steps(self) -> list[int]:
        """The steps of which there are kept checkpoints, in order."""
        names = (re.fullmatch(r"step_(\d{6,12})\.npz", path.name) for path in self.latest.parent.glob("step_*.npz"))
        steps = {int(name[1]) for name in names if name}
        return sorted(step for step in steps if self.kept(step).is_file())

    def checkpoint(self, which: str | int) -> Path:
        """The checkpoint that `--checkpoint` names: `best`, `latest`, or the step of a kept one. Before the first
        measurement the best is the latest.

        Raises:
            UserError: no checkpoint of that step is kept.
        """
        if isinstance(which, int):
            if which not in self.kept_steps:
                raise UserError(
                    f"there is no checkpoint of step {which} in {self.path}: {self._nearest_kept(which)}; "
                    "--keep_every N of train.py keeps one every N steps"
                )
            return self.kept(which)
        return self.best if which == "best" and self.best.exists() else self.latest

    def _nearest_kept(self, step: int) -> str:
        """The kept checkpoints around a step, in words."""
        nearest = sorted(sorted(self.kept_steps, key=lambda kept: abs(kept - step))[:NEAREST_KEPT])
        if not nearest:
            return "only best and latest are kept"
        return f"the nearest that are kept: {', '.join(map(str, nearest))}"

    @property
    def checkpoints(self) -> list[Path]:
        """All checkpoints that there are."""
        return [path for path in (self.latest, self.best, *map(self.kept, self.kept_steps)) if path.is_file()]

    @property
    def most_weights(self) -> float:
        """How many weights, of at least a byte each, there is room for in its checkpoints; infinite where there are
        none.
        """
        return max((path.stat().st_size for path in self.checkpoints), default=math.inf)

    @property
    def tensorboard(self) -> Path:
        """The folder of the event files."""
        return self.path / "tensorboard"

    @property
    def board(self) -> TensorBoardWriter:
        """A new writer of event files."""
        return TensorBoardWriter(self.tensorboard)

    @property
    def samples(self) -> Path:
        """The folder of the previews."""
        return self.path / "samples"

    @property
    def generated(self) -> Path:
        """Where `sample.py` writes files without `--out`: in the experiment, or with the data where it came with the
        workshop.
        """
        return pretrained.generated(self.path) if pretrained.contains(self.path) else self.path / "generated"

    def lock(self) -> None:
        """Keep other processes from training in this folder for as long as this one lives, however it ends.

        Raises:
            UserError: another one trains in it.
        """
        if sys.platform == "win32":
            return
        import fcntl

        # The folder itself is locked, so that no file for it lies there; the system lets go of it with the process.
        # Where it is missing there is nothing to go on with, and a drive without locks is as good as before.
        with contextlib.suppress(OSError):
            descriptor = os.open(self.path / "checkpoints", os.O_RDONLY)
            about = os.fstat(descriptor)
            place = about.st_dev, about.st_ino
            if place in _LOCKED:
                os.close(descriptor)
                self.entry = _LOCKED[place][1]
                return
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if not isinstance(error, BlockingIOError):
                    return
                raise UserError(
                    f"{self.path} is being trained by another process at this moment: "
                    f"{trainings.how_to_stop(self.path)}"
                ) from None
            self.entry = trainings.enter(self.path)
            _LOCKED[place] = descriptor, self.entry
            atexit.register(trainings.leave, self.entry)

    def clear_leftovers(self) -> None:
        """Delete what a killed run has left half-written; only for the one who goes on writing."""
        for folder in (self.path, self.path / "checkpoints", self.samples):
            remove_leftovers(folder)

    def report(self, skipped: list[str]) -> None:
        """Write the skipped files, each with its reason, to skipped.txt; nothing where there are none.

        Raises:
            UserError: it cannot be written; of a new experiment no trace is left.
        """
        if skipped:
            with self.beginning():
                write_text(self.path / "skipped.txt", "".join(f"{reason}\n" for reason in skipped))

    @contextlib.contextmanager
    def beginning(self) -> Iterator[None]:
        """What is written in this block belongs to the first files of an experiment: where one of them cannot be
        written, the folder is taken away, but never one with a checkpoint in it.
        """
        try:
            yield
        except UserError:
            self.discard_if_empty()
            raise

    def discard_if_empty(self) -> None:
        """Take the folder away if there is no checkpoint in it."""
        if not self.checkpoints:
            shutil.rmtree(self.path, ignore_errors=True)

    def keep_log(self) -> None:
        """Begin the log of this run, or append to it."""
        log.keep_in(self.path)

    def add(self, name: str, write: Callable[[Path], object]) -> None:
        """Make one of the first files of an experiment: `write` is called with its path.

        Raises:
            UserError: it cannot be written; of a new experiment no trace is left.
        """
        with self.beginning():
            write(self.path / name)

    def save(self, path: Path, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
        """Write one of its checkpoints.

        Raises:
            UserError: it cannot be written; the checkpoint that was there is untouched.
        """
        checkpoint.save(path, arrays, meta)

    def data(self, kind: type[Info]) -> Info:
        """What run.json says of the data, in a lesson's own type.

        Raises:
            UserError: an entry is missing or invalid; it is named.
        """
        return typed(kind, self.record.data, self.path / "run.json", "data")

    def update(self, **changes: Any) -> None:
        """Change entries of run.json.

        Raises:
            UserError: it cannot be written; what was there is untouched.
        """
        for name, value in {**changes, "updated": _now()}.items():
            setattr(self.record, name, value)
        try:
            write_json(self.path / "run.json", msgspec.to_builtins(self.record))
        except OSError as error:
            raise UserError(f"{self.path / 'run.json'} could not be written: {explain(error, self.path)}") from error


def print_skipped(reasons: list[str]) -> None:
    """Print why files were skipped, the first few."""
    for reason in reasons[:SHOWN_REASONS]:
        print(f"  skipped: {visible_line(reason)}")
    if len(reasons) > SHOWN_REASONS:
        print(f"  and {len(reasons) - SHOWN_REASONS:,} more: see skipped.txt in the experiment")


def create(lesson_dir: Path, requested: str | None, **entries: Any) -> Experiment:
    """Make the folder of a new experiment: the requested one, or else the next free number.

    Args:
        lesson_dir: the lesson's folder; its name is the lesson's.
        requested: `--experiment_dir`, relative to the current folder, or None.
        entries: those of its `Record` that are not filled in here.

    Raises:
        UserError: the folder cannot be made, or holds something already.
    """
    try:
        path = _claim(Path(requested)) if requested else _next_free(lesson_dir / "experiments")
        for name in ("tensorboard", "samples"):
            (path / name).mkdir(exist_ok=True)
    except OSError as error:
        where = requested or lesson_dir / "experiments"
        raise UserError(
            f"an experiment cannot be kept in {where}: {explain(error, Path(where))}; "
            "choose another place with --experiment_dir"
        ) from error
    experiment = Experiment(path, new_record(lesson_dir.name, **entries))
    with experiment.beginning():
        experiment.lock()
        experiment.update()
    made = path.stat()

    def discard() -> None:
        # It may have been put aside by now, and another folder lie in its place.
        with contextlib.suppress(OSError):
            if os.path.samestat(path.stat(), made):
                experiment.discard_if_empty()

    # Ctrl-C while the network is made comes before there is anything to go on with.
    atexit.register(discard)
    return experiment


def new_record(lesson: str, **entries: Any) -> Record:
    """The record of an experiment that begins now; `entries` as in `create`."""
    return Record(lesson=lesson, created=_now(), versions=versions(), **entries)


def _claim(path: Path) -> Path:
    """Take a folder for this run alone: of two that ask at once, one gets it."""
    path.mkdir(parents=True, exist_ok=True)
    if (path / "run.json").exists() or (path / "checkpoints").exists():
        raise UserError(
            f"{path} holds an experiment already: add --resume to go on with it, or choose another --experiment_dir"
        )
    if any(path.iterdir()):
        raise UserError(f"{path} is not empty and is not an experiment: choose another --experiment_dir")
    try:
        (path / "checkpoints").mkdir()
    except FileExistsError:
        raise UserError(
            f"{path} was taken by another training at this moment: choose another --experiment_dir"
        ) from None
    return path


def next_number(folder: Path) -> int:
    """The number after the highest that an experiment in this folder has."""
    return 1 + max((int(p.name) for p in folder.glob("*") if re.fullmatch(r"\d{2,9}", p.name)), default=0)


def _next_free(folder: Path) -> Path:
    """Make the folder numbered after the highest there is; making it is what claims it."""
    folder.mkdir(parents=True, exist_ok=True)
    number = next_number(folder)
    while True:
        path = folder / f"{number:02d}"
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
            continue
        (path / "checkpoints").mkdir()
        return path


def find(lesson_dir: Path, requested: str | None) -> Experiment:
    """Open an experiment of a lesson: the requested one, or else the newest.

    Raises:
        UserError: there is none, it is another lesson's, or its run.json is damaged.
    """
    if requested:
        path = _named(lesson_dir, Path(requested))
        try:
            is_folder, has_record = path.is_dir(), (path / "run.json").is_file()
        except OSError as error:  # a name that is too long, a folder that may not be entered
            raise UserError(f"{path} cannot be read: {explain(error, path)}: {_known(lesson_dir)}") from error
        if not is_folder:
            near = did_you_mean(path.name, [p.name for p in all_of(lesson_dir)] + _shipped(lesson_dir))
            raise UserError(f"there is no experiment {path}{near}: {_known(lesson_dir)}")
        if not has_record:
            raise UserError(f"{path} is not an experiment, because it has no run.json: {_known(lesson_dir)}")
    else:
        found = all_of(lesson_dir)
        if not found:
            train = command(lesson_dir / "train.py")
            raise UserError(f"there is no experiment in {lesson_dir.name} yet: train one with `{train}` first")
        path = short_path(max(found, key=lambda p: (p / "run.json").stat().st_mtime_ns))
    return _open(path, lesson_dir.name)


def _named(lesson_dir: Path, requested: Path) -> Path:
    """The folder that an argument names: a path, or else a place or number within the lesson, or the name of a trained
    network that comes with the workshop.
    """
    for place in (Path(), lesson_dir, lesson_dir / "experiments", pretrained.FOLDER / lesson_dir.name):
        if os.path.exists(place / requested):
            return requested if place == Path() else short_path(place / requested)
    return requested


#: Arguments that a resumed run may not change, because the run would not be the same any more.
FIXED = ("network", "size", "seq_length", "batch_size", "val_split", "seed")
#: Arguments that a resumed run takes over from the run it continues, unless they are given again.
TAKEN_OVER = ("num_epochs", "learning_rate", "save_every", "sample_every", "keep_every", "message")
#: Arguments that run.json keeps in entries of their own.
ELSEWHERE = ("data_dir", "message", "init_from")
#: Arguments that came later, with what they were before: an experiment from then does not hold them.
LATER = {"scale": "mel"}


def arguments(args: argparse.Namespace) -> dict[str, Any]:
    """What run.json keeps of the command line under "arguments": everything that describes the run and has no entry of
    its own, but not where it is or how it was started.
    """
    left_out = ("given", "fits", "team", "resume", "experiment_dir", "config", *ELSEWHERE)
    return {name: value for name, value in vars(args).items() if name not in left_out}


def data_of(experiment: Experiment) -> Path:
    """Where the data of an experiment lies, as one would type it in the current folder.

    Raises:
        UserError: it is not there any more.
    """
    path = experiment.record.data["path"]
    place = found(path, experiment.record.lesson)
    if place:
        return place
    raise UserError(
        f"the data of {experiment.path} is not in {path} any more: put it back, or say with --data_dir where it is now"
    )


def check_same_data(experiment: Experiment, fingerprint: str, data_dir: Path) -> None:
    """Refuse to go on with other data than the run began with.

    Raises:
        UserError: the data is another.
    """
    if experiment.record.data["fingerprint"] != fingerprint:
        raise UserError(
            f"{data_dir} does not hold the data that {experiment.path} was trained on: put it back, "
            "name it with --data_dir, or train again"
        )


def saved_arguments(args: argparse.Namespace, experiment: Experiment, names: Iterable[str]) -> dict[str, Any]:
    """Arguments of a run by name, validated.

    Args:
        args: the command line, with `fits`.
        experiment: the run.
        names: which arguments.

    Raises:
        UserError: one is missing or not valid; it is named.
    """
    saved = {**LATER, **experiment.record.arguments, "message": experiment.record.message}
    for name in names:
        if name not in saved:
            raise UserError(f"{experiment.path / 'run.json'} is damaged: its argument {name!r} is missing")
        if not args.fits(name, saved[name]):
            raise UserError(f"{experiment.path / 'run.json'} is damaged: its argument {name!r} is not valid")
    return {name: saved[name] for name in names}


def take_over(args: argparse.Namespace, experiment: Experiment, fixed: tuple[str, ...] = ()) -> None:
    """Fill in the arguments of the run that is resumed.

    Args:
        args: the command line, with `given` and `fits`.
        experiment: the run to go on with.
        fixed: what else may not change: the parts of the network, and a lesson's own arguments.

    Raises:
        UserError: an argument contradicts the run, and is named; or another process trains it.
    """
    experiment.lock()
    record = experiment.record
    saved = saved_arguments(args, experiment, (*FIXED, *fixed, *TAKEN_OVER))
    for name in (*FIXED, *fixed):
        if name in args.given and getattr(args, name) != saved[name]:
            raise UserError(
                f"--{name} {getattr(args, name)} contradicts the experiment {experiment.path}, which has {saved[name]}"
                ": leave it out to go on, or train again without --resume"
            )
        setattr(args, name, saved[name])
    for name in TAKEN_OVER:
        if name not in args.given:
            setattr(args, name, saved[name])
    if "data_dir" not in args.given:
        args.data_dir = str(data_of(experiment))
    # An argument that is given again also holds for the next resumption.
    record.arguments |= {name: getattr(args, name) for name in TAKEN_OVER if name not in ELSEWHERE}
    record.data["path"], record.message = kept(args.data_dir), args.message


def _open(path: Path, lesson: str) -> Experiment:
    _check_own(path)
    file = path / "run.json"
    return Experiment(path, record_of(read_json(file), file, lesson))


def record_of(content: dict[str, Any], file: Path, lesson: str) -> Record:
    """The record in a run.json.

    Args:
        content: what stands in it.
        file: where it is.
        lesson: the lesson of which it is to be.

    Raises:
        UserError: it is damaged, another lesson's, or of a newer workshop.
    """
    if content.get("lesson") != lesson:
        raise UserError(
            f"{file.parent} is an experiment of {content.get('lesson', 'no known lesson')}, not of {lesson}"
        )
    if content.get("format") == version_1.FORMAT:
        content = version_1.upgraded(content)
    elif content.get("format") != FORMAT:
        raise UserError(f"{file} has the format {content.get('format')!r}, and this version reads {FORMAT}")
    record = typed(Record, content, file)
    typed(DataInfo, record.data, file, "data")
    return record


def _check_own(folder: Path) -> None:
    """See that an experiment consists of files and folders of its own. Through a link in it, what is written there
    would go elsewhere, and a pipe or a device would be waited for without end. The folder itself may be a link.

    Raises:
        UserError: there is something else in it; it is named.
    """
    for where, folders, files in os.walk(folder):
        for path in (Path(where, name) for name in (*folders, *files)):
            try:
                mode = path.lstat().st_mode
            except OSError:  # a training at work in it has just renamed it
                continue
            if stat.S_ISLNK(mode):
                raise UserError(
                    f"{path} is a link, and an experiment holds files and folders of its own only: "
                    "put what it leads to in its place, or take it away"
                )
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise UserError(f"{path} is neither a file nor a folder; take it away")


def all_of(lesson_dir: Path) -> list[Path]:
    """Folders of experiments: numbered ones, and those with a name of their own beside the scripts."""
    candidates = [*lesson_dir.glob("experiments/*/run.json"), *lesson_dir.glob("*/run.json")]
    return sorted(p.parent for p in candidates if p.is_file())


def _shipped(lesson_dir: Path) -> list[str]:
    """Names of the lesson's trained networks that come with the workshop."""
    return [folder.name for folder in pretrained.folders(lesson_dir.name)]


def _known(lesson_dir: Path) -> str:
    names = [str(p.relative_to(lesson_dir)) for p in all_of(lesson_dir)]
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    shipped = _shipped(lesson_dir)
    trained = f"; {', '.join(shipped)} {'come' if shipped[1:] else 'comes'} trained" if shipped else ""
    return f"{lesson_dir.name} has {', '.join(names[-5:]) or 'none yet'}{more}{trained}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """The versions of what a training depends on, by name."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("tensorflow-cpu", "tensorflow", "keras", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
