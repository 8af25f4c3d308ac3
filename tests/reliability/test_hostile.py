"""An experiment that a stranger has made runs no code, writes nothing outside of its folder, and has an end.

Whatever stands in it is answered by one sentence and status 2, or does no harm.
"""

import json
import os
import pty
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from crafted import harmful, with_names_that_lead_out
from damage import change_run, everything

import audio_rnn.sample
import audio_rnn.train
import char_rnn.sample
import char_rnn.train
import midi_rnn.sample
import midi_rnn.train
import spectral_gan.sample
import spectral_gan.train
import spectral_rnn.sample
import spectral_rnn.train
import wavenet.sample
import wavenet.train
from char_rnn import copied
from char_rnn.dataset import TextInfo
from char_rnn.vocab import Vocabulary
from workshop import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("uncompiled")]

Run = Callable[..., subprocess.CompletedProcess[str]]
Figure = Callable[[str, str, str], None]
Amount = Callable[[int, int], int]

SAMPLING = {
    "char_rnn": ("-n", "20"),
    "midi_rnn": ("-n", "16", "--num_samples", "1"),
    "wavenet": ("-n", "100", "--num_samples", "1"),
    "audio_rnn": ("-n", "100", "--num_samples", "1"),
    "spectral_rnn": ("-n", "100", "--num_samples", "1"),
    "spectral_gan": ("-n", "100", "--num_samples", "1"),
}
SCRIPTS = {
    "char_rnn": (char_rnn.sample, char_rnn.train),
    "midi_rnn": (midi_rnn.sample, midi_rnn.train),
    "wavenet": (wavenet.sample, wavenet.train),
    "audio_rnn": (audio_rnn.sample, audio_rnn.train),
    "spectral_rnn": (spectral_rnn.sample, spectral_rnn.train),
    "spectral_gan": (spectral_gan.sample, spectral_gan.train),
}
#: All that commands a terminal, as a name.
COMMANDS = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202etxt\nerror: forged"
#: Names of folders that a shell, a terminal, a pattern or an address would take for something else.
ODD_NAMES = [
    os.fsdecode(b"caf\xe9 '\"\n\x1b[2J$(touch sprung)`touch sprung`;[a-z]*?%s{0}\\"),
    "-n",
    " ",
    "gs:",
    "~",
    "\u202egnp.exe",
    "x" * 240,
    "'; touch sprung; '",
    "$HOME",
    "100%",
    "日本 ♪",
    "a=b",
]


@dataclass
class Victim:
    """A good experiment of a lesson, to be spoilt, and a place beside it that nothing may be written to."""

    lesson: str
    path: Path
    guard: Path

    @property
    def calls(self) -> list[tuple[ModuleType, tuple[str | Path, ...]]]:
        """What a student does with an experiment that somebody has given away."""
        sample, train = SCRIPTS[self.lesson]
        where = ("--experiment_dir", self.path)
        return [
            (sample, (*where, *SAMPLING[self.lesson])),
            (train, (*where, "--resume", "--num_epochs", "1000", "--max_minutes", "0.0001")),
        ]


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Path]:
    """A folder beside the experiment in which nothing changes, whatever is tried."""
    folder = tmp_path / "guard"
    for name in ("checkpoints", "samples", "tensorboard", "generated"):
        (folder / name).mkdir(parents=True)
        (folder / name / ".mine.1.part").write_text("a file aside that somebody else is writing")
    (folder / "secret.txt").write_text("the winter of our discontent\n" * 9)
    before = everything(folder)
    yield folder
    assert everything(folder) == before
    assert not list(tmp_path.rglob("sprung"))


@pytest.fixture(params=SCRIPTS)
def victim(request: pytest.FixtureRequest, good: dict[str, Path], guard: Path, read_here: None) -> Victim:
    """An experiment to be spoilt."""
    path = guard.parent / "experiment"
    return Victim(request.param, Path(shutil.copytree(good[request.param], path)), guard)


def plain(done: subprocess.CompletedProcess[str]) -> None:
    """See that nothing on the screen commands it, and that an error is one line."""
    shown = done.stdout + done.stderr
    assert not [c for c in shown if (not c.isprintable() and c not in "\n\xa0") or c in "\u202e\x9b"]
    assert "Traceback" not in shown
    assert not [line for line in shown.splitlines() if line.startswith("error: forged")]


# ---- links, pipes and devices ----------------------------------------------------------------------------------------


def placed(victim: Victim) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each place of an experiment, and how something is put there instead of what is there."""
    files = ["run.json", "vocab.json", "skipped.txt", "log.txt", "checkpoints/latest.npz", "checkpoints/best.npz"]
    files += ["checkpoints/step_000040.npz"]
    files += ["checkpoints/.latest.npz.1a2b3c4d.part", ".run.json.1a2b3c4d.part"]
    folders = ["checkpoints", "samples", "tensorboard", "tensorboard/train", "tensorboard/baseline", "generated"]
    for name in files:
        place = victim.path / name
        for target in (victim.guard / "secret.txt", victim.guard / "new", place, "/dev/zero", "/proc/kmsg"):
            yield f"{name} -> {target}", partial(place.symlink_to, target)
        yield f"{name}: a pipe", partial(os.mkfifo, place)
        yield f"{name}: a device", partial(os.mknod, place, 0o20666, os.makedev(1, 5))
    for name in folders:
        place = victim.path / name
        for target in (victim.guard / name.split("/")[0], victim.guard, victim.path, "/dev", "nowhere"):
            yield f"{name} -> {target}", partial(place.symlink_to, target)
        yield f"{name}: a pipe", partial(os.mkfifo, place)


def test_what_is_no_file_and_no_folder_of_its_own(victim: Victim, run_main: Run, figure: Figure) -> None:
    places = 0
    for name, put in placed(victim):
        place = victim.path / name.split(" -> ")[0].split(": ")[0]
        aside = victim.path.with_name("aside")
        if place.exists():
            place.rename(aside)
        put()
        for script, args in victim.calls:
            done = run_main(script, *args)
            assert done.returncode == 2, (name, done.stderr)
            assert str(place) in done.stderr or "no run.json" in done.stderr, (name, done.stderr)
            plain(done)
        place.unlink()
        if aside.exists():
            aside.rename(place)
        places += 1
    figure(
        f"links, pipes and devices in an experiment of {victim.lesson}",
        f"{places} of them, for sample.py and train.py --resume",
        "each is named, nothing is written outside",
    )


def test_an_experiment_that_is_a_link_is_one(victim: Victim, run_main: Run) -> None:
    victim.path.rename(victim.path.with_name("real"))
    victim.path.symlink_to("real")
    sample, args = victim.calls[0]
    assert run_main(sample, *args).returncode == 0


def test_the_notebooks_follow_no_link(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "notebooks"))
    showing = pytest.importorskip("showing")
    from workshop.errors import UserError

    monkeypatch.setattr(showing, "ROOT", victim.path.parent)
    place = victim.path.parent / victim.lesson / "experiments" / "01"
    place.parent.mkdir(parents=True)
    victim.path.rename(place)
    assert [found.path for found in showing.experiments(victim.lesson)] == [place]
    (place / "generated").symlink_to(victim.guard)
    with pytest.raises(UserError, match="generated is a link"):
        showing.newest(victim.lesson)


# ---- checkpoints -----------------------------------------------------------------------------------------------------


def test_checkpoints_that_mean_harm(victim: Victim, run_main: Run, amount: Amount, figure: Figure) -> None:
    best, latest = (victim.path / "checkpoints" / name for name in ("best.npz", "latest.npz"))
    (sample, sampling), (train, resuming) = victim.calls
    before = everything(victim.path)
    tried = resumed = 0
    slowest, memory = 0.0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, make in harmful(best.read_bytes(), victim.path.parent / "sprung").items():
        good = best.read_bytes()
        best.write_bytes(make())
        memory = max(memory, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) if name == "a bomb" else memory
        started = time.monotonic()
        done = run_main(sample, *sampling)
        slowest = max(slowest, time.monotonic() - started)
        assert done.returncode == 2, (name, done.stderr)
        assert "best.npz is damaged" in done.stderr
        assert len(done.stderr) < 1000
        plain(done)
        best.write_bytes(good)
        tried += 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    assert grown < 300, f"{grown:.0f} MB more"
    assert slowest < 10
    for name, make in list(harmful(latest.read_bytes(), victim.path.parent / "sprung").items())[:: amount(20, 1)]:
        good = latest.read_bytes()
        latest.write_bytes(make())
        done = run_main(train, *resuming)
        assert done.returncode == 2, (name, done.stderr)
        assert "latest.npz is damaged" in done.stderr
        plain(done)
        latest.write_bytes(good)
        resumed += 1
    assert everything(victim.path) == before
    figure(
        f"checkpoints of {victim.lesson}, malicious: pickles, zip bombs, wrong sizes",
        f"{tried} read by sample.py, {resumed} by train.py --resume",
        f"each is refused, within {slowest:.2f} s and {max(grown, 0):.0f} MB; no code is run",
    )


def test_names_in_a_checkpoint_lead_nowhere(victim: Victim, run_main: Run, amount: Amount) -> None:
    for path in (victim.path / "checkpoints").iterdir():
        path.write_bytes(with_names_that_lead_out(path.read_bytes(), victim.guard))
    before = set(everything(victim.path.parent))
    for script, args in victim.calls[: amount(1, 2)]:
        assert run_main(script, *args).returncode == 0
    new = set(everything(victim.path.parent)) - before
    assert not [name for name in new if not name.startswith("experiment/")]


# ---- what is printed -------------------------------------------------------------------------------------------------


def test_names_that_command_the_terminal(victim: Victim, run_main: Run) -> None:
    """Also as the name of the experiment, of its conditions, and in the text that a network writes."""
    info = json.loads((victim.path / "run.json").read_text("utf-8"))
    for part in ("message", "status", "created", COMMANDS):
        info[part] = COMMANDS
    change_run(victim.path, **info)
    victim.path = victim.path.rename(victim.path.with_name(ODD_NAMES[0]))
    for script, args in victim.calls:
        done = run_main(script, *args)
        assert done.returncode == 0, done.stderr
        plain(done)
        assert r"\x1b[2J" in done.stderr + done.stdout
    train, resuming = victim.calls[1]
    change_run(victim.path, data={**info["data"], "path": f"/{COMMANDS}"})
    for lesson, words in ((victim.lesson, "any more: put it back"), (COMMANDS, "is an experiment of")):
        change_run(victim.path, lesson=lesson)
        done = run_main(train, *resuming)
        assert done.returncode == 2
        assert words in done.stderr
        plain(done)


def test_folders_with_odd_names(victim: Victim, run_main: Run, amount: Amount, figure: Figure) -> None:
    names = ODD_NAMES[1 : amount(3, len(ODD_NAMES))]
    original = victim.path
    for name in names:
        # A copy of its own: the lock of a training that this process has done holds for the folder, not for its name.
        victim.path = Path(shutil.copytree(original, original.with_name(name)))
        for script, args in victim.calls[: amount(1, 2)]:
            done = run_main(script, *args)
            assert done.returncode == 0, (name, done.stderr)
            plain(done)
    figure(
        f"names of {victim.lesson}'s experiments with shell commands and control characters",
        f"{len(names) + 1} names",
        "nothing is executed, and nothing is written outside",
    )


def test_a_network_that_writes_commands(good: dict[str, Path], run_main: Run, tmp_path: Path) -> None:
    """Its alphabet can be of control characters: on a terminal they are shown, in a file they are what it wrote."""
    path = Path(shutil.copytree(good["char_rnn"], tmp_path / "experiment"))
    size = len(Vocabulary.load(path / "vocab.json")) - 1
    commands = "\x1b\x07\r\x9b\u202e\b"
    alphabet = commands + "".join(map(chr, range(0x100, 0x100 + size - len(commands))))
    (path / "vocab.json").write_text(json.dumps({"format": 1, "characters": alphabet}), "utf-8")
    info = json.loads((path / "run.json").read_text("utf-8"))
    change_run(path, data={**info["data"], "warm_up": alphabet[0]})
    args = ["--experiment_dir", str(path), "-n", "300", "--temperature", "9", "--seed", "1"]
    assert "\x1b" in run_main(char_rnn.sample, *args).stdout
    command = [sys.executable, str(ROOT / "char_rnn/sample.py"), *args]
    controller, terminal = pty.openpty()
    process = subprocess.Popen(command, stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    shown = b""
    try:
        while part := os.read(controller, 1 << 16):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(controller)
    assert process.wait(60) == 0
    assert rb"\x1b" in shown
    assert not [c for c in shown.decode("utf-8").replace("\r\n", "\n") if c in commands]


# ---- what a path in run.json makes it read ---------------------------------------------------------------------------


def test_paths_in_run_json(victim: Victim, run_main: Run, figure: Figure) -> None:
    """Any file of this computer can be named: nothing of it is shown, and nothing is waited for."""
    os.mkfifo(victim.path.parent / "pipe")
    big = victim.path.parent / "big.txt"
    with open(big, "wb") as file:
        file.truncate(1 << 40)
    paths = [
        victim.guard, victim.guard / "secret.txt", victim.path.parent / "pipe", big, "/dev", "/dev/zero", "/dev/stdin",
        "/proc/kmsg", "/proc/self/mem", "/proc/kcore", "/proc/self/fd", "//nowhere/share", "a\0b", "~", "", "x" * 5000,
    ]  # fmt: skip
    info = json.loads((victim.path / "run.json").read_text("utf-8"))
    train, args = victim.calls[1]
    for path in paths:
        change_run(victim.path, data={**info["data"], "path": str(path)})
        started = time.monotonic()
        done = run_main(train, *args)
        assert done.returncode == 2, (path, done.stderr)
        assert "discontent" not in done.stdout + done.stderr
        # What waits for a pipe waits for ever.
        assert time.monotonic() - started < 120, path
        plain(done)
    tried = len(paths)
    if victim.lesson == "wavenet":
        for condition in (victim.path.parent / "pipe", "/dev/zero", "/proc/kmsg", big):
            change_run(victim.path, arguments={**info["arguments"], "condition": str(condition)})
            assert run_main(train, *args).returncode == 2
            tried += 1
    if victim.lesson == "char_rnn":
        vocabulary = Vocabulary.load(victim.path / "vocab.json")
        ids = vocabulary.encode("the winter of our discontent")[:, None]
        facts = msgspec.convert(info["data"], TextInfo)
        for path in [*paths, "/"]:
            started = time.monotonic()
            said = copied.report(ids[:12], vocabulary, msgspec.structs.replace(facts, path=str(path)))
            assert "discontent" not in said
            assert time.monotonic() - started < 120, path
            tried += 1
    figure(
        f"paths in run.json of {victim.lesson}: pipes, devices, /proc, the whole disk, a file of 1 TB",
        f"{tried} paths",
        "nothing is shown of what is there, nothing is waited for",
    )
