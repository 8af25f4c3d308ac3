"""A disk that is full or closed at any place at which something is written: an error is reported, and nothing is lost.

The sentence names the place, and the room where it is room; nothing half-written stays; what was there before can be
sampled from and gone on with, to the same numbers as a run that was not disturbed.
"""

import contextlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from catalogued import BOOK, PLAYS, entry
from damage import everything, fill, full_at, read_only
from test_kill import state
from tiny import TINY, TINY_AUDIO, TINY_GAN, TINY_MIDI, TINY_SPECTRAL, TINY_WAVENET

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
import wavenet.dataset
import wavenet.sample
import wavenet.train
from workshop.audio import library
from workshop.datasets import command_line as datasets
from workshop.datasets import corpus, midi_tunes, starter_sounds
from workshop.datasets.catalog import read_catalog
from workshop.errors import UserError
from workshop.host import services
from workshop.notes import midilibrary
from workshop.run.board import TensorBoardWriter
from workshop.words import plural

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("uncompiled")]

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]
Figure = Callable[[str, str, str], None]
Amount = Callable[..., Any]

#: The fixture with the data, the arguments of a training with some previews, those of a sample, and the files of each.
LESSONS: dict[str, tuple[ModuleType, ModuleType, str, list[str], list[str], list[str], list[str]]] = {
    "char_rnn": (
        char_rnn.train, char_rnn.sample, "tiny_text", [*TINY, "--num_epochs", "4", "--sample_every", "45"],
        ["-n", "9", "--seed", "1"], ["step_000045.txt"], [".txt"],
    ),
    "midi_rnn": (
        midi_rnn.train, midi_rnn.sample, "tiny_music", [*TINY_MIDI, "--num_epochs", "12", "--sample_every", "45"],
        ["-n", "16", "--num_samples", "1", "--seed", "1", "--wav", "--png"],
        [f"step_000045{suffix}" for suffix in (".mid", ".wav", ".png")], [".mid", ".wav", ".png"],
    ),
    "wavenet": (
        wavenet.train, wavenet.sample, "tones", [*TINY_WAVENET, "--num_epochs", "12", "--sample_every", "45"],
        ["-n", "50", "--num_samples", "1", "--seed", "1", "--png"],
        [f"step_000045{suffix}" for suffix in (".wav", ".png")], [".wav", ".png"],
    ),
    "audio_rnn": (
        audio_rnn.train, audio_rnn.sample, "tones", [*TINY_AUDIO, "--num_epochs", "6", "--sample_every", "45"],
        ["-n", "50", "--num_samples", "1", "--seed", "1", "--png"],
        [f"step_000045{suffix}" for suffix in (".wav", ".png")], [".wav", ".png"],
    ),
    "spectral_rnn": (
        spectral_rnn.train, spectral_rnn.sample, "tones",
        [*TINY_SPECTRAL, "--num_epochs", "6", "--sample_every", "45"],
        ["-n", "50", "--num_samples", "1", "--seed", "1", "--png"],
        [f"step_000045{suffix}" for suffix in (".wav", ".png")], [".wav", ".png"],
    ),
    "spectral_gan": (
        spectral_gan.train, spectral_gan.sample, "loops", [*TINY_GAN, "--num_epochs", "6", "--sample_every", "45"],
        ["-n", "50", "--num_samples", "1", "--seed", "1", "--png"],
        ["step_000045.wav", "step_000045.png", "loops_000045.png"], [".wav", ".png"],
    ),
}  # fmt: skip
LEFT_OVER = re.compile(r"\.part$|\.old$")


@pytest.fixture(params=LESSONS)
def lesson(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def data(lesson: str, tmp_path: Path, request: pytest.FixtureRequest, read_here: None) -> Path:
    """The lesson's data and a file that is skipped."""
    folder = Path(shutil.copytree(request.getfixturevalue(LESSONS[lesson][2]), tmp_path / "data"))
    if (folder / "input.txt").exists():
        (folder / "input.txt").rename(folder / "words.txt")
    for suffix in (".txt", ".mid", ".wav"):
        (folder / f"broken{suffix}").write_bytes(b"\0\1" * 9)
    return folder


def leftovers(folder: Path) -> list[str]:
    return [name for name in everything(folder) if LEFT_OVER.search(name)]


def says_so(sentence: str, name: str) -> None:
    """See that a sentence names the place and the room."""
    assert name in sentence
    assert "no space left on device (0 MB free there)" in sentence


@contextlib.contextmanager
def full_for_curves(disk: Path) -> Iterator[None]:
    """In this block the disk is full from when a measurement is drawn: it is TensorFlow that writes then."""

    def filling(loss: Callable[..., None]) -> Callable[..., None]:
        def full(self: TensorBoardWriter, curve: str, value: float, step: int) -> None:
            if curve == "validation" and not (disk / "filler").exists():
                self.flush()
                fill(disk)
            for _ in range(2000 if curve == "validation" else 1):  # what is left of a block is filled first
                loss(self, curve, value, step)
            self.flush()

        return full

    with pytest.MonkeyPatch.context() as patch:
        for name in ("loss", "plain_loss"):  # in nats, or in something else
            patch.setattr(TensorBoardWriter, name, filling(getattr(TensorBoardWriter, name)))
        yield
    (disk / "filler").unlink()


def test_full_at_each_place_in_training(
    lesson: str, data: Path, disk: Path, tmp_path: Path, run_main: Run, refused: Refused, amount: Amount, figure: Figure
) -> None:
    train, sample, _, arguments, sampling, previews, _ = LESSONS[lesson]
    begin = ["--data_dir", data, *arguments]
    assert run_main(train, *begin, "--experiment_dir", "straight").returncode == 0
    path = disk / "experiment"
    begin += ["--experiment_dir", path]
    first = [".run.json", ".skipped.txt", ".vocab.json", ".network.svg", ".latest.npz"]
    going_on = [".best.npz", ".latest.npz", ".run.json", *(f".{name}" for name in previews), "curves", ".skipped.txt"]
    if lesson != "char_rnn":  # what all lessons have in common is tried in one of them in the short form
        first.remove(".vocab.json")
        first, going_on = amount([], first), amount([f".{previews[-1]}"], going_on)
    for name in first:
        with full_at(disk, name):
            says_so(refused(train, *begin), name[1:])
            assert [one.name for one in disk.iterdir()] == ["filler"]
    resume = ["--resume", "--experiment_dir", path]
    for name in going_on:
        args = resume if path.exists() else begin
        with full_for_curves(disk) if name == "curves" else full_at(disk, name):
            says_so(refused(train, *args), name.removeprefix("."))
            assert leftovers(path) == []
        done = run_main(sample, "--experiment_dir", path, *sampling, "--out", tmp_path / "out")
        assert done.returncode == 0, (name, done.stderr)
    assert run_main(train, *resume).returncode == 0
    ended, straight = state(path), state(tmp_path / "straight")
    assert ended == straight
    figure(
        f"the disk full in a training of {lesson}",
        f"{len(first)} places at the beginning, {len(going_on)} in one run: "
        + ", ".join(name.removeprefix(".") for name in going_on),
        f"each is named, sample.py works, and --resume comes to the undisturbed run's numbers ({ended['step']} steps)",
    )


def test_full_at_each_output_of_a_sample(
    lesson: str, good: dict[str, Path], disk: Path, run_main: Run, refused: Refused, figure: Figure
) -> None:
    _, sample, _, _, sampling, _, suffixes = LESSONS[lesson]
    args = ["--experiment_dir", good[lesson], *sampling, "--out", disk / f"new/song{suffixes[0]}"]
    for suffix in suffixes:
        with full_at(disk, f"song{suffix}"):
            says_so(refused(sample, *args), f"song{suffix}")
            assert leftovers(disk) == []
    assert run_main(sample, *args).returncode == 0
    assert sorted(one.suffix for one in (disk / "new").iterdir()) == sorted(suffixes)
    figure(
        f"the disk full while {lesson} generates",
        f"{plural(len(suffixes), 'place')}: {', '.join(suffixes)}",
        "each is named, nothing half-written stays",
    )


def test_closed_at_each_place(
    lesson: str, good: dict[str, Path], disk: Path, tmp_path: Path, run_main: Run, refused: Refused, amount: Amount,
    figure: Figure, request: pytest.FixtureRequest, read_here: None,
) -> None:  # fmt: skip
    """A disk that can only be read, or a folder of the experiment alone."""
    train, sample, fixture, arguments, sampling, _, suffixes = LESSONS[lesson]
    begin = ["--data_dir", request.getfixturevalue(fixture), *arguments]
    path = Path(shutil.copytree(good[lesson], disk / "experiment"))
    resume = ["--resume", "--experiment_dir", path, "--num_epochs", "99", "--sample_every", "1"]
    before = everything(disk)
    with read_only(disk):
        sentence = refused(train, *resume, "--max_minutes", "0.0001")
        assert str(path) in sentence
        assert "read-only" in sentence.lower() or "could not be written" in sentence
        assert "read-only file system" in refused(train, "--experiment_dir", disk / "new", *begin)
        out = ["--out", disk / f"song{suffixes[0]}"]
        assert f"song{suffixes[0]} cannot be written: read-only" in refused(
            sample, "--experiment_dir", path, *sampling, *out
        )
        if lesson != "char_rnn":
            assert "experiment/generated/01" in refused(sample, "--experiment_dir", path, *sampling)
        done = run_main(sample, "--experiment_dir", path, *sampling, "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr
    assert everything(disk) == before
    places = ["the whole disk", "a new experiment", "--out"]
    folders = ["checkpoints", "samples", "tensorboard"]
    for name in folders if lesson == "char_rnn" else amount([], folders):
        with read_only(path / name):
            sentence = refused(train, *resume, "--max_minutes", "0.0001")
        assert name in sentence
        assert leftovers(path) == []
        places.append(name)
    figure(
        f"a disk or a folder that can only be read, {lesson}",
        f"{len(places)} places: {', '.join(places)}",
        "each is named, nothing is changed, and sample.py works",
    )


# ---- caches, data sets, services -------------------------------------------------------------------------------------


def test_caches_are_done_without(
    disk: Path, tiny_music: Path, tones: Path, read_here: None, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    files = sorted(tiny_music.rglob("*.mid"))
    monkeypatch.setattr(library, "CACHE", disk / "audio")
    scores = midilibrary.read_all(files).scores
    sounds = wavenet.dataset.load(tones, 4000)
    shutil.rmtree(disk / "audio")
    for spoilt in (full_at(disk, ".npz"), read_only(disk)):
        with spoilt:
            found = midilibrary.read_all(files, disk / "midi").scores
        assert all(np.array_equal(found[file].notes, scores[file].notes) for file in files)
        assert leftovers(disk) == []
    for spoilt in (full_at(disk, ".samples"), read_only(disk)):
        with spoilt:
            facts = wavenet.dataset.load(tones, 4000).facts
        assert facts == sounds.facts
        assert leftovers(disk) == []
    figure("the disk full or read-only for the cache of MIDI and sound files", "4 places", "works without the cache")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The starter sets are made of one tune."""
    scale = corpus.Tune("Scale", "2/4", "1/8", "C", "CDEF|GABc|defg|agfe|", corpus.COLLECTIONS[0].folder)
    monkeypatch.setattr(corpus, "collect", lambda _: [scale])


#: What is written of each starter set, in this order, and the module that has the version of it.
SETS: dict[str, tuple[ModuleType, list[str]]] = {
    "tunes": (corpus, ["input.txt", "SOURCE.txt"]),
    "midi_tunes": (midi_tunes, [".mid", "SOURCE.txt"]),
    "starter_sounds": (starter_sounds, [".wav", "SOURCE.txt"]),
}


@pytest.mark.parametrize("name", SETS)
def test_starter_data(name: str, disk: Path, few: None, monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    one = read_catalog()[name]
    maker, files = SETS[name]
    for place in files:
        for spoilt in (full_at(disk, place), read_only(disk)):
            with spoilt, pytest.raises(UserError, match=r"cannot be written.*(0 MB free there|read-only)"):
                datasets.get(one, disk)
            assert leftovers(disk) == []
            assert not datasets.is_here(one, disk)
    assert datasets.get(one, disk)
    before = everything(disk)
    monkeypatch.setattr(maker, "EXPORT_VERSION", 99)
    with full_at(disk, files[0]), pytest.raises(UserError, match="cannot be written"):
        datasets.get(one, disk)
    assert everything(disk) == before
    figure(
        f"the disk full or read-only while the set {name} is made, also for the second time",
        f"{2 * len(files) + 1} places and times",
        "an error is reported; what was there stays, or nothing",
    )


def test_sets_that_are_fetched(disk: Path, tmp_path: Path, figure: Figure) -> None:
    """From a mirror folder; over the network it is tried in test_downloads.py."""
    plays, book = entry("plays", "input.txt", PLAYS), entry("book", "1.txt", BOOK, clean="gutenberg")
    for one, content in ((plays, PLAYS), (book, BOOK)):
        (tmp_path / "mirror" / one.name).mkdir(parents=True)
        (tmp_path / "mirror" / one.name / one.file_name).write_bytes(content)
    places = [(plays, ".part"), (book, ".part"), (book, ".input.txt.")]
    for one, name in places:
        for spoilt in (full_at(disk, name), read_only(disk)):
            with spoilt, pytest.raises(UserError, match=r"cannot be written.*(0 MB free there|read-only)"):
                datasets.get(one, disk, str(tmp_path / "mirror"))
            assert not one.target_in(disk).exists()
            assert leftovers(disk) == []
    for one in (plays, book):
        assert datasets.get(one, disk, str(tmp_path / "mirror"))
    figure(
        "the disk full or read-only while sets are copied and cleaned",
        f"{2 * len(places)} places",
        "an error is reported, and no set is half there",
    )


def test_the_state_of_the_servers(disk: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    monkeypatch.setattr(services, "ROOT", disk)
    server = services.wanted_server("char_rnn")
    services.state_dir()
    for write, name in ((services.lab_token, "jupyter_token"), (lambda: services.remember(server, 1, ["a"]), ".json")):
        for spoilt in (full_at(disk, name), read_only(disk)):
            with spoilt, pytest.raises(UserError, match=r"Cannot write in '.*' \((no space left|read-only)"):
                write()
            assert list((disk / ".workshop").iterdir()) == []
        write()
        (path,) = (disk / ".workshop").iterdir()
        path.unlink()
    token = services.lab_token()
    with read_only(disk):
        assert services.lab_token() == token
        with pytest.raises(UserError, match="Cannot write in"):
            services.start_tensorboard("char_rnn")
    figure(
        "the disk full or read-only for the state of the servers",
        "6 places",
        "an error is reported; no half token, no server that cannot be stopped",
    )
