"""Write what the shell, PowerShell and Docker have to know of the servers: `docker/servers.txt`, and the ports in
`docker-compose.yml`.

To be run after a lesson was added; a test compares the files with the lessons' records.
"""

import argparse
import re
from pathlib import Path

from workshop import ROOT
from workshop.files import write_text
from workshop.host.ports import OSC_PORT, OSC_VARIABLE, PORTS, Server

#: Between these lines docker-compose.yml is written from the list; the indentation is that of the first.
REGION = re.compile(r"^( *)# servers: (\w+)\n.*?^ *# end of servers\n", re.MULTILINE | re.DOTALL)


def servers() -> list[Server]:
    """All servers at the ports that they have in the container."""
    return [Server(name, "127.0.0.1", port) for name, port in PORTS.items()]


def as_list() -> str:
    """`docker/servers.txt`: the name, the port and the title of each server, one in a line."""
    return "".join(f"{server.name} {server.port} {server.title}\n" for server in servers())


def as_compose(text: str) -> str:
    """docker-compose.yml with the ports of the servers in its two regions."""

    def published(server: Server) -> str:
        return f"${{{server.variable}:-{server.port}}}"

    parts = {
        "ports": [
            *(f'- "${{WORKSHOP_BIND:-127.0.0.1}}:{published(server)}:{server.port}"' for server in servers()),
            # On loopback in any case: whoever is asked by OSC asks for no password.
            f'- "127.0.0.1:${{{OSC_VARIABLE}:-{OSC_PORT}}}:{OSC_PORT}/udp"',
        ],
        "published": [
            "WORKSHOP_PUBLISHED: >-",
            *(f"  {server.port}:{published(server)}" for server in servers()),
        ],
    }

    def fill(found: re.Match[str]) -> str:
        indent, part = found.groups()
        lines = [f"# servers: {part}", *parts[part], "# end of servers"]
        return "".join(f"{indent}{line}\n" for line in lines)

    return REGION.sub(fill, text)


def files() -> dict[Path, str]:
    """What the files should hold."""
    compose = ROOT / "docker-compose.yml"
    return {ROOT / "docker" / "servers.txt": as_list(), compose: as_compose(compose.read_text("utf-8"))}


def main(argv: list[str] | None = None) -> int:
    """Write the files that differ; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m workshop.server_files", description="Write the lists of servers.")
    parser.parse_args(argv)
    for path, text in files().items():
        is_current = path.exists() and path.read_text("utf-8") == text
        if not is_current:
            write_text(path, text)
        print(f"{path.relative_to(ROOT)}: {'up to date' if is_current else 'written'}")
    return 0
