"""The slots of the page of loops, turned by other programs: the addresses under `/slots`, and `/slot/1` to `/slot/8`.

Faders and buttons of controllers send one number to an address, so a slot is a part of the address. How many numbers
there are, and from where to where they go, is looked at here; what depends on the page, such as whether a slot is
locked, the page says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.audio.slots import FARTHEST, FASTEST, MOST_SLOTS, MOST_STEPS, SLOWEST
from workshop.errors import UserError
from workshop.osc.generating import SEEDS
from workshop.osc.page import OpenPages
from workshop.osc.server import Argument, Route, fitting


@dataclass(frozen=True)
class Given:
    """A number that a command takes.

    Attributes:
        name: with its article.
        least: the smallest one.
        most: the largest one.
        kind: whether it is whole.
    """

    name: str
    least: float
    most: float
    kind: type = float

    def check(self, value: float) -> None:
        """See that it is in range.

        Raises:
            UserError: it is not.
        """
        if not self.least <= value <= self.most:
            raise UserError(f"{value:g} is not {self.name} from {self.least:g} to {self.most:g}")


@dataclass(frozen=True)
class Command:
    """What can be done.

    Attributes:
        words: what it does, for `/help`.
        takes: its numbers; None for as many latent values as there are.
        asks: whether it tells what holds where it is given nothing.
        is_button: whether it is pressed: nothing happens when the button is let go, which sends a 0.
    """

    words: str
    takes: tuple[Given, ...] | None = ()
    asks: bool = False
    is_button: bool = False


_SWITCH = Given("a switch", 0, 1, int)
_SLOT = Given("a slot", 1, MOST_SLOTS, int)
_BARS = Given("a number of bars", 2, MOST_STEPS, int)
_PLACE = Given("a place on the pad", -1, 1)
_LATENT = Given("a latent value", -FARTHEST, FARTHEST)
_PRESSED = Given("a button", 0, 1)


def _button(words: str) -> Command:
    return Command(words, (_PRESSED,), is_button=True)


#: What is done to all slots, and to one, by the last part of the address.
ALL = {
    "play": Command("play (1, or nothing), or stop (0)", (_SWITCH,), asks=True),
    "stop": _button("stop"),
    "tempo": Command("beats a minute", (Given("a tempo", SLOWEST, FASTEST),), asks=True),
    "turn": Command("hear the slots together (0), or one after the other (1)", (_SWITCH,), asks=True),
    "random": _button("new loops in all slots that are not locked"),
    "order": Command(f"the {MOST_SLOTS} slots in the order in which they are heard", (_SLOT,) * MOST_SLOTS, asks=True),
    "swap": Command("let two slots change their places in the order", (_SLOT, _SLOT)),
}
ONE = {
    "level": Command("how loud, from 0 to 1", (Given("a level", 0, 1),), asks=True),
    "mute": Command("silent (1) or heard (0)", (_SWITCH,), asks=True),
    "lock": Command("keep what is in it (1), or let it be changed (0)", (_SWITCH,), asks=True),
    "random": _button("a new loop"),
    "seed": Command("the loop of a seed", (Given("a seed", 0, SEEDS - 1, int),)),
    "point": Command("the loop of so many latent values", None, asks=True),
    "pad": Command("move the dot of the pad, from -1 to 1 across and up", (_PLACE, _PLACE), asks=True),
    "morph": Command("change a part of the loop, from 0 to 1", (Given("a morph", 0, 1),)),
    "fade": Command("go from bar to bar to a slot: its number, bars from 2 to 16", (_SLOT, _BARS)),
    "pingpong": Command("go to a slot and back: its number, bars from 2 to 16", (_SLOT, _BARS)),
    "stay": _button("go nowhere"),
    "empty": _button("empty it"),
}


def routes(page: OpenPages) -> dict[str, Route]:
    """The addresses of what the page can be told; of the slots, those of the first one are listed by `/help`."""
    found = {f"/slots/{name}": _route(page, name, 0, command) for name, command in ALL.items()}
    for slot in range(1, MOST_SLOTS + 1):
        found |= {f"/slot/{slot}/{name}": _route(page, name, slot, command) for name, command in ONE.items()}
    return found


def _route(page: OpenPages, name: str, slot: int, command: Command) -> Route:
    kinds = None if command.takes is None else tuple(given.kind for given in command.takes)
    least = 0 if command.asks or command.is_button else None
    return Route(kinds, _told(page, name, slot, command), command.words, least, is_listed=slot <= 1)


def _told(page: OpenPages, name: str, slot: int, command: Command) -> Callable[..., Sequence[Argument] | None]:
    def read(values: Sequence[Any]) -> list[tuple[Given, Argument]]:
        """Values as what the command takes."""
        takes = (_LATENT,) * len(values) if command.takes is None else command.takes
        return [(given, fitting(given.kind, value)) for given, value in zip(takes, values, strict=False)]

    def told(*values: float) -> Sequence[Argument] | None:
        if command.takes and 0 < len(values) < len(command.takes):
            raise UserError(f"it takes {len(command.takes)} arguments, and {len(values)} were sent")
        said = read(values)
        for given, value in said:
            given.check(float(value))
        if command.is_button and values and not values[0]:
            return None
        return [value for _, value in read(page.tell(name, slot, [float(value) for _, value in said]))]

    return told
