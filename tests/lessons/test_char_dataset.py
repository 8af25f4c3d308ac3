"""Text files on disk as one row of numbers, the last part held out."""

import os
import random
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import kept_in_json

from char_rnn import dataset
from char_rnn.vocab import UNKNOWN, Vocabulary
from workshop import ROOT
from workshop.errors import UserError
from workshop.run.batches import streams_for

SONG = "Oh my darling, oh my dear,\nthe winter's nearly gone from here.\n\n"


def write(path: Path, content: bytes | str = SONG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def text_of(loaded: dataset.Text) -> str:
    return loaded.vocabulary.decode(loaded.ids)


def songs(count: int) -> list[str]:
    """So many different texts that fold nothing away."""
    return [f"{SONG}verse {n} {n}\n" * 2 for n in range(count)]


# ---- what is read


def test_a_folder_with_input_txt_is_that_file_alone(tmp_path: Path) -> None:
    write(tmp_path / "input.txt", SONG * 3)
    write(tmp_path / "other.txt", "ZZZZ")
    loaded = dataset.load(tmp_path)
    assert text_of(loaded) == SONG * 3
    assert loaded.facts.files == 1
    assert loaded.facts.path == str(tmp_path)


def test_a_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    assert text_of(dataset.load(write(tmp_path / "song.lyrics", SONG * 2))) == SONG * 2


def test_a_folder_of_many_texts_is_all_of_them_with_a_gap_between(tmp_path: Path) -> None:
    texts = songs(5)
    for number, (text, suffix) in enumerate(zip(texts, (".txt", ".abc", ".TXT", ".txt", ".abc"), strict=True)):
        write(tmp_path / f"part {number}" / f"song{suffix}", text)
    write(tmp_path / "cover.png", b"\x89PNG\0\0")
    loaded = dataset.load(tmp_path)
    assert loaded.facts.files == 5
    whole = text_of(loaded)
    assert len(whole) == sum(map(len, texts)) + 4 * len(dataset.SEPARATOR) == sum(loaded.facts.symbols)
    in_order = sorted(texts, key=whole.index)
    assert whole == dataset.SEPARATOR.join(in_order)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("told", [False, True])
def test_the_encoding_makes_no_difference(tmp_path: Path, encoding: str, told: bool) -> None:
    text = "Frühling läßt sein blaues Band, déjà vu: ¡olé!\n" * 20
    path = write(tmp_path / "input.txt", text.encode(encoding))
    loaded = dataset.load(tmp_path, encoding=encoding if told else None)
    assert text_of(loaded) == text
    plain = dataset.load(write(tmp_path / "plain" / "input.txt", text))
    assert loaded.facts.fingerprint == plain.facts.fingerprint
    assert loaded.facts.encoding_given == (encoding if told else None)
    assert len(loaded.facts.encodings) == 1
    assert path.read_bytes().decode(*loaded.facts.encodings).lstrip("\ufeff") == text


def test_files_of_one_folder_may_have_different_encodings(tmp_path: Path) -> None:
    texts = {"utf-8": "naïve Käfer, " * 9, "cp1252": "“Señor”, äußerst schön, " * 9, "utf-16": "Ωμέγα, άλφα, " * 9}
    for encoding, text in texts.items():
        write(tmp_path / f"{encoding}.txt", text.encode(encoding))
    loaded = dataset.load(tmp_path)
    assert sorted(text_of(loaded).split(dataset.SEPARATOR)) == sorted(texts.values())
    assert len(loaded.facts.encodings) == 3


def test_how_files_were_read_is_said_where_it_is_not_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hungarian = "hűvös őszi este, zöld erdő\n" * 9
    for name, encoding in (("a.txt", "cp1250"), ("b.txt", "utf-8-sig"), ("c.txt", "utf-8")):
        write(tmp_path / name, f"{name}\n{hungarian}".encode(encoding))
    dataset.describe(dataset.load(tmp_path), tmp_path)
    said = "  read as cp1250 (1 file), utf-8 (2 files); the encoding was guessed: if letters look wrong,"
    assert said in capsys.readouterr().out
    dataset.describe(dataset.load(tmp_path / "a.txt", encoding="cp1250"), tmp_path)
    assert "  read as cp1250 (1 file)\n" in capsys.readouterr().out
    dataset.describe(dataset.load(tmp_path / "b.txt"), tmp_path)
    assert "utf-8" not in capsys.readouterr().out


def test_a_file_that_is_there_twice_is_read_once(tmp_path: Path) -> None:
    one, two = songs(2)
    write(tmp_path / "a.txt", one)
    write(tmp_path / "copy of a.txt", one)
    write(tmp_path / "a in another encoding.abc", one.encode("utf-16"))
    write(tmp_path / "windows.txt", one.replace("\n", "\r\n"))
    write(tmp_path / "b.txt", two)
    loaded = dataset.load(tmp_path)
    assert (loaded.facts.files, loaded.facts.used, loaded.facts.duplicate_files) == (5, 2, 3)
    assert text_of(loaded) in (one + dataset.SEPARATOR + two, two + dataset.SEPARATOR + one)


def test_broken_files_are_skipped_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = songs(2)
    write(tmp_path / "good.txt", good[0])
    write(tmp_path / "fine.abc", good[1])
    write(tmp_path / "empty.txt", b"")
    write(tmp_path / "picture.txt", bytes(range(256)) * 8)
    write(tmp_path / "cut.txt", ("Ωμέγα " * 20).encode() + b"\xce")
    loaded = dataset.load(tmp_path)
    assert (loaded.facts.files, loaded.facts.used) == (5, 2)
    assert loaded.facts.skipped == len(loaded.skipped) == 3
    reasons = {Path(reason.split(".txt")[0]).name: reason for reason in loaded.skipped}
    assert "is empty" in reasons["empty"]
    assert "binary" in reasons["picture"]
    assert "damaged" in reasons["cut"]
    assert set(text_of(loaded)) == set("".join(good))
    dataset.describe(loaded, tmp_path)
    printed = capsys.readouterr().out
    assert "2 files" in printed
    for reason in loaded.skipped:
        assert f"skipped: {reason}" in printed


def test_rare_characters_are_folded_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = dataset.load(write(tmp_path / "input.txt", "abab" * 20 + "XY" + "abab" * 20))
    assert text_of(loaded) == "abab" * 20 + UNKNOWN * 2 + "abab" * 20
    assert loaded.facts.folded_characters == 2
    assert loaded.facts.distinct_characters == 4
    assert loaded.facts.vocabulary == 3
    dataset.describe(loaded, tmp_path)
    assert "2 rare characters" in capsys.readouterr().out


def test_a_given_vocabulary_is_used_as_it_is(tmp_path: Path) -> None:
    vocabulary = Vocabulary("ba")
    loaded = dataset.load(write(tmp_path / "input.txt", "aabbcc" * 10), vocabulary=vocabulary)
    assert loaded.vocabulary is vocabulary
    assert loaded.ids[:6].tolist() == [2, 2, 1, 1, 0, 0]
    assert loaded.facts.folded_characters == 20


def test_many_symbols_take_a_larger_type(tmp_path: Path) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 1000))) * 2
    loaded = dataset.load(write(tmp_path / "input.txt", text))
    assert loaded.ids.dtype == np.uint16
    assert text_of(loaded) == text


def test_facts_can_be_kept_in_json(tmp_path: Path) -> None:
    facts = dataset.load(write(tmp_path / "input.txt", SONG * 3)).facts
    assert kept_in_json(facts) == facts


# ---- the split


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=20, max_size=300),
    val_split=st.floats(0.001, 0.999),
)
@settings(deadline=None, max_examples=50)
def test_the_last_part_is_held_out_and_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, text: str, val_split: float
) -> None:
    text = "ab" + text + "ab"  # something that occurs twice, and no byte-order mark first
    path = write(tmp_path_factory.mktemp("text") / "input.txt", text)
    try:
        loaded = dataset.load(path, val_split)
    except UserError as error:
        assert "binary" in str(error)  # noqa: PT017 - control characters alone are no text
        return
    assert np.array_equal(np.concatenate([loaded.train, loaded.held_out]), loaded.ids)
    assert len(loaded.ids) == len(text)
    assert loaded.train_size == min(len(text) - 1, int(len(text) * (1 - val_split)))
    assert len(loaded.held_out) >= 1
    expected = "".join(c if c in loaded.vocabulary.symbols else UNKNOWN for c in text)
    assert loaded.vocabulary.decode(loaded.train) == expected[: loaded.train_size]
    assert loaded.vocabulary.decode(loaded.held_out) == expected[loaded.train_size :]


def test_a_tenth_is_held_out_unless_told_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path / "input.txt", "ab" * 500)
    assert len(dataset.load(path).held_out) == 100
    assert len(dataset.load(path, 0.25).held_out) == 250
    assert dataset.load(path, 0.25).facts.symbols == (750, 250)


def test_the_halves_are_views_of_one_array(tmp_path: Path) -> None:
    loaded = dataset.load(write(tmp_path / "input.txt", "ab" * 500))
    assert np.shares_memory(loaded.train, loaded.ids)
    assert np.shares_memory(loaded.held_out, loaded.ids)


# ---- the order of the files, and the fingerprint


def test_names_and_places_of_files_do_not_matter(tmp_path: Path) -> None:
    texts = songs(12)
    results = []
    for seed in range(4):
        numbers = list(range(12))
        random.Random(seed).shuffle(numbers)
        folder = tmp_path / f"order {seed}"
        for number, text in zip(numbers, texts, strict=True):
            write(folder / f"{number % (seed + 1)}" / f"{number:02d}.txt", text)
        results.append(dataset.load(folder))
    for other in results[1:]:
        assert np.array_equal(results[0].ids, other.ids)
        assert results[0].facts.fingerprint == other.facts.fingerprint


def test_the_order_is_not_that_of_the_names(tmp_path: Path) -> None:
    texts = songs(12)
    for number, text in enumerate(texts):
        write(tmp_path / f"{number:02d}.txt", text)
    text = text_of(dataset.load(tmp_path))
    places = [text.index(one) for one in texts]
    assert places != sorted(places)
    assert places != sorted(places, reverse=True)


def test_the_fingerprint_changes_with_the_text_alone(tmp_path: Path) -> None:
    texts = songs(3)
    for number, text in enumerate(texts):
        write(tmp_path / f"{number}.txt", text)

    def fingerprint() -> str:
        return dataset.load(tmp_path).facts.fingerprint

    before = fingerprint()
    (tmp_path / "0.txt").rename(tmp_path / "zzz.abc")
    os.utime(tmp_path / "1.txt", (1, 1))
    assert fingerprint() == before
    write(tmp_path / "2.txt", texts[2].replace("darling", "Darling", 1))
    changed = fingerprint()
    assert changed != before
    write(tmp_path / "2.txt", texts[2])
    assert fingerprint() == before
    (tmp_path / "2.txt").unlink()
    assert fingerprint() not in (before, changed)


# ---- what cannot be used


def random_bytes(size: int) -> bytes:
    return random.Random(0).randbytes(size)


@pytest.mark.parametrize(
    ("content", "encoding", "reason"),
    [
        (b"", None, "is empty"),
        (b"\xef\xbb\xbf", None, "is empty"),
        (random_bytes(5000), None, "binary"),
        (b"text\0text\0" * 50, None, "binary"),
        ("Äpfel und Öl\n".encode("cp1252") * 20, "utf-8", "is not utf-8: byte 0 "),
        (b"la la la\n" * 20 + "ü".encode("latin-1"), "ascii", "is not ascii: byte 180 "),
        (b"abcdefghijklmnopqrstuvwxyz", None, "no character occurs twice"),
    ],
    ids=["empty", "mark-only", "random", "zeros", "not-utf-8", "not-ascii", "all-different"],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, encoding: str | None, reason: str) -> None:
    path = write(tmp_path / "my song.txt", content)
    with pytest.raises(UserError, match=reason) as raised:
        dataset.load(path, encoding=encoding)
    assert str(path) in str(raised.value)


def test_an_encoding_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'"utf-9" is not an encoding .*did you mean "utf-8"'):
        dataset.load(write(tmp_path / "input.txt"), encoding="utf-9")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no .*nowhere"):
        dataset.load(tmp_path / "nowhere")


def test_a_folder_with_nothing_usable_says_how_many_and_why(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", b"")
    write(tmp_path / "b.txt", random_bytes(2000))
    with pytest.raises(UserError, match=r"none of the 2 files .*a\.txt is empty"):
        dataset.load(tmp_path)


def test_a_folder_without_texts_is_named(tmp_path: Path) -> None:
    write(tmp_path / "tune.mid", b"MThd")
    with pytest.raises(UserError, match=rf"{tmp_path} has no text files .*1 \.mid"):
        dataset.load(tmp_path)


@pytest.mark.parametrize(("seq_length", "streams"), [(89, 1), (44, 2), (10, 8), (1, 50)])
def test_a_short_text_is_read_in_fewer_streams(tmp_path: Path, seq_length: int, streams: int) -> None:
    loaded = dataset.load(write(tmp_path / "input.txt", "ab" * 50))
    assert loaded.train_size == 90
    assert streams_for(len(loaded.train), "characters", tmp_path, 50, seq_length) == streams


def test_a_text_shorter_than_a_window_is_refused(tmp_path: Path) -> None:
    loaded = dataset.load(write(tmp_path / "input.txt", "ab" * 50))
    with pytest.raises(UserError, match=r"too short: 90 characters .* takes 91; .*--seq_length") as raised:
        streams_for(len(loaded.train), "characters", tmp_path / "input.txt", 50, 90)
    assert str(tmp_path / "input.txt") in str(raised.value)


def test_every_character_may_be_held_out_without_a_crash(tmp_path: Path) -> None:
    loaded = dataset.load(write(tmp_path / "input.txt", "ab" * 50), 0.9999)
    assert loaded.train_size == 0
    with pytest.raises(UserError, match="too short"):
        streams_for(len(loaded.train), "characters", tmp_path, 50, 1)


# ---- memory

#: Run in a process of its own, because the peak is that of the whole process.
MEASURE = """
import resource, sys
from pathlib import Path
from char_rnn import dataset
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loaded = dataset.load(Path(sys.argv[1]))
print(len(loaded.ids), before * 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage")
def test_a_long_text_takes_less_than_twice_its_size(tmp_path: Path) -> None:
    size = 200 << 20
    path = tmp_path / "input.txt"
    block = "".join(
        song.read_text("utf-8") for song in sorted((ROOT / "data" / "lyrics" / "starter").glob("*.txt"))
    ).encode()
    with open(path, "wb") as file:
        while file.tell() < size:
            file.write(block)
    # Started by a shell, because Linux counts the memory of the process that started it as its own.
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", MEASURE, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    characters, interpreter, peak = map(int, done.stdout.split())
    if sys.platform == "darwin":  # counts bytes, not kilobytes
        interpreter, peak = interpreter // 1024, peak // 1024
    assert characters > 0.99 * size
    assert interpreter < 128 << 20
    assert peak - interpreter < 1.5 * path.stat().st_size
    assert peak < 2 * path.stat().st_size + (64 << 20)


def test_no_warning_is_given_over_a_plain_text(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dataset.load(write(tmp_path / "input.txt", SONG * 3)).skipped == []
