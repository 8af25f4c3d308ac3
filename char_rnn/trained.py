"""A trained network of lesson 1, ready to write."""

import functools
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from char_rnn import dataset
from char_rnn.dataset import TextInfo
from char_rnn.lesson import LESSON
from char_rnn.vocab import Vocabulary
from workshop import cli
from workshop.quiet import quietly
from workshop.run import trained
from workshop.run.stream import Stream
from workshop.run.trained import checked
from workshop.run.voice import Knobs, Mode, Voice
from workshop.text.generated import GeneratedText

if TYPE_CHECKING:
    from char_rnn.generate import Generator
    from workshop.networks.likelihoods import Likelihoods

#: Characters that one would not see.
SHOWN_AS = {" ": "␣", "\n": "↵", "\t": "⇥"}


class Trained(trained.Trained):
    """The network of an experiment, its characters (`vocabulary`), and what run.json says of the data (`data_info`)."""

    lesson, symbol = LESSON, "character"

    def read(self) -> None:
        """Read the vocabulary and the description of the data."""
        self.data_info = self.experiment.data(TextInfo)
        self.vocabulary = Vocabulary.load(self.experiment.path / "vocab.json")

    @property
    def symbols(self) -> str:
        """The characters of the vocabulary."""
        return self.vocabulary.symbols

    def training_data(
        self, path: Path, arguments: Mapping[str, Any], symbols: Sequence[Hashable]
    ) -> tuple[np.ndarray, str]:
        """The whole text, in the numbers of other characters."""
        vocabulary = Vocabulary("".join(map(str, symbols[1:])))
        text = dataset.load(path, encoding=arguments["encoding"], vocabulary=vocabulary)
        return text.ids, text.facts.fingerprint

    def build(self) -> Any:
        """The network that run.json describes."""
        from char_rnn.model import build

        return build(self.experiment.record.network, len(self.vocabulary), self.experiment.most_weights)

    def exported(self) -> Any:
        """One step of the network, for `python -m workshop.export`."""
        from workshop.export import recurrent

        meaning = {
            "kind": "text",
            "symbols": list(self.symbols),
            "normal_form": self.data_info.normal_form,
            "never": [0],
            "warm_up": self.start("").tolist(),
        }
        return recurrent.step(self.model, meaning)

    def voice(self, mode: Mode, seed: int, alone: bool = True) -> Voice:
        """The network as one that answers lines that are typed."""
        from char_rnn.voice import TextVoice

        def write(text: str, length: int, heat: float, seed: int) -> str:
            return self.generate(text, length, self.temperature * heat, seed=seed)[len(self.spelled(text)) :]

        # One that is thrown away, so that the network is there, and its damage is known, before anybody waits for it.
        TextVoice(write, mode, seed).own(Knobs())()
        return TextVoice(write, mode, seed)

    def spelled(self, prompt: str) -> str:
        """A prompt in the normal form of Unicode that the training text has."""
        return self.vocabulary.spelled(prompt, self.data_info.normal_form)

    def start(self, prompt: str) -> np.ndarray:
        """The symbols [T] to go on from: a spelled prompt, and lines of the training text before it."""
        return self.vocabulary.encode((self.data_info.warm_up or self.vocabulary.symbols[1]) + prompt)

    @functools.cached_property
    def _generator(self) -> "Generator":
        return self.generator()

    def generator(self, sample: int = 1) -> "Generator":
        """What writes with this network; `sample` as in `sample.py`."""
        with quietly():
            from char_rnn.generate import Generator

        return Generator(self.model, self.vocabulary, sample)

    def generate(
        self, prompt: str = "", length: int = 500, temperature: float | None = None, top_k: int | None = None,
        top_p: float | None = None, seed: int | None = None,
    ) -> GeneratedText:  # fmt: skip
        """Write a text.

        Args:
            prompt: the text to go on from; the result begins with it.
            length: characters to generate.
            temperature: softmax temperature; without it, that of the previews.
            top_k: sample only from the k most likely characters.
            top_p: sample only from the most likely characters that together have this probability.
            seed: the same seed gives the same text; without it, a new one each time.

        Raises:
            UserError: an argument is out of range.
        """
        return self.stream(prompt, length, temperature, top_k, top_p, seed).whole()

    def stream(
        self, prompt: str = "", length: int = 500, temperature: float | None = None, top_k: int | None = None,
        top_p: float | None = None, seed: int | None = None,
    ) -> Stream[GeneratedText]:  # fmt: skip
        """What `generate` writes, piece by piece.

        Raises:
            UserError: an argument is out of range.
        """
        prompt, length = self.spelled(prompt), checked("length", length, cli.count)
        seed, config = self.drawing(seed, temperature, top_k, top_p)
        pieces = self._generator.generate(self.start(prompt), length, 1, seed, config)
        decode = self.vocabulary.decode

        def written(symbols: np.ndarray) -> GeneratedText:
            return GeneratedText(prompt + decode(symbols))

        return Stream(seed, length, (piece[:, 0] for piece in pieces), written, self.vocabulary.encode(prompt))

    def likelihoods(self, text: str | np.ndarray) -> "Likelihoods":
        """How likely each character was at each place of a text, or of its symbols [T], begun as `generate` begins."""
        with quietly():
            from workshop.networks.likelihoods import likelihoods

        symbols = self.vocabulary.encode(self.spelled(text)) if isinstance(text, str) else text
        names = [SHOWN_AS.get(symbol, symbol) for symbol in self.symbols]
        return likelihoods(self.model, self.start(""), symbols, names)
