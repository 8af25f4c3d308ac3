"""How well the tempo and the beats of songs are found: 40 synthesised ones of known tempo, half of which drift by 1 %.

    python benchmarks/song_tempos.py

Kits and patterns of the starter set, 48 beats each, from 85 to 175 beats a minute. Of each: the tempo found over the
real one, and how far the beats that were found are from the real ones, in milliseconds. A minute.
"""

import argparse

import compare
import numpy as np
from scipy.ndimage import map_coordinates

from workshop.audio import beats
from workshop.audio.drum_kits import KITS
from workshop.audio.drum_loops import BPM, PATTERNS, RATE, Song
from workshop.errors import UserError

SONGS, BEATS, DRIFT = 40, 48, 0.01
#: A tempo is right within this share.
RIGHT = 0.005


def song(number: int) -> tuple[str, float, np.ndarray, np.ndarray]:
    """The name of a song, its tempo, its samples float32 [N] and the moments of its beats in seconds."""
    random = np.random.default_rng(number)
    one = Song(str(random.choice(list(KITS))), str(random.choice(list(PATTERNS))), number)
    tempo = random.uniform(85, 175)
    bars = [bar for _, bar in one.bars()]
    sound = np.concatenate([bars[k % len(bars)] for k in range(BEATS // 4)])
    index = np.arange(BEATS + 1)
    lengths = 60 / (tempo * (1 + DRIFT * (number % 2) * (index[:-1] / (BEATS - 1) - 0.5)))
    times = 0.3 + np.concatenate([[0], np.cumsum(lengths)])
    moments = np.arange(round((times[-1] + 0.2) * RATE)) / RATE
    places = np.interp(moments, times, index, left=-1, right=-1) * 60 / BPM * RATE
    played = map_coordinates(sound, places[None], np.float32, order=1)
    played[places < 0] = 0
    return one.name, tempo, played, times


def main() -> None:
    """Find them all."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    right, octaves, worst = 0, 0, []
    for number in range(SONGS):
        name, tempo, sound, times = song(number)
        try:
            grid = beats.find(sound, RATE)
        except UserError as error:
            print(f"{name} {tempo:.1f}: {error}")
            continue
        ratio = grid.tempo / tempo
        right += abs(ratio - 1) < RIGHT
        is_octave = min(abs(ratio - 2) / 2, abs(ratio - 0.5) * 2) < RIGHT
        octaves += is_octave
        halves = np.interp(np.arange(0, BEATS + 0.1, 0.5), np.arange(BEATS + 1), times)
        within = grid.times[(grid.times > times[0] - 0.02) & (grid.times < times[-1])]
        apart = 1000 * float(np.percentile(np.abs(within[:, None] - halves).min(axis=1), 95))
        if is_octave or abs(ratio - 1) < RIGHT:
            worst.append(apart)
        print(f"{name} {tempo:.1f}: x {ratio:.4f}, drift {grid.drift:.2%}, beats within {apart:.1f} ms", flush=True)
    result: dict[str, object] = {
        "songs": SONGS, "right": right, "an octave away": octaves, "else": SONGS - right - octaves,
        "median_ms": round(float(np.median(worst)), 1), "worst_ms": round(max(worst), 1),
    }  # fmt: skip
    compare.finish(result)


if __name__ == "__main__":
    main()
