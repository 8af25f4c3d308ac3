"""Ways through a latent space."""

import numpy as np
import pytest

from workshop.audio import latents

A, B = latents.drawn(2, 64, 1)


@pytest.mark.parametrize("is_spherical", [True, False])
@pytest.mark.parametrize("steps", [2, 3, 8])
def test_a_fade_begins_and_ends_exactly(steps: int, is_spherical: bool) -> None:
    points = latents.fade(A, B, steps, is_spherical)
    assert points.shape == (steps, 64)
    assert (points[0] == A).all()
    assert (points[-1] == B).all()
    moved = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert moved.max() < 1.3 * moved.min()


def test_a_fade_of_one_step_is_its_beginning() -> None:
    assert (latents.fade(A, B, 1) == A).all()
    assert (latents.pingpong(A, B, 1) == A).all()


def test_the_spherical_way_stays_as_far_out_as_its_ends() -> None:
    ends = np.linalg.norm([A, B], axis=1)
    assert np.linalg.norm(latents.between(A, B, 0.5)) == pytest.approx(ends.mean(), rel=1e-4)
    assert np.linalg.norm(latents.between(A, B, 0.5, is_spherical=False)) < 0.85 * ends.mean()


def test_ends_in_one_direction_and_at_the_middle_have_a_way_too() -> None:
    for end in (2 * A, -A, 0 * A, A, 1e30 * B):
        assert np.isfinite(latents.fade(A, end, 5)).all()


@pytest.mark.parametrize("steps", [2, 5, 8])
def test_there_and_back_comes_to_the_end_and_is_to_be_repeated(steps: int) -> None:
    points = latents.pingpong(A, B, steps)
    assert len(points) == steps
    assert (points[0] == A).all()
    assert np.abs(points - B).sum(axis=1).min() < 1e-3
    again = np.linalg.norm(np.diff(np.concatenate([points, points[:1]]), axis=0), axis=1)
    assert again.max() < 1.7 * again.min()


def test_a_walk_is_repeatable_and_goes_nowhere_near_the_middle() -> None:
    points = latents.walk(A, 200, 0.3, seed=5)
    assert (points == latents.walk(A, 200, 0.3, seed=5)).all()
    assert (points[0] == A).all()
    assert not np.allclose(points[1], latents.walk(A, 2, 0.3, seed=6)[1])
    lengths = np.linalg.norm(points, axis=1)
    assert lengths.min() > 5
    assert lengths.max() < 11
    assert (latents.walk(A, 3, 0.0, seed=5) == A).all()
