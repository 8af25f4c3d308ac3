"""What the reliability tests share: how much is tried.

The short form, which continuous integration runs, tries each case a few times. The long form is what
`python tests/reliability/table.py` runs. Where that takes hours, the medium one is in between: the long one's cases,
without XLA in this process, and fewer repetitions.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY_AUDIO, TINY_SPECTRAL, TINY_WAVENET, without_xla


@pytest.fixture(scope="session")
def amount() -> Callable[..., Any]:
    """How much to try, by the form: `amount(4, 50, 8)` is 4 in the short one, 50 in the long one, and 8 in the medium
    one; without the last, the medium one tries as much as the long one.
    """
    form = os.environ.get("WORKSHOP_RELIABILITY", "short")

    def chosen(short: Any, long: Any, medium: Any = None) -> Any:
        return {"short": short, "long": long, "medium": long if medium is None else medium}[form]

    return chosen


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
