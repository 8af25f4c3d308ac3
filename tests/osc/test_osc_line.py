"""The line of requests: all are answered in order, and a newer one for a slot takes the place of one that waits."""

import threading
from collections.abc import Sequence

import pytest
from osc_clients import until

from workshop.errors import UserError
from workshop.osc.desk import REPLACED, Tidy
from workshop.osc.line import Line, Request
from workshop.osc.server import ERROR, Answer, Argument


class Gate:
    """A line whose first request holds up all others until the gate opens."""

    def __init__(self, most: int = 64):
        self.heard: list[Answer] = []
        self.open, self.begun = threading.Event(), threading.Event()
        self.line = Line(self.heard.append, most)
        self.add("first", lambda: self._wait())
        assert self.begun.wait(5)

    def _wait(self) -> Sequence[Argument]:
        self.begun.set()
        assert self.open.wait(10)
        return []

    def add(self, name: Argument, work: object = lambda: ["made"], slot: object = None) -> None:
        self.line.add(Request(Tidy("/x", name), work, slot))  # type: ignore[arg-type]

    def names(self, count: int) -> list[tuple[str, Argument]]:
        """The addresses and ids of so many answers, after the gate has opened."""
        self.open.set()
        until(lambda: len(self.heard) >= count)
        return [(address, arguments[0]) for address, arguments in self.heard]


def test_twenty_at_once_are_answered_in_order_with_their_times() -> None:
    gate = Gate()
    for number in range(20):
        gate.add(number, slot=("x", number))
    assert gate.names(21) == [("/x", "first"), *(("/x", number) for number in range(20))]
    seconds = [arguments[1] for _, arguments in gate.heard]
    assert all(isinstance(one, float) and one >= 0 for one in seconds)
    assert gate.heard[-1][1][2:] == ["made"]


def test_a_newer_request_for_a_slot_takes_the_place_of_one_that_waits() -> None:
    gate = Gate()
    gate.add(1, lambda: ["old"], "slot")
    gate.add(2, slot="another slot")
    gate.add(1, lambda: ["new"], "slot")
    assert gate.heard[0][0] == REPLACED
    assert gate.heard[0][1][0::2] == [1, "/x"]
    assert gate.names(4) == [(REPLACED, 1), ("/x", "first"), ("/x", 1), ("/x", 2)]
    assert gate.heard[2][1][2:] == ["new"]


def test_one_that_is_being_made_is_not_replaced() -> None:
    gate = Gate()
    gate.add("first", lambda: ["again"])
    assert gate.names(2) == [("/x", "first"), ("/x", "first")]


def test_a_failure_is_told_and_the_next_request_is_made() -> None:
    def fail() -> Sequence[Argument]:
        raise UserError("it is too long")

    gate = Gate()
    gate.add(1, fail)
    gate.add(2, lambda: 1 // 0)
    gate.add(3)
    gate.names(4)
    assert [address for address, _ in gate.heard] == ["/x", ERROR, ERROR, "/x"]
    assert gate.heard[1][1][:2] == ["/x: it is too long", 1]
    assert "should not" in str(gate.heard[2][1][0])


def test_a_line_that_is_full_takes_no_more() -> None:
    gate = Gate(most=2)
    gate.add(1, slot=1)
    gate.add(2)
    with pytest.raises(UserError, match="2 requests wait already"):
        gate.add(3)
    gate.add(4, slot=1)
    assert gate.names(4)[-1] == ("/x", 2)
