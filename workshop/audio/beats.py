"""Where the beats of a song are: its tempo, how sure that is, and how much it drifts.

librosa finds the beats; each is then moved to the onset that is near it, and a line through its neighbours says where
it should be. So the grid follows a tempo that drifts, and does not follow a drummer's single strokes.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workshop.errors import UserError

#: Samples a second that beats are looked for at, and from one value of the onset curve to the next: 3 ms.
RATE, HOP = 22_050, 64
#: Samples that the onset curve is found from at a time.
WINDOW = 1024
#: Seconds of sound that it takes to find a tempo.
MIN_SECONDS = 10.0
#: Seconds around a beat in which its onset is looked for; and within which of the grid a beat is confirmed.
REACH, CONFIRMED = 0.05, 0.02
#: Beats on each side that a line is laid through.
NEIGHBOURS = 16
#: Share of beats with an onset on the grid below which a song has no beat that is worth following.
MIN_CONFIDENCE = 0.4
#: How many times its surroundings the onset curve is on a beat that is confirmed, and how many dB at least.
STANDS_OUT, LEAST = 2.0, 0.5
#: Seconds by which the onset curve has risen half of the way later than a stroke begins: measured.
LATE = 0.007
#: Values of the onset curve that librosa is given as one.
COARSE = 4
#: The range in which a tempo is looked for, how many are tried, and the one that is the most usual, with the standard
#: deviation of others in octaves.
LIKELY, CANDIDATES, USUAL, OCTAVES = (70, 200), 8, 128.0, 0.8
#: After how many beats a song repeats itself, and how much that counts.
AFTER = {1: 1.0, 2: 1.0, 4: 2.0}
#: The same for finding a tempo more exactly, and how far from the first guess it is looked for, as a share.
EXACTLY_AFTER, FINE = {4: 1.0, 8: 1.0}, 0.02
#: How much librosa keeps to the tempo; with the larger number, a beat comes early or late by some hundredths at most.
LOOSE, TIGHT = 100, 1000
#: Hertz below which a kick is, and how much more of it has to lie between the beats for these to be moved.
LOW, MUCH_MORE = 150.0, 1.3
#: Beats that make a grid.
MIN_BEATS = 4
#: Values of the onset curve around a beat in which its loudest one is looked for.
CLOSE = 6


@dataclass(frozen=True)
class Grid:
    """The beats of a song.

    Attributes:
        times: of each beat in seconds, float64 [B]; they rise.
        tempo: beats a minute.
        confidence: share of the beats on which something begins, from 0 to 1.
        drift: by how much the tempo changes over the song, as a share: the highest less the lowest.
    """

    times: np.ndarray
    tempo: float
    confidence: float
    drift: float


def find(samples: np.ndarray, rate: int, bpm: float | None = None) -> Grid:
    """The beats of a song.

    Args:
        samples: float32 [N].
        rate: samples a second.
        bpm: its tempo, where it is known; else it is found.

    Raises:
        UserError: it is too short, or has no beat; the sentence lacks the file's name at its beginning.
    """
    import librosa
    import soxr

    seconds = len(samples) / rate
    if bpm is None and seconds < MIN_SECONDS:
        raise UserError(
            f"lasts {seconds:.1f} seconds, and finding a tempo takes {MIN_SECONDS:.0f}: give its tempo with --bpm"
        )
    heard = samples if rate == RATE else soxr.resample(samples, rate, RATE)
    if len(heard) < WINDOW:
        raise _no_beat()
    onsets = librosa.onset.onset_strength(y=heard, sr=RATE, hop_length=HOP, n_fft=WINDOW, lag=4)
    onsets = onsets[: len(onsets) // COARSE * COARSE]
    coarse = onsets.reshape(-1, COARSE).max(axis=1)
    repeated = _Repetition(coarse)
    found: list[tuple[float, Grid]] = []

    def follow(tempo: float, tightness: int) -> None:
        _, beats = librosa.beat.beat_track(
            onset_envelope=coarse, sr=RATE, hop_length=COARSE * HOP, units="time", trim=False, bpm=tempo,
            tightness=tightness,
        )  # fmt: skip
        if len(beats) >= MIN_BEATS:
            found.append((tempo, _fitted(beats, onsets)))

    for candidate in repeated.tempos() if bpm is None else [bpm]:
        follow(float(candidate), LOOSE)
    if not found:
        raise _no_beat()
    tempo, _ = max(found, key=lambda one: _likelihood(one[1], onsets) + repeated.of(one[1].tempo))
    # Where a fill has taken the beat elsewhere, keeping to the tempo is better.
    follow(tempo, TIGHT)
    grid = max((grid for one, grid in found if one == tempo), key=lambda grid: grid.confidence)
    if grid.confidence < MIN_CONFIDENCE:
        raise UserError(
            f"has no clear beat: on {grid.confidence:.0%} of the beats at {grid.tempo:.1f} a minute something begins; "
            "choose music with drums, or give its tempo with --bpm"
        )
    low = librosa.onset.onset_strength(y=heard, sr=RATE, hop_length=HOP, n_fft=WINDOW, lag=4, fmax=LOW, n_mels=8)
    return _on_the_kick(grid, low)


def _no_beat() -> UserError:
    return UserError("has no beat that could be found: choose music with drums, or give its tempo with --bpm")


def _on_the_kick(grid: Grid, low: np.ndarray) -> Grid:
    """The grid, or one half a beat later where much more of what is low begins: kicks fall on beats, and open hi-hats,
    which are as loud, between them.

    Args:
        grid: the beats.
        low: the onset curve of low frequencies alone [K].
    """
    between = np.append((grid.times[1:] + grid.times[:-1]) / 2, grid.times[-1] + np.diff(grid.times[-2:]) / 2)

    def begins(times: np.ndarray) -> float:
        near = np.round((times + LATE) * RATE / HOP).astype(int)[:, None] + np.arange(-CLOSE, CLOSE + 1)
        return float(low[near.clip(0, len(low) - 1)].max(axis=1).mean())

    return replace(grid, times=between) if begins(between) > MUCH_MORE * begins(grid.times) else grid


class _Repetition:
    """How much a song repeats itself after some beats.

    Args:
        onsets: its onset curve, `COARSE` values as one [K].
    """

    def __init__(self, onsets: np.ndarray):
        import librosa

        away = onsets - onsets.mean()
        self._alike = librosa.autocorrelate(away) / max(float(away @ away), 1e-9)

    def of(self, tempo: float | np.ndarray, after: dict[int, float] | None = None) -> Any:
        """For a tempo, or each of some, how alike the song is to itself after some beats, each with its weight."""
        beat = 60 / np.asarray(tempo) * RATE / (COARSE * HOP)
        places = np.arange(len(self._alike))
        return sum(weight * np.interp(count * beat, places, self._alike) for count, weight in (after or AFTER).items())

    def tempos(self) -> np.ndarray:
        """The tempos that are the likeliest by this alone."""
        tempos = np.geomspace(*LIKELY, 512)
        found = np.asarray(self.of(tempos))
        peaks = 1 + np.flatnonzero((found[1:-1] >= found[:-2]) & (found[1:-1] > found[2:]))
        best = tempos[peaks[np.argsort(found[peaks])[::-1][:CANDIDATES]]]
        near = best[:, None] * np.linspace(1 - FINE, 1 + FINE, 81)
        exact = near[np.arange(len(best)), np.asarray(self.of(near, EXACTLY_AFTER)).argmax(axis=1)]
        return np.asarray(exact)


def _likelihood(grid: Grid, onsets: np.ndarray) -> float:
    """How much more begins on the beats than elsewhere, and how usual the tempo is."""
    near = np.round(grid.times * RATE / HOP).astype(int)[:, None] + np.arange(-CLOSE, CLOSE + 1)
    on_beats = onsets[near.clip(0, len(onsets) - 1)].max(axis=1).mean()
    unusual = np.log2(grid.tempo / USUAL) / OCTAVES
    return float(np.log(on_beats / (onsets.mean() + 1e-9) + 1e-9) + np.log(grid.confidence + 0.01) - unusual**2 / 2)


def _fitted(beats: np.ndarray, onsets: np.ndarray) -> Grid:
    """The grid through beats in seconds [B] and the onset curve [K]."""
    step = HOP / RATE
    reach = round(REACH / step)
    strength = np.pad(onsets, reach)
    usual = float(np.median(onsets))
    moved, stands_out = beats.astype(float).copy(), np.zeros(len(beats), bool)
    for number, beat in enumerate(beats):
        near = strength[(at := round(beat / step)) : at + 2 * reach + 1]
        if len(near) and near.max() > max(LEAST, STANDS_OUT * usual, STANDS_OUT * float(near.mean())):
            # Where the curve has risen half of the way: its highest value comes later in a loud stroke.
            first = int(np.argmax(near >= near.max() / 2))
            moved[number] = (at - reach + first) * step - LATE
            stands_out[number] = True
    period = float(np.median(np.diff(beats)))
    index = np.concatenate([[0], np.cumsum(np.maximum(1, np.round(np.diff(beats) / period)))])
    trusted = stands_out if stands_out.sum() >= max(4, len(beats) // 8) else np.ones(len(beats), bool)
    known, places = moved[trusted], index[trusted]
    for _ in range(2):  # the second time without those that are far from the first line
        numbers = np.arange(round(index[-1]) + 1)
        times, slopes = _smooth(places, known, numbers)
        away = np.abs(known - np.interp(places, numbers, times))
        keep = away <= max(CONFIRMED, 2 * float(np.median(away)))
        known, places = known[keep], places[keep]
    at_beats = np.interp(index, numbers, times)
    confidence = float((stands_out & (np.abs(moved - at_beats) < CONFIRMED)).mean())
    tempo = 60 * (len(numbers) - 1) / float(times[-1] - times[0])
    return Grid(times, tempo, confidence, float((slopes.max() - slopes.min()) / slopes.mean()))


def _smooth(places: np.ndarray, known: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The time and the length in seconds of each numbered beat, from lines through the known ones around it."""
    times, slopes = np.empty(len(numbers)), np.empty(len(numbers))
    for number in numbers:
        apart = np.abs(places - number)
        width = max(NEIGHBOURS, float(np.sort(apart)[min(3, len(apart) - 1)]) + 1)
        weight = np.maximum(0, 1 - (apart / width) ** 2)
        middle = np.average(places, weights=weight)
        mean = np.average(known, weights=weight)
        spread = np.average((places - middle) ** 2, weights=weight)
        slope = np.average((places - middle) * (known - mean), weights=weight) / max(spread, 1e-9)
        times[number], slopes[number] = mean + slope * (number - middle), slope
    return times, slopes
