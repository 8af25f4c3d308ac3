"""Tunes as they are played, and their export as MIDI files."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import mido
import numpy as np
import pytest

from workshop.datasets import corpus, midi_tunes, tunes
from workshop.datasets.corpus import COLLECTIONS
from workshop.datasets.midi_tunes import export, file_name, is_exported, note_table, select
from workshop.errors import UserError
from workshop.notes import midifiles
from workshop.notes.abc_fields import WHOLE, AbcError
from workshop.notes.abc_notation import Melody, read_tune
from workshop.notes.abc_text import Tune, parse_tunes

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def tune(body: str, meter: str = "2/4", unit: str = "1/8", key: str = "C", title: str = "Tune") -> Tune:
    return Tune(title, meter, unit, key, body)


def played(melody: Melody) -> str:
    """The notes by bars, each as its name, octave and length in sixteenths."""
    bars: dict[int, list[str]] = {}
    for start, length, pitch in melody.notes:
        sixteenths = f"{length * 16 / WHOLE:.4g}"
        bars.setdefault(start // melody.bar, []).append(f"{NAMES[pitch % 12]}{pitch // 12 - 1}/{sixteenths}")
    return " | ".join(" ".join(notes) for notes in bars.values())


def letters(body: str) -> str:
    """What is played of a tune in quarter notes, as letters."""
    melody = read_tune(tune(body, meter="1/4", unit="1/4"))
    return "".join(NAMES[pitch % 12].lower() for _, _, pitch in melody.notes)


# ---- what is written


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        ("C, C c c'", "C3/2 C4/2 C5/2 C6/2"),
        ("c3 d|e/f/g//a//b3/2g|", "C5/6 D5/2 | E5/1 F5/1 G5/0.5 A5/0.5 B5/3 G5/2"),
        ("c3/ d/ e2|", "C5/3 D5/1 E5/4"),
        ("A>B c<d|e>>f g<<a|", "A4/3 B4/1 C5/1 D5/3 | E5/3.5 F5/0.5 G5/0.5 A5/3.5"),
        ("(3abc d2|((3:2:2d2e) f2|", "A5/1.333 B5/1.333 C5/1.333 D5/4 | D5/2.667 E5/1.333 F5/4"),
        ("(A{cd}>)B .cTd|", "A4/3 B4/1 C5/2 D5/2"),
        ("z2 AB|x A zB|", "A4/2 B4/2 | A4/2 B4/2"),
        ("[CEG]2 [e2c2]|[ce]>d [A/c/][AF]3/2|", "G4/4 E5/4 | E5/3 D5/1 C5/1 A4/3"),
        ("L:1/16\nabcd e4|[L:1/8]ab c2|", "A5/1 B5/1 C5/1 D5/1 E5/4 | A5/2 B5/2 C5/4"),
    ],
)  # fmt: skip
def test_lengths(body: str, notes: str) -> None:
    assert played(read_tune(tune(body))) == notes


@pytest.mark.parametrize(
    ("key", "altered"),
    [("C", ""), ("G", "F#"), ("D", "C# F#"), ("Em", "F#"), ("Ador", "F#"), ("Amix", "C# F#"), ("Dphr", "Eb Bb"),
     ("Glyd", "C# F#"), ("Bb", "Eb Bb"), ("Gm", "Eb Bb"), ("F#m", "C# F# Ab"), ("Eb", "Eb Ab Bb"), ("Daeo", "Bb"),
     ("Bloc", "")],
)  # fmt: skip
def test_keys(key: str, altered: str) -> None:
    melody = read_tune(tune("CDEF|GABc|", key=key))
    found = {NAMES[pitch % 12] for _, _, pitch in melody.notes}
    assert found - set("CDEFGAB") == set(altered.split())
    assert len(found) == 7


def test_accidentals_hold_to_the_end_of_the_bar_in_all_octaves() -> None:
    assert played(read_tune(tune("^cc'=Cc|cdef|", key="D"))).startswith("C#5/2 C#6/2 C4/2 C5/2 | C#5/2 D5/2")
    assert played(read_tune(tune("_BB^^Fe|BF E2|"))) == "Bb4/2 Bb4/2 G4/2 E5/2 | B4/2 F4/2 E4/4"


def test_ties_join_notes_and_carry_accidentals_over_the_bar() -> None:
    melody = read_tune(tune("A2 ^c2-|c2 c2|", key="C"))
    assert played(melody) == "A4/4 C#5/8 | C5/4"
    # Some write slurs as ties.
    assert played(read_tune(tune("A-B c2|"))) == "A4/2 B4/2 C5/4"


def test_the_key_may_change() -> None:
    assert played(read_tune(tune("f2 c2|\nK:G\nf2 c2|[K:D]f2 c2|"))) == "F5/4 C5/4 | F#5/4 C5/4 | F#5/4 C#5/4"


@pytest.mark.parametrize(("meter", "sixteenths"), [("2/4", 1), ("3/8", 1), ("6/8", 2), ("C", 2), ("C|", 2)])
def test_the_unit_follows_from_the_meter(meter: str, sixteenths: int) -> None:
    assert read_tune(tune("ab", meter=meter, unit="")).notes[0][1] == sixteenths * WHOLE // 16


def test_bars_begin_where_the_meter_says() -> None:
    melody = read_tune(tune("A|dcBA|dcB:|A|dcBA|d3|"))
    assert (melody.meter, melody.bar) == ((2, 4), WHOLE // 2)
    assert melody.notes[0][0] == WHOLE * 3 // 8
    assert [start // melody.bar for start, _, pitch in melody.notes if pitch == 74] == [1, 2, 3, 4, 5, 6]
    assert not any(start % melody.bar for start, _, pitch in melody.notes if pitch == 74)
    with pytest.raises(AbcError, match="does not fit"):
        read_tune(tune("A|dcBA|dcBA:|A|dcBA|d3|"))
    assert read_tune(tune("dcBA|", meter="C|")).meter == (2, 2)
    assert read_tune(tune("dcBA|", meter="C")).meter == (4, 4)


# ---- how it is played


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        ("c|d|:e|f:|g|", "cdefefg"),
        ("c|d:|e|f:|", "cdcdefef"),
        ("|:c|d::e|f:|", "cdcdefef"),
        ("c|d||e|f:|g|]", "cdefefg"),
        ("|:c||d:|", "cdcd"),
        ("c|1d:|2e|]f|", "cdcef"),
        ("c|[1d:|[2e:|f|g:|", "cdcefgfg"),
        ("c|d|[1e:|\n[2f||g|a|[1b:|2c|]", "cdecdfgabgac"),
        ("|:c|1d|e:|\n|2f|g::a|b:|", "cdecfgabab"),
        ("c|1d|2e||f|", "cdcef"),
        ("c|d:|[|]e|f:|", "cdcdefef"),
        ("|:c|d||\n|:e|f:|", "cdefef"),
    ],
)  # fmt: skip
def test_repeats_are_played(body: str, notes: str) -> None:
    assert letters(body) == notes


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("c|1d:|e|f|", "first ending without"),
        ("c|1d|e|f|", "first ending without"),
        ("|:c|1d|:e:|", "first ending without"),
        ("c|2d:|e|", "second ending without"),
        ("c|1d:|2e|1f:|2g|", "ending in an ending"),
        ("c|1d:|2e:|4f:|", "first ending without"),
        ("c|1d:|99e:|", "unknown bar line"),
        ("c : d|", "unknown bar line"),
        ("c+d+|", "unknown sign"),
        ("c|[cd2]|", "several lengths"),
        ("c0|", "impossible length"),
        ("c>|d|", "rhythm across"),
        ("(3cd|e|", "rhythm across"),
        ("(3c(3d", "tuplet in a tuplet"),
        (">c|", "without a first note"),
        ("c>", "without a second note"),
        ("c|\nM:3/4\nd|", "change of meter"),
        ("c|\nK:D foo\nd|", "unknown key"),
        ("c|\nL:1/3\nd|", "unknown unit"),
        ("c|d2|e|", "does not fit"),
        ("c|d|ef", "does not fit"),
        ("c|d/|e|", "does not fit"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(body: str, reason: str) -> None:
    with pytest.raises(AbcError, match=reason):
        letters(body)
    with pytest.raises(AbcError, match="unknown meter"):
        read_tune(tune("c|", meter="free"))


# ---- real tunes, checked by hand against their notation


@pytest.fixture(scope="session")
def real() -> list[Tune]:
    """All tunes of the real collections."""
    return corpus.collect(corpus.find_corpus()[0])


def find(real: list[Tune], title: str) -> Melody:
    return read_tune(next(one for one in real if one.title == title))


def test_a_jig_with_an_upbeat(real: list[Tune]) -> None:
    bars = played(find(real, "Harrington's Hall -- Jig")).split(" | ")
    assert len(bars) == 1 + 4 * 8
    assert bars[0] == "A4/2"
    assert bars[1] == "D5/4 D5/2 C#5/2 E5/2 A4/2"
    assert bars[4] == "E5/3 D5/1 E5/1 F#5/1 G5/2 F#5/2 E5/2"
    assert bars[8] == "E5/2 D5/2 C#5/2 D5/4 A4/2", "the upbeat comes again before the repeat"
    assert bars[1:8] == bars[9:16]
    assert bars[16] == "E5/2 D5/2 C#5/2 D5/4 G5/2", "then comes that of the second part"
    assert bars[32] == "E5/2 D5/2 C#5/2 D5/4"


def test_a_jig_with_two_endings(real: list[Tune]) -> None:
    bars = played(find(real, "The Thief of Lough Erne")).split(" | ")
    assert len(bars) == 1 + 4 * 8
    assert bars[0] == "G4/1 A4/1"
    assert bars[17:21] == bars[25:29]
    assert bars[21:25] == ["B4/2 G4/2 G4/2 D5/2 G4/2 G4/2"] * 2 + [
        "B4/2 D5/2 C5/2 B4/4 A4/2",
        "B4/2 G4/2 G4/2 G4/4 A4/2",
    ]
    assert bars[29:33] == [
        "B4/2 G4/2 G4/2 A4/2 F#4/2 F#4/2",
        "G4/2 E4/2 E4/2 D5/4 C5/2",
        "B4/1 D5/3 C5/2 B4/4 A4/2",
        "B4/2 G4/2 G4/2 G4/4",
    ]


def test_a_reel_with_chords_and_one_with_triplets_and_accidentals(real: list[Tune]) -> None:
    bars = played(find(real, "ESSENCE OF OLD VIRGINNY")).split(" | ")
    assert bars[:3] == ["D4/2", "E4/4 D4/2 G4/4 A4/2", "D5/10 E5/2"]
    assert [bars[8], bars[16]] == ["G4/4 G5/4 D4/2", "G4/4 G5/4 D5/2"]
    bars = played(find(real, "BRAZEN MASK -- REEL")).split(" | ")
    assert len(bars) == 1 + 4 * 8
    assert bars[4] == "C#5/2 B4/1 E5/1 Eb5/1 D5/1"
    assert bars[20] == "E5/1 Eb5/1 F#5/1 E5/1 B4/1 C#5/1 D5/1 Eb5/1"
    triplets = "Ab5/0.6667 F#5/0.6667 E5/0.6667 D5/0.6667 C#5/0.6667 B4/0.6667 A4/2"
    assert [bars[24], bars[32]] == [triplets + " C#5/1 D5/1", triplets]


def test_music21_reads_the_same_notes(real: list[Tune]) -> None:
    """Tunes without what music21 does not read well: broken rhythm at slurs, accidentals, fermatas, ties, endings."""
    from music21 import converter, stream

    plain = [one for one in real[:200] if not re.search(r"[<>^_=H{\[-]|::|\|1", one.body)]
    # It finds the beginning of a repeat where a sign stands, or the tune begins.
    signed = [one for one in plain if re.fullmatch(r"[^:]*:\|([^:]*\|:[^:]*:\|)+[^:]*", one.body)]
    chosen, _ = select(signed)
    assert len(chosen) > 5
    for _, one, melody in chosen[:8]:
        score = converter.parse(one.text(1), format="abc")
        assert isinstance(score, stream.Score)
        theirs = list(score.parts[0].expandRepeats().flatten().notes)
        ours = melody.notes
        assert [pitch for _, _, pitch in ours] == [note.pitches[0].midi for note in theirs]
        assert [length * 4 / WHOLE for _, length, _ in ours] == pytest.approx([note.quarterLength for note in theirs])


# ---- which are taken


def test_odd_tunes_are_left_out_with_the_reason() -> None:
    scale = "CDEF|GABc|defg|agfe|"
    found, reasons = select(
        [
            tune(scale),
            tune("CDEF|"),
            tune(scale + "c'd'e'f'|g'a'b'd''|"),
            tune(scale + "C,2 c'2|"),
            tune(scale + "C/16D31/16EF|"),
            tune(scale.replace("C", "^C")),
            tune("GABc|cdef|gfed|cBAG|"),
        ]
    )
    assert [number for number, _, _ in found] == [1, 6, 7]
    assert dict(reasons) == {
        "few notes": 1, "too high or too low": 1, "impossible leap": 1, "impossible length": 1,
    }  # fmt: skip


def test_a_tune_in_another_key_is_the_same_tune() -> None:
    twice = [tune("CDEF|GABc|defg|agfe|defg|a4|"), tune("DEFG|ABcd|efga|bagf|efga|b4|", key="D")]
    found, reasons = select(twice)
    assert [number for number, _, _ in found] == [1]
    assert dict(reasons) == {"begins like another one": 1}


def test_the_first_beat_is_louder() -> None:
    table = note_table(read_tune(tune("A|d2 B2|c2 A|")))
    expected = [[1.5, 2, 69, 80], [2, 3, 74, 92], [3, 4, 71, 80], [4, 5, 72, 92], [5, 5.5, 69, 80]]
    np.testing.assert_array_equal(table, expected)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Harrington's Hall -- Jig", "0007_harringtons_hall_jig.mid"),
        ("Áird é?/..\\", "0007_aird_e.mid"),
        ("", "0007_untitled.mid"),
        ("l" * 99, f"0007_{'l' * 40}.mid"),
    ],
)
def test_names_of_files_are_plain(title: str, name: str) -> None:
    assert file_name(7, title) == name


# ---- the export


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny corpus, taken for music21's: two tunes of each collection, and one that is garbled."""
    for number, collection in enumerate(COLLECTIONS):
        folder = tmp_path / "corpus" / collection.folder
        folder.mkdir(parents=True)
        high = "cdeg"[number]
        pieces = [
            f"X:1\nT:First {number}\nM:6/8\nL:1/8\nK:D\nA|dAF {high}ed|cBA GFE|dAF {high}ed|cBA d2:|\n",
            f"X:2\nT:Second {number}\nM:C\nL:1/8\nK:G\n{high}2GB dcBA|{high}2BG A2F2|GABc dedB|c2A2 G4|\n",
            "X:3\nT:AbcError\nM:C\nL:1/8\nK:G\nGABc|d|GABc defg|\n",
        ]
        (folder / "tunes.abc").write_text("\n".join(pieces), encoding="utf-8")
    monkeypatch.setattr(corpus, "find_corpus", lambda: (tmp_path / "corpus", "1.0"))
    return tmp_path / "corpus"


def names(folder: Path) -> list[str]:
    return sorted(re.sub(r"\d{4}_", "", name) for name in os.listdir(folder))


def test_export_is_made_once(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "midi" / "tunes"
    assert not is_exported(folder)
    assert export(folder)
    assert names(folder) == [
        "SOURCE.txt", "first_0.mid", "first_1.mid", "first_2.mid", "second_0.mid", "second_1.mid", "second_2.mid",
    ]  # fmt: skip
    source = (folder / "SOURCE.txt").read_text(encoding="utf-8")
    assert "6 traditional tunes as MIDI files" in source
    assert "music21 1.0" in source
    assert "public domain" in source
    assert "does not fit the meter (1)" in source
    assert all(f"2 tunes (music21: corpus/{one.folder}): {one.title}." in source for one in COLLECTIONS)
    assert os.listdir(folder.parent) == ["tunes"]
    before = (folder / "SOURCE.txt").stat().st_mtime_ns
    assert is_exported(folder)
    assert not export(folder)
    assert (folder / "SOURCE.txt").stat().st_mtime_ns == before


def test_a_file_plays_its_tune(small: Path, tmp_path: Path) -> None:
    export(tmp_path / "tunes")
    (file,) = (tmp_path / "tunes").glob("*_first_0.mid")
    score = midifiles.read(file)
    np.testing.assert_array_equal(score.notes[:3, :4], [[2.5, 3, 69, 80], [3, 3.5, 74, 92], [3.5, 4, 69, 80]])
    assert len(score.notes) == 2 * 23
    assert [(part.name, part.program, part.is_drums) for part in score.parts] == [("First 0", 73, False)]
    np.testing.assert_allclose(score.tempos, [[0, 60 / 156]], rtol=1e-5)
    meters = [message for message in mido.MidiFile(file).tracks[0] if message.type == "time_signature"]
    assert [(meter.numerator, meter.denominator) for meter in meters] == [(6, 8)]


def test_a_new_music21_makes_the_export_again(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "midi" / "tunes"
    export(folder)
    (folder / ".DS_Store").write_text("a Mac was here")
    (small / COLLECTIONS[0].folder / "tunes.abc").write_text("X:1\nT:None\nK:G\nG|\n")
    monkeypatch.setattr(corpus, "find_corpus", lambda: (small, "2.0"))
    assert export(folder)
    assert names(folder) == ["SOURCE.txt", "first_1.mid", "first_2.mid", "second_1.mid", "second_2.mid"]
    assert "music21 2.0" in (folder / "SOURCE.txt").read_text(encoding="utf-8")
    assert os.listdir(folder.parent) == ["tunes"]


@pytest.mark.parametrize("what", ["changed", "added", "removed", "folder", "brought"])
def test_what_is_theirs_is_left_alone(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    folder = tmp_path / "midi" / "tunes"
    export(folder)
    first = min(folder.glob("*.mid"))
    if what == "changed":
        first.write_bytes(b"MThd mine")
    elif what == "added":
        (folder / "mine.mid").write_bytes(b"MThd mine")
    elif what == "folder":
        (folder / "more").mkdir()
    elif what == "removed":
        first.unlink()
    else:
        (folder / "SOURCE.txt").unlink()
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    monkeypatch.setattr(corpus, "find_corpus", lambda: (small, "2.0"))
    assert is_exported(folder)
    assert not export(folder)
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_the_command_makes_texts_midi_files_and_sounds_once(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tunes.main(["--data_dir", str(tmp_path)]) == 0
    made = {"lyrics/tunes": "tunes", "midi/tunes": "tunes", "audio/starter": "sounds"}
    written = [f"{what}: written to {tmp_path / name}" for name, what in made.items()]
    assert capsys.readouterr().out.splitlines() == written
    assert tunes.main(["--data_dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [line.replace("written to", "up to date in") for line in written]


def test_a_stop_in_the_middle_leaves_nothing_half(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "midi" / "tunes"
    write = midifiles.write
    written: list[Path] = []

    def stop(path: Path, *arguments: object, **more: object) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        write(path, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(midifiles, "write", stop)
    assert tunes.main(["--data_dir", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "stopped; the same command makes what is missing\n"
    assert os.listdir(folder.parent) == []
    monkeypatch.setattr(midifiles, "write", write)
    assert export(folder)


def test_leftovers_of_a_killed_export_are_removed(small: Path, tmp_path: Path) -> None:
    old, young, other = (tmp_path / "midi" / name for name in (".tunes.1.part", ".tunes.2.old", ".tunesmith.1.part"))
    for folder in (old, young, other):
        folder.mkdir(parents=True)
    for folder in (old, other):
        os.utime(folder, (time.time() - 4000,) * 2)
    export(tmp_path / "midi" / "tunes")
    assert sorted(os.listdir(tmp_path / "midi")) == [".tunes.2.old", ".tunesmith.1.part", "tunes"]


def test_a_place_that_cannot_be_written_is_one_sentence(small: Path, tmp_path: Path) -> None:
    (tmp_path / "midi").write_text("a file where the folder should be")
    assert is_exported(tmp_path / "midi")
    with pytest.raises(UserError, match="cannot be written"):
        midi_tunes._write_all(tmp_path / "midi" / "tunes", "stamp", corpus.collect(small))


def test_looking_whether_all_is_there_is_quick(tmp_path: Path) -> None:
    program = "import sys, pathlib; from workshop.datasets.midi_tunes import is_exported; "
    program += "is_exported(pathlib.Path(sys.argv[1]), 'x')"
    command = [sys.executable, "-X", "importtime", "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    for heavy in ("music21", "numpy", "mido", "tqdm"):
        assert f" {heavy}\n" not in done.stderr


# ---- the real export


@pytest.mark.slow
def test_most_real_tunes_are_taken(real: list[Tune]) -> None:
    found, reasons = select(real)
    assert len(found) > 3_000
    assert len(found) + sum(reasons.values()) == len(real)
    assert len({one.collection for _, one, _ in found}) == 3
    for _, _, melody in found:
        ends = [start + length for start, length, _ in melody.notes]
        assert all(end <= after[0] for end, after in zip(ends, melody.notes[1:], strict=False))
        assert 0 <= melody.notes[0][0] < melody.bar or melody.notes[0][0] == melody.bar


@pytest.mark.slow
def test_the_command_of_the_set_up(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "workshop.tunes", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.count("written to") == 3
    assert "music21" not in done.stderr
    files = sorted((tmp_path / "midi" / "tunes").glob("*.mid"))
    assert len(files) > 3_000
    numbers = re.findall(r"^X:(\d+)\nT:(.*)$", (tmp_path / "lyrics/tunes/input.txt").read_text("utf-8"), re.MULTILINE)
    titles = {file_name(int(number), title) for number, title in numbers}
    assert {file.name for file in files} <= titles
    for file in files[:: len(files) // 200]:
        notes = midifiles.read(file).notes
        assert len(notes) >= 16
        assert (notes[1:, 0] >= notes[:-1, 1] - 1e-9).all()
        assert notes[:, 2].min() >= 48
        assert notes[:, 2].max() <= 96


def test_parsing_keeps_what_the_reader_needs() -> None:
    (one,) = parse_tunes("X:1\nT:A\nM:6/8\nL:1/8\nK:E Minor\nE3 G3|\n")
    assert played(read_tune(one)) == "E4/6 G4/6"
