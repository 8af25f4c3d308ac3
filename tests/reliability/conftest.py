"""What the reliability tests share: how much is tried, and the figures that `table.py` makes a table of.

The short form, which continuous integration runs, tries each case a few times. The long form tries it as often as the
table in docs/reliability.md says, and is what `python tests/reliability/table.py` runs.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import TINY_AUDIO, TINY_SPECTRAL, TINY_WAVENET, without_xla


@pytest.fixture(scope="session")
def amount() -> Callable[[int, int], int]:
    """How much to try, by the form: `amount(4, 50)` is 4 in the short one and 50 in the long one."""
    long = os.environ.get("WORKSHOP_RELIABILITY") == "long"
    return lambda short_form, long_form: long_form if long else short_form


@pytest.fixture
def figure() -> Callable[[str, str, str], None]:
    """Note a row of the table: `figure("kill -9, char_rnn", "50 times", "at most 19 steps lost")`."""

    def note(what: str, tried: str, result: str) -> None:
        if place := os.environ.get("WORKSHOP_FIGURES"):
            with open(place, "a", encoding="utf-8") as file:
                file.write(json.dumps([what, tried, result], ensure_ascii=False) + "\n")

    return note


#: All that commands a terminal, as a name.
COMMANDS = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202etxt\nerror: forged"


@pytest.fixture(scope="session")
def good(
    trained: Path, trained_midi: Path, trained_spectral_gan: Path, tones: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:  # fmt: skip
    """An experiment of each lesson, not to be written to; that of wavenet has conditions that are no names of files."""
    from audio_rnn import train as train_memory
    from spectral_rnn import train as train_spectra
    from wavenet import train

    folder = tmp_path_factory.mktemp("good")
    names = ("../../guard/x", COMMANDS, "/tmp/x", "$\\frac{")
    listed = {f"{number}.wav": names[number % len(names)] for number in range(10)}
    (folder / "conditions.json").write_text(json.dumps(listed), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        without_xla(patch)
        where = ["--data_dir", str(tones), "--experiment_dir", str(folder / "wavenet")]
        further = ["--condition", str(folder / "conditions.json"), "--num_epochs", "1", "--sample_every", "5"]
        patch.setattr(sys, "argv", ["train.py", *where, *TINY_WAVENET, *further])
        assert train.main() == 0
        where[-1] = str(folder / "audio_rnn")
        patch.setattr(sys, "argv", ["train.py", *where, *TINY_AUDIO, "--num_epochs", "1", "--sample_every", "9"])
        assert train_memory.main() == 0
        where[-1] = str(folder / "spectral_rnn")
        patch.setattr(sys, "argv", ["train.py", *where, *TINY_SPECTRAL, "--num_epochs", "1", "--sample_every", "9"])
        assert train_spectra.main() == 0
    of_sound = ("wavenet", "audio_rnn", "spectral_rnn")
    others = {"char_rnn": trained, "midi_rnn": trained_midi, "spectral_gan": trained_spectral_gan}
    return others | {name: folder / name for name in of_sound}
