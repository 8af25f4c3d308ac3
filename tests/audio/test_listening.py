"""What is done with a sound on a prompt: it is played, shown and kept, or a sentence says why not."""

import re
import sys
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workshop.audio.generated import GeneratedSound
from workshop.audio.listening import Listening, as_samples
from workshop.errors import UserError
from workshop.heatmap import heatmap

SOUND = np.linspace(-1, 1, 50)


@pytest.fixture
def listening(tmp_path: Path) -> Listening:
    return Listening(8000, tmp_path)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A sound card that notes what it is given, and does not know a rate of 1 Hz."""
    played: list[Any] = []

    def play(samples: np.ndarray, rate: int) -> None:
        if rate == 1:
            raise ValueError("Invalid sample rate")
        played.append((len(samples), rate))

    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(play=play, PortAudioError=OSError))
    return played


def rate_of(path: Path) -> int:
    with wave.open(str(path)) as file:
        return file.getframerate()


def test_a_sound_is_played_at_the_networks_rate_or_another(
    listening: Listening, card: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listening.play(SOUND)
    listening.play(GeneratedSound(SOUND, 16000), fs=16000)
    assert card == [(50, 8000), (50, 16000)]
    assert rate_of(tmp_path / "last_played.wav") == 16000
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("why", ["not there", "refuses"])
def test_where_it_cannot_be_played_it_lies_in_a_file(
    why: str, listening: Listening, card: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if why == "not there":
        monkeypatch.setitem(sys.modules, "sounddevice", None)
    listening.play(SOUND, fs=1)
    said = capsys.readouterr().err
    assert ("sounddevice is not installed" if why == "not there" else "Invalid sample rate") in said
    assert said.endswith("last_played.wav\n")
    assert (tmp_path / "last_played.wav").is_file()


def test_pictures_are_files_outside_of_a_notebook(
    listening: Listening, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listening.show(SOUND)
    assert (tmp_path / "last_shown.png").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.endswith("last_shown.png\n")


def test_in_a_notebook_there_is_a_player_and_a_picture(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, card: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    displayed: list[Any] = []
    monkeypatch.setattr("workshop.audio.listening.in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", displayed.append)
    listening.play(SOUND)
    listening.show(SOUND)
    assert "<audio" in displayed[0]._repr_html_()
    assert displayed[1].data.startswith(b"\x89PNG")
    assert card == []
    assert capsys.readouterr().out == ""


def test_a_sound_is_kept(listening: Listening, tmp_path: Path) -> None:
    listening.save_file(tmp_path / "one.wav", SOUND)
    listening.save_file(str(tmp_path / "two.WAV"), list(SOUND), fs=22050)
    assert (rate_of(tmp_path / "one.wav"), rate_of(tmp_path / "two.WAV")) == (8000, 22050)


def test_what_is_no_sound_is_said(listening: Listening) -> None:
    for no_sound in (np.zeros((3, 2)), "tune", None, [np.nan], [[1], [1, 2]]):
        with pytest.raises(UserError, match="that is no sound"):
            listening.play(no_sound)
    with pytest.raises(UserError, match=r"tune.mp3: the file of a sound is a WAV file"):
        listening.save_file("tune.mp3", SOUND)
    with pytest.raises(UserError, match="fs=0 is no sample rate"):
        listening.play(SOUND, fs=0)


def test_a_heatmap_is_bright_where_a_level_is_likely() -> None:
    dark, bright = np.full((40, 256), 1e-6), np.full((40, 256), 1e-6)
    dark[:, 10], bright[:, 10], bright[:, 200] = 1, 0.5, 0.5
    values = np.full(40, 10)
    (one, two) = (heatmap(probabilities, values, 100).astype(int).sum() for probabilities in (dark, bright))
    assert two > one


@pytest.mark.parametrize(
    ("sound", "shown"),
    [
        (np.array([0, 20000, -32768], np.int16), "32768"), (np.array([128, 200], np.uint8), "200"),
        (np.array([0.0, 16384.0]), "16384"), (np.array([1e300]), "1e+300"),
    ],
)  # fmt: skip
def test_samples_of_another_scale_are_not_taken_for_very_loud_ones(sound: np.ndarray, shown: str) -> None:
    with pytest.raises(UserError, match=f"that sound goes to {re.escape(shown)}, .*: divide it by"):
        as_samples(sound)


@pytest.mark.parametrize("sound", [[0, 1, -1], np.array([1.5, -3.0]), np.zeros(3, np.int16), []])
def test_loud_samples_and_whole_numbers_of_their_scale_are_sound(sound: Any) -> None:
    assert np.array_equal(as_samples(sound), np.array(sound, np.float32))


@pytest.mark.parametrize("sound", [np.array([1j]), ["1", "2"], "y.wav", [None], [[1], [1, 2]]])
def test_what_is_no_number_is_no_sound(sound: Any) -> None:
    with pytest.raises(UserError, match="that is no sound"):
        as_samples(sound)


@pytest.mark.parametrize("fs", [True, 8000.0, 2**32, 10**12])
def test_a_rate_that_no_file_can_have_is_refused(listening: Listening, fs: Any) -> None:
    with pytest.raises(UserError, match="is no sample rate"):
        listening.play(SOUND, fs=fs)


def test_a_rate_may_be_a_number_of_numpy(listening: Listening, card: list[Any]) -> None:
    listening.play(SOUND, fs=np.int64(16000))
    assert card == [(50, 16000)]


def test_a_sound_in_place_of_its_files_name_is_said(listening: Listening) -> None:
    with pytest.raises(UserError, match=r'the name of the file comes first, .*: save_file\("y\.wav", y\)'):
        listening.save_file(SOUND, "y.wav")  # type: ignore[arg-type]


def test_a_tilde_is_the_home_folder(listening: Listening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    listening.save_file("~/y.wav", SOUND)
    assert (tmp_path / "home" / "y.wav").exists()
    assert not (tmp_path / "~").exists()
