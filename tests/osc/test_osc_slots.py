"""What other programs say to the slots of the page of loops: what fits is told to the page, all else is answered."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

pytest.importorskip("pythonosc")

from free_ports import free_port
from osc_clients import Client
from pythonosc.osc_message_builder import build_msg

from workshop.errors import UserError
from workshop.host.ports import PLAY, Server
from workshop.osc.page import OpenPages, where_it_runs
from workshop.osc.server import ERROR, OscServer
from workshop.osc.slots import ALL, ONE, routes

Ask = Callable[..., list[Any]]


class Told:
    """A page that notes down what it is told, and says that so it is."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.holds: list[Any] | None = None

    def tell(self, what: str, slot: int, values: Sequence[float]) -> list[Any]:
        self.heard.append((what, slot, *values))
        return list(values) if self.holds is None else self.holds


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Told, OscServer]]:
    """A server and the page that it tells."""
    page = Told()
    with OscServer(routes(page), 0) as there:
        yield page, there


@pytest.fixture
def told(server: tuple[Told, OscServer]) -> Told:
    """The page, which has heard nothing yet."""
    server[0].heard, server[0].holds = [], None
    return server[0]


@pytest.fixture
def ask(server: tuple[Told, OscServer]) -> Ask:
    """Gives the answers to a message."""
    return lambda address, *arguments: server[1].answers(build_msg(address, list(arguments)).dgram)


@pytest.mark.parametrize(
    ("address", "arguments", "heard"),
    [
        ("/slots/play", [], ("play", 0)),
        ("/slots/play", [1.0], ("play", 0, 1)),
        ("/slots/stop", [1.0], ("stop", 0, 1)),
        ("/slots/tempo", [133], ("tempo", 0, 133)),
        ("/slots/order", [8, 7, 6, 5, 4, 3, 2, 1], ("order", 0, 8, 7, 6, 5, 4, 3, 2, 1)),
        ("/slots/swap", [1, 8], ("swap", 0, 1, 8)),
        ("/slot/3/level", [0.5], ("level", 3, 0.5)),
        ("/slot/8/mute", [1.0], ("mute", 8, 1)),
        ("/slot/1/random", [], ("random", 1)),
        ("/slot/1/seed", [7], ("seed", 1, 7)),
        ("/slot/1/point", [0.5, -1, 2], ("point", 1, 0.5, -1, 2)),
        ("/slot/2/pad", [-1.0, 1.0], ("pad", 2, -1, 1)),
        ("/slot/2/fade", [5, 16], ("fade", 2, 5, 16)),
    ],
)
def test_what_fits_is_told_to_the_page_and_answered_by_what_holds(
    address: str, arguments: list[Any], heard: tuple[Any, ...], told: Told, ask: Ask
) -> None:
    assert ask(address, *arguments) == [(address, arguments)]
    assert told.heard == [heard]


@pytest.mark.parametrize(
    ("address", "arguments", "words"),
    [
        ("/slot/9/level", [0.5], "there is no /slot/9/level"),
        ("/slot/0/level", [0.5], "there is no /slot/0/level"),
        ("/slot/1/levle", [0.5], 'did you mean "/slot/1/level"'),
        ("/slot/1/level", [1.5], "1.5 is not a level from 0 to 1"),
        ("/slot/1/level", ["loud"], "is not a number"),
        ("/slot/1/level", [0.5, 0.5], "it takes 0 to 1 arguments, and 2 were sent"),
        ("/slot/1/mute", [2], "2 is not a switch from 0 to 1"),
        ("/slot/1/mute", [0.5], "is not a whole number"),
        ("/slot/1/seed", [], "it takes 1 arguments, and 0 were sent"),
        ("/slot/1/seed", [-1], "-1 is not a seed from 0"),
        ("/slot/1/point", [0.5, "x"], "is not a number"),
        ("/slot/1/point", [0.5, 1e9], "is not a latent value from -100 to 100"),
        ("/slot/1/pad", [0.5], "it takes 2 arguments, and 1 were sent"),
        ("/slot/1/fade", [9, 4], "9 is not a slot from 1 to 8"),
        ("/slot/1/fade", [2, 17], "17 is not a number of bars from 2 to 16"),
        ("/slots/tempo", [5], "5 is not a tempo from 20 to 999"),
        ("/slots/order", [1, 2, 3], "it takes 8 arguments, and 3 were sent"),
        ("/slots/swap", [0, 1], "0 is not a slot from 1 to 8"),
    ],
)
def test_what_makes_no_sense_is_answered_and_never_told(
    address: str, arguments: list[Any], words: str, told: Told, ask: Ask
) -> None:
    ((answered, (sentence,)),) = ask(address, *arguments)
    assert (answered, words in sentence, told.heard) == (ERROR, True, [])


def test_a_button_does_nothing_when_it_is_let_go(told: Told, ask: Ask) -> None:
    for name, button in [("/slots/stop", "stop"), ("/slot/4/random", "random"), ("/slot/4/empty", "empty")]:
        assert ask(name, 0.0) == []
        assert told.heard == []
        ask(name, 1.0)
        assert told.heard.pop()[0] == button


def test_what_holds_is_asked_without_a_number_and_answered_as_what_it_is(told: Told, ask: Ask) -> None:
    for address, holds, answer in [
        ("/slot/1/level", [1], [1.0]),
        ("/slot/1/mute", [1.0], [1]),
        ("/slots/order", [2.0, 1], [2, 1]),
        ("/slot/1/point", [1, 0.5], [1.0, 0.5]),
    ]:
        told.holds = holds
        ((answered, values),) = ask(address)
        assert (answered, values) == (address, answer)
        assert [type(value) for value in values] == [type(value) for value in answer]
    told.holds = [None]
    ((answered, (sentence,)),) = ask("/slot/1/level")
    assert (answered, "None is not a number" in sentence) == (ERROR, True)


def test_help_names_each_address_once_and_the_slots_by_the_first(ask: Ask) -> None:
    listed = [arguments[0] for _, arguments in ask("/help")]
    assert listed == [*(f"/slots/{name}" for name in ALL), *(f"/slot/1/{name}" for name in ONE), "/help"]


def test_that_nothing_answers_is_said_and_looked_for_again() -> None:
    places = iter([free_port(), free_port()])
    page = OpenPages("token", lambda: Server(PLAY, "127.0.0.1", next(places)))
    with Client() as client, OscServer(routes(page), 0, deliver=client.deliver) as server:
        client.to = server.port
        for _ in range(2):
            address, sentence = client.ask("/slots/play")
            assert address == ERROR
            assert "/slots/play: the page's server does not answer: type " in sentence
    assert next(places, None) is None


def test_the_page_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workshop.osc.page.services.remembered", lambda name: None)
    monkeypatch.setenv("WORKSHOP_PORT_PLAY", "7105")
    assert where_it_runs().port == 7105
    monkeypatch.setenv("WORKSHOP_PORT_PLAY", "x")
    with pytest.raises(UserError, match="which is not a port"):
        where_it_runs()
