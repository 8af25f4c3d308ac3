"""Parse the chunks of a MIDI file and the events of a track.

Declared counts and lengths are not trusted: every track chunk is read, whatever number the header declares, and a
track ends at its End of Track, whatever its length field says. Unknown chunks are skipped.
"""

import struct
from collections.abc import Iterator

#: Number of data bytes after each status byte, for events without a length field.
DATA_BYTES = {status: 1 if 0xC0 <= status < 0xE0 else 2 for status in range(0x80, 0xF0)} | {
    0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0,
}  # fmt: skip
#: Meta events: 0xFF, and a byte that says what they are.
TRACK_NAME, PORT, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE = 0xFF03, 0xFF21, 0xFF2F, 0xFF51, 0xFF58

HEADER, TRACK = b"MThd", b"MTrk"
#: Bytes of a chunk before its content: a name of four letters, and a length.
CHUNK_HEAD = 8


def tracks(content: bytes) -> tuple[int, int, list[bytes]]:
    """Split a file that begins with its header into tracks.

    Returns:
        format (0, 1 or 2), unit of time as the header has it, and the bytes of the events of each track.

    Raises:
        ValueError: the file is cut short or damaged; the message goes on from its name.
    """
    if len(content) < 14:
        raise ValueError("is cut short")
    size, kind, count, division = struct.unpack(">LHHh", content[4:14])
    if division == 0:
        raise ValueError("is damaged: its beat has no length")
    found: list[bytes] = []
    # The header's length is not always right either.
    at = _next_track(content, next((at for at in (14, CHUNK_HEAD + size) if _is_chunk(content, at)), 14))
    while at < len(content):
        begin = at + CHUNK_HEAD
        extent = _extent(content, begin)
        if extent is None:
            break
        end, at = extent
        found.append(content[begin:end])
        at = _next_track(content, at)
    if at < len(content) or len(found) == 0 < count:
        there = max(count, len(found) + (at < len(content)))
        raise ValueError(f"is cut short or damaged: {len(found)} of its {there} tracks are whole")
    return kind, division, found


def _next_track(content: bytes, at: int) -> int:
    """Where the next track chunk begins, whole or not; `len(content)` if there is none before the end of the file or
    the header of another file.
    """
    while at < len(content):
        name = content[at : at + 4]
        if TRACK.startswith(name):  # also where the file is cut short in that name
            return at
        if name == HEADER:
            break
        if not _is_chunk(content, at):
            # A wrong length, or bytes behind the last chunk: the next track is known by its name.
            found = content.find(TRACK, at)
            return len(content) if found < 0 or content.find(HEADER, at, found) >= 0 else found
        at += CHUNK_HEAD + _size(content, at)
    return len(content)


def _size(content: bytes, at: int) -> int:
    return int.from_bytes(content[at + 4 : at + CHUNK_HEAD], "big")


def _is_chunk(content: bytes, at: int) -> bool:
    """Whether a track begins at a place, whole or not, or something that looks like a whole chunk of another kind."""
    name = content[at : at + 4]
    is_whole = at + CHUNK_HEAD + _size(content, at) <= len(content)
    return name == TRACK or (len(name) == 4 and name.isalnum() and is_whole)


def _extent(content: bytes, begin: int) -> tuple[int, int] | None:
    """Where the events of the track that begin at a place end, and where to look for the next chunk; None if the track
    is not whole.
    """
    if begin > len(content):
        return None
    declared = begin + _size(content, begin - CHUNK_HEAD)
    fits = declared == len(content) or _is_chunk(content, declared)
    if fits and content.find(TRACK, begin, declared) < 0:
        return declared, declared
    # The length is wrong, or reaches over the next track.
    passed = False
    try:
        for _, status, _, place in events(content, begin):
            if status == END_OF_TRACK:
                following = content[place : place + 4]
                return place, declared if fits and following != TRACK else place
            if not fits and content[place : place + 4] == TRACK:
                return place, place
            passed |= place == declared
    except ValueError:
        pass
    # There is no End of Track: the length is all there is to go by.
    return (declared, declared) if fits or passed else None


def events(track: bytes, at: int = 0) -> Iterator[tuple[int, int, bytes, int]]:
    """The events from a place in a track on, up to its End of Track: ticks from there, status, data, and the place
    behind it. The status of a meta event is 0xFF and the byte of its kind.

    Raises:
        ValueError: the track is damaged.
    """
    tick = running = 0
    try:
        while at < len(track):
            ticks, at = _number(track, at)
            tick += ticks
            status = track[at]
            if status < 0x80:
                status = running  # that of the event before, which is not repeated
            else:
                at += 1
            if status == 0xFF:
                status = 0xFF00 | track[at]
                size, at = _number(track, at + 1)
            elif status in (0xF0, 0xF7):
                size, at = _number(track, at)
            else:
                size = DATA_BYTES[status]
                running = status if status < 0xF0 else running
            if at + size > len(track):
                raise IndexError
            yield tick, status, track[at : at + size], at + size
            at += size
            if status == END_OF_TRACK:
                return
    except IndexError:
        raise ValueError("is damaged: a track ends in the middle of an event") from None
    except KeyError:
        raise ValueError(f"is damaged: there is no event with the status {status:02X}") from None


def _number(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, of up to four bytes with seven bits each, and the place behind it."""
    value = 0
    for place in range(at, at + 4):
        byte = data[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    raise ValueError("is damaged: it holds a number of more than four bytes")
