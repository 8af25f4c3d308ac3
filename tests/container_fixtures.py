"""One engine, one clone in a path with a space, one image and one container for all container tests."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from containers import IMAGE, Engine, Workshop, calling_user, copy_tree, free_ports
from free_ports import free_port

from workshop import ROOT
from workshop.host.ports import OSC_VARIABLE


@pytest.fixture(scope="session")
def engine() -> Engine:
    """An engine that answers. A machine that cannot have one fails, because these tests were asked for."""
    script = ROOT / "docker" / "engine_for_tests.sh"
    done = subprocess.run([script], capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        pytest.fail(f"There is no engine to test with:\n{done.stderr}", pytrace=False)
    told = dict(line.split("=", 1) for line in done.stdout.splitlines())
    ours = ("WORKSHOP_", "COMPOSE_", "TF_XLA_FLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return Engine({
        **kept,
        "PATH": f"{told['ENGINE_TOOLS']}:{kept['PATH']}",
        "WORKSHOP_BASE_IMAGE": told["WORKSHOP_BASE_IMAGE"],
        "BROWSER": told["BROWSER"],
        "DOCKER_BUILDKIT": "1",
        "COMPOSE_DOCKER_CLI_BUILD": "1",
    })  # fmt: skip


def fresh_clone(engine: Engine, folder: Path, **settings: str) -> Workshop:
    """A clone with ports of its own, without a container so far."""
    ports = free_ports()
    settings |= {f"WORKSHOP_PORT_{name.upper()}": str(port) for name, port in ports.items()}
    settings |= {OSC_VARIABLE: str(free_port(socket.SOCK_DGRAM))}
    return Workshop({**engine.env, **settings}, copy_tree(folder), ports)


@pytest.fixture(scope="session")
def stopped_workshop(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A clone that is handled by compose."""
    settings = {"COMPOSE_PROJECT_NAME": f"ml4music-tests-{os.getpid()}"}
    settings |= {"WORKSHOP_UID": str(calling_user()), "WORKSHOP_GID": str(os.getgid() or calling_user())}
    workshop = fresh_clone(engine, tmp_path_factory.mktemp("container") / "a clone", **settings)
    yield workshop
    workshop.remove()
    for process in workshop.started:
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def image(stopped_workshop: Workshop) -> str:
    """The CPU image, built by compose from the clone."""
    begun = time.monotonic()
    stopped_workshop.compose("build", "workshop", timeout=1800)
    print(f"The image was built in {time.monotonic() - begun:.0f} seconds.")
    return IMAGE


@pytest.fixture(scope="session")
def door(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Another clone, handled by its start.sh alone."""
    workshop = fresh_clone(engine, tmp_path_factory.mktemp("door") / "another clone", WORKSHOP_MODE="container")
    yield workshop
    workshop.start_sh("down", status=None)


@pytest.fixture
def workshop(stopped_workshop: Workshop, image: str) -> Workshop:
    """The clone with its container, running and healthy."""
    stopped_workshop.up()
    return stopped_workshop
