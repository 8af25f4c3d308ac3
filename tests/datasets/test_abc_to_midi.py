"""Tunes in ABC notation, whole and garbled, as MIDI files and sound."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workshop.datasets import abc_to_midi
from workshop.datasets.abc_to_midi import playable, summary, tunes_in
from workshop.notes import midifiles
from workshop.notes.abc_fields import WHOLE
from workshop.notes.abc_notation import read_leniently, read_tune
from workshop.notes.abc_text import Tune

Run = Callable[..., subprocess.CompletedProcess[str]]

SCALE = "X:7\nT:Up and Down\nM:2/4\nL:1/8\nK:D\nDEFG|ABcd:|\n"
#: What a young network writes: the end of a tune, a bar too long, an ending without its second, a tune cut short.
GENERATED = f"""A2|B?c d2:|

{SCALE}
X:8
T:A Bar too Much
M:2/4
L:1/8
K:H
CDEFG|1 A2q2|>B2 (3cd|e2

X:9
T:No Key
abc
"""


def pitches(tune: Tune) -> list[int]:
    return [pitch for _, _, pitch in read_leniently(tune)[0].notes]


def test_a_good_tune_is_read_as_the_strict_reader_reads_it() -> None:
    tune = Tune("", "2/4", "1/8", "D", "DEFG|ABcd:|\n")
    assert read_leniently(tune) == (read_tune(tune), [])


@pytest.mark.parametrize(
    ("tune", "expected", "remarks"),
    [
        (Tune("", "9/7", "1/8", "C", "CD"), [60, 62], ["unknown meter '9/7', read as 4/4"]),
        (Tune("", "2/4", "1/3", "C", "CD"), [60, 62], ["unknown unit of length '1/3', read as 1/16"]),
        (Tune("", "2/4", "1/8", "H", "FG"), [65, 67], ["unknown key 'H', read as C"]),
        (Tune("", "2/4", "1/8", "C", "C?D"), [60, 62], ["unknown sign '?'"]),
        (Tune("", "2/4", "1/8", "C", "C0D"), [62], ["impossible length at 'C0'"]),
        (Tune("", "2/4", "1/8", "C", f"C{'>' * 20}D"), [60, 62], ["impossible length at '>>>>"]),
        (Tune("", "2/4", "1/8", "C", f"C{'9' * 5000}D"), [62], ["impossible length at 'C9999"]),
        (Tune("", "2/4", "1/8", "C", f"C/{'9' * 5000}D"), [62], ["impossible length at 'C/9999"]),
        (Tune("", "2/4", "1/8", "C", "(3CD|E"), [60, 62, 64], ["rhythm across a bar line at '|'"]),
        (Tune("", "2/4", "1/8", "C", "CDEF|1 G4"), [60, 62, 64, 65, 67], ["first ending without a second one"]),
        (Tune("", "2/4", "1/8", "C", "CDEFG|A4|"), [60, 62, 64, 65, 67, 69], ["bar that does not fit the meter"]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_the_rest_plays(tune: Tune, expected: list[int], remarks: list[str]) -> None:
    melody, said = read_leniently(tune)
    assert [pitch for _, _, pitch in melody.notes] == expected
    assert len(said) == len(remarks)
    assert all(one.startswith(remark) and len(one) < 100 for one, remark in zip(said, remarks, strict=True))


def test_where_bars_do_not_fit_note_follows_note() -> None:
    melody, _ = read_leniently(Tune("", "2/4", "1/8", "C", "CDEFG|A4|"))
    eighth = WHOLE // 8
    assert [start for start, _, _ in melody.notes] == [n * eighth for n in range(6)]


@given(st.text("ABcdz2/|:[]1(3><-^_='?\nKLM:", max_size=60))
@example("[1|:|1[2|:")
@example("z>")
def test_no_text_is_too_garbled(body: str) -> None:
    melody, _ = read_leniently(Tune("", "4/4", "1/8", "G", body))
    ends = 0
    for start, length, _ in melody.notes:
        assert start >= ends
        assert length > 0
        ends = start + length


def test_tunes_are_found_in_what_a_network_wrote() -> None:
    found, remarks = tunes_in(GENERATED)
    assert [(number, tune.title) for number, tune in found] == [(1, "Up and Down"), (2, "A Bar too Much")]
    assert remarks == [
        "1 line before the first tune left out",
        "tune 3 left out: it has no key (K:)",
    ]


def test_a_tune_without_a_number_is_one_tune() -> None:
    found, remarks = tunes_in("M:2/4\nK:C\nCDEF|\n")
    assert [(number, tune.key) for number, tune in found] == [(1, "C")]
    assert remarks == []


def test_notes_beyond_midi_are_left_out() -> None:
    melody, remarks = playable(Tune("", "4/4", "1/4", "C", "C c'''''''' D"))
    assert [pitch for _, _, pitch in melody.notes] == [60, 62]
    assert remarks == ["1 notes outside of MIDI's range"]


def test_a_summary_counts() -> None:
    assert summary(["a", "b", "a"]) == "a (2 times); b"
    assert summary(list("abcdef")).endswith("d; and 2 more")


def test_the_command_writes_files_and_says_what_it_passed_over(run_main: Run, tmp_path: Path) -> None:
    (tmp_path / "tunes.txt").write_text(GENERATED)
    done = run_main(abc_to_midi, "tunes.txt", "--wav", "--tempo", "240", "--midi_instrument", "violin")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "tunes/0001_up_and_down.mid",
        "tunes/0001_up_and_down.wav",
        "tunes/0002_a_bar_too_much.mid",
        "tunes/0002_a_bar_too_much.wav",
    ]
    assert "tune 1, Up and Down: 16 notes\n" in done.stderr
    assert "tune 2, A Bar too Much: 10 notes (unknown key 'H', read as C; unknown sign 'q'" in done.stderr
    score = midifiles.read(tmp_path / "tunes" / "0001_up_and_down.mid")
    assert score.notes[:8, 2].astype(int).tolist() == [62, 64, 66, 67, 69, 71, 73, 74]
    assert score.parts[0].program == 40
    assert (tmp_path / "tunes" / "0001_up_and_down.wav").stat().st_size > 20_000


def test_the_folder_can_be_named(run_main: Run, tmp_path: Path) -> None:
    (tmp_path / "tunes").write_text(SCALE)
    assert run_main(abc_to_midi, "tunes", "--out", "heard").stdout == "heard/0001_up_and_down.mid\n"


def test_what_is_no_tune_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "song.txt").write_text("Oh my\nlove\n")
    (tmp_path / "bare").write_text(SCALE)
    assert refused(abc_to_midi, "song.txt").startswith(
        "song.txt has no tune that can be played: a tune in ABC notation"
    )
    assert refused(abc_to_midi, "bare") == "bare is the text itself: name another folder with --out"
    assert "missing.txt" in refused(abc_to_midi, "missing.txt")
