"""What one does with a sound on a prompt: hear it, see it, keep it."""

from pathlib import Path
from typing import Any

import numpy as np

from workshop import cli
from workshop.audio.generated import GeneratedSound
from workshop.audio.rates import RATES
from workshop.audio.spectrogram import spectrogram
from workshop.audio.synthesis import write_wav
from workshop.errors import UserError
from workshop.files import short_path
from workshop.pictures import write_png
from workshop.prompt import in_notebook
from workshop.visible import visible_line

#: Samples beyond this are none from -1 to 1 that have become too loud, but of another scale.
OTHER_SCALE = 10.0


class Listening:
    """The functions of a prompt, each of which takes samples [N] from -1 to 1.

    Args:
        rate: samples a second, where a function is not given another number with `fs`.
        folder: where what was played and shown last is kept.
    """

    def __init__(self, rate: int, folder: Path):
        self._rate, self._folder = rate, folder

    def play(self, sound: Any, fs: int | None = None) -> None:
        """Play a sound: in a notebook as a player, otherwise through PortAudio where the package `sounddevice` is
        installed. It is kept in last_played.wav in any case.

        Raises:
            UserError: it is no sound, or cannot be written.
        """
        samples, rate = as_samples(sound), self._rate_of(fs)
        path = self._folder / "last_played.wav"
        write_wav(path, samples, rate)
        if in_notebook():
            from IPython.display import display

            display(GeneratedSound(samples, rate))
        elif reason := _played(samples, rate):
            cli.say(f"{reason}: the sound is in {short_path(path)}")

    def show(self, sound: Any, fs: int | None = None) -> None:
        """Draw a sound, its wave above and its frequencies below: in a notebook, otherwise as last_shown.png.

        Raises:
            UserError: it is no sound, or the picture cannot be written.
        """
        self.show_picture(spectrogram(as_samples(sound), self._rate_of(fs)), "last_shown.png")

    def show_picture(self, picture: np.ndarray, name: str) -> None:
        """Show a picture, uint8 [H, W, 3]: in a notebook, otherwise as a file of this name.

        Raises:
            UserError: it cannot be written.
        """
        path = self._folder / name
        write_png(path, picture)
        if in_notebook():
            from IPython.display import Image, display

            display(Image(str(path)))
        else:
            print(f"the picture is {visible_line(str(short_path(path)))}")

    def save_file(self, name: str | Path, sound: Any, fs: int | None = None) -> None:
        """Write a sound to a file, whose name ends in .wav; a ~ at its beginning is the home folder.

        Raises:
            UserError: it is no sound, the name is none or ends otherwise, or the file cannot be written.
        """
        if not isinstance(name, str | Path):
            raise UserError('the name of the file comes first, and then the sound: save_file("y.wav", y)')
        path = at_home(name)
        if path.suffix.lower() != ".wav":
            raise UserError(f"{name}: the file of a sound is a WAV file, so its name has to end in .wav")
        write_wav(path, as_samples(sound), self._rate_of(fs))

    def _rate_of(self, fs: int | None) -> int:
        if fs is None:
            return self._rate
        if not isinstance(fs, int | np.integer) or isinstance(fs, bool) or not 1 <= fs <= RATES[-1]:
            raise UserError(f"fs={fs!r} is no sample rate: give the samples a second, such as fs=8000")
        return int(fs)


def at_home(name: str | Path) -> Path:
    """The path of a file named on a prompt, where no shell has put the home folder in place of a ~."""
    path = Path(name)
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user, so it is a name as any other
        return path


def as_samples(sound: Any) -> np.ndarray:
    """A sound as float32 samples [N].

    Raises:
        UserError: it is none, or its samples are of another scale, such as the whole numbers of a file.
    """
    try:
        samples = np.asarray(getattr(sound, "samples", sound))
    except ValueError:  # lists of different lengths
        samples = np.empty((0, 0))
    if samples.ndim != 1 or (len(samples) and samples.dtype.kind not in "biuf") or not np.isfinite(samples).all():
        raise UserError(
            "that is no sound: give samples from -1 to 1, one after the other, in an array of one dimension"
        )
    peak = float(np.abs(samples.astype(np.float64)).max(initial=0))
    if peak > (OTHER_SCALE if samples.dtype.kind == "f" else 1):
        raise UserError(f"that sound goes to {peak:.5g}, and samples go from -1 to 1: divide it by what is full scale")
    return samples.astype(np.float32)


def _played(samples: np.ndarray, rate: int) -> str:
    """Begin to play; why it cannot be played, or nothing where it can."""
    try:
        import sounddevice
    except (ImportError, OSError):  # OSError: the package is there, and PortAudio is not
        return "sounddevice is not installed here"
    try:
        sounddevice.play(samples, rate)
    except (sounddevice.PortAudioError, ValueError) as error:
        return f"it cannot be played here ({error})"
    return ""
