"""What other programs say to the room."""

from collections.abc import Callable

import numpy as np
import pytest
from voices import BLOCK, Echo

from live.osc import WORDS, routes
from live.room import Room
from workshop.run.voice import KNOBS, Block, PlayedNote

pytest.importorskip("pythonosc")

from pythonosc.osc_message_builder import build_msg

from workshop.osc.server import ERROR, OscServer


class Player:
    """Notes down what it is told."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.told: list[object] = []

    def turn(self, knob: str, position: float) -> None:
        self.room.turn(knob, position)

    def add_words(self, words: str) -> None:
        self.told.append(words)

    def add_note(self, note: PlayedNote) -> None:
        self.told.append(note)

    def swap(self, place: int, name: str) -> None:
        self.told.append((place, name))

    def learn(self, knob: str) -> None:
        self.told.append(knob)


def test_every_knob_is_turned_and_told(room: Callable[..., Room]) -> None:
    assert set(WORDS) == set(KNOBS)
    made = room(Echo())
    with OscServer(routes(made, Player(made)), 0) as server:
        for knob in KNOBS:
            assert server.answers(build_msg(f"/live/{knob}", [1.0]).dgram) == []
            assert getattr(made.knobs, knob) == 127
            assert server.answers(build_msg(f"/live/{knob}", []).dgram) == [(f"/live/{knob}", [1.0])]
            assert server.answers(build_msg(f"/live/{knob}", [0.5]).dgram) == []
            assert getattr(made.knobs, knob) == 64
            ((address, (sentence,)),) = server.answers(build_msg(f"/live/{knob}", [1.5]).dgram)
            assert (address, "from 0 to 1" in sentence) == (ERROR, True)


def test_words_keys_and_networks(room: Callable[..., Room]) -> None:
    made = room(Echo())
    player = Player(made)
    with OscServer(routes(made, player), 0) as server:
        for address, *arguments in (
            ("words", "oh my\n"), ("note", 60, 90), ("swap", 2, "verse"), ("learn", "mix"),
        ):  # fmt: skip
            assert server.answers(build_msg(f"/live/{address}", arguments).dgram) == []
        assert player.told == ["oh my\n", PlayedNote(0, 60, 90), (2, "verse"), "mix"]
        ((address, (sentence,)),) = server.answers(build_msg("/live/note", [60, 200]).dgram)
        assert (address, "0 to 127" in sentence) == (ERROR, True)
        made.exchange(Block(np.full(BLOCK, 0.5, np.float32)))
        ((address, state),) = server.answers(build_msg("/live/state", []).dgram)
        assert state[0] == pytest.approx(0.5)
        assert state[2:4] == ["net1", 0]
