"""A generator of loops that the workshop has exported: the ONNX file says what its pictures are."""

import numpy as np

from workshop.audio.limiting import limited
from workshop.audio.loop_meaning import LoopMeaning
from workshop.errors import UserError
from workshop.osc.onnx_file import OnnxFile


class ExportedLoops:
    """Makes the loops that `sample.py` makes of the same latent values, from pictures that are equal but for rounding.

    S loops of N samples.

    Args:
        file: the network.
        meaning: what the file says.

    Raises:
        UserError: it does something else than it says.
    """

    def __init__(self, file: OnnxFile, meaning: LoopMeaning):
        self._file, self._meaning = file, meaning
        self.spectrogram = meaning.spectrogram
        self.latent_size, self.rate, self.samples = meaning.latent, meaning.sample_rate, meaning.samples
        self.bpm, self.beats = float(meaning.bpm), meaning.beats
        if file.latent_size != meaning.latent:
            raise UserError(f"{file.path} is damaged: it says {meaning.latent} latent values and takes another number")
        self.pictures(np.zeros((1, meaning.latent), np.float32))

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        """Loops float32 [S, N] from -1 to 1 of latents [S, Z]; each may be repeated for ever."""
        return limited(self.spectrogram.sounds(self.pictures(latents)))

    def row(self, latents: np.ndarray) -> np.ndarray:
        """The same loops one after the other, each going over into the next, float32 [S N]."""
        return limited(self.spectrogram.row(self.pictures(latents)))

    def pictures(self, latents: np.ndarray) -> np.ndarray:
        """Pictures [S, T, D].

        Raises:
            UserError: the network makes something else.
        """
        made, wanted = self._file.run(latents), (len(latents), self._meaning.frames, self._meaning.bands)
        if made.shape != wanted or not np.isfinite(made).all():
            raise UserError(f"{self._file.path} is damaged: it makes {list(made.shape)} and not what it says")
        return made
