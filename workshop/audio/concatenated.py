"""Split files of several concatenated recordings: chained Ogg files, joined MP3 files, and MP3 after other bytes.

Decoders stop after the first recording or reject such a file; each part alone they can read.
"""

import io
import os
import re
from typing import BinaryIO, cast

#: Header of an Ogg page (RFC 3533): 27 bytes, of which these are the flags and the number of segments.
OGG_HEADER, OGG_FLAGS, OGG_SEGMENTS = 27, 5, 26
#: The flag of a logical stream's first page.
OGG_BEGINS = 0x02

#: Bit rates of MPEG layer III, in kbit/s by index: version 1, then versions 2 and 2.5.
MP3_BITS = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
#: Sample rates by version bits and index; the second version is reserved.
MP3_RATES = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))
#: Samples per frame and channel, by version.
MP3_SAMPLES = (576, 0, 576, 1152)
#: Consecutive frames by which MP3 data is recognised.
MP3_FRAMES = 4
#: Tags in the first frame that hold the length of the file.
MP3_INFO = re.compile(rb"Xing|Info|VBRI")
MP3_INFO_OFFSETS = (13, 21, 36)
#: Bytes that are searched for the first frame.
SEARCHED = 1 << 26
MP3_SYNC = re.compile(rb"\xff[\xe2-\xff]")


class Part(io.RawIOBase):
    """Bytes `start` to `end` of a file, as a file object."""

    def __init__(self, file: BinaryIO, start: int, end: int):
        self._file, self._start, self._length = file, start, end - start
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position, from the part's first byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, to the end where there is no such place; nothing is raised, whatever a damaged file asks for."""
        place = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence] + offset
        self._at = place if 0 <= place <= self._length else self._length
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill as much of a buffer as there is left; return how many bytes that are."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        self._file.seek(self._start + self._at)
        content = self._file.read(max(0, min(len(view), self._length - self._at)))
        view[: len(content)] = content
        self._at += len(content)
        return len(content)


def parts(file: BinaryIO) -> list[BinaryIO]:
    """The recordings that a file holds, each a file to read from; most files are one, and it is the file itself."""
    file = _untagged(file)
    file.seek(0)
    head = file.read(4)
    starts = [0]
    if head == b"OggS":
        content = head + file.read()
        starts += _ogg_links(content)
    elif head[:3] == b"ID3" or _mp3_frame(head, 0):
        content = head + file.read()
        # The first recording begins with its tag.
        starts += _joined_mp3(content, (_first_frame(content, _behind_id3(content)) or 0) + 1)
    return [file] if len(starts) == 1 else _cut(file, starts, len(content))


def mp3_parts(file: BinaryIO) -> list[BinaryIO]:
    """The MP3 recordings of a file that begins with something else, such as zeros, a foreign tag or half a frame; none
    where there are no MP3 frames in it.
    """
    file.seek(0)
    content = file.read(SEARCHED)
    first = _first_frame(content, 0)
    if first is None:
        return []
    return _cut(file, [first, *_joined_mp3(content, first + 1)], os.fstat(file.fileno()).st_size)


def mp3_samples(file: BinaryIO) -> int:
    """How many samples the frames at the beginning of an MP3 file hold, whatever its header says; 0 for other files."""
    file.seek(0)
    head = file.read(4)
    if head[:3] != b"ID3" and not _mp3_frame(head, 0):
        return 0
    content = head + file.read()
    at = _behind_id3(content)
    samples = 0
    if _mp3_frames(content, at, MP3_FRAMES):
        while frame := _mp3_frame(content, at):
            samples += MP3_SAMPLES[frame[0][0]]
            at += frame[1]
    return samples


def _untagged(file: BinaryIO) -> BinaryIO:
    """The file without ID3v2 tags at its beginning, unless it is MP3: decoders expect them there alone, and lose the
    end of a wav file by them.
    """
    file.seek(0)
    head = file.read(3)
    if head != b"ID3":
        return file
    content = head + file.read()
    behind = _behind_id3(content)
    if behind >= len(content) or _mp3_frames(content, behind, MP3_FRAMES):
        return file
    return cast(BinaryIO, Part(file, behind, len(content)))


def _behind_id3(content: bytes) -> int:
    """Where ID3v2 tags at the beginning end; the length of each is in four bytes of seven bits."""
    at = 0
    while content[at : at + 3] == b"ID3" and len(content) >= at + 10:
        at += 10 + sum(byte << shift for byte, shift in zip(content[at + 6 : at + 10], (21, 14, 7, 0), strict=True))
    return at


def _cut(file: BinaryIO, starts: list[int], length: int) -> list[BinaryIO]:
    return [cast(BinaryIO, Part(file, start, end)) for start, end in zip(starts, [*starts[1:], length], strict=True)]


def _ogg_links(content: bytes) -> list[int]:
    """Where further links of an Ogg file begin: each time pages begin logical streams after pages that did not."""
    starts = []
    at, beginning = 0, True
    while at >= 0 and at + OGG_HEADER <= len(content):
        begins = bool(content[at + OGG_FLAGS] & OGG_BEGINS)
        if begins and not beginning:
            starts.append(at)
        beginning = begins
        segments = content[at + OGG_HEADER : at + OGG_HEADER + content[at + OGG_SEGMENTS]]
        after = at + OGG_HEADER + len(segments) + sum(segments)
        # The next page is behind this one, or, where there is damage, somewhere later.
        at = after if content[after : after + 4] == b"OggS" else content.find(b"OggS", at + 4)
    return starts


def _joined_mp3(content: bytes, first: int) -> list[int]:
    """Where MP3 files begin from byte `first` on, by the frame that names a file's length."""
    starts = []
    for found in MP3_INFO.finditer(content, first):
        for offset in MP3_INFO_OFFSETS:
            at = found.start() - offset
            if at >= first and _mp3_frames(content, at, 2):
                starts.append(at)
                break
    return starts


def _first_frame(content: bytes, begin: int) -> int | None:
    """Where the first MP3 frame from byte `begin` on is, which others follow."""
    syncs = (found.start() for found in MP3_SYNC.finditer(content, begin))
    return next((at for at in syncs if _mp3_frames(content, at, MP3_FRAMES)), None)


def _mp3_frames(content: bytes, at: int, count: int) -> bool:
    """Whether so many frames of the same version and rate follow each other from byte `at` on."""
    kind = None
    for _ in range(count):
        frame = _mp3_frame(content, at)
        if frame is None or (kind is not None and frame[0] != kind):
            return False
        kind = frame[0]
        at += frame[1]
    return True


def _mp3_frame(content: bytes, at: int) -> tuple[tuple[int, int], int] | None:
    """Version and rate of the frame of layer III at byte `at`, and its length in bytes; None where there is none."""
    header = content[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bits, rate, padding = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if bits in (0, 15) or rate == 3 or version == 1:
        return None
    old = version != 3
    hertz = MP3_RATES[version][rate]
    return (version, rate), (72 if old else 144) * MP3_BITS[old][bits] * 1000 // hertz + padding
