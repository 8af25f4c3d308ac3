"""Bach's chorales: four voices as they are written, made where they are missing, and left alone where they are the
user's.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from workshop.datasets import bach, corpus
from workshop.notes import midifiles

#: A chorale with an upbeat, the same in another file, and one with instruments beside the voices.
FILES = {"bwv269.mxl": "bwv269.mxl", "bwv270.mxl": "bwv269.mxl", "bwv1.6.mxl": "bwv1.6.mxl"}


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of a few chorales in place of music21's; returns where the set is made."""
    place, version = corpus.find_corpus()
    for name, original in FILES.items():
        (tmp_path / "corpus" / "bach").mkdir(parents=True, exist_ok=True)
        shutil.copy(place / "bach" / original, tmp_path / "corpus" / "bach" / name)
    monkeypatch.setattr(corpus, "find_corpus", lambda: (tmp_path / "corpus", version))
    monkeypatch.setattr(bach, "FOLDER", tmp_path / "chorales")
    return tmp_path / "chorales"


def test_chorales_are_made_once_each_of_them_once(few: Path) -> None:
    bach.make_if_missing(few.with_name("mine"))  # a folder of the user's, which is not there, is no reason
    assert not few.exists()
    bach.make_if_missing(few)
    assert sorted(file.name for file in few.glob("*.mid")) == ["bwv1.6.mid", "bwv269.mid"]
    source = (few / "SOURCE.txt").read_text("utf-8")
    assert "2 chorales" in source
    assert "public domain" in source
    assert not bach.export(few)
    (few / "bwv269.mid").write_bytes(b"mine")
    bach.make_if_missing(few)
    assert (few / "bwv269.mid").read_bytes() == b"mine"


def test_the_voices_are_those_of_the_score(few: Path) -> None:
    bach.make_if_missing(few)
    # Aus meines Herzens Grunde, in 3/4: a chord of G major on the upbeat, then the melody goes on from G to G and D.
    notes = midifiles.read(few / "bwv269.mid").notes
    starts, pitches = notes[:, 0], notes[:, 2]
    assert sorted(pitches[starts == 2.0]) == [43, 59, 62, 67]  # on the last of three beats
    assert not (starts < 2).any()
    soprano = [(start, pitches[starts == start].max()) for start in (2.0, 3.0, 5.0)]
    assert soprano == [(2.0, 67), (3.0, 67), (5.0, 74)]
    assert not (pitches[(starts > 3) & (starts < 5)] > 64).any()  # the melody's second note is held for two beats
    # Horns play beside the voices of the other one, higher and faster than they sing.
    of_cantata = midifiles.read(few / "bwv1.6.mid").notes
    together = [int(((of_cantata[:, 0] <= at) & (of_cantata[:, 1] > at)).sum()) for at in np.arange(4, 40, 0.5)]
    assert max(together) == 4


def test_a_corpus_without_chorales_is_said(few: Path) -> None:
    shutil.rmtree(few.with_name("corpus") / "bach")
    with pytest.raises(bach.UserError, match="reinstall music21"):
        bach.export(few)
