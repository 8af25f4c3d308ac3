"""Decoders of sound: libsndfile for what it knows, FFmpeg's libraries (PyAV) for the rest: AAC, AMR, sound of videos.

Sound comes in blocks, so that a long file with many channels takes little memory, and a header that promises any number
of samples takes none.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from workshop.audio import unfinished
from workshop.audio.concatenated import Part, mp3_samples

if TYPE_CHECKING:
    import av
    import soundfile

#: Samples of each channel that are decoded at once.
BLOCK = 1 << 20
#: Samples of an MP3 file that are no sound: the frame that holds its length, and what encoders put at the ends.
MP3_PADDING = 4 * 1152
#: The file formats that FFmpeg may take a file for. Not among them are playlists and the like, which make it open other
#: files and addresses, and MP3, for which it takes much that is none.
FORMATS = (
    "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "eac3", "flac", "flv", "matroska", "mov", "mpc",
    "mpc8", "mpeg", "mpegts", "ogg", "tta", "w64", "wav", "wv",
)  # fmt: skip


class Block(NamedTuple):
    """A stretch of sound.

    Attributes:
        rate: samples a second.
        samples: float32 [N, C], -1 to 1 as a rule.
        bounded: whether nothing beyond 1 is meant to be there; false for files of floating point numbers.
    """

    rate: int
    samples: np.ndarray
    bounded: bool


class Undecodable(Exception):
    """A decoder cannot read a file; the text says why, in the words of its library."""


class Soundless(Exception):
    """A file is a video without sound."""


def by_libsndfile(file: BinaryIO) -> Iterator[Block]:
    """Decode wav, flac, ogg, mp3 and what else libsndfile knows.

    Raises:
        Undecodable: it does not know the format, or the file is damaged.
    """
    import soundfile

    in_frames = mp3_samples(file)
    file.seek(0)
    try:
        with soundfile.SoundFile(file) as sound:
            # Where a variable bit rate is not announced, libsndfile guesses a length and stops there.
            if in_frames > 1.1 * sound.frames + MP3_PADDING:
                raise Undecodable("its length is not known")
            yield from _read(sound)
            is_empty = not sound.frames
        if is_empty and (whole := unfinished.finished(file)):
            with soundfile.SoundFile(whole) as sound:
                yield from _read(sound)
    except (soundfile.LibsndfileError, TypeError) as error:  # a TypeError for .raw, which has no header
        raise Undecodable(str(error).rpartition(": ")[2].rstrip(".").lower()) from error


def _read(sound: "soundfile.SoundFile") -> Iterator[Block]:
    """All samples of a file that is open, in blocks."""
    bounded = sound.subtype not in ("FLOAT", "DOUBLE")
    size = BLOCK * 2 // max(2, sound.channels)
    while len(samples := sound.read(size, dtype="float32", always_2d=True)):
        yield Block(sound.samplerate, samples, bounded)


def by_ffmpeg(file: BinaryIO) -> Iterator[Block]:
    """Decode m4a, aac, webm, 3gp, amr, the sound of videos and what else FFmpeg knows.

    What encoders put before the sound is left out, as far as the file says how much it is. Packets that are damaged are
    left out too.

    Raises:
        Undecodable: it does not know the format, or cannot decode any of the file.
        Soundless: it is a video without sound.
    """
    import av

    formats = (*FORMATS, "mp3") if mp3_samples(file) else FORMATS
    options = {"format_whitelist": ",".join(formats), "protocol_whitelist": "none"}
    try:
        with av.open(_whole(file), "r", container_options=options, metadata_errors="replace") as container:
            stream = container.streams.best("audio")
            if stream is None:
                raise Soundless if container.streams.video else Undecodable("there is no sound in it")
            if stream.codec_context is None:
                raise Undecodable("its codec is not known")
            yield from _in_blocks(_frames(container, stream))
    except (av.FFmpegError, ValueError, NotImplementedError, MemoryError, OverflowError) as error:
        raise Undecodable("damaged, or of an unknown format") from error


def _whole(file: BinaryIO) -> Part:
    """The file so that no damage makes its methods raise: PyAV would raise that again for the next file."""
    return Part(file, 0, file.seek(0, os.SEEK_END))


def _frames(container: "av.container.InputContainer", stream: Any) -> Iterator[Block]:
    """What each packet holds, without those that cannot be decoded."""
    import av
    from av.codec.codec import Properties

    lossless = bool(stream.codec_context.codec.properties & Properties.LOSSLESS.value)
    good = bad = 0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                bad += 1
                continue
            good += bool(frames)
            for frame in frames:
                floating = frame.format.name.startswith(("flt", "dbl"))
                yield Block(frame.sample_rate, _as_float(frame), bounded=not (floating and lossless))
    except av.FFmpegError:  # the file is cut off
        bad += not good
    if bad > good:
        raise Undecodable(f"{bad:,} of its {bad + good:,} packets are damaged or encrypted")


def _as_float(frame: "av.AudioFrame") -> np.ndarray:
    """The samples of a frame, float32 [N, C]."""
    values = frame.to_ndarray()
    samples: np.ndarray = values.T if frame.format.is_planar else values.reshape(frame.samples, -1)
    if values.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if np.issubdtype(values.dtype, np.integer):
        return samples.astype(np.float32) / np.float32(1 << 8 * values.dtype.itemsize - 1)
    with np.errstate(over="ignore"):
        return samples.astype(np.float32)


def _in_blocks(frames: Iterator[Block]) -> Iterator[Block]:
    """Frames of some thousand samples joined to blocks, as long as rate and channels stay the same."""
    waiting: list[Block] = []
    length = 0
    for frame in frames:
        if waiting and (length >= BLOCK or not alike(waiting[0], frame)):
            yield _joined(waiting)
            waiting, length = [], 0
        waiting.append(frame)
        length += len(frame.samples)
    if waiting:
        yield _joined(waiting)


def alike(one: Block, other: Block) -> bool:
    """Whether two blocks have the same rate and the same number of channels."""
    return (one.rate, one.samples.shape[1]) == (other.rate, other.samples.shape[1])


def _joined(blocks: list[Block]) -> Block:
    return blocks[0]._replace(samples=np.concatenate([block.samples for block in blocks]))
