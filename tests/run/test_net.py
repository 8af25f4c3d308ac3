"""A network in Python, trained, heard, saved and begun anew without a command line."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import TINY_SPECTRAL

from workshop import load
from workshop.errors import UserError
from workshop.run.net import Net

SMALL = {name.removeprefix("--"): value for name, value in zip(TINY_SPECTRAL[::2], TINY_SPECTRAL[1::2], strict=True)}


def steps(net: Net) -> int:
    return int(json.loads((net.folder / "run.json").read_text("utf-8"))["step"])


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_train_hear_save_and_begin_anew(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = list(sys.argv)
    net = Net("spectral_rnn", tmp_path / "mine", data_dir=tones, sample_every=10**6, **SMALL)
    assert repr(net).endswith("mine: not trained yet")
    with pytest.raises(UserError, match=r"net\.train\(1\)"):
        net.generate(seconds=1)
    net.train(1)
    assert "held-out data" in capsys.readouterr().out
    after_one = steps(net)
    saved = net.save(tmp_path / "kept")
    net.train(2)
    assert (net.epochs, steps(net)) == (3, 3 * after_one)
    assert sys.argv == typed
    sound = net.generate(seconds=0.2, seed=1)
    assert np.std(sound.samples) > 1e-3
    assert sound.save(tmp_path / "a.wav").exists()
    # What was saved is as it was, and can be gone on with by itself.
    assert load(saved).step == after_one
    other = Net("spectral_rnn", saved)
    assert (other.epochs, other.is_trained) == (1, True)
    with pytest.raises(UserError, match="there already"):
        net.save(saved)
    net.reset()
    assert (net.is_trained, net.epochs) == (False, 0)
    assert len(list(tmp_path.glob("aside/*/mine/run.json"))) == 1
    assert len(list(tones.iterdir())) == 10
    net.reset()  # there is nothing, and nothing happens


def test_mistakes_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no lesson is called piano_rnn: there are char_rnn, "):
        Net("piano_rnn")
    with pytest.raises(UserError, match="epochs: "):
        Net(experiment=tmp_path / "new").train(0)
    with pytest.raises(UserError, match=r"there is no .*nowhere"):
        Net(experiment=tmp_path / "new", data_dir=tmp_path / "nowhere").train(1)
    assert Net("char_rnn").folder.parent.name == "experiments"
