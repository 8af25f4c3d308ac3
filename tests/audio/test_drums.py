"""Drum loops made of sine waves and noise."""

import numpy as np
import pytest

from workshop.audio import drums
from workshop.audio.drums import BEATS, HAT_EDGE, LOUDNESS, PATTERNS, PEAK, hit, loop, loops

RATE = 16000


def share_below(sound: np.ndarray, hertz: float) -> float:
    """The share of the energy that lies below a frequency."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float(power[np.fft.rfftfreq(len(sound), 1 / RATE) < hertz].sum() / power.sum())


def stroke(drum: str) -> np.ndarray:
    return hit(drum, RATE, np.random.default_rng(0))


# ---- single strokes


def test_a_kick_is_low_and_falls() -> None:
    kick = stroke("kick")
    assert share_below(kick, 250) > 0.95
    rises = np.flatnonzero((kick[:-1] < 0) & (kick[1:] >= 0))
    periods = np.diff(rises)
    assert periods[0] < periods[-1]
    assert RATE / periods[-1] == pytest.approx(52, rel=0.05)


def test_a_snare_has_a_tone_and_noise() -> None:
    snare = stroke("snare")
    assert 0.2 < share_below(snare, 400) < 0.9
    assert share_below(snare, 150) < 0.1
    assert share_below(snare, 2000) < 0.95


@pytest.mark.parametrize("drum", ["hat", "open"])
def test_hi_hats_are_high(drum: str) -> None:
    assert share_below(stroke(drum), HAT_EDGE - 500) < 0.02


def test_an_open_hi_hat_is_longer() -> None:
    assert len(stroke("open")) > 3 * len(stroke("hat"))


@pytest.mark.parametrize("drum", ["kick", "snare", "hat", "open"])
def test_strokes_die_away(drum: str) -> None:
    sound = stroke(drum)
    assert 0.4 < np.abs(sound).max() < 1.5
    assert np.abs(sound[-20:]).max() < 0.01


# ---- loops


def test_patterns_are_of_two_bars() -> None:
    assert len(loops()) == len(set(loops())) == 16
    for name, pattern in PATTERNS.items():
        lengths = {len(steps) for steps in pattern.strokes.values()}
        assert lengths in ({32}, {24}), name
        assert all(set(steps) <= {*LOUDNESS, "-"} for steps in pattern.strokes.values()), name
        assert {"kick", "snare", "hat"} <= set(pattern.strokes), name


@pytest.mark.parametrize(("name", "tempo"), loops())
def test_a_loop_is_two_bars_to_the_sample_and_loud(name: str, tempo: int) -> None:
    sound = loop(name, tempo, RATE)
    assert sound.dtype == np.float32
    assert len(sound) == round(2 * BEATS * 60 / tempo * RATE)
    assert np.abs(sound).max() == pytest.approx(PEAK)
    assert np.sqrt((sound**2).mean()) > 0.08


def test_strokes_are_where_the_pattern_says() -> None:
    sound = loop("half_time", 120, RATE)
    beat = RATE // 2
    # The pattern has loud snares on the third beat of each bar, and only a soft hi-hat just before.
    for third in (2, 6):
        before, after = (sound[third * beat + shift :][:1600] for shift in (-1600, 0))
        assert (after**2).mean() > 5 * (before**2).mean()


def test_what_sounds_at_the_end_goes_on_at_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    last = drums.Pattern((120,), {"kick": "-" * 31 + "X"})
    monkeypatch.setitem(PATTERNS, "last", last)
    sound = loop("last", 120, RATE)
    start = len(sound) * 31 // 32
    assert np.abs(sound[:1000]).max() > 0.1
    assert not sound[start - 4000 : start].any()
    assert abs(float(sound[0] - sound[-1])) < 0.1


def test_a_seed_is_a_loop() -> None:
    first = loop("funk", 104, RATE, seed=3)
    np.testing.assert_array_equal(first, loop("funk", 104, RATE, seed=3))
    assert np.abs(first - loop("funk", 104, RATE, seed=4)).max() > 0.01


def test_other_rates() -> None:
    assert len(loop("rock", 120, 22050)) == 4 * 22050
