"""Sound previews during training."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from workshop.audio.generated import SoundGenerator
from workshop.audio.quality import judge
from workshop.audio.quantisation import MU_LAW, Quantisation
from workshop.audio.spectrogram import spectrogram
from workshop.audio.synthesis import write_wav
from workshop.networks.sampling import SamplingConfig
from workshop.pictures import clear_away, write_png
from workshop.run.board import TensorBoardWriter
from workshop.visible import label, visible_line

SECONDS = 1.5
#: Maximal number of conditions that are previewed.
MAX_SHOWN = 12
#: Characters of a condition's name that are part of a file's name and of a chart's.
NAME_WIDTH = 40


class Preview:
    """Generates previews: one sound, or one of each condition up to `MAX_SHOWN`.

    Args:
        generator: condition indices [B] -> a generator with the network's present weights; called for each preview.
        train: values [N] of the training sounds of each condition; their beginnings are the prompts.
        context: T, the length of a prompt in values.
        names: of the conditions; none where there are none.
        rate: samples a second.
        seed: the same for all previews, so that they can be compared.
        temperature: softmax temperature.
        quantisation: what the values stand for.
    """

    def __init__(
        self,
        generator: Callable[[np.ndarray], SoundGenerator],
        train: Sequence[np.ndarray],
        context: int,
        names: Sequence[str],
        rate: int,
        seed: int,
        temperature: float,
        quantisation: Quantisation = MU_LAW,
    ):
        self._generator, self._rate, self._length, self._seed = generator, rate, int(SECONDS * rate), seed
        self._config, self._decode = SamplingConfig(temperature), quantisation.decode
        self._names = list(names[:MAX_SHOWN]) or [""]
        self._labels = _labels(self._names)
        self._not_shown = len(names[MAX_SHOWN:])
        self._prime = np.stack([np.resize(ring, context) for ring in train[: len(self._names)]], axis=1)

    def show(self, step: int, folder: Path, board: TensorBoardWriter) -> str:
        """Write sounds of the network as it is at this step to `folder` and to TensorBoard; say what they are like."""
        generator = self._generator(np.arange(len(self._names)))
        values = np.concatenate(list(generator.generate(self._prime, self._length, self._seed, self._config)))
        lines = []
        for name, short, samples in zip(self._names, self._labels, self._decode(values).T, strict=True):
            lines.append(show_sound(samples, self._rate, step, folder, board, name, short))
        clear_away()
        if self._not_shown:
            lines.append(f"    | and {self._not_shown:,} more, which sample.py makes")
        return "\n".join(lines)


def show_sound(
    samples: np.ndarray, rate: int, step: int, folder: Path, board: TensorBoardWriter, name: str = "", short: str = ""
) -> str:
    """Write a sound and its picture to a folder and to TensorBoard, and say in a line what it is like.

    Args:
        samples: [N] from -1 to 1.
        rate: samples a second.
        step: of the training.
        folder: to write to.
        board: likewise.
        name: of its condition.
        short: the name as a part of files' names.
    """
    picture = spectrogram(samples, rate, f"step {step:,} {name}".rstrip())
    stem = f"step_{step:06d}_{short}" if short else f"step_{step:06d}"
    write_wav(folder / f"{stem}.wav", samples, rate)
    write_png(folder / f"{stem}.png", picture)
    # Different names: of one name TensorBoard shows only the first entry.
    board.sound(f"preview/{short or 'sound'}", samples, rate, step)
    board.picture(f"preview/{short} spectrogram".replace("/ ", "/"), picture, step)
    heard = f"{len(samples) / rate:.1f} s of sound, {judge(samples).words}"
    return f"    | {visible_line(name)}: {heard}" if name else f"    | {heard}"


def _labels(names: Sequence[str]) -> list[str]:
    """The names as parts of files' names and of charts' names, each different."""
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        short = label(name, NAME_WIDTH) if name else ""
        # A file system may take capital and small letters for the same.
        found.append(f"{short}_{number}" if short.lower() in (one.lower() for one in found) else short)
    return found
