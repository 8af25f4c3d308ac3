"""Samples as 256 levels and back, of mu-law and at equal distances."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workshop.audio.mu_law import LEVELS, SILENCE, decode, encode
from workshop.audio.quantisation import LINEAR

ALL = np.arange(LEVELS)


def test_every_value_comes_back() -> None:
    assert encode(decode(ALL)).tolist() == ALL.tolist()


def test_the_loudest_samples_come_back_exactly() -> None:
    assert decode(encode(np.array([1.0, -1.0]))).tolist() == [1.0, -1.0]


def test_what_is_too_loud_becomes_the_loudest() -> None:
    assert encode(np.array([1.5, -1e9, np.inf])).tolist() == [255, 0, 255]


def test_silence_is_the_value_for_it() -> None:
    assert encode(np.zeros(3)).tolist() == [SILENCE] * 3
    assert abs(decode(np.array([SILENCE]))[0]) < 1e-4


@given(st.lists(st.floats(-1, 1, width=32), min_size=1))
def test_a_sample_comes_back_to_within_half_a_step(samples: list[float]) -> None:
    values = encode(np.array(samples))
    found = decode(values)
    # The steps next to a value, to whose middles the sample could have gone instead.
    lower, upper = decode(np.maximum(values.astype(int) - 1, 0)), decode(np.minimum(values.astype(int) + 1, 255))
    assert (np.array(samples) <= upper + 1e-6).all()
    assert (np.array(samples) >= lower - 1e-6).all()
    assert values.dtype == np.uint8
    assert found.dtype == np.float32


def test_the_order_is_kept() -> None:
    assert (np.diff(decode(ALL)) > 0).all()
    assert (np.diff(encode(np.linspace(-1, 1, 10_001)).astype(int)) >= 0).all()


def test_loud_and_soft_sounds_keep_their_distance_from_the_noise_of_the_steps() -> None:
    """The signal-to-noise ratio of mu-law with 256 steps is near 38 dB, whatever the level; with 256 equal steps a sine
    at 30 dB below the loudest would have 20 dB.
    """
    time = np.arange(16_000) / 16_000
    for decibels in (0, -10, -20, -30):
        sine = 10 ** (decibels / 20) * np.sin(2 * np.pi * 441 * time)
        noise = decode(encode(sine)) - sine
        ratio = 10 * np.log10(np.mean(sine**2) / np.mean(noise**2))
        assert 32 < ratio < 42, (decibels, ratio)


# ---- at equal distances


def test_every_linear_level_comes_back() -> None:
    assert LINEAR.encode(LINEAR.decode(ALL)).tolist() == ALL.tolist()
    assert np.unique(np.diff(LINEAR.decode(ALL))).tolist() == [1 / 128]


def test_linear_silence_is_silence() -> None:
    assert LINEAR.encode(np.zeros(3)).tolist() == [SILENCE] * 3
    assert LINEAR.decode(np.array([SILENCE])).tolist() == [0.0]


def test_what_is_too_loud_becomes_the_loudest_linear_level() -> None:
    assert LINEAR.encode(np.array([1.0, 1.5, np.inf, -1.0, -1e9])).tolist() == [255, 255, 255, 0, 0]


@given(st.lists(st.floats(-1, 1 - 1 / 256, width=32), min_size=1))
def test_a_sample_is_kept_to_within_half_a_linear_step(samples: list[float]) -> None:
    levels = LINEAR.encode(np.array(samples))
    assert np.abs(LINEAR.decode(levels) - samples).max() <= 1 / 256
    assert (levels.dtype, LINEAR.decode(levels).dtype) == (np.uint8, np.float32)
