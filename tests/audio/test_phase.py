"""Spectra and back, and sound from magnitudes alone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop import ROOT
from workshop.audio import phase_kernel
from workshop.audio.audiofiles import read
from workshop.audio.phase import LiveResynthesis, OverlapAdd, Resynthesis, convergence, estimate
from workshop.audio.stft import Stft

LOOPS = sorted((ROOT.parent / "shared" / "data" / "sonic_pi").glob("loop_*"))
STFT = Stft(256, 64)


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, count).astype(np.float32)


def chirp(count: int = 12_000) -> np.ndarray:
    """A tone that rises, with clicks."""
    samples = 0.3 * np.sin(np.cumsum(np.linspace(0.05, 0.8, count)))
    samples[::3000] += 0.5
    return samples.astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2000), st.sampled_from([(64, 32), (64, 16), (256, 64), (128, 16)]), st.integers(0, 9))
def test_what_was_analysed_comes_back(count: int, sizes: tuple[int, int], seed: int) -> None:
    stft, samples = Stft(*sizes), noise(count, seed)
    spectra = stft.analyse(samples)
    assert spectra.shape == (stft.frames(count), stft.bins)
    back = stft.synthesise(spectra)
    assert 0 <= len(back) - count < stft.hop
    np.testing.assert_allclose(back[:count], samples, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2000), st.sampled_from([(64, 32), (64, 16), (256, 64)]), st.integers(1, 40))
def test_a_long_sound_is_analysed_in_pieces(count: int, sizes: tuple[int, int], most: int) -> None:
    stft, samples = Stft(*sizes), noise(count)
    pieces = list(stft.analysed(samples, most))
    assert all(len(piece) <= most for piece in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces), stft.analyse(samples))


def test_a_frame_is_known_when_its_last_block_is() -> None:
    samples = noise(1000)
    whole = STFT.analyse(samples)
    begun = STFT.analyse(samples[: 10 * STFT.hop])
    np.testing.assert_array_equal(begun[:10], whole[:10])


def test_the_loudest_sine_has_the_magnitude_of_full_scale() -> None:
    sine = np.sin(2 * np.pi * 16 / STFT.window * np.arange(4 * STFT.window))
    assert np.abs(STFT.analyse(sine)[8]).max() == pytest.approx(STFT.full_scale, rel=1e-4)


def test_windows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        Stft(1000, 300)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_spectra_added_as_they_come_give_the_whole(counts: list[int]) -> None:
    spectra = STFT.analyse(noise(STFT.hop * 40))[: sum(counts)]
    adding, one_by_one = OverlapAdd(STFT), OverlapAdd(STFT)
    pieces = [adding.add(part) for part in np.split(spectra, np.cumsum(counts)[:-1])]
    whole = STFT.synthesise(spectra)
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)
    blocks = [one_by_one.push(spectrum) for spectrum in spectra]
    np.testing.assert_allclose(np.concatenate([np.empty(0), *blocks])[STFT.window - STFT.hop :], whole, atol=1e-6)


def test_the_gradient_is_that_of_the_phase() -> None:
    """On a tone the phase of the next frame follows, up to whole turns; on a click that of the next frequency does."""
    tone = STFT.analyse(0.3 * np.sin(2 * np.pi * 20.3 / STFT.window * np.arange(4000)))[10:30]
    along_time, _ = gradients_of(tone)
    turned = np.angle(tone[1:, 20] / tone[:-1, 20] * np.exp(-1j * along_time[1:, 20]))
    assert np.abs(turned).max() < 0.1
    click = np.zeros(4000)
    click[2000 + 10] = 1
    frame = (2000 + STFT.window // 2) // STFT.hop
    spectra = STFT.analyse(click)[frame - 1 : frame + 2]
    _, along_bins = gradients_of(spectra)
    turned = np.angle(spectra[1, 1:] / spectra[1, :-1] * np.exp(-1j * along_bins[1, 1:]))
    assert np.abs(turned[20:100]).max() < 0.3


def gradients_of(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    levels = np.log(np.maximum(np.abs(spectra), 1e-9)).astype(np.float32)
    found = np.empty_like(levels), np.empty_like(levels)
    phase_kernel.gradients(levels, STFT.window, STFT.hop, *found)
    return found


def test_a_phase_is_found_and_iterations_make_it_better() -> None:
    magnitudes = np.abs(STFT.analyse(chirp()))
    integrated, improved = (
        convergence(STFT.synthesise(estimate(magnitudes, STFT, n)), magnitudes, STFT) for n in (0, 16)
    )
    zero = convergence(STFT.synthesise(magnitudes), magnitudes, STFT)
    assert integrated < zero - 5
    assert improved < min(-25, integrated - 2)


def test_known_spectra_stay_and_are_gone_on_from() -> None:
    spectra = STFT.analyse(chirp())
    found = estimate(np.abs(spectra), STFT, known=spectra[:100])
    np.testing.assert_array_equal(found[:100], spectra[:100])
    assert np.abs(np.angle(found[100, 10:40] / spectra[100, 10:40])).mean() < 0.3


def test_a_long_sound_in_pieces_is_as_good_as_in_one() -> None:
    magnitudes = np.abs(STFT.analyse(chirp(STFT.hop * 1100)))
    whole = STFT.synthesise(estimate(magnitudes, STFT))
    sounds = []
    for size in (100, 900):
        made = Resynthesis(STFT)
        pieces = [made.add(magnitudes[at : at + size]) for at in range(0, len(magnitudes), size)]
        sounds.append(np.concatenate([*pieces, made.finish()]))
    np.testing.assert_array_equal(*sounds)  # however the frames come
    assert len(sounds[0]) == len(whole)
    assert convergence(sounds[0], magnitudes, STFT) < convergence(whole, magnitudes, STFT) + 1


def test_live_is_causal_and_good_enough() -> None:
    magnitudes = np.abs(STFT.analyse(chirp()))
    live, whole = LiveResynthesis(STFT), LiveResynthesis(STFT).add(magnitudes)
    blocks = [live.step(frame) for frame in magnitudes[:100]]
    assert all(block.shape == (STFT.hop,) and block.dtype == np.float32 for block in blocks)
    begun = np.concatenate(blocks)[STFT.window - STFT.hop :]
    np.testing.assert_array_equal(begun, whole[: len(begun)])  # what comes later changes nothing
    assert convergence(whole, magnitudes, STFT) < -12


@pytest.mark.parametrize("make", [Resynthesis, LiveResynthesis])
def test_silence_and_no_frames_give_silence(make: type[Resynthesis] | type[LiveResynthesis]) -> None:
    made = make(STFT)
    assert len(made.finish()) == 0
    assert not made.add(np.zeros((20, STFT.bins))).any()
    assert not made.finish().any()


@pytest.mark.skipif(not LOOPS, reason="no sounds in ../shared/data/sonic_pi")
@pytest.mark.parametrize("file", LOOPS[:3], ids=lambda file: file.stem)
def test_real_loops(file: Path) -> None:
    stft = Stft(1024, 256)
    magnitudes = np.abs(stft.analyse(read(file, 22050)[:44100]))
    assert convergence(stft.synthesise(estimate(magnitudes, stft)), magnitudes, stft) < -25
    assert convergence(LiveResynthesis(stft).add(magnitudes), magnitudes, stft) < -14
