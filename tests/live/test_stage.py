"""A room that is played: messages, typed lines, other networks, settings; and by a device that is none."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from voices import BLOCK, Constant, Drawing, Echo, Stalled

import live.__main__ as live_main
from live import devices, files, midi, settings, terminal
from live.controls import Controls
from live.recording import Recorder, read_knobs, read_sound
from live.room import Room, usual_block
from live.settings import NULL, Settings
from live.stage import Stage
from workshop.errors import UserError
from workshop.run.voice import PlayedNote, Voice
from workshop.words import plural

Make = Callable[..., Room]
Figure = Callable[[str, str, str], None]
SILENCE = np.zeros(BLOCK, np.float32)
#: How long three networks play together, and how often one of them stalls; in the long form of the reliability tests it
#: takes a minute.
PLAYED_SECONDS, STALLS = (60, 6) if os.environ.get("WORKSHOP_RELIABILITY") == "long" else (20, 2)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of the test's own, and nobody who types."""
    monkeypatch.setattr(settings, "FOLDER", tmp_path / "state")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    return tmp_path / "state"


def load(name: str, place: int) -> Voice:
    if name == "wrong":
        raise UserError("there is none")
    return Constant(0.1 * place)


def stage_of(room: Room) -> Stage:
    return Stage(room, Controls(), load, say=room.said.append)


def until(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_words_keys_and_controllers_count_from_the_next_block_on(room: Make) -> None:
    stage = stage_of(room(Echo()))
    stage.add_words("oh ")
    stage.add_words("my\n")
    stage.midi(bytes([0x90, 60, 80]))
    stage.midi(bytes([0xB0, 7, 5]))
    mixed = stage.exchange(SILENCE)
    assert mixed.words == ((1, "oh my\n"),)
    assert mixed.notes == ((1, PlayedNote(0, 60, 80)),)
    assert mixed.knobs.volume == 5
    again = stage.exchange(SILENCE)
    assert (again.words, again.notes) == ((), ())


def test_a_network_changes_while_it_plays_or_stays_and_says_why(room: Make) -> None:
    stage = stage_of(room(Constant(0.5), Constant(0.5)))
    stage.swap(2, "other")
    until(lambda: "network 2 becomes other" in stage.room.said)
    stage.exchange(SILENCE)
    assert [slot.name for slot in stage.room.slots] == ["net1", "other"]
    stage.swap(1, "wrong")
    until(lambda: "network 1 stays net1: there is none" in stage.room.said)
    for place in (0, 3):
        with pytest.raises(UserError, match="there are 2"):
            stage.swap(place, "other")


def test_lines_that_are_typed(room: Make) -> None:
    stage = stage_of(room(Echo()))
    for line in ("oh my", "/mix 0.5", "/volume 0", "/learn mix23", "/swap 1 other"):
        assert terminal.obey(stage, line)
    assert not terminal.obey(stage, "/quit")
    assert (stage.room.knobs.mix, stage.room.knobs.volume) == (64, 0)
    assert stage.exchange(SILENCE).words == ((1, "oh my\n"),)
    stage.midi(bytes([0xB0, 33, 9]))
    assert stage.room.knobs.mix23 == 9
    for line in ("/", "/mixx 0.5", "/mix", "/mix 2", "/mix loud", "/learn nothing", "/swap one x", "/swap 9 x",
                 f"/swap {'9' * 5000} x"):  # fmt: skip
        with pytest.raises(UserError):
            terminal.obey(stage, line)


def test_the_name_of_another_network_may_hold_spaces(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, asked = stage_of(room(Echo())), []
    monkeypatch.setattr(stage, "swap", lambda place, name: asked.append((place, name)))
    assert terminal.obey(stage, "/swap 1  char_rnn/my songs ")
    assert asked == [(1, "char_rnn/my songs")]


def test_bytes_that_are_no_text_do_not_end_the_reading(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of(room(Echo()))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"la\xff\n/quit\n"), encoding="utf-8"))
    terminal.run(stage, lambda: 0, 60.0, print)
    assert stage.exchange(SILENCE).words == ((1, "la\ufffd\n"),)


def test_it_ends_after_the_seconds_that_were_given(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits = 0.0, []

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal now
            waits.append(timeout)
            now += timeout or 0
            return False

    monkeypatch.setattr(
        terminal, "threading", SimpleNamespace(Event=Event, Thread=lambda **given: SimpleNamespace(start=lambda: None))
    )
    monkeypatch.setattr(terminal, "time", SimpleNamespace(monotonic=lambda: now))
    terminal.run(stage_of(room(Echo())), lambda: 0, 15.0, print)
    assert waits == [10.0, 5.0]


def test_the_meters(room: Make) -> None:
    stage = stage_of(room(Constant(0.5), Constant(0.5)))
    stage.exchange(np.full(BLOCK, 0.25, np.float32))
    assert terminal.meters(stage, 3).startswith("in #####....")
    assert terminal.meters(stage, 3).endswith("late 0 0  gaps 3")


def test_settings_are_kept_and_damage_is_said(kept: Path) -> None:
    assert settings.read() == Settings()
    settings.keep(Settings(input="mic", output=NULL, rate=16000, mapping={"mix": 5}))
    assert settings.read() == Settings(input="mic", rate=16000, mapping={"mix": 5})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"block": 0}', "block"), ('{"block": 1000000000}', "block"), ('{"prebuffer": 100000}', "prebuffer"),
        ('{"rate": 5}', "rate"), ('{"mapping": {"mix": 999}}', "mix"), ('{"mapping": {"foo": 1}}', "foo"),
    ],
)  # fmt: skip
def test_damaged_settings_are_said(text: str, named: str, kept: Path) -> None:
    kept.mkdir()
    (kept / "live.json").write_text(text)
    with pytest.raises(UserError, match=f"{named}.*--forget"):
        settings.read()


def test_two_starts_at_once_are_said() -> None:
    program = "import sys; from pathlib import Path; from live import settings; settings.FOLDER = Path(sys.argv[1])\n"
    program += "with settings.alone(): pass"
    command = [sys.executable, "-c", program, str(settings.FOLDER)]
    with settings.alone():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "the live room is open already, in process" in done.stderr
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize(
    ("rate", "block"), [(4000, 128), (8000, 256), (16000, 512), (22050, 512), (44100, 1024), (1, 1)]
)
def test_the_usual_block(rate: int, block: int) -> None:
    assert usual_block(rate) == block


# ---- devices


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"name": "Built-in Microphone", "id": 1}, {"name": "USB Interface", "id": 2}]
    monkeypatch.setattr(devices, "_found", lambda: (found, found))


def test_a_device_is_found_by_a_part_of_its_name(named: None) -> None:
    inputs, _ = devices._found()
    assert devices._called("input", "usb", inputs) == 2
    assert devices._called("input", None, inputs) is None
    with pytest.raises(UserError, match=r"no input called 'usbb'.*'Built-in Microphone', 'USB Interface' and 'null'"):
        devices._called("input", "usbb", inputs)
    with pytest.raises(UserError, match="this computer has no output"):
        devices._called("output", None, [])


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, run_main: Callable[..., Any]) -> None:
    for module in ("miniaudio", "rtmidi2"):
        monkeypatch.setitem(sys.modules, module, None)
    done = run_main(live_main, "devices")
    assert done.returncode == 0
    assert done.stdout.count("pip install -r requirements/live.txt") == 2
    assert "python -m live page" in done.stdout


def test_a_midi_port_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, room: Make) -> None:
    monkeypatch.setattr(midi, "names", lambda: (["Roland A-49"], []))
    with pytest.raises(UserError, match=r"no MIDI port called 'A-88'.*Roland A-49"):
        midi.MidiIn(stage_of(room(Echo())), "A-88")


class Ports:
    """In place of rtmidi2."""

    def __init__(self) -> None:
        self.there, self.closed, self.tries = ["Roland A-49"], 0, 0
        self.callback: Any = None

    def MidiIn(self) -> "Ports":
        return self

    def open_port(self, number: int) -> None:
        self.tries += 1
        if self.tries == 2:
            raise RuntimeError("another program has it")

    def close_port(self) -> None:
        self.closed += 1


def test_a_midi_port_that_vanishes_is_said_and_heard_again(monkeypatch: pytest.MonkeyPatch, room: Make) -> None:
    ports, made = Ports(), room(Echo())
    monkeypatch.setattr(midi, "LOOK", 0.01)
    monkeypatch.setattr(midi, "_rtmidi", lambda: ports)
    monkeypatch.setattr(midi, "names", lambda: (ports.there, []))
    with midi.MidiIn(stage_of(made), "a-49", made.said.append):
        ports.callback([0xB0, 74, 9], 0.0)
        assert made.knobs.mix == 9
        ports.there = []
        until(lambda: any("has gone" in sentence for sentence in made.said))
        assert made.knobs.mix == 9
        ports.there = ["Roland A-49"]
        until(lambda: "the MIDI port 'a-49' is there again" in made.said)
        ports.callback([0xB0, 74, 10], 0.0)
        assert made.knobs.mix == 10
    assert ports.tries == 3  # at first another program had it


def test_a_system_without_midi_has_no_ports_and_says_no_more(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def talking() -> list[str]:
        os.write(2, b"ALSA lib: no such file\n")
        raise RuntimeError("no sequencer")

    monkeypatch.setattr(midi, "_rtmidi", lambda: SimpleNamespace(get_in_ports=talking))
    assert midi.names() == ([], [])
    assert capfd.readouterr().err == ""


def test_verbs_without_a_network_load_no_tensorflow() -> None:
    code = "import sys, live.verbs; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_notes_do_not_hang_in_a_synthesiser(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, ...]] = []
    port = SimpleNamespace(
        open_port=lambda number: None,
        close_port=lambda: sent.append(()),
        send_raw=lambda *message: sent.append(message),
    )
    monkeypatch.setattr(midi, "_rtmidi", lambda: SimpleNamespace(MidiOut=lambda: port))
    monkeypatch.setattr(midi, "names", lambda: ([], ["FluidSynth"]))
    with midi.MidiOut("fluid") as out:
        out.play([(2, PlayedNote(0, 60, 90))])
    assert sent == [(0x91, 60, 90), (0xB0, 123, 0), (0xB1, 123, 0), (0xB2, 123, 0), ()]


def through_null(stage: Stage, seconds: float) -> devices.Sound:
    pytest.importorskip("miniaudio")
    with devices.Sound(stage, target=NULL, say=stage.room.said.append) as sound:
        time.sleep(seconds)
    return sound


def test_a_device_that_is_none_keeps_time(room: Make) -> None:
    made = room(Drawing(1), prebuffer=4)
    through_null(stage_of(made), 1.0)
    played = made._number * BLOCK / made.rate
    assert 0.4 < played < 1.3
    assert made.slots[0].counts.blocks == pytest.approx(made._number, abs=4)


def test_a_device_that_is_lost_is_opened_again(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    miniaudio = pytest.importorskip("miniaudio")
    monkeypatch.setattr(devices, "LOST", 0.5)
    monkeypatch.setattr(devices, "AGAIN", 0.1)
    made = room(Echo(), prebuffer=2)
    start, tries = miniaudio.DuplexStream.start, []

    def start_later(device: Any, callback: Any) -> None:
        tries.append(device)
        if len(tries) < 3:
            raise miniaudio.MiniaudioError("not yet")
        start(device, callback)

    with devices.Sound(stage_of(made), target=NULL, say=made.said.append) as sound:
        until(lambda: made._number)
        monkeypatch.setattr(miniaudio.DuplexStream, "start", start_later)
        sound._device.stop()  # as when it is unplugged: it is called no more
        until(lambda: "sound is there again" in made.said)
        assert sum("has gone" in sentence for sentence in made.said) == 1
        assert len(tries) == 3
        number = made._number
        until(lambda: made._number > number)


def test_the_command_plays_records_and_listens_to_osc(
    trained_audio_rnn: Path, tmp_path: Path, run_main: Callable[..., Any]
) -> None:
    pytest.importorskip("miniaudio")
    pytest.importorskip("pythonosc")
    arguments = ["play", trained_audio_rnn, "--output", NULL, "--seconds", "0.5", "--osc", "0", "--record", "take"]
    done = run_main(live_main, *arguments, "--prebuffer", "8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["take.wav", "take.input.wav", "take.mid"]
    for words in ("latency: block 32.0 ms", "OSC: /live/... on 127.0.0.1", "network 1", " late, 0 not heard, 0 broken"):
        assert words in done.stderr
    assert settings.read() == Settings(prebuffer=8)
    assert soundfile.info(tmp_path / "take.wav").samplerate == 4000


def test_check_passes_the_input(run_main: Callable[..., Any]) -> None:
    pytest.importorskip("miniaudio")
    done = run_main(live_main, "check", "--output", NULL, "--seconds", "0.3")
    assert done.returncode == 0, done.stderr
    assert "use headphones" in done.stderr
    assert "in ......" in done.stderr


def test_a_network_that_is_not_there_is_said_where_none_plays(
    run_main: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("miniaudio")
    monkeypatch.setattr(sys, "stdin", io.StringIO("/swap 1 no_such\n"))
    done = run_main(live_main, "check", "--output", NULL, "--seconds", "1")
    assert "network 1 stays the input: " in done.stderr


# ---- the floor


@pytest.fixture
def floor(
    trained_audio_rnn: Path, trained_wavenet: Path, tmp_path: Path
) -> Iterator[tuple[Callable[[int], Room], Path]]:
    """Three trained networks in a room at their rate; and where a recording goes."""
    from live import networks

    names = [str(trained_audio_rnn), str(trained_wavenet), str(trained_audio_rnn)]
    made: list[Room] = []

    def make(prebuffer: int) -> Room:
        made.append(Room(networks.opened(names, "continuous", 1), 4000, 128, prebuffer, lambda sentence: None))
        return made[-1]

    yield make, tmp_path / "floor"
    for one in made:
        one.close()


@pytest.mark.slow
@pytest.mark.alone
def test_three_networks_are_what_they_are_offline(floor: tuple[Callable[[int], Room], Path], figure: Figure) -> None:
    pytest.importorskip("miniaudio")
    make, path = floor
    room = make(3)
    stage = Stage(room, Controls(), load, Recorder(path, 4000, 128), lambda sentence: None)
    with stage, devices.Sound(stage, target=NULL, say=lambda sentence: None) as sound:
        for number in range(0, 120, 120 // (2 * PLAYED_SECONDS)):
            room.turn("mix", number)
            room.turn("temperature", 127 - number)
            time.sleep(0.5)
    late = [slot.counts.late for slot in room.slots]
    print(f"late: {late}, gaps: {sound.gaps}, slowest: {[slot.counts.worst for slot in room.slots]} s")
    assert [slot.counts.skipped for slot in room.slots] == [0, 0, 0]
    happenings = read_knobs(path.with_suffix(".mid")).happenings
    assert len(happenings) > 1.5 * PLAYED_SECONDS  # two a second
    with make(0) as again:
        heard = read_sound(path.with_name("floor.input.wav"), 4000)
        rendered = np.concatenate([mixed.samples for mixed in files.render(again, heard, happenings)])
    recorded = read_sound(path.with_suffix(".wav"), 4000)
    assert len(recorded) > 0.8 * PLAYED_SECONDS * 4000
    if not any(late):  # a busy machine may lose a block, and then that is not the same
        np.testing.assert_array_equal(recorded[3 * 128 :], rendered[: -3 * 128])
    assert sum(late) < 0.01 * 3 * room._number
    figure(
        "three networks of the live room, with a sound device that is none and knobs that are turned",
        f"{PLAYED_SECONDS} seconds, {3 * room._number:,} blocks of 32 ms",
        f"{plural(sum(late), 'block')} late; "
        + ("live is what the same is offline, sample for sample" if not any(late) else "so the sound was not compared"),
    )


@pytest.mark.slow
@pytest.mark.alone
def test_a_stall_is_counted(room: Make, figure: Figure) -> None:
    pytest.importorskip("miniaudio")
    stalled = Stalled()
    made = room(stalled, Drawing(1), prebuffer=3)
    with devices.Sound(stage_of(made), target=NULL, say=made.said.append):
        for _ in range(STALLS):
            time.sleep(9)
            before = made.slots[0].counts.late
            stalled.goes_on.clear()
            time.sleep(0.5)
            stalled.goes_on.set()
            until(lambda before=before: made.slots[0].counts.late >= before + 20)
    assert any("was late" in sentence or "keep up" in sentence for sentence in made.said)
    assert made.slots[1].counts.late < 20
    figure(
        "a network of the live room that stands still for half a second",
        plural(STALLS, "time"),
        f"all are counted and said, and it comes back; of another one {plural(made.slots[1].counts.late, 'block')} "
        f"of {made._number:,} came late",
    )
