"""The instruments are read as they are in the file, and a file that cannot be read is said."""

from pathlib import Path

import numpy as np
import pytest

from workshop.audio import soundfont
from workshop.audio.soundfont import Generator, hertz, sounding
from workshop.errors import UserError


def test_every_instrument_has_something_for_every_pitch() -> None:
    for program in range(128):
        for pitch in range(128):
            assert sounding(program, pitch)


def test_recordings_loops_and_tuning_make_sense() -> None:
    for zone in (zone for program in range(128) for zone in sounding(program, 60)):
        assert zone.recording.dtype == np.int16
        assert zone.loop_start >= 0
        assert zone.loop_start + zone.loop_length <= len(zone.recording) + 8
        assert zone.speed(zone.root) == zone.rate
        if zone[Generator.SCALE_TUNING] == 100:
            assert zone.speed(zone.root + 12) == pytest.approx(2 * zone.rate)


def test_a_range_is_kept_and_beyond_it_the_nearest_zone_sounds() -> None:
    (zone,) = sounding(0, 60)
    assert zone.away(60) == 0
    assert zone.away(127) > 0
    assert sounding(0, 127) == sounding(0, 126)
    assert sounding(0, 60) != sounding(0, 100)


def test_units() -> None:
    assert hertz(6900) == pytest.approx(440)
    assert hertz(0) == pytest.approx(8.176, abs=1e-3)
    (zone,) = sounding(0, 60)
    assert 0.3 < zone.seconds(Generator.RELEASE) < 3


@pytest.fixture
def no_cache() -> None:
    soundfont._font.cache_clear()
    soundfont._zones.cache_clear()


@pytest.mark.usefixtures("no_cache")
def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pretty_midi.*not installed.*start\.sh"):
        sounding(0, 60)


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"not a SoundFont at all", b"RIFF\xff\xff\xff\xffsfbk"])
def test_a_missing_or_damaged_soundfont_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "TimGM6mb.sf2"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(soundfont, "_path", lambda: path)
    with pytest.raises(UserError, match=r"TimGM6mb\.sf2 cannot be read.*reinstall"):
        sounding(0, 60)


@pytest.mark.usefixtures("no_cache")
def test_half_a_soundfont_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "TimGM6mb.sf2"
    path.write_bytes(soundfont._path().read_bytes()[:3_000_000])
    monkeypatch.setattr(soundfont, "_path", lambda: path)
    with pytest.raises(UserError, match="not a complete SoundFont"):
        sounding(0, 60)
