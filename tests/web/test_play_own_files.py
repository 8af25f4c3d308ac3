"""Files of one's own that the page takes: where they land, what is refused, and what is said of them."""

import asyncio
import contextlib
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playing import Page, visiting
from tornado.httpclient import HTTPResponse

from workshop.errors import UserError
from workshop.web import own_files
from workshop.web.own_files import Upload


async def send(page: Page, name: str, body: bytes, **headers: str) -> HTTPResponse:
    own = {"Origin": f"http://{page.host}", **headers}
    return await page.ask(f"mine?name={quote(name)}", method="POST", body=body, headers=own)


def files_in(clone: Path) -> dict[str, bytes]:
    """All files below the data folder, and beside the clone whatever a name could have reached."""
    top = clone.parent
    return {
        path.relative_to(clone / "data").as_posix(): path.read_bytes()
        for path in (clone / "data").rglob("*")
        if path.is_file()
    } | {path.name: path.read_bytes() for path in top.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("My song.txt", "lyrics/mine/My song.txt"),
        ("tune.MID", "midi/mine/tune.mid"),
        ("loop.wav", "audio/mine/loop.wav"),
        ("../../../evil.txt", "lyrics/mine/evil.txt"),
        ("C:\\songs\\x.txt", "lyrics/mine/x.txt"),
        ("/etc/cron.d/x.txt", "lyrics/mine/x.txt"),
        (".hidden.txt", "lyrics/mine/hidden.txt"),
        ("a\x00b\n.txt", "lyrics/mine/a b.txt"),
        ("input.txt", "lyrics/mine/input-1.txt"),
        ("x" * 300 + ".txt", "lyrics/mine/" + "x" * 59 + "….txt"),
    ],
)
def test_a_file_lands_in_the_folder_of_its_kind_whatever_its_name(play_clone: Path, name: str, file: str) -> None:
    async def visit(page: Page) -> None:
        answer = await send(page, name, b"la la")
        assert (answer.code, json.loads(answer.body)["name"]) == (200, Path(file).name)

    visiting(visit)
    assert files_in(play_clone) == {file: b"la la"}


def test_nothing_is_overwritten(play_clone: Path) -> None:
    async def visit(page: Page) -> None:
        for number in range(3):
            await send(page, "song.txt", b"%d" % number)

    visiting(visit)
    names = ("song", "song-2", "song-3")
    assert files_in(play_clone) == {f"lyrics/mine/{name}.txt": b"%d" % number for number, name in enumerate(names)}


@pytest.mark.parametrize("name", ["", "song", "program.py", "song.txt.exe", "archive.zip", "x.txt/"])
def test_other_files_are_refused_with_what_is_taken(play_clone: Path, name: str) -> None:
    async def visit(page: Page) -> None:
        answer = await send(page, name, b"la la")
        assert answer.code == 400
        assert b"no lesson learns from such a file" in answer.body
        assert b".mid" in answer.body

    visiting(visit)
    assert not (play_clone / "data").exists()


def test_a_file_or_a_folder_that_is_too_large_leaves_nothing(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_files, "LARGEST", 300_000)
    monkeypatch.setattr(own_files, "LARGEST_FOLDER", 450_000)

    async def visit(page: Page) -> None:
        assert (await send(page, "most.txt", b"x" * 300_000)).code == 200  # more than any other request may have
        assert (await send(page, "more.txt", b"x" * 300_001)).code == 400
        assert (await send(page, "full.txt", b"x" * 200_000)).code == 400
        assert (await send(page, "empty.txt", b"")).code == 400
        assert (await send(page, "fits.txt", b"x" * 150_000)).code == 200
        answer = await send(page, "none.txt", b"x")
        assert (answer.code, b"by hand" in answer.body) == (400, True)

    visiting(visit)
    assert sorted(files_in(play_clone)) == ["lyrics/mine/fits.txt", "lyrics/mine/most.txt"]


def test_why_a_large_file_is_not_taken_is_read_by_who_sends_it(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a browser, a connection that is closed before all has been sent tells nothing; nor to Python's client."""
    monkeypatch.setattr(own_files, "MOST", 0)

    def post(page: Page) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=20)
        headers = {"Host": page.host, "Origin": f"http://{page.host}", **page.cookie}
        connection.request("POST", "/mine?name=long.wav", b"x" * (40 << 20), headers)
        answer = connection.getresponse()
        with contextlib.closing(connection):
            return answer.status, answer.read()

    async def visit(page: Page) -> None:
        status, said = await asyncio.to_thread(post, page)
        assert (status, b"is full for the page" in said) == (400, True)

    visiting(visit)
    assert files_in(play_clone) == {}


def test_a_much_too_large_one_is_not_even_read(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_files, "LARGEST", 1_000)

    async def visit(page: Page) -> None:
        assert (await send(page, "huge.txt", b"x" * 2_000_000)).code in (400, 599)

    visiting(visit)
    assert files_in(play_clone) == {}


def test_strangers_send_nothing(play_clone: Path) -> None:
    async def visit(page: Page) -> None:
        for headers in ({"Cookie": ""}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            assert (await send(page, "song.txt", b"la", **headers)).code == 403
            asked = await page.ask("mine/text", method="POST", body=b"", headers={"Origin": "x", **headers})
            assert asked.code == 403

    visiting(visit)
    assert not (play_clone / "data").exists()


def test_a_link_is_not_followed(play_clone: Path) -> None:
    (play_clone / "data" / "lyrics").mkdir(parents=True)
    (play_clone / "data" / "lyrics" / "mine").symlink_to(play_clone.parent / "secret")
    with pytest.raises(UserError, match="does not write"):
        Upload("song.txt")
    with pytest.raises(UserError, match="there is no kind"):
        own_files.folder_of("../lyrics")


def test_what_a_browser_breaks_off_leaves_nothing(play_clone: Path) -> None:
    upload = Upload("song.txt")
    upload.write(b"half")
    upload.give_up()
    assert files_in(play_clone) == {}


def test_a_disk_that_is_full_is_one_sentence(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    upload = Upload("song.txt")
    upload.write(b"la")
    monkeypatch.setattr(own_files.os, "replace", full)
    with pytest.raises(UserError, match="no space left on device"):
        upload.finish()
    upload.give_up()
    assert files_in(play_clone) == {}


def test_what_inspect_says_and_the_command_to_train(play_clone: Path, tiny_text: Path) -> None:
    async def visit(page: Page) -> None:
        own = {"Origin": f"http://{page.host}"}
        missing = await page.ask("mine/text", method="POST", body=b"", headers=own)
        assert (missing.code, b"there is no data/lyrics/mine" in missing.body) == (400, True)
        await send(page, "songs.txt", (tiny_text / "input.txt").read_bytes())
        answer = await page.ask("mine/text", method="POST", body=b"", headers=own)
        said = json.loads(answer.body)
        assert said["will_train"]
        assert said["report"].splitlines()[-1].startswith("verdict     will train")
        assert said["command"].endswith("python char_rnn/train.py --data_dir data/lyrics/mine")
        await send(page, "noise.wav", b"this is no sound")
        answer = await page.ask("mine/audio", method="POST", body=b"", headers=own)
        assert json.loads(answer.body)["will_train"] is False
        assert (await page.ask("mine/other", method="POST", body=b"", headers=own)).code == 404

    visiting(visit)
