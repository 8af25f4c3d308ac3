"""Sounds that are kept as files, and read from there as far as they are needed."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workshop.audio import kept_samples
from workshop.audio.kept_samples import KeptSamples


def pieces() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, count).astype(np.float32) for count in (100, 0, 37)]


def test_slices_are_those_of_the_whole(tmp_path: Path) -> None:
    samples = kept_samples.keep(tmp_path / "new" / "a", pieces(), ["it was \u00e4lter"])
    whole = np.concatenate(pieces())
    assert len(samples) == 137
    assert samples.remarks == ("it was \u00e4lter",)
    np.testing.assert_allclose(samples[:], whole, atol=0.5001 / 32767)
    for part in (slice(5, 9), slice(130, 500), slice(-3, None), slice(9, 5), slice(None)):
        np.testing.assert_array_equal(samples[part], samples[:][part])
    with pytest.raises(ValueError, match="in a row"):
        samples[::2]
    samples.close()
    found = kept_samples.opened(tmp_path / "new" / "a")
    assert found is not None
    assert found.remarks == samples.remarks
    found.close()


def test_what_is_damaged_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    kept_samples.keep(path, pieces(), []).close()
    content = path.read_bytes()
    for damaged in (b"", content[:-1], content + b"0", content[:20], bytes([content[0] ^ 1]) + content[1:]):
        path.write_bytes(damaged)
        assert kept_samples.opened(path) is None
    assert kept_samples.opened(tmp_path / "nothing") is None


def test_a_full_disk_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is full in the middle: what was begun is gone, and all of it is in memory."""
    gone_through = []

    class Pieces:
        def __iter__(self) -> Iterator[np.ndarray]:
            gone_through.append(1)
            yield from pieces()

    write = kept_samples.write

    def full(file: io.BytesIO, *more: object) -> None:
        write(file, *more)  # type: ignore[arg-type]
        if not isinstance(file, io.BytesIO):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_samples, "write", full)
    samples = kept_samples.keep(tmp_path / "a", Pieces(), [])
    assert (len(samples), len(gone_through)) == (137, 2)
    assert not list(tmp_path.iterdir())


def test_no_samples_are_none() -> None:
    file = io.BytesIO()
    kept_samples.write(file, [], [])
    assert (len(KeptSamples(file)), KeptSamples(file).remarks) == (0, ())
