"""A small picture of a sound for programs that show it: time to the right, frequencies up, the louder the brighter. It
needs NumPy alone.
"""

import numpy as np

#: Samples of a window, and the most columns.
WINDOW, WIDTH = 512, 512
#: dB below the loudest point that are black.
RANGE = 80.0
#: Colours from soft to loud, uint8 RGB.
COLOURS = np.array([(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)], np.float32)


def loop_picture(sound: np.ndarray) -> np.ndarray:
    """The picture uint8 [WINDOW / 2, columns, 3] of a sound [N] that goes round."""
    columns = min(WIDTH, max(len(sound) * 4 // WINDOW, 1))
    starts = np.arange(columns) * len(sound) // columns
    windows = sound[(starts[:, None] + np.arange(WINDOW) - WINDOW // 2) % len(sound)]
    magnitudes = np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=1))[:, :-1]
    levels = 20 * np.log10(np.maximum(magnitudes, 1e-9) / max(float(magnitudes.max()), 1e-6))
    place = (1 + levels / RANGE).clip(0, 1).T[::-1] * (len(COLOURS) - 1)
    below = np.minimum(place.astype(int), len(COLOURS) - 2)
    share = (place - below)[..., None]
    made: np.ndarray = (COLOURS[below] * (1 - share) + COLOURS[below + 1] * share).round().astype(np.uint8)
    return made
