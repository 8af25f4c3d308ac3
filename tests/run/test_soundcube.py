"""Every setting and word of Soundcube is answered, by what has taken its place; docs/settings.md lists the same."""

import re
from functools import cache

import pytest
from parsers import flags, parsers, refuse, sample_parser, train_parser

from workshop import ROOT
from workshop.lessons import lessons
from workshop.run import soundcube

#: Every setting of its config.yml with the argument that has taken its place; None: there is none, for a reason.
ARGUMENTS = {
    "data.source_formats": None, "data.source_dir": "--data_dir", "data.target_dir": None, "data.temp_dir": None,
    "data.sample_rate": "--sample_rate", "data.bit_depth": None, "data.signed": None, "data.step_length": "--window",
    "data.hop_length": "--hop", "data.hops_per_second": "--hop", "data.seconds_per_block": "--seq_length",
    "data.float_type": None, "data.float_storage": None, "data.complex_type": None,
    "data.convert_cmd": "--sample_rate",
    "net.model_name": "--network", "net.loss": "--target", "net.opt": "--learning_rate", "net.metrics": None,
    "net.batch_size": "--batch_size", "net.training_epochs": "--num_epochs", "net.val_split": "--val_split",
    "net.kwargs.hidden_size": "--rnn_size", "net.kwargs.dropout": "--dropout",
    "state.model_dir": "--experiment_dir", "state.model_base": "--experiment_dir", "state.autosave": "--save_every",
    "state.epochs_per_save": "--save_every", "state.epochs_per_archive": "--keep_every", "state.save_m": None,
    "state.base_epochs": "--resume",
    "output.output_dir": "--out", "output.default_file": "--out", "output.save_raw": "--save_raw",
    "output.gen_steps": "--length", "output.seed_steps": "--prime", "output.random_seed": "--seed_from",
    "output.fade_in": "--fade_in", "output.fade_out": "--fade_out",
    "logging.enabled": None, "logging.level": None, "logging.log_dir": None, "logging.log_file": None,
}  # fmt: skip
WORDS = {"42": "--num_epochs", "new": "--resume", "clear": None, "logs": None, "data": None, "mine.WAV": "--out"}
#: Arguments of spectral_rnn, which must exist as soon as that lesson does.
SPECTRAL = {"--window", "--hop", "--target", "--save_raw", "--seed_from", "--fade_in", "--fade_out"}


@cache
def known() -> set[str]:
    """All arguments of all lessons."""
    names = [lesson.name for lesson in lessons()]
    found = set().union(*(flags(parsers(f"{name}.{script}")) for name in names for script in ("train", "sample")))
    return found if "spectral_rnn" in names else found | SPECTRAL


def test_every_setting_is_listed_once() -> None:
    assert set(soundcube.SETTINGS) == set(ARGUMENTS)
    assert set(soundcube.WORDS) < set(WORDS)


@pytest.mark.parametrize(("word", "argument"), [*ARGUMENTS.items(), *WORDS.items()])
def test_each_is_answered_by_its_argument_or_a_reason(
    word: str, argument: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    for parser in (train_parser(), sample_parser()):
        line = refuse(parser, capsys, f"{word}=1" if "." in word and "WAV" not in word else word)
        assert f"{word} is no longer an argument: " in line
        answer = line.partition(": ")[2].partition(": ")[2].partition(" (")[0]
        named = re.findall(r"--\w+", answer)
        assert set(named) <= known()
        assert argument in named if argument else not named
        assert len(answer) > 20


def test_the_page_lists_the_same() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", (ROOT / "docs" / "settings.md").read_text("utf-8"), re.MULTILINE)
    assert {name: text.replace("`", "") for name, text in rows} == soundcube.SETTINGS | soundcube.WORDS
