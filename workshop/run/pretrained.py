"""The trained networks that come with the workshop: experiments in `pretrained/LESSON/NAME`, with weights of 8 or 16
bits.

`benchmarks/pretrain.py` makes them; their SOURCE.txt says from what, under which licence.
"""

from pathlib import Path

from workshop import ROOT
from workshop.files import short_path
from workshop.lessons import Lesson

FOLDER = ROOT / "pretrained"


def folders(lesson: str) -> list[Path]:
    """The folders of the trained networks of the lesson of this name, in the order of their names."""
    return sorted(path.parent for path in (FOLDER / lesson).glob("*/run.json"))


def networks(lesson: Lesson) -> list[Path]:
    """The folders of a lesson's trained networks, the one to begin with first."""
    return sorted(folders(lesson.name), key=lambda folder: folder.name != lesson.pretrained)


def contains(experiment: Path) -> bool:
    """Whether an experiment is one of them."""
    return experiment.resolve().is_relative_to(FOLDER.resolve())


def generated(experiment: Path) -> Path:
    """Where what one of them generates is put: its own folder is part of the clone."""
    return short_path(ROOT / "data" / "generated" / experiment.name)
