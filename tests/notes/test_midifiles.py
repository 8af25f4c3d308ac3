"""MIDI files: what is written is read back, what others have written is understood, and what nobody can is refused."""

import random
import re
import struct
import time
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workshop import ROOT
from workshop.errors import UserError
from workshop.notes import midifiles
from workshop.notes.midifiles import Score, parse, pitch_name, read, write

SHARED = ROOT.parent / "shared" / "data"
REAL = [SHARED / "nottingham_melody", SHARED / "liberty_minstrel" / "midi"]


def number(value: int) -> bytes:
    """A number as MIDI files hold it: seven bits a byte."""
    head = (
        b"" if value < 128 else bytes(byte | 128 for byte in number(value >> 7)[:-1]) + bytes([value >> 7 & 127 | 128])
    )
    return head + bytes([value & 127])


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">L", len(content)) + content


def midi(*tracks: str | bytes, kind: int = 1, division: int = 96) -> bytes:
    """A MIDI file; tracks may be given in hexadecimal digits, and get their end."""
    raw = [bytes.fromhex(track) if isinstance(track, str) else track for track in tracks]
    header = struct.pack(">HHH", kind, len(raw), division & 0xFFFF)
    return chunk(b"MThd", header) + b"".join(chunk(b"MTrk", track + b"\0\xff\x2f\0") for track in raw)


def named(name: bytes) -> bytes:
    """A track of this name with one note."""
    return b"\0\xff\x03" + number(len(name)) + name + NOTE


NOTE = bytes.fromhex("00 90 3C 40 60 80 3C 40")  # a C of one beat
LATER = "60 90 3E 40 60 80 3E 40"  # a beat later, a D of one beat


def played(content: bytes) -> list[tuple[float, float, int]]:
    """Start, end and pitch of the notes in a file."""
    return [(start, end, int(pitch)) for start, end, pitch in parse(content).notes[:, :3].tolist()]


def check(score: Score) -> None:
    """What holds for everything that is read."""
    start, end, pitch, velocity, part = score.notes.T
    assert np.isfinite(score.notes).all()
    assert (start >= 0).all()
    assert (end > start).all()
    assert np.isin(pitch, range(128)).all()
    assert np.isin(velocity, range(1, 128)).all()
    assert np.isin(part, range(len(score.parts))).all()
    assert (np.lexsort((pitch, start)) == np.arange(len(start))).all()
    assert score.tempos[0, 0] == 0
    assert (np.diff(score.tempos[:, 0]) > 0).all()
    assert (score.tempos[:, 1] > 0).all()
    seconds = score.timed(score.notes)
    assert np.isfinite(seconds).all()
    assert (np.diff(seconds[:, 0]) >= 0).all()
    assert len(score.pitched) <= len(score.notes)


def check_written(path: Path) -> list[tuple[int, int, int, int]]:
    """See that no note of a file that we have written is stuck, empty or struck while it sounds; start and end in
    ticks, pitch and velocity of all.
    """
    file = mido.MidiFile(path)
    assert (file.type, len(file.tracks)) == (0, 1)
    found, sounding, tick = [], {}, 0
    for message in file.tracks[0]:
        assert 0 <= message.time < 1 << 28
        tick += message.time
        if message.type == "note_on":
            assert message.velocity > 0
            assert message.note not in sounding
            sounding[message.note] = (tick, message.velocity)
        elif message.type == "note_off":
            start, velocity = sounding.pop(message.note)
            assert tick > start
            found.append((start, tick, message.note, velocity))
    assert not sounding
    return sorted(found)


# ---- written and read

STEPS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 60), st.integers(0, 127), st.integers(1, 127)), max_size=60
)


def as_heard(steps: list[tuple[int, int, int, int]]) -> list[list[int]]:
    """Notes of which each ends where the next of its pitch begins; of those that begin at once, the longest."""
    struck: dict[tuple[int, int], tuple[int, int]] = {}
    for start, length, pitch, velocity in steps:
        struck[pitch, start] = max(struck.get((pitch, start), (0, 0)), (length, velocity))
    heard = []
    for (pitch, start), (length, velocity) in struck.items():
        later = [other for same, other in struck if same == pitch and other > start]
        heard.append([start, min([start + length, *later]), pitch, velocity])
    return sorted(heard, key=lambda note: (note[0], note[2]))


# A quarter of a beat, and 10 ms at 120 beats a minute.
@given(steps=STEPS, beats=st.sampled_from([0.25, 0.02]), tempo=st.floats(5, 500), program=st.integers(0, 127))
@example(steps=[(0, 8, 60, 90), (2, 1, 60, 80)], beats=0.25, tempo=120, program=0)
@example(steps=[(0, 8, 60, 90), (0, 4, 60, 80), (4, 4, 60, 1)], beats=0.02, tempo=5, program=127)
@settings(max_examples=100, deadline=None)
def test_notes_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, steps: list, beats: float, tempo: float, program: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "back.mid"
    notes = np.array([(start, start + length, *rest) for start, length, *rest in steps], float).reshape(-1, 4)
    notes[:, :2] *= beats
    write(file, notes, tempo, program, "Lied")
    expected = np.array(as_heard(steps), float).reshape(-1, 4)
    expected[:, :2] *= beats

    score = read(file)
    check(score)
    np.testing.assert_allclose(score.notes[:, :4], expected, atol=1e-9)
    assert [(part.name, part.program, part.is_drums) for part in score.parts] == [("Lied", program, False)][
        : len(steps)
    ]
    np.testing.assert_allclose(score.tempos, [[0, 60 / tempo]], rtol=1e-5)

    ticks = np.round(expected[:, :2] * midifiles.TICKS_PER_BEAT).astype(int)
    assert check_written(file) == sorted(
        (on, off, pitch, velocity)
        for (on, off), (pitch, velocity) in zip(ticks.tolist(), expected[:, 2:].tolist(), strict=True)
    )
    theirs = pretty_midi.PrettyMIDI(str(file))
    assert [instrument.program for instrument in theirs.instruments] == [program] * len(score.parts)
    heard = [(n.start, n.end, n.pitch, n.velocity) for part in theirs.instruments for n in part.notes]
    seconds = score.timed(score.notes)[:, :4]
    np.testing.assert_allclose(
        sorted(heard, key=lambda note: (round(note[0], 5), note[2])), seconds.reshape(-1, 4) if heard else [], atol=1e-6
    )


WILD = st.floats(-5, 20) | st.floats() | st.sampled_from([223_696.2, 223_696.3, 1e300, -1e300, 0.0])
WILD_NOTES = st.lists(
    st.tuples(WILD, WILD, st.integers(55, 60) | st.integers(-300, 300) | WILD, st.integers(-10, 300) | WILD),
    max_size=30,
)


@given(notes=WILD_NOTES)
@example(notes=[(223_696.2, 223_696.3, 60, 60)] * 2)
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_is_a_sound_file(tmp_path_factory: pytest.TempPathFactory, notes: list) -> None:
    file = tmp_path_factory.getbasetemp() / "wild.mid"
    write(file, np.array(notes, float).reshape(-1, 4))
    written = check_written(file)
    possible = [note for note in notes if np.isfinite(note).all() and 0 <= note[2] <= 127 and note[1] >= 0]
    assert {pitch for _, _, pitch, _ in written} == {
        int(pitch) for start, _, pitch, _ in possible if start < 223_696.21
    }
    try:
        check(read(file))
    except UserError as error:
        assert "it would last" in str(error)  # noqa: PT017 - most files are read


def test_a_later_note_ends_an_earlier_one_of_its_pitch(tmp_path: Path) -> None:
    notes = np.array([[0, 4, 60, 80], [1, 2, 60, 90], [1.5, 8, 64, 70], [3, 3, 60, 100]], float)
    before = notes.copy()
    write(tmp_path / "a.mid", notes)
    back = read(tmp_path / "a.mid").notes[:, :4]
    tick = 1 / midifiles.TICKS_PER_BEAT
    np.testing.assert_allclose(back, [[0, 1, 60, 80], [1, 2, 60, 90], [1.5, 8, 64, 70], [3, 3 + tick, 60, 100]])
    np.testing.assert_array_equal(notes, before)


@pytest.mark.parametrize(("tempo", "seconds"), [(120, 0.5), (1, 16.777215), (1e-9, 16.777215), (1e12, 1e-6)])
def test_a_tempo_that_has_no_room_becomes_the_nearest(tmp_path: Path, tempo: float, seconds: float) -> None:
    write(tmp_path / "a.mid", np.array([[0, 1, 60, 80]]), tempo)
    assert read(tmp_path / "a.mid").tempos.tolist() == [[0, pytest.approx(seconds)]]


@pytest.mark.parametrize("name", ["", "Áird é", "さくら", "Fuge\tIII", "\udcff\udc00 song"])
def test_any_name_can_be_written(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.mid", np.array([[0, 1, 60, 80]]), name=name)
    (part,) = read(tmp_path / "a.mid").parts
    assert part.name == name.replace("\t", " ").replace("\udcff", "?").replace("\udc00", "?")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match=r"taken/a\.mid cannot be written: "):
        write(tmp_path / "taken" / "a.mid", np.empty((0, 4)))


# ---- what others have written


def test_formats_0_and_1() -> None:
    assert played(midi(NOTE, kind=0)) == [(0, 1, 60)]
    assert played(midi(NOTE, LATER)) == [(0, 1, 60), (1, 2, 62)]


def test_the_tracks_of_format_2_are_played_one_after_the_other() -> None:
    fast = "00 FF 51 03 03 D0 90"  # 250,000 microseconds a beat
    content = midi(bytes.fromhex(fast) + NOTE, LATER, kind=2)
    assert played(content) == [(0, 1, 60), (2, 3, 62)]
    score = parse(content)
    assert score.tempos.tolist() == [[0, 0.25], [1, 0.5], [3, 0.5]], "a tempo holds for its own track"
    assert score.seconds(np.array([1.0, 3.0])).tolist() == [0.25, 1.25]


@pytest.mark.parametrize(
    ("frames", "ticks", "second"), [(25, 40, 1000), (24, 80, 1920), (30, 80, 2400), (29, 100, 2997)]
)
def test_time_in_frames_of_a_film(frames: int, ticks: int, second: int) -> None:
    track = bytes.fromhex("00 FF 51 03 0F 42 40 00 90 3C 40") + number(second) + bytes.fromhex("80 3C 40")
    score = parse(midi(track, division=(256 - frames) << 8 | ticks))
    assert score.timed(score.notes)[0, :2].tolist() == [0, pytest.approx(1)], "and the tempo has no meaning"


def test_tempos_change_in_the_middle_as_pretty_midi_has_it(tmp_path: Path) -> None:
    rng = random.Random(0)
    tempos = b"".join(
        number(rng.randrange(400)) + b"\xff\x51\x03" + rng.randrange(100_000, 2_000_000).to_bytes(3, "big")
        for _ in range(100)
    )
    track = b"".join(number(rng.randrange(1, 300)) + bytes([0x90, 60, k % 2 * 64]) for k in range(401))
    (tmp_path / "a.mid").write_bytes(content := midi(tempos, track))
    score = parse(content)
    assert len(score.tempos) > 90
    theirs = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid")).instruments[0].notes
    np.testing.assert_allclose(score.timed(score.notes)[:, :2], [(note.start, note.end) for note in theirs], atol=1e-9)


def test_tempos_count_in_every_track_and_the_last_of_a_place_holds() -> None:
    slow, fast = "60 FF 51 03 0F 42 40", "60 FF 51 03 03 D0 90"
    assert parse(midi(NOTE, slow, fast)).tempos.tolist() == [[0, 0.5], [1, 0.25]]
    assert parse(midi("60 FF 51 03 00 00 00")).tempos.tolist() == [[0, 0.5]], "a tempo of 0 is none"


def test_the_order_of_running_status_and_note_ons_of_velocity_0() -> None:
    assert played(midi("00 90 3C 40 60 3C 00 00 3E 40 60 3E 00")) == [(0, 1, 60), (1, 2, 62)]
    between = "00 90 3C 40 30 FF 01 01 41 30 3C 00 00 F0 01 F7 00 3E 40 60 3E 00"
    assert played(midi(between)) == [(0, 1, 60), (1, 2, 62)], "it goes on after texts and SysEx"


@pytest.mark.parametrize(
    ("track", "notes"),
    [
        ("00 90 3C 40 60 90 3E 40 60 80 3E 40", [(0, 4, 60), (1, 2, 62)]),  # never switched off
        ("00 90 3C 40 60 90 3C 50 60 80 3C 40", [(0, 1, 60), (1, 2, 60)]),  # struck again
        ("00 90 3C 40 60 90 3C 50 00 80 3C 40 60 80 3C 40", [(0, 1, 60), (1, 2, 60)]),  # and then released
        ("00 90 3C 40 60 90 3C 50 06 80 3C 40 5A 80 3C 40", [(0, 1 + 6 / 96, 60), (1, 2, 60)]),  # a little later
        ("00 90 3C 40 60 90 3C 50 06 3C 00 5A 3C 00", [(0, 1 + 6 / 96, 60), (1, 2, 60)]),  # in running status
        ("00 90 3C 40 00 90 3C 50 60 80 3C 40 00 80 3C 40", [(0, 1, 60), (0, 1, 60)]),  # two voices on one key
        ("00 90 3C 40 00 90 3C 50 60 80 3C 40 60 80 3C 40", [(0, 1, 60), (0, 2, 60)]),
        ("00 90 3C 40 00 90 3C 50 60 80 3C 40", [(0, 1, 60)]),  # struck twice at once, released once
        ("00 90 3C 40 00 91 3C 40 60 81 3C 40 60 80 3C 40", [(0, 2, 60), (0, 1, 60)]),  # on two channels
        ("00 90 3C 40 60 B0 7B 00 60 80 3C 40", [(0, 1, 60)]),  # all notes off
        ("00 90 3C 40 60 B1 7B 00 60 80 3C 40", [(0, 2, 60)]),  # of another channel
        ("00 80 3C 40 00 90 3C 40 60 80 3C 40 60 80 3C 40", [(0, 1, 60)]),  # released without being struck
        ("00 90 3C 40 00 80 3C 40 60 90 3E 40 60 80 3E 40", [(0, 1 / 96, 60), (1, 2, 62)]),  # without length
        ("00 90 BC FF 60 80 BC C0", [(0, 1, 127)]),  # values above 127
    ],
)  # fmt: skip
def test_notes_are_put_together(track: str, notes: list[tuple[float, float, int]]) -> None:
    assert played(midi(track)) == [pytest.approx(note) for note in notes]


def test_tracks_that_share_a_key_of_a_channel_end_their_own_notes() -> None:
    long, short = "00 90 3C 40 8300 80 3C 40", "60 90 3C 40 60 80 3C 40"
    assert played(midi(long.replace(" ", ""), short)) == [(0, 4, 60), (1, 2, 60)]
    assert played(midi(short, long.replace(" ", ""))) == [(0, 4, 60), (1, 2, 60)]


# ---- the sustain pedal

PEDAL = "00 B0 40 7F"  # at once, down
STACCATO = "00 90 3C 40 0C 80 3C 40"  # a C of an eighth of a beat, at once


def heard(content: bytes) -> list[tuple[float, float, int]]:
    """Start, end and pitch of the notes in a file, as the sustain pedal lets them sound."""
    score = parse(content)
    check(score.with_pedal())
    assert len(score.with_pedal().held) == 0
    assert (score.with_pedal().notes[:, 1] >= score.notes[:, 1]).all()
    return [(start, end, int(pitch)) for start, end, pitch in score.with_pedal().notes[:, :3].tolist()]


def test_notes_are_as_written_and_the_pedal_stands_beside_them() -> None:
    content = midi(f"{PEDAL} {STACCATO} 54 90 40 40 60 80 40 40 60 B0 40 00 {LATER}")
    assert played(content) == [(0, 0.125, 60), (1, 2, 64), (4, 5, 62)]
    assert heard(content) == [(0, 3, 60), (1, 3, 64), (4, 5, 62)]
    assert parse(content).held.tolist() == [[0, 3], [1, 3]]
    assert parse(midi(NOTE)).held.shape == (0, 2)


def test_the_pedal_is_that_of_a_channel_in_whatever_track_it_stands() -> None:
    pedal = f"{PEDAL} 60 B0 40 00"
    assert heard(midi(STACCATO, pedal)) == heard(midi(pedal, STACCATO)) == [(0, 1, 60)]
    other = STACCATO.replace("90", "91").replace("80", "81")
    assert heard(midi(f"{PEDAL} {STACCATO}", f"{other} 60 B0 40 00")) == [(0, 1.125, 60), (0, 0.125, 60)]
    assert heard(midi(pedal, f"00 FF 21 01 01 {STACCATO}")) == [(0, 0.125, 60)], "the same channel of another port"
    assert heard(midi(f"00 FF 21 01 01 {pedal}", f"00 FF 21 01 01 {STACCATO}")) == [(0, 1, 60)]


def test_the_sostenuto_pedal_is_heard_too() -> None:
    assert heard(midi(f"00 90 3C 40 06 B0 42 7F 06 80 3C 40 {STACCATO.replace('3C', '40')} 60 B0 42 00")) == [
        (0, 1.25, 60), (0.125, 0.25, 64),
    ]  # fmt: skip


def test_a_pedal_that_stays_down_holds_to_the_end_of_the_file_and_not_for_ever() -> None:
    assert heard(midi(f"{PEDAL} {STACCATO} {LATER} 60 B0 07 64")) == [(0, 3.125, 60), (1.125, 3.125, 62)]
    hours = midi(f"{PEDAL} {STACCATO} FF FF FF 7F B0 07 64")
    assert heard(hours) == [(0, 0.125 + midifiles.HANGING_BEATS, 60)]


def test_the_pedal_of_a_piece_is_not_that_of_the_next_one() -> None:
    assert heard(midi(f"{PEDAL} {STACCATO}", STACCATO, kind=2)) == [(0, 0.125, 60), (0.125, 0.25, 60)]


def test_drums_have_no_pedal() -> None:
    assert heard(midi(PEDAL.replace("B0", "B9") + STACCATO.replace("90", "99").replace("80", "89") + LATER)) == [
        (0, 0.125, 60), (1.125, 2.125, 62),
    ]  # fmt: skip


# ---- bars


def test_bars_are_those_of_the_file_and_else_of_four_beats() -> None:
    assert parse(midi(NOTE)).bars.tolist() == [[0, 4]]
    waltz, jig, third = "00 FF 58 04 03 02 18 08", "60 FF 58 04 06 03 24 08", "60 FF 58 04 01 05 18 08"
    assert parse(midi(waltz, jig + third)).bars.tolist() == [[0, 3], [1, 3]], "and of none that is not of sixteenths"
    assert parse(midi("00 FF 58 04 07 04 18 08")).bars.tolist() == [[0, 1.75]]
    assert parse(midi("00 FF 58 04 00 02 18 08")).bars.tolist() == [[0, 4]]
    assert parse(midi(waltz + NOTE.hex(), NOTE, kind=2)).bars.tolist() == [[0, 3], [1, 4], [2, 4]]


# ---- parts


def test_channels_are_parts_with_their_programs_and_drums_are_recognised() -> None:
    track = "00 C0 28 00 C1 05 00 90 3C 40 00 91 40 50 00 99 24 60 60 C0 30 00 80 3C 00 00 81 40 00 00 89 24 00"
    score = parse(midi("00 FF 03 02 48 69" + track, track))
    assert [(p.name, p.program, p.is_drums) for p in score.parts] == [
        ("Hi", 40, False), ("Hi", 5, False), ("Hi", 0, True), ("", 40, False), ("", 5, False), ("", 0, True),
    ]  # fmt: skip
    assert score.notes[:, 2:].tolist() == [
        [36, 96, 2], [36, 96, 5], [60, 64, 0], [60, 64, 3], [64, 80, 1], [64, 80, 4],
    ]  # fmt: skip
    assert score.pitched[:, 4].tolist() == [0, 3, 1, 4]


XG_ON, GM2_ON = "00 F0 08 43 10 4C 00 00 7E 00 F7", "00 F0 05 7E 7F 09 03 F7"


@pytest.mark.parametrize(
    ("says", "drums"),
    [
        ("", {9}),
        (XG_ON + "00 B8 00 7F 00 B7 00 7E 00 B6 00 40", {7, 8, 9}),
        ("00 B8 00 7F", {9}),  # the MT-32 of GS
        (GM2_ON + "00 B8 00 78 00 B7 00 79", {8, 9}),
        ("00 F0 0A 41 10 42 12 40 1A 15 02 0F F7", {9, 10}),
        ("00 F0 0A 41 10 42 12 40 11 15 01 19 F7 00 F0 0A 41 10 42 12 40 10 15 00 1B F7", {0}),
        (XG_ON + "00 F0 08 43 10 4C 08 03 07 02 F7", {3, 9}),
    ],
)
def test_drums_are_where_gs_xg_and_gm2_put_them(says: str, drums: set[int]) -> None:
    struck = "".join(f"00 9{channel:X} 24 60 10 8{channel:X} 24 00" for channel in range(16))
    for score in (parse(midi(says + struck)), parse(midi(says, struck))):
        assert {channel for channel, part in enumerate(score.parts) if part.is_drums} == drums
        assert len(score.pitched) == 16 - len(drums)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Flöte".encode(), "Flöte"),
        ("Flöte".encode("latin-1"), "Flöte"),
        ("さくら".encode(), "さくら"),
        ("さくら".encode("shift_jis"), None),
        (b" Piano \0\0", "Piano"),
        (b"\x1b[31mred\x07", "[31mred"),
        (bytes(range(256)), None),
        (b"", ""),
    ],
)
def test_names_are_text_in_any_encoding(raw: bytes, name: str | None) -> None:
    (part,) = parse(midi(named(raw))).parts
    assert part.name.isprintable(), "a terminal is not given orders"
    assert name is None or part.name == name


ODDITIES = {
    "nine sharps": "FF 59 02 09 00",
    "a mode of 7": "FF 59 02 00 07",
    "a key without mode": "FF 59 01 00",
    "a frame rate that is none": "FF 54 05 FF 00 00 00 00",
    "an offset of 99 minutes": "FF 54 05 01 63 63 00 00",
    "a tempo of two bytes": "FF 51 02 07 A1",
    "a meter of nothing": "FF 58 00",
    "a meter of 4/2^255": "FF 58 04 04 FF 18 08",
    "a channel prefix of nothing": "FF 20 00",
    "an unknown meta event": "FF 60 03 01 02 03",
    "a program name": "FF 08 02 41 42",
    "a sequencer's own": "FF 7F 05 00 00 41 F7 FF",
    "SysEx": "F0 05 7E 7F 09 01 F7",
    "SysEx in pieces": "F0 03 43 12 00 00 F7 02 43 F7",
    "SysEx with bytes above 127": "F0 03 FF FF F7",
    "any bytes": "F7 02 F3 01",
    "active sensing": "FE",
    "a song position": "F2 00 01",
    "pitch bend, pressure, a controller": "E0 00 40 00 A0 3C 40 00 D0 40 00 B0 07 64",
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_what_says_nothing_about_notes_harms_none_and_takes_its_time(oddity: str) -> None:
    between = f"00 90 3C 40 30 {ODDITIES[oddity]} 30 80 3C 40 60 90 3E 40 60 80 3E 40"
    score = parse(midi(between))
    assert score.notes[:, :3].tolist() == [[0, 1, 60], [2, 3, 62]]
    assert score.tempos.tolist() == [[0, 0.5]]


def test_other_chunks_and_what_stands_behind_the_last_track_are_passed_over() -> None:
    content = midi(NOTE, LATER)
    with_other = content[:14] + chunk(b"XFIH", b"odd") + content[14:] + b"\0" * 200
    assert played(with_other) == played(content)
    longer_header = chunk(b"MThd", content[8:14] + b"more") + content[14:]
    assert played(longer_header) == played(content)
    ended = bytes.fromhex("00 FF 2F 00") + b"\0" * 9
    assert played(midi(NOTE + ended)) == [(0, 1, 60)]


def test_files_in_a_wrapping_are_unwrapped(tmp_path: Path) -> None:
    content = midi(NOTE)
    data = b"data" + struct.pack("<L", len(content)) + content
    riff = b"RIFF" + struct.pack("<L", len(data) + 4) + b"RMID" + data
    assert played(riff) == played(b"\0\x05Piece" + b"\0" * 121 + content) == [(0, 1, 60)]
    (tmp_path / "old.RMI").write_bytes(riff)
    assert midifiles.find_midi_files(tmp_path) == [tmp_path / "old.RMI"]
    picture = b"DISP" + struct.pack("<L", 40_000) + b"\x28" * 40_000
    assert played(b"RIFF" + struct.pack("<L", 40_012 + len(data)) + b"RMID" + picture + data) == [(0, 1, 60)]


def test_hours_are_read_and_years_are_not() -> None:
    three_hours = number(3 * 60 * 120 * 96)
    assert played(midi(b"\0\x90\x3c\x40" + three_hours + b"\x80\x3c\x40")) == [(0, 21_600, 60)]
    with pytest.raises(ValueError, match="is damaged: it would last 388 hours"):
        parse(midi(b"\0\x90\x3c\x40" + number((1 << 28) - 1) + b"\x80\x3c\x40"))
    with pytest.raises(ValueError, match=r"it would last [0-9,]{7} hours"):
        parse(midi((number((1 << 28) - 1) + b"\x90\x3c\x40") * 2000 + b"\0\x80\x3c\x40"))


def test_a_file_without_notes_is_an_empty_score() -> None:
    for content in (midi(), midi(""), midi("00 80 3C 40")):
        score = parse(content)
        check(score)
        assert score.notes.shape == score.pitched.shape == (0, 5)


# ---- what is no MIDI file

REFUSED = {
    "nothing": (b"", "is empty"),
    "text": (b"la la la\n" * 500, "is not a MIDI file: it does not begin with MThd"),
    "zeros": (b"\0" * 5000, "is not a MIDI file"),
    "far behind": (b"\0" * 2000 + midi(NOTE), "is not a MIDI file"),
    "a beginning": (b"MThd", "is cut short"),
    "no beat": (midi(NOTE, division=0), "is damaged: its beat has no length"),
    "no tracks": (midi(NOTE, NOTE)[:14], "is cut short or damaged: 0 of its 2 tracks"),
    "half a track": (midi(NOTE, NOTE)[:-1], "is cut short or damaged: 1 of its 2 tracks"),
    "half a track more": (midi(NOTE) + midi(NOTE)[14:-1], "is cut short or damaged: 1 of its 2 tracks"),
    "half an event": (midi(NOTE[:-2])[:-4] + chunk(b"MTrk", b""), "is (cut short|damaged)"),
    "no status": (midi("00 3C 40"), "is damaged: there is no event with the status 00"),
    "unknown status": (midi("00 F4 00"), "is damaged: there is no event with the status F4"),
    "endless number": (midi("FF FF FF FF 7F 90 3C 40"), "is damaged: it holds a number of more than four bytes"),
    "endless text": (midi("00 FF 01 FF FF FF 7F 41"), "is damaged: a track ends in the middle of an event"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_understood_is_refused_with_its_reason(tmp_path: Path, case: str) -> None:
    content, reason = REFUSED[case]
    with pytest.raises(ValueError, match=reason):
        parse(content)
    (tmp_path / "song.mid").write_bytes(content)
    with pytest.raises(UserError, match=rf"song\.mid {reason}"):
        read(tmp_path / "song.mid")


def test_a_file_cut_short_in_a_track_is_refused() -> None:
    content = midi(named("Flöte".encode()), LATER, "00 FF 51 03 0F 42 40 00 F0 03 01 02 F7" + LATER)
    assert len(parse(content).notes) == 3
    whole = [place for place in range(15, len(content)) if content[place:].startswith(b"MTrk")]
    assert [len(parse(content[:length]).notes) for length in whole] == [1, 2]
    for length in set(range(len(content))) - set(whole):
        with pytest.raises(ValueError, match=r"is empty|is not a MIDI file|is cut short"):
            parse(content[:length])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.mid cannot be read: no such file"):
        read(tmp_path / "gone.mid")
    with pytest.raises(UserError, match="cannot be read: is a directory"):
        read(tmp_path)


def test_a_file_too_large_for_a_midi_file_is_not_even_read(tmp_path: Path) -> None:
    with open(tmp_path / "film.mid", "wb") as film:
        film.truncate(5 << 30)
    with pytest.raises(UserError, match=r"film\.mid is too large for a MIDI file \(5,120 MB\)"):
        read(tmp_path / "film.mid")


HUGE = {
    "numbers without end": b"\xff" * (8_000_000 - 22),
    "one SysEx": b"\0\xf0" + number(7_900_000) + b"\1" * 7_900_000,
    "many texts": b"\0\xff\x01\x7f" + b"a" * 127,
    "notes": b"\x01\x90\x3c\x40\x01\x3c\0",
    "parts": b"".join(bytes([0, 0x90 | k, p, 9]) for k in range(16) for p in range(128)),
}


@pytest.mark.parametrize("what", [pytest.param(k, marks=pytest.mark.slow if k == "notes" else ()) for k in HUGE])
def test_megabytes_take_seconds(what: str) -> None:
    track = HUGE[what]
    if what == "notes":
        track *= 7_900_000 // len(track)
    elif what in ("many texts", "parts"):
        track *= 1_000_000 // len(track)
    started = time.process_time()  # other work on the machine does not count
    try:
        check(parse(midi(track)))
    except ValueError as error:
        assert "is damaged" in str(error)  # noqa: PT017 - the others are read
    assert time.process_time() - started < 30  # that is how long a file may take


EVENTS = st.lists(
    st.tuples(
        (st.integers(0, 300) | st.integers(0, (1 << 28) - 1)).map(number),
        st.sampled_from([*range(0x80, 256), 0x90, 0x80, 0x3C]).map(lambda status: bytes([status])),
        st.binary(max_size=3),
    ).map(b"".join),
    max_size=40,
).map(b"".join)


@given(tracks=st.lists(EVENTS, max_size=3), kind=st.integers(0, 3), division=st.integers(0, 0xFFFF))
@settings(max_examples=250, deadline=None)
def test_any_events_are_read_or_refused(tracks: list[bytes], kind: int, division: int) -> None:
    reason = ""
    try:
        check(parse(midi(*tracks, kind=kind, division=division)))
    except ValueError as error:
        reason = str(error)
    assert not reason or re.match(r"is (damaged: |cut short)", reason)


# ---- real files


def real_files(every: int) -> list[Path]:
    found = [file for folder in REAL if folder.is_dir() for file in sorted(folder.iterdir()) if "mid" in file.suffix]
    if not found:
        pytest.skip("the shared data (nottingham_melody, liberty_minstrel) is not here")
    return found[::every]


def test_real_files_sound_as_pretty_midi_has_them() -> None:
    files, doubted = real_files(every=25), 0
    for file in files:
        score = read(file)
        check(score)
        try:
            parts = pretty_midi.PrettyMIDI(str(file)).instruments
        except RuntimeWarning:  # it does not heed tempos outside the first track
            doubted += 1
            continue
        theirs = [(note.start, note.end, note.pitch, note.velocity) for part in parts for note in part.notes]
        ours = score.timed(score.notes)[:, :4].tolist()
        ours, theirs = (
            sorted((round(start, 5), pitch, end, loud) for start, end, pitch, loud in n) for n in (ours, theirs)
        )
        assert len(ours) == len(theirs), file
        np.testing.assert_allclose(ours, theirs, atol=2e-5, err_msg=str(file))
    assert doubted < len(files) / 4


def test_real_files_come_back_when_they_are_written(tmp_path: Path) -> None:
    for file in real_files(every=50):
        notes = read(file).pitched
        notes = notes[notes[:, 4] == notes[0, 4]]
        write(tmp_path / "back.mid", notes)
        back = read(tmp_path / "back.mid").notes
        assert len(back) == len(notes)
        np.testing.assert_allclose(back[:, :4], notes[:, :4], atol=1 / midifiles.TICKS_PER_BEAT)


def test_names_of_pitches() -> None:
    assert [pitch_name(pitch) for pitch in (0, 21, 60, 61, 127)] == ["C-1", "A0", "C4", "C#4", "G9"]
    assert all(pitch_name(high) != pitch_name(low) for low, high in pairwise(range(128)))
