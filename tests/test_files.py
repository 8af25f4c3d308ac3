"""Writing files: a crash at any moment leaves the old content or the new, and nothing beside it."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop import files
from workshop.errors import UserError
from workshop.files import atomic_write, free_names, read_json, remove_leftovers, write_json, write_text

JSON = st.recursive(
    # Any code point, lone surrogates as well: that is how Python holds file names which are no UTF-8.
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept").write_bytes(b"old")
    return tmp_path


def test_a_block_that_ends_well_replaces_the_file(folder: Path) -> None:
    with atomic_write(folder / "kept") as file:
        file.write(b"new")
        assert (folder / "kept").read_bytes() == b"old"
    assert (folder / "kept").read_bytes() == b"new"
    assert [path.name for path in folder.iterdir()] == ["kept"]


def test_text_is_utf_8(folder: Path) -> None:
    with atomic_write(folder / "song", "w") as file:
        file.write("Ümläut ♪")
    assert (folder / "song").read_bytes() == "Ümläut ♪".encode()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_a_block_that_fails_leaves_the_old_file_alone(folder: Path, error: BaseException) -> None:
    def write() -> None:
        with atomic_write(folder / "kept") as file:
            file.write(b"half of it")
            file.flush()
            raise error

    with pytest.raises(type(error)):
        write()
    assert (folder / "kept").read_bytes() == b"old"
    assert [path.name for path in folder.iterdir()] == ["kept"]


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("name", ["kept", "fresh"])
def test_the_system_may_fail_at_any_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch, function: str, name: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(UserError, match=rf"{name} cannot be written: input/output error"):
            write_text(folder / name, "new")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"kept": b"old"}


def test_a_folder_that_cannot_be_synchronised_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems refuse to; by then the file itself is safe."""
    true_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}") or os.fstat(descriptor).st_mode & 0o040000:
            raise OSError(errno.EINVAL, "Invalid argument")
        true_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_text(folder / "kept", "new")
    assert (folder / "kept").read_bytes() == b"new"


def test_the_content_is_on_the_disk_before_it_takes_the_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def recorded(name: str, call: Callable) -> Callable:
        return lambda *args, **kwargs: (calls.append(name), call(*args, **kwargs))[1]

    monkeypatch.setattr(os, "fsync", recorded("fsync", os.fsync))
    monkeypatch.setattr(os, "replace", recorded("replace", os.replace))
    write_text(folder / "kept", "new")
    assert calls == ["fsync", "replace", "fsync"]


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(folder: Path) -> None:
    aside = folder / ".kept.12345.part"
    for path in (aside, folder / ".hidden", folder / "song.part"):
        path.write_bytes(b"half")
    remove_leftovers(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".hidden", "kept", "song.part"]
    remove_leftovers(folder / "missing")


def test_the_leftover_of_a_real_kill_is_found(folder: Path) -> None:
    code = "import os, sys, pathlib, signal\nfrom workshop.files import atomic_write\n"
    code += "with atomic_write(pathlib.Path(sys.argv[1])) as file:\n    file.write(b'half'); file.flush()\n"
    code += "    os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", code, str(folder / "kept")], check=False).returncode == -9
    assert len(list(folder.iterdir())) == 2
    assert (folder / "kept").read_bytes() == b"old"
    remove_leftovers(folder)
    assert [path.name for path in folder.iterdir()] == ["kept"]


def test_write_text_makes_the_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "song.txt", "la\n")
    assert (tmp_path / "a" / "b" / "song.txt").read_bytes() == b"la\n"


def test_write_text_below_a_file_names_the_path(folder: Path) -> None:
    with pytest.raises(UserError, match=r"kept/song\.txt cannot be written"):
        write_text(folder / "kept" / "song.txt", "la")


@given(value=st.dictionaries(st.text(st.characters()), JSON, max_size=5))
def test_json_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.json"
    write_json(path, value)
    assert read_json(path) == value


def test_json_is_made_for_reading(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"message": "Für Elise", "steps": [1]})
    text = (tmp_path / "run.json").read_text("utf-8")
    assert '  "message": "Für Elise"' in text
    assert text.endswith("}\n")


def test_json_that_cannot_be_written_leaves_the_old_one(folder: Path) -> None:
    with pytest.raises(TypeError):
        write_json(folder / "kept", {"a": 1, "b": object()})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"kept": b"old"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"\x00\x01\x02\x03", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "not valid JSON .nested more than 100 times"),
        (b'{"a": ' * 500 + b"1" + b"}" * 500, "nested more than 100 times"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[1, 2]", "should hold a JSON object"),
        (b"null", "should hold a JSON object"),
        (b'"text"', "should hold a JSON object"),
    ],
)
def test_damaged_json_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UserError, match=rf"run\.json is damaged: .*{reason}"):
        read_json(tmp_path / "run.json")


def test_what_is_nested_a_little_is_read_and_can_be_written_again(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}")
    value = read_json(tmp_path / "run.json")
    write_json(tmp_path / "run.json", value)
    assert read_json(tmp_path / "run.json") == value


def test_json_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run\.json cannot be read: no such file"):
        read_json(tmp_path / "run.json")
    with pytest.raises(UserError, match="cannot be read: is a directory"):
        read_json(tmp_path)


def test_the_explanation_says_when_the_disk_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    usage = {"free": 3 << 20}
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: type("Usage", (), usage))
    assert files.explain(error, tmp_path / "x") == "no space left on device (3 MB free there)"
    usage["free"] = 1 << 40
    assert files.explain(error, tmp_path / "x") == "no space left on device"
    assert files.explain(OSError("odd"), tmp_path / "x") == "odd"


KINDS = (".mid", ".wav")


def test_numbers_go_on_after_those_that_are_there(tmp_path: Path) -> None:
    names = free_names(None, tmp_path / "new", 3, KINDS)
    assert names == [tmp_path / "new" / name for name in ("01", "02", "03")]
    for name in ("02.mid", "7.mid", "tune.mid", "-50.mid", "1.5.mid"):
        (tmp_path / name).touch()
    assert [path.name for path in free_names(None, tmp_path, 2, KINDS)] == ["08", "09"]
    # Whatever is left of a sample counts.
    (tmp_path / "40.png").touch()
    assert [path.name for path in free_names(None, tmp_path, 2, KINDS)] == ["41", "42"]


def test_a_folder_or_a_file_can_be_named(tmp_path: Path) -> None:
    assert free_names(str(tmp_path), Path("unused"), 1, KINDS) == [tmp_path / "01"]
    assert free_names(str(tmp_path / "later"), Path("unused"), 2, KINDS)[1] == tmp_path / "later" / "02"
    assert free_names(str(tmp_path / "song.mid"), Path("unused"), 1, KINDS) == [tmp_path / "song"]
    assert free_names(str(tmp_path / "take.2.WAV"), Path("unused"), 1, KINDS) == [tmp_path / "take.2"]
    with pytest.raises(UserError, match=r"song\.mid names one file for 2 samples: .*--num_samples 1"):
        free_names("song.mid", Path("unused"), 2, KINDS)


def test_two_that_have_the_same_process_id_do_not_disturb_each_other(folder: Path) -> None:
    """As in two containers on a shared drive."""
    with atomic_write(folder / "kept") as first, atomic_write(folder / "kept") as second:
        second.write(b"second")
        first.write(b"first")
    assert (folder / "kept").read_bytes() == b"first"
    assert os.listdir(folder) == ["kept"]


def test_a_link_is_replaced_and_what_it_leads_to_stays(folder: Path) -> None:
    (folder / "link").symlink_to("kept")
    write_text(folder / "link", "new")
    assert not (folder / "link").is_symlink()
    assert (folder / "kept").read_bytes() == b"old"


def test_json_that_has_no_end_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for path in (folder / "pipe", Path("/dev/zero")):
        with pytest.raises(UserError, match="is neither a file nor a folder; take it away"):
            read_json(path)
    with open(folder / "huge", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UserError, match="huge is damaged: it is far larger than what the workshop writes"):
        read_json(folder / "huge")
    with pytest.raises(UserError, match="it is not valid JSON"):
        read_json(Path("/proc/self/status"))  # says that it is empty, as those do that have no end


def test_json_that_is_replaced_while_it_is_opened_is_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a training which goes on: its size must be that of the file that is read."""
    path = folder / "run.json"
    write_json(path, {"losses": [1]})
    look = Path.stat

    def look_and_replace(self: Path, **options: bool) -> os.stat_result:
        status = look(self, **options)
        monkeypatch.undo()
        write_json(path, {"losses": [1] * 100})
        return status

    monkeypatch.setattr(Path, "stat", look_and_replace)
    assert read_json(path) == {"losses": [1] * 100}
