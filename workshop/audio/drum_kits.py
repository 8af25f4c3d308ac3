"""Drum kits made of sine waves and noise, each with a character of its own: from the deep kick and the metal of a drum
machine to skins with wires, and to noise alone.

A kit is a record of numbers. `tuned` makes another one of its kind, and `strokes` plays each of its drums.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

#: What a kit has.
DRUMS = ("kick", "snare", "hat", "open", "tom", "rim")
#: How much the frequencies and the times of two kits of a kind differ, as a share.
SPREAD = 0.08
#: Ratios of the six square waves of a metallic hi-hat to the lowest.
METAL = (1.0, 1.34, 1.53, 1.81, 2.27, 2.71)
#: Seconds in which a stroke begins: it would click.
ATTACK = 0.0005


@dataclass(frozen=True)
class Kit:
    """How the drums of a loop sound. Frequencies in hertz; times are seconds in which 60 dB are lost.

    Attributes:
        kick: frequency that the kick falls to.
        kick_drop: how many times that it begins with.
        kick_fall: seconds in which it falls to a third of the way.
        kick_time: how long it sounds.
        click: level of the noise that the kick begins with.
        snare: frequency of the snare's lower tone.
        skin: level of the snare's tones; of its noise it is 1 - skin.
        wires: frequency from which on the snare's noise is.
        snare_time: how long the noise sounds.
        claps: how many bursts the noise of the snare is made of.
        hat: frequency from which on hi-hats are.
        hat_time: how long a closed one sounds.
        open_time: how long an open one sounds.
        metal: share of square waves in the hi-hats, and the frequency of the lowest in hertz.
        tom: frequency of the middle tom.
        drive: how hard the whole is driven into its limits.
        bits: steps that the whole is rounded to, as a power of two; 0 for none.
    """

    kick: float = 52.0
    kick_drop: float = 4.0
    kick_fall: float = 0.025
    kick_time: float = 0.45
    click: float = 0.1
    snare: float = 190.0
    skin: float = 0.5
    wires: float = 900.0
    snare_time: float = 0.25
    claps: int = 1
    hat: float = 6000.0
    hat_time: float = 0.1
    open_time: float = 0.5
    metal: tuple[float, float] = (0.0, 400.0)
    tom: float = 120.0
    drive: float = 2.0
    bits: int = 0


KITS = {
    "deep": Kit(kick=44, kick_drop=2.5, kick_fall=0.06, kick_time=0.9, click=0.02, snare=175, skin=0.4, wires=1500,
                snare_time=0.18, hat=7000, hat_time=0.07, open_time=0.45, metal=(0.8, 540), tom=95),
    "punchy": Kit(kick=54, kick_drop=5, kick_fall=0.03, kick_time=0.4, click=0.25, snare=200, skin=0.35, wires=1000,
                  snare_time=0.3, hat=6500, hat_time=0.09, open_time=0.6, metal=(0.3, 420), drive=3),
    "skins": Kit(kick=62, kick_drop=2.2, kick_fall=0.015, kick_time=0.3, click=0.35, snare=210, skin=0.6, wires=500,
                 snare_time=0.4, hat=4200, hat_time=0.16, open_time=0.9, tom=140, drive=1.3),
    "dusty": Kit(kick=58, kick_drop=3, kick_fall=0.02, kick_time=0.28, click=0.15, snare=180, skin=0.45, wires=600,
                 snare_time=0.2, hat=3600, hat_time=0.08, open_time=0.3, drive=3, bits=5),
    "harsh": Kit(kick=49, kick_drop=7, kick_fall=0.045, kick_time=0.55, click=0.5, snare=260, skin=0.15, wires=400,
                 snare_time=0.45, hat=3000, hat_time=0.14, open_time=0.7, metal=(0.6, 900), drive=9),
    "claps": Kit(kick=50, kick_drop=6, kick_fall=0.02, kick_time=0.35, click=0.05, snare=400, skin=0.02, wires=1100,
                 snare_time=0.3, claps=4, hat=8000, hat_time=0.05, open_time=0.35, metal=(0.9, 620)),
    "bright": Kit(kick=70, kick_drop=3.5, kick_fall=0.012, kick_time=0.22, click=0.2, snare=300, skin=0.55, wires=1800,
                  snare_time=0.16, hat=7500, hat_time=0.12, open_time=0.8, tom=190, drive=2.5),
    "small": Kit(kick=80, kick_drop=2, kick_fall=0.008, kick_time=0.1, click=0.4, snare=900, skin=0.8, wires=3000,
                 snare_time=0.06, hat=8500, hat_time=0.03, open_time=0.12, tom=320, drive=1.2),
}  # fmt: skip


def tuned(kit: Kit, random: np.random.Generator) -> Kit:
    """Another kit of the same kind: its frequencies and times are a little different."""
    names = ("kick", "kick_fall", "kick_time", "snare", "wires", "snare_time", "hat", "hat_time", "open_time", "tom")
    changed = {name: getattr(kit, name) * random.uniform(1 - SPREAD, 1 + SPREAD) for name in names}
    return dataclasses.replace(kit, **changed)


def strokes(kit: Kit, rate: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """A loud stroke of each of `DRUMS`, float64 [samples], from about -1 to 1; hi-hats and rim are softer."""
    metal, lowest = kit.metal
    noise = _noise(kit.open_time, rate, kit.hat, random)
    ringing = _high_passed(_squares(lowest * random.uniform(0.95, 1.05), len(noise), rate), rate, kit.hat)
    hats = 0.3 * ((1 - metal) * noise + metal * ringing)
    short = hats[: round(kit.hat_time * rate)]
    tom = 0.8 * _falling(kit.tom, 1.8, 0.04, 0.35, rate)
    rim = 0.4 * _falling(1.9 * kit.snare + 600, 1.2, 0.002, 0.04, rate)
    made = {
        "kick": _with_click(_falling(kit.kick, kit.kick_drop, kit.kick_fall, kit.kick_time, rate), kit, rate, random),
        "snare": _snare(kit, rate, random), "hat": short * _decay(len(short), kit.hat_time, rate),
        "open": hats * _decay(len(hats), kit.open_time, rate), "tom": tom, "rim": rim,
    }  # fmt: skip
    return {drum: _begun(stroke, rate) for drum, stroke in made.items()}


def _falling(low: float, drop: float, fall: float, seconds: float, rate: int) -> np.ndarray:
    """A sine that falls from `drop` times a frequency to it."""
    time = np.arange(round(seconds * rate)) / rate
    frequency = low * (1 + (drop - 1) * np.exp(-time / fall))
    return np.sin(2 * np.pi * np.cumsum(frequency) / rate) * _decay(len(time), seconds, rate)


def _with_click(kick: np.ndarray, kit: Kit, rate: int, random: np.random.Generator) -> np.ndarray:
    noise = _noise(0.02, rate, 1500, random)
    kick[: len(noise)] += 0.5 * kit.click * noise * _decay(len(noise), 0.02, rate)
    return kick


def _snare(kit: Kit, rate: int, random: np.random.Generator) -> np.ndarray:
    """Two tones of a skin, and noise, perhaps in some bursts that follow one another as those of clapping hands."""
    noise = _noise(kit.snare_time, rate, kit.wires, random)
    heard = noise * _decay(len(noise), kit.snare_time, rate)
    for burst in range(1, kit.claps):
        early = round(0.011 * burst * rate)
        heard = np.pad(heard, (early, 0))
        heard[: len(noise)] += 0.7 * noise * _decay(len(noise), 0.02, rate)
    time = np.arange(len(heard)) / rate
    # 1.6 is the ratio of the first two modes of a round skin.
    skin = np.sin(2 * np.pi * kit.snare * time) + 0.5 * np.sin(2 * np.pi * 1.6 * kit.snare * time)
    return 0.7 * kit.skin * skin * _decay(len(time), 0.6 * kit.snare_time, rate) + 0.35 * (1 - kit.skin) * heard


def _squares(lowest: float, count: int, rate: int) -> np.ndarray:
    """Six square waves, which sound like metal, with a standard deviation of 1."""
    time = np.arange(count) / rate
    waves = np.sum([np.sign(np.sin(2 * np.pi * ratio * lowest * time)) for ratio in METAL], axis=0)
    return np.asarray(waves / math.sqrt(len(METAL)))


def _noise(seconds: float, rate: int, edge: float, random: np.random.Generator) -> np.ndarray:
    return _high_passed(random.standard_normal(round(seconds * rate)), rate, edge)


def _high_passed(sound: np.ndarray, rate: int, edge: float) -> np.ndarray:
    """A sound without most of what is below an edge in hertz, with a standard deviation of 1."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / rate)
    # At a low rate there is nothing above such an edge: then the top of what there is has to do.
    ratio = hertz / min(edge, 0.4 * rate)
    passed = np.fft.irfft(spectrum * ratio**4 / (1 + ratio**4), len(sound))
    return np.asarray(passed / passed.std())


def _decay(count: int, seconds: float, rate: int) -> np.ndarray:
    """Factors that fall by 60 dB in so many seconds."""
    return np.exp(-math.log(1000) * np.arange(count) / (seconds * rate))


def _begun(stroke: np.ndarray, rate: int) -> np.ndarray:
    rise = np.minimum(1, np.arange(1, len(stroke) + 1) / max(1, ATTACK * rate))
    return stroke * rise
