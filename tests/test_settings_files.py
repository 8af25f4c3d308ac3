"""Settings files: what YAML and JSON give, and how a damaged file is answered."""

from pathlib import Path
from typing import Any

import pytest

from workshop import settings_files
from workshop.errors import UserError


def written(folder: Path, content: str | bytes, name: str = "mine.yml") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        ("rnn_size: 128\nlearning_rate: 1e-3\n", {"rnn_size": "128", "learning_rate": "1e-3"}),
        ("a: no\nb: 12:30\nc: 010\nd: 1_000\ne: 2026-11-29\n",
         {"a": "no", "b": "12:30", "c": "010", "d": "1_000", "e": "2026-11-29"}),
        ("smoke: true\nwav: False\nquoted: 'true'\n", {"smoke": True, "wav": False, "quoted": "true"}),
        ("a:\nb: ~\nc: null\nd: ''\n", {"a": None, "b": None, "c": None, "d": ""}),
        ("net: {batch_size: 8, kwargs: {dropout: 0.5}}", {"net": {"batch_size": "8", "kwargs": {"dropout": "0.5"}}}),
        ("", {}),
        ("# nothing\n", {}),
        ("\ufeffa: 1\r\n", {"a": "1"}),
        ('{"a": "x", "b": [1, 2]}', {"a": "x", "b": [...]}),
    ],
)  # fmt: skip
def test_of_yaml_only_switches_and_nothing_are_no_texts(tmp_path: Path, content: str, settings: Any) -> None:
    assert settings_files.read(written(tmp_path, content)) == settings


def test_nested_settings_have_names_with_dots() -> None:
    nested = {"a": 1, "b": {"c": 0.5, "d": {"e": None}}, "f": True, "g": [1], "h": {}}
    assert settings_files.flat(nested) == {
        "a": "1", "b.c": "0.5", "b.d.e": None, "f": True, "g": [1], "h": "{}",
    }  # fmt: skip


BOMB = "a: &a {x: 1}\n" + "".join(f"{new}: &{new} {{p: *{old}, q: *{old}}}\n" for old, new in zip("abc", "bcd"))  # noqa: B905


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a: 1\na: 2\n", "line 2: a stands there twice"),
        ("- a\n- b\n", "names and values"),
        ("just words", "names and values"),
        ("a: [1, 2\nb: 3", "line 2"),
        ("a: 1\n\tb: 2", "line 2"),
        ("[1, 2]: 3", "a name is expected"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"a: \x00", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "line 2"),
        (BOMB, "line 2: aliases"),
        ("a: &x\n  b: *x\n", "line 2: aliases"),
        ("[" * 5000, "not valid YAML"),
    ],
)
def test_a_damaged_file_is_one_sentence_with_the_place(tmp_path: Path, content: str | bytes, says: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=r"mine\.yml is damaged: it is not valid YAML") as raised:
        settings_files.read(path)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!!binary aGk="]
)
def test_nothing_in_a_file_is_executed_or_constructed(tmp_path: Path, tag: str) -> None:
    found = settings_files.read(written(tmp_path, f"a: {tag}\n"))
    assert found["a"] in ([...], "", "aGk=")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ends in \.yml, \.yaml or \.json"):
        settings_files.read(written(tmp_path, "a: 1", "mine.txt"))
    with pytest.raises(UserError, match="cannot be read: no such file"):
        settings_files.read(tmp_path / "gone.yml")
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(UserError, match="cannot be read: is a directory"):
        settings_files.read(tmp_path / "folder.yml")
    with pytest.raises(UserError, match="64 kB"):
        settings_files.read(written(tmp_path, "a: " + "x" * 70_000))
    with pytest.raises(UserError, match="not valid JSON"):
        settings_files.read(written(tmp_path, "{", "mine.json"))


@pytest.mark.parametrize("content", ['{"seed": 1, "seed": 2}', '{"net": {"seed": 1, "seed": 2}}'])
def test_a_name_that_stands_twice_in_json_is_refused_as_in_yaml(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    with pytest.raises(UserError, match="seed stands there twice"):
        settings_files.read(path)
