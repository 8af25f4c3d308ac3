"""The instruments of a SoundFont: recordings, and the parameters that they are played with.

The file is TimGM6mb.sf2, the General MIDI SoundFont that comes inside the pretty_midi package. Of the SoundFont 2
standard this reads what the 128 melodic instruments of that file make use of: their presets do no more than name an
instrument, and no recording depends on the velocity.
"""

import importlib.util
import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from workshop.commands import start_sh
from workshop.errors import UserError
from workshop.files import explain


class Generator(IntEnum):
    """The parameters that are read, with the numbers of the standard."""

    LOOP_START_OFFSET, LOOP_END_OFFSET = 2, 3
    MOD_LFO_TO_PITCH, MOD_LFO_DELAY, MOD_LFO_FREQUENCY = 5, 21, 22
    FILTER_CUTOFF, FILTER_Q, MOD_ENVELOPE_TO_CUTOFF = 8, 9, 11
    MOD_ATTACK, MOD_HOLD, MOD_DECAY, MOD_SUSTAIN = 26, 27, 28, 29
    ATTACK, HOLD, DECAY, SUSTAIN, RELEASE = 34, 35, 36, 37, 38
    INSTRUMENT, SAMPLE, SAMPLE_MODES = 41, 53, 54
    KEYS, ROOT_KEY, SCALE_TUNING, FINE_TUNE = 43, 58, 56, 52
    ATTENUATION = 48


_G = Generator

#: What holds where a zone says nothing; 0 for the rest.
_TIMES = (_G.MOD_ATTACK, _G.MOD_HOLD, _G.MOD_DECAY, _G.ATTACK, _G.HOLD, _G.DECAY, _G.RELEASE)
_DEFAULTS = {_G.FILTER_CUTOFF: 13500, _G.SCALE_TUNING: 100, **dict.fromkeys(_TIMES, -12000)}

_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("kind", "<u2"), ("amount", "<i2")])

#: The tables of a SoundFont by the names of their chunks.
_TABLES = {
    "smpl": np.dtype("<i2"),
    "phdr": np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")]),
    "pbag": _BAG,
    "pgen": _GENERATOR,
    "inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    "ibag": _BAG,
    "igen": _GENERATOR,
    "shdr": np.dtype(
        [("name", "S20"), ("bounds", "<u4", 4), ("rate", "<u4"), ("root", "u1"), ("correction", "i1"), ("link", "V4")]
    ),
}


@dataclass(frozen=True, eq=False)
class Zone:
    """A recording of an instrument and how it is played. A zone equals only itself, so that it can be a key.

    Attributes:
        recording: int16 [samples].
        loop_start: the sample that the loop goes back to.
        loop_length: samples of the loop; 0 where there is none.
        rate: samples a second with which the recording sounds at its root.
        root: the pitch that was recorded.
        parameters: by number, in the units of the standard.
    """

    recording: np.ndarray
    loop_start: int
    loop_length: int
    rate: float
    root: int
    parameters: dict[int, int]

    def __getitem__(self, generator: Generator) -> int:
        return self.parameters.get(generator, _DEFAULTS.get(generator, 0))

    def seconds(self, generator: Generator) -> float:
        """A time; it is kept as 1200 times the binary logarithm of its seconds."""
        return _ratio(self[generator])

    def speed(self, pitch: int) -> float:
        """Samples of the recording for a second of a pitch."""
        return self.rate * _ratio((pitch - self.root) * self[_G.SCALE_TUNING])

    def away(self, pitch: int) -> int:
        """Semitones from a pitch to the zone's range; 0 inside."""
        # The lowest and the highest pitch are a byte each.
        return max((self[_G.KEYS] & 255) - pitch, pitch - (self[_G.KEYS] >> 8), 0)


def hertz(cents: float) -> float:
    """A frequency from cents above 8.176 Hz, which is pitch 0."""
    return 440 * _ratio(cents - 6900)


def _ratio(cents: float) -> float:
    """The ratio of two frequencies so many cents apart."""
    return float(2 ** (cents / 1200))


def sounding(program: int, pitch: int) -> list[Zone]:
    """The zones of a General MIDI instrument that sound together for a pitch; beyond its range the nearest ones.

    Raises:
        UserError: the SoundFont is missing or damaged.
    """
    zones = _zones(program)
    nearest = min(zone.away(pitch) for zone in zones)
    return [zone for zone in zones if zone.away(pitch) == nearest]


@cache
def _zones(program: int) -> list[Zone]:
    """All zones of an instrument of the first bank."""
    presets, instruments = _font()["phdr"], _font()["inst"]
    preset = np.flatnonzero((presets["program"] == program) & (presets["bank"] == 0))[0]
    return [
        _zone(inner)
        for outer in _parameters("p", presets["bag"][preset:], _G.INSTRUMENT)
        for inner in _parameters("i", instruments["bag"][outer[_G.INSTRUMENT] :], _G.SAMPLE)
    ]


def _parameters(prefix: str, bags: np.ndarray, leads_to: Generator) -> list[dict[int, int]]:
    """The parameters of the zones in the rows from bags[0] up to bags[1] of the table "pbag" or "ibag".

    A first zone without the parameter `leads_to` is none: it holds what is common to the others, and is filled in.
    """
    bounds = _font()[f"{prefix}bag"]["generator"][bags[0] : bags[1] + 1].tolist()
    zones = [dict(_font()[f"{prefix}gen"][start:end].tolist()) for start, end in pairwise(bounds)]
    common = zones[0] if leads_to not in zones[0] else {}
    return [common | zone for zone in zones if leads_to in zone]


def _zone(parameters: dict[int, int]) -> Zone:
    """A zone with the recording that its parameters name."""
    _, bounds, rate, root, correction, _ = _font()["shdr"][parameters[_G.SAMPLE]].item()
    start, end, loop_start, loop_end = bounds.tolist()
    loop_start += parameters.get(_G.LOOP_START_OFFSET, 0)
    loop_end += parameters.get(_G.LOOP_END_OFFSET, 0)
    return Zone(
        recording=_font()["smpl"][start:end],
        loop_start=loop_start - start,
        loop_length=max(loop_end - loop_start, 0) if parameters.get(_G.SAMPLE_MODES, 0) & 1 else 0,
        rate=rate * _ratio(correction + parameters.get(_G.FINE_TUNE, 0)),
        root=parameters.get(_G.ROOT_KEY, root),
        parameters=parameters,
    )


@cache
def _font() -> dict[str, np.ndarray]:
    """Read the tables of the SoundFont.

    Raises:
        UserError: it is missing, cannot be read, or is damaged.
    """
    path = _path()
    try:
        chunks = _chunks(path.read_bytes())
        return {name: np.frombuffer(chunks[name], kind) for name, kind in _TABLES.items()}
    except OSError as error:
        reason = explain(error, path)
    except (KeyError, ValueError, struct.error):
        reason = "it is not a complete SoundFont"
    raise UserError(f"the instruments in {path} cannot be read: {reason}; reinstall the package pretty_midi")


def _path() -> Path:
    """Where pretty_midi keeps its SoundFont; the package itself is not imported."""
    spec = importlib.util.find_spec("pretty_midi")
    if spec is None or spec.origin is None:
        raise UserError(
            f"pretty_midi, which brings the instruments, is not installed; run {start_sh()}, which installs it"
        )
    return Path(spec.origin).with_name("TimGM6mb.sf2")


def _chunks(data: bytes) -> dict[str, memoryview]:
    """The contents of all chunks of a RIFF file that hold no others, by name."""
    found, start = {}, 0
    while start < len(data):
        name, size = struct.unpack_from("<4sI", data, start)
        if name in (b"RIFF", b"LIST"):
            # What it holds comes after the name of its kind.
            start += 12
        else:
            found[name.decode("latin-1")] = memoryview(data)[start + 8 : start + 8 + size]
            start += 8 + size + size % 2
    return found
