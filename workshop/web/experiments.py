"""The experiments that the page offers: those in the lessons' folders, and the trained ones in `pretrained`.

A browser names an experiment by its id. Ids are looked up among the experiments that are there and never become part of
a path, so that nothing else can be named.
"""

from dataclasses import dataclass
from pathlib import Path

from workshop import ROOT
from workshop.errors import UserError
from workshop.files import short_path
from workshop.lessons import Lesson, lesson_of, lessons
from workshop.osc.generating import MAKES
from workshop.run import experiment, pretrained
from workshop.run.record import Record
from workshop.visible import visible_line
from workshop.words import NGRAM


@dataclass(frozen=True)
class Entry:
    """An experiment as the page shows it.

    Attributes:
        id: its folder in the clone; the page names it so.
        lesson: the lesson's name.
        makes: `text`, `notes` or `sound`.
        name: of the folder.
        pretrained: whether it is one of those that come trained.
        message: that of `train.py --message`.
        loss: the lowest on held-out data, in nats a symbol; None before the first measurement.
        ngram: that of the best n-gram, or other baseline, likewise.
        order: of that one.
        baseline: what it is called.
        step: training steps.
        temperature: of the previews, which is the default.
        conditions: names that a sound can be asked for by.
        is_generator: whether it makes loops from a latent space.
        problem: why it cannot be used, in one sentence, or ''.
    """

    id: str
    lesson: str
    makes: str
    name: str
    pretrained: bool
    message: str = ""
    loss: float | None = None
    ngram: float | None = None
    order: str = ""
    baseline: str = NGRAM
    step: int = 0
    temperature: float = 1.0
    conditions: tuple[str, ...] = ()
    is_generator: bool = False
    problem: str = ""


def paths() -> dict[str, Path]:
    """The folder of each experiment by its id: the newest first, and then those that come trained."""
    own = [path for lesson in lessons() for path in experiment.all_of(lesson.folder)]
    own.sort(key=_changed, reverse=True)
    come_trained = [path for lesson in lessons() for path in pretrained.networks(lesson)]
    return {path.relative_to(ROOT).as_posix(): path for path in (*own, *come_trained)}


def _changed(path: Path) -> int:
    """When its run.json was written last; 0 if it has just been removed."""
    try:
        return (path / "run.json").stat().st_mtime_ns
    except OSError:
        return 0


def path_of(name: str) -> Path:
    """The folder of the experiment with this id.

    Raises:
        UserError: there is none; whatever the id is, no file is looked for.
    """
    path = paths().get(name)
    if path is None:
        raise UserError(f"the page has no experiment {visible_line(name)!r:.80}: reload it to see those that are there")
    return short_path(path)


def is_of(path: Path, lesson: Lesson) -> bool:
    """Whether this is the folder of an experiment of this lesson."""
    return path.is_relative_to(lesson.folder) or path.parent == pretrained.FOLDER / lesson.name


def entry(name: str) -> Entry:
    """The entry of the experiment with this id.

    Raises:
        UserError: there is none, or it is damaged.
    """
    found = _entry(name, path_of(name))
    if found.problem:
        raise UserError(found.problem)
    return found


def listed() -> list[Entry]:
    """All experiments, in the order of `paths`."""
    return [_entry(name, short_path(path)) for name, path in paths().items()]


def _entry(name: str, path: Path) -> Entry:
    try:
        lesson = lesson_of(path)
    except UserError as error:
        return Entry(name, "", "", path.name, False, problem=str(error))
    try:
        return described(name, lesson, experiment.find(lesson.folder, str(path)).record)
    except UserError as error:
        return described(name, lesson, None, str(error))


def described(name: str, lesson: Lesson, record: Record | None, problem: str = "") -> Entry:
    """The entry of an experiment with this record, or without one because of a problem."""
    path = ROOT / name
    what = (name, lesson.name, MAKES[lesson.kind], path.name, pretrained.contains(path))
    if record is None:
        return Entry(*what, problem=problem)
    order, ngram = min(record.baseline.items(), key=lambda item: item[1], default=("", None))
    conditions = record.data.get("conditions")
    names = conditions if isinstance(conditions, list) else []
    return Entry(
        *what,
        message=visible_line(record.message),
        loss=record.best.validation if record.best else None,
        ngram=ngram,
        order=order,
        baseline=visible_line(record.baseline_kind),
        step=record.step,
        temperature=record.sampling.temperature,
        conditions=tuple(name for name in names if isinstance(name, str)),
        is_generator="latent" in record.network,
    )
