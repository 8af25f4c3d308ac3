"""A network to train, hear and train again from Python: in a notebook, on a prompt, in a program of one's own.

    from workshop.run.net import Net

    net = Net("spectral_rnn", size="tiny", data_dir="my_music")
    net.train(5)
    net.generate(seconds=20).save("first.wav")
    net.train(20)

It is an experiment like those of `train.py`, and `train.py` trains it: what it prints is printed, TensorBoard shows it,
`sample.py` and `workshop.load` know it, and training goes on exactly where it stopped, on another day as well.
"""

import importlib
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from workshop import cli
from workshop.errors import UserError
from workshop.files import explain, short_path
from workshop.lessons import Lesson, lessons
from workshop.run import experiment, resetting, trained
from workshop.run.trained import Trained, checked

#: What an experiment has that is not needed to go on with it.
NOT_SAVED = ("generated", ".*")


class Net:
    """A network of a lesson.

    Args:
        lesson: its name.
        experiment: the folder of its experiment, which is gone on with where it is there already; without one, the next
            free number beside the lesson's others.
        arguments: those of the lesson's `train.py`, such as `size="tiny"` or `data_dir="my_music"`; of an experiment
            that is there, those that may change.

    Raises:
        UserError: there is no such lesson.
    """

    def __init__(self, lesson: str = "spectral_rnn", experiment: str | Path | None = None, **arguments: Any):
        self.lesson = _named(lesson)
        #: The folder of its experiment.
        self.folder = Path(experiment) if experiment else _free(self.lesson)
        self._arguments = arguments

    def __repr__(self) -> str:
        trained = f"{self.epochs:,} epochs" if self.is_trained else "not trained yet"
        return f"{self.lesson.name}, {short_path(self.folder)}: {trained}"

    @property
    def is_trained(self) -> bool:
        """Whether there is anything to generate with, or to go on from."""
        return (self.folder / "checkpoints" / "latest.npz").exists()

    @property
    def epochs(self) -> int:
        """Passes over the data that it has been trained for."""
        return self._experiment.record.epoch if self.is_trained else 0

    @property
    def _experiment(self) -> experiment.Experiment:
        return experiment.find(self.lesson.folder, str(self.folder))

    def train(self, epochs: int) -> None:
        """Train for so many passes over the data; Ctrl-C stops it and saves, as its end does.

        Raises:
            UserError: it is no number of epochs, or `train.py` has something against its arguments or the data.
        """
        asked = {"experiment_dir": self.folder, "num_epochs": self.epochs + checked("epochs", epochs, cli.count)}
        main = importlib.import_module(f"{self.lesson.name}.train").main
        typed = [*_typed(self._arguments | asked), *(["--resume"] if self.is_trained else [])]
        with _command_line(str(self.lesson.folder / "train.py"), *typed):
            status = main()
        if status not in (0, 128 + signal.SIGINT):
            # Somebody wants the process to end, and not only this training.
            signal.raise_signal(signal.Signals(status - 128))

    def load(self, checkpoint: str | int = "best") -> Trained:
        """What `workshop.load` gives of it: the network with the weights that measured best.

        Raises:
            UserError: it is not trained yet, or there is no such checkpoint.
        """
        if not self.is_trained:
            raise UserError(f"{short_path(self.folder)} is not trained yet: train it first, such as net.train(1)")
        return trained.of(self.lesson, self._experiment, checkpoint)

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """A text, notes or a sound, which has a `save(path)`; the arguments are those of `load(...).generate`, such as
        `seconds=20`, `prompt="a.wav"`, `temperature=0.8` or `seed=1`.

        Raises:
            UserError: it is not trained yet, or an argument is out of range.
        """
        return self.load().generate(*args, **kwargs)

    def save(self, folder: str | Path) -> Path:
        """Copy it as it is to another folder, for `workshop.load`, or `Net(..., experiment=folder)` to go on from
        there. Its own folder is always saved.

        Raises:
            UserError: it is not trained yet, or the folder is there already, or cannot be written.
        """
        self.load()
        target = Path(folder)
        try:
            shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns(*NOT_SAVED))
        except FileExistsError:
            raise UserError(f"{target} is there already: choose another folder") from None
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            raise UserError(f"{target} cannot be written: {explain(error, target)}") from error
        return target

    def reset(self) -> None:
        """Begin anew: its experiment is put aside, and the next training begins with random weights. The music, and
        what was kept of it as read, stay.

        Raises:
            UserError: it cannot be moved.
        """
        if self.folder.exists():
            moved = resetting.put_aside(self.folder, f"{datetime.now():%Y-%m-%d_%H%M%S}")
            print(f"{short_path(self.folder)} is now {short_path(moved)}")


def _named(name: str) -> Lesson:
    known = {lesson.name: lesson for lesson in lessons()}
    if name not in known:
        raise UserError(f"no lesson is called {name}: there are {', '.join(known)}")
    return known[name]


def _free(lesson: Lesson) -> Path:
    folder = lesson.folder / "experiments"
    return short_path(folder / f"{experiment.next_number(folder):02d}")


def _typed(arguments: dict[str, Any]) -> list[str]:
    """Arguments as they are typed: a switch is True or False."""
    typed = []
    for name, value in arguments.items():
        if value is True:
            typed.append(f"--{name}")
        elif value is not None and value is not False:
            typed += [f"--{name}", str(value)]
    return typed


@contextmanager
def _command_line(*typed: str) -> Iterator[None]:
    """Let the process look as if it had been started so."""
    before, sys.argv = sys.argv, list(typed)
    try:
        yield
    finally:
        sys.argv = before
