"""Chunks and tracks of MIDI files: what is there is believed, whatever is said of its number and its length."""

import struct
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workshop.notes.midi_events import END_OF_TRACK, events, tracks

END = b"\0\xff\x2f\0"
#: Tracks of different lengths; the last one has a text in which the name of a chunk stands.
TRACKS = [
    bytes.fromhex("00 90 3C 40 60 80 3C 40") + END,
    bytes.fromhex("00 C0 05 00 90 40 40 60 80 40 40") + END,
    b"\0\xff\x01\x08 MTrk of\0\x90\x43\x40\x60\x43\0" + END,
]
#: By how much a length is wrong.
WRONG = [-12, -4, -1, 1, 4, 13, 1000, 0x7FFF_0000]


def chunk(name: bytes, content: bytes, wrong: int = 0) -> bytes:
    return name + struct.pack(">L", max(len(content) + wrong, 0)) + content


def header(count: int) -> bytes:
    return chunk(b"MThd", struct.pack(">HHH", 1, count, 96))


def found(content: bytes) -> list[list[bytes]]:
    """The data of the events of each track that is found."""
    return [[data for _, _, data, _ in events(track)] for track in tracks(content)[2]]


def whole(*numbers: int) -> list[list[bytes]]:
    return [[data for _, _, data, _ in events(TRACKS[number])] for number in numbers]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9, 65_535])
def test_tracks_that_are_there_are_read_however_many_are_counted(count: int) -> None:
    content = header(count) + b"".join(chunk(b"MTrk", track) for track in TRACKS)
    assert found(content) == whole(0, 1, 2)
    vendor = chunk(b"XFIH", b"\0\1") + chunk(b"CASM", b"MThd MTrk") + chunk(b"OTSc", b"")
    assert found(header(count) + vendor + content[14:] + vendor) == whole(0, 1, 2)
    assert found(content + b"\0" * 99) == whole(0, 1, 2)
    assert found(content + b"LIST\x07\0\0\0INFOINAM") == whole(0, 1, 2)


@pytest.mark.parametrize("name", [b"XFIH", b"\0\0\0\0", b"    "])
def test_between_two_tracks_anything_may_stand(name: bytes) -> None:
    content = header(2) + chunk(b"MTrk", TRACKS[0]) + chunk(name, b"any thing") + chunk(b"MTrk", TRACKS[1])
    assert found(content) == whole(0, 1)
    cut = header(2) + chunk(b"MTrk", TRACKS[0]) + chunk(name, b"any thing", 1000) + chunk(b"MTrk", TRACKS[1])
    assert found(cut) == whole(0, 1), "its length is wrong"


@pytest.mark.parametrize(("which", "wrong"), [(w, n) for w, n in product(range(3), WRONG)])
def test_a_track_reaches_to_its_end_of_track_whatever_its_length_says(which: int, wrong: int) -> None:
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        chunks = [chunk(b"MTrk", TRACKS[k], wrong if k == which else 0) for k in order]
        assert found(header(3) + b"".join(chunks)) == whole(*order)
        if wrong > 0:
            assert found(header(3) + b"".join(chunks) + b"\0" * 5) == whole(*order), "with bytes behind"


def test_all_lengths_may_be_wrong() -> None:
    for wrong in WRONG:
        assert found(header(3) + b"".join(chunk(b"MTrk", track, wrong) for track in TRACKS)) == whole(0, 1, 2)


def test_a_length_that_reaches_over_the_next_tracks_swallows_none() -> None:
    second, third = (chunk(b"MTrk", track) for track in TRACKS[1:])
    for over in (len(second), len(second) + len(third)):
        assert found(header(3) + chunk(b"MTrk", TRACKS[0], over) + second + third) == whole(0, 1, 2)


def test_what_stands_behind_the_end_of_track_in_its_chunk_is_passed_over() -> None:
    padded = chunk(b"MTrk", TRACKS[0] + b"\0" * 7 + b"MTr")
    assert found(header(2) + padded + chunk(b"MTrk", TRACKS[1])) == whole(0, 1)


def test_a_track_without_its_end_is_as_long_as_it_says() -> None:
    bare = chunk(b"MTrk", TRACKS[0][: -len(END)])
    assert found(header(2) + bare + chunk(b"MTrk", TRACKS[1])) == [whole(0)[0][:-1], *whole(1)]
    assert found(header(2) + chunk(b"MTrk", TRACKS[1]) + bare) == [*whole(1), whole(0)[0][:-1]]
    assert found(header(1) + bare + b"\0\0") == [whole(0)[0][:-1]]
    longer = chunk(b"MTrk", TRACKS[0][: -len(END)], 1000)
    assert found(header(2) + longer + chunk(b"MTrk", TRACKS[1])) == [whole(0)[0][:-1], *whole(1)], "to the next track"
    with pytest.raises(ValueError, match="is cut short or damaged: 0 of its 2 tracks are whole"):
        tracks(header(2) + longer)


def test_a_second_file_behind_the_first_is_not_read() -> None:
    one = header(1) + chunk(b"MTrk", TRACKS[0])
    assert found(one + one) == found(one + b"\0\0\0" + one) == whole(0)


def test_a_header_of_another_length() -> None:
    content = header(1) + chunk(b"MTrk", TRACKS[0])
    for size in (0, 5, 8, 10, 2000, 0xFFFF_FFFF):
        assert found(content[:4] + struct.pack(">L", size) + content[8:]) == whole(0)


@given(
    st.lists(
        st.tuples(st.sampled_from([b"MTrk", b"MThd", b"XFIH", b"\0\0"]), st.binary(max_size=30), st.integers(-40, 40))
    )
)
@example([(b"MTrk", b"", 0)] * 3)
@settings(max_examples=200, deadline=None)
def test_any_chunks_are_split_or_refused(chunks: list[tuple[bytes, bytes, int]]) -> None:
    content = header(2) + b"".join(chunk(*parts) for parts in chunks)
    try:
        kind, division, split = tracks(content)
    except ValueError as error:
        assert str(error).startswith("is cut short or damaged: ")  # noqa: PT017 - most are split
        return
    assert (kind, division) == (1, 96)
    assert sum(map(len, split)) <= len(content)


def test_events_end_with_the_end_of_track() -> None:
    *_, (tick, status, data, place) = events(TRACKS[0] + b"\0\x90\x3c\x40")
    assert (tick, status, data, place) == (96, END_OF_TRACK, b"", len(TRACKS[0]))
