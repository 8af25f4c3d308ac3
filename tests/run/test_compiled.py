"""What XLA compiled is kept from one training to the next, and never harms one."""

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from workshop.run import compiled

#: A process that compiles a function, as a training does, and prints what it computes.
COMPILES = """
import sys
from pathlib import Path
from workshop.run import compiled
compiled.keep(Path(sys.argv[1]))
import tensorflow as tf
@tf.function(jit_compile=True)
def f(x):
    return tf.reduce_sum(tf.tanh(x) * 2)
print(float(f(tf.ones([7]))))
"""


@pytest.fixture
def leaving(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What was registered to be done when the process ends; no setting of XLA is there before."""
    registered: list[tuple] = []
    monkeypatch.setenv(compiled.VARIABLE, "")
    monkeypatch.setattr(compiled.atexit, "register", lambda *call: registered.append(call))
    return registered


def leave(leaving: list[tuple]) -> None:
    function, *arguments = leaving.pop()
    function(*arguments)


def own_folder() -> Path:
    return Path(os.environ[compiled.VARIABLE].split("--tf_xla_persistent_cache_directory=")[1].strip('"'))


def put(cache: Path, leaving: list[tuple], name: str, content: bytes) -> Path:
    """Let a training compile a program; returns where it is kept."""
    os.environ[compiled.VARIABLE] = ""
    compiled.keep(cache)
    (own_folder() / name).write_bytes(content)
    leave(leaving)
    (kept,) = cache.glob(f"*/*-{name}")
    return kept


def test_a_program_is_there_for_the_next_training_and_the_folder_of_each_goes(
    tmp_path: Path, leaving: list[tuple]
) -> None:
    kept = put(tmp_path, leaving, "a.pb", b"a program")
    os.environ[compiled.VARIABLE] = "--of_the_user"
    compiled.keep(tmp_path)
    assert os.environ[compiled.VARIABLE].startswith("--of_the_user --")
    assert (own_folder() / "a.pb").read_bytes() == b"a program"
    (own_folder() / "b.pb").write_bytes(b"another")
    leave(leaving)
    (folder,) = tmp_path.iterdir()
    assert {path.name.partition("-")[2] for path in folder.iterdir()} == {"a.pb", "b.pb"}
    assert kept.read_bytes() == b"a program"


@pytest.mark.parametrize("damaged", [b"", b"a prog", b"a progrbm"])
def test_a_damaged_program_is_not_taken_but_deleted(tmp_path: Path, leaving: list[tuple], damaged: bytes) -> None:
    kept = put(tmp_path, leaving, "a.pb", b"a program")
    kept.write_bytes(damaged)
    os.environ[compiled.VARIABLE] = ""
    compiled.keep(tmp_path)
    assert not list(own_folder().iterdir())
    assert not kept.exists()


def test_of_two_trainings_that_compile_the_same_at_once_one_program_is_kept(
    tmp_path: Path, leaving: list[tuple]
) -> None:
    for content in (b"of the first", b"of the second"):
        os.environ[compiled.VARIABLE] = ""
        compiled.keep(tmp_path)
        (own_folder() / "a.pb").write_bytes(content)
    leave(leaving)
    leave(leaving)
    (kept,) = tmp_path.glob("*/*.pb")
    assert kept.read_bytes() == b"of the second"


def test_the_programs_that_were_not_used_for_longest_make_room(
    tmp_path: Path, leaving: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [put(tmp_path, leaving, f"{number}.pb", bytes([number]) * 10) for number in range(4)]
    for age, path in zip((1, 3, 2, 4), paths, strict=True):
        os.utime(path, (time.time() - age, time.time() - age))
    monkeypatch.setattr(compiled, "MOST_KEPT", 20)
    os.environ[compiled.VARIABLE] = ""
    compiled.keep(tmp_path)
    assert [path.exists() for path in paths] == [True, False, True, False]


def test_what_a_killed_training_left_is_deleted_a_week_later(tmp_path: Path, leaving: list[tuple]) -> None:
    compiled.keep(tmp_path)
    killed = own_folder()
    for days, is_there in ((6, True), (8, False)):
        os.utime(killed, (time.time() - days * 86_400,) * 2)
        os.environ[compiled.VARIABLE] = ""
        compiled.keep(tmp_path)
        assert killed.exists() == is_there


def test_kinds_that_no_training_has_used_for_a_month_are_deleted(
    tmp_path: Path, leaving: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []
    for number in range(4):
        monkeypatch.setenv("XLA_FLAGS", f"--of_version={number}")
        folders.append(put(tmp_path, leaving, f"{number}.pb", b"a program").parent)
    old, recent, trained_with, killed = folders
    for path in (trained_with / "of_one_training_a", killed / "of_one_training_b"):
        path.mkdir()
    for path, days in (
        (old, 31), (recent, 29), (trained_with, 31), (killed, 31), (killed / "of_one_training_b", 31),
    ):  # fmt: skip
        os.utime(path, (time.time() - days * 86_400,) * 2)
    monkeypatch.setenv("XLA_FLAGS", "")
    os.environ[compiled.VARIABLE] = ""
    compiled.keep(tmp_path)
    assert [path.exists() for path in folders] == [False, True, True, False]
    assert own_folder().is_dir()


def test_without_room_or_with_a_folder_of_the_users_own_nothing_is_changed(
    tmp_path: Path, leaving: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(compiled.shutil, "disk_usage", lambda _: SimpleNamespace(free=compiled.LEAST_FREE - 1))
        compiled.keep(tmp_path)
    assert (os.environ[compiled.VARIABLE], leaving) == ("", [])
    (tmp_path / "file").write_text("")
    for settings, cache in (("", tmp_path / "file"), ("--tf_xla_persistent_cache_directory=/mine", tmp_path)):
        monkeypatch.setenv(compiled.VARIABLE, settings)
        compiled.keep(cache)
        assert (os.environ[compiled.VARIABLE], leaving) == (settings, [])


def test_a_copy_of_the_process_does_not_take_the_folder_away(tmp_path: Path, leaving: list[tuple]) -> None:
    compiled.keep(tmp_path)
    function, own, shared, training = leaving.pop()
    function(own, shared, training + 1)
    assert own.exists()


def test_other_settings_of_xla_are_other_programs(
    tmp_path: Path, leaving: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, leaving, "a.pb", b"a program")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX2")
    os.environ[compiled.VARIABLE] = ""
    compiled.keep(tmp_path)
    assert not list(own_folder().iterdir())


@pytest.mark.slow
def test_tensorflow_takes_what_it_compiled_before_and_is_not_harmed_by_a_damaged_program(
    tmp_path: Path, compiling: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / 'it\'s a "box" \\'

    def run() -> dict[str, int]:
        done = subprocess.run([sys.executable, "-c", COMPILES, str(cache)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) == pytest.approx(14 * math.tanh(1), rel=1e-6)
        return {path.name.partition("-")[2]: path.stat().st_ino for path in cache.glob("*/*.pb")}

    first = run()
    assert len(first) == 1
    assert run() == first, "compiled again"
    (kept,) = cache.glob("*/*.pb")
    size = kept.stat().st_size
    os.truncate(kept, size - 100)
    assert run().keys() == first.keys()
    (again,) = cache.glob("*/*.pb")
    assert again.stat().st_size >= size - 10, "the damaged one"


@pytest.mark.slow
def test_a_training_keeps_what_it_compiled(
    tree: Path, tiny_arguments: list[str], compiling: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "char_rnn/train.py", "--data_dir", "data/lyrics/starter", *tiny_arguments, "--smoke"]
    done = subprocess.run(
        command, cwd=tree, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tree)}
    )
    assert done.returncode == 0, done.stderr
    (folder,) = (tree / ".workshop/compiled").iterdir()
    kept = list(folder.iterdir())
    assert len(kept) >= 4, "gradients, a step of Adam, the average, the held-out loss"
    assert all(path.suffix == ".pb" for path in kept)
