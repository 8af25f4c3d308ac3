"""Sound files on disk -> frames: levels in bands in steps of half a dB, or real and imaginary parts in companded steps,
uint8 [N, D]; a tenth of the files held out.

T frames of a training window, B windows in a batch, D numbers in a frame.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from workshop.audio import library
from workshop.audio.audiofiles import find_audio_files
from workshop.audio.bands import Bands
from workshop.audio.library import SoundInfo, Sounds, describe
from workshop.audio.parts import Parts
from workshop.audio.stft import Stft
from workshop.checks import Count
from workshop.datasets import piano_music
from workshop.errors import UserError
from workshop.run.batches import EvalBatches, StatefulBatches

__all__ = ["describe", "frames_of", "kept", "load"]

#: Held-out frames that are measured, at most: they take the time of some training steps.
MOST_MEASURED = 10_000
#: Frames that a network reads before it is measured.
CONTEXT = 40
#: Excerpts of the held-out data that are kept with the weights, for generating to begin with, and frames of each.
EXCERPTS, EXCERPT = 8, 64
#: The names among the arrays of a checkpoint of what generating needs besides the weights: these excerpts, and the
#: loudest level that was heard in each band.
KEPT_EXCERPTS, KEPT_LOUDEST = "excerpts", "loudest"
#: A window that is longer is a damaged number: it lasts for seconds.
MAX_WINDOW = 1 << 16


#: How sound becomes frames, and frames become sound.
Representation = Bands | Parts


class FrameInfo(SoundInfo, kw_only=True):
    """What run.json says of frames.

    Attributes:
        window: samples of which a spectrum is made.
        bands: numbers in a frame.
        target: what these are.
    """

    window: Count
    bands: Count
    target: Literal["levels", "complex"] = "levels"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window > MAX_WINDOW:
            raise ValueError(f"a window of {self.window:,} samples is not valid")
        self.representation()  # which refuses what does not fit

    def representation(self) -> Representation:
        """How sound becomes frames."""
        stft = Stft(self.window, self.hop)
        if self.target == "levels":
            return Bands(stft, self.sample_rate, self.bands)
        if self.bands != 2 * stft.bins:
            raise ValueError(f"{stft.bins} frequencies have no {self.bands} parts")
        return Parts(stft, self.sample_rate)


def frames_of(args: argparse.Namespace) -> Representation:
    """How the arguments want sound to become frames.

    Raises:
        UserError: they contradict each other.
    """
    if args.window % (2 * args.hop):
        raise UserError(
            f"--window {args.window} with --hop {args.hop}: windows have to overlap evenly, so make --window a "
            "multiple of twice the --hop, such as four times"
        )
    if args.window > MAX_WINDOW:
        raise UserError(f"--window {args.window}: at most {MAX_WINDOW:,} samples")
    stft = Stft(args.window, args.hop)
    if args.target == "complex":
        return Parts(stft, args.sample_rate)
    if not 2 <= args.bands <= stft.bins:
        raise UserError(
            f"--bands {args.bands}: a --window of {args.window} samples has {stft.bins} frequencies; 2 to {stft.bins} "
            "fit"
        )
    return Bands(stft, args.sample_rate, args.bands)


def info(facts: SoundInfo, representation: Representation) -> FrameInfo:
    """What run.json says of frames that `load` has read."""
    known = msgspec.structs.asdict(facts)
    target: Literal["levels", "complex"] = "levels" if isinstance(representation, Bands) else "complex"
    return FrameInfo(**known, window=representation.stft.window, bands=representation.count, target=target)


def load(path: Path, representation: Representation, val_split: float, silence_threshold: float) -> Sounds:
    """Read a sound file, or all sound files of a folder and its subfolders, as frames uint8 [N, D]; see
    `library.load`. Says first how much of them will be kept for the next time.

    Raises:
        UserError: there is nothing that can be used.
    """
    stft = representation.stft

    def encode(samples: np.ndarray) -> np.ndarray:
        return np.concatenate([representation.steps(spectra) for spectra in stft.analysed(samples)])

    piano_music.make_if_missing(path)
    library.announce(find_audio_files(path), representation.rate)
    return library.load(path, representation.rate, val_split, silence_threshold, encode=encode, hop=stft.hop)


def in_a_row(sounds: Sounds) -> tuple[np.ndarray, np.ndarray]:
    """The training and the held-out frames, one sound after the other, uint8 [N, D]; of the latter no more than are
    measured.
    """
    (train,), (held_out,) = ([np.concatenate(pieces) for pieces in part] for part in (sounds.train, sounds.held_out))
    return train, held_out[:MOST_MEASURED]


def dithered(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Frames with a random part of a step added to each level, from -1/2 to 1/2, float32.

    Their density is then at least as hard to predict as the steps themselves: without it, a density that is narrow
    around each step would seem to predict them without end (Theis et al. 2016, arXiv:1511.01844).
    """
    return frames.astype(np.float32) + rng.uniform(-0.5, 0.5, frames.shape).astype(np.float32)


@dataclass(frozen=True)
class FrameBatches:
    """Training windows of frames, as `StatefulBatches` gives them of symbols.

    Attributes:
        frames: [N, D] in steps.
        order: the windows, of the numbers of the frames.
    """

    frames: np.ndarray
    order: StatefulBatches

    @property
    def windows(self) -> int:
        """Windows in an epoch."""
        return self.order.windows

    def window(self, epoch: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs [T, D, B] and targets [T, B, D] (the inputs one step later) with dither, float32."""
        places, after = self.order.window(epoch, number)
        rng = np.random.default_rng((self.order.seed, epoch, number))
        frames = dithered(self.frames[np.append(places, after[-1:], axis=0)], rng)
        return np.swapaxes(frames[:-1], 1, 2), frames[1:]


@dataclass(frozen=True)
class HeldOutFrames:
    """Windows that predict each held-out frame once, with the same dither each time.

    Attributes:
        frames: [N, D] in steps, held out.
        before: frames that come before them.
    """

    frames: np.ndarray
    before: np.ndarray

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Inputs [T, D, B], targets [T, B, D] and weights [T, B], float32."""
        before = self.before[-CONTEXT - 1 :]
        together = with_dither(np.concatenate([before, self.frames]))
        numbers = np.arange(len(together))
        streams = max(1, min(16, len(self.frames) // CONTEXT))
        cut = len(before)
        for places, after, counted in EvalBatches(numbers[cut:], numbers[:cut], streams, CONTEXT, CONTEXT):
            yield np.swapaxes(together[places], 1, 2), together[after], counted


def with_dither(frames: np.ndarray) -> np.ndarray:
    """The one dither that is measured with."""
    return dithered(frames, np.random.default_rng(1))


def kept(train: np.ndarray, held_out: np.ndarray, representation: Representation) -> dict[str, np.ndarray]:
    """What is kept with the weights, by name: excerpts uint8 [EXCERPTS, EXCERPT, D], and the loudest level of each band
    uint8 [D], where frames are levels.
    """
    found = {KEPT_EXCERPTS: excerpts(held_out, representation)}
    return found | ({KEPT_LOUDEST: train.max(axis=0)} if isinstance(representation, Bands) else {})


def excerpts(held_out: np.ndarray, representation: Representation) -> np.ndarray:
    """Parts of the held-out frames [N, D] that a generated sound can begin with: uint8 [EXCERPTS, EXCERPT, D]."""
    each = representation.loudness(held_out)
    loudness = np.convolve(each, np.ones(EXCERPT), "valid") if len(held_out) > EXCERPT else np.zeros(1)
    parts = np.array_split(np.arange(len(loudness)), min(EXCERPTS, len(loudness)))
    # The loudest place of each part of the data: silence would be a poor beginning.
    starts = [part[loudness[part].argmax()] for part in parts]
    found = np.stack([np.take(held_out, np.arange(start, start + EXCERPT), axis=0, mode="wrap") for start in starts])
    return found[np.arange(EXCERPTS) % len(found)]
