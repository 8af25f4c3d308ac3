"""Listening blind: the server, the votes, and how sure one can be of them."""

import asyncio
import errno
import json
import math
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from booths import pairs_of
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from workshop.concert import command_line, server
from workshop.concert.votes import Booth, Count, Vote, fingerprint, independent, table, wilson
from workshop.errors import UserError
from workshop.files import write_json
from workshop.web.security import Guard

TOKEN = "0123456789abcdef0123456789abcdef"
LISTENER = "ab" * 16
PAIRS = """
title = "Which one?"
[[pair]]
question = "Which do you like better?"
labels = ["cool", "hot"]
files = ["cool1.wav", "hot1.wav"]
[[pair]]
question = "Which do you like better?"
labels = ["cool", "hot"]
files = ["cool2.wav", "hot2.wav"]
[[pair]]
question = "Which one is real?"
labels = ["made", "real"]
files = ["made.txt", "real.txt"]
"""


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two pairs of sounds, of which the hot ones are longer, and a pair of texts."""
    seconds = {"cool1": 0.5, "cool2": 0.5, "hot1": 3, "hot2": 3}
    return pairs_of(tmp_path, PAIRS, seconds, {name: f"words of the {name} one" for name in ("made", "real")})


@pytest.fixture
def booth(pairs: Path) -> Booth:
    return Booth(pairs, pairs.with_name("votes"))


def test_the_interval_is_wilsons() -> None:
    """Numbers of Newcombe 1998, table I, method 3."""
    for chosen, votes, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson(chosen, votes) == pytest.approx((low, high), abs=5e-5)
    assert wilson(29, 29)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    for truth in (0.5, 0.8):
        counts = rng.binomial(40, truth, 2000)
        inside = [low <= truth <= high for low, high in (wilson(int(count), 40) for count in counts)]
        assert 0.92 < np.mean(inside) < 0.98


def test_it_holds_the_truth_where_each_listener_has_a_taste_and_votes_often() -> None:
    """Half of all people like A better in this simulation; a few of them, asked twenty times each, may not."""
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(1000):
        chosen = rng.binomial(20, rng.beta(0.5, 0.5, 8))
        low, high = Count("", ("", ""), int(chosen.sum()), 160, 8, independent([20] * 8)).interval
        inside.append(low <= 0.5 <= high)
    assert np.mean(inside) > 0.92


def test_votes_are_worth_as_many_as_there_are_listeners() -> None:
    assert independent([1] * 40) == 40
    assert independent([2] * 20) == 20
    assert independent([30, 1]) == pytest.approx(1.07, abs=0.01)
    assert independent([]) == 0


def test_who_votes_often_alone_says_nothing_about_others(booth: Booth) -> None:
    for number in (1, 2):
        booth.add(LISTENER, number, 0, 0)
    like, _ = booth.counts()
    assert (like.first, like.votes, like.listeners) == (2, 2, 1)
    assert like.interval == wilson(1, 1)


def test_a_copy_of_a_vote_counts_once(booth: Booth, pairs: Path) -> None:
    booth.add(LISTENER, 1, 0, 0)
    (vote,) = pairs.with_name("votes").iterdir()
    shutil.copy(vote, vote.with_name("copy.json"))
    assert booth.counts()[0].votes == 1


def test_votes_are_files_and_are_counted_with_their_margin(booth: Booth) -> None:
    for listener in range(20):
        booth.add(f"{listener:032x}", 1, 1, 0)
        booth.add(f"{listener:032x}", 2, int(listener > 2), 1)
    booth.add(f"{1:032x}", 3, 0, 0)
    like, real = booth.counts()
    assert (like.first, like.votes, like.listeners) == (3, 40, 20)
    assert like.verdict == "hot is preferred"
    assert real.verdict == "no difference can be told"
    said = table(booth.counts())
    assert "cool: 3 of 40 votes, 8 %" in said
    assert "made: 1 of 1 votes, 100 %" in said


def test_the_first_vote_of_a_listener_counts(booth: Booth) -> None:
    booth.add(LISTENER, 1, 0, 0)
    booth.add(LISTENER, 1, 1, 0)
    assert booth.counts()[0].first == 1
    assert booth.voted(LISTENER) == {1}


def test_a_vote_that_could_not_be_written_is_not_given_yet(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="no space left"):
            booth.add(LISTENER, 1, 0, 0)
    assert booth.voted(LISTENER) == set()
    booth.add(LISTENER, 1, 1, 0)
    assert (booth.counts()[0].first, booth.counts()[0].votes) == (0, 1)


def test_what_is_no_vote_or_one_for_something_else_is_not_counted(booth: Booth, pairs: Path) -> None:
    booth.add(LISTENER, 1, 0, 0)
    votes = pairs.with_name("votes")
    (votes / "broken.json").write_text("{")
    write_json(
        votes / "three.json", {"listener": "x", "pair": 1, "of": fingerprint(booth.pairs[0]), "chosen": 3, "first": 0}
    )
    pairs.write_text(PAIRS.replace("cool1.wav", "cool2.wav"))
    assert Booth(pairs, votes).counts()[0].votes == 0
    assert booth.counts()[0].votes == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cool1.wav", "made.txt", "of different kinds"),
        ("cool1.wav", "none.wav", "cannot be read"),
        ('labels = ["cool", "hot"]', 'labels = ["cool"]', "labels"),
        (PAIRS, "pair = []", "has no pair"),
    ],
)
def test_mistakes_are_said_before_anybody_listens(pairs: Path, old: str, new: str, said: str) -> None:
    pairs.write_text(PAIRS.replace(old, new))
    with pytest.raises(UserError, match=said):
        Booth(pairs, pairs.with_name("votes")).media()


Ask = Callable[..., Awaitable[HTTPResponse]]


def visit(booth: Booth, what: Callable[[Ask], Awaitable[None]]) -> None:
    """Serve the page, and let `what` ask it as a listener."""

    async def serve() -> None:
        socket, port = bind_unused_port()
        guard = Guard(TOKEN, port)
        listening = HTTPServer(server.application(guard, booth), max_body_size=server.LARGEST_REQUEST)
        listening.add_sockets([socket])
        address = f"http://127.0.0.1:{port}"

        def ask(path: str, listener: str = LISTENER, body: Any = None, **headers: str) -> Awaitable[HTTPResponse]:
            cookies = f"{guard.cookie}={guard.pass_value}; {guard.cookie}-listener={listener}"
            own = {"Cookie": cookies, "Origin": address} | headers
            content = None if body is None else json.dumps(body)
            request = HTTPRequest(
                address + path, "GET" if body is None else "POST", own, content, follow_redirects=False
            )
            return AsyncHTTPClient().fetch(request, raise_error=False)

        try:
            await what(ask)
        finally:
            listening.stop()
            await listening.close_all_connections()

    asyncio.run(serve())


def test_a_listener_gets_all_pairs_and_never_what_they_are_called(booth: Booth) -> None:
    async def listen(ask: Ask) -> None:
        for left in (3, 2, 1):
            answer = await ask("/next")
            said = json.loads(answer.body)
            assert said["left"] == left
            assert not any(label in answer.body.decode() for label in ("cool", "hot", '"made"', '"real"', ".wav"))
            assert (await ask("/choose", body={"number": said["number"], "side": 0})).code == 200
        assert "number" not in json.loads((await ask("/next")).body)

    visit(booth, listen)
    assert sum(count.votes for count in booth.counts()) == 3


def test_a_vote_is_for_what_was_heard_in_whichever_order(booth: Booth) -> None:
    """All choose the longer sound, which is the hot one; it stands first for about half of them."""
    firsts = []

    async def listen(ask: Ask) -> None:
        for listener in (f"{number:032x}" for number in range(24)):
            sizes = [len((await ask(f"/piece/1/{side}", listener)).body) for side in (0, 1)]
            firsts.append(sizes[0] > sizes[1])
            side = int(np.argmax(sizes))
            assert (await ask("/choose", listener, {"number": 1, "side": side})).code == 200

    visit(booth, listen)
    count = booth.counts()[0]
    assert (count.first, count.votes) == (0, 24)
    # Twice in a million times one order comes so seldom.
    assert 2 <= sum(firsts) <= 22
    votes = [Vote(**json.loads(path.read_text())) for path in booth._votes.iterdir()]
    assert sum(vote.first for vote in votes) == sum(firsts)


def test_a_part_of_a_sound_can_be_asked_for(booth: Booth) -> None:
    async def listen(ask: Ask) -> None:
        whole = (await ask("/piece/1/0")).body
        part = await ask("/piece/1/0", Range="bytes=10-19")
        assert (part.code, part.body) == (206, whole[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
        for nothing in ("bytes=20-10", f"bytes={len(whole)}-"):
            assert (await ask("/piece/1/0", Range=nothing)).code == 416

    visit(booth, listen)


@pytest.mark.parametrize(
    "body",
    [{}, [], 3, {"number": 1}, {"number": "1", "side": 0}, {"number": 1, "side": 2}, {"number": True, "side": 0},
     {"number": 0, "side": 0}, {"number": 99, "side": 0}, {"number": 1.0, "side": 0}],
)  # fmt: skip
def test_what_is_no_vote_is_refused(booth: Booth, body: Any) -> None:
    async def listen(ask: Ask) -> None:
        assert (await ask("/choose", body=body)).code in (400, 404)
        assert (await ask("/piece/99/0")).code == 404

    visit(booth, listen)
    assert not any(count.votes for count in booth.counts())


def test_nobody_listens_without_the_token_or_votes_from_elsewhere(booth: Booth) -> None:
    async def listen(ask: Ask) -> None:
        for path in ("/", "/next", "/piece/1/0"):
            assert (await ask(path, Cookie="")).code == 403
        vote = {"number": 1, "side": 0}
        assert (await ask("/choose", body=vote, Origin="http://evil.example")).code == 403
        assert (await ask("/next", Host="evil.example")).code == 403
        assert (await ask("/choose", body={"number": 1, "side": 0, "more": "x" * 10_000})).code in (400, 413, 599)
        assert "default-src 'none'" in (await ask("/")).headers["Content-Security-Policy"]
        # A listener's number that was made up is replaced by one of ours.
        answer = await ask("/choose", "../../../etc", vote)
        assert answer.code == 200
        assert "-listener=" in answer.headers["Set-Cookie"]

    visit(booth, listen)
    assert all(len(path.name.split("-")[0]) == 32 for path in booth._votes.iterdir())


def test_a_votes_folder_that_cannot_be_written_is_said(booth: Booth, pairs: Path) -> None:
    pairs.with_name("votes").write_text("a file")

    async def listen(ask: Ask) -> None:
        answer = await ask("/choose", body={"number": 1, "side": 0})
        assert answer.code == 507
        assert b"cannot be written" in answer.body

    visit(booth, listen)
    assert math.isfinite(booth.counts()[0].votes)


def test_a_folder_in_place_of_the_file_of_pairs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["concert", "results", "."])
    with pytest.raises(UserError, match="is a folder: name the file of the pairs"):
        command_line.main()
