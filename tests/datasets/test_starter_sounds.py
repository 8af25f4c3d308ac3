"""The sounds that the third lesson starts with: tunes on instruments, and drum loops."""

import os
import re
import subprocess
import sys
import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from workshop.audio import drums, soundfont, synthesis
from workshop.datasets import corpus, starter_sounds
from workshop.datasets.corpus import COLLECTIONS
from workshop.datasets.starter_sounds import (
    DRUMS,
    FADE,
    INSTRUMENTS,
    METERS,
    RATE,
    Excerpt,
    Instrument,
    assign_instruments,
    export,
    is_exported,
    play,
)
from workshop.errors import UserError
from workshop.notes.abc_fields import WHOLE
from workshop.notes.abc_notation import Melody
from workshop.notes.abc_text import Tune

FLUTE = INSTRUMENTS[0]
BAR = WHOLE // 2


def samples(file: Path) -> np.ndarray:
    """What is in a mono wav file of 16 bits at `RATE`, from -1 to 1."""
    with wave.open(str(file)) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getframerate()) == (1, 2, RATE)
        return np.frombuffer(opened.readframes(opened.getnframes()), "<i2") / 32768


def melody(*bars: str, upbeat: int = 0) -> Melody:
    """Bars of 2/4, each pitch a digit above C5 that lasts as long as the others of its bar; ``upbeat`` in eighths."""
    notes = [(BAR - upbeat * WHOLE // 8, upbeat * WHOLE // 8, 84)] if upbeat else []
    for number, bar in enumerate(bars, start=1 if upbeat else 0):
        length = BAR // len(bar)
        notes += [(number * BAR + place * length, length, 72 + int(digit)) for place, digit in enumerate(bar)]
    return Melody(notes, (2, 4), BAR)


def excerpt_of(one: Melody) -> Excerpt | None:
    return starter_sounds._excerpt(1, Tune("Tune", "2/4", "1/8", "C", ""), one)


def first_pitches(excerpt: Excerpt | None) -> list[int]:
    """The pitches above C5 of the bars' beginnings."""
    assert excerpt is not None
    return [pitch - 72 for start, _, pitch in excerpt.melody.notes if start % BAR == 0]


# ---- excerpts


def test_an_excerpt_is_of_whole_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter_sounds, "SECONDS", 11)
    excerpt = excerpt_of(melody(*"012345678912"))
    assert excerpt is not None
    # A bar of 2/4 is 1.3 seconds long.
    assert excerpt.bars == 8
    assert first_pitches(excerpt) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert excerpt.samples == round(8 * 2 * 60 / 92 * RATE)
    assert excerpt_of(melody(*"01234567")) is not None
    assert excerpt_of(melody(*"0123456")) is None


def test_an_excerpt_begins_behind_the_upbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter_sounds, "SECONDS", 5)
    assert first_pitches(excerpt_of(melody(*"0123", upbeat=1))) == [0, 1, 2, 3]


def test_an_excerpt_says_as_much_new_as_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter_sounds, "SECONDS", 11)
    assert first_pitches(excerpt_of(melody(*"0123", *"0123", *"4567", *"4567"))) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_notes_are_cut_at_the_edges_of_an_excerpt() -> None:
    held = Melody([(0, BAR // 2, 60), (BAR // 2, BAR, 62), (3 * BAR // 2, BAR, 64)], (2, 4), BAR)
    assert starter_sounds._cut(held, 1, 1) == [(0, BAR // 2, 62), (BAR // 2, BAR // 2, 64)]


def test_no_tune_is_dealt_twice_and_meters_are_shared(real: dict[Instrument, list[Excerpt]]) -> None:
    assert [one.name for one in real] == ["flute", "violin", "guitar", "piano"]
    numbers = [excerpt.number for excerpts in real.values() for excerpt in excerpts]
    assert len(numbers) == len(set(numbers)) == 32
    for instrument, excerpts in real.items():
        assert Counter(excerpt.melody.meter for excerpt in excerpts) == METERS
        for excerpt in excerpts:
            assert {pitch for _, _, pitch in excerpt.melody.notes} <= set(instrument.pitches)
            assert excerpt.bars % 4 == 0
            assert 15 < excerpt.samples / RATE < 25
            end = max(start + length for start, length, _ in excerpt.melody.notes)
            assert (excerpt.bars - 1) * excerpt.melody.bar < end <= excerpt.bars * excerpt.melody.bar


def test_instruments_are_those_of_general_midi() -> None:
    from workshop.notes.instruments import INSTRUMENTS as NAMES

    for one in INSTRUMENTS:
        assert one.name in NAMES[one.program].lower()


# ---- sound


def test_the_end_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter_sounds, "SECONDS", 3)
    excerpt = excerpt_of(melody(*"0123"))
    assert excerpt is not None
    sound = play(excerpt, FLUTE)
    assert sound.dtype == np.float32
    assert len(sound) == excerpt.samples
    assert sound[-1] == 0
    assert np.abs(np.diff(sound[-round(FADE * RATE) :])).max() < 0.2
    assert np.sqrt((sound**2).mean()) > 0.1


def test_a_guitar_sounds_an_octave_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter_sounds, "SECONDS", 3)
    played: list[np.ndarray] = []

    def render(notes: np.ndarray, *_: int) -> np.ndarray:
        played.append(notes)
        return np.zeros(RATE, np.float32)

    monkeypatch.setattr(synthesis, "render", render)
    excerpt = excerpt_of(melody(*"0123"))
    assert excerpt is not None
    for one in INSTRUMENTS:
        # What is shorter than its bars is filled with silence.
        assert len(play(excerpt, one)) == excerpt.samples
    np.testing.assert_array_equal([notes[0, 2] for notes in played], [72, 72, 60, 72])
    np.testing.assert_allclose(played[0][:, 0], np.arange(4) * 2 * 60 / 92)


# ---- the export


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus of one tune, and one drum loop."""
    scale = Tune("Scale", "2/4", "1/8", "C", "B,DEF|GABc|defg|agfe|", COLLECTIONS[0].folder)
    monkeypatch.setattr(corpus, "find_corpus", lambda: (Path("corpus"), "1.0"))
    monkeypatch.setattr(corpus, "collect", lambda corpus: [scale])
    monkeypatch.setattr(starter_sounds, "SECONDS", 5)
    monkeypatch.setattr(drums, "loops", lambda: [("rock", 124)])


@pytest.mark.usefixtures("small")
def test_export_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "audio" / "starter"
    assert not is_exported(folder)
    assert export(folder)
    # The B below middle C is too low for a flute.
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.name != "SOURCE.txt") == [
        DRUMS,
        "drums/rock_124.wav",
        "violin",
        "violin/0001_scale.wav",
    ]
    assert os.listdir(folder.parent) == ["starter"]
    assert len(samples(folder / "violin/0001_scale.wav")) == round(8 * 60 / 92 * RATE)
    assert len(samples(folder / "drums/rock_124.wav")) == round(8 * 60 / 124 * RATE)
    before = (folder / "SOURCE.txt").stat().st_mtime_ns
    assert is_exported(folder)
    assert not export(folder)
    assert (folder / "SOURCE.txt").stat().st_mtime_ns == before


@pytest.mark.usefixtures("small")
def test_the_same_is_made_again(tmp_path: Path) -> None:
    for name in ("one", "other"):
        export(tmp_path / name)
    for file in ("SOURCE.txt", "drums/rock_124.wav", "violin/0001_scale.wav"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("what", ["version", "music21"])
def test_a_new_version_makes_the_sounds_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    folder = tmp_path / "starter"
    export(folder)
    (folder / ".DS_Store").write_text("a Mac was here")
    if what == "version":
        monkeypatch.setattr(starter_sounds, "EXPORT_VERSION", 99)
    else:
        monkeypatch.setattr(corpus, "find_corpus", lambda: (Path("corpus"), "2.0"))
    monkeypatch.setattr(corpus, "collect", lambda corpus: [])
    assert export(folder)
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.name != "SOURCE.txt") == [
        DRUMS,
        "drums/rock_124.wav",
    ]
    assert os.listdir(tmp_path) == ["starter"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("what", ["changed", "added", "removed", "folder", "brought"])
def test_what_is_theirs_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    folder = tmp_path / "starter"
    export(folder)
    if what == "changed":
        (folder / "drums/rock_124.wav").write_bytes(b"RIFF mine")
    elif what == "added":
        (folder / "drums/mine.wav").write_bytes(b"RIFF mine")
    elif what == "folder":
        (folder / "cello").mkdir()
    elif what == "removed":
        (folder / "drums/rock_124.wav").unlink()
    else:
        (folder / "SOURCE.txt").unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    monkeypatch.setattr(starter_sounds, "EXPORT_VERSION", 99)
    assert is_exported(folder)
    assert not export(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.usefixtures("small")
def test_a_stop_in_the_middle_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> np.ndarray:
        assert list(tmp_path.rglob("0001_scale.wav"))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(drums, "loop", stop)
        with pytest.raises(KeyboardInterrupt):
            export(tmp_path / "audio" / "starter")
    assert os.listdir(tmp_path / "audio") == []
    assert export(tmp_path / "audio" / "starter")


@pytest.mark.usefixtures("small")
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "starter").write_text("a file where the folder should be")
    assert is_exported(tmp_path / "starter")
    with pytest.raises(UserError, match="cannot be written"):
        starter_sounds._write_all(tmp_path / "starter", "stamp", {})


@pytest.mark.usefixtures("small")
def test_without_pretty_midi_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise starter_sounds.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(starter_sounds.importlib.metadata, "version", missing)
    with pytest.raises(UserError, match=r"pretty_midi, which brings the instruments, is not installed; run ./start.sh"):
        export(tmp_path / "starter")


def test_looking_whether_all_is_there_is_quick(tmp_path: Path) -> None:
    program = "import sys, pathlib; from workshop.datasets.starter_sounds import is_exported; "
    program += "is_exported(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-X", "importtime", "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    for heavy in ("music21", "numpy", "mido", "tqdm"):
        assert f" {heavy}\n" not in done.stderr


# ---- the real export


@pytest.fixture(scope="module")
def real() -> dict[Instrument, list[Excerpt]]:
    """What is dealt of the real collections."""
    return assign_instruments(corpus.collect(corpus.find_corpus()[0]))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real starter sounds."""
    folder = tmp_path_factory.mktemp("audio") / "starter"
    assert export(folder)
    return folder


def test_the_real_set(exported: Path) -> None:
    files = sorted(exported.glob("*/*.wav"))
    assert Counter(file.parent.name for file in files) == {one.name: 8 for one in INSTRUMENTS} | {DRUMS: 16}
    assert sum(file.stat().st_size for file in files) < 25e6
    seconds = 0.0
    for file in files:
        sound = samples(file)
        seconds += len(sound) / RATE
        assert 0.5 < np.abs(sound).max() < 1, file
        assert np.sqrt((sound**2).mean()) > 0.08, file
        assert abs(sound.mean()) < 0.02, file
    assert 9 * 60 < seconds < 13 * 60


def test_the_real_set_says_where_it_comes_from(exported: Path) -> None:
    source = (exported / "SOURCE.txt").read_text(encoding="utf-8")
    assert re.match(r"\d+ minutes of sound: excerpts of 32 traditional tunes, and 16 drum loops", source)
    counts = [int(count) for count in re.findall(r"^(\d+) tunes \(music21: corpus/", source, re.MULTILINE)]
    assert sum(counts) == 32
    for words in ("TimGM6mb.sf2", "GPL-2", "pretty_midi", "CC0 1.0", "public domain", "James Aird", "music21"):
        assert words in source
    assert soundfont._path().name in source
