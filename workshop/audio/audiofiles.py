"""Decode sound files of any format to mono samples at one rate.

Files without audible sound are skipped with a reason. Changes made to a sound are reported. A long recording is decoded
twice, to measure it and to use it, and never held in memory as a whole.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from workshop import folders
from workshop.audio.concatenated import mp3_parts, parts
from workshop.audio.decoding import Block, Soundless, Undecodable, by_ffmpeg, by_libsndfile
from workshop.audio.mixing import Mixer
from workshop.audio.rates import RATES
from workshop.errors import UserError
from workshop.files import check_end, explain
from workshop.folders import find_files

#: Suffixes that a folder is searched for. A file given by name is read with any suffix.
SUFFIXES = folders.SUFFIXES["audio"]
#: The common ones, for messages.
READABLE = "wav, flac, ogg, mp3, aiff, caf, m4a, aac, 3gp, amr, webm and the sound of mp4, mov and mkv"
#: Samples of a recording that are held in memory: more than 12 minutes at 44,100 Hz, and 134 MB.
LONG = 1 << 25
#: Sound below this share of full scale counts as silence: half a step of 16 bits.
INAUDIBLE = 0.5 / 32768
#: A constant offset from which on what goes beyond full scale without it is scaled down, and not clipped.
OFFSET = 0.01


@dataclass(frozen=True)
class Sound:
    """The decoded sound of a file.

    Attributes:
        samples: float32 [samples] from -1 to 1.
        remarks: changes made to the sound, each a sentence without the file's name.
        scaled: whether the file exceeded full scale, as it was or without its offset, and was normalised.
    """

    samples: np.ndarray
    remarks: tuple[str, ...] = ()
    scaled: bool = False


@dataclass
class _Recording:
    """One of the recordings in a file, mixed, without DC offset.

    Attributes:
        rate: samples a second.
        length: samples.
        peak: of them; it is not finite where one of them is not.
        mono: float32 [length], or None where it is long.
        again: decodes a long one once more, in pieces.
        remarks: the changes made to it.
        scaled: whether it exceeded full scale.
    """

    rate: int
    length: int
    peak: float
    mono: np.ndarray | None
    again: Callable[[], Iterator[np.ndarray]]
    remarks: list[str]
    scaled: bool


def find_audio_files(path: Path) -> list[Path]:
    """The sound files at `path`: the file itself, or all files in the folder and below, sorted by name.

    Raises:
        UserError: there is no such path, or it holds no sound files.
    """
    return find_files(path, SUFFIXES, "audio")


def read(path: Path, rate: int) -> np.ndarray:
    """The samples of `read_sound` alone, float32 [samples]."""
    return read_sound(path, rate).samples


def read_sound(path: Path, rate: int) -> Sound:
    """The sound of a file, mixed to mono and without DC offset.

    Concatenated recordings in one file are joined. If channels cancel each other, the loudest one is used, not the
    mix. A floating point file that exceeds full scale is divided by its peak, and so is any file that exceeds it
    without its offset.

    Args:
        path: the file.
        rate: samples a second of the result.

    Raises:
        UserError: the file cannot be read, is not sound, or is silent.
    """
    with Reading(path, rate) as reading:
        pieces = list(reading)
    samples = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    return Sound(samples, reading.remarks, reading.scaled)


class Reading:
    """What `read_sound` gives, in pieces: `for samples in reading`, as often as one likes until it is closed.

    Args:
        path: the file.
        rate: samples a second of the result.
        tell: is called with how many samples were decoded; each is, once to be measured and again to be used.

    Raises:
        UserError: the file cannot be read, or is not sound; that it is silent is only known at the end.
    """

    def __init__(self, path: Path, rate: int, tell: Callable[[int], None] = lambda _: None):
        self._path, self._rate, self._tell = path, rate, tell
        with _explained(path):
            check_end(path, "give a sound file")
            # Opened here, because libsndfile infers the format of a path from some suffixes.
            self._file = open(path, "rb")  # noqa: SIM115 - `close` does
        try:
            with _explained(path):
                self._recordings = _recordings(self._file, path, tell)
            for recording in self._recordings:
                if not np.isfinite(recording.peak):
                    raise UserError(f"{path} holds samples that are not numbers")
                if recording.rate not in RATES:
                    raise UserError(f"{path} is damaged: its sample rate is not valid ({recording.rate:,})")
            if not self._recordings:
                raise UserError(f"{path} holds no samples")
        except BaseException:
            self.close()
            raise
        #: Changes made to the sound, and whether it exceeded full scale.
        self.remarks = tuple(dict.fromkeys(remark for one in self._recordings for remark in one.remarks))
        self.scaled = any(recording.scaled for recording in self._recordings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Samples float32 [any number] from -1 to 1.

        Raises:
            UserError: the file cannot be read any more, or all of it was silent.
        """
        loudest = 0.0
        with _explained(self._path):
            for recording in self._recordings:
                for piece in _at_rate(recording, self._rate):
                    loudest = max(loudest, float(np.abs(piece).max(initial=0)))
                    yield np.clip(piece, -1, 1)
        # After resampling: a file of two samples may have none now, and a tone may be too high for the rate.
        if loudest < INAUDIBLE:
            raise UserError(f"{self._path} is silent")


def frame_power(samples: np.ndarray, frame: int) -> np.ndarray:
    """The mean square of each `frame` samples, float64 [K]; the last frame may be shorter."""
    starts = np.arange(0, len(samples), frame)
    power = np.add.reduceat(np.square(samples), starts, dtype=np.float64)
    return power / np.minimum(frame, len(samples) - starts)


def _at_rate(recording: _Recording, rate: int) -> Iterator[np.ndarray]:
    """The samples of a recording, resampled, in pieces."""
    if recording.rate == rate:
        yield from recording.again() if recording.mono is None else [recording.mono]
        return
    import soxr

    if recording.mono is not None:
        yield soxr.resample(recording.mono, recording.rate, rate)
        return
    stream = soxr.ResampleStream(recording.rate, rate, 1, dtype="float32")
    for piece in recording.again():
        yield stream.resample_chunk(piece)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say in a sentence what went wrong with a file."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    except Undecodable as error:
        raise UserError(f"{path} is not sound that can be read ({error}); {READABLE} can be") from error
    except Soundless as error:
        raise UserError(f"{path} is a video without sound") from error


def _recordings(file: BinaryIO, path: Path, tell: Callable[[int], None]) -> list[_Recording]:
    """The recordings in a file that are not empty, decoded by the first decoder that can read it."""
    if os.fstat(file.fileno()).st_size == 0:
        raise UserError(f"{path} is empty")
    try:
        found = _all_decoded(parts(file), tell)
    except Undecodable:
        behind = mp3_parts(file)
        if not behind:
            raise
        found = _all_decoded(behind, tell)
    return [recording for recording in found if recording.length]


def _all_decoded(files: list[BinaryIO], tell: Callable[[int], None]) -> list[_Recording]:
    """The recordings of all parts of a file; parts that are damaged are left out, unless all of them are."""
    recordings: list[_Recording] = []
    damaged: list[Undecodable] = []
    for file in files:
        try:
            recordings += _decoded(file, tell)
        except Undecodable as error:
            damaged.append(error)
    if damaged and not recordings:
        raise damaged[0]
    if damaged:
        recordings[0].remarks.append(f"{len(damaged)} of the {len(files)} recordings in it are damaged and left out")
    return recordings


def _decoded(file: BinaryIO, tell: Callable[[int], None]) -> list[_Recording]:
    try:
        return _mixed(by_libsndfile, file, tell)
    except Undecodable as error:
        try:
            return _mixed(by_ffmpeg, file, tell)
        except Undecodable as second:
            # Report the error of the decoder that recognised the format.
            raise second if "not recognised" in str(error) else error from second


def _mixed(
    decode: Callable[[BinaryIO], Iterator[Block]], file: BinaryIO, tell: Callable[[int], None]
) -> list[_Recording]:
    """The recordings that a decoder finds, each mixed to mono or reduced to one channel."""

    def run(number: int) -> Iterator[Block]:
        """The blocks of a recording, decoded again: keeping all channels of a long file would take too much memory."""
        blocks: Iterator[Block] = next(islice(_runs(decode(file)), number, None))
        for block in blocks:
            tell(len(block.samples))
            yield block

    found = []
    for blocks in _runs(decode(file)):
        mixer = Mixer(LONG)
        for block in blocks:
            mixer.add(block.samples)
            tell(len(block.samples))
        found.append((block.rate, block.bounded, mixer))
    recordings = []
    for number, (rate, bounded, mixer) in enumerate(found):
        recordings.append(_prepared(rate, bounded, mixer, lambda number=number: run(number)))  # type: ignore[misc]
    return recordings


def _runs(blocks: Iterator[Block]) -> Iterator[Iterator[Block]]:
    """Group consecutive blocks with the same rate and number of channels."""
    return (run for _, run in groupby(blocks, lambda block: (block.rate, block.samples.shape[1])))


def _prepared(rate: int, bounded: bool, mixer: Mixer, run: Callable[[], Iterator[Block]]) -> _Recording:
    """Remove the DC offset, and normalise what exceeds full scale then: a floating point file, or a file of any kind
    that exceeds it because of the offset.
    """
    remarks = []
    channel = mixer.channel
    if channel is not None:
        remarks.append(f"its channels cancel each other, so channel {channel + 1}, the loudest, is used alone")

    def mixed() -> Iterator[np.ndarray]:
        for block in run():
            yield block.samples.mean(axis=1) if channel is None else block.samples[:, channel].copy()

    def prepared(mono: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            mono -= offset  # in place, to save memory
            if scaled:
                mono /= np.float32(peak)
        return mono

    mono = None
    with np.errstate(over="ignore", invalid="ignore"):
        if mixer.is_whole:
            mono = mixer.mono() if channel is None else np.concatenate(list(mixed()))
            offset = mono.mean() if len(mono) else np.float32(0)
            peak = max(float(mono.max() - offset), float(offset - mono.min())) if len(mono) else 0.0
        else:
            offset, peak = mixer.offset_and_peak(channel)
    scaled = 1 < peak < np.inf and (not bounded or abs(offset) > OFFSET)
    if scaled:
        shown = f"{peak:,.0f}" if peak >= 10 else f"{peak:.2f}"
        without = " without their constant offset" if abs(offset) > OFFSET else ""
        remarks.append(f"its samples go to {shown}{without}, where full scale is 1: they are divided by that")
    mono = None if mono is None else prepared(mono)
    return _Recording(rate, mixer.length, peak, mono, lambda: map(prepared, mixed()), remarks, scaled)
