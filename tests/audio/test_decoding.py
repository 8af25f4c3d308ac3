"""What phones record, the sound of videos, and files that hold several recordings or begin with something else."""

import io
import re
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from encoders import encoded, ogg_flac

from workshop.audio import decoding
from workshop.audio.audiofiles import READABLE, SUFFIXES, find_audio_files, read, read_sound
from workshop.errors import UserError

RATE = 16000


def sine(hertz: float, rate: int, seconds: float = 1.0, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read(path, RATE)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path} ")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path} ")


def assert_sounds(samples: np.ndarray, hertz: float, seconds: float, tolerance: float, level: float = 0.5) -> None:
    """A sine of this frequency, level and length, whatever the codec did to its ends."""
    assert len(samples) / RATE == pytest.approx(seconds, abs=tolerance)
    middle = samples[len(samples) // 8 : -len(samples) // 8]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * RATE / len(middle) == pytest.approx(hertz, abs=2 * RATE / len(middle))
    assert np.std(middle) * np.sqrt(2) == pytest.approx(level, rel=0.1)


#: name, codec, samples a second, whether with pictures, and by how many seconds the length may be off.
RECORDINGS = {
    "voice.m4a": ("aac", 44100, False, 0.03), "voice.aac": ("aac", 44100, False, 0.06),
    "memo.m4a": ("alac", 48000, False, 0.0001), "voice.3gp": ("libopencore_amrnb", 8000, False, 0.03),
    "voice.amr": ("libopencore_amrnb", 8000, False, 0.03), "voice.webm": ("libopus", 48000, False, 0.001),
    "film.mp4": ("aac", 48000, True, 0.03), "film.mov": ("aac", 44100, True, 0.03),
    "film.mkv": ("libopus", 48000, True, 0.001), "film.3gp": ("aac", 22050, True, 0.06),
    "film.avi": ("libmp3lame", 44100, True, 0.06), "take.wv": ("wavpack", 44100, False, 0.0001),
    "film.m4v": ("aac", 32000, True, 0.04),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "channels"),
    [(name, count) for name in RECORDINGS for count in (1, 2) if count == 1 or "amrnb" not in RECORDINGS[name][0]],
)
def test_what_phones_record_is_read(tmp_path: Path, name: str, channels: int) -> None:
    codec, rate, video, tolerance = RECORDINGS[name]
    form = {".m4v": "mp4"}.get(Path(name).suffix)
    path = encoded(tmp_path / name, np.stack([sine(1000, rate)] * channels), rate, codec, form, video)
    assert find_audio_files(tmp_path) == [path]
    found = read_sound(path, RATE)
    assert_sounds(found.samples, 1000, 1, tolerance)
    assert found.remarks == ()


@pytest.mark.parametrize("name", ["click.m4a", "click.mp4", "click.webm", "click.mkv"])
def test_what_encoders_put_before_the_sound_is_left_out(tmp_path: Path, name: str) -> None:
    codec = "libopus" if name in ("click.webm", "click.mkv") else "aac"
    samples = np.zeros(48000)
    samples[24000:24200] = sine(2000, 48000, 200 / 48000)
    found = read(encoded(tmp_path / name, samples[None], 48000, codec), 48000)
    # The loudest place is where it was, and not 1024 samples later.
    power = np.convolve(np.square(found), np.ones(200), "valid")
    assert power.argmax() == pytest.approx(24000, abs=20)


@pytest.mark.parametrize(("ending", "form"), [("caf", "CAF"), ("w64", "W64"), ("rf64", "RF64"), ("aifc", "AIFF"),
                                              ("oga", "OGG"), ("snd", "AU"), ("opus", "OGG")])  # fmt: skip
def test_rarer_formats_are_found_and_read(tmp_path: Path, ending: str, form: str) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, sine(1000, 48000), 48000, format=form, subtype="OPUS" if ending == "opus" else None)
    assert find_audio_files(tmp_path) == [path]
    assert_sounds(read(path, RATE), 1000, 1, 0.01)


def test_suffixes_are_what_a_folder_is_searched_for() -> None:
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
    named = re.findall(r"[a-z0-9]+", READABLE.replace("and the sound of", "").replace(" and ", " "))
    assert {f".{name}" for name in named} <= set(SUFFIXES)


def test_channels_of_videos_may_cancel_each_other_too(tmp_path: Path) -> None:
    wave = sine(1000, 44100)
    found = read_sound(encoded(tmp_path / "a.mp4", np.stack([wave, -wave]), 44100, "aac", video=True), RATE)
    assert_sounds(found.samples, 1000, 1, 0.03)
    assert found.remarks == ("its channels cancel each other, so channel 1, the loudest, is used alone",)


def test_floats_in_a_video_may_go_beyond_full_scale(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mkv", 5000 * sine(1000, 44100)[None], 44100, "pcm_f32le")
    found = read_sound(path, RATE)
    assert_sounds(found.samples, 1000, 1, 0.001, level=1)
    assert found.remarks[0].startswith("its samples go to 2,500, ")


def test_a_video_without_sound_is_said_to_be_one(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mp4", np.empty((0, 0)), 44100, "aac", video=True)
    assert refused(path) == "is a video without sound"


def test_sound_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encoded(tmp_path / "a.m4a", sine(1000, 44100)[None], 44100, "alac")
    whole = read(path, 44100)
    monkeypatch.setattr(decoding, "BLOCK", 5000)
    with open(path, "rb") as file:
        lengths = [len(block.samples) for block in decoding.by_ffmpeg(file)]
    assert len(lengths) > 4
    assert max(lengths) < 10000
    assert np.array_equal(read(path, 44100), whole)


# ---- damage


@pytest.mark.parametrize("name", ["voice.m4a", "voice.aac", "voice.3gp", "voice.webm", "film.mp4", "take.wv"])
def test_recordings_that_are_cut_off_are_read_as_far_as_they_go_or_refused(tmp_path: Path, name: str) -> None:
    codec, rate, video, _ = RECORDINGS[name]
    path = encoded(tmp_path / name, sine(1000, rate)[None], rate, codec, None, video)
    content = path.read_bytes()
    for length in np.linspace(1, len(content) - 1, 20).astype(int):
        path.write_bytes(content[:length])
        try:
            assert len(read(path, RATE)) <= 1.1 * RATE
        except UserError as error:
            assert str(error).startswith(f"{path} ")  # noqa: PT017


def test_half_a_stream_of_aac_is_half_of_the_sound(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.aac", sine(1000, 44100)[None], 44100, "aac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_sounds(read(path, RATE), 1000, 0.5, 0.1)


@pytest.mark.parametrize("name", ["voice.m4a", "voice.webm", "film.mp4", "voice.amr"])
def test_damaged_recordings_are_read_or_refused(tmp_path: Path, name: str) -> None:
    codec, rate, video, _ = RECORDINGS[name]
    path = encoded(tmp_path / name, sine(1000, rate, 0.3)[None], rate, codec, None, video)
    content = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(1)
    read_well = 0
    for _ in range(60):
        damaged = content.copy()
        places = rng.integers(0, rng.choice([60, len(content)]), 3)
        damaged[places] = rng.integers(0, 256, 3)
        path.write_bytes(damaged.tobytes())
        try:
            found = read(path, RATE)
        except UserError as error:
            assert str(error).startswith(f"{path} ")  # noqa: PT017
        else:
            read_well += 1
            assert np.isfinite(found).all()
            assert np.abs(found).max() <= 1
    assert read_well > 0


def test_a_recording_whose_packets_are_all_damaged_is_refused(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.m4a", sine(1000, 44100)[None], 44100, "aac")
    content = bytearray(path.read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[start:end] = np.random.default_rng(0).bytes(end - start)
    path.write_bytes(content)
    assert " packets are damaged or encrypted); " in refused(path)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{0}/secret.wav\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile {0}/secret.wav\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    ],
    ids=["playlist", "list of files", "session"],
)
def test_no_file_makes_another_one_be_read(tmp_path: Path, content: bytes) -> None:
    soundfile.write(tmp_path / "secret.wav", sine(440, RATE), RATE)
    path = tmp_path / "a.m4a"
    path.write_bytes(content.replace(b"{0}", str(tmp_path).encode()))
    assert refused(path).startswith("is not sound that can be read (damaged, or of an unknown format); wav, ")


def test_ffmpeg_is_imported_for_what_libsndfile_does_not_know_alone(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sine(440, RATE), RATE)
    encoded(tmp_path / "b.m4a", sine(440, RATE)[None], RATE, "aac")
    script = "import sys; from pathlib import Path; from workshop.audio.audiofiles import read; "
    script += "read(Path(sys.argv[1]), 8000); print('av' in sys.modules)"
    for name, imported in (("a.wav", "False"), ("b.m4a", "True")):
        command = [sys.executable, "-c", script, str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == imported
        assert done.stderr == ""


# ---- several recordings in a file


def ogg(hertz: float, rate: int, channels: int, subtype: str) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, np.stack([sine(hertz, rate, 0.5)] * channels, 1), rate, format="OGG", subtype=subtype)
    return content.getvalue()


LINKS = {
    "vorbis": lambda: ogg(500, 44100, 1, "VORBIS"), "slow vorbis": lambda: ogg(500, 22050, 2, "VORBIS"),
    "opus": lambda: ogg(500, 48000, 1, "OPUS"), "flac": lambda: ogg_flac(sine(500, 32000, 0.5), 32000),
}  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [("vorbis", "vorbis"), ("vorbis", "slow vorbis"), ("slow vorbis", "vorbis", "vorbis"), ("opus", "opus", "opus"),
     ("flac", "flac"), ("flac",), ("vorbis", "opus"), ("opus", "flac", "slow vorbis")],
    ids=" ".join,
)  # fmt: skip
def test_all_links_of_a_chained_ogg_are_read(tmp_path: Path, names: tuple[str, ...]) -> None:
    links = [LINKS[name]() for name in names]
    (tmp_path / "a.ogg").write_bytes(b"".join(links))
    found = read(tmp_path / "a.ogg", RATE)
    assert_sounds(found, 500, 0.5 * len(links), 0.001)
    for number, link in enumerate(links):
        (tmp_path / "link.ogg").write_bytes(link)
        alone = read(tmp_path / "link.ogg", RATE)
        assert np.array_equal(found[number * len(alone) :][: len(alone)], alone)


def test_damaged_links_are_left_out_and_said(tmp_path: Path) -> None:
    link = LINKS["vorbis"]()
    (tmp_path / "a.ogg").write_bytes(link + link + link[:200])
    found = read_sound(tmp_path / "a.ogg", RATE)
    assert_sounds(found.samples, 500, 1, 0.001)
    assert found.remarks == ("1 of the 3 recordings in it are damaged and left out",)


def test_bytes_between_links_are_passed_over(tmp_path: Path) -> None:
    link = LINKS["vorbis"]()
    (tmp_path / "a.ogg").write_bytes(link + b"no page at all " * 100 + link)
    assert_sounds(read(tmp_path / "a.ogg", RATE), 500, 1, 0.001)


def mp3(hertz: float = 500, rate: int = 44100, channels: int = 1) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, np.stack([sine(hertz, rate)] * channels, 1), rate, format="MP3")
    return content.getvalue()


def id3(size: int) -> bytes:
    """A tag with a picture of so many bytes."""
    picture = b"\0image/jpeg\0\3\0" + np.random.default_rng(0).bytes(size)
    length = bytes(len(picture) >> shift & 127 for shift in (21, 14, 7, 0))
    whole = bytes(len(picture) + 10 >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + whole + b"APIC" + length + b"\0\0" + picture


def ape() -> bytes:
    """A tag of the APE kind, with header and footer."""
    item = struct.pack("<II", 5, 0) + b"Title\0music"
    head, foot = (b"APETAGEX" + struct.pack("<4I", 2000, len(item) + 32, 1, kind << 29) + bytes(8) for kind in (5, 4))
    return head + item + foot


BEFORE = {
    "zeros": bytes(4096), "many zeros": bytes(3_000_000), "two zeros": bytes(2), "a tag": id3(500),
    "a picture": id3(2_000_000), "two tags": id3(10) + id3(500), "a tag and zeros": id3(100) + bytes(5000),
    "zeros and a tag": bytes(700) + id3(100), "ape": ape(), "junk": np.random.default_rng(1).bytes(3000),
    "an answer of a server": b"ICY 200 OK\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("before", BEFORE)
def test_an_mp3_behind_something_else_is_the_same_sound(tmp_path: Path, before: str) -> None:
    (tmp_path / "a.mp3").write_bytes(mp3())
    (tmp_path / "b.mp3").write_bytes(BEFORE[before] + mp3())
    sound = read_sound(tmp_path / "b.mp3", RATE)
    assert np.array_equal(sound.samples, read(tmp_path / "a.mp3", RATE))
    assert sound.remarks == (), "a tag is no recording, and no damage"


@pytest.mark.parametrize("tags", [(0,), (499,), (100_000,), (0, 500)])
@pytest.mark.parametrize("form", ["WAV", "AIFF", "FLAC", "CAF", "OGG"])
def test_sound_of_any_format_behind_a_tag_is_all_of_it(tmp_path: Path, form: str, tags: tuple[int, ...]) -> None:
    soundfile.write(tmp_path / "plain", sine(500, RATE), RATE, format=form)
    content = (tmp_path / "plain").read_bytes()
    (tmp_path / "tagged").write_bytes(b"".join(map(id3, tags)) + content)
    assert np.array_equal(read(tmp_path / "tagged", RATE), read(tmp_path / "plain", RATE))


def test_joined_mp3_files_are_all_read(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(mp3() + id3(3000) + mp3(rate=22050) + ape() + mp3(channels=2))
    assert_sounds(read(tmp_path / "a.mp3", RATE), 500, 3, 0.01)


def test_an_mp3_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    content = mp3()
    (tmp_path / "a.mp3").write_bytes(content[: len(content) // 2])
    assert 0.3 < len(read(tmp_path / "a.mp3", RATE)) / RATE < 0.6
    # Cut out of the middle of a stream; without its first frame nothing says how long it is.
    for cut in (333, 417, 700, 1500):
        (tmp_path / "a.mp3").write_bytes(content[cut:])
        assert_sounds(read(tmp_path / "a.mp3", RATE), 500, 1, 0.1)


@pytest.mark.parametrize("seed", range(3))
def test_bytes_that_are_no_frames_are_no_mp3(tmp_path: Path, seed: int) -> None:
    noise = bytearray(np.random.default_rng(seed).bytes(300_000))
    noise[::500] = b"\xff" * len(noise[::500])
    noise[1::500] = b"\xfb" * len(noise[1::500])
    (tmp_path / "a.mp3").write_bytes(noise)
    assert refused(tmp_path / "a.mp3").startswith("is not sound that can be read (")


def test_the_library_of_the_lock_has_the_decoders() -> None:
    known = {"aac", "alac", "amrnb", "amrwb", "opus", "vorbis", "mp3", "flac", "wmav2", "pcm_s16le"}
    assert known <= set(av.codecs_available)
