"""What the network would write so far, while it trains."""

import textwrap
from pathlib import Path

import numpy as np

from char_rnn.generate import Generator
from char_rnn.vocab import Vocabulary
from workshop.files import write_text
from workshop.networks.sampling import SamplingConfig
from workshop.networks.sequence import SequenceModel
from workshop.run.board import TensorBoardWriter

#: Chosen by benchmarks/temperatures.py; sample.py takes it too, unless it is told otherwise.
TEMPERATURE = 0.9
#: Lines shown in the terminal; the file and TensorBoard have all.
SHOWN_LINES = 6


class Preview:
    """Writes a sample when asked to show one; the loop is compiled the first time."""

    def __init__(
        self, model: SequenceModel, vocabulary: Vocabulary, start: str, length: int, seed: int, temperature: float
    ):
        self._generator = Generator(model, vocabulary)
        self._config = SamplingConfig(temperature)
        self._vocabulary, self._length, self._seed = vocabulary, length, seed
        self._start = vocabulary.encode(start)

    def show(self, step: int, folder: Path, board: TensorBoardWriter) -> str:
        """Write a text of the network as it is at this step to `folder` and to TensorBoard; return its first lines."""
        pieces = self._generator.generate(self._start, self._length, 1, self._seed, self._config)
        text = self._vocabulary.decode(np.concatenate(list(pieces))[:, 0])
        write_text(folder / f"step_{step:06d}.txt", text)
        # Indented by four, Markdown shows a text as it is.
        board.text("preview/text", textwrap.indent(text, "    ", lambda line: True), step)
        lines = [line for line in text.splitlines() if line.strip()][:SHOWN_LINES]
        return textwrap.indent("\n".join(lines), "    | ")
