"""Which files a folder stands for: whatever they are called and wherever links lead."""

import os
import re
from pathlib import Path

import pytest

from workshop.errors import UserError
from workshop.folders import find_files, left_aside


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def found(folder: Path, **options: object) -> list[str]:
    return [
        os.fsencode(file.relative_to(folder)).decode("latin-1")
        for file in find_files(folder, (".mid",), "MIDI", **options)
    ]  # type: ignore[arg-type]


def test_files_are_found_below_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.MID", "a/2.mid", "a/1.mid", "a b/c.mid", "A.mid", "x.mid.txt", "mid", ".h.mid", ".git/g.mid"):
        put(tmp_path / name)
    assert found(tmp_path) == ["A.mid", "a b/c.mid", "a/1.mid", "a/2.mid", "b.MID"]


def test_names_that_are_no_text_are_found(tmp_path: Path) -> None:
    try:
        put(tmp_path / os.fsdecode(b"\xff dir") / os.fsdecode(b"\xe4\n.mid"))
    except OSError:
        pytest.skip("this file system takes only names that are text")
    put(tmp_path / "ä.mid")
    assert found(tmp_path) == ["ä.mid".encode().decode("latin-1"), "\xff dir/\xe4\n.mid"]


def test_a_folder_called_like_a_file_is_a_folder(tmp_path: Path) -> None:
    put(tmp_path / "best.mid" / "1.mid")
    assert found(tmp_path) == ["best.mid/1.mid"]
    assert found(tmp_path / "best.mid") == ["1.mid"]


def test_links_lead_to_files_and_never_in_circles(tmp_path: Path) -> None:
    put(tmp_path / "music" / "1.mid")
    (tmp_path / "music" / "circle").symlink_to(tmp_path / "music")
    (tmp_path / "music" / "self.mid").symlink_to("self.mid")
    (tmp_path / "music" / "gone.mid").symlink_to("nowhere")
    (tmp_path / "music" / "link.mid").symlink_to(put(tmp_path / "elsewhere.mid"))
    (tmp_path / "door").symlink_to("music")
    assert found(tmp_path / "music") == found(tmp_path / "door") == ["1.mid", "link.mid"]


def test_pipes_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mid")
    with pytest.raises(UserError, match=r"has no MIDI files \(found: nothing\); put \.mid files in it"):
        found(tmp_path)
    with pytest.raises(UserError, match="neither a file nor a folder; give one MIDI file"):
        find_files(tmp_path / "pipe.mid", (".mid",), "MIDI")


def test_a_link_to_nothing_is_said_to_be_one(tmp_path: Path) -> None:
    for name, target in (("a.wav", "gone.wav"), ("round.wav", "round.wav")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(UserError, match="is a link to something that is not there; mend the link"):
            find_files(tmp_path / name, (".wav",), "audio")


def test_what_is_there_instead_is_said(tmp_path: Path) -> None:
    for name in ("1.wav", "2.WAV", "3.mp3", "README", "a/4.txt", "5.txt", "6.txt"):
        put(tmp_path / name)
    with pytest.raises(UserError, match=re.escape("(found: 3 .txt, 2 .wav, 1 ")):
        found(tmp_path)


def test_one_file_may_stand_for_all_and_some_for_none(tmp_path: Path) -> None:
    for name in ("1.mid", "Readme.mid"):
        put(tmp_path / name)
    assert found(tmp_path, skip=("readme",)) == ["1.mid"]
    put(tmp_path / "all.mid")
    assert found(tmp_path, whole="all.mid") == ["all.mid"]


def test_a_folder_that_may_not_be_entered_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "open" / "1.mid")
    closed = tmp_path / "closed"
    closed.mkdir()
    listed = os.scandir

    def scandir(path: str) -> object:  # root, who runs tests in containers, may enter anything
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(UserError, match=r"the folder .*closed may not be read; change its permissions"):
        found(tmp_path)


def test_a_missing_path_names_what_is_missing_and_what_is_near(tmp_path: Path) -> None:
    put(tmp_path / "nottingham" / "1.mid")
    with pytest.raises(UserError, match=r'there is no .*Notingham \(did you mean "nottingham"\?\)'):
        found(tmp_path / "Notingham")
    with pytest.raises(UserError, match=r"there is no .*: .*nottingham has no deep"):
        found(tmp_path / "nottingham" / "deep" / "deeper")
    with pytest.raises(UserError, match="there is no"):
        found(tmp_path / "nottingham" / "1.mid" / "x")


def test_a_folder_with_far_too_much_in_it_is_not_looked_through(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path / "deep" / str(number) / "1.mid")
    assert len(found(tmp_path, most=11)) == 5
    with pytest.raises(UserError, match="holds far too many files to look through; give a folder of MIDI files alone"):
        found(tmp_path, most=10)


@pytest.mark.parametrize("path", ["empty.mid", "/proc/kmsg", "/proc/self/mem"])
def test_an_empty_file_and_those_that_are_none_on_a_disk_are_not_opened(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty.mid").touch()
    with pytest.raises(UserError, match=f"{path} is empty; give one MIDI file or a folder of them"):
        find_files(tmp_path / path, (".mid",), "MIDI")


def test_what_else_lies_in_a_folder_is_counted_by_suffix(tmp_path: Path) -> None:
    for name in ("a.mid", "b/c.MD", "b/d.md", "e.csv", "README.md", "licence-mit.txt", ".f.md", ".git/g.md", "h"):
        put(tmp_path / name)
    assert left_aside(tmp_path, [tmp_path / "a.mid"], "MIDI") == "2 .md, 1 .csv: no MIDI files by their names"
    assert left_aside(tmp_path / "b", [tmp_path / "b/c.MD", tmp_path / "b/d.md"], "text") == ""
    assert left_aside(tmp_path / "a.mid", [tmp_path / "a.mid"], "MIDI") == ""
