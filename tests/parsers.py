"""The argument parsers of a lesson that is none, and those of every script, for tests of arguments."""

import argparse
import importlib
import importlib.util
import sys
from functools import cache
from typing import Any

import pytest

from workshop import cli
from workshop.lessons import Lesson
from workshop.run import arguments

SIZES: dict[str, dict[str, Any]] = {
    "tiny": dict(rnn_size=8, num_layers=1, cell="gru", dropout=0.0),
    "small": dict(rnn_size=16, num_layers=2, cell="lstm", dropout=0.5),
}

LESSON = Lesson(
    name="a lesson", title="text", port=1, kind="text", unit="characters", starter="data/starter",
    network=arguments.RECURRENT, sizes=SIZES, size="small", size_words="{num_layers} x {rnn_size} units", fixed=(),
    speeds={}, step=1,
)  # fmt: skip


def train_parser() -> cli.Parser:
    return arguments.train_parser("Learn.", LESSON)


def sample_parser() -> cli.Parser:
    return arguments.sample_parser("Write.", 500, "characters", "text to go on from")


def refuse(parser: cli.Parser, capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line that the parser answers a mistake with."""
    with pytest.raises(SystemExit) as stopped:
        parser.read(argv)
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert "usage" not in err
    return err


class _Asked(Exception):
    def __init__(self, parser: argparse.ArgumentParser):
        self.parser = parser


@cache
def parsers(module: str) -> argparse.ArgumentParser:
    """The arguments of a script, as it asks for them itself."""

    def ask(self: argparse.ArgumentParser, *args: object, **more: object) -> None:
        raise _Asked(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_known_args", ask)
        patch.setattr(sys, "argv", [module])
        found = importlib.util.find_spec(module)
        is_package = found is not None and found.submodule_search_locations is not None
        main = importlib.import_module(f"{module}.__main__" if is_package else module).main
        with pytest.raises(_Asked) as asked:
            main()
    return asked.value.parser


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    actions = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {name: sub for action in actions for name, sub in action.choices.items()}


def verbs(parser: argparse.ArgumentParser) -> set[str]:
    """The words that a script of several verbs takes first."""
    choices = (action.choices for action in parser._actions if not action.option_strings and action.choices)
    return {str(choice) for found in choices for choice in found}


def flags(parser: argparse.ArgumentParser) -> set[str]:
    """Every spelling of an argument, also those of its verbs."""
    return {*parser._option_string_actions}.union(*map(flags, _subparsers(parser).values()))
