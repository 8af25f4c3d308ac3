"""Songs cut into slices: the tempo that is found, the grid that is followed, and what is said."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.ndimage import map_coordinates

from workshop.audio import beats, conforming, slices
from workshop.audio.beats import Grid
from workshop.audio.drum_loops import BPM, Song
from workshop.audio.synthesis import write_wav
from workshop.datasets import slicing
from workshop.datasets.command_line import main
from workshop.errors import UserError

RATE = 22_050


def played(pattern: str, tempo: float, drift: float = 0.0, bars: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """A song and the moments of its beats in seconds; its tempo rises by the drift, as a share."""
    song = np.concatenate(([*(bar for _, bar in Song("punchy", pattern, 1).bars())] * 2)[:bars])
    index = np.arange(4 * bars + 1)
    lengths = 60 / (tempo * (1 + drift * (index[:-1] / len(index) - 0.5)))
    times = 0.3 + np.concatenate([[0], np.cumsum(lengths)])
    moments = np.arange(round((times[-1] + 0.2) * RATE)) / RATE
    places = np.interp(moments, times, index, left=-1, right=-1) * 60 / BPM * RATE
    sound = map_coordinates(song, places[None], np.float32, order=1)
    sound[places < 0] = 0
    return sound, times


def off_the_grid(found: np.ndarray, times: np.ndarray) -> float:
    """The largest distance of found beats from real ones, in seconds; those before and after the song do not count."""
    within = found[(found >= times[0] - 0.05) & (found <= times[-1] + 0.05)]
    return float(np.abs(within[:, None] - times).min(axis=1).max())


@pytest.mark.parametrize(("pattern", "tempo"), [("four", 127.3), ("rock", 98.0)])
def test_a_tempo_is_found(pattern: str, tempo: float) -> None:
    sound, times = played(pattern, tempo)
    grid = beats.find(sound, RATE)
    assert grid.tempo == pytest.approx(tempo, rel=0.005)
    assert grid.confidence > 0.7
    assert grid.drift < 0.004
    assert off_the_grid(grid.times, times) < 0.012


@pytest.mark.slow
def test_most_tempos_are_found_octaves_apart_at_worst() -> None:
    """benchmarks/song_tempos.py says how often: a syncopated break may be taken for one at 4/3 of its tempo."""
    songs = [("break", 112), ("electro", 141), ("offbeat", 133), ("steppers", 104), ("busy", 168)]
    found = [beats.find(played(pattern, tempo, bars=12)[0], RATE).tempo / tempo for pattern, tempo in songs]
    right = [min(abs(ratio / octave - 1) for octave in (0.5, 1, 2)) < 0.005 for ratio in found]
    assert sum(right) >= 4, found


def test_a_tempo_that_drifts_is_followed_and_mended() -> None:
    sound, times = played("four", 125, 0.01, 12)
    grid = beats.find(sound, RATE)
    assert 0.004 < grid.drift < 0.02
    assert off_the_grid(grid.times, times) < 0.012
    even = conforming.conformed(sound, RATE, grid, 125)
    again = beats.find(even, RATE, 125)
    assert again.drift < 0.004
    step = 60 / 125
    apart = (again.times + step / 2) % step - step / 2
    assert np.abs(apart).max() < 0.01


def test_a_known_tempo_is_kept_to() -> None:
    sound, _ = played("half", 150)
    assert beats.find(sound, RATE, 150).tempo == pytest.approx(150, rel=0.005)


def test_another_tempo_keeps_the_pitch() -> None:
    sound = (0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)).astype(np.float32)
    grid = Grid(np.arange(0, 4.01, 0.5), 120, 1, 0)
    faster = conforming.conformed(sound, RATE, grid, 150)
    assert len(faster) == pytest.approx(4 * RATE * 120 / 150, abs=2)
    spectrum = np.abs(np.fft.rfft(faster[RATE : 2 * RATE]))
    assert spectrum.argmax() == pytest.approx(440, abs=2)


def test_songs_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for pattern, tempo in (("four", 124), ("rock", 130)):
        sound, _ = played(pattern, tempo)
        stereo = np.stack([sound, 0.5 * sound], axis=1)
        soundfile.write(tmp_path / f"{pattern}.flac", np.repeat(stereo, 2, axis=0), 2 * RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    out = tmp_path / "cut"
    assert main(["slice", str(tmp_path), "--to_bpm", "127", "--beats", "2", "--jump", "1", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "124.0 beats a minute" in said
    assert "--bpm 62 or --bpm 248" in said
    assert "broken.wav" in said
    about = json.loads((out / "slices.json").read_text("utf-8"))
    assert (about["bpm"], about["beats"], about["samples"]) == (127, 2, round(2 * 60 / 127 * RATE))
    assert {one["song"] for one in about["slices"].values()} == {"four", "rock"}
    found = slices.read_folder(out)
    assert len(found.names) > 50
    first = found.sound("four_0004.wav")
    # It begins on a beat: with a kick.
    assert np.abs(first[: RATE // 20]).max() > 0.5 * np.abs(first).max()
    assert main(["slice", str(tmp_path), "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_silence_is_left_out_and_copies_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bar = next(Song("punchy", "four", 0).bars())[1]
    write_wav(tmp_path / "song.wav", np.concatenate([*[bar] * 6, np.zeros(3 * len(bar)), bar]), RATE)
    assert main(["slice", str(tmp_path / "song.wav"), "--bpm", "160"]) == 0
    said = capsys.readouterr().out
    assert "left out, because they are silent: " in said
    assert "nearly the same as an earlier one: " in said
    assert "that is few" in said
    assert (tmp_path / "song_slices" / "slices.json").is_file()


def test_songs_of_one_name_in_two_folders_stay_two(tmp_path: Path) -> None:
    for folder, kit in (("a", "punchy"), ("b", "dusty")):
        bars = [bar for _, bar in Song(kit, "four", 0).bars()][:6]
        write_wav(tmp_path / "songs" / folder / "song.wav", np.concatenate(bars), RATE)
    assert main(["slice", str(tmp_path / "songs"), "--bpm", "160"]) == 0
    about = slices.read_folder(tmp_path / "songs_slices").about
    assert {one.song for one in about.slices.values()} == {"song", "song_"}
    of_each = [sum(one.song == song for one in about.slices.values()) for song in ("song", "song_")]
    assert min(of_each) >= 5
    assert len(list((tmp_path / "songs_slices").glob("*.wav"))) == sum(of_each)


def test_what_breaks_off_leaves_no_folder_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "song.wav", played("four", 120)[0], RATE)
    written: list[Path] = []

    def fill_the_disk(path: Path, *rest: object) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        write_wav(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(slicing, "write_wav", fill_the_disk)
    assert main(["slice", str(tmp_path / "song.wav"), "--bpm", "120"]) == 2
    assert "free some space" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


@pytest.mark.parametrize("together", [1, 4, 256])
def test_copies_are_counted_however_many_are_compared_together(together: int) -> None:
    made = np.random.default_rng(0).normal(size=(12, 20)).astype(np.float32)
    made[5], made[6], made[11] = made[2], made[2] + 0.01, made[10]
    assert slices.repeated(made, together) == 3
    assert slices.repeated(made[:0]) == 0


def test_check_writes_a_slice_and_what_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(tmp_path / "song.wav", played("rock", 120)[0], RATE)
    arguments = ["slice", str(tmp_path / "song.wav"), "--bpm", "120", "--check", str(tmp_path / "look.wav")]
    assert main([*arguments, "--frames", "64", "--bands", "64"]) == 0
    said = capsys.readouterr().out
    assert "spectral convergence at 64 x 64: -" in said
    assert {path.name for path in tmp_path.iterdir()} == {"song.wav", "look.wav", "look.png", "look_again.wav"}
    one, again = (soundfile.read(tmp_path / name)[0] for name in ("look.wav", "look_again.wav"))
    assert len(one) == len(again) == 44_100
    assert np.std(again) == pytest.approx(np.std(one), rel=0.3)
    assert main([*arguments, "--frames", "16", "--bands", "1024"]) in (0, 2)


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.random.default_rng(0).normal(0, 0.1, 15 * RATE), "has no clear beat"),
        (0.3 * np.sin(np.arange(15 * RATE) / 20), "has no clear beat"),
        (np.random.default_rng(0).normal(0, 0.1, 5 * RATE), "lasts 5.0 seconds"),
    ],
    ids=["noise", "a tone", "five seconds"],
)
def test_what_has_no_beat_is_said(
    sound: np.ndarray, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "song.wav", sound, RATE)
    assert main(["slice", str(tmp_path / "song.wav")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "--bpm" in error


@pytest.mark.parametrize("samples", [1, 30, 1000])
def test_a_click_has_no_beat(samples: int) -> None:
    with pytest.raises(UserError, match="has no beat"):
        beats.find(np.full(samples, 0.5, np.float32), RATE, 120)


def test_too_short_for_a_slice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(tmp_path / "song.wav", played("four", 120, bars=2)[0], RATE)
    assert main(["slice", str(tmp_path / "song.wav"), "--bpm", "120", "--beats", "16"]) == 2
    assert "shorter than 16 beats" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--bpm", "--to_bpm"])
def test_slices_that_would_be_too_long_are_refused_before_a_song_is_read(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "song.wav", played("four", 120, bars=2)[0], RATE)
    monkeypatch.setattr(slicing, "read_sound", lambda *_: pytest.fail("a song was read"))
    command = ["slice", str(tmp_path / "song.wav"), option, "60", "--beats", "64", "--sample_rate", "96000"]
    assert main(command) == 2
    assert "64 beats at 60 a minute are 6,144,000 samples" in capsys.readouterr().err


def test_the_songs_may_be_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "songs" / "song.wav", played("four", 120, bars=2)[0], RATE)
    monkeypatch.chdir(tmp_path / "songs")
    assert main(["slice", ".", "--bpm", "120"]) == 0
    assert (tmp_path / "songs_slices" / "slices.json").is_file()
