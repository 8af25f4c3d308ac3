"""Silence, clipping and noise are noticed, and what is none of them is left alone."""

import numpy as np
import pytest

from workshop import ROOT
from workshop.audio import mu_law
from workshop.audio.audiofiles import read
from workshop.audio.quality import flatness, judge
from workshop.audio.synthesis import render

SPEECH = ROOT.parent / "shared" / "data" / "fsdd_jackson"


def sine(level: float = 0.5, hertz: float = 440, count: int = 16000) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(count) / 16000)).astype(np.float32)


def noise(decibels: float, count: int = 16000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10 ** (decibels / 20), count).astype(np.float32)


def quantised(samples: np.ndarray) -> np.ndarray:
    """As a network would have made them."""
    return mu_law.decode(mu_law.encode(samples))


def verdict(samples: np.ndarray) -> str:
    """The first word; there is advice exactly where there is something to be done."""
    judgement = judge(samples)
    word = judgement.words.split()[0]
    assert bool(judgement.advice) == (word != "at")
    assert judgement.words.rstrip(")").endswith(" dB")
    return word


def test_silence_is_noticed() -> None:
    assert verdict(np.zeros(16000)) == "silence"
    assert verdict(np.empty(0)) == "silence"
    assert verdict(np.zeros(1)) == "silence"
    assert verdict(mu_law.decode(np.full(16000, mu_law.SILENCE))) == "silence"
    assert verdict(noise(-70)) == "silence"
    assert verdict(quantised(noise(-50))) == "silence"


def test_a_constant_is_silence_at_any_level() -> None:
    for value in (0, 3, 100, 127, 200, 255):
        assert verdict(mu_law.decode(np.full(16000, value))) == "silence"
    assert verdict(0.3 + sine(0.0005)) == "silence"


def test_a_soft_sound_is_not_silence() -> None:
    assert verdict(sine(0.002)) == "at"
    assert verdict(quantised(sine(0.01))) == "at"
    # A note in a long pause.
    assert verdict(np.concatenate([np.zeros(48000), sine(0.2, count=4000), np.zeros(48000)])) == "at"


def test_clipping_is_noticed() -> None:
    assert verdict(np.clip(sine(3.0), -1, 1)) == "clipped"
    assert verdict(quantised(sine(3.0))) == "clipped"
    assert verdict(np.sign(sine() + 1e-6)) == "clipped"


def test_a_loud_sound_is_not_clipped() -> None:
    assert verdict(sine(0.99)) == "at"
    some = sine(0.9)
    some[[100, 2000]] = 1
    assert verdict(some) == "at"


@pytest.mark.parametrize("decibels", [-10, -15, -20, -30, -40])
def test_white_noise_that_can_be_heard_is_noticed(decibels: int) -> None:
    for seed in range(5):
        for count in (1500, 8000, 30000):
            samples = noise(decibels, count, seed)
            assert verdict(samples) == "noise"
            assert verdict(quantised(samples)) == "noise"


def test_what_a_network_makes_that_knows_nothing_is_noise() -> None:
    values = np.random.default_rng(0).integers(0, mu_law.LEVELS, 16000)
    assert verdict(mu_law.decode(values)) == "noise"


def test_flatness_tells_a_tone_from_noise() -> None:
    assert flatness(sine()) < 0.001
    assert 0.5 < flatness(noise(-20)) < 0.65
    assert flatness(sine() + noise(-40)) < 0.1
    assert flatness(sine(count=100)) == 0
    assert flatness(np.zeros(1000)) < 1.001


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("program", [0, 10, 24, 30, 40, 56, 61, 73, 84, 115, 117, 118, 119])
def test_instruments_are_not_noise(program: int, rate: int) -> None:
    notes = np.array([[0.25 * k, 0.25 * k + 0.3, pitch, 90] for k, pitch in enumerate((60, 72, 48, 84))])
    samples = quantised(render(notes, program, rate))
    assert verdict(samples) == "at"
    assert flatness(samples) < 0.2


@pytest.mark.parametrize("rate", [8000, 16000])
def test_speech_is_not_noise(rate: int) -> None:
    if not SPEECH.is_dir():
        pytest.skip("the shared data (fsdd_jackson) is not here")
    files = sorted(SPEECH.glob("*.wav"))
    assert files
    for file in files[::5]:
        samples = quantised(read(file, rate))
        assert verdict(samples) == "at", file
        assert flatness(samples) < 0.2, file
