"""A trained network of lesson 5, ready to generate."""

import functools
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spectral_rnn import dataset
from spectral_rnn.dataset import FrameInfo
from spectral_rnn.lesson import LESSON
from workshop import cli
from workshop.audio import audiofiles
from workshop.audio.bands import Bands
from workshop.audio.generated import GeneratedSound, sample_count
from workshop.audio.listening import as_samples
from workshop.errors import UserError
from workshop.quiet import quietly
from workshop.run import trained
from workshop.run.experiment import Experiment
from workshop.run.stream import Stream
from workshop.run.trained import checked
from workshop.run.voice import Block, Knobs, Mode, Voice

if TYPE_CHECKING:
    from spectral_rnn.generate import Engine

#: Length of a sound in seconds where none is asked for.
SECONDS = 10


class Trained(trained.Trained):
    """The network of an experiment, its sample `rate` in Hz, and the `bands` that its frames are.

    For playing while it is made, `frames` has a single step: `frames.start()` gives a state, and `frames.step` the next
    frame. Frames are levels [B, D] in steps of half a dB: `workshop.audio.bands` has what makes decibels and magnitudes
    of them, and `workshop.audio.phase.LiveResynthesis` makes sound of those. A network that was trained with
    `--target complex` has frames of real and imaginary parts in steps instead: see `workshop.audio.parts`.
    """

    lesson = LESSON

    def __init__(self, experiment: Experiment, checkpoint: str | int = "best"):
        super().__init__(experiment, checkpoint)
        #: Frames of the held-out data that a sound can begin with, uint8 [E, P, D].
        self.excerpts = self._kept(dataset.KEPT_EXCERPTS, 3)
        #: The loudest level of each band, uint8 [D]; None where frames are not levels.
        self.loudest = None if self.guesses else self._kept(dataset.KEPT_LOUDEST, 1)

    def _kept(self, name: str, dimensions: int) -> np.ndarray:
        """What is kept with the weights under a name.

        Raises:
            UserError: it is missing or damaged.
        """
        found = self._arrays.get(name)
        whole = found is not None and found.ndim == dimensions and found.dtype == np.uint8 and len(found)
        if found is None or not whole or found.shape[-1] != self.bands.count:
            raise UserError(f"the checkpoint {self.checkpoint} is damaged: what it begins with is missing ({name})")
        return found

    @property
    def guesses(self) -> bool:
        """Whether it guesses real and imaginary parts, and draws nothing."""
        return not isinstance(self.bands, Bands)

    @property
    def symbols(self) -> range:
        """None: a frame is no symbol."""
        return range(0)

    def read(self) -> None:
        """Read how sound becomes frames."""
        self.bands = self.experiment.data(FrameInfo).representation()
        self.rate = self.bands.rate

    def build(self) -> Any:
        """The network that run.json describes.

        Raises:
            UserError: it is damaged.
        """
        from spectral_rnn.model import build

        model = build(self.experiment.record.network, self.experiment.most_weights)
        if (model.shape.bands, model.shape.target == "complex") != (self.bands.count, self.guesses):
            raise UserError(f"{self.experiment.path} is damaged: its network and its data have other bands")
        return model

    def exported(self) -> Any:
        """Nothing yet.

        Raises:
            UserError: always.
        """
        raise UserError("a network of spectral_rnn cannot be exported yet: its frames are no symbols")

    @functools.cached_property
    def frames(self) -> "Engine":
        """What runs the network frame by frame."""
        with quietly():
            from spectral_rnn.engines import engine_of

        return engine_of(self.model, self.loudest)

    def voice(self, mode: Mode, seed: int, alone: bool = True) -> Voice:
        """The network as one that goes on with what it hears, frame by frame."""
        from spectral_rnn.voice import FrameVoice

        def new() -> FrameVoice:
            return FrameVoice(self.frames, self.bands, self.temperature, mode, seed)

        # One that is thrown away, so that what is compiled at the first frame is there before anybody waits for it.
        new().process(Block(np.zeros(self.bands.stft.hop, np.float32)), Knobs())
        return new()

    def samples(self, length: int | None, seconds: float | None) -> int:
        """How many samples to generate; see `sample_count`."""
        return sample_count(length, seconds or SECONDS, self.rate)

    def prompt(self, begin: str | Path | np.ndarray, seed: int) -> np.ndarray:
        """Frames [P, D] in steps to go on from.

        Args:
            begin: `random` for one of the excerpts, `silence`, a sound file, or its samples [N] at `self.rate`.
            seed: decides which excerpt.

        Raises:
            UserError: the sound cannot be used.
        """
        if isinstance(begin, str) and begin == "random":
            chosen: np.ndarray = self.excerpts[np.random.default_rng(seed).integers(len(self.excerpts))]
            return chosen
        if isinstance(begin, str) and begin == "silence":
            return np.empty((0, self.bands.count), np.uint8)
        if isinstance(begin, str | Path):
            sound = audiofiles.read_sound(Path(begin), self.rate)
            for remark in sound.remarks:
                cli.say(f"{begin}: {remark}")
            samples = sound.samples
        else:
            samples = as_samples(begin)
        # Without the frames that lie over the end, in which it would break off.
        spectra = self.bands.stft.analyse(samples)[: max(len(samples) // self.bands.stft.hop, 1)]
        return self.bands.steps(spectra)

    def without(self, given: Collection[str]) -> list[str]:
        """Those of the arguments of `sample.py` that mean nothing to this network: where it guesses, all samples would
        be the same, and the phase is known.
        """
        return sorted({"num_samples", "phase", "temperature"}.intersection(given)) if self.guesses else []

    def generate(self, *args: Any, **kwargs: Any) -> GeneratedSound:
        """Generate a sound; the arguments are those of `stream`.

        Raises:
            UserError: an argument is out of range, or the sound file cannot be used.
        """
        return self.stream(*args, **kwargs).whole()

    def stream(
        self, prompt: str | Path | np.ndarray | None = None, length: int | None = None,
        temperature: float | None = None, top_k: int | None = None, top_p: float | None = None,
        seed: int | None = None, seconds: float = SECONDS, condition: str | None = None,
    ) -> Stream[GeneratedSound]:  # fmt: skip
        """What `generate` makes, piece by piece: samples.

        Args:
            prompt: see `prompt`; without it, `random`. The result does not hold it.
            length: samples to generate; without it, as many as `seconds` have.
            temperature: below 1 more conservative, above 1 more random; without it, that of the previews. Of no account
                where the network guesses.
            top_k: there is none.
            top_p: there is none.
            seed: the same seed gives the same sound; without it, a new one each time.
            seconds: how long.
            condition: there is none.

        Raises:
            UserError: an argument is out of range, or the sound file cannot be used.
        """
        if top_k is not None or top_p is not None or condition:
            raise UserError("frames have neither top_k nor top_p nor a condition: leave them out")
        seconds = checked("seconds", seconds, cli.positive)
        count = self.samples(None if length is None else checked("length", length, cli.count), seconds)
        seed, config = self.drawing(seed, temperature)
        beginning = self.prompt("random" if prompt is None else prompt, seed)
        pieces = self.sound(beginning, count, 1, seed, config.knobs(1)[0])
        return Stream(
            seed, count, (piece[:, 0] for piece in pieces), lambda samples: GeneratedSound(samples, self.rate)
        )

    def sound(
        self, prompt: np.ndarray, length: int, streams: int, seed: int, temperature: float, phase: str = "best",
        with_prompt: bool = False, raw: list[np.ndarray] | None = None,
    ) -> Iterator[np.ndarray]:  # fmt: skip
        """Samples [n, B], piece by piece, `length` of them in each stream.

        Args:
            prompt: frames [P, D] in steps to go on from.
            length: samples, with those of the prompt where it is part of the sound.
            streams: B.
            seed: the same seed gives the same sounds.
            temperature: to draw at.
            phase: how it is found where frames are levels; as `sample.py` has it.
            with_prompt: whether the sound begins with that of the prompt.
            raw: gets the values of each piece [n, B, D]: levels in dB, or parts; None to keep none.
        """
        from spectral_rnn.engines import resynthesis
        from spectral_rnn.generate import sounds

        begun = prompt[:, None].repeat(streams, axis=1) if with_prompt else np.empty((0, streams, self.bands.count))
        count = max(self.bands.stft.frames(length) - len(begun), 0)
        frames = self.frames.generate(prompt, count, streams, seed, temperature)
        made = [resynthesis(self.bands, phase) for _ in range(streams)]
        return sounds(chain([begun] if len(begun) else [], frames), length, self.bands, made, raw)
