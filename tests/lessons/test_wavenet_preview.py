"""Previews of sounds: one of each condition, under its name."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wavenet.generate import Generator
from wavenet.model import build
from workshop.audio import preview
from workshop.audio.preview import MAX_SHOWN, NAME_WIDTH, Preview

RATE = 4000
NETWORK = {
    "stacks": 1, "layers": 3, "filter_width": 2, "residual_channels": 4, "dilation_channels": 4, "skip_channels": 8,
    "seed": 0,
}  # fmt: skip


class Noted:
    """A board that notes what it is given."""

    def __init__(self) -> None:
        self.sounds: list[str] = []
        self.pictures: list[str] = []

    def sound(self, name: str, samples: np.ndarray, rate: int, step: int) -> None:
        self.sounds.append(name)

    def picture(self, name: str, pixels: np.ndarray, step: int) -> None:
        self.pictures.append(name)


def shown(names: list[str], folder: Path, patch: pytest.MonkeyPatch) -> tuple[Noted, list[str], str]:
    """What is on the board, which files there are, and what is said, with a network that knows nothing."""
    patch.setattr(preview, "SECONDS", 0.05)
    model = build({**NETWORK, "conditions": len(names)})
    train = [np.full(50, 128, np.uint8) for _ in names or [""]]
    board: Any = Noted()
    generator = partial(Generator, model)
    context = model.shape.receptive_field
    said = Preview(generator, train, context, names, RATE, seed=1, temperature=1.0).show(7, folder, board)
    return board, sorted(file.name for file in folder.iterdir()), said


def test_each_condition_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, files, said = shown(["flute", "drums", "a/b: c"], tmp_path, monkeypatch)
    assert board.sounds == ["preview/flute", "preview/drums", "preview/a b c"]
    assert board.pictures == [f"{name} spectrogram" for name in board.sounds]
    stems = ["step_000007_a b c", "step_000007_drums", "step_000007_flute"]
    assert files == [f"{stem}{end}" for stem in stems for end in (".png", ".wav")]
    assert [line.split(":")[0].strip(" |") for line in said.splitlines()] == ["flute", "drums", "a/b"]


def test_without_conditions_there_is_one_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, files, _ = shown([], tmp_path, monkeypatch)
    assert (board.sounds, board.pictures) == (["preview/sound"], ["preview/spectrogram"])
    assert files == ["step_000007.png", "step_000007.wav"]


def test_names_that_would_be_the_same_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a/b", "A:B", "x" * 60, "x" * 61, "..", "\x1b"]
    board, files, _ = shown(names, tmp_path, monkeypatch)
    assert len({name.lower() for name in board.sounds}) == 6
    assert len(files) == 12
    assert all(len(name) <= len("preview/") + NAME_WIDTH + 2 for name in board.sounds)


def test_of_many_conditions_the_first_ones_are_shown_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, _, said = shown([f"word {number:02d}" for number in range(35)], tmp_path, monkeypatch)
    assert MAX_SHOWN >= 10
    assert len(board.sounds) == MAX_SHOWN
    assert said.splitlines()[-1].endswith(f"and {35 - MAX_SHOWN} more, which sample.py makes")
