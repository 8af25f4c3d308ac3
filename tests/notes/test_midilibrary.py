"""Many MIDI files: each is read or skipped with a reason, and no file stops the rest; then they are cached."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workshop import ROOT
from workshop.errors import UserError
from workshop.notes import midifiles, midilibrary
from workshop.notes.midifiles import find_midi_files, load, parse, write
from workshop.notes.midilibrary import Library, read_all
from workshop.notes.packed_scores import TABLES, pack, unpack
from workshop.run import checkpoint

SHARED = ROOT.parent / "shared" / "data"
REAL = [SHARED / "nottingham_melody", SHARED / "liberty_minstrel" / "midi"]


def tune(path: Path, seed: int = 0, length: int = 20) -> Path:
    """A file with random notes."""
    rng = np.random.default_rng(seed)
    starts = np.arange(length) / 2
    write(path, np.column_stack([starts, starts + 0.4, rng.integers(40, 90, length), rng.integers(1, 128, length)]))
    return path


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder with five tunes, one of them twice, and two files that are none."""
    folder = tmp_path / "music"
    for seed in range(5):
        tune(folder / f"{seed}.mid", seed)
    (folder / "sub").mkdir()
    (folder / "sub" / "again.mid").write_bytes((folder / "3.mid").read_bytes())
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_text("la la la")
    return folder


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that have been read, in this process for once, and not taken from what was kept."""
    names: list[str] = []

    def read_here(files: list[Path], timeout: float) -> Iterator[object]:
        for file in files:
            names.append(file.name)
            yield midilibrary._reason(file)

    monkeypatch.setattr(midilibrary, "_read_apart", read_here)
    return names


def same(one: Library, other: Library) -> bool:
    scores = zip(one.scores.items(), other.scores.items(), strict=True)
    return (one.skipped, one.duplicates) == (other.skipped, other.duplicates) and all(
        a_file == b_file
        and a.parts == b.parts
        and np.array_equal(a.notes, b.notes)
        and np.array_equal(a.tempos, b.tempos)
        for (a_file, a), (b_file, b) in scores
    )


# ---- what comes of a folder


def test_every_file_is_kept_or_skipped_or_the_same_as_another(music: Path, tmp_path: Path) -> None:
    files = find_midi_files(music)
    library = read_all(files, tmp_path / "cache")
    assert [file.name for file in library.scores] == ["0.mid", "1.mid", "2.mid", "3.mid", "4.mid"]
    for file, score in library.scores.items():
        np.testing.assert_array_equal(score.notes, midifiles.read(file).notes)
    assert library.duplicates == [music / "sub" / "again.mid"]
    assert library.skipped == {
        music / "empty.mid": f"{music}/empty.mid is empty",
        music / "text.mid": f"{music}/text.mid is not a MIDI file: it does not begin with MThd",
    }
    assert same(read_all(files, tmp_path / "cache"), library)
    with pytest.raises(UserError, match=r"empty\.mid is empty"):
        midifiles.read(music / "empty.mid")


def test_what_cannot_be_read_is_skipped(music: Path, tmp_path: Path, read_files: list[str]) -> None:
    files = find_midi_files(music)
    (music / "0.mid").unlink()
    with open(music / "1.mid", "wb") as film:
        film.truncate(1 << 30)
    library = read_all(files, tmp_path / "cache")
    assert [file.name for file in library.scores] == ["2.mid", "3.mid", "4.mid"]
    assert library.skipped[music / "0.mid"] == f"{music}/0.mid cannot be read: no such file or directory"
    assert library.skipped[music / "1.mid"] == f"{music}/1.mid is too large for a MIDI file (1,024 MB)"
    assert "1.mid" not in read_files


def test_nothing_but_unreadable_files(tmp_path: Path) -> None:
    library = read_all([tmp_path / "gone.mid"], tmp_path / "cache")
    assert (library.scores, list(library.skipped)) == ({}, [tmp_path / "gone.mid"])


@pytest.mark.parametrize("name", [b"all my songs (best of)", "さくら".encode(), b"\xff\xfe \xe4", b"a\nb", b"-r *"])
def test_folders_and_files_of_any_name(tmp_path: Path, name: bytes) -> None:
    folder = tmp_path / os.fsdecode(name)
    try:
        tune(folder / os.fsdecode(name + b".mid"))
    except UserError:
        pytest.skip("this file system takes only names that are text")
    (folder / os.fsdecode(b"broken" + name + b".mid")).write_bytes(b"MThd")
    library = read_all(find_midi_files(folder), tmp_path / "cache")
    assert [os.fsencode(file.name) for file in library.scores] == [name + b".mid"]
    (reason,) = library.skipped.values()
    assert os.fsencode(reason) == os.fsencode(folder) + b"/broken" + name + b".mid is cut short"
    assert same(read_all(find_midi_files(folder), tmp_path / "cache"), library)


# ---- the second time


def test_the_second_time_nothing_is_read(music: Path, tmp_path: Path, read_files: list[str]) -> None:
    files = find_midi_files(music)
    first = read_all(files, tmp_path / "cache")
    assert len(read_files) == 7
    assert same(read_all(files, tmp_path / "cache"), first)
    assert len(read_files) == 7
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".npz"]


def test_only_what_is_new_is_read(music: Path, tmp_path: Path, read_files: list[str]) -> None:
    read_all(find_midi_files(music), tmp_path / "cache")
    read_files.clear()
    tune(music / "new.mid", 99)
    tune(music / "2.mid", 100, length=7)
    (music / "0.mid").rename(music / "moved.mid")
    library = read_all(find_midi_files(music), tmp_path / "cache")
    assert sorted(read_files) == ["2.mid", "new.mid"]
    assert {file.name: len(score.notes) for file, score in library.scores.items()} == {
        "1.mid": 20, "2.mid": 7, "3.mid": 20, "4.mid": 20, "moved.mid": 20, "new.mid": 20,
    }  # fmt: skip
    read_files.clear()
    (music / "1.mid").unlink()
    assert len(read_all(find_midi_files(music), tmp_path / "cache").scores) == 5
    assert read_files == []


def test_a_new_reader_reads_all_again(
    music: Path, tmp_path: Path, read_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_all(find_midi_files(music), tmp_path / "cache")
    monkeypatch.setattr(midilibrary, "READER_VERSION", 999)
    read_all(find_midi_files(music), tmp_path / "cache")
    assert len(read_files) == 14


def test_what_is_kept_lies_where_the_module_says(
    music: Path, tmp_path: Path, read_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midilibrary, "CACHE", tmp_path / "elsewhere")
    read_all(find_midi_files(music))
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]


@pytest.mark.parametrize("damage", [b"", b"PK\3\4", b"text", None], ids=["empty", "zip", "text", "folder"])
def test_what_was_kept_and_is_damaged_is_read_again(
    music: Path, tmp_path: Path, read_files: list[str], damage: bytes | None
) -> None:
    files = find_midi_files(music)
    first = read_all(files, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.unlink()
    kept.write_bytes(damage) if damage is not None else kept.mkdir()
    assert same(read_all(files, tmp_path / "cache"), first)
    assert len(read_files) == 14


def test_no_altered_byte_of_what_was_kept_is_believed(music: Path, tmp_path: Path, read_files: list[str]) -> None:
    files = find_midi_files(music)
    first = read_all(files, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    content = kept.read_bytes()
    rng = random.Random(0)
    for _ in range(60):
        at = rng.randrange(len(content))
        kept.write_bytes(rng.choice([content[:at], flipped(content, at)]))
        assert same(read_all(files, tmp_path / "cache"), first)


def test_a_folder_that_cannot_be_written_is_no_harm(music: Path, tmp_path: Path, read_files: list[str]) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    for _ in range(2):
        assert len(read_all(find_midi_files(music), tmp_path / "taken" / "cache").scores) == 5
    assert len(read_files) == 14


def test_a_full_disk_is_no_harm(
    music: Path, tmp_path: Path, read_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", lambda *_, **__: full())
    assert len(read_all(find_midi_files(music), tmp_path / "cache").scores) == 5
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_was_read_before_a_stop_is_kept(
    music: Path, tmp_path: Path, read_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = midilibrary._reason

    def stop(file: Path) -> object:
        if file.name == "2.mid":
            raise KeyboardInterrupt
        return reason(file)

    monkeypatch.setattr(midilibrary, "_reason", stop)
    with pytest.raises(KeyboardInterrupt):
        read_all(find_midi_files(music), tmp_path / "cache")
    monkeypatch.setattr(midilibrary, "_reason", reason)
    assert read_files == ["0.mid", "1.mid", "2.mid"]
    read_files.clear()
    assert len(read_all(find_midi_files(music), tmp_path / "cache").scores) == 5
    assert read_files == ["2.mid", "3.mid", "4.mid", "empty.mid", "text.mid"]


# ---- scores in little memory


@pytest.mark.parametrize("empty", [False, True])
def test_a_score_is_unpacked_as_it_was(tmp_path: Path, empty: bool) -> None:
    score = midifiles.read(tune(tmp_path / "a.mid", 1, length=0 if empty else 200))
    score = replace(
        score,
        parts=(*score.parts, midifiles.Part("さくら \udcff", 5, True)),
        bars=np.array([(0, 4.0), (1 / 3, 3.0)]),
        held=np.array([(3, 0.1 + 0.2)]),
    )
    back = unpack(pack(score))
    assert back.parts == score.parts
    for name in TABLES:
        found, expected = getattr(back, name), getattr(score, name)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == float
        assert found.shape[1] == expected.shape[1]
    back.notes[:] = 0  # it is a copy of its own
    assert empty or len(pack(score)) < score.notes.nbytes / 2


def test_what_is_kept_lies_in_blocks(
    music: Path, tmp_path: Path, read_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midilibrary, "BLOCK_BYTES", 300)
    files = find_midi_files(music)
    first = read_all(files, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    arrays, _ = checkpoint.load(kept)
    assert len([name for name in arrays if name.startswith("block/")]) > 1
    read_files.clear()
    assert same(read_all(files, tmp_path / "cache"), first)
    assert read_files == []


# ---- readers that misbehave


def misbehave(file: Path) -> object:
    """Takes the place of the reader; the other processes find it in this module."""
    deed = file.stem.split("_")[0]
    if deed == "hang":
        time.sleep(300)
    elif deed == "exit":
        os._exit(3)
    elif deed == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif deed == "memory":
        raise MemoryError
    elif deed == "bug":
        raise RecursionError("deep")
    elif deed == "modules":
        return ", ".join(sorted({"tensorflow", "keras", "mido", "pytest"} & set(sys.modules)))
    return midilibrary._reason(file)


@pytest.fixture
def misbehaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    monkeypatch.setattr(midilibrary, "_reason", misbehave)
    return lambda *names: [tune(tmp_path / f"{name}.mid", seed) for seed, name in enumerate(names)]


def test_a_file_that_hangs_the_reader_is_given_up_and_the_rest_is_read(
    misbehaving: Callable[..., list[Path]], tmp_path: Path
) -> None:
    files = misbehaving("a", "hang_1", "b", "hang_2", "c")
    started = time.monotonic()
    library = read_all(files, tmp_path / "cache", timeout=0.9)
    assert time.monotonic() - started < 30
    assert [file.stem for file in library.scores] == ["a", "b", "c"]
    assert [reason for file, reason in library.skipped.items()] == [
        f"{file} takes longer than 0.9 seconds to read" for file in files if "hang" in file.name
    ]


def test_readers_that_crash_are_reported_and_the_rest_is_read(
    misbehaving: Callable[..., list[Path]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = misbehaving("a", "exit_1", "memory_1", "b", "bug_1", "killed_1", "exit_2", "c")
    library = read_all(files, tmp_path / "cache")
    assert [file.stem for file in library.scores] == ["a", "b", "c"]
    assert sorted(library.skipped) == sorted(set(files) - set(library.scores))
    for file, reason in library.skipped.items():
        assert reason == f"{file} cannot be read: the process that read it crashed"
    said = capfd.readouterr().err.splitlines()
    assert all(re.fullmatch(r"reading MIDI files: \d of 8 files", line) for line in said)


def test_what_broke_down_is_tried_again_the_next_time(
    misbehaving: Callable[..., list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = misbehaving("a", "memory_1")
    assert len(read_all(files, tmp_path / "cache").scores) == 1
    monkeypatch.undo()
    assert len(read_all(files, tmp_path / "cache").scores) == 2


def test_readers_are_without_tensorflow(misbehaving: Callable[..., list[Path]], tmp_path: Path) -> None:
    (file,) = misbehaving("modules")
    (reason,) = read_all([file], tmp_path / "cache").skipped.values()
    assert reason.endswith("mido, pytest"), "pytest comes with this module"


SCRIPT = """
import sys, time
from pathlib import Path
from workshop import cli
from workshop.notes import midilibrary

def slow(file):
    time.sleep(0.3)
    return "was read"

def main():
    midilibrary._reason = slow
    print("begun", flush=True)
    midilibrary.read_all(sorted(Path(sys.argv[1]).glob("*.mid")), Path(sys.argv[2]))
    print("all read")

if __name__ == "__main__":
    cli.run(main)
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no groups of processes")
@pytest.mark.parametrize("after", [0.0, 0.05, 0.2, 1.0])
def test_ctrl_c_ends_it_at_once_and_quietly(tmp_path: Path, after: float) -> None:
    """The keys reach every process that the terminal has started, as this signal does."""
    for seed in range(200):
        (tmp_path / f"{seed}.mid").write_bytes(bytes([seed]))
    (tmp_path / "script.py").write_text(SCRIPT)
    begun = subprocess.Popen(
        [sys.executable, "script.py", str(tmp_path), "cache"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert begun.stdout
    assert begun.stdout.readline() == "begun\n"
    time.sleep(after)
    os.killpg(begun.pid, signal.SIGINT)
    started = time.monotonic()
    out, err = begun.communicate(timeout=60)  # until the last process that could write there has ended
    assert (begun.returncode, out, err) == (130, "", "stopped\n")
    assert time.monotonic() - started < 10


def test_where_no_process_can_start_files_are_read_all_the_same(music: Path, tmp_path: Path) -> None:
    """Those that read import the script that started them, and what stands on standard input cannot be imported."""
    script = (
        "import sys, pathlib; from workshop.notes.midilibrary import read_all\n"
        "print(len(read_all(sorted(pathlib.Path(sys.argv[1]).glob('*.mid')), pathlib.Path(sys.argv[2])).scores))"
    )
    done = subprocess.run(
        [sys.executable, "-", str(music), str(tmp_path / "cache")],
        cwd=ROOT, input=script, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "5\n"


def test_the_script_starts_its_readers_without_tensorflow(
    run_script: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes that read import the script that has started them."""
    (tmp_path / "music").mkdir()
    for number in range(20):
        (tmp_path / "music" / f"{number}.mid").write_text(f"no music {number} {tmp_path}")
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    done = run_script("midi_rnn/train.py", "--data_dir", tmp_path / "music")
    assert done.returncode == 2
    assert "none of the 20 MIDI files" in done.stderr
    assert len(re.findall(r"\| +workshop\.notes\.midilibrary\n", done.stderr)) > 1
    assert "tensorflow" not in done.stderr
    assert "Traceback" not in done.stderr


# ---- twenty thousand files

MANY = 20_000
MAX_MEMORY = 1.5 * 2**30
READING = """
import sys
from pathlib import Path
from workshop import cli
from workshop.datasets import midi_inspection
from workshop.notes import midilibrary

def main():
    midilibrary.CACHE = Path(sys.argv[2])
    found = midi_inspection.inspect_midi(Path(sys.argv[1]))
    print(found.used, found.notes, found.pedal_notes)

if __name__ == "__main__":
    cli.run(main)
"""


def memory_of(process: int) -> int:
    """Bytes of memory that a process and all that it has started have; what they share is counted for each."""
    status = [path.read_text() for path in Path("/proc").glob("[0-9]*/status") if path.parent.name != str(os.getpid())]
    parent = {int(text.split("\nPid:")[1].split()[0]): int(text.split("\nPPid:")[1].split()[0]) for text in status}
    used = 0
    for text in status:
        number = int(text.split("\nPid:")[1].split()[0])
        while number not in (process, 0, 1):
            number = parent.get(number, 0)
        if number == process and "VmRSS:" in text:
            used += int(text.split("VmRSS:")[1].split()[0]) << 10
    return used


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc on this system")
def test_twenty_thousand_files_are_read_in_little_memory_and_with_progress(tmp_path: Path) -> None:
    """A dozen pieces with pedal of two hundred notes, copied with a text that makes each another file."""
    (tmp_path / "many").mkdir()
    pieces = []
    for seed in range(12):
        content = tune(tmp_path / f"{seed}.mid", seed, length=200).read_bytes()
        at = content.index(b"MTrk") + 8
        pieces.append((content[:at], b"\0\xb0\x40\x7f" + content[at:]))
    for number in range(MANY):
        head, track = pieces[number % len(pieces)]
        text = b"\0\xff\x01\x06%06d" % number
        content = head[:-4] + (len(text) + len(track)).to_bytes(4, "big") + text + track
        (tmp_path / "many" / f"{number}.mid").write_bytes(content)
    (tmp_path / "script.py").write_text(READING)
    with (
        open(tmp_path / "said", "w") as said,
        subprocess.Popen(
            [sys.executable, "script.py", "many", "cache"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
            stdout=subprocess.PIPE, stderr=said,
        ) as begun,
    ):  # fmt: skip
        most = 0
        while begun.poll() is None:
            with contextlib.suppress(OSError, IndexError):  # processes come and go
                most = max(most, memory_of(begun.pid))
            time.sleep(0.5)
        assert begun.stdout
        counts = begun.stdout.read()
    used, notes, pedal_notes = map(int, counts.split())
    progress = (tmp_path / "said").read_text().splitlines()
    print(f"{most / 2**20:,.0f} MB at the most; {len(progress)} lines of progress, the last: {progress[-1]}")
    assert begun.returncode == 0
    assert (used, notes) == (MANY, MANY * 200)
    assert pedal_notes > 0
    assert 50 << 20 < most < MAX_MEMORY
    assert any(line.startswith("reading MIDI files: ") for line in progress)
    assert all(re.fullmatch(r".+: [\d,]+ of 20,000 files", line) for line in progress)


# ---- damaged files by the hundred


def mutated(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut out, doubled, swapped, or taken from another file."""
    work = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if not work:
            break
        at, size = rng.randrange(len(work)), rng.randrange(1, 40)
        how = rng.randrange(8)
        if how < 3:
            work[at] = rng.randrange(256)
        elif how == 3:
            work[at] = rng.choice([0, 0x7F, 0x80, 0xFF])
        elif how == 4:
            del work[at : at + size]
        elif how == 5:
            work[at:at] = work[at : at + size]
        elif how == 6:
            begin = rng.randrange(len(other))
            work[at : at + size] = other[begin : begin + size]
        elif rng.random() < 0.3:
            del work[at:]
        else:
            back = rng.randrange(len(work))
            work[at], work[back] = work[back], work[at]
    return bytes(work)


def written(folder: Path) -> list[Path]:
    return [tune(folder / f"{seed}.mid", seed, length=30 + 10 * seed) for seed in range(8)]


def real(folder: Path) -> list[Path]:
    if not all(folder.is_dir() for folder in REAL):
        pytest.skip("the shared data (nottingham_melody, liberty_minstrel) is not here")
    return [file for folder in REAL for file in sorted(folder.iterdir()) if "mid" in file.suffix][::7]


@pytest.mark.parametrize("source", [written, real])
def test_a_thousand_damaged_files_are_each_kept_or_skipped(
    tmp_path: Path, source: Callable[[Path], list[Path]]
) -> None:
    rng = random.Random(0)
    whole = [load(file) for file in source(tmp_path / "whole")]
    (tmp_path / "damaged").mkdir()
    for number in range(1000):
        content = mutated(rng.choice(whole), rng.choice(whole), rng)
        (tmp_path / "damaged" / f"{number:04}.mid").write_bytes(content)
    files = find_midi_files(tmp_path / "damaged")
    started = time.monotonic()
    library = read_all(files, tmp_path / "cache")
    print(f"{len(library.scores)} of {len(files)} kept in {time.monotonic() - started:.1f} s")
    assert time.monotonic() - started < 60
    assert len(library.scores) + len(library.skipped) + len(library.duplicates) == len(files) == 1000
    assert len(library.scores) > 100
    assert len(library.skipped) > 100
    for file, reason in library.skipped.items():
        assert reason.startswith(f"{file} is ")
        assert "\n" not in reason
    for score in library.scores.values():
        start, end, pitch, velocity, part = score.notes.T
        assert np.isfinite(score.notes).all()
        assert np.isfinite(score.timed(score.notes)).all()
        assert (start >= 0).all()
        assert (end > start).all()
        assert (np.diff(start) >= 0).all()
        assert ((pitch >= 0) & (pitch <= 127) & (velocity >= 1) & (velocity <= 127)).all()
        assert (part < len(score.parts)).all()


def test_bytes_of_noise_after_a_header_are_read_or_refused() -> None:
    rng = random.Random(0)
    header = b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0"
    for _ in range(2000):
        noise = rng.randbytes(rng.randrange(120))
        try:
            score = parse(header + bytes([len(noise)]) + noise)
        except ValueError:
            continue
        assert np.isfinite(score.notes).all()
