"""Notes to sound: the right pitch at the right time, in the sound of an instrument, whatever the notes are."""

import subprocess
import sys
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.audio import soundfont, synthesis
from workshop.audio.synthesis import LONGEST_NOTE, LONGEST_PIECE, LONGEST_RELEASE, RATE, render, write_wav
from workshop.errors import UserError

PIANO, GUITAR, VIOLIN, FLUTE, SQUARE = 0, 24, 40, 73, 80
NOTE = st.tuples(st.floats(0, 3), st.floats(-0.1, 1), st.integers(0, 127), st.integers(1, 127))


def piece(*notes: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(notes, np.float64).reshape(-1, 4)


def hertz(pitch: float) -> float:
    return 440 * 2 ** ((pitch - 69) / 12)


def spectrum(sound: np.ndarray, rate: int = RATE) -> tuple[np.ndarray, np.ndarray]:
    size = 1 << 18
    return np.fft.rfftfreq(size, 1 / rate), np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))


def loudness(sound: np.ndarray, start: float, end: float) -> float:
    """Root mean square between two seconds."""
    part = sound[int(start * RATE) : int(end * RATE)].astype(np.float64)
    return float(np.sqrt((part**2).mean()))


@pytest.mark.parametrize("program", [PIANO, GUITAR, VIOLIN, 56, FLUTE])
@pytest.mark.parametrize("pitch", [48, 60, 69, 76, 84])
def test_the_fundamental_is_the_pitch(program: int, pitch: int) -> None:
    frequencies, strengths = spectrum(render(piece((0, 2, pitch, 100)), program)[RATE // 5 : 2 * RATE])
    near = np.abs(frequencies / hertz(pitch) - 1) < 0.2
    assert frequencies[near][strengths[near].argmax()] == pytest.approx(hertz(pitch), rel=0.01)
    # There is nothing to speak of below it.
    assert strengths[frequencies < hertz(pitch) * 0.8].max() < strengths[near].max() / 10


@pytest.mark.parametrize("program", [PIANO, VIOLIN, FLUTE])
def test_it_is_an_instrument_and_no_beep(program: int) -> None:
    frequencies, strengths = spectrum(render(piece((0, 2, 60, 100)), program)[RATE // 5 : 2 * RATE])
    harmonics = [strengths[np.abs(frequencies - k * hertz(60)) < 20].max() for k in (1, 2, 3, 4)]
    assert min(harmonics) > harmonics[0] / 100


def test_a_piano_dies_away_and_a_violin_sings_on() -> None:
    piano, violin = (render(piece((0, 3, 60, 100)), program) for program in (PIANO, VIOLIN))
    assert loudness(piano, 2.5, 2.9) < loudness(piano, 0.1, 0.5) / 4
    assert loudness(violin, 2.5, 2.9) > loudness(violin, 0.1, 0.5) / 2


@pytest.mark.parametrize("program", [PIANO, GUITAR, VIOLIN])
def test_instruments_differ(program: int) -> None:
    notes = piece((0, 1, 60, 100))
    flute, other = render(notes, FLUTE), render(notes, program)
    shared = min(len(flute), len(other))
    assert np.abs(flute[:shared] - other[:shared]).max() > 0.2


@pytest.mark.parametrize("rate", [RATE, 16000, 44100])
def test_notes_begin_when_they_should(rate: int) -> None:
    sound = render(piece((0.5, 0.7, 69, 100), (2.25, 2.4, 60, 100)), GUITAR, rate)
    for start, silent_from in ((0.5, 0.0), (2.25, 1.75)):
        heard = np.flatnonzero(np.abs(sound[int(silent_from * rate) :]) > 1e-3)[0] / rate + silent_from
        assert heard == pytest.approx(start, abs=0.003)
        assert heard >= start


@given(start=st.floats(0, 2))
@settings(max_examples=10, deadline=None)
def test_a_note_sounds_the_same_at_any_time(start: float) -> None:
    first = round(start * RATE)
    # A whole number of samples, 4410: a note is let go of at a sample.
    at_once, later = (render(piece((s, s + 0.2, 64, 80)), GUITAR) for s in (0.0, first / RATE))
    assert not later[:first].any()
    assert abs(len(later) - first - len(at_once)) <= 1
    shared = min(len(at_once), len(later) - first)
    assert np.allclose(later[first : first + shared], at_once[:shared], atol=1e-6)


def test_it_is_quiet_between_notes_and_before_the_first() -> None:
    sound = render(piece((1, 1.5, 60, 100), (4, 4.5, 64, 100)))
    assert not sound[: RATE - 1].any()
    assert np.abs(sound[int(2.5 * RATE) : 4 * RATE - 1]).max() < 1e-3
    assert np.abs(sound[4 * RATE :]).max() > 0.5


@pytest.mark.parametrize("program", [PIANO, VIOLIN, FLUTE])
def test_a_higher_velocity_is_louder(program: int) -> None:
    sound = render(piece((0, 1, 60, 30), (3, 4, 60, 70), (6, 7, 60, 120)), program)
    soft, middle, loud = (loudness(sound, start, start + 1) for start in (0, 3, 6))
    assert loud > 2 * middle
    assert middle > 2 * soft
    assert soft > 0.001


def test_the_same_notes_give_the_same_samples() -> None:
    notes = piece((0, 0.5, 60, 90), (0.3, 0.9, 67, 40))
    first = render(notes, VIOLIN)
    synthesis._tone.cache_clear()
    soundfont._zones.cache_clear()
    assert (render(notes, VIOLIN) == first).all()


@pytest.mark.parametrize("program", [PIANO, VIOLIN])
def test_overlapping_notes_of_one_pitch_add_up(program: int) -> None:
    """Each sounds as it would alone, though they share what is made of their pitch."""
    notes = piece((0, 6, 60, 100), (0.5, 1, 60, 100), (0.6, 0.6, 60, 50), (4, 4.5, 60, 127))
    together = render(notes, program)
    total = np.zeros(len(together))
    for note in notes:
        first = round(note[0] * RATE)
        alone = synthesis._voice(soundfont.sounding(program, 60)[0], 60, max(note[1] - note[0], 0.05), RATE)
        alone = alone[: len(total) - first]
        total[first : first + len(alone)] += alone * (note[3] / 127) ** 2
    assert np.allclose(together, total * (0.9 / np.abs(total).max()), atol=1e-4)


def test_a_note_is_the_beginning_of_a_longer_one() -> None:
    long, short = (render(piece((0, end, 60, 100), (20, 20.5, 60, 127))) for end in (9, 0.5))
    assert np.allclose(long[: RATE // 2], short[: RATE // 2], atol=1e-3)


def test_two_hundred_notes_at_once_do_not_clip() -> None:
    sound = render(piece(*((0, 1, 21 + n % 88, 127) for n in range(200))))
    assert np.abs(sound).max() == pytest.approx(0.9, abs=1e-5)
    assert (np.abs(sound) > 0.89).mean() < 0.001


@given(notes=st.lists(NOTE, min_size=1, max_size=6), program=st.sampled_from([0, 14, 48, 73, 127]))
@settings(max_examples=25, deadline=None)
def test_any_notes_give_sound(notes: list[tuple[float, float, int, int]], program: int) -> None:
    sound = render(
        piece(*((start, start + length, pitch, velocity) for start, length, pitch, velocity in notes)), program
    )
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 0.9001
    end = max(start + max(length, 0) for start, length, *_ in notes)
    assert end * RATE - 1 <= len(sound) <= (end + LONGEST_RELEASE + 1) * RATE


@pytest.mark.slow
def test_every_instrument_plays() -> None:
    for program in range(128):
        assert np.abs(render(piece((0, 0.3, 60, 100)), program)).max() == pytest.approx(0.9, abs=1e-5)


@pytest.mark.parametrize("program", [PIANO, GUITAR, FLUTE])
def test_a_note_without_length_is_struck_all_the_same(program: int) -> None:
    sound = render(piece((0, 1, 60, 100), (2, 2, 60, 100), (3, 2.9, 60, 100)), program)
    assert min(np.abs(sound[start * RATE : (start + 1) * RATE]).max() for start in (2, 3)) > 0.05


def test_nothing_is_a_short_silence() -> None:
    sound = render(np.zeros((0, 4)))
    assert sound.dtype == np.float32
    assert 0 < len(sound) <= RATE
    assert not sound.any()


def test_the_last_note_fades_and_does_not_click() -> None:
    sound = render(piece((0, 1, 72, 100)), FLUTE)
    assert RATE < len(sound) < 3 * RATE
    assert np.abs(sound[-100:]).max() < 1e-3
    quarters = [loudness(sound, 1 + t, 1 + t + 0.05) for t in (0, 0.05, 0.1, 0.15)]
    assert all(later < earlier for earlier, later in pairwise(quarters))


def test_a_stuck_note_is_let_go_of() -> None:
    sound = render(piece((0, 1e6, 60, 100), (1, 2, 64, 100)), VIOLIN)
    assert LONGEST_NOTE * RATE <= len(sound) <= (LONGEST_NOTE + LONGEST_RELEASE + 1) * RATE


def test_a_piece_of_hours_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(UserError, match=r"180 minutes.*60 minutes.*part of it"):
        render(piece((0, 1, 60, 100), (3 * LONGEST_PIECE, 3 * LONGEST_PIECE + 1, 60, 100)))
    with pytest.raises(UserError, match="too long"):
        render(piece((1e300, 1e300, 60, 100)))


def test_a_loop_has_no_seam() -> None:
    """A held note of a sample that is a few periods long has nothing between its partials."""
    frequencies, strengths = spectrum(render(piece((0, 3, 60, 100)), SQUARE)[RATE : 3 * RATE])
    between = [strengths[np.abs(frequencies - (k + 0.5) * hertz(60)) < 40].max() for k in (1, 2, 3, 4)]
    assert max(between) < strengths.max() / 10_000


@pytest.mark.parametrize("program", [VIOLIN, SQUARE])
def test_high_notes_do_not_come_back_as_false_tones(program: int) -> None:
    """From its fourth on, the partials of this note are above half the rate."""
    frequencies, strengths = spectrum(render(piece((0, 2, 103, 100)), program)[RATE // 2 : 2 * RATE])
    partials = np.round(frequencies / hertz(103))
    off = np.abs(frequencies - partials * hertz(103)) > 200
    assert strengths[off].max() < strengths.max() / 1000


def test_nothing_else_is_imported_to_play() -> None:
    code = (
        "import sys, numpy as np; from workshop.audio.synthesis import render; render(np.array([[0, 1, 60, 90.0]])); "
        "print({'pretty_midi', 'socket', 'tensorflow', 'keras', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@given(samples=st.lists(st.floats(-1.5, 1.5, width=32), max_size=50), rate=st.sampled_from([8000, RATE, 44100]))
@settings(max_examples=25, deadline=None)
def test_a_wav_file_holds_the_samples(
    samples: list[float], rate: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("wav") / "new folder" / "sound.wav"
    write_wav(path, np.array(samples, np.float32), rate)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        back = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    assert np.allclose(back, np.clip(samples, -1, 1), atol=1 / 32767)
    assert [one.name for one in path.parent.iterdir()] == ["sound.wav"]


def test_a_wav_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"sound\.wav cannot be written: .*another folder"):
        write_wav(tmp_path / "file" / "sound.wav", np.zeros(10, np.float32))
