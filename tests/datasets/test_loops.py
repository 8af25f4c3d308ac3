"""The starter set of slices: made where it is missing, and left alone where it is the user's."""

from pathlib import Path

import numpy as np
import pytest

from workshop.audio import drum_loops, slices
from workshop.audio.drum_loops import Song
from workshop.datasets import command_line, loops
from workshop.datasets.catalog import read_catalog


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine songs instead of 512."""
    chosen = [Song(kit, pattern, 0) for kit in ("deep", "small", "claps") for pattern in ("rock", "four", "jungle")]
    monkeypatch.setattr(drum_loops, "songs", lambda: chosen)


def test_bars_are_made_once_and_are_slices(tmp_path: Path, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "loops"
    monkeypatch.setattr(loops, "FOLDER", folder)
    loops.make_if_missing(tmp_path / "mine")  # a folder of the user's, which is not there, is no reason
    assert not list(tmp_path.iterdir())
    loops.make_if_missing(folder)
    found = slices.load_pictures(folder, 16, 16)
    assert (found.facts.files, found.facts.songs, found.facts.songs_held_out) == (54, 9, 1)
    first = found.about.slices["deep/rock_0_0.flac"]
    assert (first.song, first.labels) == ("deep_rock_0", {"kit": "deep", "pattern": "rock", "fill": "none"})
    sound = slices.read_folder(folder).sound("deep/rock_0_0.flac")
    np.testing.assert_allclose(sound, next(Song("deep", "rock", 0).bars())[1], atol=2e-3)
    assert "CC0" in (folder / "SOURCE.txt").read_text("utf-8")
    assert not loops.export(folder)
    (folder / "deep" / "rock_0_0.flac").write_bytes(b"mine")
    loops.make_if_missing(folder)
    assert (folder / "deep" / "rock_0_0.flac").read_bytes() == b"mine"


def test_the_catalogue_has_it(tmp_path: Path, few: None) -> None:
    data_set = read_catalog()["loops"]
    assert command_line.state(data_set, tmp_path) == "no"
    assert command_line.get(data_set, tmp_path)
    assert command_line.state(data_set, tmp_path) == "yes"
    assert (tmp_path / "audio" / "loops" / "slices.json").is_file()
