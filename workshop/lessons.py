"""The records of the lessons, the one place for what other modules need to know of them.

A lesson is a folder of the clone with a `lesson.py` that holds its record. After adding one, run
`python -m workshop.server_files`, which writes the server lists for the shell and Docker.
"""

import functools
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop import ROOT
from workshop.errors import UserError
from workshop.files import read_json


@dataclass(frozen=True)
class Lesson:
    """The record of a lesson.

    Attributes:
        name: its folder.
        title: its subject, in a word.
        port: of its TensorBoard.
        kind: of its training files, a name in `workshop.folders.KINDS`.
        unit: name of a sequence step, in the plural.
        starter: the default data set, as a path in the clone.
        network: the arguments that describe its network.
        sizes: arguments and their values, for each value of --size.
        size: the default of --size.
        size_words: format string that describes a size.
        fixed: further arguments that a resumed run may not change.
        speeds: training speed on two laptop cores, in data a second, by --size; an estimate for `inspect`.
        step: data in a training step, in the same unit: characters, notes, or seconds of sound.
        representation: those of the arguments that decide what a symbol stands for: fine-tuning may not change them.
        little: with less data than this, in `unit`, fine-tuning is offered.
        pretrained: name of the trained network to begin with, among those that come with the workshop.
        divisible: whether several workers can train it, each on a part of every batch.
    """

    name: str
    title: str
    port: int
    kind: str
    unit: str
    starter: str
    network: tuple[str, ...]
    sizes: Mapping[str, Mapping[str, Any]]
    size: str
    size_words: str
    fixed: tuple[str, ...]
    speeds: Mapping[str, float]
    step: float
    representation: tuple[str, ...] = ()
    little: int = 0
    pretrained: str = ""
    divisible: bool = True

    @property
    def fixed_arguments(self) -> tuple[str, ...]:
        """What a resumed run may not change: its network, and the lesson's own."""
        return *self.network, *self.fixed

    @property
    def folder(self) -> Path:
        """Where its scripts are."""
        return ROOT / self.name

    @property
    def starter_path(self) -> str:
        """The starter set, as one names it in the current folder."""
        return os.path.relpath(ROOT / self.starter)


@functools.cache
def lessons() -> tuple[Lesson, ...]:
    """The lessons of the clone, in the order of their ports."""
    found = [_record(path) for path in ROOT.glob("*/lesson.py")]
    return tuple(sorted(found, key=lambda lesson: lesson.port))


def _record(path: Path) -> Lesson:
    """The record in a `lesson.py` of the clone; found by its place, so that a new lesson need not be installed."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.lesson", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    record = module.LESSON
    assert isinstance(record, Lesson)
    assert record.name == path.parent.name, f"{path} is the record of {record.name}"
    return record


def of_kind(kind: str) -> Lesson | None:
    """The first lesson that learns from files of this kind."""
    return next((lesson for lesson in lessons() if lesson.kind == kind), None)


def lesson_of(experiment: Path) -> Lesson:
    """The lesson of an experiment: that of its run.json, or without one that of the folder which it would be in. It is
    one of the clone's in any case: no name in a run.json from elsewhere makes anything else be imported.

    Raises:
        UserError: it is none of the clone's, or run.json is damaged.
    """
    known = {lesson.name: lesson for lesson in lessons()}
    record = experiment / "run.json"
    if os.path.isfile(record):
        name = read_json(record).get("lesson")
        if isinstance(name, str) and name in known:
            return known[name]
        raise UserError(
            f"{experiment} is an experiment of {name!r:.40}, which is no lesson of this workshop "
            f"({', '.join(known)}): load it in the clone that it was trained in"
        )
    place = experiment.resolve()
    for lesson in known.values():
        if lesson.folder in (place, *place.parents):
            return lesson
    raise UserError(f"there is no experiment {experiment}: name its folder, such as {next(iter(known))}/experiments/01")
