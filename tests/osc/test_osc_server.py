"""The OSC server: what is asked for is done and answered, and what makes no sense is answered too."""

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from workshop.errors import UserError
from workshop.osc import server as osc
from workshop.osc.server import ERROR, HOST, OscServer, Route

pytest.importorskip("pythonosc")

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg


def wrong() -> None:
    raise ZeroDivisionError


@pytest.fixture
def served() -> Iterator[tuple[OscServer, list[Any]]]:
    heard: list[Any] = []

    def level(*value: float) -> list[float] | None:
        heard.extend(value)
        return None if value else [0.5]

    routes = {
        "/level": Route((float,), level, "the level", least=0),
        "/name": Route((int, str), lambda *given: heard.append(given), "a name"),
        "/wrong": Route((), wrong),
    }
    with OscServer(routes, 0) as server:
        yield server, heard


def message(address: str, *arguments: Any) -> bytes:
    return build_msg(address, list(arguments)).dgram


def test_a_message_by_udp_is_done_and_a_question_answered(served: tuple[OscServer, list[Any]]) -> None:
    server, heard = served
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(message("/level", 0.25), (HOST, server.port))
        client.sendto(message("/level"), (HOST, server.port))
        answer = OscMessage(client.recv(1000))
        assert (answer.address, answer.params) == ("/level", [0.5])
        client.sendto(b"\x00\x01 no OSC", (HOST, server.port))
        assert OscMessage(client.recv(1000)).address == ERROR
    assert heard == [0.25]


def test_arguments_are_read_as_what_they_should_be(served: tuple[OscServer, list[Any]]) -> None:
    server, heard = served
    assert server.answers(message("/level", 1)) == []
    assert server.answers(message("/name", 2.0, "x")) == []
    assert heard == [1.0, (2, "x")]
    assert isinstance(heard[0], float)


@pytest.mark.parametrize(
    ("address", "arguments", "words"),
    [
        ("/levle", [1.0], 'did you mean "/level"'),
        ("/level", ["loud"], "is not a number"),
        ("/level", [float("nan")], "is not a number"),
        ("/level", [float("inf")], "is not a number"),
        ("/level", [True], "is not a number"),
        ("/level", [1.0, 2.0], "it takes 0 to 1 arguments, and 2 were sent"),
        ("/name", [], "it takes 2 arguments, and 0 were sent"),
        ("/name", [1.5, "x"], "is not a whole number"),
        ("/name", [1e30, "x"], "is not a whole number"),  # no answer could hold it as an id
        ("/name", [1, 2], "is not a text"),
        ("/wrong", [], "should not"),
        ("/\x1b[31m", [], "there is no"),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(
    address: str, arguments: list[Any], words: str, served: tuple[OscServer, list[Any]]
) -> None:
    server, heard = served
    ((answered, (sentence,)),) = server.answers(message(address, *arguments))
    assert answered == ERROR
    assert words in sentence
    assert "\x1b" not in sentence
    assert heard == []


@pytest.mark.parametrize(
    "datagram",
    [b"", b"/level", b"#bundle\0", b"\xff" * 65_000, b"#bundle\0" + b"\0" * 8 + b"\0\0\xff\xff"],
)
def test_foreign_bytes_are_answered_and_never_raise(datagram: bytes, served: tuple[OscServer, list[Any]]) -> None:
    server, heard = served
    assert [address for address, _ in server.answers(datagram)] in ([ERROR], [])
    assert heard == []


def test_bundles_in_bundles_without_end_are_refused(served: tuple[OscServer, list[Any]]) -> None:
    packet = message("/level", 1.0)
    for _ in range(3000):
        packet = b"#bundle\0" + b"\0" * 7 + b"\1" + struct.pack(">i", len(packet)) + packet
    server, heard = served
    ((address, _),) = server.answers(packet)
    assert address == ERROR
    assert heard == []


def test_a_bundle_is_taken_whole(served: tuple[OscServer, list[Any]]) -> None:
    builder = OscBundleBuilder(IMMEDIATELY)
    for value in (0.1, 0.2):
        builder.add_content(OscMessage(message("/level", value)))
    server, heard = served
    assert server.answers(builder.build().dgram) == []
    assert heard == pytest.approx([0.1, 0.2])


def test_two_servers_do_not_talk_for_ever(served: tuple[OscServer, list[Any]]) -> None:
    assert served[0].answers(message(ERROR, "there is no /error")) == []


def test_help_lists_all_addresses(served: tuple[OscServer, list[Any]]) -> None:
    answers = served[0].answers(message("/help"))
    assert [address for address, _ in answers] == ["/help"] * 4
    assert ["/level", "the level"] in [list(arguments) for _, arguments in answers]


@pytest.mark.parametrize("host", ["192.0.2.1", "300.1.1.1", "a..b"])
def test_an_address_that_is_none_of_this_computer_is_said(host: str) -> None:
    with pytest.raises(UserError, match=f"{host} is no address"):
        OscServer({}, 0, host)


def test_a_port_in_use_and_a_missing_package_are_said(
    served: tuple[OscServer, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="is not available"):
        OscServer({}, served[0].port)
    monkeypatch.setitem(__import__("sys").modules, "pythonosc.osc_packet", None)
    with pytest.raises(UserError, match=r"requirements/live\.txt"):
        OscServer({}, 0)


def test_it_listens_on_loopback_alone(served: tuple[OscServer, list[Any]]) -> None:
    assert served[0]._socket.getsockname()[0] == "127.0.0.1"
    assert osc.HOST == "127.0.0.1"
