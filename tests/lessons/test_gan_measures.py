"""What made loops are measured by: on sets of which the answer is known."""

import numpy as np
import pytest

from spectral_gan.features import FEATURES, SIDE, features, shrunk
from spectral_gan.measures import Gaussian, Measures, Reference, frechet_distance, precision_recall, variety
from workshop.audio.drum_loops import RATE, SAMPLES, Song
from workshop.audio.loop_spectrogram import LoopSpectrogram


def points(count: int, seed: int, middle: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(middle, 1, (count, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def loops() -> np.ndarray:
    """Pictures of 96 bars, of 16 songs of different kits and patterns."""
    songs = [
        Song(kit, pattern, 0)
        for kit in ("deep", "skins", "claps", "small")
        for pattern in ("rock", "four", "busy", "toms")
    ]
    sounds = np.stack([bar for song in songs for _, bar in song.bars()])
    return LoopSpectrogram(RATE, SAMPLES, 64, 64).pictures(sounds)


def test_the_distance_of_gaussians_is_known() -> None:
    assert frechet_distance(points(500, 0), points(500, 0)) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(points(4000, 0), points(4000, 1, middle=3.0)) == pytest.approx(4 * 9, rel=0.05)
    wider = 2 * points(4000, 1)
    assert frechet_distance(points(4000, 0), wider) == pytest.approx(4 * (2 - 1) ** 2, rel=0.1)


def test_the_distance_to_a_single_held_out_loop_is_a_number() -> None:
    assert frechet_distance(points(4000, 0), np.full((1, 4), 3.0)) == pytest.approx(4 * 9 + 4, rel=0.05)


def test_precision_and_recall_of_constructed_sets() -> None:
    real = points(300, 0)
    assert precision_recall(real, real) == (1, 1)
    precision, recall = precision_recall(points(300, 1), real)
    assert min(precision, recall) > 0.7
    assert precision_recall(points(300, 1, middle=50), real) == (0, 0)
    collapsed = np.repeat(real[:2], 50, axis=0)
    precision, recall = precision_recall(collapsed, real)
    assert precision == 1
    assert recall < 0.05
    half = np.concatenate([points(150, 2), points(150, 3, middle=50)])
    assert precision_recall(half, real)[0] == pytest.approx(0.5, abs=0.1)


def test_variety() -> None:
    assert variety(np.array([[0.0], [2.0]])) == pytest.approx(2)
    assert variety(np.zeros((5, 3))) == 0


def test_pictures_of_any_size_are_averaged_to_one() -> None:
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 128, 256))
    small = shrunk(pictures)
    assert small.shape == (2, SIDE, SIDE)
    np.testing.assert_allclose(small[0, 3, 5], pictures[0, 6:8, 20:24].mean(), atol=1e-5)
    np.testing.assert_allclose(shrunk(np.full((1, 48, 16), 0.5)), 0.5, atol=1e-5)


def test_features_tell_kits_apart(loops: np.ndarray) -> None:
    found = features(loops)
    assert found.shape == (96, FEATURES)
    kits = np.repeat(np.arange(4), 24)
    middles = np.stack([found[kits == kit].mean(axis=0) for kit in range(4)])
    nearest_kit = np.linalg.norm(found[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest_kit == kits).mean() > 0.8


def test_what_is_made_is_measured(loops: np.ndarray) -> None:
    train, held_out = loops[::2], loops[1::2]
    reference = Reference(train, held_out)
    same = reference.measure(held_out)
    assert (same.precision, same.recall, same.variety) == (1, 1, pytest.approx(1))
    assert same.distance == pytest.approx(0, abs=1e-2)
    assert same.nearest == pytest.approx(1)
    assert same.warnings() == []
    copied = reference.measure(train)
    assert copied.copies > 0.9
    assert any("copies: " in said for said in copied.warnings())
    collapsed = reference.measure(np.repeat(held_out[:1], 40, axis=0))
    assert any("mode collapse" in said for said in collapsed.warnings())
    noise = reference.measure(np.random.default_rng(0).uniform(-1, 1, (40, 64, 64)))
    assert noise.distance > 3 * copied.distance
    assert set(same.scalars()) == set(Measures.__annotations__)


def test_the_baselines_are_what_they_say(loops: np.ndarray) -> None:
    reference = Reference(loops[::2], loops[1::2])
    training, fits, noisy = reference.training_slices(), reference.gaussians(), reference.noisy()
    assert list(fits) == [8, 16, 32]
    assert all(training.distance < fit.distance for fit in fits.values())
    assert training.nearest == pytest.approx(0, abs=0.05)
    assert all(fit.copies < 0.5 for fit in fits.values())
    assert training.distance < noisy.distance


def test_a_gaussian_has_the_mean_and_the_variance_of_what_it_is_fitted_to() -> None:
    pictures = shrunk(0.2 * np.random.default_rng(0).normal(0, 1, (400, 4, 4)))
    made = Gaussian(pictures).draw(400, 16, np.random.default_rng(1))
    assert made.std() == pytest.approx(pictures.std(), rel=0.1)
    assert made.shape == pictures.shape
