"""The server of the page (`./start.sh play`), as another program of the same person reaches it: by the page's token."""

import http.client
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from workshop.commands import start_sh
from workshop.errors import UserError
from workshop.host import services
from workshop.host.ports import PLAY, Server, wanted_server
from workshop.visible import visible_line

#: Where the server takes what is to be told to open pages, and the header that holds the token.
PATH, TOKEN = "/loops/tell", "X-Workshop-Token"
#: Seconds that its answer may take; it gives a page less.
_PATIENCE = 5
#: Bytes of the longest answer, and characters of the longest sentence.
_LONGEST, _LONGEST_SENTENCE = 1 << 16, 300


def where_it_runs() -> Server:
    """Where the server of this clone runs, or would run.

    Raises:
        UserError: the environment names something that is not a port.
    """
    running = services.remembered(PLAY)
    return Server(PLAY, running.host, running.port) if running else wanted_server(PLAY)


@dataclass
class OpenPages:
    """Tells the open pages of loops what to do.

    Attributes:
        token: of the page.
        find: tells where its server is.
    """

    token: str
    find: Callable[[], Server] = where_it_runs
    _server: Server | None = field(default=None, init=False)

    def tell(self, what: str, slot: int, values: Sequence[float]) -> list[Any]:
        """Let the pages do something.

        Args:
            what: the name of a command.
            slot: from 1, or 0 for all of them.
            values: its arguments.

        Returns:
            What then holds, as the first page says.

        Raises:
            UserError: they cannot, no page is open, or its server does not answer.
        """
        status, answer = self._answer(json.dumps({"what": what, "slot": slot, "values": list(values)}))
        if status != HTTPStatus.OK:
            raise UserError(visible_line(answer.decode("utf-8", "replace").strip())[:_LONGEST_SENTENCE])
        told: list[Any] = json.loads(answer)["values"]
        return told

    def _answer(self, body: str) -> tuple[int, bytes]:
        self._server = self._server or self.find()
        connection = http.client.HTTPConnection(self._server.reach_host, self._server.port, timeout=_PATIENCE)
        # The page's own origin: what other pages in the browser send is refused.
        headers = {TOKEN: self.token, "Origin": self._server.url.replace("localhost", "127.0.0.1")}
        try:
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_LONGEST)
        except (OSError, http.client.HTTPException) as error:
            self._server = None  # it may have begun somewhere else since
            raise UserError(
                f"the page's server does not answer: type {start_sh('play')} in another terminal"
            ) from error
        finally:
            connection.close()
