"""The export of traditional tunes in ABC notation."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from damage import everything, fill, read_only

from workshop.datasets import corpus as corpora
from workshop.datasets import tunes
from workshop.datasets.corpus import COLLECTIONS, collect
from workshop.datasets.tunes import export
from workshop.errors import UserError
from workshop.notes.abc_text import parse_tunes

AIRD = """% A Selection of Airs
% Glasgow

X:0001
T:The Ranting Highlandman.
T:The White Cockade
M:C|
L:1/8
Q:1/2=112
I: :: ::
%% G A B c d e ^f g a
Z:Jack Campin * www.campin.me.uk * 2009
K:E Minor
AG|B2B2   B2``AG|B2B2 B2g2|\\
P:B
"4"a2ug2 "^SEGUE"va2g2|[V:1] G2 !fine!G2:| % the end
K:A Mixolydian
w:words to sing
a2 a2|]

X:2
T: Without a key
abc

X:3
K:C
% only a remark
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A tiny corpus with the folders of the real one."""
    for number, collection in enumerate(COLLECTIONS, start=1):
        folder = tmp_path / "corpus" / collection.folder
        folder.mkdir(parents=True)
        pieces = [
            f"X:{n}\nT:Tune {n} of {number}\nM:C\nL:1/8\nK:D\n{'ABcd'[n % 4] * n}{'efga'[number]}2|\n"
            for n in range(1, 20)
        ]
        (folder / "tunes.abc").write_text("\n".join(pieces), encoding="utf-8")
    return tmp_path / "corpus"


@pytest.fixture
def small(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The export, taking the tiny corpus for music21's."""
    monkeypatch.setattr(corpora, "find_corpus", lambda: (corpus, "1.0"))
    return corpus


def test_only_what_is_heard_is_kept() -> None:
    (tune,) = parse_tunes(AIRD)
    assert tune.text(7) == (
        "X:7\nT:The Ranting Highlandman\nM:C|\nL:1/8\nK:Em\n"
        "AG|B2B2 B2AG|B2B2 B2g2|\na2g2 a2g2| G2 G2:|\nK:Amix\na2 a2|]\n"
    )


def test_tunes_of_several_voices_are_left_out() -> None:
    assert not list(parse_tunes("X:1\nT:Duet\nV:1\nV:2 merge\nK:G\n[V:1] gab|\n[V:2] GAB|\n"))


@pytest.mark.parametrize(
    ("written", "short"),
    [("G", "G"), ("E Minor", "Em"), ("AMin", "Am"), ("Bb", "Bb"), ("A Mixolydian", "Amix"), ("D Major", "D"),
     ("F#m", "F#m"), ("Ador", "Ador"), ("EDorian", "Edor"), ("HP", "HP"), ("none", "none")],
)  # fmt: skip
def test_keys_have_one_spelling(written: str, short: str) -> None:
    (tune,) = parse_tunes(f"X:1\nK:{written}\nabc|\n")
    assert tune.key == short


def test_the_same_notes_are_one_tune(corpus: Path) -> None:
    file = corpus / COLLECTIONS[0].folder / "zz.abc"
    before = len(collect(corpus))
    file.write_text("X:99\nT:Another name\nM:C\nL:1/8\nK:D\n(B) f2 |\n", encoding="utf-8")
    assert len(collect(corpus)) == before
    file.write_text("X:99\nT:New\nM:C\nL:1/8\nK:D\n(B) g2 c|\n", encoding="utf-8")
    assert len(collect(corpus)) == before + 1


def test_the_order_is_mixed_and_always_the_same(corpus: Path) -> None:
    first = collect(corpus)
    assert first == collect(corpus)
    assert len(first) == 3 * 19
    assert len({tune.title[-1] for tune in first[-20:]}) == 3


def test_export_is_made_once(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "lyrics" / "tunes"
    assert export(folder)
    text = (folder / "input.txt").read_text(encoding="utf-8")
    assert re.findall(r"^X:(\d+)$", text, re.MULTILINE) == [str(n) for n in range(1, 58)]
    assert "\n\n\n" not in text
    assert text.endswith("|\n")
    source = (folder / "SOURCE.txt").read_text(encoding="utf-8")
    assert "57 traditional tunes" in source
    assert "music21 1.0" in source
    assert "public domain" in source
    assert all(collection.title in source for collection in COLLECTIONS)
    stamp = (folder / "input.txt").stat().st_mtime_ns
    assert not export(folder)
    assert (folder / "input.txt").stat().st_mtime_ns == stamp


def test_a_new_music21_makes_the_export_again(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path / "tunes")
    monkeypatch.setattr(corpora, "find_corpus", lambda: (small, "2.0"))
    assert export(tmp_path / "tunes")
    assert "music21 2.0" in (tmp_path / "tunes" / "SOURCE.txt").read_text(encoding="utf-8")


def test_tunes_changed_by_hand_are_left_alone(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path / "tunes")
    mine = tmp_path / "tunes" / "input.txt"
    mine.write_text("X:1\nmine\n", encoding="utf-8")
    monkeypatch.setattr(corpora, "find_corpus", lambda: (small, "2.0"))
    assert not export(tmp_path / "tunes")
    assert mine.read_text(encoding="utf-8") == "X:1\nmine\n"


def test_half_an_export_is_made_again(small: Path, tmp_path: Path) -> None:
    export(tmp_path / "tunes")
    (tmp_path / "tunes" / "input.txt").unlink()
    assert export(tmp_path / "tunes")


def test_a_missing_collection_is_named(small: Path, tmp_path: Path) -> None:
    (small / COLLECTIONS[1].folder / "tunes.abc").unlink()
    with pytest.raises(UserError, match=f"{COLLECTIONS[1].folder} has no tunes"):
        export(tmp_path / "tunes")
    assert not (tmp_path / "tunes").exists()


def test_without_music21_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert tunes.main(["--data_dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: music21, which carries the tunes, is not installed")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real export."""
    folder = tmp_path_factory.mktemp("data") / "lyrics" / "tunes"
    program = "import sys, pathlib; from workshop.datasets import tunes; tunes.export(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-X", "importtime", "-c", program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "music21" not in done.stderr, "the export imports music21, which takes seconds"
    return folder


def test_the_real_tunes_are_many_clean_and_without_credits(exported: Path) -> None:
    text = (exported / "input.txt").read_text(encoding="utf-8")
    assert len(text) > 1_000_000
    pieces = text.split("\n\n")
    assert len(pieces) == len(re.findall(r"^X:", text, re.MULTILINE)) > 4_000
    assert set(re.findall(r"^([A-Za-z]):", text, re.MULTILINE)) == set("XTMLK")
    assert not re.search(r"^%|@|https?:|Transcribed|Campin", text, re.MULTILINE)
    assert len(set(pieces)) == len(pieces)


def test_some_real_tunes_can_be_played(exported: Path) -> None:
    from music21 import converter

    pieces = (exported / "input.txt").read_text(encoding="utf-8").split("\n\n")
    for piece in pieces[:: len(pieces) // 20]:
        assert len(converter.parse(piece, format="abc").flatten().notes) > 8, piece


def test_tunes_for_which_there_is_no_room_leave_the_old_ones(
    small: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_disk / "tunes"
    assert export(folder)
    before = everything(folder)
    monkeypatch.setattr(corpora, "EXPORT_VERSION", 99)
    filler = fill(small_disk)
    with pytest.raises(
        UserError, match=r"tunes/input\.txt cannot be written: no space left on device \(0 MB free there"
    ):
        export(folder)
    assert everything(folder) == before
    filler.unlink()
    with read_only(small_disk), pytest.raises(UserError, match=r"cannot be written: read-only file system"):
        export(folder)
    assert everything(folder) == before
    assert export(folder)
