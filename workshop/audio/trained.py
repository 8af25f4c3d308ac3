"""A trained network that generates sound: what `sample.py` and `workshop.load` of the lessons about sound share."""

import abc
from collections.abc import Hashable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workshop import cli
from workshop.audio import audiofiles, conditions, library, mu_law
from workshop.audio.arguments import SECONDS
from workshop.audio.generated import GeneratedSound, SoundGenerator, sample_count
from workshop.audio.library import SoundInfo
from workshop.audio.listening import as_samples
from workshop.audio.quantisation import QUANTISATIONS
from workshop.errors import UserError
from workshop.quiet import quietly
from workshop.run import trained
from workshop.run.stream import Stream
from workshop.run.trained import checked
from workshop.run.voice import Mode, Voice

if TYPE_CHECKING:
    from workshop.networks.engine import Engine


class TrainedOnSound(trained.Trained):
    """The network of an experiment, its sample `rate` in Hz, and the names of its `conditions`, if it has any."""

    symbol = "condition"

    def read(self) -> None:
        """Read the sample rate and the conditions."""
        facts = self.experiment.data(SoundInfo)
        self.rate, self.conditions = facts.sample_rate, facts.conditions
        #: What a level stands for.
        self.quantisation = QUANTISATIONS[facts.quantisation]
        self._labels: np.ndarray | None = None
        if len(self.conditions) != self.experiment.record.network.get("conditions", 0):
            file = self.experiment.path / "run.json"
            raise UserError(f"{file} is damaged: its conditions {self.conditions} are not those of its network")

    @property
    def symbols(self) -> Sequence[str]:
        """The names of the conditions: the levels of a sample are the same for all sounds."""
        return self.conditions

    def network_for(self, symbols: Sequence[Hashable]) -> Any:
        """The network, with a condition that changes nothing or without one where `symbols` need that."""
        return self.model if bool(symbols) == bool(self.conditions) else self.with_conditions(int(bool(symbols)))

    def training_data(
        self, path: Path, arguments: Mapping[str, Any], symbols: Sequence[Hashable]
    ) -> tuple[np.ndarray, str]:
        """All sounds, one after the other: their levels are the same whatever the symbols are."""
        silence, condition = arguments["silence_threshold"], arguments.get("condition")
        encode = self.quantisation.encode
        sounds = library.load(path, self.rate, silence_threshold=silence, condition=condition, encode=encode)
        return np.concatenate(list(chain(*sounds.train, *sounds.held_out))), sounds.facts.fingerprint

    def meaning(self, warm_up: int) -> dict[str, Any]:
        """What an exported network says of its symbols; it reads so many samples of silence before it generates."""
        return {
            "kind": "sound",
            "encoding": str(self.quantisation),
            "sample_rate": self.rate,
            "samples": self.quantisation.decode(np.arange(mu_law.LEVELS)).astype(float).round(7).tolist(),
            "conditions": list(self.conditions),
            "warm_up": [mu_law.SILENCE] * warm_up,
        }

    @abc.abstractmethod
    def with_conditions(self, count: int) -> Any:
        """The network with one condition, which changes nothing, or without any: then the mean of those that it has is
        part of its biases.
        """

    @abc.abstractmethod
    def new_generator(self, labels: np.ndarray) -> SoundGenerator:
        """What generates sounds with this network, with the conditions of these numbers [B]."""

    def generator(self, labels: np.ndarray) -> SoundGenerator:
        """The same; the last one is kept. The weights are rounded to half precision from then on: so it sounds the same
        by whatever engine, and one of them reads half as many bytes for each sample.
        """
        if self._labels is None:
            self._round()
        if self._labels is None or not np.array_equal(self._labels, labels):
            self._labels, self._generator = labels, self.new_generator(labels)
        return self._generator

    def _round(self) -> None:
        with quietly():
            from keras import ops

            from workshop.networks.products import rounded

        for variable in self.model.trainable_variables:
            variable.assign(rounded(ops.convert_to_numpy(variable)))

    @abc.abstractmethod
    def engine(self) -> tuple["Engine", int]:
        """What runs the network for one sound on a CPU, new each time, and the samples of silence that it hears first.

        Raises:
            UserError: it is a network that only the compiled loop can run.
        """

    def voice(self, mode: Mode, seed: int, alone: bool = True) -> Voice:
        """The network as one that goes on with what it hears, sample by sample."""
        with quietly():
            from workshop.audio.sample_voice import SampleVoice, keep_to_one_core

            engine, warm_up = self.engine()
        if not alone:
            keep_to_one_core(engine)
        return SampleVoice(engine, self.rate, warm_up, self.temperature, mode, seed, self.quantisation)

    def samples(self, length: int | None, seconds: float | None) -> int:
        """How many samples to generate; see `sample_count`."""
        return sample_count(length, seconds or SECONDS, self.rate)

    def generate(
        self, prompt: str | Path | np.ndarray | None = None, length: int | None = None,
        temperature: float | None = None, top_k: int | None = None, top_p: float | None = None,
        seed: int | None = None, seconds: float = SECONDS, condition: str | None = None,
    ) -> GeneratedSound:  # fmt: skip
        """Generate a sound.

        Args:
            prompt: the sound file to go on from, or its samples [N], from -1 to 1, at `self.rate`; the result does not
                hold it.
            length: samples to generate; without it, as many as `seconds` have.
            temperature: softmax temperature; without it, that of the previews.
            top_k: sample only from the k most likely values.
            top_p: sample only from the most likely values that together have this probability.
            seed: the same seed gives the same sound; without it, a new one each time.
            seconds: how long.
            condition: which of `self.conditions` to generate; without it, the first.

        Raises:
            UserError: an argument is out of range, or the sound cannot be used.
        """
        return self.stream(prompt, length, temperature, top_k, top_p, seed, seconds, condition).whole()

    def stream(
        self, prompt: str | Path | np.ndarray | None = None, length: int | None = None,
        temperature: float | None = None, top_k: int | None = None, top_p: float | None = None,
        seed: int | None = None, seconds: float = SECONDS, condition: str | None = None,
    ) -> Stream[GeneratedSound]:  # fmt: skip
        """What `generate` makes, piece by piece.

        Raises:
            UserError: an argument is out of range, or the sound cannot be used.
        """
        labels = np.array(conditions.numbers(condition, self.conditions, 1))
        given = np.empty(0) if prompt is None else prompt
        samples = audiofiles.read(Path(given), self.rate) if isinstance(given, str | Path) else as_samples(given)
        seconds = checked("seconds", seconds, cli.positive)
        count = self.samples(None if length is None else checked("length", length, cli.count), seconds)
        seed, config = self.drawing(seed, temperature, top_k, top_p)
        prompted = self.quantisation.encode(samples)[:, None]
        pieces = self.generator(labels).generate(prompted, count, seed, config)
        return Stream(
            seed,
            count,
            (piece[:, 0] for piece in pieces),
            lambda values: GeneratedSound(self.quantisation.decode(values), self.rate),
        )
