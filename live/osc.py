"""The addresses by which other programs reach the room."""

from collections.abc import Callable, Sequence

from live.room import Room
from live.stage import Stage
from workshop.errors import UserError
from workshop.osc.server import Argument, Route
from workshop.run.voice import KNOBS, POSITIONS, PlayedNote

#: What each knob does: the answer to `/help`.
WORDS = {
    "mix": "crossfade network 1 (0) and the others (1)",
    "mix23": "crossfade network 2 (0) and network 3 (1)",
    "temperature": "of the draws: 0.5 is that of the network's previews, 0 half of it, 1 nearly twice of it",
    "volume": "of everything",
    "bend": "bend the temperature down (0) or up (1); 0.5 is the middle",
    "follow": "how often a network takes up what it hears: never (0), up to all the time (1)",
    "press": "adds to follow",
}


def routes(room: Room, player: Stage) -> dict[str, Route]:
    """The routes of a room. Knobs go from 0 to 1; without an argument they tell where they are."""

    def knob(name: str) -> Callable[..., Sequence[Argument] | None]:
        def turn(*value: float) -> Sequence[Argument] | None:
            if not value:
                return [getattr(room.knobs, name) / (POSITIONS - 1)]
            if not 0 <= value[0] <= 1:
                raise UserError(f"{value[0]:g} is not a number from 0 to 1")
            player.turn(name, value[0] * (POSITIONS - 1))
            return None

        return turn

    def note(pitch: int, velocity: int) -> None:
        if not (0 <= pitch < POSITIONS and 0 <= velocity < POSITIONS):
            raise UserError(f"{pitch} {velocity} is no key and loudness: both go from 0 to 127")
        player.add_note(PlayedNote(0, pitch, velocity))

    def state() -> Sequence[Argument]:
        counts = [part for slot in room.slots for part in (slot.name, slot.counts.late, 1000 * slot.counts.worst)]
        return [room.watch.level_in, room.watch.level_out, *counts]

    return {f"/live/{name}": Route((float,), knob(name), WORDS[name], least=0) for name in KNOBS} | {
        "/live/words": Route((str,), player.add_words, "type words; a line is answered by a network of texts"),
        "/live/note": Route((int, int), note, "press a key: its number and how hard; 0 lets it go"),
        "/live/swap": Route((int, str), player.swap, "put an experiment in the place of network 1, 2 or 3"),
        "/live/learn": Route((str,), player.learn, "bind a knob to the MIDI controller that is moved next"),
        "/live/state": Route(
            (), state, "levels in and out, and of each network its name, blocks that were late, and the slowest in ms"
        ),
    }
