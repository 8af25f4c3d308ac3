"""Playing with a trained network, event by event; the loop is that of `workshop/generation.py`.

What makes no sense cannot be generated: a hold without a note, a note off without its note on, the end of a piece while
notes sound.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from midi_rnn.encoding import (
    END,
    FIRST_PITCH,
    HOLD,
    LONGEST_WAIT,
    NOTE_OFF,
    NOTE_ON,
    PITCHES,
    VELOCITY,
    WAIT,
    Encoding,
)  # fmt: skip
from midi_rnn.model import MidiRNN
from workshop.generation import Loop, Rules
from workshop.sampling import NEVER, Choice

#: A new piece begins on a bar of so many beats, and at least so many beats after the one before.
BAR_BEATS = 4.0
PAUSE_BEATS = 1.0


class Generator(Loop):
    """Plays any number of pieces side by side.

    Args:
        model: the trained network.
        encoding: what its symbols mean.
        choice: how the next event is chosen.
        seen: the symbols that the training data has; others, which a young network tries too, are never generated.
            None allows all.
    """

    def __init__(self, model: MidiRNN, encoding: Encoding, choice: Choice, seen: Sequence[int] | None = None):
        allowed = np.full(encoding.vocab_size, 0 if seen is None else NEVER, np.float32)
        allowed[list(seen or [])] = 0
        super().__init__(model, encoding.vocab_size, RULES[encoding.name](allowed), choice)


class _MelodyRules:
    """Only a note can be held; what is remembered is the last symbol.

    Args:
        allowed: [V] 0 for symbols that can be generated at all, else `NEVER`.
    """

    def __init__(self, allowed: np.ndarray):
        self._allowed = allowed

    def begin(self, batch_size: int) -> Any:
        return ops.zeros(batch_size, dtype="int32")

    def follow(self, memory: Any, ids: Any) -> Any:
        return ids

    def restrict(self, logits: Any, memory: Any) -> Any:
        plays = ops.cast((memory == HOLD) | (memory >= FIRST_PITCH), "float32")[:, None]
        is_hold = (np.arange(logits.shape[-1]) == HOLD).astype(np.float32)
        return logits + self._allowed + NEVER * is_hold * (1 - plays)


class _PerformanceRules:
    """A key goes down when it is up and up when it is down, a piece ends when all are up, and a wait is as long as it
    can be before another one follows. What is remembered is which keys are down [B, 128], and the last symbol.

    Args:
        allowed: [V] 0 for symbols that can be generated at all, else `NEVER`.
    """

    def __init__(self, allowed: np.ndarray):
        self._allowed = allowed

    def begin(self, batch_size: int) -> Any:
        return ops.zeros((batch_size, PITCHES)), ops.zeros(batch_size, dtype="int32")

    def follow(self, memory: Any, ids: Any) -> Any:
        down, _ = memory
        # Outside of its range a one-hot row is all zeros.
        pressed, released = (ops.one_hot(ids - first, PITCHES) for first in (NOTE_ON, NOTE_OFF))
        goes_on = ops.cast(ids != END, "float32")[:, None]  # the end of a piece lifts all keys
        return ops.clip(down + pressed - released, 0, 1) * goes_on, ids

    def restrict(self, logits: Any, memory: Any) -> Any:
        down, last = memory
        any_down = ops.max(down, axis=-1, keepdims=True)
        waited = ops.cast((last >= WAIT) & (last < WAIT + LONGEST_WAIT - 1), "float32")[:, None]
        free = ops.zeros((logits.shape[0], logits.shape[-1] - VELOCITY))
        forbidden = [any_down, down, 1 - down, ops.repeat(waited, LONGEST_WAIT, axis=-1), free]
        return logits + self._allowed + NEVER * ops.concatenate(forbidden, axis=-1)


RULES: dict[str, Callable[[np.ndarray], Rules]] = {"melody": _MelodyRules, "performance": _PerformanceRules}


def notes_of(encoding: Encoding, symbols: np.ndarray) -> np.ndarray:
    """Notes [N, 4] of generated symbols [T]; of several pieces in them, each begins on a bar after the one before."""
    ends = np.flatnonzero(symbols == END)
    played: list[np.ndarray] = []
    start = 0.0
    for piece in np.split(symbols, ends):
        notes = encoding.decode(piece[piece != END])
        if len(notes):
            notes[:, :2] += start
            played.append(notes)
            start = BAR_BEATS * np.ceil((notes[:, 1].max() + PAUSE_BEATS) / BAR_BEATS)
    return np.concatenate(played) if played else np.empty((0, 4))


def first_piece(symbols: np.ndarray) -> np.ndarray:
    """Symbols [T] up to where the network ends the piece, or all of them."""
    ends = np.flatnonzero(symbols == END)
    return symbols[: ends[0]] if len(ends) else symbols
