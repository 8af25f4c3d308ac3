"""The experiment of a worker that does not lead: the same as the leader's, and nobody writes it twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from workshop.run.board import TensorBoardWriter
from workshop.run.experiment import Experiment, new_record


class _SilentBoard(TensorBoardWriter):
    """A TensorBoard that shows nothing."""

    def _number(self, curve: str, tag: str, value: float, step: int) -> None:
        pass

    def text(self, name: str, markdown: str, step: int) -> None:
        """Show nothing."""


class Unwritten(Experiment):
    """An experiment whose folder is left alone."""

    @property
    def board(self) -> TensorBoardWriter:
        """A TensorBoard that shows nothing."""
        return _SilentBoard(self.tensorboard)

    def lock(self) -> None:
        """The leader keeps others out."""

    def clear_leftovers(self) -> None:
        """The leader does."""

    def discard_if_empty(self) -> None:
        """The leader does."""

    def report(self, skipped: list[str]) -> None:
        """The leader does."""

    def keep_log(self) -> None:
        """The leader does."""

    def add(self, name: str, write: Callable[[Path], object]) -> None:
        """The leader does."""

    def save(self, path: Path, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
        """The leader does."""

    def update(self, **changes: Any) -> None:
        """Change the record here, and no file."""
        for name, value in changes.items():
            setattr(self.record, name, value)


def create(lesson_dir: Path, requested: str, **entries: Any) -> Unwritten:
    """The experiment that the leader has made in `requested`; see `experiment.create`."""
    return Unwritten(Path(requested), new_record(lesson_dir.name, **entries))
