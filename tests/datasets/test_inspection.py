"""What `inspect` finds out about a set of texts, and its verdict."""

import codecs
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.vocab import MIN_COUNT
from workshop.datasets import command_line as datasets
from workshop.datasets.text_inspection import MINIMUM_CHARACTERS, RARE_BELOW, LineCounter, inspect_text, report

SONG = "We walked along the river\nand the river walked along\n\n"


def prose(characters: int) -> str:
    words = ("river", "stone", "evening", "lamp", "hollow", "along", "under", "slowly", "nobody", "rain")
    return " ".join(random.Random(characters).choices(words, k=characters // 5 + 1))[:characters]


def inspect(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> tuple[int, str, str]:
    status = datasets.main(["inspect", str(path), *options])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_good_set_will_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "input.txt").write_text(prose(6_000_000))
    status, out, _ = inspect(capsys, tmp_path)
    assert status == 0
    assert out.endswith("verdict     will train\n")
    assert "6,000,000 characters in 6,000,000 bytes" in out
    assert "training    tiny 16 min, small 20 min, medium 20 min, large 20 min (estimate" in out
    assert "for at most 20 min (--max_minutes changes it))" in out


def test_a_little_text_trains_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text(prose(MINIMUM_CHARACTERS))
    status, out, _ = inspect(capsys, tmp_path)
    assert status == 0
    assert "will train, but with so little text the network soon learns it by heart" in out


def test_too_little_says_how_much_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("é" * 100 + prose(MINIMUM_CHARACTERS - 101))
    status, out, _ = inspect(capsys, tmp_path)
    assert status == 2
    assert "verdict     too short: needs at least 3,000 characters, has 2,999; add more texts" in out
    assert "training" not in out


def test_one_character_over_and_over_will_not_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("a" * 10_000)
    status, out, _ = inspect(capsys, tmp_path)
    assert status == 2
    assert "will not train: the text is one character over and over" in out


def test_broken_files_are_skipped_with_their_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.txt").write_text(prose(5_000))
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\0\0\0")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "song.lrc").write_text("[00:01.00]la la")
    status, out, _ = inspect(capsys, tmp_path)
    assert status == 0
    assert f"1 text in {tmp_path}, 2 skipped" in out
    assert "not read    1 .lrc: no text files by their names\n" in out
    assert f"skipped     {tmp_path / 'picture.txt'} is not text but binary data" in out
    assert f"skipped     {tmp_path / 'empty.txt'} is empty" in out


def test_nothing_but_broken_files_will_not_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "input.txt").write_bytes(b"\0\1\2" * 10_000)
    status, out, _ = inspect(capsys, tmp_path)
    assert status == 2
    assert "will not train: none of the files can be read; see above" in out


def test_no_such_folder_is_an_error_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = inspect(capsys, tmp_path / "nowhere")
    assert (status, out) == (2, "")
    assert err.startswith("error: there is no ")
    assert err.count("\n") == 1


def test_encodings_are_grouped_and_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("é" + prose(3_000), encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(codecs.BOM_UTF8 + prose(3_000).encode())
    (tmp_path / "c.txt").write_text(SONG * 60, encoding="utf-16")
    _, out, _ = inspect(capsys, tmp_path)
    assert "encoding    utf-16 (1 file), utf-8 (2 files)\n" in out
    _, out, _ = inspect(capsys, tmp_path, "--encoding", "utf-8")
    assert "c.txt is not text but binary" in out or "c.txt is not utf-8" in out
    status, _, _ = inspect(capsys, tmp_path, "--encoding", "utf-99")
    assert status == 2


def test_duplicates_lines_and_rare_characters_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SONG * 50 + "☃☃")
    (tmp_path / "b.txt").write_text(SONG * 50 + "☃☃")
    (tmp_path / "c.txt").write_text("x" * 97 + "éß" + "\r\n" + "y" * 2 + "z" * 8)
    found = inspect_text(tmp_path)
    assert [[file.name for file in group] for group in found.duplicates] == [["a.txt", "b.txt"]]
    assert (found.rare, found.rare_distinct) == (2, 2)  # é and ß; two y and four snowmen are not rare
    assert found.longest_line == 99
    assert found.characters == 2 * (len(SONG) * 50 + 2) + 110
    assert "a.txt = b.txt; keep one of each" in report(found)
    assert "; 2 are seen only once, 0.04% of the text, and will be read as one unknown symbol\n" in report(found)


def test_a_rare_character_is_one_that_the_vocabulary_folds() -> None:
    assert RARE_BELOW == MIN_COUNT


# ---- lines


@given(st.lists(st.text("ab\n", max_size=8), max_size=30))
def test_repeats_are_counted_however_the_text_is_cut(pieces: list[str]) -> None:
    counter = LineCounter()
    for piece in pieces:
        counter.feed(piece)
    counter.end_line()
    lines = [line for line in "".join(pieces).split("\n") if line]
    assert counter.longest == max(map(len, lines), default=0)
    assert counter.repeated == pytest.approx(1 - len(set(lines)) / len(lines) if lines else 0)


def test_beyond_its_memory_the_share_of_repeats_is_still_close() -> None:
    counter = LineCounter(most=500)
    draw = random.Random(0)
    lines = [str(draw.randrange(20_000)) for _ in range(40_000)]
    counter.feed("\n".join(lines))
    counter.end_line()
    assert len(counter._counts) <= 500
    assert counter.repeated == pytest.approx(1 - len(set(lines)) / len(lines), abs=0.05)
