"""Loops that would clip are turned down, and still go round."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workshop.audio.limiting import CEILING, REACH, limited

LOOPS = hnp.arrays(
    np.float32, hnp.array_shapes(max_dims=2, max_side=1500), elements=st.floats(-8, 8, width=16), fill=st.nothing()
) | hnp.arrays(np.float32, st.tuples(st.integers(1, 3000)), elements=st.floats(-8, 8, width=16))


@given(LOOPS)
def test_nothing_is_beyond_the_ceiling(loops: np.ndarray) -> None:
    found = limited(loops)
    assert found.dtype == np.float32
    assert found.shape == loops.shape
    assert np.abs(found).max() <= CEILING * (1 + 1e-6)
    assert (np.abs(found) <= np.abs(loops)).all()


@given(LOOPS, st.integers(0, 3000))
def test_it_makes_no_difference_where_a_loop_begins(loops: np.ndarray, start: int) -> None:
    turned = limited(np.roll(loops, start, axis=-1))
    assert turned == pytest.approx(np.roll(limited(loops), start, axis=-1), abs=1e-5)


def test_what_is_quiet_or_far_from_a_peak_stays() -> None:
    rng = np.random.default_rng(0)
    quiet = rng.uniform(-0.8, 0.8, (2, 33_075)).astype(np.float32)
    assert limited(quiet) == pytest.approx(quiet, abs=1e-6)
    peak = quiet.copy()
    peak[1, 100] = 4.0
    found = limited(peak)
    assert found[0] == pytest.approx(quiet[0], abs=1e-6)
    reached = np.flatnonzero(np.abs(found[1] - peak[1]) > 1e-4)
    away = np.abs((reached - 100 + 33_075 // 2) % 33_075 - 33_075 // 2)
    assert away.max() <= 1 << REACH
    assert len(reached) > 1000, "before the peak and after it, not at the peak alone"
    assert found[1, 100] == pytest.approx(CEILING, rel=1e-3)
