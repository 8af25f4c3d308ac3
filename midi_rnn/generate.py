"""Playing with a trained network, event by event; the loop is that of `workshop/networks/generation.py`.

Invalid sequences cannot be generated: a hold without a note, a note off without its note on, the end of a piece while
notes sound, a key that is held longer than any in the data.
"""

if __name__ == "__main__":
    from workshop.misplaced import refuse_generate

    refuse_generate()

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
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
from midi_rnn.limits import Limits
from workshop.networks.generation import GenerationLoop, LogitsProcessor
from workshop.networks.sampling import NEVER
from workshop.networks.sequence import SequenceModel

#: A new piece begins on a bar of so many beats, and at least so many beats after the one before.
BAR_BEATS = 4.0
PAUSE_BEATS = 1.0
#: Stands for how long a key has been held that is up.
UP = -1.0


class Generator(GenerationLoop):
    """Plays any number of pieces side by side.

    Args:
        model: the trained network.
        encoding: what its symbols mean.
        allowed_symbols: those of the training data; others, which a young network tries too, are never generated. None
            allows all.
        limits: what the training data does not go beyond, from `midi_rnn.limits`; None allows all.
    """

    def __init__(
        self, model: SequenceModel, encoding: Encoding, allowed_symbols: Sequence[int] | None = None,
        limits: Limits | None = None,
    ):  # fmt: skip
        allowed = np.full(encoding.vocab_size, 0 if allowed_symbols is None else NEVER, np.float32)
        allowed[list(allowed_symbols or [])] = 0
        given = msgspec.structs.asdict(limits) if limits else {}
        super().__init__(model, encoding.vocab_size, RULES[encoding.name](allowed, **given))


class _MelodyRules:
    """Only a note can be held; what is remembered is the last symbol.

    Args:
        allowed: [V] 0 for symbols that can be generated at all, else `NEVER`.
    """

    def __init__(self, allowed: np.ndarray):
        self._allowed = allowed

    def init(self, batch_size: int) -> Any:
        return ops.zeros(batch_size, dtype="int32")

    def update(self, memory: Any, ids: Any) -> Any:
        return ids

    def mask(self, logits: Any, memory: Any) -> Any:
        plays = ops.cast((memory == HOLD) | (memory >= FIRST_PITCH), "float32")[:, None]
        is_hold = (np.arange(logits.shape[-1]) == HOLD).astype(np.float32)
        return logits + self._allowed + NEVER * is_hold * (1 - plays)


class _PerformanceRules:
    """A key goes down when it is up and up when it is down, a piece ends when all are up, and a wait is as long as it
    can be before another one follows. No key is held longer than `longest_note`: time goes on only as far as the key
    that has been held longest can still be, and where that is not far enough for any wait, nothing comes but its
    release.

    What is remembered is for how long each key has been held [B, 128], and the last symbol. Something is always
    allowed: the release of a key that is down, or the end of a piece.

    Args:
        allowed: [V] 0 for symbols that can be generated at all, else `NEVER`; releases always can.
        longest_note: units of time that a key can be held.
        voices: keys that can be down at once.
    """

    def __init__(self, allowed: np.ndarray, longest_note: float = math.inf, voices: int = PITCHES):
        waits = np.flatnonzero(allowed[WAIT:VELOCITY] == 0) + 1
        self._allowed = allowed.copy()
        # A key that the training data never lets go, or that only the prompt presses, would never be released.
        self._allowed[NOTE_OFF:WAIT] = 0
        self._longest_note, self._voices = longest_note, voices
        self._shortest_wait = int(waits.min(initial=LONGEST_WAIT))

    def init(self, batch_size: int) -> Any:
        return ops.full((batch_size, PITCHES), UP), ops.zeros(batch_size, dtype="int32")

    def update(self, memory: Any, ids: Any) -> Any:
        held, _ = memory
        number = ids[:, None]
        pressed, released = (number - first == np.arange(PITCHES) for first in (NOTE_ON, NOTE_OFF))
        waited = ops.where((number >= WAIT) & (number < VELOCITY), number - WAIT + 1, 0)
        held = ops.where(held == UP, UP, held + ops.cast(waited, "float32"))
        held = ops.where(released | (number == END), UP, held)  # the end of a piece lifts all keys
        return ops.where(pressed, 0.0, held), ids

    def mask(self, logits: Any, memory: Any) -> Any:
        held, last = memory
        down = held != UP
        any_down = ops.any(down, axis=-1, keepdims=True)
        left = ops.where(any_down, self._longest_note - ops.max(held, axis=-1, keepdims=True), math.inf)
        overdue = down & (held > self._longest_note - self._shortest_wait)
        any_overdue = ops.any(overdue, axis=-1, keepdims=True)
        full = ops.sum(ops.cast(down, "int32"), axis=-1, keepdims=True) >= self._voices
        waited = ((last >= WAIT) & (last < WAIT + LONGEST_WAIT - 1))[:, None]
        too_long = left < np.arange(1, LONGEST_WAIT + 1, dtype=np.float32)
        forbidden = [
            any_down,
            down | full | any_overdue,
            ~down | (any_overdue & ~overdue),
            waited | too_long,  # an overdue key leaves time for none
            ops.repeat(any_overdue, logits.shape[-1] - VELOCITY, axis=-1),
        ]
        return logits + self._allowed + NEVER * ops.cast(ops.concatenate(forbidden, axis=-1), "float32")


RULES: dict[str, Callable[..., LogitsProcessor]] = {"melody": _MelodyRules, "performance": _PerformanceRules}


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
