"""Taking the book out of a Project Gutenberg file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop import ROOT
from workshop.text.gutenberg import strip_gutenberg

MINSTREL = ROOT.parent / "shared" / "data" / "liberty_minstrel" / "22089.txt"

BOOK = "SONGS\n\nThe first verse\n  and its second line\n"

HEADER = "The Project Gutenberg EBook of Songs\n\nTitle: Songs\n\n"
LICENCE = "*** START: FULL LICENSE ***\n\nYou may copy it.\n"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("*** START OF THIS PROJECT GUTENBERG EBOOK SONGS ***", "*** END OF THIS PROJECT GUTENBERG EBOOK SONGS ***"),
        ("*** START OF THE PROJECT GUTENBERG EBOOK SONGS ***", "*** END OF THE PROJECT GUTENBERG EBOOK SONGS ***"),
        ("***START OF THE PROJECT GUTENBERG EBOOK SONGS***", "***END OF THE PROJECT GUTENBERG EBOOK SONGS***"),
        (
            "*** START OF THIS PROJECT GUTENBERG EBOOK SONGS ***",
            "End of the Project Gutenberg EBook of Songs, by A. N.",
        ),
        (
            "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
            "End of Project Gutenberg's Songs, by A. N.",
        ),
        ("*** START OF THIS PROJECT GUTENBERG EBOOK SONGS ***", "End of this Project Gutenberg Etext of Songs"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_header_and_licence_go(start: str, end: str, newline: str) -> None:
    text = f"{HEADER}{start}\n\n\n{BOOK}\n\n{end}\n{LICENCE}".replace("\n", newline)
    assert strip_gutenberg(text) == BOOK


@pytest.mark.parametrize(
    "credit",
    [
        "Produced by Carlo Traverso and the Online\nDistributed Proofreading Team",
        "Transcribed by one\n\nTranscriber's Note:\n\nProduced by another",
        "[Transcriber's Notes: kept as printed.]",
        "E-text prepared by Linda",
        "This eBook was produced by David",
    ],
)
def test_credits_right_after_the_start_go(credit: str) -> None:
    text = f"*** START OF THIS PROJECT GUTENBERG EBOOK SONGS ***\n\n\n{credit}\n\n\n{BOOK}"
    assert strip_gutenberg(text) == BOOK


def test_words_like_a_credit_stay_within_the_book() -> None:
    text = f"*** START OF THIS PROJECT GUTENBERG EBOOK SONGS ***\n\n{BOOK}\nProduced by a sorrow\n"
    assert strip_gutenberg(text).endswith("\nProduced by a sorrow\n")


def test_many_empty_lines_become_two() -> None:
    assert strip_gutenberg("one\n\n\n\n\n\n\ntwo\n\n\nthree") == "one\n\n\ntwo\n\n\nthree\n"


@given(st.text(st.sampled_from("ab *\n\r'"), max_size=80))
def test_a_text_without_marks_keeps_its_words_and_cleaning_twice_changes_nothing(text: str) -> None:
    clean = strip_gutenberg(text)
    assert clean.split() == text.split()
    assert strip_gutenberg(clean) == clean


@pytest.mark.skipif(not MINSTREL.is_file(), reason="the shared data (liberty_minstrel) is not here")
def test_the_liberty_minstrel() -> None:
    book = strip_gutenberg(MINSTREL.read_text(encoding="ascii"))
    assert book.startswith("THE\n\nLIBERTY MINSTREL.\n")
    assert book.rstrip().endswith("50")
    assert "Zaza" in book[-100:]
    assert 150_000 < len(book) < 160_000
    for word in ("Gutenberg", "Produced by", "Traverso", "License", "\r"):
        assert word not in book
