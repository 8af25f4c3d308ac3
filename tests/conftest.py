"""What several test files share: a small text and small tunes, trained experiments, and ways to run a script."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import numpy as np
import pytest
import warm as warm_python
from melodies import melody
from once import once
from serving import Server, serving
from tiny import (
    LESSONS,
    RATE,
    TINY,
    TINY_AUDIO,
    TINY_GAN,
    TINY_MIDI,
    TINY_SPECTRAL,
    TINY_WAVENET,
    with_xla,
    without_xla,
)

from workshop import ROOT, cli
from workshop.audio import library as sounds
from workshop.audio import slices
from workshop.audio.synthesis import write_wav
from workshop.notes import midilibrary
from workshop.notes.midifiles import write

# No example has a deadline: a busy machine is no failure.
hypothesis.settings.register_profile("workshop", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("workshop")

#: What the tests with a container share, and those of the page; a conftest.py of theirs would be known in one folder.
pytest_plugins = ("container_fixtures", "playing", "browsing")

#: Where TensorFlow reads its settings of XLA.
XLA = "TF_XLA_FLAGS"
#: What a fresh clone does not have, and what start.sh is not asked for.
NOT_COPIED = (".*", "__pycache__", "*.egg-info", "build", "experiments", "save*", "generated", "YOURDATA", "tests")

#: The microphone beeps, and a page that asks for it gets it.
BROWSER_ARGUMENTS = [
    "--no-sandbox", "--no-proxy-server", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Let all trainings of a run, also in processes of their own, share what XLA compiles: half of a short one's time.

    XLA compares the whole program before it takes what is kept. The long form of the reliability tests does without.
    """
    if XLA not in os.environ and os.environ.get("WORKSHOP_RELIABILITY") != "long":
        folder = tempfile.mkdtemp(prefix="compiled_")
        os.environ[XLA] = f"--tf_xla_persistent_cache_directory={folder}"
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Processes that the test starts compile by themselves, until it says `compiling.undo()`."""
    with monkeypatch.context() as patch:
        patch.delenv(XLA, raising=False)
        yield patch


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings in this process are not compiled; not for tests of what a training computes."""
    without_xla(monkeypatch)


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an `input.txt` of 20,000 characters of the starter lyrics; not to be written to."""

    def make(folder: Path) -> None:
        songs = sorted((ROOT / "data" / "lyrics" / "starter").glob("*.txt"))
        text = "\n\n".join(song.read_text("utf-8") for song in songs)[:20_000]
        assert len(text) == 20_000
        folder.mkdir()
        (folder / "input.txt").write_text(text, "utf-8")

    return once(tmp_path_factory, "tiny_text", make)


@pytest.fixture(scope="session")
def tiny_arguments() -> list[str]:
    """Arguments of `char_rnn/train.py` for a network that trains in a second or two; previews are off."""
    return TINY.copy()


@pytest.fixture(scope="session")
def trained(tiny_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of lesson 1, trained for 88 steps in this process; copy it before you write to it."""
    length = ["--num_epochs", "2", "--sample_every", "40", "--message", "made by the tests"]
    return once(tmp_path_factory, "trained", lambda path: _train("char_rnn", tiny_text, path, *TINY, *length))


@pytest.fixture(scope="session", autouse=True)
def midi_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is read of MIDI files is not kept in the clone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(midilibrary, "CACHE", tmp_path_factory.mktemp("midi_cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def audio_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is read of sound files is not kept in the clone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sounds, "CACHE", tmp_path_factory.mktemp("audio_cache"))
        yield


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDI files are read in this process, because starting another one takes half a second."""
    monkeypatch.setattr(midilibrary, "_read_apart", lambda files, timeout: map(midilibrary._reason, files))


@pytest.fixture(scope="session")
def tiny_music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dozen melodies of 12 bars, 8 of them one by one and 4 in a folder; not to be written to."""

    def make(folder: Path) -> None:
        for number in range(12):
            path = folder / ("more" if number >= 8 else "") / f"tune {number:02d}.mid"
            write(path, melody(number), tempo=90 + 5 * number, name=f"Tune {number}")

    return once(tmp_path_factory, "tiny_music", make)


@pytest.fixture(scope="session")
def tiny_midi_arguments() -> list[str]:
    """Arguments of `midi_rnn/train.py` for a network that trains in some seconds; previews are off."""
    return TINY_MIDI.copy()


@pytest.fixture(scope="session")
def trained_midi(tiny_music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of lesson 2 on melodies; copy it before you write to it."""
    arguments = [*TINY_MIDI, "--num_epochs", "4", "--transpose", "2"]
    return once(tmp_path_factory, "melody", lambda path: _train("midi_rnn", tiny_music, path, *arguments))


@pytest.fixture(scope="session")
def trained_performance(tiny_music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the other encoding."""
    arguments = [*TINY_MIDI, "--num_epochs", "4", "--transpose", "2"]
    arguments += ["--encoding", "performance", "--stretch", "0.1"]
    return once(tmp_path_factory, "performance", lambda path: _train("midi_rnn", tiny_music, path, *arguments))


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten sounds of half a second, two tones with a little noise; not to be written to."""

    def make(folder: Path) -> None:
        time = np.arange(RATE // 2) / RATE
        for number in range(10):
            sound = 0.4 * np.sin(2 * np.pi * (300 + 30 * number) * time) + 0.2 * np.sin(2 * np.pi * 700 * time)
            write_wav(folder / f"{number}.wav", sound + np.random.default_rng(number).normal(0, 0.01, len(time)), RATE)

    return once(tmp_path_factory, "tones", make)


@pytest.fixture(scope="session")
def trained_wavenet(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of lesson 3 on tones, with two previews; copy it before you write to it."""
    length = ["--num_epochs", "4", "--sample_every", "20"]
    return once(tmp_path_factory, "wavenet", lambda path: _train("wavenet", tones, path, *TINY_WAVENET, *length))


@pytest.fixture(scope="session")
def trained_audio_rnn(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of lesson 4."""
    length = ["--num_epochs", "4", "--sample_every", "36"]
    return once(tmp_path_factory, "audio_rnn", lambda path: _train("audio_rnn", tones, path, *TINY_AUDIO, *length))


@pytest.fixture(scope="session")
def trained_spectral_rnn(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of lesson 5, not compiled: what the tests of it need is there in a second."""

    def make(path: Path) -> None:
        length = ["--num_epochs", "2", "--sample_every", "28"]
        _train("spectral_rnn", tones, path, *TINY_SPECTRAL, *length, compiled=False)

    return once(tmp_path_factory, "spectral_rnn", make)


@pytest.fixture(scope="session")
def trained_guesses(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with `--target complex`."""

    def make(path: Path) -> None:
        length = ["--num_epochs", "2", "--sample_every", "28", "--target", "complex"]
        _train("spectral_rnn", tones, path, *TINY_SPECTRAL, *length, compiled=False)

    return once(tmp_path_factory, "guesses", make)


@pytest.fixture(scope="session")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 48 slices of half a second, four beats each, of six songs; not to be written to."""

    def make(folder: Path) -> None:
        about = {}
        for number in range(48):
            rng, beat = np.random.default_rng(number), RATE // 8
            time = np.arange(beat) / RATE
            tone = 0.5 * np.sin(2 * np.pi * (100 + 200 * (number % 4)) * time) * np.exp(-20 * time)
            beats = [rng.integers(2) * tone + rng.normal(0, 0.02, beat) * np.exp(-9 * time) for _ in range(4)]
            write_wav(folder / f"{number:02d}.wav", np.concatenate(beats), RATE)
            about[f"{number:02d}.wav"] = slices.Slice(f"song {number // 8}")
        slices.write_about(folder, slices.SlicesFile(480.0, 4, RATE, RATE // 2, about))

    return once(tmp_path_factory, "loops", make)


@pytest.fixture(scope="session")
def trained_spectral_gan(loops: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of lesson 6; copy it before you write to it."""
    length = ["--num_epochs", "2", "--sample_every", "20"]
    return once(tmp_path_factory, "spectral_gan", lambda path: _train("spectral_gan", loops, path, *TINY_GAN, *length))


def _train(lesson: str, data: Path, path: Path, *args: str, compiled: bool = True) -> None:
    """Run a lesson's `train.py` in this process, compiled or not, whatever the test that asks first does."""
    train = importlib.import_module(f"{lesson}.train")
    with pytest.MonkeyPatch.context() as patch:
        (with_xla if compiled else without_xla)(patch)
        patch.setattr(sys, "argv", ["train.py", "--data_dir", str(data), "--experiment_dir", str(path), *args])
        assert train.main() == 0


@pytest.fixture(scope="session")
def clean_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workshop after its set-up, with a part of the starter sets (see few_data.py), of which the tunes have been
    read once, and nothing that anybody made; not to be written to.
    """
    return once(tmp_path_factory, "clean_tree", _make_clean_tree)


def _make_clean_tree(tree: Path) -> None:
    shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
    _take_kernels(ROOT, tree)
    for folder in ("lyrics", "midi", "audio"):
        for found in (tree / "data" / folder).glob("*"):
            if found.name not in {"starter", "tunes"}:
                shutil.rmtree(found)
    (tree / "data" / "generated").mkdir()
    command = [sys.executable, str(ROOT / "tests" / "few_data.py"), str(tree / "data")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=ROOT, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # A page reads the tunes in each of its commands.
    command = [sys.executable, "-m", "workshop.datasets", "inspect", "data/midi/tunes"]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    subprocess.run(command, cwd=tree, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _take_kernels(source: Path, target: Path) -> None:
    """Give a copy of the workshop what numba has compiled in another one, and keeps under a name made of its place."""
    from numba.core.caching import _CacheLocator

    for room in ("workshop", *LESSONS):
        for kept in (source / room).rglob("__pycache__/kernels-*/*"):
            place = target / kept.parent.relative_to(source)
            shutil.copytree(kept, place / _CacheLocator.get_suitable_cache_subpath(str(place.parent.parent / "any.py")))


@pytest.fixture
def tree(clean_tree: Path, tmp_path: Path) -> Path:
    """A copy of the workshop of this test's own, in a folder with a space in its name."""
    root = tmp_path / "the workshop"

    def take(source: str, target: str) -> None:
        # Hard links, because there are thousands of files; what the workshop writes, it writes to new ones. A person
        # who changes a program does not.
        (shutil.copy2 if source.endswith(".py") else os.link)(source, target)

    shutil.copytree(clean_tree, root, symlinks=True, copy_function=take, ignore=shutil.ignore_patterns("kernels-*"))
    _take_kernels(clean_tree, root)
    # What was read of the tunes is kept under a name that is made of their place.
    (kept,) = (root / ".workshop" / "midi").glob("*.npz")
    name = midilibrary._name(sorted((root / "data" / "midi" / "tunes").glob("*.mid")))
    kept.rename(kept.with_name(f"{name}.npz"))
    return root


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a Python listens that has loaded TensorFlow already; see warm.py."""
    with warm_python.python(tmp_path_factory.mktemp("warm")) as place:
        yield place


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("there is no browser: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def run_main(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in this process, where TensorFlow is loaded already, from the test's own folder:
    `run_main(sample, "-n", "10")`. A training does without XLA, unless the test wants it `compiled`.
    """
    monkeypatch.chdir(tmp_path)

    def run(script: ModuleType, *args: str | Path, compiled: bool = False) -> subprocess.CompletedProcess[str]:
        if script.__name__.endswith(".train"):
            (with_xla if compiled else without_xla)(monkeypatch)
        monkeypatch.setattr(sys, "argv", [f"{script.__name__.split('.')[-1]}.py", *map(str, args)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run(script.main)
        captured = capfd.readouterr()
        return subprocess.CompletedProcess(sys.argv, ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(run_main: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., str]:
    """Run a script in this process, see that it says no as it should, and return its sentence without `error: `."""

    def run(script: ModuleType, *args: str | Path) -> str:
        done = run_main(script, *args)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr + done.stdout
        (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
        assert done.stderr.endswith(sentence + "\n")
        return sentence.removeprefix("error: ")

    return run


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web server that misbehaves as it is told to, reached without a proxy."""
    monkeypatch.setenv("no_proxy", "*")
    with serving() as state:
        yield state


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where a download goes; its folder is not there yet."""
    return tmp_path / "lyrics" / "set" / "input.txt"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 1 MB."""
    yield from _disk(tmp_path / "disk", "1m")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 16 MB, in which an experiment with its previews has room."""
    yield from _disk(tmp_path / "disk", "16m")


def _disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("a disk cannot be mounted here: there is no mount command")
    if done.returncode:
        pytest.skip(f"a disk cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def figure() -> Callable[[str, str, str], None]:
    """Note a row of tests/reliability/table.py: `figure("kill -9, char_rnn", "50 times", "at most 19 steps lost")`."""

    def note(what: str, tried: str, result: str) -> None:
        if place := os.environ.get("WORKSHOP_FIGURES"):
            with open(place, "a", encoding="utf-8") as file:
                file.write(json.dumps([what, tried, result], ensure_ascii=False) + "\n")

    return note


@pytest.fixture(scope="session")
def run_script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a lesson's script: `run_script("char_rnn/sample.py", "-n", "10", cwd=..., stdin=...)`.

    Standard output and error come back as text; nothing is assumed about the exit status.
    """

    def run(
        script: str | Path, *args: str | Path, cwd: str | Path = ROOT, stdin: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / script), *map(str, args)]
        return subprocess.run(
            command, cwd=cwd, input=stdin if stdin is not None else "", capture_output=True, encoding="utf-8",
            timeout=timeout, env={**os.environ, "COLUMNS": "120"}, check=False,
        )  # fmt: skip

    return run
