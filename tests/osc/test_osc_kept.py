"""Files of what was generated: new names, allowed folders, and paths as the other program calls them."""

import shutil
from pathlib import Path

import pytest

from workshop.errors import UserError
from workshop.osc import kept
from workshop.osc.kept import Kept
from workshop.osc.places import Places


def write(path: Path) -> None:
    path.write_text("made")


@pytest.fixture
def here(tmp_path: Path) -> Places:
    return Places(tmp_path, str(tmp_path))


@pytest.fixture
def files(tmp_path: Path, here: Places) -> Kept:
    (tmp_path / "allowed").mkdir()
    return Kept([tmp_path / "allowed"], here, tmp_path / "osc", most=3)


def test_every_file_has_a_new_name_and_the_newest_are_kept(files: Kept) -> None:
    made = [files.keep("loop", {".wav": write, ".png": write}) for _ in range(5)]
    assert [file.name for file in made[0]] == ["loop-000001.wav", "loop-000001.png"]
    assert len({file for pair in made for file in pair}) == 10
    assert sorted(files.folder.iterdir()) == sorted(file for pair in made[2:] for file in pair)


def test_a_server_that_starts_again_goes_on_after_the_files_of_the_last_one(tmp_path: Path, here: Places) -> None:
    folder = tmp_path / "osc"
    Kept([], here, folder).keep("text", {".txt": write})
    (folder / "of_somebody.wav").touch()
    again = Kept([], here, folder, most=2)
    for _ in range(2):
        again.keep("sound", {".wav": write})
    names = {path.name for path in folder.iterdir()}
    assert names == {"of_somebody.wav", "sound-000002.wav", "sound-000003.wav"}


def test_nothing_of_somebody_else_is_overwritten(files: Kept) -> None:
    (files.folder / "walk-000001.wav").write_text("mine")
    (files.folder / "walk-000002.wav").symlink_to(files.folder / "elsewhere")
    assert files.keep("walk", {".wav": write})[0].name == "walk-000003.wav"
    assert (files.folder / "walk-000001.wav").read_text() == "mine"
    assert not (files.folder / "elsewhere").exists()


def test_files_go_to_allowed_folders_and_those_in_them(files: Kept, tmp_path: Path) -> None:
    assert files.change_folder(str(tmp_path / "allowed" / "new")) == tmp_path / "allowed" / "new"
    assert files.keep("sound", {".wav": write})[0].parent == tmp_path / "allowed" / "new"
    assert files.change_folder(str(tmp_path / "osc")) == tmp_path / "osc"
    for name in ("new", "~"):  # no shell looks at it
        assert files.change_folder(name) == tmp_path / "osc" / name


@pytest.mark.parametrize("asked", ["/etc", "..", "../osc2", "a/../../b", "x" * 5000, "/", "link", "loop", "bad\0"])
def test_other_folders_are_refused_by_name(asked: str, files: Kept, tmp_path: Path) -> None:
    (files.folder / "link").symlink_to(tmp_path)
    (files.folder / "loop").symlink_to("loop")
    with pytest.raises(UserError, match=r"--allow FOLDER|cannot be made"):
        files.change_folder(asked)
    assert files.folder == tmp_path / "osc"


def test_a_prompt_is_read_from_the_data_and_from_allowed_folders_alone(files: Kept, tmp_path: Path) -> None:
    assert files.readable(str(tmp_path / "allowed" / "a.wav")) == tmp_path / "allowed" / "a.wav"
    assert files.readable(str(kept.READABLE / "x.mid")) == (kept.READABLE / "x.mid").resolve()
    with pytest.raises(UserError, match="is not read"):
        files.readable("/etc/passwd")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, here: Places) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be made"):
        Kept([], here, tmp_path / "file" / "osc")


@pytest.mark.parametrize(
    ("there", "called"),
    [("/home/ada/work shop", "/home/ada/work shop/data/a.wav"), ("C:\\Users\\ada", "C:\\Users\\ada\\data\\a.wav")],
)
def test_paths_are_those_of_the_other_program(there: str, called: str) -> None:
    places = Places(Path("/workshop"), there)
    assert places.is_elsewhere
    assert places.outward(Path("/workshop/data/a.wav")) == called
    assert places.inward(called) == Path("/workshop/data/a.wav")
    assert places.inward(there) == Path("/workshop")
    assert places.inward(f"{there}2/x") != Path("/workshop2/x")
    assert places.outward(Path("/tmp/x")) == "/tmp/x"


def test_windows_knows_no_capitals_in_paths() -> None:
    assert Places(Path("/workshop"), "C:\\Ada").inward("c:/ADA/data\\x") == Path("/workshop/data/x")


def test_without_a_container_paths_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKSHOP_HOST_ROOT", raising=False)
    places = Places.of_this_process()
    assert not places.is_elsewhere
    assert places.inward("data/x") == Path("data/x")
    monkeypatch.setenv("WORKSHOP_HOST_ROOT", "/home/ada")
    assert Places.of_this_process().there == "/home/ada"


def test_what_could_not_be_written_leaves_nothing(files: Kept) -> None:
    def fail(path: Path) -> None:
        raise UserError(f"{path} cannot be written")

    with pytest.raises(UserError, match=r"loop-000001\.png cannot be written"):
        files.keep("loop", {".wav": write, ".png": fail})
    assert list(files.folder.iterdir()) == []
    made = [files.keep("loop", {".wav": write})[0] for _ in range(4)]
    assert sorted(files.folder.iterdir()) == made[1:]


def test_a_folder_that_was_removed_is_made_again(files: Kept) -> None:
    files.keep("loop", {".wav": write})
    shutil.rmtree(files.folder)
    made = [files.keep("loop", {".wav": write})[0] for _ in range(4)]
    assert sorted(files.folder.iterdir()) == made[1:]
