"""Trained networks that come with the workshop: their weights of 8 bits, where they are found, and what they say."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workshop import ROOT, lessons, load
from workshop.errors import UserError
from workshop.lessons import Lesson
from workshop.run import checkpoint, experiment, pretrained
from workshop.run.quantised import HALF, SCALES, halved, quantised, restored

Run = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]

NETWORKS = [folder for lesson in lessons.lessons() for folder in pretrained.networks(lesson)]
#: Megabytes in Git: of all together, and of each lesson's networks.
MOST_MB, MOST_MB_EACH = 16, 3

MATRICES = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=3, max_side=5), elements=st.floats(-1e6, 1e6, width=32)
)


@given(MATRICES)
@example(np.array([[6e-45, 2.6e-43, 0]], np.float32))
def test_rounded_weights_are_near(matrix: np.ndarray) -> None:
    back = restored(quantised({"average/0": matrix}))["average/0"]
    assert back.dtype == np.float32
    largest = np.abs(matrix).max(axis=tuple(range(matrix.ndim - 1)))  # of each output channel
    assert (np.abs(back - matrix) <= largest / 127 * 0.501 + 1e-30).all()


@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=3, max_side=5), elements=st.floats(-6e4, 6e4, width=32)
    )
)
def test_halved_weights_are_near(matrix: np.ndarray) -> None:
    halves = halved({"average/0": matrix})
    assert {name: array.nbytes for name, array in halves.items()} == {"average/0" + HALF: matrix.nbytes // 2}
    back = restored(halves)["average/0"]
    assert back.dtype == np.float32
    assert back == pytest.approx(matrix, rel=2**-11, abs=2**-25)  # half of the last of 11 bits; below 2 ** -14 fixed


@pytest.mark.parametrize("packed", [quantised, halved])
@given(
    array=hnp.arrays(np.float32, hnp.array_shapes(max_dims=1, max_side=5))
    | hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3, max_side=5))
)
def test_vectors_and_what_are_no_weights_stay(packed: Callable[..., dict[str, np.ndarray]], array: np.ndarray) -> None:
    assert list(packed({"one": array})) == ["one"]
    assert packed({"one": array})["one"].tobytes() == array.tobytes()
    assert restored({"one": array})["one"] is array


@pytest.mark.parametrize("damage", ["weights", "type", "shape", "dtype"])
def test_scales_that_do_not_fit_are_damage(tmp_path: Path, damage: str) -> None:
    arrays = quantised({"average/0": np.eye(3, 4, dtype=np.float32)})
    scale = "average/0" + SCALES
    if damage == "weights":
        del arrays["average/0"]
    elif damage == "type":
        arrays["average/0"] = arrays["average/0"].astype(np.float32)
    else:
        arrays[scale] = arrays[scale][1:] if damage == "shape" else arrays[scale].astype(np.float64)
    checkpoint.save(tmp_path / "best.npz", arrays, {"step": 1})
    with pytest.raises(UserError, match=r"best\.npz is damaged \(its scales do not fit its weights\)"):
        checkpoint.load(tmp_path / "best.npz")


def test_halves_that_are_none_are_damage(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "best.npz", {"average/0" + HALF: np.eye(3, dtype=np.float32)}, {"step": 1})
    with pytest.raises(UserError, match=r"best\.npz is damaged \(its halves are none\)"):
        checkpoint.load(tmp_path / "best.npz")


@pytest.fixture
def shipped(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network called `songs` that comes with a workshop, where nobody has trained yet."""
    folder = tmp_path / "pretrained" / "char_rnn" / "songs"
    folder.mkdir(parents=True)
    for name in ("run.json", "vocab.json"):
        shutil.copy(trained / name, folder)
    arrays, _ = checkpoint.load(trained / "checkpoints" / "best.npz")
    (folder / "checkpoints").mkdir()
    checkpoint.save(folder / "checkpoints" / "best.npz", quantised(arrays), {"step": 80})
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    monkeypatch.setattr(Lesson, "folder", tmp_path / "char_rnn")
    return folder


def test_it_is_taken_where_there_is_no_experiment_yet(shipped: Path, run_main: Run) -> None:
    from char_rnn import sample

    done = run_main(sample, "--length", "40", "--seed", "1", "--no_copy_check")
    assert done.returncode == 0
    assert "char_rnn has no experiment yet: songs, which comes with the workshop, is taken" in done.stderr
    assert done.stdout.removesuffix("\n") == load(shipped).generate(length=40, seed=1)


def test_it_is_found_by_its_name(shipped: Path, run_main: Run) -> None:
    from char_rnn import sample

    done = run_main(sample, "--experiment_dir", "songs", "--length", "40", "--seed", "1", "--no_copy_check")
    assert done.stdout.removesuffix("\n") == load(shipped).generate(length=40, seed=1)
    assert "no experiment yet" not in done.stderr


def test_an_experiment_of_ones_own_comes_first(shipped: Path, trained: Path, run_main: Run) -> None:
    from char_rnn import sample

    for name in ("01", "songs"):
        shutil.copytree(trained, Lesson.folder / "experiments" / name)  # type: ignore[operator]
    for asked in ([], ["--experiment_dir", "songs"]):
        done = run_main(sample, *asked, "--length", "10", "--no_copy_check")
        assert "experiments" in done.stderr.splitlines()[-1]
        assert "pretrained" not in done.stderr


def test_the_one_to_begin_with_comes_first(shipped: Path) -> None:
    lesson = next(lesson for lesson in lessons.lessons() if lesson.name == "char_rnn")
    for name in ("airs", lesson.pretrained):
        shutil.copytree(shipped, shipped.with_name(name))
    (shipped.parent / "empty").mkdir()
    assert [folder.name for folder in pretrained.networks(lesson)] == [lesson.pretrained, "airs", "songs"]


def test_its_training_cannot_be_resumed(shipped: Path, refused: Refused) -> None:
    from char_rnn import train

    before = sorted(shipped.rglob("*"))
    sentence = refused(train, "--resume", "--experiment_dir", "songs")
    assert "comes trained with the workshop, without the state of its training" in sentence
    assert sentence.endswith("--init_from songs")
    assert sorted(shipped.rglob("*")) == before


def test_what_it_plays_is_kept_with_the_data(
    trained_midi: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    shutil.copytree(trained_midi, tmp_path / "midi_rnn" / "airs")
    one = experiment.find(ROOT / "midi_rnn", "airs")
    assert one.path == tmp_path / "midi_rnn" / "airs"
    assert one.generated.resolve() == ROOT / "data" / "generated" / "airs"
    assert experiment.find(ROOT / "midi_rnn", str(trained_midi)).generated == trained_midi / "generated"


# ---- those that there are


def test_there_is_one_for_each_lesson_that_names_one() -> None:
    named = {lesson.name: lesson.pretrained for lesson in lessons.lessons() if lesson.pretrained}
    assert named
    assert named.items() <= {(folder.parent.name, folder.name) for folder in NETWORKS}


def test_they_are_small() -> None:
    each = {
        folder.parent.name + "/" + folder.name: sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        for folder in NETWORKS
    }
    assert max(each.values()) <= MOST_MB_EACH * 1e6, each
    assert sum(each.values()) <= MOST_MB * 1e6, each


@pytest.mark.parametrize("folder", NETWORKS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_they_say_what_they_are(folder: Path) -> None:
    info = json.loads((folder / "run.json").read_text("utf-8"))
    assert info["lesson"] == folder.parent.name
    assert info["best"]["validation"] < min(info["baseline"].values()), "better than counting"
    assert not Path(info["data"]["path"]).is_absolute()
    assert str(ROOT) not in json.dumps(info)
    source = (folder / "SOURCE.txt").read_text("utf-8")
    assert "CC0 1.0" in source
    assert "rained on" in source


@pytest.mark.parametrize("folder", NETWORKS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_they_generate(folder: Path) -> None:
    net = load(folder)
    made = net.generate(length=200, seed=1)
    assert len(made) > 100 if isinstance(made, str) else made is not None
