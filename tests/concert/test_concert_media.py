"""Files of other people on a page: read and made anew, or refused in a sentence."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from melodies import melody
from PIL import Image

from workshop.audio.synthesis import write_wav
from workshop.concert import page
from workshop.concert.media import Media, load
from workshop.errors import UserError
from workshop.notes.midifiles import write


def heard(media: Media) -> tuple[np.ndarray, int]:
    assert media.kind == "audio/mpeg"
    samples, rate = soundfile.read(io.BytesIO(media.content))
    return samples, rate


def png(width: int, height: int) -> bytes:
    """The beginning of a picture of this size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\1IDAT."
    )


def test_a_sound_becomes_mp3_and_is_cut_where_it_is_too_long(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * 16000) / 16000)
    write_wav(tmp_path / "a.wav", tone, 16000)
    whole, rate = heard(load(tmp_path / "a.wav", 60))
    assert 2.9 < len(whole) / rate < 3.2
    spectrum = np.abs(np.fft.rfft(whole[rate : 2 * rate]))
    assert int(spectrum.argmax()) == 440
    part, rate = heard(load(tmp_path / "a.wav", 1))
    assert 0.9 < len(part) / rate < 1.2


def test_midi_is_played(tmp_path: Path) -> None:
    write(tmp_path / "a.mid", melody(1), tempo=120, name="A")
    samples, rate = heard(load(tmp_path / "a.mid", 5))
    assert 4.9 < len(samples) / rate < 5.2
    assert np.abs(samples).max() > 0.1


def test_a_picture_is_drawn_anew_and_holds_nothing_else(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("secret", "where I live")
    Image.new("RGB", (4, 3), "red").save(tmp_path / "a.png", pnginfo=info)
    media = load(tmp_path / "a.png", 1)
    assert media.kind == "image/png"
    assert b"where I live" not in media.content
    with Image.open(io.BytesIO(media.content)) as picture:
        assert picture.size == (4, 3)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.png", b"<svg onload=alert(1)>", "no PNG picture"),
        ("a.png", png(5000, 5000), "20,000,000 pixels"),
        ("a.png", png(50_000, 50_000), "20,000,000 pixels"),
        ("a.html", b"<script>", "neither a sound nor MIDI"),
        ("a.svg", b"<svg/>", "neither a sound nor MIDI"),
        ("a.wav", b"RIFF", "a.wav"),
        ("a.mid", b"MThd", "a.mid"),
    ],
)
def test_what_is_something_else_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        load(tmp_path / name, 1)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path / "none.wav", 1)


def test_a_text_is_shown_as_it_is() -> None:
    shown = page.media(Media("text/plain", b"<script>alert(1)</script> & \x1b[2J"), "words")
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; \\x1b[2J" in shown
