"""The phase of spectra whose magnitudes alone are known, integrated from its gradient: compiled.

The steepness of the logarithm of the magnitudes, along time and along frequency, says how the phase changes (Prusa,
Balazs and Soendergaard 2017, "A noniterative method for reconstruction of phase from STFT magnitude", for windows near
a Gauss bell; a Hann window is near one). From the loudest place on, the phase is handed on to the neighbours, the
louder ones first, so that errors are made where they are not heard.
"""

import numpy as np

from workshop.networks.compiling import compiled

#: The Gauss bell nearest a Hann window of W samples has the time-frequency ratio HANN * W**2.
HANN = 0.25645


@compiled
def _push(heap: np.ndarray, size: int, place: int, loud: np.ndarray) -> int:
    """Put a place into the heap, whose first one is the loudest; returns its new size."""
    at = size
    while at and loud[heap[(at - 1) // 2]] < loud[place]:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = place
    return size + 1


@compiled
def _pop(heap: np.ndarray, size: int, loud: np.ndarray) -> int:
    """Close the gap that the first one leaves when it is taken out; returns the new size."""
    size -= 1
    last, at = heap[size], 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and loud[heap[child + 1]] > loud[heap[child]]:
            child += 1
        if loud[heap[child]] <= loud[last]:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = last
    return size


@compiled
def gradients(
    levels: np.ndarray, window: int, hop: int, along_time: np.ndarray, along_bins: np.ndarray, loops: bool = False
) -> None:
    """How the phase changes from a frame to the next, and from a frequency to the next.

    Args:
        levels: natural logarithms of the magnitudes [T, F].
        window: W.
        hop: H.
        along_time: [T, F], filled.
        along_bins: [T, F], filled; at the ends of time by the one neighbour that is there.
        loops: the first frame comes after the last one.
    """
    frames, bins = levels.shape
    ratio = np.float32(HANN * window / hop)
    for t in range(frames):
        if loops:
            earlier, later, span = (t - 1) % frames, (t + 1) % frames, 2
        else:
            earlier, later = max(t - 1, 0), min(t + 1, frames - 1)
            span = max(later - earlier, 1)
        for k in range(bins):
            low, high = max(k - 1, 0), min(k + 1, bins - 1)
            rise = (levels[t, high] - levels[t, low]) / np.float32(high - low)
            # Whole turns are left out: sums stay small, and so exact.
            along_time[t, k] = rise / ratio + np.float32(2 * np.pi / window) * (hop * k % window)
            along_bins[t, k] = -ratio * (levels[later, k] - levels[earlier, k]) / span - np.float32(np.pi)


@compiled
def integrate(
    levels: np.ndarray, along_time: np.ndarray, along_bins: np.ndarray, known: np.ndarray, phase: np.ndarray,
    order: np.ndarray, loops: bool = False,
) -> None:  # fmt: skip
    """Integrate the phase wherever it is not known.

    Args:
        levels: [T, F], any measure of loudness.
        along_time: from `gradients` [T, F].
        along_bins: likewise.
        known: bool [T, F], whether the phase is known; all is, afterwards.
        phase: float32 [T, F], filled.
        order: the places in all frames, one after the other, from the softest to the loudest [T F].
        loops: the first frame comes after the last one.
    """
    frames, bins = levels.shape
    loud, times, steps, done, found = (
        levels.reshape(-1), along_time.reshape(-1), along_bins.reshape(-1), known.reshape(-1), phase.reshape(-1)
    )  # fmt: skip
    heap, size = np.empty(frames * bins, np.int64), 0
    # What is known hands its phase on where a neighbour's is not.
    for place in range(frames * bins):
        t, k = place // bins, place % bins
        if done[place] and (
            (t and not done[place - bins]) or (t + 1 < frames and not done[place + bins])
            or (k and not done[place - 1]) or (k + 1 < bins and not done[place + 1])
        ):  # fmt: skip
            size = _push(heap, size, place, loud)
    next_start = frames * bins - 1
    while True:
        if not size:
            while next_start >= 0 and done[order[next_start]]:
                next_start -= 1
            if next_start < 0:
                return
            place = order[next_start]
            found[place], done[place] = 0, True
            size = _push(heap, size, place, loud)
        place = heap[0]
        size = _pop(heap, size, loud)
        t, k = place // bins, place % bins
        to = place + bins if t + 1 < frames else k
        if (loops or to > place) and not done[to]:
            found[to], done[to] = found[place] + (times[place] + times[to]) / 2, True
            size = _push(heap, size, to, loud)
        to = place - bins if t else place + (frames - 1) * bins
        if (loops or to < place) and not done[to]:
            found[to], done[to] = found[place] - (times[place] + times[to]) / 2, True
            size = _push(heap, size, to, loud)
        if k + 1 < bins and not done[place + 1]:
            to = place + 1
            found[to], done[to] = found[place] + (steps[place] + steps[to]) / 2, True
            size = _push(heap, size, to, loud)
        if k and not done[place - 1]:
            to = place - 1
            found[to], done[to] = found[place] - (steps[place] + steps[to]) / 2, True
            size = _push(heap, size, to, loud)
