"""What TensorBoard shows of a run: curves that share a chart, and previews."""

from pathlib import Path
from typing import Any

import numpy as np

#: Nats in a bit.
BIT = float(np.log(2))


class Board:
    """Writes the event files of one experiment; each of `train`, `validation` and the baselines is a curve of its own
    in the same chart.
    """

    def __init__(self, folder: Path):
        import tensorflow as tf

        self._summary = tf.summary
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def _writer(self, curve: str) -> Any:
        if curve not in self._writers:
            self._writers[curve] = self._summary.create_file_writer(str(self._folder / curve))
        return self._writers[curve]

    def loss(self, curve: str, nats: float, step: int) -> None:
        """A point of a loss curve, in nats and in bits per symbol."""
        with self._writer(curve).as_default(step=step):
            self._summary.scalar("loss/nats", nats)
            self._summary.scalar("loss/bits", nats / BIT)

    def scalar(self, curve: str, name: str, value: float, step: int) -> None:
        """A point of any other curve."""
        with self._writer(curve).as_default(step=step):
            self._summary.scalar(name, value)

    def text(self, name: str, markdown: str, step: int) -> None:
        """A text, in Markdown."""
        with self._writer("train").as_default(step=step):
            self._summary.text(name, markdown)

    def flush(self) -> None:
        """Let TensorBoard see all that has been written."""
        for writer in self._writers.values():
            writer.flush()
