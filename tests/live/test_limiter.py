"""The last in the chain: whatever comes, it is never louder than promised."""

import numpy as np
import pytest
import soxr

from live.limiter import AHEAD, Limiter

RATE, BLOCK, LENGTH = 22050, 512, 40 * 512
PROMISE = -1.0


def true_peak(samples: np.ndarray) -> float:
    """In dBFS, between the samples too; measured by another interpolation than the limiter's."""
    return 20 * np.log10(np.abs(soxr.resample(samples.astype(np.float64), 1, 8, quality="VHQ")).max() + 1e-12)


def ideal_peak(samples: np.ndarray) -> float:
    """In dBFS, by the interpolation that loses nothing up to half of the sample rate; for samples that begin and end in
    silence.
    """
    spectrum = np.fft.rfft(samples.astype(np.float64))
    return 20 * np.log10(8 * np.abs(np.fft.irfft(spectrum, 8 * len(samples))).max())


def limited(samples: np.ndarray, block: int = BLOCK) -> np.ndarray:
    limiter = Limiter(RATE)
    padded = np.append(samples, np.zeros(2 * BLOCK))
    return np.concatenate([limiter.process(padded[at : at + block]) for at in range(0, len(padded), block)])


def signals(seed: int = 0) -> dict[str, np.ndarray]:
    rng, time = np.random.default_rng(seed), np.arange(LENGTH)
    noise = rng.normal(size=LENGTH)
    return {
        "40 dB too loud": 100 * np.sin(0.3 * time),
        "noise": 100 * noise,
        "noise that clips": np.clip(10 * noise, -1, 1),
        "NaN": np.where(rng.random(LENGTH) < 0.1, np.nan, 3 * noise),
        "infinity": np.where(rng.random(LENGTH) < 0.1, np.inf, 50 * noise),
        "beyond float32": 1e300 * noise,
        "between the samples": 3 * np.sin(np.pi / 2 * time + np.pi / 4),
        "square": 100 * np.sign(np.sin(0.3 * time)),
        "up and down": 100 * (-1.0) ** time,
        "one sample": np.eye(1, LENGTH, LENGTH // 2)[0] * 1000,
        "bursts": np.where(time // 700 % 2 == 0, 0.05, 80) * noise,
    }


@pytest.mark.parametrize("name", signals())
def test_the_true_peak_is_below_the_promise(name: str) -> None:
    heard = limited(signals()[name])
    assert np.isfinite(heard).all()
    assert true_peak(heard) <= PROMISE
    assert np.abs(heard).max() > 0.1  # and it is not silent either


@pytest.mark.parametrize("name", ["noise", "noise that clips", "bursts"])
def test_noise_is_below_the_promise_however_it_is_interpolated(name: str) -> None:
    for seed in range(5):
        heard = limited(signals(seed)[name])
        assert max(true_peak(heard), ideal_peak(heard)) <= PROMISE


def test_the_measure_sees_what_is_between_the_samples() -> None:
    wave = np.sin(np.pi / 2 * np.arange(LENGTH) + np.pi / 4)
    assert 20 * np.log10(np.abs(wave).max()) < -3
    assert abs(true_peak(wave[100:-100] * np.hanning(LENGTH - 200))) < 0.1


def test_what_is_quiet_passes_as_it_is_and_late() -> None:
    wave = 0.5 * np.sin(0.05 * np.arange(LENGTH))
    np.testing.assert_allclose(limited(wave)[AHEAD : AHEAD + LENGTH], wave, atol=1e-6)


def test_it_lets_go_of_what_was_loud() -> None:
    wave = 0.2 * np.sin(0.05 * np.arange(4 * RATE))
    wave[1000:1100] *= 100
    np.testing.assert_allclose(limited(wave)[AHEAD + 2 * RATE : AHEAD + 4 * RATE], wave[2 * RATE :], atol=1e-6)


def test_blocks_of_any_length_give_the_same() -> None:
    wave = signals()["bursts"]
    np.testing.assert_allclose(limited(wave, 100), limited(wave, 512), atol=1e-6)
