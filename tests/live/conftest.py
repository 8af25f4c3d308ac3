"""Rooms with voices that are known."""

from collections.abc import Callable, Iterator

import pytest
from voices import BLOCK, RATE, Stalled

from live.room import Room
from workshop.run.voice import Voice


@pytest.fixture
def room() -> Iterator[Callable[..., Room]]:
    """Make rooms that are closed afterwards; what they say is in their `said`."""
    made: list[Room] = []

    def make(*voices: Voice, prebuffer: int = 0, block: int = BLOCK, rate: int = RATE, patience: float = 0.0) -> Room:
        said: list[str] = []
        named = [(f"net{number}", voice) for number, voice in enumerate(voices, 1)]
        made.append(Room(named, rate, block, prebuffer, said.append, patience))
        made[-1].said = said
        return made[-1]

    yield make
    for one in made:
        for slot in one.slots:
            if isinstance(slot._voice, Stalled):
                slot._voice.goes_on.set()
        one.close()
