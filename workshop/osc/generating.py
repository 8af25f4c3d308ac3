"""The addresses by which a network of texts, notes or sound is asked to generate: one for each of the three."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workshop.errors import UserError
from workshop.osc.desk import Desk
from workshop.osc.server import Argument, Id, Route
from workshop.run.seeds import new_seed

if TYPE_CHECKING:
    from workshop.run.trained import Trained

#: What a lesson generates, by the kind of its training files.
MAKES = {"text": "text", "MIDI": "notes", "audio": "sound"}
#: The largest text, notes or sound: characters, symbols, seconds.
LONGEST = {"text": 20_000, "notes": 4_000, "sound": 60.0}
#: Bytes of a text in an answer. Not every client, nor every way there, takes long messages.
LONGEST_TOLD = 1000
#: Seeds that OSC's whole numbers can hold.
SEEDS = 1 << 31

_SUFFIXES = {"text": ".txt", "notes": ".mid", "sound": ".wav"}
_WORDS = {
    "text": "write a text: id, characters, temperature, seed, text to go on from",
    "notes": "play notes: id, symbols, temperature, seed, MIDI file to go on from",
    "sound": "make sound: id, seconds, temperature, seed, sound file to go on from, condition",
}


def address_of(makes: str) -> str:
    """Where a network is asked that makes this."""
    return f"/{makes}/generate"


def known_seed(seed: int) -> int:
    """The seed, or a new one for a number below 0; one that OSC's whole numbers can hold."""
    return new_seed() % SEEDS if seed < 0 else seed


@dataclass(frozen=True)
class Generating:
    """Lets one network generate.

    Attributes:
        net: the network.
        makes: `text`, `notes` or `sound`.
        desk: takes the requests.
    """

    net: "Trained"
    makes: str
    desk: Desk

    def routes(self) -> dict[str, Route]:
        """Its address."""
        kinds: tuple[type, ...] = (Id, int, float, int, str)
        if self.makes == "sound":
            kinds = (Id, float, float, int, str, str)
        return {address_of(self.makes): Route(kinds, self._ask, _WORDS[self.makes], least=1)}

    def _ask(
        self, id: Argument, length: float = 0, temperature: float = 0, seed: int = -1, prompt: str = "",
        condition: str = "",
    ) -> None:  # fmt: skip
        """Take a request; 0, a seed below 0, and empty texts stand for what is usual.

        Raises:
            UserError: a number is out of range, the prompt is not to be read, or too many requests wait.
        """
        if not 0 <= length <= LONGEST[self.makes]:
            raise UserError(f"{length:g} is not from 0 to {LONGEST[self.makes]:,g}: that is as much as is made at once")
        given: dict[str, Any] = {"seed": known_seed(seed)}
        if length:
            given["seconds" if self.makes == "sound" else "length"] = length
        if temperature:
            given["temperature"] = temperature
        if prompt:
            given["prompt"] = prompt if self.makes == "text" else self.desk.kept.readable(prompt)
        if condition:
            given["condition"] = condition
        self.desk.ask(address_of(self.makes), id, lambda: self._generate(given))

    def _generate(self, given: dict[str, Any]) -> Sequence[Argument]:
        made = self.net.generate(**given)
        save: Callable[..., object] = made.save
        (file,) = self.desk.kept.keep(self.makes, {_SUFFIXES[self.makes]: save})
        told: list[Argument] = [self.desk.kept.places.outward(file), given["seed"]]
        return [*told, _beginning(made)] if self.makes == "text" else told


def _beginning(text: str) -> str:
    """As much of a text as an answer holds."""
    return text.encode("utf-8", "replace")[:LONGEST_TOLD].decode("utf-8", "ignore")
