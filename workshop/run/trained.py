"""A trained network, ready to generate: what `sample.py` and `workshop.load` of every lesson have in common.

A lesson's `trained.py` has a class `Trained` derived from the one here. It says what the lesson reads from an
experiment, how its network is built, and what generating gives.
"""

import abc
import argparse
import functools
import importlib
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from workshop import ROOT, cli, counting
from workshop.errors import UserError
from workshop.files import short_path
from workshop.lessons import Lesson, lesson_of, lessons
from workshop.quiet import quietly
from workshop.run import arguments, pretrained
from workshop.run import checkpoint as checkpoints
from workshop.run import experiment as experiments
from workshop.run.experiment import Experiment
from workshop.run.seeds import new_seed
from workshop.run.stream import Stream

if TYPE_CHECKING:
    from workshop.networks.sampling import SamplingConfig
    from workshop.run.voice import Mode, Voice


class Trained(abc.ABC):
    """The network of an experiment. TensorFlow is imported when the network is built, at its first use.

    Args:
        experiment: the experiment's folder.
        checkpoint: `best`, `latest`, or the step of a kept checkpoint.

    Raises:
        UserError: run.json, or another file of the experiment, is missing or damaged; or there is no such checkpoint.
    """

    #: The lesson whose experiments these are.
    lesson: ClassVar[Lesson]
    #: What one of `symbols` is called.
    symbol: ClassVar[str] = "symbol"

    def __init__(self, experiment: Experiment, checkpoint: str | int = "best"):
        self.experiment = experiment
        #: Temperature of the previews: the default for generating.
        self.temperature = experiment.record.sampling.temperature
        self.read()
        self.checkpoint = experiment.checkpoint(checked("checkpoint", checkpoint, arguments.checkpoint_name))
        self._arrays, saved = checkpoints.load(self.checkpoint, checkpoints.Saved)
        #: Training steps that the checkpoint has seen.
        self.step = saved.step

    @classmethod
    def open(cls, args: argparse.Namespace) -> Self:
        """The network that the arguments of `sample.py` name; says which one, and sets `args.seed` where none is given.

        Raises:
            UserError: there is no such experiment or checkpoint, or it is damaged.
        """
        opened = cls(_experiment(cls.lesson, args.experiment_dir), args.checkpoint)
        args.seed = new_seed() if args.seed is None else args.seed
        cli.say(f"{opened}, seed {args.seed}")
        return opened

    def __repr__(self) -> str:
        return f"{self.experiment.path}, {self.checkpoint.stem} checkpoint (step {self.step:,})"

    @functools.cached_property
    def model(self) -> Any:
        """The network with the averaged weights of the checkpoint.

        Raises:
            UserError: run.json does not describe the network that the checkpoint holds.
        """
        with quietly():
            model = self.build()
        checkpoints.assign(model.trainable_variables, self._arrays, "average", self.checkpoint)
        self._arrays = {}  # they have been copied
        return model

    def sampling(
        self, temperature: float | None = None, top_k: int | None = None, top_p: float | None = None
    ) -> "SamplingConfig":
        """How to choose the next symbol; without a temperature, at that of the previews.

        Raises:
            UserError: a value is out of range.
        """
        with quietly():
            from workshop.networks.sampling import SamplingConfig

        return SamplingConfig(
            checked("temperature", self.temperature if temperature is None else temperature, cli.positive),
            None if top_k is None else checked("top_k", top_k, cli.count),
            None if top_p is None else checked("top_p", top_p, cli.probability),
        )

    def drawing(self, seed: int | None, *knobs: Any) -> "tuple[int, SamplingConfig]":
        """The seed, a new one where it is None, and what `sampling` makes of temperature, top-k and top-p.

        Raises:
            UserError: a value is out of range.
        """
        return new_seed() if seed is None else checked("seed", seed, cli.seed), self.sampling(*knobs)

    def network_for(self, symbols: Sequence[Hashable]) -> Any:
        """The network to begin with where fine-tuning is for these symbols: one with the layers that they need."""
        return self.model

    @property
    @abc.abstractmethod
    def symbols(self) -> Sequence[Hashable]:
        """The symbols that the network knows, in the order of their numbers."""

    def training_data(
        self, path: Path, arguments: Mapping[str, Any], symbols: Sequence[Hashable]
    ) -> tuple[np.ndarray, str]:
        """The data that the network was trained on, in the numbers of other symbols [N], and its fingerprint; for
        lessons whose baseline counts symbols.

        Args:
            path: where the data should be.
            arguments: those of the lesson's `fixed` ones that the network was trained with.
            symbols: what the numbers stand for.

        Raises:
            UserError: it cannot be read.
        """
        raise NotImplementedError

    @abc.abstractmethod
    def read(self) -> None:
        """Read what the lesson needs of `self.experiment` besides the network.

        Raises:
            UserError: it is missing or damaged.
        """

    @abc.abstractmethod
    def build(self) -> Any:
        """The Keras model that run.json describes, with any weights."""

    @abc.abstractmethod
    def exported(self) -> Any:
        """One step of the network and what its symbols mean: a `workshop.export.step.Step`."""

    def voice(self, mode: "Mode", seed: int, alone: bool = True) -> "Voice":
        """The network as one that answers block by block, for the live room.

        Args:
            mode: when it answers.
            seed: of its draws.
            alone: whether it has all cores of the computer; beside others it keeps to one.

        Raises:
            UserError: it cannot.
        """
        raise UserError(f"{self.experiment.path} cannot be played live: {self.lesson.name} has no voice for it yet")

    @abc.abstractmethod
    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """Generate one text, piece or sound; each lesson says from what, and how long."""

    @abc.abstractmethod
    def stream(self, *args: Any, **kwargs: Any) -> Stream[Any]:
        """The same as `generate`, with the same arguments, piece by piece.

        Raises:
            UserError: an argument is out of range; before anything is generated.
        """


def named(name: str | None, checkpoint: str | int = "best") -> Trained:
    """The trained network of any lesson that a person names.

    Args:
        name: an experiment's folder, or its name (01, char_rnn/01, verse); a lesson's name or None means the newest.
        checkpoint: as for `load`.

    Raises:
        UserError: there is none, or several have this name.
    """
    if name is None:
        own = [path for lesson in lessons() for path in experiments.all_of(lesson.folder)]
        if not own:
            raise UserError("there is no experiment yet: name one that comes with the workshop, such as verse")
        return load(max(own, key=lambda path: (path / "run.json").stat().st_mtime_ns), checkpoint)
    if os.path.isfile(os.path.join(name, "run.json")) or name in (lesson.name for lesson in lessons()):
        return load(name, checkpoint)
    of_lesson, _, last = name.rpartition("/")
    folders = [
        folder
        for lesson in lessons()
        if of_lesson in ("", lesson.name)
        for folder in (lesson.folder / "experiments", lesson.folder, pretrained.FOLDER / lesson.name)
    ]
    found = [short_path(folder / last) for folder in folders if os.path.isfile(folder / last / "run.json")]
    if len(found) > 1:
        raise UserError(f"{name} may be {' or '.join(map(str, found))}: give one of these folders")
    return load(found[0] if found else name, checkpoint)


def load(path: str | Path, checkpoint: str | int = "best") -> Trained:
    """The trained network in an experiment's folder; see `workshop.load`."""
    place = Path(path) if os.path.exists(path) else short_path(ROOT / path)
    lesson = lesson_of(place)
    newest = place.resolve() == lesson.folder
    experiment = _experiment(lesson, None if newest else str(place))
    return of(lesson, experiment, checkpoint)


def of(lesson: Lesson, experiment: Experiment, checkpoint: str | int = "best") -> Trained:
    """The trained network of an experiment of a lesson; the arguments and errors are those of `Trained`."""
    return importlib.import_module(f"{lesson.name}.trained").Trained(experiment, checkpoint)


def _experiment(lesson: Lesson, requested: str | None) -> Experiment:
    """The experiment that is asked for, or else the newest; where there is none yet, a trained network that comes with
    the workshop, and says so.
    """
    if not requested and not experiments.all_of(lesson.folder) and (shipped := pretrained.networks(lesson)):
        cli.say(f"{lesson.name} has no experiment yet: {shipped[0].name}, which comes with the workshop, is taken")
        requested = str(short_path(shipped[0]))
    return experiments.find(lesson.folder, requested)


def checked(name: str, value: Any, kind: Callable[[str], Any]) -> Any:
    """A value given in Python, checked as the same argument is on the command line.

    Raises:
        UserError: it is invalid.
    """
    try:
        return kind(str(value))
    except argparse.ArgumentTypeError as error:
        raise UserError(f"{name}: {error}") from None


def with_progress(pieces: Iterable[np.ndarray], length: int, unit: str, hidden: bool = False) -> Iterator[np.ndarray]:
    """The pieces [n, B] of something generated, with a progress bar where it takes some seconds.

    Args:
        pieces: together `length` steps.
        length: steps.
        unit: what a step is called, in the plural.
        hidden: no bar, because the text itself is shown as it comes.
    """
    with counting.bar(length, f" {unit}", hidden=hidden) as bar:
        for piece in pieces:
            yield piece
            bar.update(len(piece))
