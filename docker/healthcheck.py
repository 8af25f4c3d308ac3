"""Docker's health check: whether all servers answer and the starter tunes are made. Says what is missing."""

import http.client
import sys
from pathlib import Path

from workshop.host.ports import DOCS_PORT, LAB_PORT, PLAY_PORT, TENSORBOARD_PORTS

#: entrypoint.sh keeps this file there while it makes the starter tunes.
PREPARING = Path.home() / ".preparing"

#: A small page of each server that asks for no token. The tutorial's is there once it has been made.
TENSORBOARD_PAGE = "/data/environment"
LAB_PAGE = "/api"
DOCS_PAGE = "/"
PLAY_PAGE = "/alive"


def answers(port: int, page: str) -> bool:
    """Whether the server on that port gives the page. Nothing here asks a proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", page)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def missing() -> list[str]:
    """What is not ready, in words."""
    servers = {f"TensorBoard of {name}": (port, TENSORBOARD_PAGE) for name, port in TENSORBOARD_PORTS.items()}
    servers["JupyterLab"] = (LAB_PORT, LAB_PAGE)
    servers["the tutorial"] = (DOCS_PORT, DOCS_PAGE)
    servers["the play page"] = (PLAY_PORT, PLAY_PAGE)
    wanting = [f"{title} does not answer" for title, (port, page) in servers.items() if not answers(port, page)]
    if PREPARING.exists():
        wanting.append("the starter tunes and sounds are being made")
    return wanting


if __name__ == "__main__":
    wanting = missing()
    print("; ".join(wanting) or "all servers answer")
    sys.exit(1 if wanting else 0)
