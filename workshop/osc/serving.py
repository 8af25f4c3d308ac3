"""Networks behind a server: each is loaded, and its addresses are served."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workshop import cli
from workshop.errors import UserError
from workshop.osc import technogan
from workshop.osc.desk import Desk
from workshop.osc.generating import MAKES, Generating
from workshop.osc.kept import Kept
from workshop.osc.line import Line
from workshop.osc.loops import GanRoutes, LoopFiles, Loops
from workshop.osc.server import Answer, Argument, OscServer, Route, packed
from workshop.osc.technogan import LANGUAGES, Technogan
from workshop.run import trained

#: Symbols that are generated to compile a network's loop before the first request.
WARMING = 2


@dataclass(frozen=True)
class Served:
    """A network.

    Attributes:
        net: a `Trained` of any lesson, or anything that makes `Loops`.
        makes: `text`, `notes`, `sound` or `loops`.
        name: what a person calls it.
    """

    net: Any
    makes: str
    name: str = ""

    def warm_up(self) -> None:
        """Generate a little, so that the first request need not wait for what is compiled."""
        if self.makes == "loops":
            self.net.sounds(np.zeros((1, self.net.latent_size), np.float32))
        else:
            self.net.generate(length=WARMING)


def loaded(names: Sequence[str], open_onnx: Callable[[str], Loops]) -> list[Served]:
    """The networks that a person names, ready to generate.

    Args:
        names: of experiments, and of ONNX files.
        open_onnx: opens such a file.

    Raises:
        UserError: one is missing or damaged, or two make the same.
    """
    found: dict[str, Served] = {}
    for name in names:
        one = _open(name, open_onnx)
        if one.makes in found:
            raise UserError(
                f"{found[one.makes].name} and {one.name} both make {one.makes}: name one of them, and start another "
                "server with another --port for the other"
            )
        found[one.makes] = one
    for one in found.values():
        one.warm_up()
        cli.say(f"{one.makes}: {one.name}")
    return list(found.values())


def _open(name: str, open_onnx: Callable[[str], Loops]) -> Served:
    if name.lower().endswith(".onnx"):
        return Served(open_onnx(name), "loops", name)
    net = trained.named(name)
    return Served(net, "loops" if isinstance(net, Loops) else MAKES[net.lesson.kind], str(net))


def serve(served: Sequence[Served], kept: Kept, deliver: Callable[[bytes], None], host: str, port: int) -> OscServer:
    """A server of these networks, which has begun.

    Raises:
        UserError: the port is in use, or python-osc is not installed.
    """

    def send(answer: Answer) -> None:
        deliver(packed(*answer))

    desk = Desk(Line(send), kept)
    routes = {"/alive": Route((), lambda: _alive(served), "answer with what can be asked for"), **desk.routes()}
    old_clients: list[Technogan] = []
    for one in served:
        if one.makes == "loops":
            files = LoopFiles(one.net, kept)
            routes |= GanRoutes(files, desk).routes()
            old_clients = [Technogan(language, files, desk.line, send) for language in LANGUAGES]
        else:
            routes |= Generating(one.net, one.makes, desk).routes()
    for clients in old_clients:
        routes |= clients.routes()
    server = OscServer(routes, port, host, deliver, technogan.mistakes)
    for clients in old_clients:
        clients.init()
    return server


def _alive(served: Sequence[Served]) -> Sequence[Argument]:
    return [one.makes for one in served]
