"""Whether loops are made of tones rather than of strokes: a generator of pictures learns strokes well, and blurs tones.

A tone is a line along time in a picture, and a stroke a column: where it goes up and down from band to band more than
from frame to frame, it is tones.

N pictures of T frames of D bands.
"""

import functools

import numpy as np

from workshop.audio.loop_spectrogram import LoopSpectrogram

#: Values below this are background, whose noise says nothing.
BACKGROUND = -0.5
#: From here on a picture is of tones. Bars of the synthesiser's drums come to 0.22 to 0.50, chords to 0.81 to 0.91, and
#: both together to 0.50 to 0.85.
TONAL = 0.65
#: Frames and bands of the pictures that this was found with.
SIZE = 64, 128
#: What is said of such loops.
ADVICE = "most slices are of tones, which a network of pictures blurs: drums and other strokes work better"
#: Pictures that are looked at.
MOST = 1000


def tonality(pictures: np.ndarray) -> np.ndarray:
    """For each of pictures [N, T, D] from -1 to 1, which go round, from 0 for strokes to 1 for tones: float32 [N]."""
    heard = np.maximum(pictures.astype(np.float32), BACKGROUND)
    from_frame = np.abs(heard - np.roll(heard, 1, axis=1)).mean(axis=(1, 2))
    from_band = np.abs(np.diff(heard, axis=2)).mean(axis=(1, 2))
    share: np.ndarray = from_band / np.maximum(from_frame + from_band, np.float32(1e-9))
    return share


def are_tonal(pictures: np.ndarray) -> bool:
    """Whether most of pictures [N, T, D] are of tones."""
    some = pictures[:: max(len(pictures) // MOST, 1)]
    return len(some) > 0 and bool(np.mean(tonality(some) > TONAL) > 0.5)


def is_tonal(sound: np.ndarray, rate: int) -> bool:
    """Whether a loop float32 [samples] is of tones; not where it is too short to tell."""
    try:
        pictures = _loops(rate, len(sound)).pictures(sound[None])
    except ValueError:
        return False
    return are_tonal(pictures)


@functools.lru_cache
def _loops(rate: int, samples: int) -> LoopSpectrogram:
    """What makes pictures of such loops; its bands take a while, and most loops are of one length."""
    return LoopSpectrogram(rate, samples, *SIZE)
