"""Piano rolls: what is drawn where, for any notes, and files of them."""

import gc
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from workshop.audio.spectrogram import spectrogram
from workshop.errors import UserError
from workshop.notes.midifiles import pitch_name
from workshop.notes.roll import (
    BEAT,
    LEFT,
    PAGE_BARS,
    PAGE_WIDTH,
    ROLL_BARS,
    ROLL_WIDTH,
    SCALE,
    SMALL,
    TITLE,
    piano_roll,
)
from workshop.pictures import HEIGHT, WIDTH, clear_away, write_png
from workshop.run.curves import draw_curves

NOTE = st.tuples(st.floats(0, 1000), st.floats(0, 100), st.integers(0, 127), st.integers(1, 127))


def piece(*notes: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(notes, np.float64).reshape(-1, 4)


def coloured(picture: np.ndarray) -> np.ndarray:
    """Where notes are: bool [H, W]."""
    part = picture.astype(int)
    return np.asarray(part.max(axis=2) - part.min(axis=2) > 40)


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (69, "A4"), (61, "C#4"), (0, "C-1"), (127, "G9"), (59, "B3")])
def test_pitches_have_their_names(pitch: int, name: str) -> None:
    assert pitch_name(pitch) == name


def boxes(picture: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of each note in a roll of one colour, from top to bottom."""
    there, found = coloured(picture), []
    while there.any():
        top, left = (int(number) for number in np.argwhere(there)[0])
        right = left + int(np.argmin(np.append(there[top + 2, left:], False)))
        bottom = top + int(np.argmin(np.append(there[top:, left + 2], False)))
        there[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = False
        found.append((left, top, right, bottom))
    return found


def rows_of(picture: np.ndarray) -> int:
    """How many rows of bars there are: dark lines above and below each."""
    dark = (np.abs(picture[:, LEFT + 4 : LEFT + BEAT].astype(int) - (154, 160, 172)).max(axis=2) < 40).mean(
        axis=1
    ) > 0.95
    return int(np.diff(dark.astype(int), prepend=0).clip(0).sum()) // 2


def test_an_empty_roll_has_bars_and_no_notes() -> None:
    picture = piano_roll(np.zeros((0, 4)), "nothing")
    assert picture.shape[1] == ROLL_WIDTH
    assert picture.dtype == np.uint8
    assert not coloured(picture).any()
    assert rows_of(picture) == 1


@given(notes=st.lists(NOTE, min_size=1, max_size=20), title=st.text(max_size=200), beats=st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_any_notes_can_be_drawn(notes: list[tuple[float, float, int, int]], title: str, beats: int) -> None:
    music = piece((0, 1, 60, 64), *((start, start + length, pitch, loud) for start, length, pitch, loud in notes))
    picture = piano_roll(music, title, beats)
    assert picture.shape[2] == 3
    assert coloured(picture).any()


def test_a_roll_fits_into_tensorboards_images() -> None:
    """There a picture is 350 pixels wide: 8 of them for a sixteenth, and letters that can be read."""
    music = piece(*((beat / 4, beat / 4 + 0.25, 60 + beat % 12, 64) for beat in range(40 * 16)))
    picture = piano_roll(music, "long")
    assert picture.shape[1] == ROLL_WIDTH
    widths = [right - left for left, _, right, _ in boxes(picture)]
    assert len(widths) == ROLL_BARS * 16
    assert 8 <= ROLL_BARS <= 16
    assert np.median(widths) * 350 / ROLL_WIDTH >= 8
    assert SMALL * 350 / ROLL_WIDTH >= 9
    # So wide, it leaves out every other pixel: in even numbers, lines and letters stay what they are.
    assert ROLL_WIDTH == 2 * 350


def test_a_note_is_where_its_beat_and_its_pitch_are() -> None:
    # Bars of four beats, two in a row: the third note is the first of the second row.
    high, low, next_row = boxes(piano_roll(piece((1, 2, 60, 64), (6.5, 7, 72, 64), (8, 10, 60, 64))))
    assert abs(low[0] - (LEFT + BEAT)) <= 2
    assert abs(low[2] - (LEFT + 2 * BEAT)) <= 2
    assert abs(high[0] - (LEFT + 6.5 * BEAT)) <= 2
    assert abs(next_row[0] - LEFT) <= 2
    assert abs(next_row[2] - (LEFT + 2 * BEAT)) <= 2
    semitone = (low[1] - high[1]) / 12
    assert 6 <= semitone <= 10
    assert next_row[1] > low[3]


def test_a_note_across_the_end_of_a_row_goes_on_in_the_next() -> None:
    first, second = boxes(piano_roll(piece((7, 10, 60, 64))))
    assert (first[2] - first[0]) / BEAT == pytest.approx(1, abs=0.05)
    assert (second[2] - second[0]) / BEAT == pytest.approx(2, abs=0.05)
    assert abs(second[0] - LEFT) <= 2


def test_bars_are_as_long_as_their_beats() -> None:
    music = piece(*((beat, beat + 1, 60, 64) for beat in range(24)))
    for beats, rows in ((3, 4), (4, 3), (2, 3)):
        assert rows_of(piano_roll(music, beats=beats, bars=100)) == rows


def test_a_page_has_the_whole_piece() -> None:
    music = piece(*((beat, beat + 1, 60 + beat % 7, 64) for beat in range(49 * 4)))
    picture = piano_roll(music, "piece_01", bars=PAGE_BARS, width=PAGE_WIDTH)
    assert picture.shape[1] == PAGE_WIDTH
    assert len(boxes(picture)) == 49 * 4
    assert rows_of(picture) == -(-49 // 4)


def test_only_the_first_bars_are_drawn_where_that_is_asked_and_said() -> None:
    music = piece(*((beat, beat + 1, 60, 64) for beat in range(40)))
    cut, whole = piano_roll(music, "x"), piano_roll(music[:32], "x")
    assert cut.shape == whole.shape
    assert (cut[TITLE:] == whole[TITLE:]).all()
    assert (cut[:TITLE] != whole[:TITLE]).any()


def test_colour_is_velocity_where_velocities_differ() -> None:
    soft_and_loud = piano_roll(piece((0, 2, 60, 20), (2, 4, 60, 120)))
    # Without the scale below.
    notes = soft_and_loud[:-SCALE]
    left, right = notes[:, : LEFT + 2 * BEAT], notes[:, LEFT + 2 * BEAT :]
    soft, loud = (np.median(half[coloured(half)], axis=0) for half in (left, right))
    assert soft[2] > soft[0]
    assert loud[0] > loud[2]
    for velocity in (20, 120):
        same = piano_roll(piece((0, 2, 60, velocity), (2, 4, 60, velocity)))
        assert same.shape[0] == soft_and_loud.shape[0] - SCALE
        assert (same == piano_roll(piece((0, 2, 60, 64), (2, 4, 60, 64)))).all()


def test_nothing_is_cut_off() -> None:
    """The outermost pixels are background, whatever is written beside the axes."""
    for notes in (piece((0, 10_800, 0, 64), (1, 2, 127, 64)), piece((0, 1e-3, 61, 64)), np.zeros((0, 4))):
        picture = piano_roll(notes, "a title that is long " * 20)
        edges = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (edges == 255).all()


@pytest.mark.slow
def test_thousands_of_notes_are_drawn_as_one_collection() -> None:
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 600, 5000)
    notes = np.stack([start, start + 0.2, rng.integers(21, 109, 5000), rng.integers(1, 128, 5000)], 1).astype(float)
    piano_roll(notes[:1])
    begin = time.process_time()
    picture = piano_roll(notes, bars=PAGE_BARS, width=PAGE_WIDTH)
    # It takes a fifth of a second; one patch for each note would take many.
    assert time.process_time() - begin < 5
    assert coloured(picture).sum() > 5000


def test_the_same_notes_give_the_same_picture() -> None:
    notes = piece((0, 1, 60, 90), (1, 2, 67, 40))
    assert (piano_roll(notes, "x") == piano_roll(notes, "x")).all()


def test_matplotlibs_global_state_is_left_alone(tmp_path: Path) -> None:
    """No pyplot, nothing in the terminal even where the cache of fonts has yet to be made, and no import before use."""
    code = (
        "import sys, numpy as np; import workshop.notes.roll; assert 'matplotlib' not in sys.modules; "
        "workshop.notes.roll.piano_roll(np.zeros((0, 4))); assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"MPLCONFIGDIR": str(tmp_path)}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_png_holds_the_picture(tmp_path: Path) -> None:
    from PIL import Image

    picture = piano_roll(piece((0, 1, 60, 90)))
    path = tmp_path / "new folder" / "roll.png"
    write_png(path, picture)
    with Image.open(path) as image:
        assert (np.asarray(image) == picture).all()
    assert [one.name for one in path.parent.iterdir()] == ["roll.png"]


def test_a_png_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"roll\.png cannot be written: .*another folder"):
        write_png(tmp_path / "file" / "roll.png", np.zeros((4, 4, 3), np.uint8))


def test_a_tone_is_bright_where_it_sounds_and_dark_elsewhere() -> None:
    rate = 8000
    time = np.arange(rate) / rate
    low, high = (spectrogram(np.sin(2 * np.pi * hertz * time), rate) for hertz in (500, 3500))
    assert low.shape == high.shape == (HEIGHT, WIDTH, 3)
    rows = [picture[150:, 300:700].astype(int).sum(axis=(1, 2)) for picture in (low, high)]
    # The high tone's bright line lies above the low one's, by about the share of the range that is between them.
    assert 120 < rows[0][:190].argmax() - rows[1][:190].argmax() < 210


def test_silence_and_no_samples_at_all_are_drawn() -> None:
    for samples in (np.zeros(4000), np.zeros(0), np.zeros(3)):
        assert spectrogram(samples, 8000, "nothing").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("title", ["$\\frac{", "\udcff\x1b[2J", "a\nb" * 99])
def test_any_name_can_be_a_title(title: str) -> None:
    run = {"history": [{"step": 1, "validation": 2.0}], "baseline": {"1": 1.5}}
    draw_curves(BytesIO(), run, title)
    assert piano_roll(piece((0, 1, 60, 64)), title).shape[1] == ROLL_WIDTH
    assert spectrogram(np.zeros(9), 9, title).shape == (HEIGHT, WIDTH, 3)


def test_figures_lie_about_until_they_are_cleared_away() -> None:
    def figures() -> int:
        return sum(type(thing) is Figure for thing in gc.get_objects())

    clear_away()
    before = figures()
    gc.disable()
    try:
        spectrogram(np.zeros(1000), 8000)
        assert figures() == before + 1
        clear_away()
    finally:
        gc.enable()
    assert figures() == before
