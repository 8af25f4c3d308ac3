"""What was recorded or played on the page: what is taken, and that a network goes on from it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playing import Page, Tone, slow, start, until, visiting
from tornado.httpclient import HTTPResponse

from workshop.audio.synthesis import write_wav
from workshop.errors import UserError
from workshop.notes import midifiles
from workshop.web.prompts import LARGEST, MOST, Prompts, melody_file

NOTES = [[0.5, 1, 62, 80], [0, 0.5, 60, 100]]


async def send(page: Page, kind: str, body: bytes, **headers: str) -> HTTPResponse:
    own = {"Origin": f"http://{page.host}", **headers}
    return await page.ask(f"prompt/{kind}", method="POST", body=body, headers=own)


@pytest.fixture
def recording(tmp_path: Path) -> bytes:
    """A WAV file of two seconds, more than any other request may have."""
    write_wav(tmp_path / "recording.wav", np.sin(np.arange(96_000) / 20), 48_000)
    return (tmp_path / "recording.wav").read_bytes()


def test_what_was_played_becomes_a_midi_file(tmp_path: Path) -> None:
    (tmp_path / "melody.mid").write_bytes(melody_file(NOTES))
    track = midifiles.read(tmp_path / "melody.mid")
    np.testing.assert_allclose(track.notes[:, :3], [[0, 1, 60], [1, 2, 62]], atol=0.01)


@pytest.mark.parametrize(
    "said",
    [
        None, [], {}, "notes", [[0, 1, 60]], [[0, 1, 60, 0]], [[0, 1, 128, 80]], [[0, 1, 60.5, 80]], [[1, 1, 60, 80]],
        [[-1, 1, 60, 80]], [[0, 1e9, 60, 80]], [[0, float("nan"), 60, 80]], [[0, True, 60, 80]], [["0", 1, 60, 80]],
        [[0, 1, 60, 80]] * 501, [[0, 10**400, 60, 80]], [[0, 1, 60, float("inf")]],
    ],
)  # fmt: skip
def test_what_is_no_melody_is_refused(said: Any) -> None:
    with pytest.raises(UserError, match="up to 500 notes within 120 seconds"):
        melody_file(said)


def test_only_the_last_ones_are_remembered(recording: bytes, tmp_path: Path) -> None:
    prompts = Prompts()
    names = [prompts.add("sound", recording) for _ in range(MOST + 1)]
    assert prompts.content("sound", names[-1]) == recording
    for makes, name in (("sound", names[0]), ("notes", names[-1]), ("sound", "x")):
        with pytest.raises(UserError, match="record or play it again"):
            prompts.content(makes, name)
    with prompts.file("sound", names[-1]) as path:
        assert path.read_bytes() == recording
    assert not path.exists()
    for wrong in (b"", b"x" * 50, recording[:30]):
        with pytest.raises(UserError, match="no WAV file"):
            prompts.add("sound", wrong)
    write_wav(tmp_path / "empty.wav", np.zeros(0), 8_000)
    with pytest.raises(UserError, match="empty: record again"):
        prompts.add("sound", (tmp_path / "empty.wav").read_bytes())
    write_wav(tmp_path / "long.wav", np.zeros(31 * 8_000), 8_000)
    with pytest.raises(UserError, match="takes 30 seconds"):
        prompts.add("sound", (tmp_path / "long.wav").read_bytes())
    with pytest.raises(UserError, match="too large"):
        prompts.add("sound", bytes(LARGEST + 1))


def test_a_network_goes_on_from_what_was_recorded(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch, recording: bytes
) -> None:
    given: list[Any] = []

    class Listening(Tone):
        def stream(self, prompt: Any = None, **values: Any) -> Any:  # type: ignore[override]
            given.append(prompt and prompt.read_bytes())
            return super().stream(**values)

    slow(monkeypatch, 0, Listening)

    async def visit(page: Page) -> None:
        answer = await send(page, "sound", recording)
        name = json.loads(answer.body)["id"]
        assert (await page.ask(f"prompt/{name}.wav")).body == recording
        connection = await page.connect()
        await start(connection, "wavenet/experiments/01", seconds="0.1", prompt=name)
        await until(connection, "done")
        await until(connection, "free")
        await start(connection, "wavenet/experiments/01", seconds="0.1", prompt="../../secret")
        *_, error = await until(connection, "error")
        assert error["sentence"].endswith("record or play it again")

    visiting(visit)
    assert given == [recording]


def test_a_recording_that_cannot_be_used_is_not_named_by_a_path(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch, recording: bytes
) -> None:
    class Deaf(Tone):
        def stream(self, prompt: Any = None, **values: Any) -> Any:  # type: ignore[override]
            raise UserError(f"{prompt} is silent")

    slow(monkeypatch, 0, Deaf)

    async def visit(page: Page) -> None:
        name = json.loads((await send(page, "sound", recording)).body)["id"]
        connection = await page.connect()
        await start(connection, "wavenet/experiments/01", prompt=name)
        *_, error = await until(connection, "error")
        assert error["sentence"] == "what was recorded is silent"

    visiting(visit)


def test_strangers_send_nothing_and_what_is_wrong_is_refused(play_clone: Path, recording: bytes) -> None:
    async def visit(page: Page) -> None:
        for headers in ({"Cookie": ""}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            assert (await send(page, "sound", recording, **headers)).code == 403
        assert (await page.ask("prompt/" + "0" * 32 + ".wav", headers={"Cookie": ""})).code == 403
        assert (await page.ask("prompt/" + "0" * 32 + ".wav")).code == 400
        assert (await send(page, "text", b"la")).code == 404
        assert (await send(page, "notes", b"[" * 9999)).code == 400
        assert (await send(page, "notes", json.dumps(NOTES).encode())).code == 200
        assert (await send(page, "sound", b"x" * (LARGEST + 1))).code in (400, 599)

    visiting(visit)
