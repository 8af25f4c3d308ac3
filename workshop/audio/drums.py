"""Drum loops made of sine waves and noise: no recording, no network, and the same seed gives the same loop.

A kick is a sine that falls in pitch, a snare a short tone with noise over it, a hi-hat the highest part of noise. A
loop is two bars long to the sample, and what still sounds at its end goes on at its beginning, so that it can be
repeated.
"""

import math
from dataclasses import dataclass
from zlib import crc32

import numpy as np

#: Quarter notes of a bar; the patterns divide it into 16 steps, or 12 for triplets.
BEATS = 4
#: How loud the signs of a pattern are.
LOUDNESS = {"X": 1.0, "x": 0.7, "o": 0.3}
#: Hertz from which on noise is a hi-hat: far above what kick and snare are made of.
HAT_EDGE = 5500.0
#: Random variation of the loudness of a stroke, as a share of it.
UNEVENNESS = 0.12
#: How hard a loop is driven into its limits, as drum machines do: else the first moments of its kicks would be loud,
#: and all the rest too soft beside other instruments.
DRIVE = 2.5
PEAK = 0.9


@dataclass(frozen=True)
class Pattern:
    """Who plays when in two bars.

    Attributes:
        tempos: quarter notes a minute that it is played at.
        strokes: for each drum, the steps of both bars: X is loud, x less so, o soft, - nothing.
    """

    tempos: tuple[int, ...]
    strokes: dict[str, str]


PATTERNS = {
    "rock": Pattern((92, 124), {
        "kick": "X-------X-x-----X-------X-x---x-",
        "snare": "----X-------X-------X-------X--o",
        "hat": "X-x-X-x-X-x-X-x-X-x-X-x-X-x-X---",
        "open": "------------------------------x-",
    }),
    "house": Pattern((118, 130), {
        "kick": "X---X---X---X---X---X---X---X---",
        "snare": "----x-------x-------x-------x-oo",
        "hat": "o-o-o-o-o-o-o-o-o-o-o-o-o-o-o-o-",
        "open": "--x---x---x---x---x---x---x---x-",
    }),
    "funk": Pattern((88, 104), {
        "kick": "X-x-------x--x--X-x---x---x-----",
        "snare": "----X--o-o--X--o----X--o-o--X-oo",
        "hat": "XoxoXoxoXoxoXoxoXoxoXoxoXoxoXo--",
        "open": "------------------------------x-",
    }),
    "boom_bap": Pattern((80, 94), {
        "kick": "X------x--X-----X------x-xX-----",
        "snare": "----X-------X-------X-------X---",
        "hat": "x-x-x-xox-x-x-x-x-x-x-xox-x-x-xo",
    }),
    "breakbeat": Pattern((112, 136), {
        "kick": "X-x-------xx----X-x-------x-----",
        "snare": "----X--o-o--X--o----X--o-o----X-",
        "hat": "x-x-x-x-x-x-x-x-x-x-x-x-x-x---x-",
        "open": "----------------------------x---",
    }),
    "half_time": Pattern((100, 140), {
        "kick": "X-----x---------X--x--x-------x-",
        "snare": "--------X---------------X-------",
        "hat": "x-o-x-o-x-o-x-ooX-o-x-o-x-o-xoxo",
    }),
    "train": Pattern((96, 116), {
        "kick": "X---x---X---x---X---x---X---x---",
        "snare": "ooXoooXoooXoooXoooXoooXoooXooxXX",
        "hat": "--x---x---x---x---x---x---x---x-",
    }),
    "shuffle": Pattern((84, 112), {
        "kick": "X-----X----xX----xX-----",
        "snare": "---X-----X-----X-o---X-o",
        "hat": "X-xX-xX-xX-xX-xX-xX-xX--",
        "open": "-----------------------x",
    }),
}  # fmt: skip


@dataclass(frozen=True)
class Kit:
    """How the drums of one loop are tuned: hertz that the kick falls to and of the snare's tone, and seconds that the
    closed hi-hat takes to lose 60 dB.
    """

    kick: float = 52.0
    snare: float = 190.0
    hat: float = 0.12


def loops() -> list[tuple[str, int]]:
    """Every loop: the name of its pattern and its tempo in quarter notes a minute."""
    return [(name, tempo) for name, pattern in PATTERNS.items() for tempo in pattern.tempos]


def loop(name: str, tempo: float, rate: int, seed: int = 0) -> np.ndarray:
    """Play a pattern once, with a random kit and random timing.

    Args:
        name: a key of `PATTERNS`.
        tempo: quarter notes a minute.
        rate: samples a second.
        seed: another one is another kit and another hand.

    Returns:
        float32 [samples], exactly two bars, the loudest at `PEAK`.
    """
    # Python's own hash of a text differs from run to run.
    random = np.random.default_rng((seed, crc32(name.encode()), round(tempo)))
    kit = Kit(random.uniform(45, 62), random.uniform(165, 230), random.uniform(0.08, 0.16))
    sound = np.zeros(round(2 * BEATS * 60 / tempo * rate))
    for drum, steps in PATTERNS[name].strokes.items():
        for step, sign in enumerate(steps):
            if sign in LOUDNESS:
                loudness = LOUDNESS[sign] * (1 + random.uniform(-UNEVENNESS, UNEVENNESS))
                stroke = loudness * hit(drum, rate, random, kit)
                first = round(step * len(sound) / len(steps))
                np.add.at(sound, (first + np.arange(len(stroke))) % len(sound), stroke)
    sound = np.tanh(sound * (DRIVE / np.abs(sound).max()))
    return (sound * (PEAK / np.abs(sound).max())).astype(np.float32)


def hit(drum: str, rate: int, random: np.random.Generator, kit: Kit | None = None) -> np.ndarray:
    """One loud stroke, float64 [samples], from about -1 to 1; a hi-hat is half as loud.

    Args:
        drum: "kick", "snare", "hat" (closed) or "open" (an open hi-hat).
        rate: samples a second.
        random: where noise comes from.
        kit: how the drums are tuned.
    """
    kit = kit or Kit()
    if drum == "kick":
        return _kick(rate, kit.kick)
    if drum == "snare":
        return _snare(rate, kit.snare, random)
    return _hat(rate, kit.hat if drum == "hat" else 5 * kit.hat, random)


def _kick(rate: int, low: float) -> np.ndarray:
    """A sine that falls within hundredths of a second from four times its last frequency, in hertz."""
    time = np.arange(round(0.55 * rate)) / rate
    frequency = low * (1 + 3 * np.exp(-time / 0.025))
    return np.sin(2 * np.pi * np.cumsum(frequency) / rate) * _decay(time, 0.55)


def _snare(rate: int, tone: float, random: np.random.Generator) -> np.ndarray:
    """The two lowest tones of a drum's skin, and the rattle of the wires below it."""
    time = np.arange(round(0.3 * rate)) / rate
    # 1.6 is the ratio of the first two modes of a round skin.
    skin = np.sin(2 * np.pi * tone * time) + 0.5 * np.sin(2 * np.pi * 1.6 * tone * time)
    wires = _high_passed(random.standard_normal(len(time)), rate, 800)
    return 0.45 * skin * _decay(time, 0.16) + 0.25 * wires * _decay(time, 0.3)


def _hat(rate: int, seconds: float, random: np.random.Generator) -> np.ndarray:
    """The highest part of noise, gone after so many seconds."""
    time = np.arange(round(seconds * rate)) / rate
    return 0.3 * _high_passed(random.standard_normal(len(time)), rate, HAT_EDGE) * _decay(time, seconds)


def _decay(time: np.ndarray, seconds: float) -> np.ndarray:
    """Factors that fall by 60 dB in so many seconds."""
    return np.exp(-math.log(1000) * time / seconds)


def _high_passed(noise: np.ndarray, rate: int, edge: float) -> np.ndarray:
    """Noise [samples] without what is below an edge in hertz, as strong as before."""
    spectrum = np.fft.rfft(noise)
    # At a low rate there is nothing above such an edge: then the top of what there is has to do.
    spectrum[np.fft.rfftfreq(len(noise), 1 / rate) < min(edge, 0.45 * rate)] = 0
    passed = np.fft.irfft(spectrum, len(noise))
    return passed / passed.std()
