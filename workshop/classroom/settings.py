"""What docker-compose.yml tells the hub, by its environment."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from workshop.errors import UserError

#: The hub's folder in its container: its database, the certificate and the passwords' hashes.
FOLDER = Path("/srv/class")

#: Addresses of a student's network: a gateway, the hub, the student, and what a network needs besides.
ADDRESSES_EACH = 8

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
            raise UserError(f"the class's addresses {self.addresses} are used up: set CLASS_ADDRESSES to more of them")
        own = ipaddress.IPv4Network((int(self.addresses.network_address) + number * ADDRESSES_EACH, 29))
        return own, hub_address(own)


def hub_address(network: ipaddress.IPv4Network) -> str:
    """The hub's address in a student's network: the first one is the gateway's."""
    return str(network[2])


def _is_on(name: str) -> bool:
    return os.environ.get(name, "") in ("1", "yes", "true")


def _one_of(name: str, *words: str) -> str:
    """A setting that is one of these words, the first of which is the default."""
    given = os.environ.get(name) or words[0]
    if given not in words:
        raise ValueError(f"{name} is '{given}', and may be {', '.join(words[:-1])} or {words[-1]}")
    return given


def read() -> Settings:
    """The settings in the environment.

    Raises:
        UserError: one of them is no number, no range of addresses, or a word that is not known.
    """
    given = os.environ.get
    name = given("CLASS_NAME") or "ml4music-class"
    try:
        return Settings(
            name, given("CLASS_IMAGE") or "ml4music-workshop:class", given("CLASS_MEMORY") or "2G",
            float(given("CLASS_CPUS") or 2), int(given("CLASS_IDLE_SECONDS") or 7200), int(given("CLASS_STARTS") or 8),
            given("CLASS_HANDED_OUT") or "", _is_on("CLASS_INTERNET"), _is_on("CLASS_TEACHER_ENTERS"),
            ipaddress.IPv4Network(given("CLASS_ADDRESSES") or "10.213.0.0/16"),
            tuple((given("CLASS_HOSTS") or "").split()),
            _one_of("CLASS_SIGN_IN", SHARED_PASSWORD, ACCOUNTS), _one_of("CLASS_SIGN_UP", APPROVED, OPEN, CLOSED),
        )  # fmt: skip
    except ValueError as error:
        raise UserError(
            f"a setting of the class cannot be read ({error}): look at those that begin with WORKSHOP_CLASS"
        ) from None
