"""Rests in MIDI music: how long nothing sounds, and by how many whole bars a long rest can be shortened.

A network would spend its time on silence, and then play it. Whole bars are taken out, so that a note stays at its place
in the bar.
"""

import numpy as np

#: A rest is long, and is shortened, when it lasts more bars than this.
MAX_REST_BARS = 2
#: Beats by which times that are meant to be equal may differ.
ROUNDING = 1e-6


def rests(notes: np.ndarray, bars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The silence before each note; before the first one it counts from the beginning of the file.

    Args:
        notes: [N, 2 or more]: start and end in beats, in the order of their starts.
        bars: [K, 2]: beat, and beats of a bar from there on.

    Returns:
        beats [N] in which nothing sounds before each note; and beats [N] of whole bars, as they are at that note, that
        can be taken out of it so that no more than `MAX_REST_BARS` are left.
    """
    starts = notes[:, 0]
    sounding_until = np.concatenate([np.zeros(min(len(notes), 1)), np.maximum.accumulate(notes[:, 1])[:-1]])
    silence = np.maximum(starts - sounding_until, 0)
    bar = bars[np.searchsorted(bars[:, 0], starts + ROUNDING, side="right") - 1, 1]
    too_many = np.ceil((silence - ROUNDING) / bar) - MAX_REST_BARS
    return silence, np.maximum(too_many, 0) * bar
