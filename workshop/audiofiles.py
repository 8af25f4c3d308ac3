"""Sound files of any kind as samples: mono, at one rate.

wav, flac, ogg, mp3 and what else libsndfile knows is read by soundfile; other formats by ffmpeg, where that is
installed. Files are set aside with a reason where they hold nothing that can be heard.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workshop.cli import RATES
from workshop.errors import UserError
from workshop.files import explain
from workshop.folders import find_files

if TYPE_CHECKING:
    import soundfile

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".au", ".opus", ".m4a", ".aac", ".wma", ".mp4", ".webm")
#: Sound below this share of full scale is taken for none: half a step of 16 bits.
INAUDIBLE = 0.5 / 32768
#: Samples of each channel that are read at once.
BLOCK = 1 << 20
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
    mono, found = _decoded(path)
    if not len(mono):
        raise UserError(f"{path} holds no samples")
    with np.errstate(over="ignore", invalid="ignore"):
        mono = mono - mono.mean()
    if not np.isfinite(mono).all():
        raise UserError(f"{path} holds samples that are not numbers")
    if found not in RATES:
        raise UserError(f"{path} is damaged: its sample rate makes no sense ({found:,})")
    if found != rate:
        import soxr

        mono = soxr.resample(mono, found, rate)
    # After resampling: a file of two samples may have none now, and a tone may be too high for the rate.
    if np.abs(mono).max(initial=0) < INAUDIBLE:
        raise UserError(f"{path} is silent")
    return np.clip(mono, -1, 1)


def frame_power(samples: np.ndarray, frame: int) -> np.ndarray:
    """The mean square of each `frame` samples, float64 [K]; the last frame may be shorter."""
    starts = np.arange(0, len(samples), frame)
    power = np.add.reduceat(np.square(samples), starts, dtype=np.float64)
    return power / np.minimum(frame, len(samples) - starts)


def _decoded(path: Path) -> tuple[np.ndarray, int]:
    """Samples float32 [N], and their rate."""
    import soundfile

    try:
        # Opened here, because libsndfile would take some suffixes for the format of whatever the file holds.
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise UserError(f"{path} is empty")
            with soundfile.SoundFile(file) as sound:
                return _mono(sound), sound.samplerate
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    except (soundfile.LibsndfileError, TypeError) as error:  # a TypeError for .raw, which has no header
        samples = _by_ffmpeg(path)
        if samples is None:
            reason = str(error).rpartition(": ")[2].rstrip(".").lower()
            raise UserError(f"{path} is not sound that can be read ({reason})") from error
        return samples


def _mono(sound: "soundfile.SoundFile") -> np.ndarray:
    """All samples, the channels mixed, float32 [N].

    Read in blocks, because many channels take memory and a damaged header can promise any number of samples.
    """
    blocks = [np.empty(0, np.float32)]
    with np.errstate(over="ignore", invalid="ignore"):
        while len(block := sound.read(BLOCK, dtype="float32", always_2d=True)):
            blocks.append(block.mean(axis=1))
    return np.concatenate(blocks)


def _by_ffmpeg(path: Path) -> tuple[np.ndarray, int] | None:
    """The same by ffmpeg, at 44,100 Hz; None where there is no ffmpeg or it does not know the file either."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    # "file:", so that no name is taken for an option or an address.
    command = [program, "-v", "error", "-nostdin", "-i", f"file:{path}", "-f", "f32le", "-ac", "1", "-ar", "44100", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=FFMPEG_SECONDS, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], "<f4"), 44100
