"""What a student's server offers behind the hub besides JupyterLab, each by its path and started when it is opened."""

import sys
from collections.abc import Mapping
from typing import Any

from workshop import ROOT
from workshop.host.ports import DOCS, PLAY, TENSORBOARD_PORTS, Server
from workshop.host.services import play_token, tensorboard_command
from workshop.web.security import Guard

#: Seconds that a server may take for its start, with many students at the same time.
PATIENCE_SECONDS = 300

#: The class's only address is the hub's. It asks who one is, and passes on what names it: any name is the page's own.
ANY_NAME = "*"


def pages() -> dict[str, Mapping[str, Any]]:
    """The servers as jupyter-server-proxy takes them, by their paths."""
    return {**{name: _board(name) for name in TENSORBOARD_PORTS}, PLAY: _play(), DOCS: _docs()}


def _entry(title: str, command: list[str], **more: Any) -> Mapping[str, Any]:
    return {
        "command": command,
        "timeout": PATIENCE_SECONDS,
        "launcher_entry": {"title": title, "category": "The workshop"},
        **more,
    }


def _board(name: str) -> Mapping[str, Any]:
    server = Server(name, "127.0.0.1", TENSORBOARD_PORTS[name])
    command = tensorboard_command(server, ROOT / name)
    command[command.index("--port") + 1] = "{port}"
    return _entry(server.title, [*command, "--path_prefix", f"{{base_url}}{name}"], absolute_url=True)


def _play() -> Mapping[str, Any]:
    # Whoever gets here has shown the hub who they are, so the page's own question is answered for them.
    guard = Guard(play_token(), port=0)
    cookie = f"{guard.cookie.removesuffix('0')}{{port}}={guard.pass_value}"
    command = [sys.executable, "-m", "workshop.play", "--host", "127.0.0.1", "--port", "{port}"]
    return _entry(
        "Play",
        [*command, "--base_url", f"{{base_url}}{PLAY}", "--allow_host", ANY_NAME],
        absolute_url=True,
        request_headers_override={"Cookie": cookie},
    )


def _docs() -> Mapping[str, Any]:
    command = [sys.executable, "-m", "workshop.docs", "serve", "--host", "127.0.0.1", "--port", "{port}"]
    return _entry("The tutorial", command)
