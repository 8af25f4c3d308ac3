"""A trained generator of lesson 6, ready to make loops."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from spectral_gan.dataset import LoopInfo
from spectral_gan.generate import Loops
from spectral_gan.lesson import LESSON
from workshop import cli
from workshop.audio import latents
from workshop.audio.generated import GeneratedSound, sample_count
from workshop.audio.loop_meaning import LoopMeaning
from workshop.errors import UserError
from workshop.quiet import quietly
from workshop.run import checkpoint, trained
from workshop.run.stream import Stream
from workshop.run.trained import checked

#: Pictures that are made together.
TOGETHER = 64


class Trained(trained.Trained):
    """The generator of an experiment: loops of `latent_size` values, each of `samples` samples at a `rate` in Hz, which
    are `beats` at a tempo of `bpm`.
    """

    lesson = LESSON

    @property
    def symbols(self) -> range:
        """None: a picture is no symbol."""
        return range(0)

    def read(self) -> None:
        """Read what the loops are."""
        self.info = self.experiment.data(LoopInfo)
        self.rate, self.samples = self.info.sample_rate, self.info.samples
        self.bpm, self.beats = self.info.bpm, self.info.beats
        self.spectrogram = self.info.representation()

    def build(self) -> Any:
        """The networks that run.json describes.

        Raises:
            UserError: it is damaged.
        """
        from spectral_gan.model import build

        pair = build(self.experiment.record.network, self.experiment.most_weights)
        if (pair.shape.frames, pair.shape.bands) != (self.info.frames, self.info.bands):
            raise UserError(f"{self.experiment.path} is damaged: its network and its data have pictures of other sizes")
        return pair

    @functools.cached_property
    def model(self) -> Any:
        """Both networks; the generator has the averaged weights of the checkpoint.

        Raises:
            UserError: run.json does not describe the networks that the checkpoint holds.
        """
        arrays = self._arrays
        pair = super().model
        checkpoint.assign(pair.statistics, arrays, "statistics", self.checkpoint)
        return pair

    @functools.cached_property
    def latent_size(self) -> int:
        """Z."""
        size: int = self.model.shape.latent
        return size

    def exported(self) -> Any:
        """What there is to export of the generator; see `Maker`.

        Raises:
            UserError: it has a layer that the export does not know.
        """
        from spectral_gan import export

        info = self.info
        meaning = LoopMeaning(
            self.latent_size, self.rate, self.samples, info.frames, info.bands, float(self.bpm), self.beats,
            scale=info.scale,
        )  # fmt: skip
        return export.maker(self.model, meaning.entries())

    @functools.cached_property
    def _generator(self) -> Any:
        """The generator as one compiled function of latents [N, Z]."""
        pair = self.model
        with quietly():
            import tensorflow as tf
        seen = tf.TensorSpec((None, pair.shape.latent), tf.float32)
        return tf.function(lambda points: pair.generator(points), input_signature=[seen], autograph=False)

    def pictures(self, points: np.ndarray) -> np.ndarray:
        """Pictures float32 [N, T, D] from -1 to 1 of latents [N, Z].

        Raises:
            UserError: these are not latents of this network.
        """
        points = np.asarray(points, np.float32)
        if points.ndim != 2 or points.shape[1] != self.latent_size:
            raise UserError(f"this network makes loops of {self.latent_size} latent values each, not of {points.shape}")
        parts = [self._generator(points[at : at + TOGETHER]) for at in range(0, len(points), TOGETHER)]
        return np.concatenate([np.asarray(part) for part in parts])

    @property
    def loops(self) -> Loops:
        """What makes sound of latents."""
        return Loops(self.pictures, self.spectrogram)

    def sounds(self, points: np.ndarray) -> np.ndarray:
        """Loops float32 [N, samples] from -1 to 1 of latents [N, Z]; each may be repeated for ever."""
        return self.loops.sounds(points)

    def row(self, points: np.ndarray) -> np.ndarray:
        """The same loops one after the other, each going over into the next, float32 [N samples]."""
        return self.loops.row(points)

    def generate(self, *args: Any, **kwargs: Any) -> GeneratedSound:
        """Generate a loop, or what it repeats to; the arguments are those of `stream`.

        Raises:
            UserError: an argument is out of range.
        """
        return self.stream(*args, **kwargs).whole()

    def stream(
        self, prompt: Any = None, length: int | None = None, temperature: float | None = None,
        top_k: int | None = None, top_p: float | None = None, seed: int | None = None, seconds: float | None = None,
        condition: str | None = None, latent: np.ndarray | None = None,
    ) -> Stream[GeneratedSound]:  # fmt: skip
        """A loop, repeated until there are as many samples as wanted.

        Args:
            prompt: there is none.
            length: samples; without it, as many as `seconds` have, or else one loop.
            temperature: how far from the most typical loop: below 1 nearer, above 1 farther.
            top_k: there is none.
            top_p: there is none.
            seed: the same seed gives the same loop; without it, a new one each time.
            seconds: how long.
            condition: there is none.
            latent: the latent values [Z] to make it of; without them, random ones.

        Raises:
            UserError: an argument is out of range.
        """
        if top_k is not None or top_p is not None or condition or prompt is not None:
            raise UserError("a loop has neither prompt nor condition, neither top_k nor top_p: leave them out")
        count = self.length(length, seconds)
        seed, config = self.drawing(seed, temperature)
        point = latents.drawn(1, self.latent_size, seed, config.temperature) if latent is None else latent[None]
        return Stream(seed, count, self._repeated(point, count), lambda samples: GeneratedSound(samples, self.rate))

    def length(self, length: int | None, seconds: float | None) -> int:
        """Samples of a sound: as many as are asked for, or one loop.

        Raises:
            UserError: a number is out of range.
        """
        if length is None and seconds is None:
            return self.samples
        length = None if length is None else checked("length", length, cli.count)
        seconds = 0.0 if seconds is None else checked("seconds", seconds, cli.positive)
        return sample_count(length, seconds, self.rate)

    def _repeated(self, point: np.ndarray, count: int) -> Iterator[np.ndarray]:
        """Samples of a loop, again and again, `count` of them."""
        loop = self.sounds(point)[0]
        for at in range(0, count, len(loop)):
            yield loop[: count - at]
