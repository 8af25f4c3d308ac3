"""What the page shows of a network itself: its picture, and how likely each symbol was."""

import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np
import pytest
from playing import Alphabet, Page, Tone, slow, start, until, visiting

from workshop.networks.likelihoods import Likelihoods
from workshop.web.likely import MOST_SYMBOLS, as_places


class Known(Alphabet):
    """A network that expects the letter that comes, and has a layer with a name of mischief."""

    lesson = SimpleNamespace(name="char_rnn")
    symbols = "abcdefghijklmnopqrstuvwxyz"

    def __init__(self, folder: Path, pause: float):
        super().__init__(folder, pause)
        self.experiment.path = folder
        self.model = SimpleNamespace(layer_rows=lambda: [("<b>&", "Dense", "[T, B, 26]", 52)])

    def likelihoods(self, symbols: np.ndarray) -> Likelihoods:
        return Likelihoods(symbols, 0.5 * np.eye(26)[symbols] + 0.5 / 26, list(self.symbols))


VERSE = "pretrained/char_rnn/verse"


def test_the_picture_of_a_network_is_drawn_and_can_do_nothing(
    play_clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch, 0, Known)
    (play_clone / VERSE / "network.svg").write_text("<svg><script>alert(1)</script></svg>")

    async def visit(page: Page) -> None:
        answer = await page.ask(f"network.svg?experiment={quote(VERSE)}")
        assert (answer.code, answer.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "script" not in answer.headers["Content-Security-Policy"]
        picture = ElementTree.fromstring(answer.body)
        assert "<b>&" in "".join(picture.itertext())
        assert b"<script" not in answer.body
        for name in ("", "nowhere", "../secret", "char_rnn"):
            assert (await page.ask(f"network.svg?experiment={quote(name)}")).code == 400
        assert (await page.ask(f"network.svg?experiment={quote(VERSE)}", headers={"Cookie": ""})).code == 403

    visiting(visit)


def test_how_likely_each_symbol_was_is_told(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0, Known)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, length="10")
        name = (await until(connection, "done"))[-1]["id"]
        answer = await page.ask(f"likely/{name}")
        assert answer.code == 200
        said = json.loads(answer.body)
        assert said["names"] == list(Known.symbols)
        assert [place["symbol"] for place in said["places"]] == list(range(10))
        for place in said["places"]:
            assert place["probability"] == pytest.approx(0.5 + 0.5 / 26, abs=1e-4)
            assert place["likeliest"][0] == [place["symbol"], place["probability"]]
            assert len(place["likeliest"]) == MOST_SYMBOLS
        assert b"generate it again" in (await page.ask(f"likely/{'0' * 32}")).body
        monkeypatch.setattr(Known, "symbols", "abc")
        assert b"has been trained again" in (await page.ask(f"likely/{name}")).body

    visiting(visit)


def test_of_a_sound_it_is_not_told(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0, Tone)

    async def visit(page: Page) -> None:
        connection = await page.connect()
        await start(connection, "wavenet/experiments/01", seconds="1")
        heard = await until(connection, "done", "error")
        answer = await page.ask(f"likely/{heard[-1]['id']}")
        assert answer.code == 400
        assert b"of a sound" in answer.body

    visiting(visit)


def test_places_of_few_symbols_are_whole() -> None:
    probabilities = np.array([[0.25, 0.75], [0.9, 0.1]])
    assert as_places(Likelihoods(np.array([0, 0]), probabilities, ["x", "y"])) == {
        "names": ["x", "y"],
        "places": [
            {"symbol": 0, "probability": 0.25, "likeliest": [[1, 0.75], [0, 0.25]]},
            {"symbol": 0, "probability": 0.9, "likeliest": [[0, 0.9], [1, 0.1]]},
        ],
    }
