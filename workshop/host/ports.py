"""Port and address of each server, and whether they are free.

Standard library only, because the doctor uses it too.
"""

import errno
import os
import socket
from dataclasses import dataclass, replace

from workshop.errors import UserError
from workshop.lessons import lessons

#: The names of JupyterLab, of the site of docs/, of the page on which trained networks are played, and of that of the
#: live room; the other servers are named after their lesson.
LAB, DOCS, PLAY, LIVE = "lab", "docs", "play", "live"

#: The port of each lesson's TensorBoard, in the order of the lessons.
TENSORBOARD_PORTS = {lesson.name: lesson.port for lesson in lessons()}
#: The ports of JupyterLab, of the tutorial and of the pages.
LAB_PORT, DOCS_PORT, PLAY_PORT, LIVE_PORT = 8888, 7000, 7005, 7004
#: The port of each server, unless the environment gives it another one.
PORTS = {**TENSORBOARD_PORTS, LAB: LAB_PORT, DOCS: DOCS_PORT, PLAY: PLAY_PORT, LIVE: LIVE_PORT}
#: Those that need no experiment named, and so run in the container all the time.
STEADY = tuple(name for name in PORTS if name != LIVE)
#: The UDP port on which networks are asked by OSC, while somebody serves them, and what sets another one.
OSC_PORT, OSC_VARIABLE = 10102, "WORKSHOP_PORT_OSC"

#: Valid ports; docker/host.sh and start.ps1 accept the same.
PORT_NUMBERS = range(1, 65536)


def cannot_listen(error: OSError | UnicodeError, host: str, taken: str, cure: str) -> UserError:
    """Why a server cannot listen, for the user: the address is none of this computer, or the port is taken.

    Args:
        error: of the system, or that the address is none in any network.
        host: the address to listen on.
        taken: that the port is not available.
        cure: what to do where it is the port.
    """
    reason = getattr(error, "strerror", None) or str(error)
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return UserError(
            f"--host {host} is no address of this computer ({reason}): take 127.0.0.1 for this computer alone, "
            "or 0.0.0.0 for all who reach it"
        )
    return UserError(f"{taken} ({reason}): {cure}")


@dataclass(frozen=True)
class Server:
    """A server as it should run: its name (a lesson, or one of the above), the address it listens on, and its port."""

    name: str
    host: str
    port: int

    @property
    def title(self) -> str:
        """The name to print."""
        known = {LAB: "JupyterLab", DOCS: "the tutorial", PLAY: "the play page", LIVE: "the live room"}
        return known.get(self.name, f"TensorBoard for {self.name}")

    @property
    def variable(self) -> str:
        """The environment variable that sets its port."""
        return f"WORKSHOP_PORT_{self.name.upper()}"

    @property
    def may_move(self) -> bool:
        """Whether it may take another port if its own is in use: the tutorial may, because AirPlay has that port on a
        Mac, unless the user has chosen the port.
        """
        return self.name == DOCS and not os.environ.get(self.variable)

    @property
    def reach_host(self) -> str:
        """The address to connect to from this computer."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        name = "localhost" if self.reach_host == "127.0.0.1" else self.reach_host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}"


def wanted_server(name: str) -> Server:
    """The server of that name with the port and address that the environment or the defaults give it.

    Raises:
        UserError: if the environment names something that is not a port.
    """
    # Loopback, unless the environment says otherwise.
    server = Server(name, os.environ.get("WORKSHOP_BIND") or "127.0.0.1", PORTS[name])
    given = os.environ.get(server.variable, "").strip()
    return replace(server, port=read_port(given, server.variable)) if given else server


def read_port(given: str, name: str) -> int:
    """The port that was given by the user; `name` says where.

    Raises:
        UserError: if it is not a port.
    """
    if not (given.isascii() and given.isdigit() and len(given) <= 5 and int(given) in PORT_NUMBERS):
        first, last = PORT_NUMBERS[0], PORT_NUMBERS[-1]
        raise UserError(f"{name} is '{given}', which is not a port: give a number from {first} to {last}.")
    return int(given)


def published_ports() -> dict[int, int]:
    """What a container's ports are on the computer that it runs on; empty without a container.

    A container sees only its own, so docker-compose.yml passes both in WORKSHOP_PUBLISHED, such as
    `7006:7106 8888:8888`.
    """
    pairs = (pair.split(":") for pair in os.environ.get("WORKSHOP_PUBLISHED", "").split())
    return {int(inner): int(outer) for inner, outer in pairs}


def class_path(name: str) -> str:
    """The path at which the hub of a class leads to a student's server of that name; '' where it leads to none."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{prefix}{name}{'' if name == LAB else '/'}" if prefix and name != LIVE else ""


def refuse_in_class(what: str, instead: str) -> None:
    """Refuse a server that listens in a student's container of a class, where no browser reaches it.

    Args:
        what: the server, as a name.
        instead: what to do, as the end of a sentence.

    Raises:
        UserError: this is such a container.
    """
    if class_path(PLAY):
        raise UserError(f"in a class nobody reaches {what} from outside of this container: {instead}")


def port_problem(server: Server) -> str | None:
    """Why the server cannot listen on its port, in one sentence with what to do; None if it can."""
    other = f"set {server.variable} to another number, for example {server.variable}={free_port_near(server.port)}"
    in_use = f"Port {server.port} for {server.title} is in use by another program: stop that program, or {other}."
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    # On macOS, bind succeeds on one address while another program listens on all of them, so connect first.
    with socket.socket(family) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((server.reach_host, server.port)) == 0:
            return in_use
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((server.host, server.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return in_use
        if error.errno == errno.EACCES:
            return f"Port {server.port} for {server.title} is reserved for the system: {other}."
        return f"{server.title} cannot listen on {server.host} ({error.strerror}): set WORKSHOP_BIND to 127.0.0.1."
    return None


def free_port_near(port: int) -> int:
    """A free port, a few above the given one."""
    for candidate in range(port + 100, min(port + 200, 65536)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", candidate)) != 0:
                return candidate
    return 17006
