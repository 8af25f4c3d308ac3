"""A tune in another key is the same tune, so many semitones higher or lower; after a change of key perhaps one more."""

import importlib
from types import ModuleType

import pytest

from workshop import ROOT
from workshop.notes.abc_notation import read_leniently
from workshop.notes.abc_text import Tune, parse_tunes

HEADER = "X:1\nT:A tune\nM:4/4\nL:1/8\n"


@pytest.fixture
def in_keys(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/tunes_in_keys.py."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("tunes_in_keys")


def tune_of(text: str) -> Tune:
    (tune,) = parse_tunes(HEADER + text)
    return tune


def test_the_starter_tunes(in_keys: ModuleType) -> None:
    text = (ROOT / "data/lyrics/tunes/input.txt").read_text("utf-8")
    tunes = list(parse_tunes(text[:200_000]))
    moved = 0
    for tune in tunes:
        melody, remarks = read_leniently(tune)
        for other in in_keys.in_keys(tune)[1:]:
            there, as_before = read_leniently(other)
            assert as_before == remarks
            assert [note[:2] for note in there.notes] == [note[:2] for note in melody.notes]
            semitones = {b[2] - a[2] for a, b in zip(melody.notes, there.notes, strict=True)}
            assert semitones <= {*range(-6, 0), *range(1, 7)}
            assert len(semitones) == 1 or "K:" in tune.body, (tune, other)
            moved += 1
    assert moved > 4 * len(tunes), "to most of six other keys"


@pytest.mark.parametrize(
    ("text", "steps", "music"),
    [
        ("K:G\nG^c=f_e|c'b,|", 1, "K:A\nA^d=g=f|d'c|"),
        ("K:G\n^cB,|", -1, "K:F\n=BA,|"),
        ("K:Em\n(3EFG {a}B2 [EG]|", 2, "K:Gm\n(3GAB {c'}d2 [GB]|"),
        ("K:D\nA|\nK:A\n^d|[K:D]d|", -1, "K:C\nG|\nK:G\n^c|[K:C]c|"),
    ],
)
def test_notes_and_accidentals(in_keys: ModuleType, text: str, steps: int, music: str) -> None:
    moved = in_keys.moved(tune_of(text), steps).text(1)
    assert moved == HEADER + music + "\n"


@pytest.mark.parametrize("text", ["K:HP\nA2|", "K:D ^g\nA2|", "K:C\nb'|", "K:C\nC,|"])
def test_what_cannot_be_moved_well_stays(in_keys: ModuleType, text: str) -> None:
    assert in_keys.in_keys(tune_of(text)) == [tune_of(text)]
