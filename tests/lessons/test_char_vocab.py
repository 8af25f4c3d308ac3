"""Characters as numbers and back."""

import collections
import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from char_rnn.vocab import UNKNOWN, NormalForm, Vocabulary, code_points, count_characters
from workshop.errors import UserError

#: Anything that Python can hold in a str: planes beyond the first, combining characters, controls, lone surrogates.
ANY_TEXT = st.text(st.characters(), min_size=1, max_size=200)
# e + combining acute, a flag (two astral characters), a joined family, Devanagari, right-to-left, a NUL, a BOM within
AWKWARD = "e\u0301 \U0001f1e9\U0001f1ea \U0001f469\u200d\U0001f467 \u0928\u093f \u05d0 \0 \ufeff \U0010ffff"


def vocabulary_of(*chunks: str, min_count: int = 1) -> Vocabulary:
    return Vocabulary.from_counts(count_characters(chunks), min_count)


@given(ANY_TEXT)
def test_decoding_gives_back_what_was_encoded(text: str) -> None:
    assume(UNKNOWN not in text)
    vocabulary = vocabulary_of(text)
    ids = vocabulary.encode(text)
    assert len(ids) == len(text)
    assert (ids > 0).all()
    assert vocabulary.decode(ids) == text


@pytest.mark.parametrize("text", [AWKWARD, "\ud800", "\ud83d\ude00 \udcff"], ids=ascii)
def test_awkward_characters_survive(text: str) -> None:
    vocabulary = vocabulary_of(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert len(vocabulary) == len(set(text)) + 1


def test_a_combining_character_stays_a_character_of_its_own() -> None:
    """Nothing is normalised: what a person wrote comes back as it was, not as its composed twin."""
    vocabulary = vocabulary_of("e\u0301\u00e9")
    assert set(vocabulary.symbols) == {UNKNOWN, "e", "\u0301", "\u00e9"}


@given(st.lists(ANY_TEXT, max_size=5))
def test_counts_do_not_depend_on_where_the_pieces_end(chunks: list[str]) -> None:
    expected = collections.Counter("".join(chunks))
    counts = count_characters(chunks)
    assert counts.sum() == sum(expected.values())
    assert {chr(n): int(counts[n]) for n in np.flatnonzero(counts)} == expected


@given(ANY_TEXT)
def test_rare_characters_are_folded_and_only_they(text: str) -> None:
    counts = collections.Counter(text)
    vocabulary = vocabulary_of(text, min_count=2)
    kept = {c for c, n in counts.items() if n >= 2} - {UNKNOWN}
    assert set(vocabulary.symbols[1:]) == kept
    assert vocabulary.decode(vocabulary.encode(text)) == "".join(c if c in kept else UNKNOWN for c in text)


def test_the_default_folds_what_occurs_once() -> None:
    vocabulary = Vocabulary.from_counts(count_characters(["aab"]))
    assert vocabulary.symbols == UNKNOWN + "a"
    assert vocabulary.encode("aab").tolist() == [1, 1, 0]


@given(ANY_TEXT)
def test_the_most_frequent_character_has_the_lowest_number(text: str) -> None:
    counts = collections.Counter(text)
    symbols = vocabulary_of(text).symbols[1:]
    assert list(symbols) == sorted(symbols, key=lambda c: (-counts[c], c))


def test_the_replacement_character_of_a_text_is_read_as_unknown() -> None:
    vocabulary = vocabulary_of(UNKNOWN * 5 + "ab")
    assert vocabulary.symbols == UNKNOWN + "ab"
    assert vocabulary.encode(UNKNOWN + "a").tolist() == [0, 1]


def test_unseen_names_each_character_once_in_order() -> None:
    vocabulary = vocabulary_of("abc ")
    assert vocabulary.unseen("a cab") == ""
    assert vocabulary.unseen("zebra \U0001f3b5z\u00fce") == "zer\U0001f3b5\u00fc"
    assert vocabulary.unseen("") == ""


@given(ANY_TEXT, ANY_TEXT)
def test_unseen_is_what_encodes_to_nothing(known: str, text: str) -> None:
    vocabulary = vocabulary_of(known)
    unseen = vocabulary.unseen(text)
    assert set(unseen) == set(text) - (set(known) - {UNKNOWN})
    assert len(unseen) == len(set(unseen))
    assert all(n == 0 for n in vocabulary.encode(unseen).tolist())


@pytest.mark.parametrize(
    ("characters", "dtype"),
    [(1, np.uint8), (255, np.uint8), (256, np.uint16), (65_535, np.uint16), (65_536, np.uint32)],
)
def test_the_integer_type_is_the_smallest_that_fits(tmp_path: Path, characters: int, dtype: type) -> None:
    # From U+10000, so that the surrogates are not among them.
    text = "".join(map(chr, range(0x10000, 0x10000 + characters)))
    vocabulary = Vocabulary(text)
    ids = vocabulary.encode(text)
    assert vocabulary.dtype == ids.dtype == dtype
    assert ids.tolist() == list(range(1, characters + 1))
    assert vocabulary.decode(ids[-5:]) == text[-5:]
    vocabulary.save(tmp_path / "vocab.json")
    assert Vocabulary.load(tmp_path / "vocab.json").symbols == vocabulary.symbols


def test_encoding_an_empty_text_gives_an_empty_array() -> None:
    vocabulary = vocabulary_of("ab")
    assert vocabulary.encode("").tolist() == []
    assert vocabulary.decode(np.array([], np.uint8)) == ""


def test_code_points_are_numbers_of_unicode() -> None:
    assert code_points("a\U0001f3b5\ud800").tolist() == [0x61, 0x1F3B5, 0xD800]


def test_a_character_may_not_stand_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Vocabulary("aba")
    with pytest.raises(ValueError, match="twice"):
        Vocabulary("a" + UNKNOWN)


# ---- on disk


@given(text=ANY_TEXT)
@example(text=AWKWARD)
@example(text="\ud83d\ude00")
@settings(deadline=None, max_examples=50)
def test_loading_gives_back_what_was_saved(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """With lone surrogates too, since UTF-7 can bring them into a text."""
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.json"
    vocabulary = vocabulary_of(text)
    assume(len(vocabulary) > 1)
    vocabulary.save(path)
    loaded = Vocabulary.load(path)
    assert loaded.symbols == vocabulary.symbols
    assert loaded.dtype == vocabulary.dtype
    assert loaded.encode(text).tolist() == vocabulary.encode(text).tolist()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
@pytest.mark.parametrize("said", [True, False])
def test_a_prime_is_brought_into_the_normal_form_of_the_data(form: Any, typed: Any, said: bool) -> None:
    data = unicodedata.normalize(form, "D\u011bt\u00e1tko b\u011b\u017e\u00ed, \u00fasm\u011bv\n" * 2)
    vocabulary = vocabulary_of(data)
    prime = unicodedata.normalize(typed, "b\u011b\u017e\u00ed")
    assert vocabulary.spelled(prime, form if said else None) == unicodedata.normalize(form, prime)
    assert vocabulary.unseen(vocabulary.spelled(prime, form if said else None)) == ""


def test_of_mixed_data_the_form_that_is_written_more_often_counts() -> None:
    composed, decomposed = "\u00e9t\u00e9\n", "e\u0301te\u0301\n"
    for text, form in ((composed * 3 + decomposed * 2, "NFC"), (composed * 2 + decomposed * 3, "NFD"), ("la", "NFC")):
        found = NormalForm()
        for piece in text.splitlines():
            found.feed(piece)
        assert found.name == form
    both = vocabulary_of(composed * 2 + decomposed * 3)
    assert both.spelled(composed, "NFD") == decomposed
    assert both.spelled(decomposed, "NFC") == composed


def test_the_file_is_json_that_a_person_can_read(tmp_path: Path) -> None:
    path = tmp_path / "vocab.json"
    vocabulary_of("\u00e4\u00e4\U0001f3b5").save(path)
    text = path.read_text("utf-8")
    assert json.loads(text)["characters"] == "\u00e4\U0001f3b5"
    assert "\u00e4\U0001f3b5" in text


@pytest.mark.parametrize(
    "content",
    [b"", b'{"format": 1, "chara', b"[]", b"{}", b'{"characters": ""}', b'{"characters": 5}', b'{"characters": "aa"}',
     b'{"characters": ["a"]}', b'{"characters": null}', b"\xff\xfe\x00", b"\x00" * 40, b"PK\x03\x04"],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vocab.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"vocab\.json is damaged"):
        Vocabulary.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"vocab\.json cannot be read"):
        Vocabulary.load(tmp_path / "vocab.json")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "vocab.json"
    vocabulary_of("old").save(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workshop.files.os.fsync", full)
    with pytest.raises(UserError, match=r"vocab\.json could not be written: no space left"):
        vocabulary_of("new").save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["vocab.json"]
    assert set(Vocabulary.load(path).symbols) == set(UNKNOWN + "old")
