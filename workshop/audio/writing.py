"""Sounds that grow into files while they are made: what `sample.py` of the lessons about sound has in common."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from workshop import cli, counting
from workshop.audio import audiofiles
from workshop.audio.quality import judge
from workshop.audio.quantisation import MU_LAW, Quantisation
from workshop.audio.spectrogram import spectrogram
from workshop.audio.synthesis import write_wav
from workshop.pictures import write_png
from workshop.visible import visible_line


class IncrementalWavWriter:
    """Writes sounds as wav files repeatedly during generation, so that they can be heard at any time.

    Args:
        stems: paths without suffix, one for each sound.
        rate: samples a second.
        begun: samples [N] that all of them begin with.
        save_every: samples between two writings, at least. Long sounds are written more seldom, each time that they
            are a tenth longer: else a sound of an hour would mean writing a thousand hours.
    """

    def __init__(self, stems: list[Path], rate: int, begun: np.ndarray, save_every: int):
        self.files = [stem.with_name(f"{stem.name}.wav") for stem in stems]
        self.rate, self.begun, self._save_every = rate, begun, save_every
        self._pieces = [np.repeat(begun[:, None], len(stems), axis=1)]
        self._made = self._saved = len(begun)

    def add(self, samples: np.ndarray) -> None:
        """Go on with samples [n, B].

        Raises:
            UserError: a file cannot be written.
        """
        self._pieces.append(samples)
        self._made += len(samples)
        if self._made - self._saved >= max(self._save_every, self._saved // 10):
            self._write()

    def sounds(self) -> list[np.ndarray]:
        """The samples of each sound so far, float32 [N]."""
        return list(np.concatenate(self._pieces).T)

    def _write(self) -> None:
        for file, samples in zip(self.files, self.sounds(), strict=True):
            write_wav(file, samples, self.rate)
        self._saved = self._made

    def __enter__(self) -> "IncrementalWavWriter":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # After Ctrl-C too: a sound that was stopped is a sound.
        if self._made > self._saved and (kind is None or kind is KeyboardInterrupt):
            self._write()


class SpeedMeter:
    """Shows how fast sound is made: samples a second, and how that stands against listening to it."""

    def __init__(self, length: int, streams: int, rate: int):
        self._bar = counting.bar(length, " samples")
        self._streams, self._rate = streams, rate
        self._started, self.made = time.monotonic(), 0

    def update(self, samples: int) -> None:
        """Count samples of each stream."""
        self.made += samples
        self._bar.set_postfix_str(self.speed(), refresh=False)
        self._bar.update(samples)

    def speed(self) -> str:
        """Samples a second of all streams together, and of how many seconds of sound each second makes."""
        total = self.made * self._streams / max(time.monotonic() - self._started, 1e-9)
        return f"{total:,.0f} samples/s, {total / self._rate:.2f}x real time"

    def __enter__(self) -> "SpeedMeter":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.close()


def prompt(path: str | None, rate: int, quantisation: Quantisation = MU_LAW) -> np.ndarray:
    """Levels uint8 [N] of the sound file to go on from, none where there is no file. Prints what was changed in it to
    make it usable.

    Raises:
        UserError: it cannot be read.
    """
    if not path:
        return np.empty(0, np.uint8)
    sound = audiofiles.read_sound(Path(path), rate)
    for remark in sound.remarks:
        cli.say(f"{path}: {remark}")
    return quantisation.encode(sound.samples)


def record(
    pieces: Iterable[np.ndarray], length: int, growing: IncrementalWavWriter,
    decode: Callable[[np.ndarray], np.ndarray] = MU_LAW.decode,
) -> None:  # fmt: skip
    """Write generated sounds as they come, and say how fast they came.

    Args:
        pieces: values [n, B], one for each sample.
        length: samples of each sound, of all pieces together.
        growing: the files.
        decode: makes samples of the values.

    Raises:
        UserError: a file cannot be written.
    """
    with growing, SpeedMeter(length, len(growing.files), growing.rate) as meter:
        for piece in pieces:
            growing.add(decode(piece))
            meter.update(len(piece))
    cli.say(meter.speed())


def report(growing: IncrementalWavWriter, names: Sequence[str], png: bool) -> None:
    """Print where the sounds are, and say what a person would hear at once.

    Args:
        growing: the files.
        names: of the conditions of the sounds; '' where there are none.
        png: whether to draw each of them too.

    Raises:
        UserError: a picture cannot be written.
    """
    for file, samples, name in zip(growing.files, growing.sounds(), names, strict=True):
        print(visible_line(str(file)))
        judgement = judge(samples[len(growing.begun) :])
        title = f"{file.name}, {name}" if name else file.name
        cli.say(f"{title}: {len(samples) / growing.rate:.2f} s, {judgement.words}")
        if judgement.advice:
            cli.say(f"  {judgement.advice}")
        if png:
            write_png(file.with_suffix(".png"), spectrogram(samples, growing.rate, file.stem))
