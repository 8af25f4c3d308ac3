"""Checkpoints: what goes in comes out, damage is always noticed, and a failure to save costs nothing."""

import contextlib
import copy
import errno
import json
import math
import os
import resource
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workshop.errors import UserError
from workshop.run import checkpoint

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DTYPES = st.sampled_from(["float32", "float64", "float16", "int32", "int64", "uint8", "bool", ">i4", "complex64", "U3"])
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)))
NAMES = st.text(st.sampled_from("ab0/._ é"), max_size=6).map(lambda name: f"model/{name}")

OLD = {
    "model/0": np.arange(6, dtype=np.float32).reshape(2, 3),
    "state": np.float64(0.5),
    "none": np.zeros((0, 2), "i8"),
}
META = {"step": 7, "best": float("inf"), "history": [{"validation": 1.5}], "note": "ß"}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(
        a[name].dtype == np.asarray(b[name]).dtype
        and a[name].shape == np.shape(b[name])
        and a[name].tobytes() == np.asarray(b[name]).tobytes()
        for name in a
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoints" / "latest.npz"
    path.parent.mkdir()
    checkpoint.save(path, OLD, META)
    return path


def intact(path: Path) -> bool:
    arrays, meta = checkpoint.load(path)
    return same(arrays, OLD) and meta == META and [p.name for p in path.parent.iterdir()] == [path.name]


# ---- what goes in comes out


@given(arrays=st.dictionaries(NAMES, ARRAYS, max_size=4), meta=st.dictionaries(st.text(), JSON, max_size=4))
def test_any_arrays_and_meta_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, np.ndarray], meta: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.npz"
    checkpoint.save(path, arrays, meta)
    loaded, loaded_meta = checkpoint.load(path)
    assert same(loaded, arrays)
    assert loaded_meta == meta


def test_arrays_in_another_order_of_memory_come_back(tmp_path: Path) -> None:
    arrays = {"columns": np.asfortranarray(np.arange(6).reshape(2, 3)), "strided": np.arange(10)[::3]}
    checkpoint.save(tmp_path / "a.npz", arrays, {})
    loaded, _ = checkpoint.load(tmp_path / "a.npz")
    assert same(loaded, arrays)


def test_infinity_and_small_differences_survive_in_meta(tmp_path: Path) -> None:
    meta = {"best": float("inf"), "loss": 0.1 + 0.2}
    checkpoint.save(tmp_path / "a.npz", {}, meta)
    assert checkpoint.load(tmp_path / "a.npz")[1] == meta


def test_saving_again_replaces(saved: Path) -> None:
    checkpoint.save(saved, {"model/0": np.ones(3)}, {"step": 8})
    arrays, meta = checkpoint.load(saved)
    assert (list(arrays), meta) == (["model/0"], {"step": 8})
    assert [path.name for path in saved.parent.iterdir()] == ["latest.npz"]


# ---- damage


def test_cut_short_at_any_byte_it_is_refused(saved: Path) -> None:
    content = saved.read_bytes()
    for size in range(len(content)):
        saved.write_bytes(content[:size])
        with pytest.raises(UserError, match=r"latest\.npz is damaged"):
            checkpoint.load(saved)


@pytest.mark.parametrize("flip", [0x01, 0x10, 0x20, 0x80, 0xFF])
def test_a_flipped_byte_anywhere_is_noticed_or_harmless(saved: Path, flip: int) -> None:
    content = saved.read_bytes()
    harmless = refused = named = 0
    for place in range(len(content)):
        saved.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
        try:
            arrays, meta = checkpoint.load(saved)
        except UserError as error:
            named += "latest.npz" in str(error)
            refused += 1
        else:
            assert same(arrays, OLD), f"byte {place} of {len(content)}"
            assert meta == META
            harmless += 1
    # Dates, attributes and the like; the arrays and their names are most of the file.
    assert harmless < len(content) / 3
    assert named == refused > 0


def test_a_flipped_byte_in_the_header_of_a_long_array_is_noticed(tmp_path: Path) -> None:
    """A long part is read in pieces, and its checksum is known only when all of it is read."""
    path = tmp_path / "a.npz"
    checkpoint.save(path, {"x": np.zeros(9000)}, {})
    content = path.read_bytes()
    assert content.count(b"(9000,)") == 1
    path.write_bytes(content.replace(b"(9000,)", b"(1000,)"))
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(path)


@given(data=st.data())
def test_other_bytes_are_never_more_than_a_user_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "altered.npz"
    checkpoint.save(path, OLD, META)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    path.write_bytes(content)
    with contextlib.suppress(UserError):
        arrays, meta = checkpoint.load(path)
        assert same(arrays, OLD)
        assert meta == META


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x05\x06" + bytes(18), b"\x93NUMPY" + bytes(200)])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.npz is damaged"):
        checkpoint.load(tmp_path / "a.npz")


def test_no_checkpoint_is_said_and_a_folder_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no checkpoint .*before its first one was saved"):
        checkpoint.load(tmp_path / "a.npz")
    with pytest.raises(UserError, match="cannot be read: is a directory"):
        checkpoint.load(tmp_path)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, changed: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    content = parts(path) | changed
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_pickled_objects_are_refused_and_never_run(saved: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "sprung"),)

    np.savez(tmp_path / "trap.npz", trap=np.array([Trap()], dtype=object))
    rewrite(saved, {"model/1.npy": parts(tmp_path / "trap.npz")["trap.npy"]})
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(saved)
    assert not (tmp_path / "sprung").exists()


def test_a_rewritten_file_without_a_change_is_read(saved: Path) -> None:
    """So that the tests that rewrite it fail for what they change."""
    rewrite(saved, {})
    assert same(checkpoint.load(saved)[0], OLD)


def test_compressed_parts_are_refused(saved: Path) -> None:
    """A compressed part can be a thousand times as large as its file."""
    rewrite(saved, {"model/1.npy": bytes(1 << 20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(saved)


@pytest.mark.parametrize("length", ["99999999999999999999", "1000000000000", "6000", "7", "-1", "4"])
def test_an_array_that_claims_another_size_than_it_has_is_refused(saved: Path, length: str) -> None:
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + length + ",), }"
    header = header.ljust(117) + "\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(24)
    rewrite(saved, {"model/0.npy": data})
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(saved)


#: The header of an array is read as Python's literals, and numpy lets these errors of Python pass.
HEADERS = [
    "{'descr': '<f4'", "{[]: 1}", '"""', "(" * 5000, "-" * 9000 + "1", "  x\n y\n  z", "x" * 20_000, "", "\0",
    "{'descr': '<f4', 'shape': (4,", "{'descr': \"<f4", "{'descr': '<f4'} }", "  {", "{'descr': [('a', 5)]}",
    "{'descr': 'x', 'fortran_order': False, 'shape': (6,)}", "{'descr': '<f4', 'fortran_order': 1, 'shape': 'x'}",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_a_header_that_python_cannot_read_is_damage(saved: Path, header: str) -> None:
    rewrite(saved, {"model/0.npy": b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()})
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(saved)


def test_parts_that_share_their_bytes_are_refused(saved: Path) -> None:
    """Each part is no larger than the file, and all of them would fill the memory."""
    rewrite(saved, {"model/0.npy": bytes(1000)})
    with zipfile.ZipFile(saved, "a") as archive:
        part = archive.getinfo("model/0.npy")
        for number in range(10):
            again = copy.copy(part)
            again.filename = f"model/{number + 1}.npy"
            archive.filelist.append(again)
        archive.comment = b"written again"
    with pytest.raises(UserError, match="its parts do not fit its size"):
        checkpoint.load(saved)


def test_a_checkpoint_that_the_memory_cannot_hold_is_refused(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = saved.stat().st_size
    monkeypatch.setattr(checkpoint, "memory", lambda: (size, 0))
    assert intact(saved)
    monkeypatch.setattr(checkpoint, "memory", lambda: (size - 1, 0))
    with pytest.raises(UserError, match="larger than this computer's memory"):
        checkpoint.load(saved)


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "latest.npz")
    for path in (tmp_path / "latest.npz", Path("/dev/zero")):
        with pytest.raises(UserError, match="is neither a file nor a folder; take it away"):
            checkpoint.load(path)


@pytest.mark.parametrize("step", [None, "9", 9.0, -1, True, [9], 10**30, math.nan])
def test_what_must_be_in_the_description_is_asked_for(tmp_path: Path, step: object) -> None:
    checkpoint.save(tmp_path / "a.npz", {}, {"step": 9})
    assert checkpoint.load(tmp_path / "a.npz", checkpoint.Saved)[1].step == 9
    for meta, words in (({"step": step}, "is not valid"), ({}, "is missing")):
        checkpoint.save(tmp_path / "a.npz", {}, meta)
        with pytest.raises(UserError, match=rf"the checkpoint .*a\.npz is damaged: its entry 'step' {words}"):
            checkpoint.load(tmp_path / "a.npz", checkpoint.Saved)


@pytest.mark.parametrize("meta", [b"[1]", b"null", b'"x"', b"{", b"\xff"])
def test_a_description_of_another_kind_is_refused(tmp_path: Path, meta: bytes) -> None:
    np.savez(tmp_path / "a.npz", **{"meta.json": np.frombuffer(meta, np.uint8)})
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(tmp_path / "a.npz")


def test_a_file_without_a_description_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones(2))
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(tmp_path / "a.npz")


# ---- saving fails


@pytest.mark.parametrize("function", ["replace", "fsync"])
def test_a_failure_of_the_system_leaves_the_old_one(
    saved: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(UserError, match=r"latest\.npz could not be saved: no space left.*--resume"):
            checkpoint.save(saved, {"model/0": np.ones(3)}, {})
    assert intact(saved)


@contextlib.contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Let the system refuse to write more bytes than that to any file of this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_a_write_that_fails_at_any_byte_leaves_the_old_one(saved: Path, tmp_path: Path, share: float) -> None:
    large = {f"model/{k}": np.ones(50_000) for k in range(3)}
    checkpoint.save(tmp_path / "whole.npz", large, {})
    limit = int((tmp_path / "whole.npz").stat().st_size * share)
    with no_file_longer_than(limit), pytest.raises(UserError, match=r"latest\.npz could not be saved: file too large"):
        checkpoint.save(saved, large, {})
    assert intact(saved)


def test_the_first_one_that_fails_promises_no_earlier_one(tmp_path: Path) -> None:
    with pytest.raises(UserError) as failure:
        checkpoint.save(tmp_path / "missing" / "latest.npz", OLD, META)
    assert "intact" not in str(failure.value)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = Path(tempfile.mkdtemp(prefix="small_disk"))
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        folder.rmdir()
        pytest.skip("a file system of its own can be mounted by root only")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        folder.rmdir()
        pytest.skip(f"no file system could be mounted here: {result.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def test_a_full_disk_leaves_the_checkpoint_before_intact(small_disk: Path) -> None:
    path = small_disk / "latest.npz"
    arrays = {"model/0": np.arange(60_000.0)}
    checkpoint.save(path, arrays, {"step": 1})
    with pytest.raises(UserError) as failure:
        checkpoint.save(path, {"model/0": np.ones(100_000)}, {"step": 2})
    sentence = str(failure.value)
    assert str(path) in sentence
    assert "no space left on device" in sentence
    assert "MB free there" in sentence
    assert "intact" in sentence
    loaded, meta = checkpoint.load(path)
    assert same(loaded, arrays)
    assert meta == {"step": 1}
    assert [p.name for p in small_disk.iterdir()] == ["latest.npz"]
    # And once there is room, saving goes on.
    checkpoint.save(path, {"model/0": np.ones(10)}, {"step": 2})
    assert checkpoint.load(path)[1] == {"step": 2}


# ---- Keras variables


class Variable:
    """What `assign` and `collect` need of a Keras variable."""

    def __init__(self, value: np.ndarray):
        self.value = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def assign(self, value: np.ndarray) -> None:
        self.value = value

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.value


def test_variables_are_collected_and_assigned_by_their_place() -> None:
    variables = [Variable(np.full(k + 1, float(k))) for k in range(12)]
    arrays = checkpoint.collect(variables, "model")
    fresh = [Variable(np.zeros(k + 1)) for k in range(12)]
    checkpoint.assign(fresh, arrays, "model", Path("a.npz"))
    assert all((a.value == b.value).all() for a, b in zip(variables, fresh, strict=True))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"model/1": np.zeros(3)}, {"model/1": np.zeros((2, 1))}, {"model/1": np.zeros(2, complex)},
     {"model/1": np.array(["a", "b"])}, {"model/1": np.zeros(2, np.int64)}],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_changes(wrong: dict[str, np.ndarray]) -> None:
    variables = [Variable(np.zeros(1)), Variable(np.zeros(2))]
    with pytest.raises(UserError, match=r"a\.npz is damaged: it does not fit"):
        checkpoint.assign(variables, {"model/0": np.ones(1)} | wrong, "model", Path("a.npz"))
    assert variables[0].value == 0


def test_the_description_is_json_in_the_file(saved: Path) -> None:
    with np.load(saved) as archive:
        assert json.loads(archive["meta.json"].tobytes()) == META
