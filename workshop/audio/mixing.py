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
    """Mixes the blocks of one recording, which all have the same channels.

    Args:
        most: samples that are kept; of a longer recording only what is measured.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # It grows in place: blocks that are joined at the end would take twice the memory.
        self._mono = np.empty(0, np.float32)
        #: Samples that came.
        self.length = 0
        #: Of the mix and of each channel.
        self._sum: np.ndarray | float = 0.0
        self._least: np.ndarray | float = np.inf
        self._greatest: np.ndarray | float = -np.inf
        self._power: np.ndarray | float = 0.0
        self._both: np.ndarray | float = 0.0
        self._opposed: np.ndarray | float = 0.0

    def add(self, samples: np.ndarray) -> None:
        """Take in a block, float32 [N, C]."""
        with np.errstate(over="ignore", invalid="ignore"):
            mixed = samples.mean(axis=1)
            self._measure(mixed, samples)
            self._append(mixed)
            if samples.shape[1] > 1:
                for start in range(0, len(samples), WINDOW):
                    self._compare(samples[start : start + WINDOW].astype(np.float64))

    def _append(self, mixed: np.ndarray) -> None:
        begin, self.length = self.length, self.length + len(mixed)
        if not self.is_whole:
            self._mono = np.empty(0, np.float32)
            return
        if self.length > len(self._mono):
            self._mono.resize(max(self.length, len(self._mono) * 3 // 2), refcheck=False)
        self._mono[begin : self.length] = mixed

    def _measure(self, mixed: np.ndarray, samples: np.ndarray) -> None:
        columns = [mixed] if samples.shape[1] == 1 else [mixed, *samples.T]
        self._sum = self._sum + np.array([column.sum(dtype=np.float64) for column in columns])
        self._least = np.minimum(self._least, [column.min(initial=np.inf) for column in columns])
        self._greatest = np.maximum(self._greatest, [column.max(initial=-np.inf) for column in columns])

    def _compare(self, window: np.ndarray) -> None:
        window = window - window.mean(axis=0)
        covariance = window.T @ window
        power = np.diag(covariance)
        both = power[:, None] + power
        self._power = self._power + power
        self._both = self._both + both
        self._opposed = self._opposed + np.where(both + 2 * covariance < LEFT * both, both, 0)

    @property
    def is_whole(self) -> bool:
        """Whether all samples are kept."""
        return self.length <= self._most

    def mono(self) -> np.ndarray:
        """The mean of the channels, float32 [N], where it is whole."""
        self._mono.resize(self.length, refcheck=False)
        return self._mono

    def offset_and_peak(self, channel: int | None) -> tuple[np.float32, float]:
        """The mean of all samples of the mix, or of a channel, and how far from it they go; neither is finite where a
        sample is not.
        """
        at = 0 if channel is None or np.size(self._sum) == 1 else channel + 1
        mean = float(np.atleast_1d(self._sum)[at]) / max(self.length, 1)
        peak = max(float(np.atleast_1d(self._greatest)[at]) - mean, mean - float(np.atleast_1d(self._least)[at]))
        return np.float32(mean), peak

    @property
    def channel(self) -> int | None:
        """The channel to take instead of the mean where channels cancel each other: the first of the loudest."""
        if not np.any(self._opposed > np.multiply(SHARE, self._both)):
            return None
        return int(np.argmax(self._power > 0.999 * np.max(self._power)))
