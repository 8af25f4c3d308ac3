"""Takes requests and answers them: what all addresses that generate something have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workshop.osc.kept import Kept
from workshop.osc.line import Line, Request
from workshop.osc.server import ERROR, Answer, Argument, Route

#: Where a request is told that a newer one has taken its place.
REPLACED = "/replaced"


@dataclass(frozen=True)
class Tidy:
    """The form of the workshop's own addresses: the answer comes back under the address, and begins with the request's
    id and the seconds that it took.
    """

    address: str
    id: Argument

    def done(self, seconds: float, what: Sequence[Argument]) -> list[Answer]:
        """The id, the seconds, and what there is to tell."""
        return [(self.address, [self.id, seconds, *what])]

    def failed(self, seconds: float, sentence: str) -> list[Answer]:
        """Why not, and the request's id and seconds."""
        return [(ERROR, [f"{self.address}: {sentence}", self.id, seconds])]

    def replaced(self, seconds: float) -> list[Answer]:
        """Its id and seconds, and what had been asked for."""
        return [(REPLACED, [self.id, seconds, self.address])]


@dataclass(frozen=True)
class Desk:
    """Where requests come in: the line that they wait in, and the files that they become."""

    line: Line
    kept: Kept

    def ask(self, address: str, id: Argument, work: Callable[[], Sequence[Argument]]) -> None:
        """Take a request of the workshop's own addresses; its slot is its id, among those of the same network.

        Raises:
            UserError: too many wait.
        """
        self.line.add(Request(Tidy(address, id), work, (address.split("/")[1], id)))

    def routes(self) -> dict[str, Route]:
        """The address of the folder that files go to."""
        return {"/folder": Route((str,), self._folder, "where files go; with a folder, change it", least=0)}

    def _folder(self, *text: str) -> Sequence[Argument]:
        folder = self.kept.change_folder(text[0]) if text else self.kept.folder
        return [self.kept.places.outward(folder)]
