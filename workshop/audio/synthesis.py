"""Notes to sound without a synthesiser on the system: a small player of SoundFonts in numpy.

It plays what makes the instruments sound like themselves: recordings with loops, the volume envelope, the low-pass
filter with its envelope, and vibrato. There is no reverb, chorus or stereo.
"""

import math
import wave
from functools import lru_cache
from pathlib import Path

import numpy as np

from workshop.audio.soundfont import Generator as G
from workshop.audio.soundfont import Zone, hertz, sounding
from workshop.errors import UserError
from workshop.files import atomic_write, explain

#: Samples a second.
RATE = 22050

#: The longest piece in seconds: an hour is 320 MB of samples at `RATE`, and rendering takes about twice that.
LONGEST_PIECE = 3600.0

#: Longest note in seconds, so that a stuck note ends. And the shortest,
#: for it to have begun.
LONGEST_NOTE, SHORTEST_NOTE = 60.0, 0.05

#: Decibels below its loudest at which a note has died away.
SILENCE = 80.0

#: A note fades for at most so many seconds after it is let go of, and for at least so many, for it not to click.
LONGEST_RELEASE, SHORTEST_RELEASE = 5.0, 0.03

#: Points made of each sample of a recording, so that a straight line between two of them is a good interpolation.
OVERSAMPLING = 4

#: Samples of a loop played before it is cut out of a filtered recording, for the filter to have settled.
SETTLING = 2048

#: Cents between two cutoffs that a recording is filtered with; between them it is crossfaded.
CUTOFF_STEP = 600

#: Cents from which on a filter is open.
OPEN = 13500


def render(notes: np.ndarray, program: int = 0, rate: int = RATE) -> np.ndarray:
    """Play notes on an instrument; the same notes give the same samples.

    A note is held for `SHORTEST_NOTE` seconds at least and `LONGEST_NOTE` at most. The memory taken is 4 bytes for each
    sample of the piece, as much again for a moment, and some 50 MB for the tones that `_tone` keeps for the next piece;
    more where notes are long.

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
        return np.zeros(rate // 2, np.float32)
    assert notes.shape[1:] == (4,)
    assert (notes[:, 0] >= 0).all()
    # All notes of a pitch follow one another, so that its tone is at hand for them.
    starts, ends, pitches, velocities = notes[np.argsort(notes[:, 2], kind="stable")].T
    held = np.clip(ends - starts, SHORTEST_NOTE, LONGEST_NOTE)
    seconds = float((starts + held).max())
    if not seconds <= LONGEST_PIECE:
        raise UserError(
            f"a piece of {seconds / 60:.0f} minutes is too long to render: the most is "
            f"{LONGEST_PIECE / 60:.0f} minutes, so that it fits into memory; take a part of it"
        )
    sound = np.zeros(int((seconds + LONGEST_RELEASE + 1) * rate), np.float32)
    for start, length, pitch, velocity in zip(starts, held, pitches, velocities, strict=True):
        first = round(start * rate)
        for zone in sounding(program, round(pitch)):
            voice = _voice(zone, round(pitch), length, rate)
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
        with atomic_write(path) as file, wave.open(file, "wb") as target:
            target.setnchannels(1)
            target.setsampwidth(2)
            target.setframerate(rate)
            target.writeframes(pcm.tobytes())
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {explain(error, path)}; free some space or choose another folder"
        ) from error


def _voice(zone: Zone, pitch: int, held: float, rate: int) -> np.ndarray:
    """The samples of a zone for a note that is held for so many seconds, float32 [samples]."""
    fade = _fade(zone, rate)
    # One of few lengths, so that the notes of a pitch share it.
    seconds = min(2 ** max(2, math.ceil(math.log2(held + len(fade) / rate))), LONGEST_NOTE + LONGEST_RELEASE)
    tone = _tone(zone, pitch, seconds, rate)
    loudness = _loudness(zone, seconds, rate)[: 1 + round(held * rate)]
    loudness = np.concatenate([loudness[:-1], loudness[-1] * fade])[: len(tone)]
    return tone[: len(loudness)] * loudness


@lru_cache(maxsize=32)
def _fade(zone: Zone, rate: int) -> np.ndarray:
    """How a note dies away after it is let go of, as factors, float32 [samples]: straight in decibels."""
    # The time of the standard is meant for 100 dB.
    slope = 100 / min(max(zone.seconds(G.RELEASE), SHORTEST_RELEASE), LONGEST_RELEASE)
    lost = np.arange(int(SILENCE / slope * rate)) * (slope / rate)
    return (10 ** (lost / -20)).astype(np.float32)


@lru_cache(maxsize=32)
def _loudness(zone: Zone, seconds: float, rate: int) -> np.ndarray:
    """The volume of a note that is never let go of, as factors, until it has died away, float32 [samples at most]: a
    rise, then a fall that is straight in decibels down to the sustained level.
    """
    time = np.arange(int(seconds * rate)) / rate
    attack, sustain = zone.seconds(G.ATTACK), zone[G.SUSTAIN] / 10
    falls = attack + zone.seconds(G.HOLD)
    lost = np.interp(time, [falls, falls + zone.seconds(G.DECAY) * sustain / 100], [0, sustain])
    lost = lost[: int(np.searchsorted(lost, SILENCE))]
    risen = np.minimum(time[: len(lost)] / attack, 1)
    return (risen * 10 ** ((lost + zone[G.ATTENUATION] / 10) / -20)).astype(np.float32)


@lru_cache(maxsize=128)
def _tone(zone: Zone, pitch: int, seconds: float, rate: int) -> np.ndarray:
    """A zone at a pitch until it has died away, or for so many seconds: filtered, not yet shaped in loudness, float32.

    While the cutoff moves, the sound is crossfaded between recordings that are filtered with fixed ones.
    """
    time = np.arange(len(_loudness(zone, seconds, rate))) / rate
    recording, loop_start = _unrolled(zone)
    speed = zone.speed(pitch)
    place = speed * _bent(zone, time)
    if zone.loop_length:
        place = np.where(place < loop_start, place, loop_start + (place - loop_start) % zone.loop_length)
    else:
        place = place[place < len(recording)]
    place *= OVERSAMPLING
    before = place.astype(np.intp)
    between = (place - before).astype(np.float32)
    cutoff = _cutoff(zone, time[: len(place)])
    tone = np.zeros(len(place), np.float32)
    for step in np.arange(cutoff.min(), cutoff.max() + CUTOFF_STEP, CUTOFF_STEP):
        share = np.maximum(1 - np.abs(cutoff - step) / CUTOFF_STEP, 0).astype(np.float32)
        near = np.flatnonzero(share)
        points = _filtered(zone, recording, speed, step, rate)
        one, other = points[before[near]], points[before[near] + 1]
        tone[near] += share[near] * (one + between[near] * (other - one))
    return tone


def _unrolled(zone: Zone) -> tuple[np.ndarray, int]:
    """A zone's recording [samples] and where its loop starts: with a loop that goes round until a filter has settled,
    once to be played, and on for the filter to look ahead.
    """
    start, length = zone.loop_start, zone.loop_length
    if not length:
        return zone.recording, 0
    settled = -(-SETTLING // length) * length
    loop = np.resize(zone.recording[start : start + length], length + 2 * settled)
    return np.concatenate([zone.recording[:start], loop]), start + settled


def _filtered(zone: Zone, recording: np.ndarray, speed: float, cutoff: float, rate: int) -> np.ndarray:
    """A recording behind the zone's low-pass filter of two poles, with `OVERSAMPLING` points for each sample, float32.

    The phase is not shifted. The speed is in samples a second, the cutoff in cents. Partials that the rate cannot hold
    would come back as false tones, and are left out.
    """
    # A multiple of 1024, because the transform is slow at sizes with large prime factors.
    size = -(-(len(recording) + SETTLING) // 1024) * 1024
    frequencies = np.fft.rfftfreq(size, 1 / speed).astype(np.float32)
    gain = np.clip((0.5 - frequencies / rate) / 0.05, 0, 1)
    if cutoff < OPEN:
        ratio = frequencies / np.float32(hertz(cutoff))
        q = np.float32(10 ** (zone[G.FILTER_Q] / 200) / math.sqrt(2))
        gain /= np.sqrt((1 - ratio**2) ** 2 + (ratio / q) ** 2)
    spectrum = np.fft.rfft(recording.astype(np.float32) / 32768, size) * gain
    return np.fft.irfft(spectrum, size * OVERSAMPLING) * OVERSAMPLING


def _cutoff(zone: Zone, time: np.ndarray) -> np.ndarray:
    """The filter's cutoff in cents at each time in seconds [samples], as its envelope moves it."""
    risen = zone.seconds(G.MOD_ATTACK)
    falls = risen + zone.seconds(G.MOD_HOLD)
    lost = zone[G.MOD_SUSTAIN] / 1000
    envelope = np.interp(time, [0, risen, falls, falls + zone.seconds(G.MOD_DECAY) * lost], [0, 1, 1, 1 - lost])
    return np.minimum(zone[G.FILTER_CUTOFF] + zone[G.MOD_ENVELOPE_TO_CUTOFF] * envelope, OPEN)


def _bent(zone: Zone, time: np.ndarray) -> np.ndarray:
    """Time in seconds [samples] as a recording is read that has vibrato: now a little faster, now slower."""
    depth = zone[G.MOD_LFO_TO_PITCH]
    if not depth:
        return time
    turn = 2 * np.pi * hertz(zone[G.MOD_LFO_FREQUENCY])
    phase = turn * np.maximum(time - zone.seconds(G.MOD_LFO_DELAY), 0)
    # The integral of 1 + share * sin(phase), where the share of the frequency is the depth in cents.
    return time + depth * (math.log(2) / 1200 / turn) * (1 - np.cos(phase))
