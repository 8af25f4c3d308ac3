"""Sound files of any kind as samples: mono, at one rate; and files that are none."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoders import encoded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workshop.audio import audiofiles, decoding
from workshop.audio.audiofiles import find_audio_files, read, read_sound
from workshop.errors import UserError


def sine(hertz: float, rate: int, seconds: float = 0.5, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def saved(path: Path, samples: np.ndarray, rate: int = 16000, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def refused(path: Path, rate: int = 16000) -> str:
    with pytest.raises(UserError) as caught:
        read(path, rate)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"{path} ")
    return sentence.removeprefix(f"{path} ")


def frequency(samples: np.ndarray, rate: int) -> float:
    """Of the loudest partial, in Hz, between the lines of the spectrum."""
    spectrum = np.log(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) + 1e-9)
    k = int(spectrum.argmax())
    before, at, after = spectrum[k - 1 : k + 2]
    return (k + (before - after) / 2 / (before - 2 * at + after)) * rate / len(samples)


def level(samples: np.ndarray) -> float:
    """Of a sine, its ends left out."""
    cut = len(samples) // 10
    return float(np.std(samples[cut:-cut]) * np.sqrt(2))


# ---- what is read


@pytest.mark.parametrize(
    ("name", "subtype", "precision"),
    [
        ("a.wav", "PCM_U8", 1 / 127),
        ("a.wav", "PCM_16", 1 / 32767),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_32", 1e-6),
        ("a.wav", "FLOAT", 1e-6),
        ("a.wav", "DOUBLE", 1e-6),
        ("a.wav", "ULAW", 0.02),
        ("a.flac", "PCM_16", 1 / 32767),
        ("a.flac", "PCM_24", 1e-6),
        ("a.aiff", "PCM_16", 1 / 32767),
        ("a.au", "PCM_16", 1 / 32767),
    ],
)
def test_the_samples_of_a_file_come_back(tmp_path: Path, name: str, subtype: str, precision: float) -> None:
    samples = sine(440, 16000)
    found = read(saved(tmp_path / name, samples, subtype=subtype), 16000)
    assert found.dtype == np.float32
    assert found.shape == samples.shape
    # The mean of a file of 8 bits is off by up to a step, and taken away.
    assert np.abs(found - samples).max() <= 2 * precision


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3", "a.opus"])
def test_compressed_sound_keeps_pitch_and_level(tmp_path: Path, name: str) -> None:
    subtype = "OPUS" if name == "a.opus" else None
    path = tmp_path / name
    form = "OGG" if name == "a.opus" else None
    soundfile.write(path, sine(440, 48000), 48000, format=form, subtype=subtype)
    found = read(path, 48000)
    assert len(found) == pytest.approx(24000, rel=0.15)
    assert frequency(found[4000:20000], 48000) == pytest.approx(440, rel=0.01)
    assert level(found[4000:20000]) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("found", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
def test_a_sine_keeps_its_frequency_and_level_at_another_rate(tmp_path: Path, found: int, rate: int) -> None:
    samples = read(saved(tmp_path / "a.wav", sine(1000, found), found), rate)
    assert len(samples) == pytest.approx(rate / 2, abs=2)
    assert frequency(samples, rate) == pytest.approx(1000, rel=0.01)
    assert level(samples) == pytest.approx(0.5, rel=0.01)


def test_what_a_rate_cannot_hold_does_not_come_back_as_another_tone(tmp_path: Path) -> None:
    both = sine(1000, 44100) + 0.9 * sine(6000, 44100)
    samples = read(saved(tmp_path / "a.wav", both, 44100, "FLOAT"), 8000)
    assert np.abs(samples[400:-400] - sine(1000, 8000)[400 : len(samples) - 400]).max() < 0.01
    assert refused(saved(tmp_path / "high.wav", sine(20000, 44100, level=1e-4), 44100, "FLOAT"), 8000) == "is silent"


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_channels_are_mixed(tmp_path: Path, channels: int) -> None:
    samples = np.stack([sine(300 * (k + 1), 16000) for k in range(channels)], axis=1)
    found = read(saved(tmp_path / "a.wav", samples, subtype="FLOAT"), 16000)
    assert np.abs(found - samples.mean(axis=1)).max() < 1e-4


def cancelling(*gains: float) -> np.ndarray:
    """Channels [N, C] of one sound, each with a gain of its own."""
    return sine(440, 16000)[:, None] * np.array(gains)


@pytest.mark.parametrize(
    ("channels", "used"),
    [
        (cancelling(1, -1), 1), (cancelling(0.6, -0.9), 2), (cancelling(-0.9, 0.6), 1), (cancelling(1, 1, -1), 1),
        (cancelling(0.5, 0.5, -0.8, 0.5), 3), (cancelling(0, 0, 0.8, -0.7, 0, 0), 3),
        (np.concatenate([cancelling(1, 1), cancelling(0.8, -0.8)]), 1),
        (cancelling(1, -1) + np.array([0, 0.3]), 1),
    ],
    ids=["inverted", "right is louder", "left is louder", "1 of 3", "1 of 4", "2 of 6", "partly", "offset"],
)  # fmt: skip
def test_of_channels_that_cancel_each_other_the_loudest_is_used(
    tmp_path: Path, channels: np.ndarray, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "BLOCK", 5000)
    found = read_sound(saved(tmp_path / "a.wav", channels, subtype="FLOAT"), 16000)
    expected = channels[:, used - 1]
    assert np.abs(found.samples - (expected - expected.mean())).max() < 1e-6
    remark = f"its channels cancel each other, so channel {used}, the loudest, is used alone"
    assert found.remarks == (remark,)


def test_channels_with_noise_of_their_own_cancel_each_other_too(tmp_path: Path) -> None:
    channels = cancelling(1, -1) + 0.05 * np.random.default_rng(3).standard_normal((8000, 2))
    found = read_sound(saved(tmp_path / "a.wav", channels, subtype="FLOAT"), 16000)
    assert level(found.samples) == pytest.approx(0.5, rel=0.05)
    assert len(found.remarks) == 1


def test_ordinary_stereo_is_the_mean_to_the_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    voice, room = sine(440, 16000), 0.2 * rng.standard_normal(8000)
    for channels in (
        np.stack([voice, voice], 1), np.stack([voice, 0 * voice], 1), np.stack([voice, sine(660, 16000)], 1),
        np.stack([voice + room, voice - room], 1), rng.uniform(-1, 1, (8000, 2)), rng.uniform(-1, 1, (8000, 5)),
        # A little of one channel that is heard upside down in the other.
        np.stack([voice, -0.2 * voice], 1),
    ):  # fmt: skip
        path = saved(tmp_path / "a.wav", channels, subtype="PCM_16")
        stored = soundfile.read(path, dtype="float32")[0].mean(axis=1)
        found = read_sound(path, 16000)
        assert np.array_equal(found.samples, stored - stored.mean())
        assert found.remarks == ()


def test_a_file_is_read_to_its_end_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK", 1000)
    for name in ("a.wav", "a.flac"):
        assert np.abs(read(saved(tmp_path / name, sine(440, 16000)), 16000) - sine(440, 16000)).max() < 1e-4


def test_a_constant_offset_is_taken_away(tmp_path: Path) -> None:
    found = read(saved(tmp_path / "a.wav", sine(440, 16000, level=0.3) + 0.5), 16000)
    assert abs(found.mean()) < 1e-4
    assert level(found) == pytest.approx(0.3, rel=0.01)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_what_an_offset_had_kept_within_full_scale_is_not_clipped(tmp_path: Path, subtype: str) -> None:
    wave = np.full(16000, -0.6)
    wave[:1600] = sine(440, 16000, 0.1, level=0.999)
    expected = wave - wave.mean()
    found = read_sound(saved(tmp_path / "a.wav", wave, subtype=subtype), 16000)
    assert np.abs(found.samples - expected / np.abs(expected).max()).max() < 1e-4
    assert found.remarks == (
        "its samples go to 1.54 without their constant offset, where full scale is 1: they are divided by that",
    )


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize(
    ("peak", "shown"),
    [(1.3, "1.30"), (3.0, "3.00"), (127, "127"), (20000, "20,000"), (32768, "32,768"), (2.0**31, "2,147,483,648")],
)
def test_floats_beyond_full_scale_are_divided_by_their_peak(
    tmp_path: Path, peak: float, shown: str, subtype: str
) -> None:
    wave = sine(1000, 16000, level=1.0)  # its peak is one of the samples
    found = read_sound(saved(tmp_path / "a.wav", peak * wave, subtype=subtype), 16000)
    assert np.abs(found.samples - wave).max() < 1e-4
    assert found.remarks == (f"its samples go to {shown}, where full scale is 1: they are divided by that",)
    assert found.scaled


def test_floats_within_full_scale_stay_as_they_are(tmp_path: Path) -> None:
    loud = sine(440, 16000, level=1.0).astype(np.float32)
    found = read_sound(saved(tmp_path / "a.wav", loud, subtype="FLOAT"), 16000)
    assert np.abs(found.samples - loud).max() < 1e-6
    assert found.remarks == ()
    assert not found.scaled


def test_what_a_codec_has_beyond_full_scale_is_cut_off(tmp_path: Path) -> None:
    square = np.sign(sine(300, 16000)) * 0.999
    soundfile.write(tmp_path / "a.ogg", square, 16000)
    decoded = soundfile.read(tmp_path / "a.ogg", dtype="float32")[0]
    assert np.abs(decoded).max() > 1.05
    found = read_sound(tmp_path / "a.ogg", 16000)
    assert np.array_equal(found.samples, np.clip(decoded - decoded.mean(), -1, 1))
    assert found.remarks == ()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=60),
    st.integers(1, 6),
    st.sampled_from([8000, 22050, 192000]),
)
def test_any_short_sound_is_read_or_refused(tmp_path: Path, steps: list[int], channels: int, rate: int) -> None:
    samples = np.repeat(np.array(steps, np.int16)[:, None], channels, axis=1)
    soundfile.write(tmp_path / "a.wav", samples, rate)
    try:
        found = read(tmp_path / "a.wav", 16000)
    except UserError as error:
        assert str(error).endswith("is silent")  # noqa: PT017
    else:
        assert len(found) == pytest.approx(len(steps) * 16000 / rate, abs=1)
        assert np.isfinite(found).all()
        assert 0 < np.abs(found).max() <= 1


# ---- what is long


@pytest.mark.parametrize("rate", [16000, 8000, 22050])
@pytest.mark.parametrize("kind", ["mono", "offset", "stereo", "cancelling", "loud", "ogg", "m4a"])
def test_a_long_recording_is_read_as_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, rate: int
) -> None:
    """In pieces, decoded twice, and never held as a whole."""
    rng = np.random.default_rng(0)
    one, other = sine(440, 16000, 2) + 0.1 * rng.standard_normal(32000), sine(660, 16000, 2)
    channels = {
        "offset": 0.4 * one + 0.2, "stereo": np.stack([one, other], 1), "cancelling": np.stack([one, -0.9 * one], 1),
        "loud": 300 * np.stack([one, other], 1),
    }.get(kind, one)  # fmt: skip
    if kind == "m4a":
        path = encoded(tmp_path / "a.m4a", one[None], 16000, "aac")
    elif kind == "ogg":
        path = saved(tmp_path / "a.ogg", one)
    else:
        path = saved(tmp_path / "a.wav", channels, subtype="FLOAT")
    short = read_sound(path, rate)
    monkeypatch.setattr(audiofiles, "LONG", 5000)
    monkeypatch.setattr(decoding, "BLOCK", 3000)
    decoded: list[int] = []
    with audiofiles.Reading(path, rate, decoded.append) as reading:
        pieces = list(reading)
        again = np.concatenate(list(reading))
    assert max(map(len, pieces)) <= 2 * 3000 * max(rate / 16000, 1)
    assert (reading.remarks, reading.scaled) == (short.remarks, short.scaled)
    whole = np.concatenate(pieces)
    np.testing.assert_array_equal(again, whole)
    np.testing.assert_allclose(whole, short.samples, atol=1e-5)
    # Once to be measured, and once more each time.
    assert sum(decoded) == 3 * sum(decoded[: len(decoded) // 3])


def test_long_silence_and_long_nonsense_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiofiles, "LONG", 1000)
    assert refused(saved(tmp_path / "a.wav", np.full(9000, 0.3))) == "is silent"
    samples = sine(440, 16000)
    samples[4000] = np.nan
    assert refused(saved(tmp_path / "b.wav", samples, subtype="FLOAT")) == "holds samples that are not numbers"


# ---- what is refused


def test_silence_is_refused_also_beside_an_offset(tmp_path: Path) -> None:
    assert refused(saved(tmp_path / "a.wav", np.zeros(1000))) == "is silent"
    assert refused(saved(tmp_path / "b.wav", np.full(1000, 0.25))) == "is silent"
    assert refused(saved(tmp_path / "c.wav", np.full((1000, 2), [0.25, -0.5]))) == "is silent"


def test_a_single_sample_is_silent(tmp_path: Path) -> None:
    assert refused(saved(tmp_path / "a.wav", np.array([0.5]))) == "is silent"
    assert refused(saved(tmp_path / "b.wav", np.array([0.5]), 44100)) == "is silent"
    assert refused(saved(tmp_path / "c.wav", np.array([0.5, -0.5]), 192000), 8000) == "is silent"


def test_files_without_content_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert refused(tmp_path / "a.wav") == "is empty"
    assert refused(saved(tmp_path / "b.wav", np.empty(0))) == "holds no samples"


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 3e38])
def test_samples_that_are_not_numbers_are_refused(tmp_path: Path, number: float) -> None:
    samples = np.stack([sine(440, 16000), sine(550, 16000)], axis=1)
    samples[100:110] = number
    assert refused(saved(tmp_path / "a.wav", samples, subtype="FLOAT")) == "holds samples that are not numbers"


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.ogg", "a.flac", "a.au", "a.raw", "a.m4a", "a"])
def test_a_text_is_not_sound_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("no sound at all\n" * 100)
    assert refused(tmp_path / name).startswith("is not sound that can be read (")


def test_sound_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    for name in ("a.flac", "a.mp3", "a.ogg"):
        saved(tmp_path / name, sine(440, 16000)).rename(tmp_path / f"{name}.raw.wav")
        assert len(read(tmp_path / f"{name}.raw.wav", 16000)) >= 8000


def test_a_truncated_wav_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.wav", sine(440, 16000))
    path.write_bytes(path.read_bytes()[:8001])
    assert len(read(path, 16000)) == pytest.approx(4000, abs=30)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_whose_header_was_never_finished_is_read_to_its_end(tmp_path: Path, subtype: str, length: int) -> None:
    path = saved(tmp_path / "a.wav", sine(440, 16000), subtype=subtype)
    content, expected = bytearray(path.read_bytes()), read(path, 16000)
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = length.to_bytes(4, "little")
    path.write_bytes(content)
    assert np.array_equal(read(path, 16000), expected)
    path.write_bytes(content[: at + 4])
    assert refused(path) == "holds no samples"


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("RF64", "PCM_24"), ("RF64", "FLOAT"), ("AIFF", "PCM_16"),
        ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("AU", "DOUBLE"), ("CAF", "PCM_24"), ("CAF", "FLOAT"), ("W64", "PCM_16"),
    ],
)  # fmt: skip
def test_what_a_recorder_had_written_when_it_was_cut_off_is_read(tmp_path: Path, form: str, subtype: str) -> None:
    stereo = np.tile(sine(440, 16000, 1.0), 8)[:, None] * [1, 0.5]
    with soundfile.SoundFile(tmp_path / "being-written", "w", 16000, 2, subtype, format=form) as file:
        file.write(stereo)
        path = tmp_path / "a"
        path.write_bytes((tmp_path / "being-written").read_bytes())
    found = read(path, 16000)
    assert len(found) > 0.9 * len(stereo)
    assert np.abs(found - stereo[: len(found)].mean(axis=1)).max() < 1e-3


@pytest.mark.parametrize("form", ["RIFF", "RIFX"])
def test_a_wav_of_which_only_the_sounds_length_is_missing_is_read(tmp_path: Path, form: str) -> None:
    endian = "BIG" if form == "RIFX" else "LITTLE"
    soundfile.write(tmp_path / "a.wav", sine(440, 16000), 16000, endian=endian)
    content, expected = bytearray((tmp_path / "a.wav").read_bytes()), read(tmp_path / "a.wav", 16000)
    assert content[:4] == form.encode()
    at = content.index(b"data") + 4
    content[at : at + 4] = bytes(4)
    (tmp_path / "a.wav").write_bytes(content)
    assert np.array_equal(read(tmp_path / "a.wav", 16000), expected)


@pytest.mark.parametrize("form", ["WAV", "RF64", "AIFF"])
def test_what_a_file_says_of_itself_is_no_sound(tmp_path: Path, form: str) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 16000, 1, format=form) as file:
        file.title = "a title as long as a few samples"
    assert refused(tmp_path / "a.wav") == "holds no samples"


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_file_that_is_cut_off_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    content = saved(tmp_path / name, sine(440, 16000)).read_bytes()
    for length in np.linspace(1, len(content) - 1, 25).astype(int):
        (tmp_path / name).write_bytes(content[:length])
        try:
            assert len(read(tmp_path / name, 16000)) <= 10000
        except UserError as error:
            assert str(error).startswith(str(tmp_path / name))  # noqa: PT017


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    content = np.frombuffer(saved(tmp_path / name, sine(440, 16000)).read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = content.copy()
        places = rng.integers(0, rng.choice([60, len(content)]), 3)
        damaged[places] = rng.integers(0, 256, 3)
        (tmp_path / name).write_bytes(damaged.tobytes())
        try:
            found = read(tmp_path / name, 16000)
        except UserError as error:
            assert str(error).startswith(str(tmp_path / name))  # noqa: PT017
        else:
            assert np.isfinite(found).all()
            assert np.abs(found).max() <= 1


@pytest.mark.parametrize("rate", [1, 999, 2**31 - 1])
def test_a_rate_that_cannot_be_is_refused(tmp_path: Path, rate: int) -> None:
    path = saved(tmp_path / "a.wav", sine(440, 16000))
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    assert refused(path) == f"is damaged: its sample rate is not valid ({rate:,})"


@pytest.mark.parametrize("promised", [0, 2**36 - 1])
def test_a_header_that_promises_any_number_of_samples_costs_no_memory(tmp_path: Path, promised: int) -> None:
    path = saved(tmp_path / "a.flac", sine(440, 16000))
    content = bytearray(path.read_bytes())
    header = int.from_bytes(content[18:26], "big")
    content[18:26] = (header >> 36 << 36 | promised).to_bytes(8, "big")
    path.write_bytes(content)
    assert np.abs(read(path, 16000) - sine(440, 16000)).max() < 1e-4


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(tmp_path / "a.wav").startswith("cannot be read: no such file")
    (tmp_path / "folder.wav").mkdir()
    assert refused(tmp_path / "folder.wav").startswith("cannot be read: is a directory")

    def fail(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(audiofiles, "open", fail, raising=False)
    assert refused(saved(tmp_path / "b.wav", sine(440, 16000))).startswith("cannot be read: permission denied")


@pytest.mark.skipif(os.name == "nt", reason="has no such pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    assert refused(tmp_path / "a.wav") == "is neither a file nor a folder; give a sound file"


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_need_not_be_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav"))
    try:
        saved(tmp_path / "a.wav", sine(440, 16000)).rename(path)
    except OSError:
        pytest.skip("this file system has no such names")
    assert len(read(path, 16000)) == 8000


# ---- which are found


def test_a_folder_is_all_sound_files_in_it_and_below(tmp_path: Path) -> None:
    names = ["a.wav", "b.FLAC", "more/c.mp3", "more/deep/d.ogg", "z.m4a"]
    for name in [*names, ".hidden.wav", "z.unknown"]:
        (tmp_path / "sounds" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sounds" / name).write_text("la")
    found = find_audio_files(tmp_path / "sounds")
    assert [file.relative_to(tmp_path / "sounds").as_posix() for file in found] == names
    assert find_audio_files(tmp_path / "sounds" / "z.unknown") == [tmp_path / "sounds" / "z.unknown"]
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="has no audio files"):
        find_audio_files(tmp_path / "nothing")
