"""Bars of drums for a network that makes loops."""

import numpy as np
import pytest

from workshop.audio import drum_loops
from workshop.audio.drum_kits import DRUMS, KITS, strokes, tuned
from workshop.audio.drum_loops import BARS, FILLS, PATTERNS, SAMPLES, STEPS, Song, songs


@pytest.mark.parametrize("kit", KITS)
def test_strokes_are_heard_and_die_away(kit: str) -> None:
    played = strokes(tuned(KITS[kit], np.random.default_rng(0)), 22_050, np.random.default_rng(1))
    assert set(played) == set(DRUMS)
    for stroke in played.values():
        assert np.isfinite(stroke).all()
        assert 0.05 < np.abs(stroke).max() < 3
        assert np.abs(stroke[-5:]).max() < 0.02 * np.abs(stroke).max()
        assert abs(stroke[0]) < 0.2  # no click


def test_kits_differ_in_where_their_sound_is() -> None:
    def middle(kit: str, drum: str) -> float:
        power = np.abs(np.fft.rfft(strokes(KITS[kit], 22_050, np.random.default_rng(0))[drum], 1 << 15)) ** 2
        return float((power * np.linspace(0, 11_025, len(power))).sum() / power.sum())

    assert middle("deep", "kick") < middle("small", "kick")
    assert middle("dusty", "hat") < middle("small", "hat")


def test_patterns_and_fills_have_all_their_steps() -> None:
    for pattern in PATTERNS.values():
        assert {len(line) for line in pattern.values()} == {STEPS}
        assert set(pattern) <= set(DRUMS)
        assert set("".join(pattern.values())) <= set("Xxo-")
    for fill in FILLS.values():
        assert len({len(line) for line in fill.values()}) <= 1


def test_a_song_is_bars_of_one_length_that_loop() -> None:
    bars = list(Song("punchy", "break", 2).bars())
    assert [fill == "none" for fill, _ in bars] == [bar == "none" for bar in BARS]
    loudest = max(np.abs(bar).max() for _, bar in bars)
    assert 10 ** (-9 / 20) - 1e-3 <= loudest <= 10 ** (-1 / 20) + 1e-3
    for _, bar in bars:
        assert (len(bar), bar.dtype) == (SAMPLES, np.float32)
    assert not np.array_equal(bars[0][1], bars[1][1])


def test_the_end_goes_on_at_the_beginning() -> None:
    """An open hi-hat in the last step is heard in the first ones."""
    pattern = {drum: "-" * STEPS for drum in DRUMS} | {"open": "-" * 15 + "X"}
    takes = [strokes(KITS["skins"], 22_050, np.random.default_rng(0))] * 2
    sound = drum_loops._played(pattern, takes, 0.0, np.random.default_rng(0), 22_050)
    step = SAMPLES // STEPS
    assert np.std(sound[:step]) > 5 * np.std(sound[12 * step : 14 * step])


def test_a_fill_takes_the_place_of_the_last_steps() -> None:
    played = drum_loops._with_fill(PATTERNS["rock"], "gap")
    assert played["kick"] == "X-----X-" + "--------"
    assert played["snare"] == "----X---" + "--------"
    assert played["open"] == "--------" + "------X-"
    assert drum_loops._with_fill(PATTERNS["rock"], "none")["snare"] == PATTERNS["rock"]["snare"]


def test_the_same_song_is_the_same_and_another_number_another() -> None:
    one, same, other = (next(Song("deep", "four", number).bars())[1] for number in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_there_are_three_thousand_bars() -> None:
    assert len(songs()) * len(BARS) >= 3000
    assert len({song.name for song in songs()}) == len(songs())
