"""Ways through a latent space, and loops as WAV files that say their tempo."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from workshop.audio import latents, loop_files
from workshop.errors import UserError

HERE, THERE = latents.drawn(2, 16, seed=5)


@pytest.mark.parametrize("is_spherical", [True, False])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_fade_goes_from_here_to_there(steps: int, is_spherical: bool) -> None:
    way = latents.fade(HERE, THERE, steps, is_spherical)
    assert way.shape == (steps, 16)
    assert np.array_equal(way[0], HERE)
    assert np.array_equal(way[-1], THERE if steps > 1 else HERE)
    round_trip = latents.pingpong(HERE, THERE, steps, is_spherical)
    assert round_trip.shape == (steps, 16)
    assert np.allclose(round_trip[0], HERE)
    assert np.allclose(round_trip[steps // 2], THERE if steps > 1 else HERE)


def test_a_walk_stays_as_far_out_as_random_points_are() -> None:
    way = latents.walk(latents.drawn(1, 1000, 7)[0], 50, 0.5, 7)
    assert np.linalg.norm(way, axis=1) == pytest.approx(np.sqrt(1000), rel=0.1), "also from a point of the same seed"
    cool = latents.walk(latents.drawn(1, 1000, 7, 0.3)[0], 50, 0.5, 7, 0.3)
    assert np.linalg.norm(cool, axis=1) == pytest.approx(0.3 * np.sqrt(1000), rel=0.1)
    assert np.array_equal(way, latents.walk(way[0], 50, 0.5, 7))


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_a_loop_is_a_wav_file_with_its_tempo(bits: int, tmp_path: Path) -> None:
    sound = np.sin(np.arange(800) / 20).astype(np.float32)
    path = tmp_path / "new" / "loop.wav"
    loop_files.write_loop(path, sound, 8000, 2, 160.5, bits)
    assert loop_files.tempo(path.read_bytes()) == (2, 160.5)
    samples, rate = soundfile.read(path)
    assert rate == 8000
    assert samples == pytest.approx(sound, abs=1e-4)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        loop_files.write_loop(tmp_path / "file" / "loop.wav", sound, 8000, 2, 160.5)
