"""Networks behind a server: the addresses of each are served."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from workshop.osc import technogan
from workshop.osc.desk import Desk
from workshop.osc.generating import Generating
from workshop.osc.kept import Kept
from workshop.osc.line import Line
from workshop.osc.loops import GanRoutes, LoopFiles
from workshop.osc.server import Answer, Argument, OscServer, Route, packed
from workshop.osc.technogan import LANGUAGES, Technogan

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


def serve(
    served: Sequence[Served], kept: Kept, deliver: Callable[[bytes], None], host: str, port: int,
    more: Mapping[str, Route] = MappingProxyType({}),
) -> OscServer:  # fmt: skip
    """A server of these networks, which has begun.

    Args:
        served: the networks.
        kept: takes the files.
        deliver: where all answers go.
        host: the address to listen on.
        port: of UDP; 0 takes a free one.
        more: further addresses.

    Raises:
        UserError: the port is in use, or python-osc is not installed.
    """

    def send(answer: Answer) -> None:
        deliver(packed(*answer))

    desk = Desk(Line(send), kept)
    routes = {"/alive": Route((), lambda: _alive(served), "answer with what can be asked for")}
    routes |= {**desk.routes(), **more}
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
