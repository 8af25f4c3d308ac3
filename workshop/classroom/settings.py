"""What docker-compose.yml tells the hub, by its environment."""

import ipaddress
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop.errors import UserError

#: The hub's folder in its container: its database, the certificate and the passwords' hashes.
FOLDER = Path("/srv/class")

#: The hub's database, in its folder.
DATABASE = "jupyterhub.sqlite"

#: Addresses of a student's network: a gateway, the hub, the student, and what a network needs besides.
ADDRESSES_EACH = 8

#: What a student needs at least: JupyterLab with a TensorBoard takes 171 MB.
LEAST_MEMORY = 256 << 20
LEAST_CPUS = 0.1
#: A student's server tells the hub every five minutes whether it is used, and would be ended before that in a training.
LEAST_IDLE_SECONDS = 600

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

_HOST = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.-]*")

#: The first network has no number, and one is the teacher's.
LEAST_ADDRESSES = 4 * ADDRESSES_EACH

#: How students sign in: all with one password, for a day; or each with an account, for a term.
SHARED_PASSWORD, ACCOUNTS = "shared-password", "accounts"
#: Who may make an account: everybody whom the teacher lets in, everybody, or nobody any more.
APPROVED, OPEN, CLOSED = "approved", "open", "closed"


@dataclass(frozen=True)
class Settings:
    """The settings of a class.

    Attributes:
        name: what the containers, volumes and networks of the class begin with.
        image: of the students' containers.
        memory: a student's limit, such as 2G.
        cpus: a student's limit of cores.
        idle_seconds: after which a server that nobody uses, and in which nothing trains, is ended.
        starts: servers that may start at the same time.
        handed_out: a folder of the server that all students may read, as the engine knows it; '' for none.
        has_internet: whether students' containers reach other computers.
        teacher_enters: whether the teacher may open students' servers.
        addresses: from which each student's network takes a few.
        hosts: names and addresses that the server is reached by.
        sign_in: SHARED_PASSWORD or ACCOUNTS.
        sign_up: APPROVED, OPEN or CLOSED; for accounts.
    """

    name: str
    image: str
    memory: str
    cpus: float
    idle_seconds: int
    starts: int
    handed_out: str
    has_internet: bool
    teacher_enters: bool
    addresses: ipaddress.IPv4Network
    hosts: tuple[str, ...]
    sign_in: str
    sign_up: str

    @property
    def hub(self) -> str:
        """The name of the hub's container."""
        return f"{self.name}-hub"

    def network_of(self, number: int) -> tuple[ipaddress.IPv4Network, str]:
        """The addresses of the network of the student with this number, which begins at 1, and the hub's among them.

        Raises:
            UserError: there are more students than addresses.
        """
        if number * ADDRESSES_EACH >= self.addresses.num_addresses:
            raise UserError(
                f"the class's addresses {self.addresses} are used up; the teacher sets WORKSHOP_CLASS_ADDRESSES"
            )
        own = ipaddress.IPv4Network((int(self.addresses.network_address) + number * ADDRESSES_EACH, 29))
        return own, hub_address(own)


def hub_address(network: ipaddress.IPv4Network) -> str:
    """The hub's address in a student's network: the first one is the gateway's."""
    return str(network[2])


def _checked(name: str, default: str, right: Callable[[str], Any], wanted: str) -> Any:
    """A setting in the environment, as `right` reads it.

    Raises:
        UserError: it is not what is wanted.
    """
    given = (os.environ.get(name) or default).strip()
    try:
        return right(given)
    except (ValueError, KeyError):
        raise UserError(f"WORKSHOP_{name} is '{given}': give {wanted}.") from None


def _memory(given: str) -> str:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT])", given.upper())
    if not found or float(found[1]) * UNITS[found[2]] < LEAST_MEMORY:
        raise ValueError
    return found[0]


def _cpus(given: str) -> float:
    cpus = float(given)
    if not LEAST_CPUS <= cpus < math.inf:
        raise ValueError
    return cpus


def _whole(least: int) -> Callable[[str], int]:
    def read_whole(given: str) -> int:
        if int(given) < least:
            raise ValueError
        return int(given)

    return read_whole


def _is_on(given: str) -> bool:
    return {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}[
        given.lower()
    ]


def _addresses(given: str) -> ipaddress.IPv4Network:
    network = ipaddress.IPv4Network(given)
    if network.num_addresses < LEAST_ADDRESSES:
        raise ValueError
    return network


def _hosts(given: str) -> tuple[str, ...]:
    hosts = tuple(given.split())
    for host in hosts:
        if not _HOST.fullmatch(host):
            ipaddress.ip_address(host)
    return hosts


def _one_of(name: str, *words: str) -> str:
    """A setting that is one of these words, the first of which is the default."""
    known = dict(zip(words, words, strict=True))
    return str(_checked(name, words[0], known.__getitem__, f"{', '.join(words[:-1])} or {words[-1]}"))


def read() -> Settings:
    """The settings in the environment.

    Raises:
        UserError: one of them cannot be what it is.
    """
    given = os.environ.get
    switch = "1 for yes or 0 for no"
    return Settings(
        name=given("CLASS_NAME") or "ml4music-class",
        image=given("CLASS_IMAGE") or "ml4music-workshop:class",
        memory=_checked("CLASS_MEMORY", "2G", _memory, f"a size from {LEAST_MEMORY >> 20}M on, such as 1500M or 2G"),
        cpus=_checked("CLASS_CPUS", "2", _cpus, f"a number from {LEAST_CPUS} on, such as 2 or 0.5"),
        idle_seconds=_checked(
            "CLASS_IDLE_SECONDS", "7200", _whole(LEAST_IDLE_SECONDS), f"a whole number from {LEAST_IDLE_SECONDS} on"
        ),
        starts=_checked("CLASS_STARTS", "8", _whole(1), "a whole number from 1 on"),
        handed_out=given("CLASS_HANDED_OUT") or "",
        has_internet=_checked("CLASS_INTERNET", "0", _is_on, switch),
        teacher_enters=_checked("CLASS_TEACHER_ENTERS", "0", _is_on, switch),
        addresses=_checked(
            "CLASS_ADDRESSES",
            "10.213.0.0/16",
            _addresses,
            f"a range such as 10.213.0.0/16, which begins at its first address and has {LEAST_ADDRESSES} or more",
        ),
        hosts=_checked("CLASS_HOSTS", "", _hosts, "names and addresses, with blanks between them and no port"),
        sign_in=_one_of("CLASS_SIGN_IN", SHARED_PASSWORD, ACCOUNTS),
        sign_up=_one_of("CLASS_SIGN_UP", APPROVED, OPEN, CLOSED),
    )
