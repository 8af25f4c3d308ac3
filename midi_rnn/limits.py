"""Limits of the training data (longest note, polyphony), enforced while generating.

A young network forgets which keys it holds down.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from midi_rnn.encoding import UNITS_PER_BEAT, Encoding
from workshop.checks import Count


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """The longest note in units of 10 ms, and the maximal number of keys held at the same time."""

    longest_note: Count
    voices: Count


def limits(encoding: Encoding, pieces: Sequence[np.ndarray], stretch: float) -> Limits | None:
    """The limits of pieces, symbols [T] each, if they are slowed down by up to the share `stretch`; None for an
    encoding with one voice.
    """
    if not encoding.in_real_time:
        return None
    longest, voices = 1, 1
    for piece in pieces:
        times = np.floor(encoding.decode(piece)[:, :2] * UNITS_PER_BEAT + 0.5).astype(int)
        starts, ends = np.sort(times, axis=0).T
        down = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="right")
        longest = max(longest, int((times[:, 1] - times[:, 0]).max(initial=0)))
        voices = max(voices, int(down.max(initial=0)))
    if stretch:
        longest = math.ceil(longest * (1 + stretch)) + 1  # both ends of a note are rounded
    return Limits(longest, voices)
