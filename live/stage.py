"""A room that is played: other threads turn knobs, press keys, type and change networks, all for the next block."""

import contextlib
import threading
from collections.abc import Callable
from typing import Self

import numpy as np

from live.clock import Clock, Unit, Waiting
from live.controls import Controls, Turn
from live.recording import Recorder
from live.room import Mixed, Room
from workshop import cli
from workshop.errors import UserError
from workshop.run.voice import Block, PlayedNote, Voice

#: Makes the voice of an experiment for a place, from 1.
Load = Callable[[str, int], Voice]


class Stage:
    """What devices, the page and other programs do something to.

    Args:
        room: the room.
        controls: what MIDI messages do.
        load: makes voices for networks that are put in the place of others.
        recorder: keeps what is played, if it is to be kept.
        say: is told what happens.
        wait: what changes of knobs and networks wait for, where a MIDI clock runs.
    """

    def __init__(
        self, room: Room, controls: Controls, load: Load, recorder: Recorder | None = None,
        say: Callable[[str], None] = cli.say, wait: Unit | None = None,
    ):  # fmt: skip
        self.room, self.controls = room, controls
        self._load, self._recorder, self._say = load, recorder, say
        self._clock = Clock()
        self._waiting = Waiting(self._clock, wait)
        self._inbox = threading.Lock()
        self._words: list[str] = []
        self._notes: list[PlayedNote] = []

    def exchange(self, samples: np.ndarray) -> Mixed:
        """Let the networks hear a block, with what has come since the last one, and return the next one to be heard."""
        self._waiting.look()
        with self._inbox:
            words, self._words = "".join(self._words), []
            notes, self._notes = tuple(self._notes), []
        heard = Block(np.asarray(samples, np.float32), words, notes)
        mixed = self.room.exchange(heard)
        if self._recorder:
            self._recorder.add(heard, mixed)
        return mixed

    def add_words(self, words: str) -> None:
        """Words for the next block."""
        with self._inbox:
            self._words.append(words)

    def add_note(self, note: PlayedNote) -> None:
        """A key for the next block."""
        with self._inbox:
            self._notes.append(note)

    def turn(self, knob: str, position: float) -> None:
        """Turn a knob to a position from 0 to 127, now or at the next beat or bar."""
        self._waiting.add(lambda: self.room.turn(knob, position))

    def midi(self, message: bytes) -> None:
        """Do what a MIDI message says."""
        if self._clock.read(message):
            return
        match self.controls.read(message):
            case Turn() as turn:
                self.turn(turn.knob, turn.position)
            case PlayedNote() as note:
                self.add_note(note)

    def learn(self, knob: str) -> None:
        """Bind a knob to the MIDI controller that is moved next.

        Raises:
            UserError: there is no such knob.
        """
        self.controls.learn(knob, self._say)
        self._say(f"move what is to turn {knob}")

    def swap(self, place: int, name: str) -> None:
        """Put an experiment in a network's place, from 1, as soon as it is loaded, which goes on beside the sound.

        Raises:
            UserError: there is no such place.
        """
        if not 1 <= place <= len(self.room.slots):
            raise UserError(f"there is no network {place}: there are {len(self.room.slots)}")
        slot = self.room.slots[place - 1]

        def work() -> None:
            try:
                voice = self._load(name, place)
                self._waiting.add(lambda: slot.swap(name, voice))
            except UserError as error:
                self._say(f"network {place} stays {slot.name}: {error}")
            else:
                self._say(f"network {place} becomes {name}")

        threading.Thread(target=work, name="swap", daemon=True).start()

    def close(self) -> None:
        """End the room, and finish the recording.

        Raises:
            UserError: the recording could not be kept.
        """
        self.room.close()
        if self._recorder:
            self._recorder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, *error: object) -> None:
        # What has gone wrong already is said first.
        with contextlib.suppress(UserError) if kind else contextlib.nullcontext():
            self.close()
