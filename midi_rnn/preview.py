"""What the network would play so far, while it trains."""

from pathlib import Path

import numpy as np

from midi_rnn.encoding import Encoding
from midi_rnn.generate import Generator, notes_of
from midi_rnn.info import MusicInfo
from midi_rnn.rendering import write_files
from midi_rnn.summary import summarise, table
from workshop.audio.synthesis import RATE
from workshop.networks.sampling import SamplingConfig
from workshop.networks.sequence import SequenceModel
from workshop.notes.midifiles import pitch_name
from workshop.pictures import clear_away
from workshop.run.board import TensorBoardWriter

#: Chosen by benchmarks/temperatures.py; sample.py takes it too, unless it is told otherwise.
TEMPERATURE = 1.0
#: General MIDI's number of the instrument that plays.
PIANO = 0
#: Notes named in the terminal.
SHOWN_NOTES = 24


class Preview:
    """Plays a sample when asked to show one; the loop is compiled the first time.

    Args:
        model: the network.
        encoding: what its symbols mean.
        facts: of the data, as run.json has them.
        length: symbols to generate.
        seed: the same for all previews, so that they can be compared.
        temperature: the same for all previews.
    """

    def __init__(
        self,
        model: SequenceModel,
        encoding: Encoding,
        facts: MusicInfo,
        length: int,
        seed: int,
        temperature: float,
    ):
        self._generator = Generator(model, encoding, facts.allowed_symbols, facts.limits)
        self._config = SamplingConfig(temperature)
        self._encoding, self._facts, self._length, self._seed = encoding, facts, length, seed

    def show(self, step: int, folder: Path, board: TensorBoardWriter) -> str:
        """Write a piece of the network as it is at this step to `folder` and to TensorBoard; return its first notes."""
        start = np.array(self._facts.warm_up, np.int32)
        pieces = self._generator.generate(start, self._length, 1, self._seed, self._config)
        symbols = np.concatenate(list(pieces))[:, 0]
        notes = notes_of(self._encoding, symbols)
        _, samples, picture = write_files(
            folder / f"step_{step:06d}", notes, self._facts.tempo, program=PIANO, title=f"step {step:,}"
        )
        assert samples is not None
        assert picture is not None
        # Different names: of one name TensorBoard shows only the first entry.
        board.sound("preview/piano", samples, RATE, step)
        board.picture("preview/piano roll", picture, step)
        clear_away()
        numbers = table({"data": self._facts.summary, "preview": summarise([notes])})
        board.text("preview/notes in numbers", numbers, step)
        names = " ".join(pitch_name(int(pitch)) for pitch in notes[:SHOWN_NOTES, 2]) or "silence"
        return f"    | {names}{' ...' if len(notes) > SHOWN_NOTES else ''}"
