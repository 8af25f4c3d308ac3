"""The server of the page on which trained networks are played.

    python -m workshop.play

`./start.sh play` calls this, and the container does. It listens on loopback only, unless WORKSHOP_BIND or --host says
otherwise, and asks for the token that is in the address it prints.
"""

import asyncio
import logging
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NoReturn

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from workshop.host.ports import PLAY, Server, cannot_listen, class_path, refuse_in_class
from workshop.host.services import play_token
from workshop.web import following, handlers, likely, loops, recordings, trainings, uploads
from workshop.web.ending import until_stopped
from workshop.web.jobs import Line
from workshop.web.networks import Networks
from workshop.web.prompts import Prompts
from workshop.web.results import Results
from workshop.web.security import Guard
from workshop.web.sockets import Play
from workshop.web.training import Trainer

#: Bytes of a request, of which no page sends more.
LARGEST_REQUEST = 128 << 10

#: Files are made in these threads, besides those of `Line`.
FILES_AT_ONCE = 2


def _log(handler: RequestHandler) -> None:
    """Log what went wrong in the server alone, without the query, in which the token could be."""
    if handler.get_status() >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logging.error("%s %s: %d", handler.request.method, handler.request.path, handler.get_status())


def application(guard: Guard, line: Line, base_url: str = "/") -> Application:
    """The page as a tornado application.

    Args:
        guard: who may use it.
        line: the work that goes on.
        base_url: the path that it lies below, such as `/user/ada/play/`.
    """
    base = f"/{base_url.strip('/')}/".replace("//", "/")
    at = re.escape(base)
    results = Results()
    files = {"results": results, "threads": ThreadPoolExecutor(FILES_AT_ONCE, thread_name_prefix="file")}
    # One folder at a time, so that a large one keeps nobody from a download.
    looking = {"threads": ThreadPoolExecutor(1, thread_name_prefix="inspect")}
    training = {"trainer": Trainer(), "threads": files["threads"]}
    recorded = {"prompts": Prompts()}
    networks = Networks()
    pages: dict[str, Any] = {"networks": networks, "results": results, **recorded, "line": line, "pages": set()}
    mixing = {"networks": networks, "results": results, "waiting": loops.Waiting()}
    followed: dict[str, Any] = {"pages": set()}
    drawing = {"networks": networks, "threads": files["threads"]}
    slash = [] if base == "/" else [(re.escape(base.rstrip("/")), handlers.Below)]
    return Application(
        [
            *slash,
            (at, handlers.Index),
            (rf"{at}alive", handlers.Alive),
            (rf"{at}listing", handlers.Listing),
            (rf"{at}play", Play, pages),
            (rf"{at}network\.svg", handlers.Picture, drawing),
            (rf"{at}made/([0-9a-f]{{32}})\.([a-z]{{3}})", handlers.File, files),
            (rf"{at}keep/([0-9a-f]{{32}})", handlers.Keep, files),
            (rf"{at}likely/([0-9a-f]{{32}})", likely.Likely, {**files, "networks": networks}),
            (rf"{at}prompt/(notes|sound)", recordings.Recording, recorded),
            (rf"{at}prompt/([0-9a-f]{{32}})\.wav", recordings.Recorded, recorded),
            (rf"{at}mine", uploads.Mine),
            (rf"{at}mine/(text|MIDI|audio)", uploads.Verdict, looking),
            (rf"{at}training", trainings.Training, training),
            (rf"{at}training/start", trainings.Start, training),
            (rf"{at}training/stop", trainings.Stop, training),
            (rf"{at}training/preview\.(png|wav)", trainings.Preview, training),
            (rf"{at}loops", loops.LoopsPage),
            (rf"{at}loops/space", loops.Space, mixing),
            (rf"{at}loops/point", loops.Point, mixing),
            (rf"{at}loops/made", loops.Loop, mixing),
            (rf"{at}loops/mix", loops.Mix, mixing),
            (rf"{at}loops/following", following.Follower, followed),
            (rf"{at}loops/tell", following.Tell, followed),
            (rf"{at}static/(.*)", handlers.Static, {"path": str(handlers.STATIC)}),
        ],
        default_handler_class=handlers.Nothing,
        log_function=_log,
        guard=guard,
        base=base,
        websocket_max_message_size=LARGEST_REQUEST,
        websocket_ping_interval=20,
        websocket_ping_timeout=20,
    )


async def serve(app: Application, line: Line, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        UserError: the port is in use.
    """
    server = HTTPServer(app, max_buffer_size=1 << 20, max_body_size=LARGEST_REQUEST, max_header_size=32 << 10)
    try:
        server.listen(port, host)
    except (OSError, UnicodeError) as error:
        raise cannot_listen(
            error, host, f"port {port} for the page is not available", "set WORKSHOP_PORT_PLAY to another number"
        ) from error
    await until_stopped(server)
    line.stop_all()


def run(host: str, port: int, base_url: str, allowed_hosts: Sequence[str]) -> NoReturn:
    """Serve the page until Ctrl-C, and end the process.

    Args:
        host: address to listen on.
        port: port to listen on.
        base_url: path that the page lies below, behind a proxy.
        allowed_hosts: names that the page is reached by, behind a proxy.

    Raises:
        UserError: the port is in use, or a student of a class has typed this, whose page runs already.
    """
    if not base_url.strip("/"):
        refuse_in_class("this one", f"it runs for you already, at {class_path(PLAY)} behind the address of the class")
    line, guard = Line(), Guard(play_token(), port, tuple(allowed_hosts))
    app = application(guard, line, base_url)
    print(f"the page is on {Server(PLAY, host, port).url}{app.settings['base']}{guard.shown}", flush=True)
    asyncio.run(serve(app, line, host, port))
    # A network that is being loaded cannot be interrupted, which takes seconds, and there is nothing to save.
    os._exit(0)
