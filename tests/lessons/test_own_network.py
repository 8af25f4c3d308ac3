"""A person changes the network or the loss of a lesson in their own copy, and all that the workshop does goes on."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import warm as warm_python

pytestmark = pytest.mark.slow

Run = Callable[..., str]

H = 64  # units of the smallest size, which --smoke takes
DENSE = '    network.append(layers.Dense(32, activation="relu"))\n'
NORM = '        network.append(layers.LayerNormalization(name=f"norm_{k + 1}"))\n'


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} is not in the model any more"
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def run(tree: Path, warm: str) -> Run:
    """Run a script of lesson 1 in the copy of the workshop, and return what it prints: `run("train", "--smoke")`."""

    def run(script: str, *args: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        command = [sys.executable, "-I", "-S", warm_python.__file__, warm, f"char_rnn/{script}.py", *args]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def weights(printed: str) -> int:
    return int(re.findall(r"^network: .* ([\d,]+) weights$", printed, re.MULTILINE)[0].replace(",", ""))


def works(run: Run, tree: Path, *args: str) -> str:
    """Trains, goes on and writes; gives what training prints."""
    where = ("--experiment_dir", str(tree / "run"))
    printed = run("train", "--smoke", *where, *args)
    assert weights(run("train", "--resume", "--max_minutes", "0.01", *where)) == weights(printed)
    assert len(run("sample", "--seed", "1", "--length", "50", "--no_copy_check", *where).strip("\n")) >= 40
    shutil.rmtree(tree / "run")
    return printed


def test_a_network_is_changed_in_model_py(tree: Path, run: Run) -> None:
    model = tree / "char_rnn" / "model.py"
    before = run("train", "--smoke", "--experiment_dir", str(tree / "before"))
    vocab = int(re.findall(r"softmax +Dense +\[T, B, (\d+)\]", before)[0])

    # A layer before the output.
    edit(model, "    output = Glorot", f"{DENSE}    output = Glorot")
    wider = works(run, tree)
    assert weights(wider) - weights(before) == (H * 32 + 32) + (32 * vocab + vocab) - (H * vocab + vocab)
    assert re.search(r"^  dense +Dense +\[T, B, 32\] +2,080$", wider, re.MULTILINE)
    assert "Keras' own layers" not in wider

    # GRUs with a normalisation after each, in place of the LSTMs.
    edit(model, '"lstm": layers.LSTM', '"lstm": layers.GRU')
    edit(model, "        if dropout:\n", f"{NORM}        if dropout:\n")
    normal = works(run, tree)
    lstm, gru = 4 * H * (H + H + 1), 3 * H * (H + H + 2)
    assert weights(normal) - weights(wider) == gru + 2 * H - lstm
    assert "Keras' own layers" not in normal

    # What the compiled engine does not know, as a network of its own name.
    edit(model, "return_state=True, name", "return_state=True, recurrent_dropout=0.2, name")
    edit(model, '"default": recurrent', '"default": recurrent, "mine": recurrent')
    slow = works(run, tree, "--network", "mine")
    assert weights(slow) == weights(normal)
    assert "network: Keras' own layers run them, slower than the compiled ones, because lstm_1 has recurrent" in slow


def test_the_loss_is_changed_in_train_py(tree: Path, run: Run) -> None:
    """As the page about what is under the hood shows it: label smoothing."""
    page = (tree / "docs" / "07-under-the-hood.md").read_text("utf-8")
    (smoothing,) = re.findall(r"```python\n(        right = .*?)```", page, re.DOTALL)

    def trained(name: str, *, stopped: bool = False) -> dict[str, np.ndarray]:
        where = ("--experiment_dir", str(tree / name), "--data_dir", str(tree / "songs.txt"))
        tiny = ("--size", "tiny", "--rnn_size", "8", "--batch_size", "4", "--seq_length", "8", "--seed", "1")
        run("train", *where, *tiny, "--num_epochs", "1" if stopped else "2")
        if stopped:
            run("train", "--resume", *where, "--num_epochs", "2")
        with np.load(tree / name / "checkpoints" / "latest.npz") as arrays:
            return {key: arrays[key] for key in arrays if key != "meta.json"}

    (tree / "songs.txt").write_text("la la la, I sing of my home\n" * 30, "utf-8")
    plain = trained("plain")
    cross_entropy = "        return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)\n"
    edit(tree / "char_rnn" / "train.py", cross_entropy, smoothing)
    smooth, parts = trained("smooth"), trained("parts", stopped=True)
    assert (smooth["average/0"] != plain["average/0"]).any()
    assert smooth.keys() == parts.keys()
    assert all((smooth[key] == parts[key]).all() for key in smooth)
