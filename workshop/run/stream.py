"""Something that a trained network generates, piece by piece."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

Result = TypeVar("Result")


@dataclass(frozen=True)
class Stream(Generic[Result]):
    """Symbols as they are generated, and what they mean.

    Attributes:
        seed: the one that gives the same again.
        length: symbols in all.
        pieces: arrays [n] of symbols, together `length` of them.
        result: the text, notes or sound of symbols [T]. Of a text and of notes these are all symbols so far, because
            the result begins with the prompt, and a note can go on in the next piece; of a sound any part of them.
        prompt: symbols [P] of the prompt that the result begins with; none where it does not.
    """

    seed: int
    length: int
    pieces: Iterator[np.ndarray]
    result: Callable[[np.ndarray], Result]
    prompt: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))

    def whole(self) -> Result:
        """Generate everything."""
        return self.result(np.concatenate(list(self.pieces)))
