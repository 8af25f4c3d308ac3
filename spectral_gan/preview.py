"""What the generator would make so far, while it trains: always of the same latent values."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from spectral_gan.generate import Loops
from workshop.audio import latents
from workshop.audio.loop_spectrogram import LoopSpectrogram
from workshop.audio.preview import show_sound
from workshop.pictures import clear_away, write_png
from workshop.run.board import TensorBoardWriter

#: Pictures that are shown, in rows of four.
SHOWN, IN_A_ROW = 12, 4
#: Loops that are heard: two of them, and the way from one to the other.
STEPS = 4


class Preview:
    """Shows pictures of random latent values, and lets hear the way from the first of them to the second.

    Args:
        make: pictures [N, T, D] of latents [N, Z], by the network as it is then.
        spectrogram: what they are of.
        size: Z.
        seed: the same for all previews, so that they can be compared.
        temperature: of the latent values.
    """

    def __init__(
        self, make: Callable[[np.ndarray], np.ndarray], spectrogram: LoopSpectrogram, size: int, seed: int,
        temperature: float,
    ):  # fmt: skip
        self._loops = Loops(make, spectrogram)
        self._latents = latents.drawn(SHOWN, size, seed, temperature)

    def show(self, step: int, folder: Path, board: TensorBoardWriter) -> str:
        """Write pictures and a sound of the network as it is at this step to `folder` and to TensorBoard; say what the
        sound is like.
        """
        shown = sheet(self._loops.make(self._latents))
        write_png(folder / f"loops_{step:06d}.png", shown)
        board.picture("preview/loops", shown, step)
        heard = self._loops.row(latents.fade(self._latents[0], self._latents[1], STEPS))
        line = show_sound(heard, self._loops.spectrogram.rate, step, folder, board)
        clear_away()
        return line


def sheet(pictures: np.ndarray) -> np.ndarray:
    """Pictures [N, T, D] from -1 to 1 in rows on one sheet, uint8 [H, W, 3]: time goes to the right, low bands are at
    the bottom.
    """
    from matplotlib import colormaps  # late: it is for those who look

    rows = [pictures[at : at + IN_A_ROW] for at in range(0, len(pictures), IN_A_ROW)]
    frames, bands = pictures.shape[1:]
    paper = np.full((len(rows) * (bands + 4) - 4, IN_A_ROW * (frames + 4) - 4, 3), 255, np.uint8)
    for number, row in enumerate(rows):
        for place, picture in enumerate(row):
            colours = colormaps["magma"]((picture.T[::-1] + 1) / 2)[..., :3]
            top, left = number * (bands + 4), place * (frames + 4)
            paper[top : top + bands, left : left + frames] = np.round(255 * colours)
    return paper
