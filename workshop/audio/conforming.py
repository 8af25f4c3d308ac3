"""Songs at one tempo: stretched in time, and laid onto an even grid beat by beat."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from workshop.audio.beats import Grid
from workshop.errors import UserError

#: A tempo that is so near, as a share, needs no stretching: beats are moved by resampling, and the pitch changes by a
#: sixth of a semitone at most.
NEAR = 0.01


def stretcher() -> str:
    """What songs are stretched by: "rubberband" where it is installed, else "librosa"."""
    return "rubberband" if shutil.which("rubberband") else "librosa"


def conformed(samples: np.ndarray, rate: int, grid: Grid, bpm: float) -> np.ndarray:
    """A song from its first beat to its last one, each beat as long as the tempo says, float32 [N].

    Args:
        samples: float32 [N].
        rate: samples a second.
        grid: where its beats are.
        bpm: the tempo that it gets.

    Raises:
        UserError: rubberband fails.
    """
    from scipy.ndimage import map_coordinates

    faster = bpm / grid.tempo
    times = grid.times
    if abs(faster - 1) > NEAR:
        samples, times = _stretched(samples, rate, faster), times / faster
    count = round((len(times) - 1) * 60 / bpm * rate)
    places = np.interp(np.arange(count) * bpm / 60 / rate, np.arange(len(times)), times) * rate
    return map_coordinates(samples, places[None], np.float32, order=3, mode="constant")


def _stretched(samples: np.ndarray, rate: int, faster: float) -> np.ndarray:
    """The samples, so many times as fast, at the same pitch."""
    if stretcher() == "librosa":
        import librosa

        made: np.ndarray = librosa.effects.time_stretch(samples, rate=faster, n_fft=1024)
        return made
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.wav"), Path(folder, "after.wav")
        soundfile.write(before, samples, rate, subtype="FLOAT")
        command = ["rubberband", "--quiet", "--tempo", f"{faster:.9f}", str(before), str(after)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not after.is_file():
            raise UserError(f"rubberband could not stretch a song ({done.stderr.strip()[-200:]}); install it again")
        stretched: np.ndarray = soundfile.read(after, dtype="float32")[0]
    return stretched
