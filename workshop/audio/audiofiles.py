"""Decode sound files of any format to mono samples at one rate.

Files without audible sound are skipped with a reason. Changes made to a sound are reported.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np

from workshop import folders
from workshop.audio.concatenated import mp3_parts, parts
from workshop.audio.decoding import Block, Soundless, Undecodable, by_ffmpeg, by_libsndfile
from workshop.audio.mixing import Mixer
from workshop.audio.rates import RATES
from workshop.errors import UserError
from workshop.files import explain
from workshop.folders import find_files

#: Suffixes that a folder is searched for. A file given by name is read with any suffix.
SUFFIXES = folders.SUFFIXES["audio"]
#: The common ones, for messages.
READABLE = "wav, flac, ogg, mp3, aiff, caf, m4a, aac, 3gp, amr, webm and the sound of mp4, mov and mkv"
#: Sound below this share of full scale counts as silence: half a step of 16 bits.
INAUDIBLE = 0.5 / 32768


@dataclass(frozen=True)
class Sound:
    """The decoded sound of a file.

    Attributes:
        samples: float32 [samples] from -1 to 1.
        remarks: changes made to the sound, each a sentence without the file's name.
        scaled: whether the file exceeded full scale and was normalised.
    """

    samples: np.ndarray
    remarks: tuple[str, ...] = ()
    scaled: bool = False


@dataclass
class _Recording:
    """One of the recordings in a file: its rate, its samples float32 [N], and the changes made to it."""

    rate: int
    mono: np.ndarray
    remarks: list[str]
    scaled: bool = False


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
    mix. A floating point file that exceeds full scale is divided by its peak.

    Args:
        path: the file.
        rate: samples a second of the result.

    Raises:
        UserError: the file cannot be read, is not sound, or is silent.
    """
    recordings = _recordings(path)
    if not any(len(recording.mono) for recording in recordings):
        raise UserError(f"{path} holds no samples")
    pieces = [_at_rate(recording, rate, path) for recording in recordings]
    samples = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    # After resampling: a file of two samples may have none now, and a tone may be too high for the rate.
    if np.abs(samples).max(initial=0) < INAUDIBLE:
        raise UserError(f"{path} is silent")
    remarks = dict.fromkeys(remark for recording in recordings for remark in recording.remarks)
    scaled = any(recording.scaled for recording in recordings)
    return Sound(np.clip(samples, -1, 1), tuple(remarks), scaled)


def frame_power(samples: np.ndarray, frame: int) -> np.ndarray:
    """The mean square of each `frame` samples, float64 [K]; the last frame may be shorter."""
    starts = np.arange(0, len(samples), frame)
    power = np.add.reduceat(np.square(samples), starts, dtype=np.float64)
    return power / np.minimum(frame, len(samples) - starts)


def _at_rate(recording: _Recording, rate: int, path: Path) -> np.ndarray:
    """The samples of a recording, resampled.

    Raises:
        UserError: they are not finite, or the file's sample rate is not valid.
    """
    if not np.isfinite(recording.mono).all():
        raise UserError(f"{path} holds samples that are not numbers")
    if recording.rate not in RATES:
        raise UserError(f"{path} is damaged: its sample rate is not valid ({recording.rate:,})")
    if recording.rate == rate:
        return recording.mono
    import soxr

    resampled: np.ndarray = soxr.resample(recording.mono, recording.rate, rate)
    return resampled


def _recordings(path: Path) -> list[_Recording]:
    """The recordings in a file, decoded by the first decoder that can read it."""
    try:
        # Opened here, because libsndfile infers the format of a path from some suffixes.
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise UserError(f"{path} is empty")
            try:
                return _all_decoded(parts(file))
            except Undecodable:
                behind = mp3_parts(file)
                if not behind:
                    raise
                return _all_decoded(behind)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    except Undecodable as error:
        raise UserError(f"{path} is not sound that can be read ({error}); {READABLE} can be") from error
    except Soundless as error:
        raise UserError(f"{path} is a video without sound") from error


def _all_decoded(files: list[BinaryIO]) -> list[_Recording]:
    """The recordings of all parts of a file; parts that are damaged are left out, unless all of them are."""
    recordings: list[_Recording] = []
    damaged: list[Undecodable] = []
    for file in files:
        try:
            recordings += _decoded(file)
        except Undecodable as error:
            damaged.append(error)
    if damaged and not recordings:
        raise damaged[0]
    if damaged:
        recordings[0].remarks.append(f"{len(damaged)} of the {len(files)} recordings in it are damaged and left out")
    return recordings


def _decoded(file: BinaryIO) -> list[_Recording]:
    try:
        return _mixed(by_libsndfile, file)
    except Undecodable as error:
        try:
            return _mixed(by_ffmpeg, file)
        except Undecodable as second:
            # Report the error of the decoder that recognised the format.
            raise second if "not recognised" in str(error) else error from second


def _mixed(decode: Callable[[BinaryIO], Iterator[Block]], file: BinaryIO) -> list[_Recording]:
    """The recordings that a decoder finds, each mixed to mono or reduced to one channel."""
    found = []
    for blocks in _runs(decode(file)):
        mixer = Mixer()
        for block in blocks:
            mixer.add(block.samples)
        found.append((block.rate, block.bounded, mixer.mono(), mixer.channel))
    if any(channel is not None for *_, channel in found):
        # Decoded a second time: keeping all channels of a long file would take too much memory.
        for number, blocks in enumerate(_runs(decode(file))):
            rate, bounded, _, channel = found[number]
            if channel is not None:
                alone = np.concatenate([block.samples[:, channel] for block in blocks])
                found[number] = rate, bounded, alone, channel
    return [_prepared(*found.pop(0)) for _ in range(len(found))]


def _runs(blocks: Iterator[Block]) -> Iterator[Iterator[Block]]:
    """Group consecutive blocks with the same rate and number of channels."""
    return (run for _, run in groupby(blocks, lambda block: (block.rate, block.samples.shape[1])))


def _prepared(rate: int, bounded: bool, mono: np.ndarray, channel: int | None) -> _Recording:
    """Remove the DC offset, and normalise a floating point file that exceeds full scale."""
    remarks = []
    if channel is not None:
        remarks.append(f"its channels cancel each other, so channel {channel + 1}, the loudest, is used alone")
    with np.errstate(over="ignore", invalid="ignore"):
        mono -= mono.mean()  # in place, to save memory: an hour of sound is half a gigabyte
        peak = max(float(mono.max()), -float(mono.min()))
    scaled = not bounded and 1 < peak < np.inf
    if scaled:
        mono /= np.float32(peak)
        shown = f"{peak:,.0f}" if peak >= 10 else f"{peak:.2f}"
        remarks.append(f"its samples go to {shown}, where full scale is 1: they are divided by that")
    return _Recording(rate, mono, remarks, scaled)
