"""A clone of its own and the container that compose makes of it, as the container tests handle them."""

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from free_ports import free_port

from workshop import ROOT
from workshop.host.ports import PORTS

IMAGE = "ml4music-workshop:cpu"

#: The ports inside the container, by the name of the server.
INSIDE = PORTS

#: A user that no image knows and that is not the one who runs the tests as root on a machine of CI.
STRANGER = 12345


def calling_user() -> int:
    """Whose files the clone's are: the user who runs the tests; for root, who may write everywhere, a stranger."""
    return os.getuid() or STRANGER


def free_ports() -> dict[str, int]:
    """A port for each server."""
    return {name: free_port() for name in INSIDE}


def copy_tree(target: Path) -> Path:
    """Copy what git knows or would take in of this clone, as it lies here, and give it to the calling user."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    if os.getuid() == 0:
        for path in (target, *target.rglob("*")):
            os.chown(path, STRANGER, STRANGER)
    return target


def until(met: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return the first true answer.

    Raises:
        AssertionError: there is none in that time.
    """
    deadline = time.monotonic() + seconds
    while not (answer := met()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} seconds"
        time.sleep(0.3)
    return answer


def get(port: int, page: str, token: str = "") -> tuple[int, bytes]:
    """Ask for a page on this computer, without any proxy: its HTTP status and body. Nobody there is status 0."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", page, headers={"Authorization": f"token {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


@dataclass
class Engine:
    """The engine's client, called with the environment that was found for it."""

    env: dict[str, str] = field(repr=False)

    def run(self, *words: str | Path, status: int | None = 0, timeout: float = 120, **more: Any) -> str:
        """Run a command that should end with that status (None: with any), and return what it said.

        Errors and warnings are left out if it should succeed.
        """
        command = [str(word) for word in words]
        # The tests' PATH, not this process', says which client is meant.
        command[0] = shutil.which(command[0], path=self.env["PATH"]) or command[0]
        done = subprocess.run(
            command, env=self.env, capture_output=True, text=True, timeout=timeout, check=False, **more
        )
        said = done.stdout + done.stderr
        assert status in (None, done.returncode), f"{command} ended with {done.returncode}:\n{said}"
        return said if status != 0 else done.stdout

    def docker(self, *words: str | Path, **more: Any) -> str:
        """Run a command of the engine's client."""
        return self.run("docker", *words, **more)

    @cached_property
    def composers(self) -> list[list[str]]:
        """The ways of calling compose that this machine has."""
        plugin = "not a docker command" not in self.docker("compose", "version", status=None)
        alone = shutil.which("docker-compose", path=self.env["PATH"])
        return [["docker", "compose"]] * plugin + [["docker-compose"]] * bool(alone)

    def inspect(self, what: str, template: str) -> str:
        """Ask about a container or an image."""
        return self.docker("inspect", "--format", template, what).strip()


@dataclass
class Workshop(Engine):
    """A clone, and its container by compose."""

    clone: Path
    ports: dict[str, int]
    started: list[subprocess.Popen[str]] = field(default_factory=list, repr=False)

    def compose(self, *words: str, **more: Any) -> str:
        """Run a command of compose in the clone."""
        return self.run(*self.composers[0], *words, cwd=self.clone, **more)

    @property
    def container(self) -> str:
        """The container's id; '' if there is none."""
        label = f"label=com.docker.compose.project.working_dir={self.clone}"
        return self.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", label).strip()

    def start_sh(self, *words: str, **more: Any) -> str:
        """Run ./start.sh of the clone."""
        return self.run(self.clone / "start.sh", *words, **{"timeout": 300, **more})

    @property
    def health(self) -> str:
        """What Docker thinks of it: starting, healthy or unhealthy."""
        return self.inspect(self.container, "{{.State.Health.Status}}")

    def up(self) -> None:
        """Start the container if it does not run, and wait until it is healthy."""
        self.compose("up", "--detach", "--no-build", "workshop")
        until(lambda: self.health == "healthy", "the container's health", 180)

    def remove(self) -> None:
        """End the container and take it away."""
        self.compose("down", "--timeout", "5", status=None)

    def inside(self, *command: str, folder: str = "", **more: Any) -> str:
        """Run a command in the container, in a folder of the clone, as `start.sh` does."""
        return self.docker("exec", "--workdir", f"/workshop/{folder}", self.container, *command, **more)

    def begin(self, *command: str, folder: str = "") -> subprocess.Popen[str]:
        """The same without waiting for its end."""
        words = ["exec", "--workdir", f"/workshop/{folder}", self.container, *command]
        docker = shutil.which("docker", path=self.env["PATH"]) or "docker"
        process = subprocess.Popen(
            [docker, *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.started.append(process)
        return process

    def trained(self, lesson: str) -> Path:
        """The folder of a lesson's smoke run, which is made on the first call."""
        run = self.clone / lesson / "experiments" / "smoke"
        if not run.exists():
            self.inside(
                "python",
                "train.py",
                "--smoke",
                "--experiment_dir",
                f"experiments/{run.name}",
                folder=lesson,
                timeout=300,
            )
        return run

    def ask(self, server: str, page: str, token: str = "") -> tuple[int, bytes]:
        """Ask a server for a page through its published port."""
        return get(self.ports[server], page, token)

    def tags(self, lesson: str) -> dict[str, Any]:
        """The runs that a TensorBoard knows, each with its scalars."""
        status, body = self.ask(lesson, "/data/plugin/scalars/tags")
        return json.loads(body) if status == http.client.OK else {}

    @property
    def token(self) -> str:
        """JupyterLab's, as everybody reads it from the clone."""
        return (self.clone / ".workshop" / "jupyter_token").read_text().strip()
