"""The command line: an argument parser that answers in one sentence, types of arguments, and running a script.

Names have underscores and are accepted with hyphens too. Every argument has help and shows its default; older spellings
stay as hidden aliases. Nothing heavy is imported here, so that `--help` answers at once.
"""

import argparse
import faulthandler
import io
import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from workshop.errors import UserError
from workshop.nearest import did_you_mean
from workshop.places import kept
from workshop.quiet import print_aloud
from workshop.visible import visible_line

#: Sentinel for "not given on the command line" during parsing.
_MISSING = object()

#: What is printed when Ctrl-C ends a script.
STOPPED = "stopped"


class Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows every default, but not those of switches and of arguments whose help explains what happens without them."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        # By identity, because 0 is a default to be shown, and 0 == False.
        if any(action.default is hidden for hidden in (None, False, argparse.SUPPRESS)) or action.default == "":
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence and knows which arguments were given."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("formatter_class", Formatter)
        super().__init__(allow_abbrev=False, **kwargs)
        #: Tells for a word on the command line, or a name in a settings file, what replaced it; None for no old one.
        self.replaced: Callable[[str], str | None] = lambda word: None
        #: Reads the file that `--config` names: names of arguments and their values, as `settings_files.flat` has them.
        self.read_settings: Callable[[Path], Mapping[str, Any]] | None = None
        #: For an argument that stands for several others, which: typed, it wins over those in the settings file.
        self.parts: Mapping[str, Collection[str]] = {}

    def error(self, message: str) -> NoReturn:
        """Print one sentence, without the usage, and exit with status 2."""
        self.exit(2, f"error: {message[:1].lower() + message[1:]} ({self.prog} --help lists all arguments)\n")

    def options(self) -> list[str]:
        """All spellings that are shown in the help."""
        return [s for a in self._actions if a.help is not argparse.SUPPRESS for s in a.option_strings]

    def alias(self, name: str, *spellings: str) -> None:
        """Accept older spellings of the argument `name` without showing them."""
        action = next(a for a in self._actions if a.dest == name)
        for spelling in spellings:
            self.add_argument(
                spelling, dest=name, type=action.type or str, default=argparse.SUPPRESS, help=argparse.SUPPRESS,
                choices=action.choices, metavar=action.metavar,
            )  # fmt: skip

    def hide(self, *names: str) -> None:
        """Leave arguments out of the help."""
        for action in self._actions:
            if action.dest in names:
                action.help = argparse.SUPPRESS

    def has(self, name: str) -> bool:
        """Whether there is an argument of this name."""
        return any(action.dest == name for action in self._actions)

    def obsolete(self, spelling: str) -> None:
        """Accept an argument of older tutorials that is not needed any more, with any value."""
        self.add_argument(spelling, default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    def read(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """Parse the command line and the settings file that it names; `given` of the result is the set of the arguments
        that stood there.
        """
        arguments = [_with_underscores(a) for a in (sys.argv[1:] if argv is None else argv)]
        names = {a.dest: a.default for a in self._actions if a.default is not argparse.SUPPRESS}
        missing = dict.fromkeys(names, _MISSING) | {a.dest: None for a in self._actions if _collects(a)}
        parsed, unknown = self.parse_known_args(arguments, argparse.Namespace(**missing))
        if unknown:
            name = unknown[0].split("=")[0]
            if replaced := self.replaced(name):
                self.error(f"{name} is no longer an argument: {replaced}")
            self.error(f"there is no argument {name}{did_you_mean(name, self.options())}")
        given = {name for name in names if getattr(parsed, name) is not missing[name]}
        if self.read_settings and "config" in given:
            try:
                settings = self._settings(Path(parsed.config), self.read_settings)
            except UserError as error:
                self.exit(2, f"{answer(error)}\n")
            unused = given.union(*(self.parts.get(name, ()) for name in given))
            for name in settings.keys() - unused:
                setattr(parsed, name, settings[name])
                given.add(name)
        for name, default in names.items():
            if name not in given:
                setattr(parsed, name, default)
        parsed.given, parsed.fits = given, self.fits
        return parsed

    def _settings(self, file: Path, read: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
        """The arguments that a settings file gives, by name.

        Raises:
            UserError: it cannot be read, or one of its settings is unknown or not valid.
        """
        found: dict[str, Any] = {}
        for name, value in read(file).items():
            action = self._option_string_actions.get(f"--{name.replace('-', '_')}")
            if action is None or action.dest in ("help", "config"):
                if replaced := self.replaced(name) or self.replaced(f"--{name}"):
                    raise UserError(f"{file}: {name} is no longer an argument: {replaced}")
                known = [spelling.removeprefix("--") for spelling in self.options() if spelling.startswith("--")]
                raise UserError(f"{file}: there is no argument {name}{did_you_mean(name, known)}")
            if action.dest in found:
                raise UserError(f"{file}: {name} is given twice, because it is another name of {action.dest}")
            if value is not None:  # as if it were not there
                found[action.dest] = self._setting(file, name, value, action)
        return found

    def _setting(self, file: Path, name: str, value: Any, action: argparse.Action) -> Any:
        """The value of an argument in a settings file.

        Raises:
            UserError: it is not valid.
        """
        if action.nargs == 0:
            if not isinstance(value, bool):
                raise UserError(f"{file}: {name} is a switch, which is true or false and not {value!r:.60}")
            return value
        if not isinstance(value, str):
            kind = str(value).lower() if isinstance(value, bool) else "several"
            raise UserError(f"{file}: {name} takes one value, not {kind}")
        if "\0" in value:  # a command line cannot hold it
            raise UserError(f"{file}: {name} has the character NUL, which no argument can have: leave it out")
        try:
            read = self._get_value(action, value)
            self._check_value(action, read)
        except argparse.ArgumentError as error:
            raise UserError(f"{file}: {name} is not valid: {error.message}") from error
        return read

    def fits(self, name: str, value: Any) -> bool:
        """Whether the argument `name` can have this value, which was kept in JSON."""
        action = next(a for a in self._actions if a.dest == name)
        if value is None or isinstance(action.default, bool):
            return value is action.default or isinstance(value, bool)
        try:
            read = self._get_value(action, str(value))
        except argparse.ArgumentError:
            return False
        return type(read) is type(value) and (action.choices is None or read in action.choices)


def _collects(action: argparse.Action) -> bool:
    """Whether an argument may be given several times; argparse adds to what is there."""
    return isinstance(action, argparse._AppendAction)


def _with_underscores(argument: str) -> str:
    """`--data-dir=x-y` as `--data_dir=x-y`; values stay as they are."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


def number(kind: type, check: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    """An argument type: a number that passes `check`; `wanted` names it in the error message."""

    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not check(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return convert


def whole_from(least: int, most: int) -> Callable[[str], Any]:
    """An argument type: a whole number from `least` to `most`, both of which belong to it."""
    return number(int, lambda value: least <= value <= most, f"a whole number from {least} to {most}")


whole = number(int, lambda v: v >= 0, "a whole number of at least 0")
count = number(int, lambda v: v >= 1, "a whole number of at least 1")
seed = whole_from(0, (1 << 32) - 1)
not_negative = number(float, lambda v: 0 <= v < float("inf"), "a number of at least 0")
positive = number(float, lambda v: 0 < v < float("inf"), "a number above 0")
share = number(float, lambda v: 0 <= v < 1, "a number from 0 up to, but not including, 1")
held_out_share = number(float, lambda v: 0 < v < 1, "a number between 0 and 1")
probability = number(float, lambda v: 0 < v <= 1, "a number above 0 and at most 1")


def folder_or_file(text: str) -> str:
    """The word `folder`, or the path of a file as run.json keeps it."""
    return text if text == "folder" else kept(text)


def say(message: str) -> None:
    """Print a line beside what a script gives out, not in it."""
    print_aloud(f"{visible_line(message)}\n")


def answer(error: UserError) -> str:
    """The line that is printed when this error ends a script."""
    return f"error: {visible_line(str(error))}"


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a script's `main` and exit: the status that it returns, or 2 with one sentence after a `UserError`, or 130
    after Ctrl-C.
    """
    # Where TensorFlow crashes, the last lines say in which call; the process is lost in any case.
    if not faulthandler.is_enabled() and sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A text may hold characters that the terminal's own encoding lacks, and a file's name need not be text at all.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = main()
        sys.stdout.flush()
    except UserError as error:
        print_aloud(f"{answer(error)}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        print_aloud(f"{STOPPED}\n")
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        # The reader of a pipe has gone (`sample.py | head`); Python would complain again when it closes standard
        # output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    sys.exit(status or 0)
