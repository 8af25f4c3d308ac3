"""The hub of a class: JupyterHub, which signs people in, starts a container for each student and leads to it.

Loaded by docker/class/jupyterhub_config.py alone, inside the hub's container.
"""

import asyncio
import sys
from ipaddress import IPv4Network
from typing import Any

from docker.api.client import APIClient
from dockerspawner import DockerSpawner
from jupyterhub.utils import wait_for_server
from sqlalchemy import event
from sqlalchemy.engine import Engine
from traitlets import default

from workshop import ROOT
from workshop.classroom import certificate, disk, passwords, sign_in
from workshop.classroom.settings import ACCOUNTS, CLOSED, DATABASE, FOLDER, Settings, hub_address, read

#: The hub's name on each student's network, and the port that students' servers report to.
HUB, HUB_PORT = "hub", 8081
#: The port inside the container that docker-compose.yml publishes.
PORT = 8000

#: Pages of the hub that are the class's own, in the same folder as its configuration.
TEMPLATES = ROOT / "docker" / "class" / "templates"

#: Seconds for trainings to save when a server is stopped; docker/entrypoint.sh waits a little less.
GRACE_SECONDS = 30
#: Seconds for a server to start, and to wait before for those of a whole class at 9:00.
START_SECONDS, TURN_SECONDS = 300, 900
#: Processes and threads of one student; a training has about 60.
MOST_PROCESSES = 1024

#: What the teacher may do. Entering a student's server is added by a setting.
TEACHER_SCOPES = ("admin-ui", "list:users", "read:users", "read:servers", "servers", "read:hub")
ENTERS = "access:servers"
#: What the idle culler may do.
CULLER_SCOPES = ("list:users", "read:users:activity", "read:servers", "delete:servers")


class ClassSpawner(DockerSpawner):
    """A container for a student, alone with the hub on a network of its own: students do not reach each other."""

    #: Set by `configure`, as JupyterHub makes the spawners. So many servers may start at the same time as have a turn.
    settings: Settings
    turns: asyncio.Semaphore

    @default("network_name")
    def _default_network_name(self) -> str:
        return f"{self.settings.name}-{self.user.name}"

    async def start(self) -> tuple[str, int]:
        """Start the container on its network when it is its turn, and return where it answers.

        JupyterHub's own limit lets nobody wait: it refuses who comes too soon.
        """
        async with self.turns:
            address, port = await disk.start(self.docker, f"{self.settings.name}-{self.user.name}", self._begin)
            await wait_for_server(address, port, timeout=START_SECONDS)
        return address, port

    async def _begin(self) -> Any:
        await self._provide_network()
        return await super().start()

    async def _provide_network(self) -> None:
        """The student's network, with the hub on it. It stays for as long as the class does."""
        wanted, hub = self.settings.network_of(self.user.id)
        if not any(one["Name"] == self.network_name for one in await self.docker("networks", [self.network_name])):
            pool = {"Subnet": str(wanted), "Gateway": str(wanted[1])}
            await self.docker(
                "create_network",
                self.network_name,
                driver="bridge",
                ipam={"Driver": "default", "Config": [pool], "Options": None},
                internal=not self.settings.has_internet,
                labels={"ml4music.class": self.settings.name},
            )
        there = await self.docker("inspect_container", self.settings.hub)
        if self.network_name not in there["NetworkSettings"]["Networks"]:
            await self.docker(
                "connect_container_to_network", self.settings.hub, self.network_name, ipv4_address=hub, aliases=[HUB]
            )


def rejoin(settings: Settings) -> None:
    """Put the hub's container on the networks of students who are there already: a new container is on none of them."""
    engine = APIClient(version="auto")
    there = engine.inspect_container(settings.hub)["NetworkSettings"]["Networks"]
    for network in engine.networks(filters={"label": f"ml4music.class={settings.name}"}):
        if network["Name"] not in there:
            (pool,) = network["IPAM"]["Config"]
            address = hub_address(IPv4Network(pool["Subnet"]))
            engine.connect_container_to_network(settings.hub, network["Name"], ipv4_address=address, aliases=[HUB])


def configure(c: Any) -> None:
    """Write the class's settings into JupyterHub's configuration."""
    settings = read()
    rejoin(settings)
    _hub(c.JupyterHub, settings)
    _sign_in(c, settings)
    _students(c, settings)
    teacher = [*TEACHER_SCOPES, sign_in.MANAGES, *[ENTERS] * settings.teacher_enters]
    c.JupyterHub.load_roles = [
        {"name": "teacher", "scopes": teacher, "users": [passwords.TEACHER]},
        {"name": "culler", "scopes": list(CULLER_SCOPES), "services": ["culler"]},
    ]
    idle = f"--timeout={settings.idle_seconds}"
    culler = [sys.executable, "-m", "jupyterhub_idle_culler", idle, "--cull-every=60"]
    c.JupyterHub.services = [{"name": "culler", "command": culler}]


def _hub(hub: Any, settings: Settings) -> None:
    hub.spawner_class = ClassSpawner
    hub.bind_url = f"https://:{PORT}"
    hub.ssl_cert, hub.ssl_key = str(FOLDER / certificate.CERTIFICATE), str(FOLDER / certificate.KEY)
    hub.hub_bind_url, hub.hub_connect_url = f"http://:{HUB_PORT}", f"http://{HUB}:{HUB_PORT}"
    hub.db_url = f"sqlite:///{FOLDER / DATABASE}"
    event.listen(Engine, "connect", lambda opened, _: opened.execute(disk.KEEP_JOURNAL))
    hub.cookie_secret_file = str(FOLDER / "cookie_secret")
    hub.concurrent_spawn_limit = 0  # see ClassSpawner.start
    # Students' servers outlive the hub: their trainings go on, and the hub finds them again.
    hub.cleanup_servers = False


def _sign_in(c: Any, settings: Settings) -> None:
    """Who may come, and what the hub's pages say about it."""
    hub, has_accounts = c.JupyterHub, settings.sign_in == ACCOUNTS
    hub.authenticator_class = sign_in.AccountAuthenticator if has_accounts else sign_in.SharedPassword
    c.Authenticator.allow_all = True
    c.Authenticator.any_allow_config = True
    if has_accounts:
        # Who is locked out meanwhile is refused by the hub, and so by the student's server, which asks it.
        c.Authenticator.auth_refresh_age = sign_in.LOOK_SECONDS
        c.Authenticator.auth_refresh_strict = True
    sign_in.AccountAuthenticator.sign_up = settings.sign_up
    hub.custom_scopes = {sign_in.MANAGES: {"description": "let accounts in, lock them and give them new passwords"}}
    hub.template_paths = [str(TEMPLATES)]
    hub.template_vars = {
        "announcement": lambda user: disk.warning(FOLDER),
        "has_accounts": has_accounts,
        "may_sign_up": has_accounts and settings.sign_up != CLOSED,
        "manages": sign_in.MANAGES,
    }


def _students(c: Any, settings: Settings) -> None:
    ClassSpawner.settings, ClassSpawner.turns = settings, asyncio.Semaphore(settings.starts)
    spawner, box = c.Spawner, c.DockerSpawner
    spawner.cmd = ["student"]
    spawner.args = ["--config=/etc/jupyter/jupyter_server_config.py"]
    spawner.notebook_dir = "/workshop"
    spawner.default_url = "/lab/tree/docs/notebooks/README.md"
    spawner.start_timeout, spawner.http_timeout = TURN_SECONDS + START_SECONDS, START_SECONDS
    spawner.mem_limit, spawner.cpu_limit = settings.memory, settings.cpus
    spawner.environment = {"WORKSHOP_CLASS": "1", "JUPYTER_CONFIG_PATH": "/workshop/workshop/host/jupyter"}
    box.image, box.pull_policy = settings.image, "never"
    box.name_template = f"{settings.name}-{{raw_username}}"
    box.use_internal_ip = box.remove = True
    box.volumes = {f"{settings.name}-{{raw_username}}": "/workshop"}
    if settings.handed_out:
        box.read_only_volumes = {settings.handed_out: "/handed_out"}
    box.extra_create_kwargs = {"labels": {"ml4music.class": settings.name}, "stop_timeout": GRACE_SECONDS}
    box.extra_host_config = {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": MOST_PROCESSES,
        # Without swap, a student who takes too much memory is stopped instead of slowing down all.
        "memswap_limit": settings.memory,
    }
