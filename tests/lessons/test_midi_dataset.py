"""MIDI files on disk as pieces of symbols, some of them held out whole."""

import os
import random
import shutil
import struct
from pathlib import Path

import mido
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from melodies import melody
from records import kept_in_json

from midi_rnn import dataset
from midi_rnn.encoding import ENCODINGS, END, LONGEST_WAIT, NOTE_OFF, NOTE_ON, PITCHES, WAIT, Encoding
from midi_rnn.facts import describe
from midi_rnn.limits import Limits
from midi_rnn.summary import summarise, table
from workshop.errors import UserError
from workshop.notes.midifiles import read, write
from workshop.run.batches import join, streams_for
from workshop.run.experiment import SHOWN_REASONS, Experiment

pytestmark = pytest.mark.usefixtures("read_here")

MELODY, PERFORMANCE = ENCODINGS["melody"], ENCODINGS["performance"]


def tune(path: Path, number: int = 0, bars: int = 4, **more: object) -> Path:
    write(path, melody(number, bars), name="Tune", **more)  # type: ignore[arg-type]
    return path


def tunes(folder: Path, count: int) -> Path:
    for number in range(count):
        tune(folder / f"{number:02d}.mid", number)
    return folder


def song(path: Path, **tracks: np.ndarray) -> Path:
    """A file with a named track for each table of notes; those of a track called drums are drums."""
    file = mido.MidiFile(type=1, ticks_per_beat=480)
    for channel, (name, notes) in enumerate(tracks.items()):
        events = [(start, 1, pitch) for start, _, pitch, _ in notes.tolist()]
        events += [(end, 0, pitch) for _, end, pitch, _ in notes.tolist()]
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        before = 0
        for beat, is_on, pitch in sorted(events):
            tick = round(beat * 480)
            kind, where = "note_on" if is_on else "note_off", 9 if name == "drums" else channel
            track.append(mido.Message(kind, channel=where, note=int(pitch), velocity=80, time=tick - before))
            before = tick
        file.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save(path)
    return path


def symbols_of(number: int, encoding: Encoding = MELODY, bars: int = 4) -> list[int]:
    return encoding.encode(melody(number, bars)).tolist()


def as_lists(pieces: list[np.ndarray]) -> list[list[int]]:
    return [piece.tolist() for piece in pieces]


# ---- what is read


def test_a_folder_is_all_midi_files_in_it_and_below(tmp_path: Path) -> None:
    for number, name in enumerate(("a.mid", "b.MID", "more/c.midi", "more/deep/d.kar", "e.smf")):
        tune(tmp_path / name, number)
    tune(tmp_path / ".hidden.mid", 9)
    (tmp_path / "readme.txt").write_text("tunes")
    music = dataset.load(tmp_path)
    assert sorted(as_lists(music.train + music.held_out)) == sorted(symbols_of(number) for number in range(5))
    assert all(piece.dtype == np.int16 for piece in music.train + music.held_out)
    assert music.encoding is MELODY
    assert music.skipped == []


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_facts_are_those_of_the_music(tmp_path: Path, name: str) -> None:
    tunes(tmp_path, 10)
    music = dataset.load(tmp_path, 0.2, name)
    facts = music.facts
    pieces = [melody(number, 4) for number in range(10)]
    assert (facts.files, facts.read, facts.used, facts.skipped) == (10, 10, 10, 0)
    assert facts.notes == sum(map(len, pieces))
    assert facts.notes_lost == facts.other_notes == facts.polyphonic_files == facts.duplicate_files == 0
    assert facts.minutes == pytest.approx(10 * 16 / 120, abs=0.01)
    assert facts.pieces == (8, 2) == (len(music.train), len(music.held_out))
    assert facts.symbols == (sum(map(len, music.train)), sum(map(len, music.held_out)))
    assert facts.split == "files"
    assert facts.encoding == name
    assert facts.track is None
    assert facts.tempo == 120.0
    assert facts.path == str(tmp_path.resolve())
    assert set(facts.allowed_symbols) == {END}.union(*as_lists(music.train))
    assert facts.warm_up == [*music.train[-1][-dataset.WARM_UP :].tolist(), END]
    assert facts.summary.notes == facts.notes
    assert facts.summary.voices == pytest.approx(1)


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_limits_are_those_of_what_is_trained_on(tmp_path: Path, name: str) -> None:
    """A chord of three for two beats, and one more note for the last of them: two beats are 100 units."""
    notes = np.array([(0, 2, 60, 80), (0, 2, 64, 80), (0, 1, 67, 80), (1, 2, 72, 80), (3, 3.5, 60, 80)], float)
    song(tmp_path / "train" / "a.mid", Piano=notes)
    song(tmp_path / "valid" / "b.mid", Piano=notes * [4, 4, 1, 1])
    found = dataset.load(tmp_path, encoding=name).facts.limits
    assert found == (None if name == "melody" else Limits(100, 3))
    slower = dataset.load(tmp_path, encoding=name, stretch=0.25).facts.limits
    assert slower == (None if name == "melody" else Limits(126, 3))


def test_two_voices_on_a_key_are_told_apart_from_notes_that_are_too_close(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    low = [(0, 1, 60, 80), (2, 2.006, 62, 80), (2.006, 3, 62, 80), (4, 5, 64, 80)]
    song(tmp_path / "a.mid", Alto=np.array(low, float), Bass=np.array([(0, 2, 60, 80), (3, 4, 64, 80)], float))
    music = dataset.load(tmp_path, encoding="performance")
    assert (music.facts.notes, music.facts.notes_lost, music.facts.unisons) == (4, 1, 1)
    describe(music, tmp_path)
    printed = capsys.readouterr().out
    assert "1 note left out, too close to another one for this encoding" in printed
    assert "1 note left out, where another voice presses the same key" in printed


@pytest.mark.parametrize("name", ENCODINGS)
def test_facts_can_be_kept_in_json(tmp_path: Path, name: str) -> None:
    facts = dataset.load(tunes(tmp_path, 3), encoding=name).facts
    assert kept_in_json(facts) == facts
    assert table({"data": facts.summary, "nothing": summarise([])})


def test_the_tempo_is_the_one_in_the_middle_and_within_what_can_be_asked_for(tmp_path: Path) -> None:
    for number, tempo in enumerate((60, 90, 200)):
        tune(tmp_path / f"{number}.mid", number, tempo=tempo)
    assert dataset.load(tmp_path).facts.tempo == 90.0
    assert dataset.load(tune(tmp_path / "slow" / "a.mid", tempo=5)).facts.tempo == 10.0
    assert dataset.load(tune(tmp_path / "fast" / "a.mid", tempo=3000)).facts.tempo == 1000.0
    # In seconds the tempo has been played out already.
    assert dataset.load(tmp_path, encoding="performance").facts.tempo == 120.0


def test_the_same_bytes_and_the_same_notes_count_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tunes(tmp_path, 3)
    shutil.copy(tmp_path / "00.mid", tmp_path / "copy.mid")
    tune(tmp_path / "other name, tempo and instrument.mid", 1, tempo=77, program=40)
    music = dataset.load(tmp_path)
    assert music.facts.files == music.facts.read == 5
    assert music.facts.used == 3
    assert music.facts.duplicate_files == 2
    assert sorted(as_lists(music.train + music.held_out)) == sorted(symbols_of(number) for number in range(3))
    describe(music, tmp_path)
    printed = capsys.readouterr().out
    assert "5 files found, 5 read, 3 used" in printed
    assert "2 duplicate files left out" in printed


def test_notes_beside_the_melody_are_counted_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    low = melody(7, 4) - [0, 0, 24, 0]
    song(tmp_path / "a.mid", Melody=melody(0, 4), Bass=low, drums=melody(3, 4))
    tune(tmp_path / "b.mid", 1)
    music = dataset.load(tmp_path)
    assert music.facts.polyphonic_files == 1
    assert music.facts.other_notes == len(low)
    assert music.facts.notes == len(melody(0, 4)) + len(melody(1, 4))
    describe(music, tmp_path)
    assert f"one voice is taken, {len(low):,} notes left out" in capsys.readouterr().out
    both = dataset.load(tmp_path, encoding="performance").facts
    assert both.other_notes == 0
    assert both.notes == len(melody(0, 4)) + len(low) + len(melody(1, 4))


def test_a_track_can_be_asked_for_and_files_without_it_are_skipped(tmp_path: Path) -> None:
    low = melody(7, 4) - [0, 0, 24, 0]
    song(tmp_path / "a.mid", Melody=melody(0, 4), Bass=low)
    song(tmp_path / "b.mid", Melody=melody(1, 4), Organ=low)
    song(tmp_path / "c.mid", Melody=melody(1, 4), Bass=np.empty((0, 4)))
    for name, encoding in ENCODINGS.items():
        music = dataset.load(tmp_path, encoding=name, track="bass")
        assert music.facts.track == "bass"
        assert music.facts.used == 1
        notes = encoding.decode(np.concatenate(music.train + music.held_out))
        assert notes[:, 2].tolist() == low[:, 2].tolist()
        assert len(music.skipped) == 2
        assert all(reason.startswith(str(tmp_path)) and "has no track bass" in reason for reason in music.skipped)
    with pytest.raises(UserError, match=r"none of the 3 MIDI files in .*a\.mid has no track Harp.*'Melody'"):
        dataset.load(tmp_path, track="Harp")


def test_broken_files_are_skipped_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tunes(tmp_path, 3)
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "picture.mid").write_bytes(b"\x89PNG\r\n\x1a\n" * 20)
    (tmp_path / "cut.mid").write_bytes((tmp_path / "00.mid").read_bytes()[:60])
    song(tmp_path / "beat.mid", drums=melody(5))
    song(tmp_path / "silence.mid", Piano=np.empty((0, 4)))
    music = dataset.load(tmp_path)
    assert music.facts.files == 8
    assert music.facts.used == 3
    assert music.facts.skipped == len(music.skipped) == 5
    reasons = {Path(reason.split(".mid")[0]).name: reason for reason in music.skipped}
    assert "is empty" in reasons["empty"]
    assert "is not a MIDI file" in reasons["picture"]
    assert "cut short" in reasons["cut"]
    assert "holds only drums" in reasons["beat"]
    assert "holds no notes" in reasons["silence"]
    describe(music, tmp_path)
    printed = capsys.readouterr().out
    assert "8 files found, 5 read, 3 used" in printed
    assert all(f"skipped: {reason}" in printed for reason in music.skipped)
    Experiment(tmp_path, {}).report(music.skipped)
    assert (tmp_path / "skipped.txt").read_text("utf-8").splitlines() == music.skipped


def test_of_many_broken_files_some_are_printed_and_all_are_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tune(tmp_path / "good.mid")
    for number in range(SHOWN_REASONS + 3):
        (tmp_path / f"bad {number}.mid").write_bytes(bytes([number]) * 100)
    music = dataset.load(tmp_path)
    describe(music, tmp_path)
    printed = capsys.readouterr().out
    assert printed.count("skipped: ") == SHOWN_REASONS
    assert "and 3 more: see skipped.txt in the experiment" in printed
    Experiment(tmp_path, {}).report(music.skipped)
    assert (tmp_path / "skipped.txt").read_text("utf-8").count("\n") == SHOWN_REASONS + 3


def test_without_broken_files_there_is_no_report(tmp_path: Path) -> None:
    Experiment(tmp_path, {}).report(dataset.load(tunes(tmp_path, 2)).skipped)
    assert not (tmp_path / "skipped.txt").exists()


def test_a_file_with_a_clock_gone_mad_takes_no_memory(tmp_path: Path) -> None:
    """A beat of a microsecond, and half a billion of them before the second note: an array for each sixteenth would
    not fit.
    """
    tunes(tmp_path, 2)
    late, end = b"\xff\xff\xff\x7f", b"\x00\xff\x2f\x00"
    track = b"\x00\xff\x51\x03\x00\x00\x01\x00\x90\x3c\x40" + late + b"\x80\x3c\x00" + late + b"\x90\x3e\x40" + end
    header = b"MThd" + struct.pack(">LHHh", 6, 0, 1, 1)
    (tmp_path / "mad.mid").write_bytes(header + b"MTrk" + struct.pack(">L", len(track)) + track)
    music = dataset.load(tmp_path)
    assert music.facts.used == 2
    assert "mad.mid is damaged: it would have" in music.skipped[0]


def with_pedal(path: Path, notes: np.ndarray) -> Path:
    """A file of these notes with the sustain pedal down for all of it."""
    song(path, Piano=notes)
    file = mido.MidiFile(path)
    file.tracks[0].insert(0, mido.Message("control_change", control=64, value=90))
    file.save(path)
    return path


def test_the_sustain_pedal_is_heard_or_it_is_said_that_it_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = np.array([(0, 0.25, 60, 80), (1, 1.25, 64, 80), (2, 2.25, 60, 80), (3, 4, 67, 80)], float)
    with_pedal(tmp_path / "a.mid", short)
    with_pedal(tmp_path / "b.mid", short + np.array([0, 0, 2, 0]))
    tune(tmp_path / "c.mid")
    heard, unheard = dataset.load(tmp_path, encoding="performance"), dataset.load(tmp_path)
    for music in (heard, unheard):
        assert (music.facts.pedal_files, music.facts.pedal_notes) == (2, 6)
    played = {len(piece): PERFORMANCE.decode(piece) for piece in heard.train + heard.held_out}
    lengths = {tuple(np.round(notes[:, 1] - notes[:, 0], 2)) for notes in played.values() if len(notes) == 4}
    assert lengths == {(2.0, 3.0, 2.0, 1.0)}, "to the end of the piece, or until the key is struck again"
    describe(heard, tmp_path)
    assert "sustain pedal in 2 files: 6 notes last until it is up" in capsys.readouterr().out
    describe(unheard, tmp_path)
    said = capsys.readouterr().out
    assert "sustain pedal in 2 files: the melody encoding ignores it, 6 notes end with the key" in said
    assert "--encoding performance uses it" in said
    describe(dataset.load(tmp_path / "c.mid"), tmp_path)
    assert "sustain pedal" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ENCODINGS)
def test_long_rests_are_shortened_and_it_is_said(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        notes = melody(number, 4)
        later = melody(number + 10, 4)
        later[:, :2] += notes[:, 1].max() + 40
        song(tmp_path / f"{number}.mid", Tune=np.concatenate([notes, later]))
    music = dataset.load(tmp_path, encoding=name)
    assert music.facts.shortened_rests == 3
    describe(music, tmp_path)
    assert "3 rests of more than 2 bars shortened by whole bars" in capsys.readouterr().out
    for piece in music.train + music.held_out:
        notes = ENCODINGS[name].decode(piece)
        assert (notes[1:, 0] - np.maximum.accumulate(notes[:, 1])[:-1]).max() == pytest.approx(8)
    assert dataset.load(tunes(tmp_path / "short", 2), encoding=name).facts.shortened_rests == 0


# ---- the split


@given(count=st.integers(2, 12), val_split=st.floats(0.001, 0.999))
@settings(deadline=None, max_examples=25)
def test_whole_pieces_are_held_out_and_none_is_on_both_sides(
    tmp_path_factory: pytest.TempPathFactory, count: int, val_split: float
) -> None:
    music = dataset.load(tunes(tmp_path_factory.mktemp("tunes"), count), val_split)
    assert sorted(as_lists(music.train + music.held_out)) == sorted(symbols_of(number) for number in range(count))
    assert music.train
    assert music.held_out
    assert abs(len(music.held_out) - count * val_split) <= 1
    assert not {piece.tobytes() for piece in music.train} & {piece.tobytes() for piece in music.held_out}


def test_names_and_places_of_files_do_not_matter(tmp_path: Path) -> None:
    loaded = []
    for seed in range(4):
        numbers = list(range(12))
        random.Random(seed).shuffle(numbers)
        folder = tmp_path / f"order {seed}"
        for name, number in enumerate(numbers):
            tune(folder / f"{name % (seed + 1)}" / f"{name:02d}.mid", number)
        loaded.append(dataset.load(folder))
    for other in loaded[1:]:
        assert as_lists(other.train) == as_lists(loaded[0].train)
        assert as_lists(other.held_out) == as_lists(loaded[0].held_out)
        assert msgspec.structs.replace(other.facts, path=loaded[0].facts.path) == loaded[0].facts


def test_the_order_is_not_that_of_the_names(tmp_path: Path) -> None:
    music = dataset.load(tunes(tmp_path, 12))
    order = [as_lists(music.train + music.held_out).index(symbols_of(number)) for number in range(12)]
    assert order != sorted(order)
    assert order != sorted(order, reverse=True)


def test_the_fingerprint_changes_with_the_music_alone(tmp_path: Path) -> None:
    tunes(tmp_path, 3)

    def fingerprint(encoding: str = "melody") -> str:
        return dataset.load(tmp_path, encoding=encoding).facts.fingerprint

    before = fingerprint()
    (tmp_path / "00.mid").rename(tmp_path / "zzz.kar")
    os.utime(tmp_path / "01.mid", (1, 1))
    shutil.copy(tmp_path / "01.mid", tmp_path / "copy.mid")
    (tmp_path / "broken.mid").write_bytes(b"?")
    assert fingerprint() == before
    assert fingerprint("performance") != before
    changed = melody(2, 4)
    changed[3, 2] += 1
    write(tmp_path / "02.mid", changed)
    assert fingerprint() != before
    tune(tmp_path / "02.mid", 2)
    assert fingerprint() == before
    (tmp_path / "02.mid").unlink()
    assert fingerprint() != before


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("val_split", [0.001, 0.1, 0.5, 0.999])
def test_a_single_piece_is_cut_in_two(
    tmp_path: Path, name: str, val_split: float, capsys: pytest.CaptureFixture[str]
) -> None:
    music = dataset.load(tune(tmp_path / "one.mid"), val_split, name)
    (train,), (held_out,) = music.train, music.held_out
    assert np.concatenate([train, held_out]).tolist() == symbols_of(0, ENCODINGS[name])
    assert len(train) >= 1
    assert len(held_out) >= 1
    assert abs(len(held_out) - val_split * (len(train) + len(held_out))) <= 1
    assert music.facts.split == "end of the piece"
    assert kept_in_json(music.facts) == music.facts
    describe(music, tmp_path)
    assert "held out: the end of the one piece" in capsys.readouterr().out
    # The same music twice is still one piece.
    shutil.copy(tmp_path / "one.mid", tmp_path / "two.mid")
    assert dataset.load(tmp_path, val_split, name).facts.split == "end of the piece"


def test_folders_called_train_and_valid_say_themselves_what_is_held_out(tmp_path: Path) -> None:
    for number in range(6):
        tune(tmp_path / "train" / ("more" if number % 2 else "") / f"{number}.mid", number)
    for number in range(6, 9):
        tune(tmp_path / "valid" / f"{number}.mid", number)
    tune(tmp_path / "test" / "9.mid", 9)
    tune(tmp_path / "beside.mid", 10)
    music = dataset.load(tmp_path, 0.5)
    assert sorted(as_lists(music.train)) == sorted(symbols_of(number) for number in range(6))
    assert sorted(as_lists(music.held_out)) == sorted(symbols_of(number) for number in range(6, 9))
    assert music.facts.split == "folders"
    assert music.facts.files == 9
    # A tune that is in both is not held out.
    shutil.copy(tmp_path / "train" / "0.mid", tmp_path / "valid" / "again.mid")
    tune(tmp_path / "valid" / "and again.mid", 1, tempo=99)
    again = dataset.load(tmp_path)
    assert as_lists(again.held_out) == as_lists(music.held_out)
    assert again.facts.duplicate_files == 2
    # One folder alone says nothing, nor do folders whose names only begin so.
    (tmp_path / "valid").rename(tmp_path / "validation")
    assert dataset.load(tmp_path).facts.split == "files"
    assert dataset.load(tmp_path).facts.used == 11


# ---- what cannot be used


def test_a_folder_with_nothing_usable_says_how_many_and_why(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"")
    with pytest.raises(UserError, match=r"a\.mid is empty$"):
        dataset.load(tmp_path)
    (tmp_path / "b.mid").write_bytes(b"text " * 50)
    with pytest.raises(UserError, match=r"none of the 2 MIDI files in .* can be used; the first: .*a\.mid is empty$"):
        dataset.load(tmp_path)


def test_only_drums_are_no_music_to_learn_from(tmp_path: Path) -> None:
    path = song(tmp_path / "beat.mid", drums=melody(0))
    for name in ENCODINGS:
        with pytest.raises(UserError, match=r"beat\.mid holds only drums$"):
            dataset.load(path, encoding=name)


def test_a_file_without_notes_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"silence\.mid holds no notes$"):
        dataset.load(song(tmp_path / "silence.mid", Piano=np.empty((0, 4))))


def test_a_folder_without_midi_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "song.txt").write_text("la la")
    with pytest.raises(UserError, match=rf"{tmp_path} has no MIDI files \(found: 1 \.txt\)"):
        dataset.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no .*nowhere"):
        dataset.load(tmp_path / "nowhere")


@pytest.mark.parametrize(("seq_length", "streams"), [(57, 1), (28, 2), (7, 8), (1, 50)])
def test_a_short_tune_is_read_in_fewer_streams(tmp_path: Path, seq_length: int, streams: int) -> None:
    music = dataset.load(tune(tmp_path / "one.mid"))
    assert music.facts.symbols == (57, 7)
    assert streams_for(len(join(music.train, END)), music.encoding.unit, tmp_path, 50, seq_length) == streams


def test_a_tune_shorter_than_a_window_is_refused_with_advice(tmp_path: Path) -> None:
    path = tune(tmp_path / "one.mid")
    music = dataset.load(path)
    with pytest.raises(UserError, match=r"one\.mid is too short: 58 sixteenths .* takes 65; add more, or give a"):
        streams_for(len(join(music.train, END)), music.encoding.unit, path, 50, 64)
    played = dataset.load(path, encoding="performance")
    with pytest.raises(UserError, match=r"too short: \d+ events .*--seq_length"):
        streams_for(len(join(played.train, END)), played.encoding.unit, path, 50, 128)
    write(path, np.array([[0, 0.01, 60, 90]]))
    single = dataset.load(path)
    assert as_lists(single.train) == [[63]]
    with pytest.raises(UserError, match="too short"):
        streams_for(len(join(single.train, END)), single.encoding.unit, path, 50, 64)


# ---- variations


def test_nothing_is_varied_unless_asked_for() -> None:
    assert dataset.variation(MELODY, 0, 0.0) is None


@pytest.mark.parametrize("name", ENCODINGS)
@given(number=st.integers(0, 1000), transpose=st.integers(0, 12), stretch=st.sampled_from([0.0, 0.1, 0.5]))
@settings(deadline=None, max_examples=40)
def test_a_variation_is_the_same_tune_in_another_key_and_at_another_speed(
    name: str, number: int, transpose: int, stretch: float
) -> None:
    encoding = ENCODINGS[name]
    vary = dataset.variation(encoding, transpose, stretch)
    if vary is None:
        assert transpose == stretch == 0
        return
    piece = encoding.encode(melody(number, 2))
    before = piece.copy()
    one, other = (vary(piece, np.random.default_rng(number)) for _ in range(2))
    assert np.array_equal(one, other)
    assert np.array_equal(piece, before)
    assert one.dtype == piece.dtype
    notes, varied = encoding.decode(piece), encoding.decode(one)
    assert len(varied) == len(notes)
    (shift,) = set((varied[:, 2] - notes[:, 2]).tolist())
    assert abs(shift) <= transpose
    np.testing.assert_array_equal(varied[:, 3], notes[:, 3])
    factor = varied[-1, 1] / notes[-1, 1]
    played_freely = stretch if encoding.in_real_time else 0
    assert abs(factor - 1) <= played_freely + 0.01
    np.testing.assert_allclose(varied[:, :2], notes[:, :2] * factor, atol=0.05 if played_freely else 1e-9)


def test_all_keys_and_many_speeds_are_reached() -> None:
    vary = dataset.variation(PERFORMANCE, 2, 0.2)
    assert vary
    rng = np.random.default_rng(0)
    piece = melody(0, 2)
    played = [PERFORMANCE.decode(vary(PERFORMANCE.encode(piece), rng)) for _ in range(100)]
    assert {int(notes[0, 2] - piece[0, 2]) for notes in played} == {-2, -1, 0, 1, 2}
    factors = [notes[-1, 1] / piece[-1, 1] for notes in played]
    assert min(factors) < 0.85
    assert max(factors) > 1.15


@pytest.mark.parametrize("transpose", [127, 128, 40_000, 10**30])
def test_an_enormous_interval_leaves_what_cannot_be_moved(transpose: int) -> None:
    for encoding in ENCODINGS.values():
        vary = dataset.variation(encoding, transpose, 0)
        assert vary
        rng = np.random.default_rng(0)
        piece = encoding.encode(melody(0, 2))
        assert all(len(vary(piece, rng)) == len(piece) for _ in range(50))


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_variations_bring_about_may_be_played(tmp_path: Path, name: str) -> None:
    """Otherwise a network that has heard a tune in D could not play its F sharp."""
    tunes(tmp_path, 3)
    plain, varied = dataset.load(tmp_path, encoding=name), dataset.load(tmp_path, 0.1, name, None, 3, 0.2)
    vary = dataset.variation(varied.encoding, 3, 0.2)
    assert vary
    rng = np.random.default_rng(0)
    heard = {END}.union(*(vary(piece, rng).tolist() for _ in range(60) for piece in varied.train))
    assert heard <= set(varied.facts.allowed_symbols)
    assert not heard <= set(plain.facts.allowed_symbols)
    first = [NOTE_ON, NOTE_OFF] if name == "performance" else [3]
    for kind in first:
        pitches = {symbol - kind for symbol in plain.facts.allowed_symbols if kind <= symbol < kind + PITCHES}
        allowed = {symbol - kind for symbol in varied.facts.allowed_symbols if kind <= symbol < kind + PITCHES}
        assert allowed == {pitch + shift for pitch in pitches for shift in range(-3, 4)}
    waits = {symbol for symbol in varied.facts.allowed_symbols if WAIT <= symbol < WAIT + LONGEST_WAIT}
    assert len(waits) == (LONGEST_WAIT if name == "performance" else 0)
    # The data itself is the same.
    assert varied.facts.fingerprint == plain.facts.fingerprint
    assert varied.facts.warm_up == plain.facts.warm_up


# ---- beginnings


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_beginning_is_the_symbols_of_its_file(tmp_path: Path, name: str) -> None:
    prime = dataset.read_prime(tune(tmp_path / "prime.mid", 5), ENCODINGS[name], None)
    assert prime.dtype == np.int32
    assert prime.tolist() == symbols_of(5, ENCODINGS[name])


def test_the_track_of_a_beginning_can_be_chosen(tmp_path: Path) -> None:
    path = song(tmp_path / "a.mid", High=melody(0, 4), Low=melody(7, 4) - [0, 0, 24, 0])
    low = dataset.read_prime(path, MELODY, "low")
    assert MELODY.decode(low)[:, 2].tolist() == (melody(7, 4)[:, 2] - 24).tolist()
    assert not np.array_equal(dataset.read_prime(path, MELODY, None), low)
    # A track that only the training data has: the beginning's own melody is taken.
    assert np.array_equal(dataset.read_prime(path, MELODY, "Harp"), dataset.read_prime(path, MELODY, None))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read: no such file"), (b"", "is empty"), (b"hello" * 99, "is not a MIDI file")],
)
def test_a_beginning_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "prime.mid"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        dataset.read_prime(path, MELODY, None)
    assert str(raised.value).startswith(f"{path} {reason}")


def test_a_beginning_without_notes_is_named(tmp_path: Path) -> None:
    for path, reason in (
        (song(tmp_path / "silence.mid", Piano=np.empty((0, 4))), "holds no notes"),
        (song(tmp_path / "beat.mid", drums=melody(0)), "holds only drums"),
        (tmp_path, "cannot be read: is a directory"),
    ):
        with pytest.raises(UserError) as raised:
            dataset.read_prime(path, PERFORMANCE, None)
        assert str(raised.value).startswith(f"{path} {reason}")
    assert len(read(tmp_path / "silence.mid").notes) == 0
