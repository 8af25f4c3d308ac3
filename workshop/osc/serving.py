"""Networks behind a server: each is loaded, and its addresses are served."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workshop import cli
from workshop.errors import UserError
from workshop.osc.desk import Desk
from workshop.osc.generating import MAKES, Generating
from workshop.osc.kept import Kept
from workshop.osc.line import Line
from workshop.osc.server import Answer, Argument, OscServer, Route, packed
from workshop.run import trained
from workshop.run.trained import Trained

#: Symbols that are generated to compile a network's loop before the first request.
WARMING = 2


@dataclass(frozen=True)
class Served:
    """A network and what it makes: `text`, `notes` or `sound`."""

    net: Trained
    makes: str


def loaded(names: Sequence[str]) -> list[Served]:
    """The networks that a person names, ready to generate.

    Raises:
        UserError: one is missing or damaged, or two make the same.
    """
    found: dict[str, Served] = {}
    for name in names:
        net = trained.named(name)
        makes = MAKES[net.lesson.kind]
        if makes in found:
            raise UserError(
                f"{found[makes].net.experiment.path} and {net.experiment.path} both make {makes}: name one of them, "
                "and start another server with another --port for the other"
            )
        found[makes] = Served(net, makes)
    for served in found.values():
        served.net.generate(length=WARMING)
        cli.say(f"/{served.makes}: {served.net}")
    return list(found.values())


def serve(served: Sequence[Served], kept: Kept, deliver: Callable[[bytes], None], host: str, port: int) -> OscServer:
    """A server of these networks, which has begun.

    Raises:
        UserError: the port is in use, or python-osc is not installed.
    """

    def send(answer: Answer) -> None:
        deliver(packed(*answer))

    desk = Desk(Line(send), kept)
    routes = {"/alive": Route((), lambda: _alive(served), "answer with what can be asked for"), **desk.routes()}
    for one in served:
        routes |= Generating(one.net, one.makes, desk).routes()
    return OscServer(routes, port, host, deliver)


def _alive(served: Sequence[Served]) -> Sequence[Argument]:
    return [one.makes for one in served]
