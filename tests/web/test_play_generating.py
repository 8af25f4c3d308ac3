"""Generating for the page: piece by piece, stopped, in a queue, and what becomes of the result."""

import asyncio
import hashlib
import io
import json
import re
import shutil
import threading
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playing import Alphabet, Page, Tone, in_a_loop, slow, start, text_of, until, visiting

from workshop import ROOT
from workshop.errors import UserError
from workshop.web import networks, results
from workshop.web.jobs import Line
from workshop.web.tunes import GeneratedTunes, is_tune

# ---- generating


def test_a_text_comes_piece_by_piece(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, prompt="Oh: ", length="10", seed="", temperature="0.5")
        begun, *heard, free = await until(connection, "free")
        assert begun == {"type": "begun", "makes": "text", "seed": 7, "length": 10}
        assert [message["type"] for message in heard] == ["text", "progress"] * 3 + ["done"]
        assert text_of(heard[:-1]) == "Oh: abcdefghij"
        assert [message["made"] for message in heard if message["type"] == "progress"] == [4, 8, 10]
        done = heard[-1]
        assert (done["formats"], done["stopped"], free) == (["txt"], False, {"type": "free"})
        file = await page.ask(f"made/{done['id']}.txt?download")
        assert file.body == b"Oh: abcdefghij\n"
        assert file.headers["Content-Disposition"].endswith("''char_rnn-verse.txt")

    visiting(visit)


def test_what_was_made_is_kept_under_the_next_free_name(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="3")
        *_, done = await until(connection, "done")
        own = {"Origin": f"http://{page.host}"}
        for number in ("01", "02"):
            kept = await page.ask(f"keep/{done['id']}", method="POST", body=b"", headers=own)
            assert json.loads(kept.body) == {"files": [f"data/generated/char_rnn-verse-{number}.txt"]}
            assert (play_clone / f"data/generated/char_rnn-verse-{number}.txt").read_text() == "abc\n"
        unknown = await page.ask("keep/" + "0" * 32, method="POST", body=b"", headers=own)
        assert (unknown.code, b"generate it again" in unknown.body) == (400, True)
        assert (await page.ask(f"made/{done['id']}.wav")).code == 400

    visiting(visit)


def test_sound_comes_as_samples_and_its_file_in_parts(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0, Tone)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, "wavenet/experiments/01", seconds="0.3")
        begun, *heard, done = await until(connection, "done")
        assert begun["rate"] == 100
        samples = np.frombuffer(b"".join(piece for piece in heard if isinstance(piece, bytes)), "<i2")
        np.testing.assert_allclose(samples / 32767, np.arange(30) / 100, atol=1e-4)
        whole = await page.ask(f"made/{done['id']}.wav")
        assert whole.body[:4] == b"RIFF"
        part = await page.ask(f"made/{done['id']}.wav", headers={"Range": "bytes=4-9"})
        assert (part.code, part.body) == (206, whole.body[4:10])
        assert part.headers["Content-Range"] == f"bytes 4-9/{len(whole.body)}"
        assert (await page.ask(f"made/{done['id']}.wav", headers={"Range": "bytes=9999-"})).code == 416
        assert done["formats"] == ["wav", "png"]
        assert (await page.ask(f"made/{done['id']}.png")).body[:4] == b"\x89PNG"

    visiting(visit)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"temperature": "0"}, "temperature: '0' is not a number above 0"),
        ({"length": "many"}, "length: 'many' is not a whole number of at least 1"),
        ({"length": "20001"}, "length: 20001 is more than the page makes at once, which is 20,000"),
        ({"prompt": "x" * 10_001}, "prompt: it is longer than the page takes"),
        ({"checkpoint": "/etc/passwd"}, "the page has no setting 'checkpoint' for text"),
        ({"length": ["5"]}, "the page has no setting 'length' for text"),
        ({"seconds": "5"}, "the page has no setting 'seconds' for text"),
    ],
)
def test_a_value_out_of_range_is_answered_as_on_the_command_line(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], sentence: str
) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, **values)
        *_, error = await until(connection, "error")
        assert error["sentence"].startswith(sentence)
        await until(connection, "free")
        await start(connection, length="2")
        assert text_of(await until(connection, "free")) == "ab"

    visiting(visit)


def test_a_mistake_of_the_program_is_said_and_the_page_goes_on(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, prompt="crash")
        *_, error = await until(connection, "error")
        assert "play.log says more" in error["sentence"]
        await until(connection, "free")
        await start(connection, length="1")
        await until(connection, "done")

    visiting(visit)
    assert "a mistake of the program" in caplog.text


@pytest.mark.parametrize(
    "message", ["", "{", "[1]", '{"type": "close"}', '{"type": ["start"]}', b"\x00\xff", "[" * 9999]
)
def test_what_no_page_says_closes_the_connection(play_clone: Path, message: str | bytes) -> None:
    async def visit(page: Page) -> None:
        connection = await page.connect()
        await connection.write_message(message, binary=isinstance(message, bytes))
        assert await connection.read_message() is None
        assert connection.close_code == 1003

    visiting(visit)


# ---- stop, and many at once


async def count_stays(network: Alphabet) -> None:
    """See that no piece is made any more, but for the one that was being made."""
    await asyncio.sleep(2 * network.pause)
    before = network.pieces
    await asyncio.sleep(5 * network.pause)
    assert network.pieces == before


def test_stop_ends_the_work_within_a_piece_and_what_was_made_stays(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = slow(monkeypatch, 0.05)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="10000")
        await until(connection, "progress")
        stopped = time.monotonic()
        await connection.write_message('{"type": "stop"}')
        *_, done, _ = await until(connection, "free")
        assert time.monotonic() - stopped < 3
        assert done["stopped"]
        assert (await page.ask(f"made/{done['id']}.txt")).body.startswith(b"abcd")
        await count_stays(loaded[0])

    visiting(visit)


def test_nobody_waits_for_a_network_that_is_being_loaded(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, gate = slow(monkeypatch, 0), threading.Event()
    load = networks.trained.load
    monkeypatch.setattr(networks.trained, "load", lambda path: gate.wait(10) and load(path))

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="8")
        await connection.write_message('{"type": "stop"}')
        assert await until(connection, "free") == [{"type": "free"}]
        await start(connection, length="4")
        gate.set()
        heard = await until(connection, "free")
        assert [message["type"] for message in heard] == ["begun", "text", "progress", "done", "free"]
        assert text_of(heard) == "abcd"
        assert loaded[0].pieces == 1

    visiting(visit)


def test_a_closed_page_ends_its_work(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = slow(monkeypatch, 0.05)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="10000")
        await until(connection, "progress")
        connection.close()
        await count_stays(loaded[0])
        assert not page.line.is_busy

    visiting(visit, at_once=1)


def test_so_many_run_so_many_wait_and_the_next_one_is_told(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = slow(monkeypatch, 0.02)

    async def visit(page: Page) -> None:
        connections = [await page.connect() for _ in range(5)]
        told = []
        for connection in connections:
            await start(connection, length="10000")
            told.append((await until(connection, "begun", "queued", "error"))[-1])
        assert [message["type"] for message in told] == ["begun", "begun", "queued", "queued", "error"]
        assert [message["place"] for message in told[2:4]] == [1, 2]
        assert told[4]["sentence"].startswith("2 are generating and 2 wait already")
        await until(connections[4], "free")
        for connection in connections[:2] * 3:
            await until(connection, "progress")  # in turn: neither takes the network for itself
        await connections[0].write_message('{"type": "stop"}')
        assert (await until(connections[2], "begun"))[-1]["type"] == "begun"
        assert (await until(connections[3], "queued"))[-1] == {"type": "queued", "place": 1}
        await connections[3].write_message('{"type": "stop"}')
        await until(connections[3], "free")
        # Of one network a piece is made at a time, whoever wants it.
        assert len(loaded) == 1
        assert loaded[0].most_at_once == 1

    visiting(visit, at_once=2, waiting=2)


def test_a_page_generates_one_thing_at_a_time(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0.02)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="10000")
        await start(connection, length="10000")
        *_, error = await until(connection, "error")
        assert "generating already" in error["sentence"]

    visiting(visit)


def test_a_full_line_takes_nothing_on() -> None:
    """Without a server, so that the number of the queue is seen at once."""

    async def scenario() -> None:
        from workshop.web.jobs import Job

        line, gate, places = Line(1, 1), threading.Event(), []
        line.add(Job(lambda job: gate.wait(5) and None))
        line.add(Job(lambda job: None, places.append))
        assert places == [1]
        with pytest.raises(UserError, match="1 are generating and 1 wait already"):
            line.add(Job(lambda job: None))
        gate.set()
        while line.is_busy:
            await asyncio.sleep(0.01)
        line.stop_all()

    in_a_loop(scenario())


# ---- networks


def test_the_last_networks_stay_loaded_and_a_changed_one_is_loaded_again(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = slow(monkeypatch, 0)
    shelf = networks.Networks(most=2)
    first = shelf.get("pretrained/char_rnn/verse")
    assert shelf.get("pretrained/char_rnn/verse") is first
    shelf.get("char_rnn/experiments/01")
    shelf.get("char_rnn/experiments/03")
    assert len(loaded) == 3
    assert shelf.get("pretrained/char_rnn/verse") is not first
    record = play_clone / "pretrained/char_rnn/verse/run.json"
    record.write_text(record.read_text() + "\n")
    shelf.get("pretrained/char_rnn/verse")
    assert len(loaded) == 5
    shutil.rmtree(play_clone / "pretrained/char_rnn/verse")
    with pytest.raises(UserError, match="the page has no experiment"):
        shelf.get("pretrained/char_rnn/verse")


def test_a_network_that_is_there_does_not_wait_for_one_that_is_loaded(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch, 0)
    shelf = networks.Networks()
    first = shelf.get("pretrained/char_rnn/verse")
    gate, load = threading.Event(), networks.trained.load
    monkeypatch.setattr(networks.trained, "load", lambda path: gate.wait(10) and load(path))
    loading = [threading.Thread(target=shelf.get, args=["char_rnn/experiments/01"]) for _ in range(2)]
    for thread in loading:
        thread.start()
    assert shelf.get("pretrained/char_rnn/verse") is first
    assert all(thread.is_alive() for thread in loading)
    gate.set()
    for thread in loading:
        thread.join(10)
    assert len(shelf._loaded) == 2


def test_the_network_is_warmed_up_when_there_is_nothing_else_to_do(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = slow(monkeypatch, 0)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await connection.write_message('{"type": "warm", "experiment": "pretrained/char_rnn/verse"}')
        await until(connection, "warm")
        assert loaded[0].pieces == 1
        await start(connection, length="4")
        await until(connection, "done")
        assert len(loaded) == 1

    visiting(visit)


# ---- tunes


def test_a_text_of_tunes_can_be_played(tmp_path: Path) -> None:
    slow_tune = "T:One\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\nCDEF|\n"
    text = f"{slow_tune}\nX:2\nT:Two\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\ncccc|\n\nX:3\nT:ha"
    assert is_tune(text)
    tunes = GeneratedTunes(text)
    assert tunes == f"X:1\n{text}"
    np.testing.assert_allclose(tunes.notes[:, 0], [0, 2, 4, 6, 10, 11, 12, 13])  # in beats of half a second
    assert tunes.notes[:, 2].tolist() == [60, 62, 64, 65, 72, 72, 72, 72]
    made = results.Made("char_rnn", "tunes", "text", tunes)
    assert made.formats == ["abc", "mid", "wav", "png"]
    assert made.file("png")[:4] == b"\x89PNG"
    assert made.file("abc").decode() == f"X:1\n{text}\n"
    assert made.file("mid")[:4] == b"MThd"
    with wave.open(io.BytesIO(made.file("wav"))) as sound:
        assert sound.getnframes() / sound.getframerate() > 6


def test_other_texts_are_no_tunes() -> None:
    assert not is_tune("K: Oh, you\nX marks the spot")
    assert results.Made("char_rnn", "01", "text", GeneratedTunes("X:1\nK:C\n")).formats == ["abc"]


@pytest.mark.parametrize("folder", ["workshop/web/static/vendor", "tests/web/vendor"])
def test_the_libraries_of_others_are_what_their_packages_hold(folder: str) -> None:
    vendor = ROOT / folder
    sums = dict(re.findall(r"^\| `([\w.-]+)`.*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.MULTILINE))
    assert set(sums) == {file.name for file in vendor.glob("*.js")}
    for name, expected in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == expected
