"""Sounds that can be asked for by name: where the names come from, and what is said of wrong ones."""

import json
from pathlib import Path

import numpy as np
import pytest
from records import entries

from wavenet import dataset
from workshop.audio import conditions, library
from workshop.audio.library import SoundInfo
from workshop.audio.synthesis import write_wav
from workshop.checks import typed
from workshop.errors import UserError

RATE = 4000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two instruments with five sounds each, and a sound that lies beside their folders."""
    monkeypatch.setattr(library, "CACHE", tmp_path / "cache")
    for label, name in enumerate(("flute", "harp")):
        for number in range(5):
            tone = np.sin((label + 1) * (0.1 + 0.01 * number) * np.arange(800))
            write_wav(tmp_path / "data" / name / "more" / f"{number}.wav", 0.5 * tone, RATE)
    write_wav(tmp_path / "data" / "alone.wav", 0.3 * np.sin(np.arange(900)), RATE)
    return tmp_path / "data"


def listed(path: Path, names: object) -> str:
    path.write_text(json.dumps(names))
    return str(path)


def test_the_first_subfolder_is_the_condition(folder: Path) -> None:
    found = dataset.load(folder, RATE, 0.2, condition="folder")
    assert found.facts.conditions == ["flute", "harp"]
    assert [len(part) for part in found.train] == [4, 4]
    assert [len(part) for part in found.held_out] == [1, 1]
    assert found.skipped == [f"{folder / 'alone.wav'} has no condition"]
    # Each sound stands under its own name.
    by_hand = [dataset.load(folder / name, RATE, 0.2) for name in ("flute", "harp")]
    for mine, theirs in zip(found.train, by_hand, strict=True):
        assert [part.tolist() for part in mine] == [part.tolist() for part in theirs.train[0]]


def test_a_file_names_conditions_by_path_or_by_name(folder: Path, tmp_path: Path) -> None:
    names = {"flute/more/0.wav": "low", "flute/more/1.wav": "high", "alone.wav": "low", "not there.wav": "low"}
    found = dataset.load(folder, RATE, condition=listed(tmp_path / "names.json", names))
    assert found.facts.conditions == ["high", "low"]
    assert found.facts.used == 3
    assert len(found.skipped) == 8


def test_other_conditions_are_other_data(folder: Path, tmp_path: Path) -> None:
    paths = {str(file.relative_to(folder)) for file in folder.rglob("*.wav")}
    prints = set()
    for first in ("0", "1"):
        names = {path: "a" if first in path else "b" for path in paths}
        prints.add(dataset.load(folder, RATE, condition=listed(tmp_path / "n.json", names)).facts.fingerprint)
    prints.add(dataset.load(folder, RATE).facts.fingerprint)
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({}, "is empty: it should hold a JSON object with a condition for each file"),
        ({"alone.wav": 5}, "should name a condition for each file, and for 'alone.wav' it has 5"),
        ({"alone.wav": " "}, "should name a condition"),
        (["alone.wav"], "is damaged: it should hold a JSON object"),
        ({"other.wav": "a"}, "names none of the sound files in .*; the first that it names is other.wav"),
        ({"alone.wav": "solo"}, r"finds only one condition in .* \(solo\)"),
    ],
)
def test_a_file_of_names_that_is_of_no_use_is_said(folder: Path, tmp_path: Path, names: object, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        dataset.load(folder, RATE, condition=listed(tmp_path / "names.json", names))


def test_names_that_are_nowhere_are_said(folder: Path) -> None:
    with pytest.raises(UserError, match=r"missing\.json cannot be read"):
        dataset.load(folder, RATE, condition="missing.json")
    for path in (folder / "harp" / "more", folder / "alone.wav"):
        with pytest.raises(UserError, match="--condition folder needs sound files in subfolders"):
            dataset.load(path, RATE, condition="folder")


def test_sounds_are_asked_for_by_name() -> None:
    names = ["cello", "drums", "flute"]
    assert conditions.numbers("drums", names, 2) == [1, 1]
    assert conditions.numbers(None, names, 5) == [0, 1, 2, 0, 1]
    assert conditions.numbers(None, [], 3) == [0, 0, 0]
    with pytest.raises(UserError, match=r"did you mean \"flute\"\?\): the network knows cello, drums, flute"):
        conditions.numbers("flut", names, 1)
    with pytest.raises(UserError, match="trained without --condition"):
        conditions.numbers("drums", [], 1)


def test_many_names_are_not_all_listed() -> None:
    names = [str(number) for number in range(40)]
    assert conditions.in_words(names).endswith(", 11 and 28 more")
    assert conditions.in_words(names[:12]).endswith(", 11")


@pytest.mark.parametrize("names", ["flute", ["a", 5], None])
def test_conditions_in_run_json_that_are_no_names_are_damage(tmp_path: Path, names: object) -> None:
    with pytest.raises(UserError, match=r"its entry 'conditions.*' is not valid"):
        typed(SoundInfo, {**entries()["data"], "sample_rate": 8000, "conditions": names}, tmp_path)
