"""Loops as pictures and back: periodic in time, as loud as they were."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop import ROOT
from workshop.audio import drums, loop_spectrogram
from workshop.audio.audiofiles import read
from workshop.audio.bands import CONSTANT_Q, CORNERS, MEL, Bands
from workshop.audio.loop_spectrogram import FLOOR, TOP, LoopSpectrogram, convergence

LOOPS = sorted((ROOT.parent / "shared" / "data" / "sonic_pi").glob("loop_*"))
RATE = 8000
#: Its frames divide a second: nothing is resampled. Those of the other one do not.
EVEN = LoopSpectrogram(RATE, 8000, 125, 48)
ODD = LoopSpectrogram(RATE, 7919, 32, 32)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


def decibels(pictures: np.ndarray) -> np.ndarray:
    return FLOOR + (pictures + 1) / 2 * (TOP - FLOOR)


def beat(samples: int = 8000, rate: int = RATE) -> np.ndarray:
    """A bar of drums that loops."""
    return drums.loop("funk", 120, rate)[:samples]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2000, 9000), st.sampled_from([16, 32, 64]), st.sampled_from([16, 48, 64]), st.sampled_from([*CORNERS]),
    st.integers(1, 3), st.integers(0, 9),
)  # fmt: skip
def test_pictures_of_any_size_and_back(
    samples: int, frames: int, bands: int, scale: str, count: int, seed: int
) -> None:
    loops = LoopSpectrogram(RATE, samples, frames, bands, scale=scale)
    sounds = np.stack([noise(samples, seed + k) for k in range(count)])
    pictures = loops.pictures(sounds)
    assert (pictures.shape, pictures.dtype) == ((count, frames, bands), np.float32)
    assert np.abs(pictures).max() <= 1
    back = loops.sounds(pictures.astype(np.float16), 2)
    assert (back.shape, back.dtype) == (sounds.shape, np.float32)
    # As loud as it was, whatever the phase.
    assert np.std(back) == pytest.approx(np.std(sounds), rel=0.25)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 124), st.integers(0, 9))
def test_the_picture_goes_round_with_the_sound(frames: int, seed: int) -> None:
    sound = noise(EVEN.samples, seed)
    moved = np.roll(sound, frames * EVEN.stft.hop)
    one, other = EVEN.pictures(np.stack([sound, moved]))
    np.testing.assert_allclose(np.roll(one, frames, axis=0), other, atol=1e-4)


def test_a_click_is_in_the_frame_that_is_centred_on_it() -> None:
    sound = np.zeros(EVEN.samples, np.float32)
    sound[0] = 1
    picture = EVEN.pictures(sound[None])[0].sum(axis=1)
    assert picture.argmax() == 0
    np.testing.assert_allclose(picture[1:], picture[1:][::-1], atol=1e-3)  # the frames before it are at the end


def test_loops_in_a_row_go_over_into_one_another_without_a_click() -> None:
    time = np.arange(EVEN.samples) / RATE
    # Of one loop the end is far from the beginning of the other.
    low, high = 0.5 * np.sin(2 * np.pi * 125 * time), 0.5 * np.cos(2 * np.pi * 250 * time)
    pictures = EVEN.pictures(np.stack([low, high]).astype(np.float32))
    sound = EVEN.row(pictures)
    assert len(sound) == 2 * EVEN.samples
    assert np.abs(np.diff(sound, append=sound[0])).max() < 1.2 * np.abs(np.diff(high)).max()
    for loop, wanted in zip(np.split(sound, 2), (low, high), strict=True):
        middle = slice(EVEN.samples // 4, 3 * EVEN.samples // 4)
        found, ideal = (np.abs(np.fft.rfft(one[middle])) for one in (loop, wanted))
        assert np.argmax(found) == pytest.approx(np.argmax(ideal), rel=0.05)
    np.testing.assert_array_equal(EVEN.row(pictures[:1]), EVEN.sounds(pictures[:1])[0])


def test_loudness_is_in_decibels_of_the_loudest_sine() -> None:
    time = np.arange(EVEN.samples) / RATE
    sine = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    pictures = decibels(EVEN.pictures(np.stack([sine, sine / 10, 0 * sine])))
    # A band is wider than a frequency, and holds the mean power in it.
    assert -8 < pictures[0].max() <= 0.1
    assert pictures[0].max() - pictures[1].max() == pytest.approx(20, abs=0.1)
    np.testing.assert_allclose(pictures[2], FLOOR, atol=1e-4)


def test_silence_comes_back_as_silence() -> None:
    assert not ODD.sounds(np.full((2, 32, 32), -1.0)).any()


def test_what_is_beyond_the_range_is_clipped() -> None:
    pictures = np.random.default_rng(0).uniform(-3, 3, (1, 32, 32))
    np.testing.assert_array_equal(ODD.sounds(pictures, 1), ODD.sounds(pictures.clip(-1, 1), 1))


def test_a_loop_at_another_length_and_back_is_the_loop() -> None:
    sound = noise(7919)
    there = loop_spectrogram.resampled(sound, 9000)
    np.testing.assert_allclose(loop_spectrogram.resampled(there, 7919), sound, atol=1e-6)


def test_one_by_one_is_the_same_as_together() -> None:
    pictures = EVEN.pictures(np.stack([noise(8000, seed) for seed in range(3)]))
    together = EVEN.sounds(pictures)
    np.testing.assert_array_equal(together, np.concatenate([EVEN.sounds(pictures[k : k + 1]) for k in range(3)]))


def test_the_phase_fits_all_round() -> None:
    """The spectral convergence is that of the phase alone; and it is no worse where the end meets the beginning."""
    loops = LoopSpectrogram(16_000, 32_000, 128, 128)
    sound = drums.loop("rock", 120, 16_000)[None, :32_000]
    wanted = loops.wanted(loops.pictures(sound))
    made = loops.sounds(loops.pictures(sound))
    found = loops.magnitudes(made)
    assert convergence(found, wanted) < -22
    turned = loops.wanted(np.roll(loops.pictures(sound), 64, axis=1))
    there = loops.magnitudes(loops.sounds(np.roll(loops.pictures(sound), 64, axis=1)))
    assert convergence(there[:, 60:68], turned[:, 60:68]) == pytest.approx(
        convergence(np.roll(found, 64, axis=1)[:, 60:68], turned[:, 60:68]), abs=6
    )


def test_iterations_make_it_better() -> None:
    pictures = EVEN.pictures(beat()[None])
    wanted = EVEN.wanted(pictures)
    reached = [convergence(EVEN.magnitudes(EVEN.sounds(pictures, n)), wanted) for n in (0, 8, 24)]
    assert reached[2] < reached[1] < reached[0] - 2


def test_without_numba_it_takes_more_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = EVEN.pictures(beat()[None])
    monkeypatch.setattr(loop_spectrogram, "find_spec", lambda name: None)
    assert convergence(EVEN.magnitudes(EVEN.sounds(pictures)), EVEN.wanted(pictures)) < -18


def test_bands_of_constant_q_are_an_interval_wide() -> None:
    """Whichever octave a tone lies in, the next is as many bands away, where bands are wider than frequencies."""
    bands = LoopSpectrogram(22_050, 44_100, 128, 128, scale=CONSTANT_Q).in_bands
    width = bands.rate / bands.stft.window  # Hz from a frequency to the next
    octaves = np.interp([500.0, 1000.0, 2000.0, 4000.0, 8000.0], width * np.arange(bands.stft.bins), bands.places)
    np.testing.assert_allclose(np.diff(octaves), octaves[1] - octaves[0], rtol=0.01)
    assert octaves[1] - octaves[0] > 12  # at least a band for each semitone
    steps = np.diff(bands.places)
    assert steps.max() <= 1  # never narrower than a frequency
    assert bands.places[[0, -1]] == pytest.approx([0, 127], abs=1e-6)
    mel = np.interp([500.0, 1000.0, 2000.0], width * np.arange(bands.stft.bins), Bands(bands.stft, 22_050, 128).places)
    assert mel[2] - mel[1] > 1.2 * (mel[1] - mel[0])


def test_a_beat_of_constant_q_is_as_near_as_that_of_the_mel_scale() -> None:
    sound = drums.loop("rock", 120, 16_000)[None, :32_000]
    found = {}
    for scale in (MEL, CONSTANT_Q):
        loops = LoopSpectrogram(16_000, 32_000, 128, 128, scale=scale)
        found[scale] = convergence(loops.magnitudes(loops.sounds(loops.pictures(sound))), loops.magnitudes(sound))
    assert found[CONSTANT_Q] < found[MEL] + 3
    assert max(found.values()) < -12


def test_a_scale_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'bark' is no scale"):
        _ = LoopSpectrogram(RATE, 8000, 32, 32, scale="bark").in_bands


@pytest.mark.parametrize("size", [(8000, 4, 32), (100, 32, 32), (2048, 32, 1)])
def test_sizes_that_make_no_picture_are_refused(size: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no picture"):
        LoopSpectrogram(RATE, *size)


def test_more_bands_than_the_samples_have_frequencies_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        _ = LoopSpectrogram(RATE, 256, 16, 512).stft


@pytest.mark.skipif(not LOOPS, reason="no sounds in ../shared/data/sonic_pi")
@pytest.mark.parametrize("file", LOOPS[:3], ids=lambda file: file.stem)
def test_real_loops_as_large_pictures(file: Path) -> None:
    sound = read(file, 22_050)[None, :44_100]
    loops = LoopSpectrogram(22_050, sound.shape[1], 256, 256)
    pictures = loops.pictures(sound)
    made = loops.magnitudes(loops.sounds(pictures))
    assert convergence(made, loops.wanted(pictures)) < -22
    assert convergence(made, loops.magnitudes(sound)) < -18
