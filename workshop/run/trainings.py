"""Which trainings run, in this computer's terminals and in the container, and how to stop one from elsewhere.

    python -m workshop.trainings
    python -m workshop.trainings stop char_rnn/01
    python -m workshop.trainings stop

A training enters itself in `.workshop/trainings/` and runs for as long as it holds the lock of its experiment. It is
asked to stop by a file beside its entry, because a process id of the container means nothing outside of it.
"""

import argparse
import contextlib
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from workshop import ROOT
from workshop.commands import start_sh
from workshop.errors import UserError
from workshop.files import explain, read_json, write_json
from workshop.places import kept
from workshop.visible import visible_line

#: Where the entries are; start.sh in the container and outside of it see the same folder.
FOLDER = ROOT / ".workshop" / "trainings"
#: Seconds for a training to notice that it should stop, measure to the end what it measures, and save.
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Training:
    """A training that runs.

    Attributes:
        experiment: its folder, as run.json keeps paths.
        pid: its process id, where it runs.
        host: the name of the computer, or of the container.
        in_container: whether that is the workshop's container.
        since: when it began, in this computer's time.
    """

    experiment: str
    pid: int
    host: str
    in_container: bool
    since: str

    @property
    def path(self) -> Path:
        """The experiment's folder."""
        return ROOT / self.experiment

    @property
    def name(self) -> str:
        """What one types to name it: char_rnn/01, or the path of an experiment that lies elsewhere."""
        inside = not Path(self.experiment).is_absolute()
        return self.experiment.replace("/experiments/", "/") if inside else self.experiment

    @property
    def place(self) -> str:
        """Where it runs, for a person."""
        return f"the container {self.host}" if self.in_container else self.host


def enter(experiment: Path) -> Path | None:
    """Enter the training of this process, which holds the lock of `experiment`; returns the entry, or None where none
    can be written: then the training runs all the same.
    """
    training = Training(
        kept(experiment), os.getpid(), socket.gethostname(), os.environ.get("WORKSHOP_IN_CONTAINER") == "1",
        datetime.now().astimezone().isoformat(timespec="seconds"),
    )  # fmt: skip
    # A unique name: clearing the entry of a dead training never removes this one.
    entry = FOLDER / f"{os.getpid()}-{time.time_ns()}.json"
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        write_json(entry, asdict(training))
    except OSError:
        return None
    return entry


def leave(entry: Path | None) -> None:
    """Take away an entry and what asks it to stop."""
    if entry:
        for path in (entry, _request(entry)):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def is_asked_to_stop(entry: Path | None) -> bool:
    """Whether the training of this entry was asked to stop."""
    return entry is not None and _request(entry).exists()


def how_to_stop(experiment: Path) -> str:
    """The commands that show and stop the training in this folder, as one types them in the current folder."""
    named = Training(kept(experiment), 0, "", False, "").name
    return f"`{start_sh('trainings')}` shows it, and `{start_sh('trainings', 'stop', named)}` saves and ends it"


def running() -> dict[Path, Training]:
    """The trainings that run, by their entries, the oldest first; entries of those that have ended are taken away."""
    found: dict[Path, Training] = {}
    for entry in FOLDER.glob("*.json"):
        try:
            training = Training(**read_json(entry))
            alive = is_locked(training.path / "checkpoints")
        except (UserError, TypeError):
            continue
        if alive:
            found[entry] = training
        else:
            leave(entry)
    return dict(sorted(found.items(), key=lambda pair: pair[1].since))


def _request(entry: Path) -> Path:
    return entry.with_suffix(".stop")


def is_locked(place: Path) -> bool:
    """Whether a process keeps others out of this folder or file, as `Experiment.lock` does; a place that is not there
    is not locked.
    """
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        descriptor = os.open(place, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a drive without locks
        return False
    finally:
        os.close(descriptor)
    return False


def _saved_at(experiment: Path) -> str:
    """The step of its checkpoint, for the list; a dash where run.json does not say it."""
    with contextlib.suppress(OSError, ValueError):
        record = json.loads((experiment / "run.json").read_text("utf-8"))
        step = record.get("step") if isinstance(record, dict) else None
        return f"{step:,}" if isinstance(step, int) else "-"
    return "-"


def table(trainings: list[Training]) -> str:
    """The trainings as aligned lines."""
    rows = [("TRAINING", "SAVED AT STEP", "SINCE", "PROCESS", "WHERE")]
    for one in trainings:
        rows.append((one.name, _saved_at(one.path), one.since[:16].replace("T", " "), str(one.pid), one.place))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def ask_to_stop(name: str | None) -> list[Path]:
    """Ask a training to save and end, without waiting for it; return its entries.

    Args:
        name: its name in the list, or its experiment's folder; None for all that run, which may be none.

    Raises:
        UserError: no such training runs, or it cannot be asked.
    """
    trainings = running()
    asked = [
        entry for entry, one in trainings.items() if name is None or kept(name) == one.experiment or name == one.name
    ]
    if name is not None and not asked:
        there = ", ".join(one.name for one in trainings.values()) or "none"
        raise UserError(f"there is no training {name} that runs; those that run: {there}")
    for entry in asked:
        try:
            _request(entry).touch()
        except OSError as error:
            reason = explain(error, entry)
            who = trainings[entry].name
            raise UserError(f"{who} cannot be asked to stop: {reason}; press Ctrl-C where it runs") from error
    return asked


def stop(name: str | None, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Ask a training to save and end, and wait until it has.

    Args:
        name: its name in the list, or its experiment's folder; None for all that run.
        patience_seconds: how long to wait.

    Raises:
        UserError: no such training runs, it cannot be asked, or it does not end in that time.
    """
    asked = ask_to_stop(name)
    deadline = time.monotonic() + patience_seconds
    while any(entry in running() for entry in asked):
        if time.monotonic() > deadline:
            who = name or "a training"
            raise UserError(
                f"{who} was asked to stop and still runs after {patience_seconds:.0f} s: it is measuring or reading; "
                "look again in a while, or press Ctrl-C where it runs"
            )
        time.sleep(0.2)


def main(argv: list[str] | None = None) -> None:
    """Do what the command line asks for.

    Raises:
        UserError: see `stop`.
    """
    parser = argparse.ArgumentParser(prog="python -m workshop.trainings", description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("list", help="show the trainings that run; the same without a word")
    stopping = verbs.add_parser("stop", help="let a training save and end")
    stopping.add_argument("name", nargs="?", help="its name in the list, such as char_rnn/01; all without one")
    arguments = parser.parse_args(argv)
    if arguments.verb == "stop":
        stop(arguments.name)
        who = f"{arguments.name} has" if arguments.name else "All that trained have"
        print(visible_line(f"{who} saved and ended; --resume goes on with it."))
    elif trainings := list(running().values()):
        print("\n".join(visible_line(line) for line in table(trainings).splitlines()))
    else:
        print("No training of the workshop is running.")
