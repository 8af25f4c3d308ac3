"""Notes to sound without a synthesiser on the system: a small player of SoundFonts in numpy.

The instruments are those of TimGM6mb.sf2, the General MIDI SoundFont that comes inside the pretty_midi package. Of the
SoundFont 2 standard it plays what makes the instruments of that file sound like themselves: recorded samples with
loops, the volume envelope, the low-pass filter with its envelope, and vibrato. There is no reverb, chorus or stereo,
and no drum kit.
"""

import importlib.util
import struct
import wave
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from workshop.errors import UserError
from workshop.files import explain, replacing

#: Samples a second.
RATE = 22050

#: The longest piece in seconds: an hour is 320 MB of samples at `RATE`, and rendering takes about twice that.
LONGEST_PIECE = 3600.0

#: A note that is held for longer is let go of after so many seconds: nobody misses the end of a note that got stuck.
LONGEST_NOTE = 60.0

#: A note is held for at least so many seconds, for it to have begun.
SHORTEST_NOTE = 0.05

#: Decibels below its loudest at which a note has died away.
SILENCE = 80.0

#: A note fades for at most so many seconds after it is let go of.
LONGEST_RELEASE = 5.0

#: Seconds of silence that stand for no notes at all.
NOTHING = 0.5

#: Points of a table for each of the sample, so that a straight line between two of them is a good interpolation.
OVERSAMPLING = 4

#: Points of a loop played before it is cut out of a filtered sample, for the filter to have settled.
SETTLING = 2048

#: Cents between two cutoffs that a sample is filtered with; between them it is crossfaded.
CUTOFF_STEP = 600

#: The lowest cutoff in cents, from the standard, and the one from which on a filter is open.
DARKEST, OPEN = 1500, 13500


class _Generator(IntEnum):
    """The parameters of a SoundFont that are played; the numbers and names are those of the standard."""

    START_OFFSET = 0
    END_OFFSET = 1
    LOOP_START_OFFSET = 2
    LOOP_END_OFFSET = 3
    START_COARSE_OFFSET = 4
    MOD_LFO_TO_PITCH = 5
    VIBRATO_TO_PITCH = 6
    FILTER_CUTOFF = 8
    FILTER_Q = 9
    MOD_ENVELOPE_TO_CUTOFF = 11
    END_COARSE_OFFSET = 12
    MOD_LFO_DELAY = 21
    MOD_LFO_FREQUENCY = 22
    VIBRATO_DELAY = 23
    VIBRATO_FREQUENCY = 24
    MOD_DELAY = 25
    MOD_ATTACK = 26
    MOD_HOLD = 27
    MOD_DECAY = 28
    MOD_SUSTAIN = 29
    MOD_RELEASE = 30
    DELAY = 33
    ATTACK = 34
    HOLD = 35
    DECAY = 36
    SUSTAIN = 37
    RELEASE = 38
    INSTRUMENT = 41
    KEYS = 43
    VELOCITIES = 44
    LOOP_START_COARSE_OFFSET = 45
    ATTENUATION = 48
    LOOP_END_COARSE_OFFSET = 50
    COARSE_TUNE = 51
    FINE_TUNE = 52
    SAMPLE = 53
    SAMPLE_MODES = 54
    SCALE_TUNING = 56
    ROOT_KEY = 58


_G = _Generator

#: What holds where a zone says nothing; 0 for the rest. Times are timecents (2 ** (x / 1200) seconds), frequencies
#: cents above 8.176 Hz.
_DEFAULTS: dict[int, int] = {
    _G.FILTER_CUTOFF: OPEN,
    _G.SCALE_TUNING: 100,
    _G.ROOT_KEY: -1,
    **dict.fromkeys((_G.MOD_LFO_DELAY, _G.VIBRATO_DELAY), -12000),
    **dict.fromkeys((_G.MOD_DELAY, _G.MOD_ATTACK, _G.MOD_HOLD, _G.MOD_DECAY, _G.MOD_RELEASE), -12000),
    **dict.fromkeys((_G.DELAY, _G.ATTACK, _G.HOLD, _G.DECAY, _G.RELEASE), -12000),
}

#: These replace one another instead of adding up.
_NO_SUMS = frozenset({_G.KEYS, _G.VELOCITIES, _G.SAMPLE, _G.SAMPLE_MODES, _G.ROOT_KEY, _G.INSTRUMENT})

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
        [
            ("name", "S20"),
            *((name, "<u4") for name in ("start", "end", "loop_start", "loop_end", "rate")),
            *(("root", "u1"), ("correction", "i1"), ("link", "<u2"), ("kind", "<u2")),
        ]
    ),
}

Font = dict[str, np.ndarray]


@dataclass(frozen=True)
class _Zone:
    """One sample of an instrument: where it is played and how.

    Attributes:
        keys: lowest and highest pitch.
        velocities: lowest and highest velocity.
        generators: parameters in the units of the standard.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    generators: dict[int, int]

    def __getitem__(self, generator: _Generator) -> int:
        return self.generators.get(generator, _DEFAULTS.get(generator, 0))

    def seconds(self, generator: _Generator) -> float:
        """A time of the zone."""
        return float(2 ** (self[generator] / 1200))

    def hertz(self, generator: _Generator) -> float:
        """A frequency of the zone."""
        return _hertz(self[generator])


@dataclass(frozen=True)
class _Table:
    """A sample made ready for one pitch, filtered with K cutoffs.

    Attributes:
        points: samples, float32 [K, points].
        step: points for each sample of the sound.
        loop_start: the point that the loop goes back to.
        loop_length: points of the loop; 0 where there is none.
        lowest: the first cutoff in cents; the others follow at `CUTOFF_STEP`.
    """

    points: np.ndarray
    step: float
    loop_start: int
    loop_length: int
    lowest: float


def render(notes: np.ndarray, program: int = 0, rate: int = RATE) -> np.ndarray:
    """Play notes on an instrument; the same notes give the same samples.

    A note is held for `SHORTEST_NOTE` seconds at least and `LONGEST_NOTE` at most. The memory taken is 4 bytes for each
    sample of the piece, and as much again for a moment.

    Args:
        notes: float64 [N, 4]: start and end in seconds, pitch 0 to 127, velocity 1 to 127.
        program: General MIDI number of the instrument, 0 to 127.
        rate: samples a second.

    Returns:
        float32 mono [samples], the loudest at 0.9, with the fading of the last note; half a second of silence for no
        notes.

    Raises:
        UserError: the piece is longer than `LONGEST_PIECE`, or the SoundFont is missing or damaged.
    """
    if not len(notes):
        return np.zeros(int(NOTHING * rate), np.float32)
    assert notes.ndim == 2
    assert notes.shape[1] == 4
    assert (notes[:, 0] >= 0).all()
    starts = notes[:, 0]
    held = np.clip(notes[:, 1] - starts, SHORTEST_NOTE, LONGEST_NOTE)
    seconds = float((starts + held).max())
    if not seconds <= LONGEST_PIECE:
        raise UserError(
            f"a piece of {seconds / 60:.0f} minutes is too long to be made audible: the most is "
            f"{LONGEST_PIECE / 60:.0f} minutes, so that it fits into memory; take a part of it"
        )
    sound = np.zeros(int((seconds + LONGEST_RELEASE + 1) * rate), np.float32)
    for start, length, pitch, velocity in zip(starts, held, notes[:, 2], notes[:, 3], strict=True):
        first = round(start * rate)
        for index in _sounding(program, round(pitch), round(velocity)):
            voice = _voice(program, index, round(pitch), length, rate)
            # The standard's curve: half the velocity is 12 dB less.
            sound[first : first + len(voice)] += voice * np.float32((velocity / 127) ** 2)
    peak = float(np.abs(sound).max())
    if peak == 0:
        return sound[: int(seconds * rate)]
    audible = int(np.flatnonzero(np.abs(sound) > peak * 10 ** (-SILENCE / 20))[-1]) + 1
    return sound[: max(audible, int(seconds * rate))] * np.float32(0.9 / peak)


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    """Write samples [samples] in -1 to 1 as a mono WAV file of 16 bits; what is beyond is clipped.

    Raises:
        UserError: the file cannot be written.
    """
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file, wave.open(file, "wb") as target:
            target.setnchannels(1)
            target.setsampwidth(2)
            target.setframerate(rate)
            target.writeframes(pcm.tobytes())
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


# ---- the SoundFont ------------------------------------------------------------------------------


def _soundfont_path() -> Path:
    """Where pretty_midi keeps its SoundFont; the package itself is not imported."""
    spec = importlib.util.find_spec("pretty_midi")
    if spec is None or spec.origin is None:
        raise UserError(
            "the package pretty_midi, which brings the instruments, is not installed; start the workshop by ./start.sh"
        )
    return Path(spec.origin).with_name("TimGM6mb.sf2")


@lru_cache(maxsize=1)
def _font(path: Path) -> Font:
    """Read the tables of a SoundFont.

    Raises:
        UserError: it cannot be read, or is damaged.
    """
    try:
        data = path.read_bytes()
        chunks = _chunks(data, 0, len(data))
        return {name: np.frombuffer(chunks[name], kind) for name, kind in _TABLES.items()}
    except OSError as error:
        reason = explain(error, path)
    except (KeyError, ValueError, struct.error):
        reason = "it is not a complete SoundFont"
    raise UserError(f"the instruments in {path} cannot be read: {reason}; reinstall the package pretty_midi")


def _chunks(data: bytes, start: int, end: int) -> dict[str, memoryview]:
    """The contents of all chunks of a RIFF file that hold no others, by name."""
    found: dict[str, memoryview] = {}
    while start < end:
        name, size = struct.unpack_from("<4sI", data, start)
        if name in (b"RIFF", b"LIST"):
            found |= _chunks(data, start + 12, start + 8 + size)
        else:
            found[name.decode("latin-1")] = memoryview(data)[start + 8 : start + 8 + size]
        start += 8 + size + size % 2
    return found


def _generators(font: Font, prefix: str, first: int, last: int, leads_to: _Generator) -> list[dict[int, int]]:
    """The parameters of the zones from `first` up to `last`, with those that hold for all of them filled in.

    Args:
        font: the tables.
        prefix: "p" for the zones of presets, "i" for those of instruments.
        first: the first bag.
        last: the bag after the last.
        leads_to: the parameter without which a zone is the global one.
    """
    bounds = font[f"{prefix}bag"]["generator"][first : last + 1].tolist()
    table = font[f"{prefix}gen"]
    zones = [dict(table[start:end].tolist()) for start, end in pairwise(bounds)]
    common = zones[0] if zones and leads_to not in zones[0] else {}
    return [common | zone for zone in zones if leads_to in zone]


@lru_cache(maxsize=16)
def _zones(path: Path, program: int) -> tuple[_Zone, ...]:
    """All zones of an instrument of the first bank."""
    font = _font(path)
    found = np.flatnonzero((font["phdr"]["program"] == program) & (font["phdr"]["bank"] == 0))
    if not len(found):
        raise UserError(f"the instruments in {path} have no number {program}; choose another one")
    zones = []
    presets, instruments = font["phdr"]["bag"], font["inst"]["bag"]
    first = int(found[0])
    for outer in _generators(font, "p", presets[first], presets[first + 1], _G.INSTRUMENT):
        number = outer[_G.INSTRUMENT]
        for inner in _generators(font, "i", instruments[number], instruments[number + 1], _G.SAMPLE):
            # What a preset says is added to what its instrument says.
            sums = {k: inner.get(k, _DEFAULTS.get(k, 0)) + v for k, v in outer.items() if k not in _NO_SUMS}
            ranges = [_overlap(outer, inner, kind) for kind in (_G.KEYS, _G.VELOCITIES)]
            if all(low <= high for low, high in ranges):
                zones.append(_Zone(ranges[0], ranges[1], inner | sums))
    return tuple(zones)


def _overlap(outer: dict[int, int], inner: dict[int, int], kind: _Generator) -> tuple[int, int]:
    """What two ranges, kept as two bytes each, have in common: lowest and highest."""
    # Without a range it is everything, 0 to 127.
    one, other = (zone.get(kind, 127 << 8) for zone in (outer, inner))
    return max(one & 255, other & 255), min(one >> 8 & 255, other >> 8 & 255)


@lru_cache(maxsize=4096)
def _sounding(program: int, pitch: int, velocity: int) -> tuple[int, ...]:
    """The zones that sound together for a note, as indices. Beyond an instrument's range it is the nearest ones."""
    zones = _zones(_soundfont_path(), program)
    hit = [i for i, zone in enumerate(zones) if zone.velocities[0] <= velocity <= zone.velocities[1]]
    away = [max(zones[i].keys[0] - pitch, pitch - zones[i].keys[1], 0) for i in hit]
    return tuple(i for i, distance in zip(hit, away, strict=True) if distance == min(away))


# ---- one note ----------------------------------------------------------------------------------


def _hertz(cents: float) -> float:
    """A frequency from cents above 8.176 Hz."""
    return float(440 * 2 ** ((cents - 6900) / 1200))


@lru_cache(maxsize=96)
def _table(program: int, index: int, pitch: int, rate: int) -> _Table:
    """Unroll, filter and oversample the sample of a zone for a pitch.

    The filters are made of their frequency response alone and do not shift the phase, so that crossfading between two
    cutoffs is smooth.
    """
    path = _soundfont_path()
    font, zone = _font(path), _zones(path, program)[index]
    sample = font["shdr"][zone[_G.SAMPLE]]
    start = int(sample["start"]) + zone[_G.START_OFFSET] + (zone[_G.START_COARSE_OFFSET] << 15)
    end = int(sample["end"]) + zone[_G.END_OFFSET] + (zone[_G.END_COARSE_OFFSET] << 15)
    loop_start = int(sample["loop_start"]) + zone[_G.LOOP_START_OFFSET] + (zone[_G.LOOP_START_COARSE_OFFSET] << 15)
    loop_end = int(sample["loop_end"]) + zone[_G.LOOP_END_OFFSET] + (zone[_G.LOOP_END_COARSE_OFFSET] << 15)
    recorded = font["smpl"][start:end]
    loop_start -= start
    length = loop_end - start - loop_start if zone[_G.SAMPLE_MODES] & 1 else 0
    if length > 0:
        # The loop goes round until the filter has settled, once to be kept, and on for the filter to look ahead.
        settled = -(-SETTLING // length) * length
        places = np.arange(loop_start + length + 2 * settled)
        places = np.where(places < loop_start, places, loop_start + (places - loop_start) % length)
        recorded, loop_start = recorded[places], loop_start + settled

    root = zone[_G.ROOT_KEY] if zone[_G.ROOT_KEY] >= 0 else int(sample["root"])
    cents = (pitch - root) * zone[_G.SCALE_TUNING] + zone[_G.COARSE_TUNE] * 100 + zone[_G.FINE_TUNE]
    speed = float(2 ** ((cents + int(sample["correction"])) / 1200) * sample["rate"])

    # A multiple of 1024, because the transform is slow at sizes with large prime factors.
    size = -(-(len(recorded) + SETTLING) // 1024) * 1024
    spectrum = np.fft.rfft(recorded.astype(np.float32) / 32768, size)
    hertz = np.fft.rfftfreq(size, 1 / speed).astype(np.float32)
    # What the rate cannot hold would come back as a false tone.
    spectrum *= np.clip((0.5 - hertz / rate) / 0.05, 0, 1)
    ends = sorted((zone[_G.FILTER_CUTOFF], zone[_G.FILTER_CUTOFF] + zone[_G.MOD_ENVELOPE_TO_CUTOFF]))
    lowest, highest = (min(max(end, DARKEST), OPEN) for end in ends)
    cutoffs = list(range(lowest, highest + CUTOFF_STEP, CUTOFF_STEP)) if highest > lowest else [lowest]
    kept = (loop_start + length if length > 0 else len(recorded)) * OVERSAMPLING + 1
    points = np.empty((len(cutoffs), kept), np.float32)
    for row, cutoff in zip(points, cutoffs, strict=True):
        filtered = np.fft.irfft(spectrum * _low_pass(hertz, cutoff, zone[_G.FILTER_Q]), size * OVERSAMPLING)
        row[:] = filtered[:kept] * OVERSAMPLING
    return _Table(points, speed / rate * OVERSAMPLING, loop_start * OVERSAMPLING, length * OVERSAMPLING, lowest)


def _low_pass(hertz: np.ndarray, cutoff: float, resonance: float) -> np.ndarray:
    """The gain at each frequency of a filter of two poles: cutoff in cents, resonance in tenths of a decibel."""
    if cutoff >= OPEN:
        return np.ones_like(hertz)
    ratio = hertz / _hertz(cutoff)
    q = 10 ** (resonance / 200) / np.sqrt(2)
    return 1 / np.sqrt((1 - ratio**2) ** 2 + (ratio / q) ** 2)


def _voice(program: int, index: int, pitch: int, held: float, rate: int) -> np.ndarray:
    """The samples of one zone for a note that is held for so many seconds, float32 [samples]."""
    zone = _zones(_soundfont_path(), program)[index]
    table = _table(program, index, pitch, rate)
    loudness = _loudness(zone, held, rate)
    if not table.loop_length:
        loudness = loudness[: int((table.points.shape[1] - 1) / table.step)]
    time = np.arange(len(loudness)) / rate
    place = _bent(zone, time) * (table.step * rate)
    if table.loop_length:
        place = np.where(
            place < table.loop_start, place, table.loop_start + (place - table.loop_start) % table.loop_length
        )
    # The bend of a vibrato may reach beyond the end of a sample that has no loop.
    before = np.minimum(place.astype(np.intp), table.points.shape[1] - 2)
    between = (place - before).astype(np.float32)
    if len(table.points) == 1:
        (row,) = table.points
        return (row[before] + between * (row[before + 1] - row[before])) * loudness
    level = (_cutoffs(zone, time, held) - table.lowest) / CUTOFF_STEP
    below = np.minimum(level.astype(np.intp), len(table.points) - 2)
    share = (level - below).astype(np.float32)
    flat = table.points.ravel()
    low = below * table.points.shape[1] + before
    high = low + table.points.shape[1]
    dark = flat[low] + between * (flat[low + 1] - flat[low])
    bright = flat[high] + between * (flat[high + 1] - flat[high])
    return (dark + share * (bright - dark)) * loudness


def _loudness(zone: _Zone, held: float, rate: int) -> np.ndarray:
    """The volume envelope until the note has died away, float32 [samples]: a rise, then a fall that is straight in
    decibels down to the sustained level, and another one after the note is let go of.
    """
    delay, attack = zone.seconds(_G.DELAY), zone.seconds(_G.ATTACK)
    decay, sustain = zone.seconds(_G.DECAY), min(max(zone[_G.SUSTAIN] / 10, 0), 100)
    # Times of falling are meant for 100 dB; the shortest one keeps the end from clicking.
    release = min(max(zone.seconds(_G.RELEASE), 0.03), LONGEST_RELEASE)
    time = np.arange(int((held + release * SILENCE / 100) * rate)) / rate
    falls = delay + attack + zone.seconds(_G.HOLD)
    lost = np.interp(np.minimum(time, held), [falls, falls + decay * sustain / 100], [0, sustain])
    lost += np.maximum(time - held, 0) * (100 / release)
    lost = lost[: int(np.searchsorted(lost, SILENCE))].astype(np.float32)
    lost += np.float32(zone[_G.ATTENUATION] / 10)
    risen = np.clip((np.minimum(time[: len(lost)], held) - delay) / attack, 0, 1).astype(np.float32)
    return risen * np.float32(10) ** (lost / np.float32(-20))


def _cutoffs(zone: _Zone, time: np.ndarray, held: float) -> np.ndarray:
    """The filter's cutoff in cents at each time in seconds [samples], as its envelope moves it."""
    rises = zone.seconds(_G.MOD_DELAY)
    risen = rises + zone.seconds(_G.MOD_ATTACK)
    falls = risen + zone.seconds(_G.MOD_HOLD)
    sustain = 1 - min(max(zone[_G.MOD_SUSTAIN] / 1000, 0), 1)
    fallen = falls + zone.seconds(_G.MOD_DECAY) * (1 - sustain)
    envelope = np.interp(np.minimum(time, held), [rises, risen, falls, fallen], [0, 1, 1, sustain])
    envelope = np.maximum(envelope - np.maximum(time - held, 0) / zone.seconds(_G.MOD_RELEASE), 0)
    cutoff = zone[_G.FILTER_CUTOFF] + zone[_G.MOD_ENVELOPE_TO_CUTOFF] * envelope
    return np.clip(cutoff, DARKEST, OPEN)


def _bent(zone: _Zone, time: np.ndarray) -> np.ndarray:
    """Time in seconds [samples] as a sample is read that has vibrato: now a little faster, now slower."""
    if zone[_G.VIBRATO_TO_PITCH]:
        depth, delay = zone[_G.VIBRATO_TO_PITCH], zone.seconds(_G.VIBRATO_DELAY)
        turn = 2 * np.pi * zone.hertz(_G.VIBRATO_FREQUENCY)
    else:
        depth, delay = zone[_G.MOD_LFO_TO_PITCH], zone.seconds(_G.MOD_LFO_DELAY)
        turn = 2 * np.pi * zone.hertz(_G.MOD_LFO_FREQUENCY)
    if not depth:
        return time
    # The integral of 1 + depth * sin(turn * t) from the delay on, with the depth as a share of the frequency.
    return time + depth * (np.log(2) / 1200 / turn) * (1 - np.cos(turn * np.maximum(time - delay, 0)))
