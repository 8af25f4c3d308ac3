"""Noticing what a person would hear at once: silence, clipping, noise."""

from dataclasses import dataclass

import numpy as np

#: Quieter than this, as a root mean square, is silence: 60 dB below the loudest sine.
SILENT = 1e-3 / np.sqrt(2)
#: A larger share of samples at the very edge is clipping.
CLIPPED = 0.01
#: Noise spreads its power over the spectrum: the geometric mean is then near the arithmetic one. Measured: white noise
#: 0.55 to 0.57 at any level (0.5 to 0.64 where it lasts for one window); speech up to 0.07, instruments up to 0.04,
#: drum loops up to 0.08, a snare drum alone 0.26, the surf and the applause of General MIDI up to 0.37.
FLAT = 0.4
#: Noise below this level is inaudible and counts as silence.
HISS = 10 ** (-45 / 20)
WINDOW = 512


@dataclass(frozen=True)
class Judgement:
    """How something sounds, in few words, and what to do about it ('' if nothing has to be done)."""

    words: str
    advice: str = ""


def flatness(samples: np.ndarray) -> float:
    """Spectral flatness, from 0 for a pure tone to 0.56 for white noise: the mean over windows of 512 samples of the
    geometric by the arithmetic mean of the power in their bands, weighted by their power.
    """
    count = len(samples) // WINDOW
    if not count:
        return 0.0
    windows = samples[: count * WINDOW].reshape(count, WINDOW) * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(windows))[:, 1:-1] ** 2 + 1e-12
    each = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    return float(np.average(each, weights=power.mean(axis=1)))


def judge(samples: np.ndarray) -> Judgement:
    """What samples [N] from -1 to 1 sound like."""
    # A constant offset is not heard.
    level = float(np.std(samples, dtype=np.float64)) if len(samples) else 0.0
    decibels = f"{20 * np.log10(max(level, 1e-9)):.0f} dB"
    noisy = flatness(samples) > FLAT
    if level < (HISS if noisy else SILENT):
        return Judgement(
            f"silence ({decibels})",
            "prime it with a sound (--prime FILE.wav), raise --temperature, or train for longer; if the data begins "
            "with silence, train with --silence_threshold -40",
        )
    if np.mean(np.abs(samples) > 0.999) > CLIPPED:
        return Judgement(f"clipped ({decibels})", "lower --temperature, or add --top_p 0.95")
    if noisy:
        return Judgement(f"noise ({decibels})", "train for longer; --temperature 0.9 or --top_p 0.95 take some out")
    return Judgement(f"at {decibels}")
