"""The look-ahead limiter at the end of the chain: the true peak of its output is at most -1 dBFS, whatever comes in."""

import numpy as np

#: Threshold in dBFS. Below the promise, because peaks between samples are estimated, and differ between players.
CEILING = -2.3
#: Look-ahead in samples, which is its latency.
AHEAD = 64
#: Release in decibels a second.
RELEASE = 60.0
#: The input is clipped here, 200 dB over full scale.
_ABSURD = 1e10

#: For the true peak: the oversampling factor, and the half-width in samples of the windowed-sinc interpolators. Shorter
#: ones miss what lies near half of the sample rate: up to half a decibel of white noise.
_OVERSAMPLING, _REACH = 8, 32


def _interpolators() -> np.ndarray:
    """Windowed-sinc filters [oversampling - 1, 2 * reach] that interpolate between two samples."""
    places = np.arange(1 - _REACH, _REACH + 1)
    shifts = np.arange(1, _OVERSAMPLING)[:, None] / _OVERSAMPLING - places
    return np.sinc(shifts) * np.cos(np.pi * shifts / (2 * _REACH + 2))


class Limiter:
    """Limits block by block, and carries its state from one to the next; the latency is `AHEAD` samples.

    Args:
        rate: samples a second.
    """

    def __init__(self, rate: int):
        self._slope = RELEASE / rate
        self._filters = _interpolators()
        # Of what came before: for the peaks between samples, for the delay, and for the two windows of attenuation.
        self._heard = np.zeros(2 * _REACH - 1)
        self._waiting = np.zeros(AHEAD)
        self._needed = np.zeros(AHEAD)
        self._held = np.zeros(AHEAD - _REACH - 1)
        self._last = 0.0

    def process(self, samples: np.ndarray) -> np.ndarray:
        """The samples float32 [N] of `AHEAD` samples ago, limited. Values that are not finite become silence."""
        clean = np.clip(np.nan_to_num(samples.astype(np.float64), nan=0, posinf=0, neginf=0), -_ABSURD, _ABSURD)
        attenuation = self._smooth(self._released(np.maximum(20 * np.log10(self._peaks(clean)) - CEILING, 0)))
        delayed = np.concatenate([self._waiting, clean])
        self._waiting = delayed[len(clean) :]
        return (delayed[: len(clean)] * 10 ** (attenuation / -20)).astype(np.float32)

    def _peaks(self, clean: np.ndarray) -> np.ndarray:
        """The largest value at each sample and between it and its neighbour, of `_REACH` samples ago, [N]."""
        heard = np.concatenate([self._heard, clean])
        self._heard = heard[len(clean) :]
        peaks = np.abs(heard[_REACH - 1 : _REACH - 1 + len(clean)])
        for between in self._filters:
            np.maximum(peaks, np.abs(np.correlate(heard, between, "valid")), out=peaks)
        return np.maximum(peaks, 1e-12)

    def _released(self, needed: np.ndarray) -> np.ndarray:
        """The attenuation in decibels [N]: the maximum over the look-ahead, then a linear release."""
        if not len(needed):
            return needed
        window = np.concatenate([self._needed, needed])
        self._needed = window[len(needed) :]
        held = np.lib.stride_tricks.sliding_window_view(window, AHEAD + 1).max(axis=1)
        fall = self._slope * np.arange(1, len(held) + 1)
        released = np.maximum(np.maximum.accumulate(np.maximum(held + fall, self._last)) - fall, 0)
        self._last = float(released[-1])
        return released

    def _smooth(self, released: np.ndarray) -> np.ndarray:
        """The moving average [N], so that the gain has no corners; the held maximum keeps peaks covered."""
        width = len(self._held) + 1
        window = np.concatenate([self._held, released])
        self._held = window[len(released) :]
        sums = np.cumsum(np.concatenate([[0.0], window]))
        return np.maximum((sums[width:] - sums[:-width]) / width, 0)
