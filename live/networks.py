"""The networks that a person names, as voices."""

from collections.abc import Sequence

from live.room import MOST
from workshop.errors import UserError
from workshop.run import trained
from workshop.run.voice import Mode, Voice


def opened(names: Sequence[str], mode: Mode, seed: int) -> list[tuple[str, Voice]]:
    """A voice for each experiment; one that is named twice is loaded twice, because a network belongs to one thread.

    Args:
        names: folders or names of experiments, of any lesson.
        mode: when they answer.
        seed: of their draws; each has draws of its own.

    Raises:
        UserError: there are too many, or one does not exist, is damaged, or cannot be played live.
    """
    if len(names) > MOST:
        raise UserError(f"{len(names)} experiments are named, and the live room has places for {MOST}: leave some out")
    return [(name, one(name, mode, seed + place, len(names) == 1)) for place, name in enumerate(names)]


def one(name: str, mode: Mode, seed: int, alone: bool) -> Voice:
    """The voice of an experiment.

    Raises:
        UserError: it does not exist, is damaged, or cannot be played live.
    """
    return trained.named(name).voice(mode, seed % (1 << 32), alone)


def common_rate(voices: Sequence[tuple[str, Voice]]) -> int:
    """The rate of a room in which none of the voices loses anything."""
    return max(voice.rate for _, voice in voices)
