"""What the network sees of the workshop: who listens where, whom they answer, and with which rights they run.

Nothing is sent to any address but loopback: that nobody answers at this computer's other addresses is seen by taking
these places.
"""

import http.client
import json
import os
import re
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from containers import INSIDE, Engine, Workshop
from free_ports import free_port
from servers import (
    Listener,
    addresses_elsewhere_reaches,
    in_the_foreground,
    is_loopback,
    listeners,
    listeners_here,
    nobody_answers,
    until_there,
)

from workshop.host import docs, services
from workshop.host.ports import STEADY

linux = pytest.mark.skipif(sys.platform != "linux", reason="who listens is read from /proc")

Note = Callable[[str, str, str], None]

#: What of JupyterLab only its token opens.
CLOSED = (
    "/api/contents", "/api/contents/README.md", "/api/kernels", "/api/sessions", "/api/terminals", "/api/kernelspecs",
    "/api/status", "/api/me", "/files/README.md", "/lab", "/lab/tree/README.md", "/lab/api/workspaces",
    "/lab/api/settings", "/metrics", "/terminals/websocket/1",
)  # fmt: skip

#: What starts something.
STARTING = ("/api/kernels", "/api/terminals", "/api/sessions", "/api/contents")

#: What whoever does not know the token may try: headers, and what is appended to the address.
STRANGERS: tuple[tuple[dict[str, str], str], ...] = (
    ({}, ""),
    ({"Authorization": "token wrong"}, ""),
    ({"Authorization": "Bearer wrong"}, ""),
    ({"Authorization": "Basic d3Jvbmc6d3Jvbmc="}, ""),
    ({"Cookie": "username-127-0-0-1-8888=wrong; _xsrf=2|a|b|1"}, ""),
    ({}, "?token=wrong"),
    ({}, "?token="),
)

#: What makes a question one for a websocket.
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip

#: Places in the image that everybody may write to: what is run there, caches of libraries, and what every system has.
OPEN_PLACES = ("/workshop", "/home/student", "/tmp", "/var/tmp", "/run/lock", "/dev")

#: Prints what of the system and of the packages can be written, and the workshop's folder, which can.
WRITABLE = "find /opt/venv /usr /etc ! -type l -writable 2>/dev/null; find /workshop -maxdepth 0 -writable"

#: What would be a secret, if it stood in an image or in what an engine tells about a container.
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|gh[pousr]_\w{30}|://[^/\s:@]+:[^/\s@]+@"
    r"|(?i:password|passwd|secret|token|api_?key)\w*=[^\s\"']"
)


def ask(port: int, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str, bytes]:
    """Ask this computer: the status, where it leads to, and the content; of a websocket nothing is read."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        content = b"" if answer.status == http.client.SWITCHING_PROTOCOLS else answer.read()
        return answer.status, answer.headers.get("Location", ""), content


def is_refused(status: int, leads_to: str) -> bool:
    """Whether that is a no: forbidden, or the page that asks for the token."""
    return status in (401, 403) or (status == 302 and leads_to.startswith("/login"))


def opened_by_strangers(port: int, token: str) -> tuple[int, list[str]]:
    """How much was tried without the token, over HTTP and websockets, and what of it was not refused.

    Raises:
        AssertionError: not even the token opens a kernel's websocket, so that a refusal of it would say nothing.
    """
    known = {"Authorization": f"token {token}"}
    kernel = json.loads(ask(port, "/api/kernels", "POST", "{}", **known)[2])["id"]
    channel, tried, opened = f"/api/kernels/{kernel}/channels", 0, []
    try:
        assert ask(port, channel, **known, **UPGRADE)[0] == http.client.SWITCHING_PROTOCOLS
        for headers, appended in STRANGERS:
            questions = [(path, "GET", None, headers) for path in (*CLOSED, f"/api/kernels/{kernel}")]
            questions += [(path, "POST", "{}", headers) for path in STARTING]
            questions += [(f"/api/kernels/{kernel}", "DELETE", None, headers)]
            questions += [(path, "GET", None, {**headers, **UPGRADE}) for path in (channel, "/terminals/websocket/1")]
            for path, method, body, sent in questions:
                tried += 1
                if not is_refused(*ask(port, path + appended, method, body, **sent)[:2]):
                    opened.append(f"{method} {path}{appended} {sent}")
        assert ask(port, f"/api/kernels/{kernel}", **known)[0] == 200, "nobody has ended it"
    finally:
        ask(port, f"/api/kernels/{kernel}", "DELETE", **known)
    return tried, opened


def wide_open(found: list[Listener], ports: set[int]) -> list[Listener]:
    """Those of the listeners on these ports whom somebody else than this computer could reach.

    Raises:
        AssertionError: nobody listens on one of the ports, or somebody does at another address of this computer.
    """
    assert ports <= {one.port for one in found}
    others = addresses_elsewhere_reaches()
    assert all(nobody_answers(address, port) for address in others for port in ports), others
    return [one for one in found if one.port in ports and not is_loopback(one.address)]


def test_who_listens_is_read_as_linux_writes_it() -> None:
    rest = "00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0"
    table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    for number, place in enumerate(("0100007F", "00000000", "0" * 24 + "01000000", "0" * 32)):
        table += f"   {number}: {place}:1B5E {rest}\n"
    table += f"   9: 0100007F:1B5F {rest.replace(' 0A ', ' 01 ')}\n"
    found = listeners(table)
    assert found == [Listener(address, 7006, "4711") for address in ("127.0.0.1", "0.0.0.0", "::1", "::")]
    assert [is_loopback(one.address) for one in found] == [True, False, True, False]


@linux
def test_who_listens_is_seen_without_asking_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        assert ("127.0.0.1", port) in {(one.address, one.port) for one in listeners_here()}
        assert not nobody_answers("127.0.0.1", port)
        assert nobody_answers("127.0.0.2", port)
    assert nobody_answers("127.0.0.1", port)


# ---- without the container -------------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone whose servers run, on ports of their own."""
    for name in docs.NEEDED:
        pytest.importorskip(name, reason="the site needs requirements/docs.txt")
    monkeypatch.setattr(services, "ROOT", tmp_path)
    monkeypatch.delenv("WORKSHOP_BIND", raising=False)
    for name in STEADY:
        monkeypatch.setenv(f"WORKSHOP_PORT_{name.upper()}", str(free_port()))
    with ExitStack() as stack:
        stack.callback(services.stop_all)
        assert services.start_all() == 0
        for verb in ("lab", "docs", "play"):
            process = stack.enter_context(in_the_foreground(tmp_path, verb))
            assert process.stdout is not None
            assert "http://localhost" in process.stdout.readline()
        yield tmp_path


def sessions_of(pids: list[int]) -> set[int]:
    return {os.getsid(pid) for pid in pids}


def sockets_of(sessions: set[int]) -> set[str]:
    """The numbers of the sockets that the processes of these sessions have."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) in sessions:
                for file in (process / "fd").iterdir():
                    found |= set(re.findall(r"^socket:\[(\d+)\]$", os.readlink(file)))
        except OSError:  # it has ended meanwhile
            continue
    return found


@linux
@pytest.mark.slow
def test_without_the_container_only_this_computer_reaches_the_servers(clone: Path, figure: Note) -> None:
    assert b"One tune, three ways" in until_there(services.wanted_server("docs").url)
    ports = {services.wanted_server(name).port for name in STEADY}
    pids = [running.pid for name in STEADY if (running := services.remembered(name))]
    assert len(pids) == len(STEADY)
    sockets = sockets_of(sessions_of(pids))
    ours = [one for one in listeners_here() if one.inode in sockets]
    assert wide_open(ours, ports) == []
    # The readers of TensorBoard and the like, on ports that nobody has chosen.
    assert [one for one in ours if not is_loopback(one.address)] == []
    token = services.lab_token()
    port = services.wanted_server("lab").port
    tried, opened = opened_by_strangers(port, token)
    assert opened == []
    assert_the_token_is_private(clone, token)
    assert_the_token_is_private(clone, services.play_token(), "play_token")
    figure(
        "the servers without the container, seen from the network",
        f"{len(ports)} servers, {len(ours)} listening sockets, {len(addresses_elsewhere_reaches())} other addresses; "
        f"{tried} questions to JupyterLab without its token, websockets too",
        "all listen on loopback alone, every question was refused",
    )


def assert_the_token_is_private(clone: Path, token: str, name: str = "jupyter_token") -> None:
    """Only its owner can read the token: not from its file, a log, or a command line."""
    path = clone / ".workshop" / name
    assert path.read_text().strip() == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    others = [other for other in (clone / ".workshop").rglob("*") if other.is_file() and other != path]
    assert [other.name for other in others if token in other.read_text(errors="replace")] == []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert token.encode() not in process.read_bytes(), process
        except OSError:  # it has ended meanwhile
            continue


# ---- the container ---------------------------------------------------------------------------------------------------


@pytest.mark.container
def test_only_this_computer_reaches_the_container(workshop: Workshop, figure: Note) -> None:
    ports = set(workshop.ports.values())
    assert wide_open(listeners_here(), ports) == []
    inside = listeners(workshop.inside("cat", "/proc/net/tcp", "/proc/net/tcp6"))
    # Docker's own name server, TensorBoard's readers and kernels listen on loopback, each container's own.
    reachable = {(one.address, one.port) for one in inside if not is_loopback(one.address)}
    assert reachable == {("0.0.0.0", INSIDE[name]) for name in STEADY}
    figure(
        "the container, seen from the network",
        f"{len(ports)} published ports, {len(addresses_elsewhere_reaches())} other addresses of the computer",
        "all listen on loopback alone; inside, nothing but the servers can be reached",
    )


@pytest.mark.container
def test_jupyterlab_in_the_container_refuses_strangers(workshop: Workshop, figure: Note) -> None:
    tried, opened = opened_by_strangers(workshop.ports["lab"], workshop.token)
    assert opened == []
    assert_the_token_is_private(workshop.clone, workshop.token)
    told = workshop.docker("inspect", workshop.container) + workshop.docker("logs", workshop.container)
    assert workshop.token not in told
    figure("JupyterLab in the container", f"{tried} questions without its token, websockets too", "all refused")


def status_of_all(workshop: Workshop) -> list[dict[str, str]]:
    """What Linux says of each process in the container."""
    said = workshop.inside("bash", "-c", "for file in /proc/[0-9]*/status; do cat $file; echo; done 2>/dev/null")
    return [dict(re.findall(r"^(\w+):\s*(.*)$", part, re.MULTILINE)) for part in said.split("\n\n") if part.strip()]


@pytest.mark.container
def test_no_process_in_the_container_has_rights(workshop: Workshop, figure: Note) -> None:
    processes = status_of_all(workshop)
    assert {"tini", "python"} <= {process["Name"] for process in processes}
    for process in processes:
        assert "0" not in process["Uid"].split() + process["Gid"].split(), process["Name"]
        assert {process[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}, process["Name"]
        assert process["NoNewPrivs"] == "1", process["Name"]
        assert process["Seccomp"] == "2", process["Name"]
    host = json.loads(workshop.inspect(workshop.container, "{{json .HostConfig}}"))
    assert not host["Privileged"]
    assert {host[kind] for kind in ("PidMode", "UTSMode", "UsernsMode")} == {""}
    assert host["IpcMode"] in ("private", "shareable")
    assert host["NetworkMode"] not in ("host", "")
    assert not host["Devices"]
    mounts = json.loads(workshop.inspect(workshop.container, "{{json .Mounts}}"))
    assert [(mount["Source"], mount["Destination"]) for mount in mounts] == [(str(workshop.clone), "/workshop")]
    figure("rights in the container", f"{len(processes)} processes", "none is root, none has or can get a capability")


@pytest.mark.container
def test_little_in_the_image_can_be_written_by_everybody(engine: Engine, image: str, figure: Note) -> None:
    search = ["find", "/", "-xdev", "-perm", "-0002", "!", "-type", "l"]
    found = engine.docker("run", "--rm", "--user", "0", image, *search).splitlines()
    assert "/workshop" in found
    assert [path for path in found if not path.startswith(OPEN_PLACES)] == []
    for folder in ("/tmp", "/var/tmp"):
        assert engine.docker("run", "--rm", image, "stat", "--format", "%a", folder).strip() == "1777"
    # Not even the user that it runs as can change the programs; what that user may not look into is passed over.
    assert engine.docker("run", "--rm", image, "bash", "-c", WRITABLE) == "/workshop\n"
    figure("world-writable files in the image", f"{len(found)} files and folders", "the workshop, the home, /tmp")


@pytest.mark.container
def test_the_image_and_the_container_tell_no_secrets(workshop: Workshop, image: str, figure: Note) -> None:
    told = workshop.docker("inspect", workshop.container, image)
    told += workshop.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    assert "WORKSHOP_ROOT" in told
    assert [found.group() for found in SECRETS.finditer(told)] == []
    assert SECRETS.search("JUPYTER_TOKEN=abc")
    assert SECRETS.search("http_proxy=http://me:word@proxy:1")
    figure("secrets in docker inspect and docker history", f"{len(told.split())} words", "none")
