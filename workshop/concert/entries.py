"""The experiments of a class, as their run.json files tell of them, and which of them can be compared.

A run.json is its author's own file: what it says is shown, and proves nothing (`measuring.py` measures again).
"""

import hashlib
import math
import os
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workshop.concert.media import Media, load
from workshop.errors import UserError
from workshop.files import read_json, read_kept
from workshop.lessons import Lesson, lesson_of
from workshop.run import experiment
from workshop.run.record import DataInfo, Record
from workshop.words import NGRAM

#: Folders below one that was named are looked through to this depth.
DEEPEST = 6
#: Seconds of a sample's sound, and characters of its text.
SECONDS, CHARACTERS = 20.0, 1500
#: Nats in a bit.
BIT = math.log(2)


@dataclass(frozen=True)
class Entry:
    """An experiment.

    Attributes:
        path: its folder.
        name: what it is called on the page: its place below the folder that was named.
        lesson: its lesson.
        record: what its run.json says.
        data: what it was trained on.
        vocabulary: a fingerprint of its vocabulary; '' where it has no file of it.
    """

    path: Path
    name: str
    lesson: Lesson
    record: Record
    data: DataInfo
    vocabulary: str

    @property
    def is_of_symbols(self) -> bool:
        """Whether its loss has a meaning in bits. Densities of spectra and distances have none."""
        return self.record.baseline_kind == NGRAM

    def shown(self, loss: float) -> float:
        """A loss as the page has it: in bits a symbol, or as it is."""
        return loss / BIT if self.is_of_symbols else loss

    @property
    def loss(self) -> float | None:
        """The lowest on held-out data, as shown; None where that was not measured."""
        return self.shown(self.record.best.validation) if self.record.best else None

    @property
    def baseline(self) -> float | None:
        """That of the best n-gram, or whatever else it is compared with."""
        losses = self.record.baseline.values()
        return self.shown(min(losses)) if losses else None

    @property
    def network(self) -> str:
        """The size of its network, in words."""
        names = [name for name in self.lesson.network if name in self.record.arguments]
        return ", ".join(f"{name} {self.record.arguments[name]}" for name in names)

    @property
    def representation(self) -> Hashable:
        """What decides what a symbol is. Bits of different symbols cannot be compared."""
        names = self.lesson.representation
        return (
            self.lesson.name,
            self.record.baseline_kind,
            tuple(str(self.record.arguments.get(name)) for name in names),
        )

    @property
    def comparable(self) -> Hashable:
        """Entries of which this is the same have been measured on the same held-out data, in the same symbols."""
        split = str(self.record.arguments.get("val_split"))
        return self.representation, self.data.fingerprint, split, self.data.symbols, self.vocabulary

    def sample(self) -> list[Media]:
        """What it has made last: its newest preview to read, hear and see; what cannot be shown is left out."""
        files = sorted(self.path.glob("samples/step_*"), key=lambda path: path.name)
        newest = files[-1].stem.split(".")[0] if files else ""
        found = []
        for path in files:
            if path.stem == newest and path.suffix in (".txt", ".wav", ".png") and not path.is_symlink():
                try:
                    found.append(load(path, SECONDS))
                except UserError:
                    continue
        return [Media(one.kind, one.text[:CHARACTERS].encode()) if one.kind == "text/plain" else one for one in found]


def _vocabulary(path: Path) -> str:
    """A fingerprint of the vocabulary; the same for those that have no file of it.

    Raises:
        UserError: it is too large for one, or has no end.
    """
    try:
        return hashlib.sha256(read_kept(path / "vocab.json")).hexdigest()
    except OSError:
        return ""


def found(folders: Sequence[Path]) -> tuple[list[Entry], list[str]]:
    """The experiments in folders and below, each once, and why others could not be read, a sentence each.

    Raises:
        UserError: there is no such folder.
    """
    entries: list[Entry] = []
    problems: list[str] = []
    seen: set[Path] = set()
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}: name those that experiments lie in")
        for path in _experiments(folder):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            try:
                if path.is_symlink():
                    raise UserError(f"{path} is a link, which is not followed: name the folder that it leads to")
                entries.append(_entry(path, _name(folder, path)))
            except UserError as error:
                problems.append(str(error))
    return entries, problems


def _experiments(folder: Path) -> Iterator[Path]:
    """Experiments, and links to other folders."""
    depth = len(folder.parts)
    for where, folders, files in os.walk(folder):
        folders.sort()
        yield from (link for link in (Path(where, name) for name in folders) if link.is_symlink())
        if "run.json" in files:
            folders.clear()  # an experiment holds no others
            yield Path(where)
        elif len(Path(where).parts) - depth >= DEEPEST:
            folders.clear()


def _name(folder: Path, path: Path) -> str:
    """Where it lies below the folder that was named, which is the name of a student, mostly."""
    parts = [part for part in (folder.resolve().name, *path.relative_to(folder).parts) if part != "experiments"]
    return "/".join(parts)


def _entry(path: Path, name: str) -> Entry:
    file = path / "run.json"
    lesson = lesson_of(path)
    record = experiment.record_of(read_json(file), file, lesson.name)
    data = experiment.Experiment(path, record).data(DataInfo)
    return Entry(path, name, lesson, record, data, _vocabulary(path))
