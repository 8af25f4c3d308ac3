"""Loops as WAV files that say their tempo."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from workshop.audio.loop_files import tempo, wav, write_loop
from workshop.errors import UserError

LOOP = (0.4 * np.sin(np.arange(1001) / 9)).astype(np.float32)


@pytest.mark.parametrize(("bits", "subtype", "error"), [(16, "PCM_16", 1e-4), (24, "PCM_24", 1e-6), (32, "FLOAT", 0)])
def test_a_loop_is_read_as_it_was_written(tmp_path: Path, bits: int, subtype: str, error: float) -> None:
    write_loop(tmp_path / "new" / "a.wav", LOOP, 8000, beats=4, bpm=160, bits=bits)
    about = soundfile.info(tmp_path / "new" / "a.wav")
    assert (about.samplerate, about.channels, about.frames, about.subtype) == (8000, 1, 1001, subtype)
    samples, _ = soundfile.read(tmp_path / "new" / "a.wav", dtype="float32")
    assert np.abs(samples - LOOP).max() <= error
    assert tempo((tmp_path / "new" / "a.wav").read_bytes()) == (4, 160.0)


def test_the_file_says_how_long_it_is() -> None:
    content = wav(LOOP, 8000, 8, 123.5)
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert b"smpl" in content
    assert tempo(content) == (8, 123.5)
    assert tempo(content[: content.index(b"acid")]) is None


def test_only_floating_point_goes_beyond_full_scale() -> None:
    for bits, loudest in ((16, 1.0), (32, 4.0)):
        content = wav(10 * LOOP, 8000, 4, 160, bits)
        assert b"acid" in content
        assert loudest == pytest.approx(_loudest(content), abs=0.01)


def _loudest(content: bytes) -> float:
    import io

    return float(np.abs(soundfile.read(io.BytesIO(content))[0]).max())


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"file/a\.wav cannot be written"):
        write_loop(tmp_path / "file" / "a.wav", LOOP, 8000, 4, 160)
