"""The concert: its page, and that each piece says what it was made from."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from workshop.audio.synthesis import write_wav
from workshop.concert import command_line, program
from workshop.errors import UserError

PROGRAM = """
title = "The concert of class 8b"
[[piece]]
name = "Ada & Björn"
title = "Night train"
file = "train.wav"
licence = "our own recordings"
words = "Listen for the <bridge>."
[[piece]]
name = "Cem"
title = "Rhymes"
file = "rhymes.txt"
experiment = "cem"
"""


@pytest.fixture
def concert(tmp_path: Path, trained: Path) -> Path:
    """A programme of two pieces."""
    write_wav(tmp_path / "train.wav", 0.1 * np.sin(np.arange(8000) / 10), 8000)
    (tmp_path / "rhymes.txt").write_text("oh my\noh why")
    shutil.copytree(trained, tmp_path / "cem")
    record = json.loads((tmp_path / "cem" / "run.json").read_text("utf-8"))
    record["data"]["path"] = "data/lyrics/starter"
    (tmp_path / "cem" / "run.json").write_text(json.dumps(record), "utf-8")
    (tmp_path / "program.toml").write_text(PROGRAM, "utf-8")
    return tmp_path / "program.toml"


def test_the_page_has_all_pieces_with_names_and_licences(
    concert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = concert.with_name("concert.html")
    monkeypatch.setattr(sys, "argv", ["concert", "page", str(concert), "--out", str(out)])
    command_line.main()
    page = out.read_text("utf-8")
    for shown in (
        "<h1>The concert of class 8b</h1>", "1. Night train", "Ada &amp; Björn", "Listen for the &lt;bridge&gt;.",
        "Licence of the data: our own recordings", "2. Rhymes", "oh why",
        "Made by a network of char_rnn, from original song lyrics written for this workshop", "licence: CC0 1.0",
        'src="data:audio/mpeg;base64,',
    ):  # fmt: skip
        assert shown in page
    assert "with 2 pieces" in capsys.readouterr().out


def test_a_piece_of_which_nobody_knows_the_licence_is_refused(concert: Path) -> None:
    concert.write_text(PROGRAM.replace('experiment = "cem"', ""), "utf-8")
    with pytest.raises(UserError, match=r"piece 2, 'Rhymes': nobody knows the licence"):
        program.write(concert, concert.with_name("concert.html"))
    assert not concert.with_name("concert.html").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[piece", "not valid TOML"),
        ("piece = []", "has no piece"),
        ('[[piece]]\nname = "Ada"', "'piece.0.title' is missing|'piece.*title' is missing"),
        (PROGRAM.replace("words", "word"), "word"),
        ("#" * 300_000, "larger than a list"),
    ],
)
def test_mistakes_are_said_in_a_sentence(concert: Path, text: str, said: str) -> None:
    concert.write_text(text, "utf-8")
    with pytest.raises(UserError, match=said):
        program.write(concert, concert.with_name("concert.html"))
