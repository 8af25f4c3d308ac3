"""A trained network of lesson 3, ready to make sound."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wavenet.lesson import LESSON
from workshop import cli
from workshop.audio import audiofiles, conditions, mu_law
from workshop.audio.generated import GeneratedSound
from workshop.audio.library import SoundInfo
from workshop.errors import UserError
from workshop.quiet import quietly
from workshop.run import trained
from workshop.run.trained import checked

if TYPE_CHECKING:
    from wavenet.generate import Generator


class Trained(trained.Trained):
    """The network of an experiment, its sample `rate` in Hz, and the names of its `conditions`, if it has any."""

    lesson = LESSON

    def read(self) -> None:
        """Read the sample rate and the conditions."""
        facts = self.experiment.data(SoundInfo)
        self.rate, self.conditions = facts.sample_rate, facts.conditions
        if len(self.conditions) != self.experiment.record.network.get("conditions"):
            file = self.experiment.path / "run.json"
            raise UserError(f"{file} is damaged: its conditions {self.conditions} are not those of its network")
        self._labels: np.ndarray | None = None

    def build(self) -> Any:
        """The network that run.json describes."""
        from wavenet.model import build

        return build(self.experiment.record.network, self.experiment.most_weights)

    def generator(self, labels: np.ndarray) -> "Generator":
        """What makes sounds with this network, with the conditions of these numbers [B]; the last one is kept."""
        with quietly():
            from wavenet.generate import Generator

        if self._labels is None or not np.array_equal(self._labels, labels):
            self._labels, self._generator = labels, Generator(self.model, labels)
        return self._generator

    def generate(
        self, prompt: str | Path | np.ndarray | None = None, length: int | None = None,
        temperature: float | None = None, top_k: int | None = None, top_p: float | None = None,
        seed: int | None = None, seconds: float = 3, condition: str | None = None,
    ) -> GeneratedSound:  # fmt: skip
        """Make a sound.

        Args:
            prompt: the sound file to go on from, or its samples [N], from -1 to 1, at `self.rate`; the result does not
                hold it.
            length: samples to generate; without it, as many as `seconds` have.
            temperature: softmax temperature; without it, that of the previews.
            top_k: sample only from the k most likely values.
            top_p: sample only from the most likely values that together have this probability.
            seed: the same seed gives the same sound; without it, a new one each time.
            seconds: how long.
            condition: which of `self.conditions` to make; without it, the first.

        Raises:
            UserError: an argument is out of range, or the sound file cannot be used.
        """
        labels = np.array(conditions.numbers(condition, self.conditions, 1))
        samples = np.empty(0) if prompt is None else prompt
        if not isinstance(samples, np.ndarray):
            samples = audiofiles.read(Path(samples), self.rate)
        if length is None:
            length = max(round(checked("seconds", seconds, cli.positive) * self.rate), 1)
        seed, config = self.drawing(seed, temperature, top_k, top_p)
        values = mu_law.encode(samples)[:, None]
        pieces = self.generator(labels).generate(values, checked("length", length, cli.count), seed, config)
        return GeneratedSound(mu_law.decode(np.concatenate(list(pieces))[:, 0]), self.rate)
