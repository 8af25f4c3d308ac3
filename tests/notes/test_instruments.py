"""Instruments by number and by name."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.notes.instruments import INSTRUMENTS, instrument


def test_there_are_128_and_each_has_its_own_name() -> None:
    assert len(INSTRUMENTS) == len(set(INSTRUMENTS)) == 128


def test_the_table_is_the_one_of_pretty_midi() -> None:
    pretty_midi = pytest.importorskip("pretty_midi")
    # pretty_midi writes a few names as one word.
    theirs = [pretty_midi.program_to_instrument_name(number) for number in range(128)]
    assert [plain(name) for name in INSTRUMENTS] == [plain(name) for name in theirs]


def plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


@given(number=st.integers(0, 127))
def test_a_number_is_itself(number: int) -> None:
    assert instrument(str(number)) == instrument(f" {number} ") == number


@given(number=st.integers(0, 127), between=st.sampled_from(["", " ", "-", "_", "  "]), upper=st.booleans())
def test_a_name_is_found_however_it_is_written(number: int, between: str, upper: bool) -> None:
    name = INSTRUMENTS[number].replace(" ", between)
    assert instrument(name.upper() if upper else name.lower()) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("flute", 73), ("violin", 40), ("acoustic grand", 0), ("piccolo", 72), ("pan flute", 75), ("nylon", 24),
        ("honkytonk", 3), ("fiddle", 110), ("bird", 123), ("sci-fi", 103), ("alto", 65), ("guitar nylon", 24),
        ("harpsi", 6), ("rock", 18), ("bowed", 92), ("trumpet", 56), ("harp", 46), ("electric piano 2", 5),
    ],
)  # fmt: skip
def test_a_part_is_enough_where_it_fits_one(text: str, number: int) -> None:
    assert instrument(text) == number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("synth brass", "not one instrument but several: Synth Brass 1, Synth Brass 2$"),
        ("guitar", "not one instrument but several: "),
        ("sax", "Soprano Sax, Alto Sax, Tenor Sax, Baritone Sax$"),
        ("violni", "'violni' is not an instrument: take a number from 0 to 127 or .* such as Violin, "),
        ("clarinette", "Clarinet"),
        ("128", "0 to 127"),
        ("-1", "0 to 127"),
        ("1.5", "not an instrument"),
        ("", "not an instrument"),
        ("---", "not an instrument"),
        ("9" * 5000, "not an instrument"),
        ("٣", "not an instrument"),
    ],
)
def test_what_is_no_instrument_is_answered_with_names(text: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        instrument(text)


@given(text=st.text(max_size=20))
def test_any_text_is_an_instrument_or_refused(text: str) -> None:
    try:
        number = instrument(text)
    except argparse.ArgumentTypeError as error:
        message = str(error)
    else:
        assert 0 <= number < 128
        return
    assert len(message) < 400
