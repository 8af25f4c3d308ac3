"""Finding text files, telling how they are encoded, and reading them piece by piece."""

import codecs
import encodings.aliases
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workshop.errors import UserError
from workshop.files import write_text
from workshop.nearest import did_you_mean
from workshop.text import textfiles
from workshop.text.textfiles import detect_encoding, find_text_files, read_chunks


def write(path: Path, content: bytes | str = "la la la\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- which files


def test_a_file_stands_for_itself(tmp_path: Path) -> None:
    song = write(tmp_path / "song.lyrics")
    assert find_text_files(song) == [song]


def test_input_txt_is_taken_alone(tmp_path: Path) -> None:
    whole = write(tmp_path / "input.txt")
    write(tmp_path / "22089.txt")
    assert find_text_files(tmp_path) == [whole]


def test_a_folder_gives_its_texts_sorted_and_without_what_is_none(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.abc", "A.TXT", "README.txt", "Licence.txt", ".hidden.txt", ".git/x.txt", "cover.png"):
        write(tmp_path / name)
    assert [file.relative_to(tmp_path).as_posix() for file in find_text_files(tmp_path)] == [
        "A.TXT",
        "a/z.abc",
        "b.txt",
    ]


def test_a_missing_folder_names_the_nearest_one_and_the_list(tmp_path: Path) -> None:
    (tmp_path / "beatles").mkdir()
    with pytest.raises(UserError, match=r'Beetles \(did you mean "beatles"\?\).*workshop\.datasets list'):
        find_text_files(tmp_path / "Beetles")
    with pytest.raises(UserError, match=r'has no Beetles \(did you mean "beatles"\?\)'):
        find_text_files(tmp_path / "Beetles" / "input.txt")


def test_a_folder_without_texts_says_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found: nothing"):
        find_text_files(tmp_path)
    for name in ("1.mid", "2.mid", "README.txt"):
        write(tmp_path / name)
    with pytest.raises(UserError, match=r"found: 2 \.mid, 1 \.txt"):
        find_text_files(tmp_path)


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="neither a file nor a folder"):
        find_text_files(tmp_path / "pipe")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "input.txt")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root, who runs tests in containers, may read anything
    with pytest.raises(UserError, match=r"input\.txt may not be read"):
        find_text_files(tmp_path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.txt may not be read"):
        detect_encoding(tmp_path / "gone.txt")
    with pytest.raises(UserError, match=r"gone\.txt may not be read"):
        next(read_chunks(tmp_path / "gone.txt", "utf-8"))


# ---- how they are encoded

FRENCH = "Où sont les neiges d'antan? J'ai rêvé d'un été à Nîmes.\n" * 20
RUSSIAN = "Во поле берёза стояла, во поле кудрявая стояла\n" * 20  # noqa: RUF001 - these Cyrillic letters are meant


@pytest.mark.parametrize(
    ("text", "stored_as", "expected"),
    [
        ("plain\n", "ascii", "utf-8"),
        ("Grüße ☃\n", "utf-8", "utf-8"),
        (FRENCH, "utf-8-sig", "utf-8-sig"),
        (FRENCH, "utf-16", "utf-16"),
        (FRENCH, "utf-32", "utf-32"),
        (FRENCH, "utf-16-le", "utf-16-le"),
        (FRENCH, "utf-16-be", "utf-16-be"),
        (FRENCH, "latin-1", "cp1252"),
        ("Café\n", "cp1252", "cp1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy\n" * 20, "cp1250", "cp1250"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8_r", "koi8-r"),
        ("さくら さくら やよいの空は 見わたす限り\n" * 20, "shift_jis", None),
        ("好一朵美麗的茉莉花 芬芳美麗滿枝椏\n" * 20, "big5", "big5"),
    ],
)
def test_encodings_are_detected(tmp_path: Path, text: str, stored_as: str, expected: str | None) -> None:
    file = write(tmp_path / "a.txt", text.encode(stored_as))
    found = detect_encoding(file)
    assert "".join(read_chunks(file, found)) == text
    assert expected is None or found == expected


def test_big_endian_marks_are_known(tmp_path: Path) -> None:
    for mark, codec in ((codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF32_BE, "utf-32")):
        file = write(tmp_path / "a.txt", mark + "é\n".encode(codec + "-be"))
        assert detect_encoding(file) == codec
        assert "".join(read_chunks(file, codec)) == "é\n"


def test_a_letter_far_behind_the_sample_still_counts(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", b"la la la\n" * 40_000 + FRENCH.encode("cp1252"))
    assert file.stat().st_size > textfiles.SAMPLE_BYTES
    assert detect_encoding(file) == "cp1252"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF32_BE, "utf-32")],
)
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes, encoding: str) -> None:
    file = write(tmp_path / "a.txt", content)
    with pytest.raises(UserError, match=r"a\.txt is empty"):
        detect_encoding(file)
    with pytest.raises(UserError, match=r"a\.txt is empty"):
        list(read_chunks(file, encoding))


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 20,
        b"text with a zero \0 in it",
        bytes(range(1, 256)) * 10,
        b"la la la\n" * 200_000 + b"\0\1\2",
        codecs.BOM_UTF16_LE + b"\0\0\1\0" * 50,
    ],
)
def test_binary_files_are_refused(tmp_path: Path, content: bytes) -> None:
    file = write(tmp_path / "a.txt", content)
    with pytest.raises(UserError, match=r"a\.txt is not text but binary"):
        detect_encoding(file)


def test_binary_files_are_refused_under_any_encoding(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", bytes(range(256)) * 10)
    with pytest.raises(UserError, match="binary"):
        detect_encoding(file, "latin-1")


def test_utf8_that_is_damaged_is_not_taken_for_something_else(tmp_path: Path) -> None:
    good = "Grüße für die süßen Mädchen\n".encode() * 50_000
    file = write(tmp_path / "a.txt", good + b"\xff" + good)
    with pytest.raises(UserError, match=rf"a\.txt is UTF-8 but damaged at byte {len(good):,}; .*--encoding"):
        detect_encoding(file)
    cut = write(tmp_path / "b.txt", good + "é".encode()[:1])
    with pytest.raises(UserError, match=rf"b\.txt is UTF-8 but damaged at byte {len(good):,}"):
        detect_encoding(cut)


def test_the_given_encoding_wins_and_is_checked(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", "naïve café\n")
    assert detect_encoding(file, "Latin_1") == "iso8859-1"
    with pytest.raises(UserError, match=r"a\.txt is not ascii: byte 2 does not fit; .*--encoding"):
        detect_encoding(file, "ascii")
    with pytest.raises(UserError, match=r"a\.txt is not utf-32"):
        detect_encoding(file, "utf-32")


def test_an_unknown_encoding_gets_the_nearest_name(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt")
    with pytest.raises(UserError, match=r'"utf-9" is not an encoding .*did you mean "utf-8"'):
        detect_encoding(file, "utf-9")


@pytest.mark.parametrize(
    "name", sorted({*encodings.aliases.aliases.values(), "punycode", "undefined", "idna", "\0", ""})
)
def test_every_codec_of_python_works_or_is_refused_in_words(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / "a.txt", "la la la\n")
    try:
        encoding = detect_encoding(file, name)
        assert "".join(read_chunks(file, encoding, 3))
    except UserError:
        pass


# ---- reading

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff") | st.sampled_from("\r\n"), min_size=1
)


@given(
    text=TEXTS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7", "gb18030"]),
    chunk_bytes=st.integers(1, 12),
)
@example(text="a\r\nb", encoding="utf-8", chunk_bytes=2)
@example(text="a\r", encoding="utf-16", chunk_bytes=1)
@example(text="é☃😀", encoding="utf-8", chunk_bytes=1)
@settings(max_examples=300, deadline=None)
def test_pieces_joined_are_the_whole_text(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str, chunk_bytes: int
) -> None:
    file = write(tmp_path_factory.getbasetemp() / "property.txt", text.encode(encoding))
    told: list[int] = []
    pieces = list(read_chunks(file, encoding, chunk_bytes, told.append))
    assert sum(told) == file.stat().st_size
    assert "".join(pieces) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert all(pieces)


# A zero at the start of UTF-16 makes its byte-order mark that of UTF-32; no text begins so.
@given(
    text=TEXTS.filter(lambda text: text[0] != "\0"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
@settings(max_examples=100, deadline=None)
def test_detection_never_misreads_unicode(tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str) -> None:
    file = write(tmp_path_factory.getbasetemp() / "detected.txt", text.encode(encoding))
    refusal = ""
    try:
        found = detect_encoding(file)
    except UserError as error:
        refusal = str(error)
    if refusal:
        assert "binary" in refusal
    else:
        assert "".join(read_chunks(file, found)) == text.replace("\r\n", "\n").replace("\r", "\n")


@given(content=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = write(tmp_path_factory.getbasetemp() / "noise.txt", content)
    try:
        encoding = detect_encoding(file)
    except UserError:
        return
    assert "".join(read_chunks(file, encoding, 7)) == "".join(read_chunks(file, encoding))


def test_a_byte_order_mark_is_left_out_whoever_names_the_encoding(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", "\ufeffla \ufeffla")
    for encoding in ("utf-8", "utf-8-sig"):
        assert "".join(read_chunks(file, encoding)) == "la \ufeffla"


@pytest.mark.parametrize(
    ("content", "encoding", "offset"),
    [
        (b"12345678\xff", "utf-8", 8),
        (b"\xef\xbb\xbf12345\xff", "utf-8-sig", 8),
        (b"1234567\xe2\x98", "utf-8", 7),
        (b"1234\x81 56", "shift_jis", 4),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 3, 100])
def test_the_byte_that_does_not_fit_is_named(
    tmp_path: Path, content: bytes, encoding: str, offset: int, chunk_bytes: int
) -> None:
    file = write(tmp_path / "a.txt", content)
    with pytest.raises(UserError, match=rf"a\.txt is not {encoding}: byte {offset} does not fit; .*--encoding"):
        list(read_chunks(file, encoding, chunk_bytes))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", "la la lá\n".encode() * 1_600_000)
    tracemalloc.start()
    characters = sum(map(len, read_chunks(file, detect_encoding(file), 1 << 16)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert characters == 9 * 1_600_000
    assert peak < 8 << 20 < file.stat().st_size


# ---- writing


def test_writing_replaces_the_whole_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "new" / "input.txt"
    write_text(target, "one\n")
    write_text(target, "zwölf\n")
    assert target.read_bytes() == "zwölf\n".encode()
    assert os.listdir(target.parent) == ["input.txt"]


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    write(tmp_path / "taken")
    with pytest.raises(UserError, match=r"taken/input\.txt cannot be written"):
        write_text(tmp_path / "taken" / "input.txt", "one")


def test_nearest_names() -> None:
    assert did_you_mean("tinyshakespear", ["tinyshakespeare", "irish_abc"]) == ' (did you mean "tinyshakespeare"?)'
    assert did_you_mean("Lyrics", ["LYRICS"]) == ' (did you mean "LYRICS"?)'
    assert did_you_mean("xyz", ["abc"]) == ""
