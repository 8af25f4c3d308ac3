"""A network of lesson 2 in the live room: what is played is answered by notes and their sound."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from midi_rnn.encoding import Encoding
from midi_rnn.rendering import in_seconds
from midi_rnn.voices import highest
from workshop.audio.synthesis import RATE, render
from workshop.notes.midifiles import DEFAULT_TEMPO
from workshop.run.phrases import Phrase, PhraseVoice
from workshop.run.voice import Block, Knobs, Mode, PlayedNote

#: Seconds without a key down after which what was played is a phrase.
REST = 1.0
#: Symbols of an answer at least and at most, and of what is remembered.
SHORTEST_ANSWER, LONGEST_ANSWER, REMEMBERED = 16, 256, 512


class Player(Protocol):
    """What plays with a network."""

    def __call__(self, symbols: np.ndarray, length: int, heat: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The `length` symbols after symbols [T], at the network's temperature times `heat`, and the notes [N, 4] that
        they mean, in beats.
        """


class NotesVoice(PhraseVoice):
    """Answers phrases by phrases of about the same length, with those before them in mind.

    Args:
        play: with the network; by this voice alone.
        encoding: of its symbols.
        tempo: in beats a minute.
        mode: when it answers.
        seed: of the draws.
    """

    def __init__(self, play: Player, encoding: Encoding, tempo: float, mode: Mode, seed: int):
        super().__init__(RATE, mode)
        self._play, self._encoding, self._seed = play, encoding, seed
        self._tempo = DEFAULT_TEMPO if encoding.in_real_time else tempo
        self._symbols = np.empty(0, np.int32)
        self._clock = 0
        #: Of the keys that are down, by pitch: the sample at which each was pressed, and how hard.
        self._down: dict[int, tuple[int, int]] = {}
        self._call: list[tuple[float, float, int, int]] = []

    def hear(self, block: Block, knobs: Knobs) -> Callable[[], Phrase] | None:
        """Take what is played; a call is complete after a rest."""
        for note in block.notes:
            self._take(self._clock + note.at, note.pitch, note.velocity)
        self._clock += len(block.samples)
        if self._down or not self._call or self._clock / RATE - self._call[-1][1] < REST:
            return None
        played, self._call = np.array(self._call, float), []
        return lambda: self._phrase_after(self._encoded(played), knobs)

    def _take(self, now: int, pitch: int, velocity: int) -> None:
        """A key goes down, or up where the velocity is 0."""
        if pitch in self._down:
            pressed, loudness = self._down.pop(pitch)
            self._call.append((pressed / RATE, now / RATE, pitch, loudness))
        if velocity:
            self._down[pitch] = now, velocity

    def own(self, knobs: Knobs) -> Callable[[], Phrase]:
        """Play another phrase."""
        return lambda: self._phrase_after(np.empty(0, np.int32), knobs)

    def _encoded(self, played: np.ndarray) -> np.ndarray:
        """Symbols of notes [N, 4] in seconds."""
        notes = played[np.argsort(played[:, 0], kind="stable")]
        notes[:, :2] = (notes[:, :2] - notes[0, 0]) * self._tempo / 60
        notes = notes if self._encoding.in_real_time else highest(notes)
        return self._encoding.encode(notes).astype(np.int32)

    def _phrase_after(self, call: np.ndarray, knobs: Knobs) -> Phrase:
        """What the network plays after symbols."""
        self._symbols = np.append(self._symbols, call)[-REMEMBERED:]
        length = min(max(len(call) or LONGEST_ANSWER // 2, SHORTEST_ANSWER), LONGEST_ANSWER)
        symbols, notes = self._play(self._symbols, length, knobs.heat, self._seed)
        self._symbols = np.append(self._symbols, symbols)
        self._seed = (self._seed + 1) % (1 << 32)
        notes = in_seconds(notes, self._tempo)
        return Phrase(render(notes) if len(notes) else np.zeros(0, np.float32), notes=_keys(notes))


def _keys(notes: np.ndarray) -> tuple[PlayedNote, ...]:
    """Keys that go down and up, in order, for notes [N, 4] in seconds; at one moment they go up first."""
    keys = [
        PlayedNote(round(time * RATE), int(pitch), round(loudness))
        for start, end, pitch, velocity in notes
        for time, loudness in ((start, max(velocity, 1)), (end, 0))
    ]
    return tuple(sorted(keys, key=lambda key: (key.at, key.velocity > 0)))
