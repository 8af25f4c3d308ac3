"""What TensorBoard shows of an experiment: curves that share a chart, and previews.

TensorBoard opens the first two groups of charts, in the order of the alphabet, and collapses the others. A group is
what stands before the slash in a tag. So the two charts of the loss, in two groups, are in front, and `more` is
collapsed.
"""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.errors import UserError
from workshop.files import explain

if TYPE_CHECKING:  # The doctor reads this module where nothing is installed yet.
    import numpy as np

#: Nats in a bit.
BIT = math.log(2)

#: The curve, below `baseline`, of an n-gram that has counted the data of the network that fine-tuning began with, too.
EARLIER = "with_earlier_data"

#: What the charts say of themselves, by tag.
DESCRIPTIONS = {
    "loss/nats": "Mean of -ln p over the symbols, p being the probability that was given to the right one.",
    "loss in bits": "The same loss in bits: the loss in nats divided by ln 2.",
    "more/accuracy": "Share of the held-out symbols that are the network's most likely one (accuracy).",
    "more/accuracy of the most frequent": "Share of the held-out symbols that are the most frequent one in training.",
    "more/accuracy of repeating the last": "Share of the held-out symbols that are the same as the symbol before.",
    "more/learning rate": "The optimizer's step size.",
}


class TensorBoardWriter:
    """Writes the event files of one experiment; each of `train`, `validation` and the best n-gram is a curve of its
    own in the same chart.
    """

    def __init__(self, folder: Path):
        import tensorflow as tf

        self._summary, self._error = tf.summary, tf.errors.OpError
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def _writer(self, curve: str) -> Any:
        if curve not in self._writers:
            # As bytes, because the name of a folder need not be text.
            self._writers[curve] = self._summary.create_file_writer(os.fsencode(self._folder / curve))
        return self._writers[curve]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say in one sentence what TensorFlow says in many, such as that the disk is full."""
        try:
            yield
        except self._error as error:
            is_full = "No space left" in str(error)
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            reason = explain(full, self._folder) if is_full else type(error).__name__
            raise UserError(
                f"the curves in {self._folder} could not be written: {reason}; the checkpoint saved last is intact, so "
                "put that right and go on with --resume"
            ) from error

    def loss(self, curve: str, nats: float, step: int) -> None:
        """A point of a loss curve, in nats and in bits per symbol."""
        self._number(curve, "loss/nats", nats, step)
        self._number(curve, "loss in bits", nats / BIT, step)

    def plain_loss(self, curve: str, loss: float, step: int) -> None:
        """A point of a loss curve that is not in nats."""
        self._number(curve, "loss/loss", loss, step)

    def more(self, curve: str, name: str, value: float, step: int) -> None:
        """A point of a curve in the collapsed group of charts."""
        self._number(curve, f"more/{name}", value, step)

    def _number(self, curve: str, tag: str, value: float, step: int) -> None:
        with self._writing(), self._writer(curve).as_default(step=step):
            self._summary.scalar(tag, value, description=DESCRIPTIONS.get(tag))

    def text(self, name: str, markdown: str, step: int) -> None:
        """A text, in Markdown."""
        with self._writing(), self._writer("train").as_default(step=step):
            self._summary.text(name, markdown.encode("utf-8", "replace"))

    def picture(self, name: str, pixels: "np.ndarray", step: int) -> None:
        """A picture, uint8 [H, W, 3]."""
        with self._writing(), self._writer("train").as_default(step=step):
            self._summary.image(name, pixels[None])

    def sound(self, name: str, samples: "np.ndarray", rate: int, step: int) -> None:
        """A sound: samples [N] from -1 to 1, `rate` a second."""
        with self._writing(), self._writer("train").as_default(step=step):
            self._summary.audio(name, samples[None, :, None], rate)

    def flush(self) -> None:
        """Let TensorBoard see all that has been written."""
        with self._writing():
            for writer in self._writers.values():
                writer.flush()
