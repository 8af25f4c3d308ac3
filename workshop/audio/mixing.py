"""Mixing channels to one, and noticing where that would cancel them: with one of two channels upside down, as a cable
that is soldered the wrong way makes it, their mean is silence.
"""

import numpy as np

#: Samples in which channels are compared; they may cancel each other in some passages alone.
WINDOW = 1 << 14
#: Two channels cancel each other where their sum has less than this share of the power that both have: a loss of 6 dB.
LEFT = 0.25
#: That is no matter where it concerns less than this share of their power.
SHARE = 0.1


class Mixer:
    """Mixes the blocks of one recording, which all have the same channels."""

    def __init__(self) -> None:
        # It grows in place: blocks that are joined at the end would take twice the memory.
        self._mono = np.empty(0, np.float32)
        self._length = 0
        self._power: np.ndarray | float = 0.0
        self._both: np.ndarray | float = 0.0
        self._opposed: np.ndarray | float = 0.0

    def add(self, samples: np.ndarray) -> None:
        """Take in a block, float32 [N, C]."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._append(samples.mean(axis=1))
            if samples.shape[1] > 1:
                for start in range(0, len(samples), WINDOW):
                    self._compare(samples[start : start + WINDOW].astype(np.float64))

    def _append(self, mixed: np.ndarray) -> None:
        end = self._length + len(mixed)
        if end > len(self._mono):
            self._mono.resize(max(end, len(self._mono) * 3 // 2), refcheck=False)
        self._mono[self._length : end] = mixed
        self._length = end

    def _compare(self, window: np.ndarray) -> None:
        window = window - window.mean(axis=0)
        covariance = window.T @ window
        power = np.diag(covariance)
        both = power[:, None] + power
        self._power = self._power + power
        self._both = self._both + both
        self._opposed = self._opposed + np.where(both + 2 * covariance < LEFT * both, both, 0)

    def mono(self) -> np.ndarray:
        """The mean of the channels, float32 [N]."""
        self._mono.resize(self._length, refcheck=False)
        return self._mono

    @property
    def channel(self) -> int | None:
        """The channel to take instead of the mean where channels cancel each other: the first of the loudest."""
        if not np.any(self._opposed > np.multiply(SHARE, self._both)):
            return None
        return int(np.argmax(self._power > 0.999 * np.max(self._power)))
