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

from workshop.errors import UserError
from workshop.pictures import HEIGHT, WIDTH, clear_away, draw_curves, piano_roll, pitch_name, spectrogram, write_png

NOTE = st.tuples(st.floats(0, 1000), st.floats(0, 100), st.integers(0, 127), st.integers(1, 127))


def piece(*notes: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(notes, np.float64).reshape(-1, 4)


def coloured(picture: np.ndarray) -> np.ndarray:
    """Where notes are: bool [H, W], without the bar of velocities at the right."""
    part = picture[:, : int(WIDTH * 0.92)].astype(int)
    return np.asarray(part.max(axis=2) - part.min(axis=2) > 40)


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (69, "A4"), (61, "C#4"), (0, "C-1"), (127, "G9"), (59, "B3")])
def test_pitches_have_their_names(pitch: int, name: str) -> None:
    assert pitch_name(pitch) == name


def test_an_empty_roll_has_axes_and_no_notes() -> None:
    picture = piano_roll(np.zeros((0, 4)), "nothing")
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.uint8
    assert not coloured(picture).any()
    assert (picture < 100).any()


@given(notes=st.lists(NOTE, min_size=1, max_size=20), title=st.text(max_size=200))
@settings(max_examples=15, deadline=None)
def test_any_notes_can_be_drawn(notes: list[tuple[float, float, int, int]], title: str) -> None:
    picture = piano_roll(
        piece(*((start, start + length, pitch, velocity) for start, length, pitch, velocity in notes)), title
    )
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert coloured(picture).any()


def test_later_is_further_right_and_higher_is_further_up() -> None:
    def middle(*notes: tuple[float, float, float, float]) -> tuple[float, float]:
        # Two soft notes in the corners keep the axes where they are.
        frame = piece((0, 0.1, 48, 1), (9.9, 10, 84, 1))
        difference = piano_roll(np.concatenate([frame, piece(*notes)])) != piano_roll(frame)
        rows, columns = np.nonzero(difference.any(axis=2))
        return rows.mean(), columns.mean()

    early_low, late_high = middle((1, 2, 55, 100)), middle((7, 8, 79, 100))
    assert late_high[0] < early_low[0] - HEIGHT / 4
    assert late_high[1] > early_low[1] + WIDTH / 3


def test_colour_is_velocity() -> None:
    soft, loud = (piano_roll(piece((0, 4, 60, velocity))) for velocity in (20, 120))
    soft_colour, loud_colour = (np.median(one[:, : int(WIDTH * 0.92)][coloured(one)], axis=0) for one in (soft, loud))
    assert soft_colour[2] > soft_colour[0]
    assert loud_colour[0] > loud_colour[2]


def test_nothing_is_cut_off() -> None:
    """The outermost pixels are background, whatever is written beside the axes."""
    for notes in (piece((0, 10_800, 0, 64), (1, 2, 127, 64)), piece((0, 1e-3, 61, 64)), np.zeros((0, 4))):
        picture = piano_roll(notes, "a title that is long " * 20)
        edges = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (edges == 255).all()


def test_thousands_of_notes_are_drawn_as_one_collection() -> None:
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 600, 5000)
    notes = np.stack([start, start + 0.2, rng.integers(21, 109, 5000), rng.integers(1, 128, 5000)], 1).astype(float)
    piano_roll(notes[:1])
    begin = time.process_time()
    picture = piano_roll(notes)
    # It takes a fifth of a second; one patch for each note would take many.
    assert time.process_time() - begin < 5
    assert coloured(picture).sum() > 5000


def test_the_same_notes_give_the_same_picture() -> None:
    notes = piece((0, 1, 60, 90), (1, 2, 67, 40))
    assert (piano_roll(notes, "x") == piano_roll(notes, "x")).all()


def test_matplotlibs_global_state_is_left_alone(tmp_path: Path) -> None:
    """No pyplot, nothing in the terminal even where the cache of fonts has yet to be made, and no import before use."""
    code = (
        "import sys, numpy as np; import workshop.pictures; assert 'matplotlib' not in sys.modules; "
        "workshop.pictures.piano_roll(np.zeros((0, 4))); assert 'matplotlib.pyplot' not in sys.modules"
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
    assert piano_roll(piece((0, 1, 60, 64)), title).shape == spectrogram(np.zeros(9), 9, title).shape


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
