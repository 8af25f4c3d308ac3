"""Sound files of any kind as samples: mono, at one rate.

wav, flac, ogg, mp3 and what else libsndfile knows is read by soundfile; other formats by ffmpeg, where that is
installed. Files are set aside with a reason where they hold nothing that can be heard.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np

from workshop.errors import UserError
from workshop.files import explain
from workshop.folders import find_files

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".au", ".opus", ".m4a", ".aac", ".wma", ".mp4", ".webm")
#: Sound below this share of full scale is taken for none: half a step of 16 bits.
INAUDIBLE = 0.5 / 32768
FFMPEG_SECONDS = 600


def find_audio_files(path: Path) -> list[Path]:
    """The sound files that `path` stands for: itself, or all in the folder and below, sorted by name.

    Raises:
        UserError: there is no such path, or it holds no sound files.
    """
    return find_files(path, SUFFIXES, "audio")


def read(path: Path, rate: int) -> np.ndarray:
    """The sound of a file, float32 [samples] from -1 to 1, its channels mixed to one and without a constant offset.

    Args:
        path: the file.
        rate: samples a second of the result.

    Raises:
        UserError: it cannot be read, is no sound, or holds nothing that can be heard; the sentence names it.
    """
    samples, found = _decoded(path)
    if not len(samples):
        raise UserError(f"{path} holds no samples")
    mono = samples.mean(axis=1)
    if not np.isfinite(mono).all():
        raise UserError(f"{path} holds samples that are not numbers")
    mono = mono - mono.mean()
    if np.abs(mono).max() < INAUDIBLE:
        raise UserError(f"{path} is silent")
    if found != rate:
        import soxr

        mono = soxr.resample(mono, found, rate)
    return np.clip(mono, -1, 1).astype(np.float32)


def _decoded(path: Path) -> tuple[np.ndarray, int]:
    """Samples float32 [N, channels], and their rate."""
    import soundfile

    try:
        if path.stat().st_size == 0:
            raise UserError(f"{path} is empty")
        return soundfile.read(path, dtype="float32", always_2d=True)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    except soundfile.LibsndfileError as error:
        samples = _by_ffmpeg(path)
        if samples is None:
            reason = str(error).rpartition(": ")[2].rstrip(".").lower()
            raise UserError(f"{path} is not sound that can be read ({reason})") from error
        return samples


def _by_ffmpeg(path: Path) -> tuple[np.ndarray, int] | None:
    """The same by ffmpeg, as stereo at 44,100 Hz; None where there is no ffmpeg or it does not know the file either."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    command = [program, "-v", "error", "-nostdin", "-i", f"file:{path}", "-f", "f32le", "-ac", "2", "-ar", "44100", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=FFMPEG_SECONDS, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError):
        return None
    return np.frombuffer(done.stdout, "<f4").reshape(-1, 2), 44100
