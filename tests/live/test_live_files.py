"""Files in place of devices, and recordings that can be rendered again."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from voices import BLOCK, RATE, Drawing, Echo, tone

import live.__main__ as live_main
from live import files
from live.controls import Turn
from live.recording import Happening, Recorder, read_knobs, read_sound
from live.room import Room
from workshop.audio.synthesis import write_wav
from workshop.errors import UserError
from workshop.run.voice import Block, PlayedNote

Make = Callable[..., Room]
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_file_is_answered_where_it_is(room: Make) -> None:
    heard = tone(10)[:-17]
    answer = files.rendered(room(Echo(0.5)), heard, {})
    np.testing.assert_allclose(answer, 0.5 * heard, atol=1e-6)


def test_nothing_is_answered_by_nothing(room: Make) -> None:
    assert files.rendered(room(Echo()), np.zeros(0, np.float32), {}).shape == (0,)


def test_knobs_turn_and_words_and_notes_come_in_their_block(room: Make) -> None:
    happenings = {2: Happening((Turn("volume", 0),), (PlayedNote(0, 60, 80),), "oh\n")}
    mixed = list(files.render(room(Echo()), tone(4), happenings))
    assert [bool(one.words) for one in mixed] == [False, False, True, False]
    assert mixed[2].notes == ((1, PlayedNote(0, 60, 80)),)
    assert [one.knobs.volume for one in mixed] == [127, 127, 0, 0]


def test_a_recording_rendered_again_is_the_same_sample_for_sample(tmp_path: Path, room: Make) -> None:
    heard, prebuffer = tone(30), 3
    made = room(Drawing(5), Drawing(6, rate=16000), prebuffer=prebuffer)
    with Recorder(tmp_path / "take", RATE, BLOCK) as recorder:
        for number, block in enumerate(np.split(heard, 30)):
            made.turn("mix", 40 + number % 7)
            made.turn("temperature", 60 + number // 3)
            given = Block(block, "oh é\n" * (number == 4), (PlayedNote(0, 60, 80),) if number == 9 else ())
            while len(made.slots[0]._waiting) or len(made.slots[1]._waiting):
                pass  # not paced here: the networks are given their time
            recorder.add(given, made.exchange(given))
    assert [slot.counts.late for slot in made.slots] == [0, 0]
    assert [path.name for path in recorder.files] == ["take.wav", "take.input.wav", "take.mid"]
    kept = read_knobs(tmp_path / "take.mid")
    happenings = kept.happenings
    assert (kept.rate, kept.block) == (RATE, BLOCK)
    assert happenings[4].words == "oh é\n"
    assert happenings[9].notes == (PlayedNote(0, 60, 80),)
    again = room(Drawing(5), Drawing(6, rate=16000))
    heard_again = read_sound(tmp_path / "take.input.wav", RATE)
    np.testing.assert_array_equal(heard_again, heard)
    rendered = np.concatenate([mixed.samples for mixed in files.render(again, heard_again, happenings)])
    recorded = read_sound(tmp_path / "take.wav", RATE)
    assert recorded.any()
    np.testing.assert_array_equal(recorded[prebuffer * BLOCK :], rendered[: -prebuffer * BLOCK])


def test_the_midi_file_of_a_recording_lasts_as_long_as_it_did(tmp_path: Path, room: Make) -> None:
    made = room(Echo())
    with Recorder(tmp_path / "take", RATE, BLOCK) as recorder:
        for number in range(RATE // BLOCK + 1):
            made.turn("mix", number)
            given = Block(np.zeros(BLOCK, np.float32))
            recorder.add(given, made.exchange(given))
    assert mido.MidiFile(tmp_path / "take.mid").length == pytest.approx(1, abs=0.05)


def test_a_recording_replaces_no_other_and_leaves_nothing_where_nothing_came(tmp_path: Path, room: Make) -> None:
    with Recorder(tmp_path / "take", RATE, BLOCK):
        pass
    assert not list(tmp_path.iterdir())
    made, given = room(Echo()), Block(np.zeros(BLOCK, np.float32))
    with Recorder(tmp_path / "take", RATE, BLOCK) as recorder:
        recorder.add(given, made.exchange(given))
    before = (tmp_path / "take.wav").read_bytes()
    with pytest.raises(UserError, match="already"):
        Recorder(tmp_path / "take", RATE, BLOCK)
    assert (tmp_path / "take.wav").read_bytes() == before


def test_a_recording_that_has_ended_early_keeps_nothing_in_memory(
    tmp_path: Path, room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(sound: soundfile.SoundFile, samples: np.ndarray) -> None:
        raise OSError("No space left on device")

    made, given = room(Echo()), Block(np.zeros(BLOCK, np.float32))
    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    recorder = Recorder(tmp_path / "take", RATE, BLOCK)
    recorder.add(given, made.exchange(given))
    recorder._thread.join(10)
    recorder.add(given, made.exchange(given))
    assert recorder._queue.empty()
    with pytest.raises(UserError, match="ends early"):
        recorder.close()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Recorder(tmp_path / "file" / "take", RATE, BLOCK)
    with pytest.raises(UserError, match="cannot be written"):
        files.write_sound(tmp_path / "file" / "x.wav", tone(1), RATE)


NO_KEY = b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\x0a\0\xff\x59\2\x0c\0\0\xff\x2f\0"


@pytest.mark.parametrize(
    "content", [b"", b"MThd", b"no MIDI at all", b"MThd\0\0\0\6\0\1\0\1\0\0MTrk\0\0\0\4\0\xff", NO_KEY]
)
def test_what_is_no_recording_of_knobs_is_said(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.mid").write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as a MIDI file of knobs"):
        read_knobs(tmp_path / "x.mid")


def test_a_sound_in_another_form_is_read_as_the_lessons_read_it(tmp_path: Path) -> None:
    stereo = np.column_stack([tone(20), 0.5 * tone(20)])
    soundfile.write(tmp_path / "x.flac", stereo, RATE)
    assert read_sound(tmp_path / "x.flac", RATE).shape == (len(stereo),)
    assert len(read_sound(tmp_path / "x.flac", RATE // 2)) == pytest.approx(len(stereo) / 2, abs=2)
    soundfile.write(tmp_path / "y.flac", np.zeros((100, 2)), RATE)
    with pytest.raises(UserError, match="is silent"):
        read_sound(tmp_path / "y.flac", RATE)


def test_a_wav_file_is_read_as_it_is_unless_it_was_never_finished(tmp_path: Path) -> None:
    files.write_sound(tmp_path / "x.wav", tone(20) + 1, RATE)
    assert (read_sound(tmp_path / "x.wav", RATE) == tone(20).astype(np.float32) + 1).all()
    write_wav(tmp_path / "y.wav", tone(20), RATE)
    content = bytearray((tmp_path / "y.wav").read_bytes())
    content[4:8] = content[40:44] = bytes(4)
    (tmp_path / "y.wav").write_bytes(content)
    assert len(read_sound(tmp_path / "y.wav", RATE)) == len(tone(20))


def test_a_sound_is_read_whatever_it_is_called_and_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.ogg", tone(20), RATE)
    link = (tmp_path / "x.ogg").read_bytes()
    (tmp_path / "x.ogg").write_bytes(link + link)
    assert len(read_sound(tmp_path / "x.ogg", RATE)) == 2 * len(tone(20))
    write_wav(tmp_path / "x.wav", tone(20), RATE)
    (tmp_path / "x.wav").rename(tmp_path / "x.raw")
    assert len(read_sound(tmp_path / "x.raw", RATE)) == len(tone(20))


# ---- the command


def test_the_command_renders_the_same_each_time(trained_audio_rnn: Path, tmp_path: Path, run_main: Run) -> None:
    write_wav(tmp_path / "in.wav", tone(40, rate=4000), 4000)
    for name in ("one.wav", "again.wav"):
        done = run_main(live_main, "file", "in.wav", name, trained_audio_rnn, "--block", "256", "--seed", "7")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{name}\n"
        assert "4,000 Hz, seed 7" in done.stderr
    one, rate = soundfile.read(tmp_path / "one.wav")
    assert (len(one), rate) == (40 * BLOCK, 4000)
    assert np.std(one) > 0.001
    # Not the bytes: the header of a WAV file of floats has the time in it.
    assert (one == soundfile.read(tmp_path / "again.wav")[0]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("file", "no.wav", "out.wav", "{net}"), "no.wav"),
        (("file", "in.wav", "out.wav", "nothing_there"), "nothing_there"),
        (("file", "in.wav", "out.wav", "{net}", "--knobs", "no.mid"), "no.mid"),
        (("file", "in.wav", "out.wav", *["{net}"] * 4), "4 experiments"),
        (("file", "in.wav", "out.wav", "{net}", "--block", "0"), "from 1 to"),
        (("file", "in.wav", "out.wav", "{net}", "--rate", "5000000000"), "from 1000 to 1000000"),
        (("file", "in.wav", "in.wav", "{net}"), "would be lost"),
        (("file", "in.wav", ".", "{net}"), "wav file"),
        (("file", "in.wav", "out.mp3", "{net}"), "wav file"),
        (("play", "{net}", "--midi_out", "synth", "--clock", "1e-300"), "from 10 to 1000"),
        (("file", "in.wav", "out.wav", "{net}", "--mode", "loud"), "continuous"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: tuple[str, ...], words: str, trained_audio_rnn: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    write_wav(tmp_path / "in.wav", tone(4), RATE)
    assert words in refused(live_main, *(word.format(net=trained_audio_rnn) for word in arguments))


def test_the_bench_says_what_keeps_up(trained_audio_rnn: Path, run_main: Run) -> None:
    done = run_main(live_main, "bench", trained_audio_rnn, trained_audio_rnn, "--blocks", "512", "--seconds", "0.3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("    4,000    512")]) == 3  # each, and both together
    assert any(line.startswith("all of them together:") for line in lines)
