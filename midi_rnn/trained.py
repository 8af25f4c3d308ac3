"""A trained network of lesson 2, ready to play."""

import functools
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from midi_rnn import dataset
from midi_rnn.encoding import ENCODINGS
from midi_rnn.info import MusicInfo
from midi_rnn.lesson import LESSON
from midi_rnn.rendering import GeneratedNotes
from workshop import cli
from workshop.notes import tempos
from workshop.notes.instruments import instrument
from workshop.quiet import quietly
from workshop.run import trained
from workshop.run.batches import join
from workshop.run.stream import Stream
from workshop.run.trained import checked
from workshop.run.voice import Knobs, Mode, Voice

if TYPE_CHECKING:
    from midi_rnn.generate import Generator
    from workshop.networks.likelihoods import Likelihoods


class Trained(trained.Trained):
    """The network of an experiment, the `encoding` of its symbols, and what run.json says of the data (`data_info`)."""

    lesson = LESSON

    def read(self) -> None:
        """Read the description of the data and the encoding it names."""
        self.data_info = self.experiment.data(MusicInfo)
        self.encoding = ENCODINGS[self.data_info.encoding]

    @property
    def symbols(self) -> range:
        """The numbers of all symbols of the encoding."""
        return range(self.encoding.vocab_size)

    def training_data(
        self, path: Path, arguments: Mapping[str, Any], symbols: Sequence[Hashable]
    ) -> tuple[np.ndarray, str]:
        """All pieces, one after the other."""
        music = dataset.load(path, encoding=self.encoding.name, track=arguments["track"])
        return join([*music.train, *music.held_out], dataset.END), music.facts.fingerprint

    def build(self) -> Any:
        """The network that run.json describes."""
        from midi_rnn.model import build

        return build(self.experiment.record.network, self.encoding.vocab_size, self.experiment.most_weights)

    def exported(self) -> Any:
        """One step of the network, for `python -m workshop.export`."""
        from midi_rnn.export import meaning
        from workshop.export import recurrent

        return recurrent.step(self.model, meaning(self.encoding, self.data_info))

    def voice(self, mode: Mode, seed: int, alone: bool = True) -> Voice:
        """The network as one that answers what is played."""
        from midi_rnn.voice import NotesVoice

        with quietly():
            from midi_rnn.generate import notes_of

        def play(symbols: np.ndarray, length: int, heat: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
            played = self.generator.generate(
                self.start(symbols), length, 1, seed, self.sampling(self.temperature * heat)
            )
            answer = np.concatenate(list(played))[:, 0]
            return answer, notes_of(self.encoding, answer)

        def new() -> NotesVoice:
            return NotesVoice(play, self.encoding, self.data_info.tempo, mode, seed)

        # One that is thrown away, so that the network is there, and its damage is known, before anybody waits for it.
        new().own(Knobs())()
        return new()

    def prompt(self, path: str | Path | None) -> np.ndarray:
        """The symbols [T] of a MIDI file to go on from; none without one.

        Raises:
            UserError: the file cannot be read, or holds no notes.
        """
        if path is None:
            return np.empty(0, np.int32)
        return dataset.read_prime(Path(path), self.encoding, self.data_info.track)

    def start(self, prompt: np.ndarray) -> np.ndarray:
        """The symbols [T] to go on from: the end of a piece of the training data, and a prompt."""
        return np.concatenate([self.data_info.warm_up, prompt]).astype(np.int32)

    @functools.cached_property
    def generator(self) -> "Generator":
        """What plays with this network."""
        with quietly():
            from midi_rnn.generate import Generator

        return Generator(self.model, self.encoding, self.data_info.allowed_symbols, self.data_info.limits)

    def generate(
        self, prompt: str | Path | np.ndarray | None = None, length: int = 1000, temperature: float | None = None,
        top_k: int | None = None, top_p: float | None = None, seed: int | None = None,
        midi_instrument: str | int = 0, tempo: float | None = None,
    ) -> GeneratedNotes:  # fmt: skip
        """Play notes.

        Args:
            prompt: the MIDI file to go on from, or its first symbols from `self.prompt(path)[:T]`; the result begins
                with it.
            length: symbols to generate: sixteenths of a melody, events of a performance.
            temperature: softmax temperature; without it, that of the previews.
            top_k: sample only from the k most likely symbols.
            top_p: sample only from the most likely symbols that together have this probability.
            seed: the same seed gives the same notes; without it, a new one each time.
            midi_instrument: General MIDI name or number of what plays them.
            tempo: beats a minute; without it, that of the data.

        Raises:
            UserError: an argument is out of range, or the MIDI file cannot be used.
        """
        return self.stream(prompt, length, temperature, top_k, top_p, seed, midi_instrument, tempo).whole()

    def stream(
        self, prompt: str | Path | np.ndarray | None = None, length: int = 1000, temperature: float | None = None,
        top_k: int | None = None, top_p: float | None = None, seed: int | None = None,
        midi_instrument: str | int = 0, tempo: float | None = None,
    ) -> Stream[GeneratedNotes]:  # fmt: skip
        """What `generate` plays, piece by piece.

        Raises:
            UserError: an argument is out of range, or the MIDI file cannot be used.
        """
        with quietly():
            from midi_rnn.generate import notes_of

        program, length = checked("midi_instrument", midi_instrument, instrument), checked("length", length, cli.count)
        speed = checked("tempo", tempo or self.data_info.tempo, tempos.tempo)
        begun = prompt if isinstance(prompt, np.ndarray) else self.prompt(prompt)
        seed, config = self.drawing(seed, temperature, top_k, top_p)

        def played(symbols: np.ndarray) -> GeneratedNotes:
            return GeneratedNotes(notes_of(self.encoding, np.concatenate([begun, symbols])), speed, program)

        pieces = self.generator.generate(self.start(begun), length, 1, seed, config)
        return Stream(seed, length, (piece[:, 0] for piece in pieces), played, begun)

    def likelihoods(self, music: str | Path | np.ndarray) -> "Likelihoods":
        """How likely each event was at each place of a MIDI file, or of symbols [T], begun as `generate` begins.

        Raises:
            UserError: the MIDI file cannot be used.
        """
        with quietly():
            from workshop.networks.likelihoods import likelihoods

        from midi_rnn.export import names

        symbols = music if isinstance(music, np.ndarray) else self.prompt(music)
        return likelihoods(self.model, self.start(symbols[:0]), symbols, names(self.encoding))
