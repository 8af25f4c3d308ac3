"""Drum loops of one bar for a network that makes loops: kits, patterns, swing, fills and filters, all at one tempo.

A `Song` is a kit and a hand that plays one pattern: its bars differ in some strokes and in how loud they are, and two
of them have a fill. What still sounds at the end of a bar goes on at its beginning, so that each can be repeated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from workshop.audio.drum_kits import DRUMS, KITS, strokes, tuned
from workshop.audio.drums import LOUDNESS

#: Steps of a bar of four beats.
STEPS = 16
#: Tempo in quarter notes a minute, beats of a bar, samples a second: a bar is 33,075 samples.
BPM, BEATS, RATE = 160, 4, 22_050
SAMPLES = RATE * 60 * BEATS // BPM

#: Who plays when: X is loud, x less so, o soft, - nothing, and the last sign of each drum is the sixteenth before the
#: next bar.
PATTERNS = {
    "rock": {"kick": "X-----X-X-------", "snare": "----X-------X---", "hat": "X-x-X-x-X-x-X-x-"},
    "four": {
        "kick": "X---X---X---X---",
        "snare": "----x-------x---",
        "open": "--x---x---x---x-",
        "hat": "o--oo--oo--oo--o",
    },
    "break": {"kick": "X-X-------XX----", "snare": "----X--o-o--X--o", "hat": "X-x-X-x-X-x-X-x-"},
    "jungle": {
        "kick": "X-x-------x-----",
        "snare": "----X--x-x----X-",
        "hat": "x-x-x-x-x-x-x-x-",
        "open": "----------x-----",
    },
    "steppers": {"kick": "X---X---X---X---", "rim": "---x--x---x--x--", "hat": "--x---x---x---xo"},
    "half": {"kick": "X-----x---------", "snare": "--------X-------", "hat": "x-o-x-o-x-o-x-oo"},
    "footwork": {
        "kick": "X--X--X-X--X--X-",
        "snare": "------------X---",
        "rim": "--x---x---x---x-",
        "hat": "xxxx-xxx-xxx-xxx",
    },
    "dembow": {"kick": "X---X---X---X---", "snare": "---X--X----X--X-", "hat": "x-x-x-x-x-x-x-x-"},
    "train": {"kick": "X---X---X---X---", "snare": "ooXoooXoooXoooXo", "hat": "----------------"},
    "samba": {
        "kick": "X--xX--xX--xX--x",
        "rim": "X-x--x-xx-x--x-x",
        "hat": "oxxooxxooxxooxxo",
        "tom": "--------X-------",
    },
    "electro": {
        "kick": "X-----X---X-----",
        "snare": "----X-------X--x",
        "hat": "x-xxx-xxx-xxx-xx",
        "rim": "--------------x-",
    },
    "toms": {"kick": "X-------X-------", "tom": "--x--x--x-x--x-x", "snare": "----X-------X---"},
    "offbeat": {"kick": "----X-------X---", "rim": "----x-------x---", "open": "--X---X---X---X-"},
    "gallop": {"kick": "X-xxX-xxX-xxX-xx", "snare": "----X-------X---", "hat": "X---X---X---X---"},
    "sparse": {"kick": "X---------x-----", "rim": "------X---------", "hat": "--------x-----x-"},
    "busy": {
        "kick": "X-x---x-X-----x-",
        "snare": "--o-X-oo-o-oX-oo",
        "hat": "XoxoXoxoXoxoXoxo",
        "open": "--------------x-",
    },
}

#: What is played instead in the last steps of a bar, by the name of the fill.
FILLS: dict[str, dict[str, str]] = {
    "none": {},
    "roll": {"snare": "oxxX"},
    "toms": {"tom": "X-xXx-X-", "kick": "X---X---"},
    "gap": {"kick": "--------", "open": "------X-"},
}  # fmt: skip
#: The fill of each bar of a song.
BARS = ("none", "none", "none", "none", "fill", "fill")
#: Songs of each kit and pattern.
SONGS = 4
#: Probability that a soft stroke is left out, and that one is added where nothing is.
LEFT_OUT, ADDED = 0.12, 0.05
#: Random variation of the loudness of a stroke, as a share, and of the moment, in seconds.
UNEVENNESS, LATENESS = 0.15, 0.003
#: Strokes of each drum that a song has: two of the same sound would be a machine's.
TAKES = 2
#: dB of the loudest moment of a song's bars.
PEAKS = (-9.0, -1.0)


@dataclass(frozen=True)
class Song:
    """A kit that plays a pattern, and the number of the hand that does.

    Attributes:
        kit: a key of `KITS`.
        pattern: a key of `PATTERNS`.
        number: another one is another kit of the kind, swing, filter and hand.
    """

    kit: str
    pattern: str
    number: int

    @property
    def name(self) -> str:
        """Such as deep_rock_2."""
        return f"{self.kit}_{self.pattern}_{self.number}"

    def bars(self, rate: int = RATE) -> Iterator[tuple[str, np.ndarray]]:
        """The fill of each bar, and the bar as a loop, float32 [samples]."""
        random = np.random.default_rng((crc32(self.kit.encode()), crc32(self.pattern.encode()), self.number))
        kit = tuned(KITS[self.kit], random)
        takes = [strokes(kit, rate, random) for _ in range(TAKES)]
        swing = random.choice([0.0, 0.0, random.uniform(0.08, 0.33)])
        shape = _filter(random, rate)
        peak = 10 ** (random.uniform(*PEAKS) / 20)
        fills = [name for name in FILLS if name != "none"]
        loudest = 0.0
        made = []
        for bar in BARS:
            fill = str(random.choice(fills)) if bar == "fill" else bar
            sound = _played(_varied(_with_fill(PATTERNS[self.pattern], fill), random), takes, swing, random, rate)
            sound = np.tanh(sound * kit.drive) / np.tanh(kit.drive)
            if kit.bits:
                sound = np.round(sound * 2**kit.bits) / 2**kit.bits
            sound = np.fft.irfft(np.fft.rfft(sound) * shape, len(sound))
            loudest = max(loudest, float(np.abs(sound).max()))
            made.append((fill, sound))
        for fill, sound in made:
            yield fill, (sound * (peak / loudest)).astype(np.float32)


def songs() -> list[Song]:
    """All of them."""
    return [Song(kit, pattern, number) for kit in KITS for pattern in PATTERNS for number in range(SONGS)]


def _with_fill(pattern: dict[str, str], fill: str) -> dict[str, str]:
    """The pattern, with the fill in its last steps: of the other drums nothing is heard there but the kick, which goes
    on unless the fill has one.
    """
    steps = len(next(iter(FILLS[fill].values()), ""))
    played = {}
    for drum in DRUMS:
        line = pattern.get(drum, "-" * STEPS)
        if steps:
            rest = FILLS[fill].get(drum, line[STEPS - steps :] if drum == "kick" else "-" * steps)
            line = line[: STEPS - steps] + rest
        played[drum] = line
    return played


def _varied(pattern: dict[str, str], random: np.random.Generator) -> dict[str, str]:
    """A pattern with some soft strokes left out, and others added."""
    played = {}
    for drum, line in pattern.items():
        signs = list(line)
        for step, sign in enumerate(signs):
            if sign in "xo" and random.random() < LEFT_OUT:
                signs[step] = "-"
            elif sign == "-" and drum in ("hat", "snare", "rim") and set(line) != {"-"} and random.random() < ADDED:
                signs[step] = "o"
        played[drum] = "".join(signs)
    return played


def _played(
    pattern: dict[str, str], takes: list[dict[str, np.ndarray]], swing: float, random: np.random.Generator, rate: int
) -> np.ndarray:
    """A bar, float64 [samples]."""
    sound = np.zeros(round(BEATS * 60 / BPM * rate))
    for drum, line in pattern.items():
        for step, sign in enumerate(line):
            if sign not in LOUDNESS:
                continue
            loudness = LOUDNESS[sign] * (1 + random.uniform(-UNEVENNESS, UNEVENNESS))
            late = swing * (step % 2) * len(sound) / STEPS + random.uniform(0, LATENESS) * rate
            stroke = takes[random.integers(TAKES)][drum][: len(sound)]
            first = round(step * len(sound) / STEPS + late) % len(sound)
            here = min(len(stroke), len(sound) - first)
            sound[first : first + here] += loudness * stroke[:here]
            sound[: len(stroke) - here] += loudness * stroke[here:]
    return sound


def _filter(random: np.random.Generator, rate: int) -> np.ndarray:
    """Factors for the frequencies of a bar: for half of the songs none, else those of a low-pass or a high-pass."""
    hertz = np.fft.rfftfreq(round(BEATS * 60 / BPM * rate), 1 / rate)
    kind = random.choice(["none", "none", "low", "high"])
    if kind == "low":
        return 1 / np.sqrt(1 + (hertz / random.uniform(900, 5000)) ** 4)
    if kind == "high":
        ratio = (hertz / random.uniform(120, 500)) ** 2
        return ratio / np.sqrt(1 + ratio**2)
    return np.ones_like(hertz)
