"""Escape control characters in untrusted text before it is printed.

A name in a foreign run.json, a file name and generated text can hold any characters: those that clear the screen,
rename the window, or reverse the direction of the text.
"""

import re
import sys

#: Control characters except tab and newline, and those that change the direction of writing.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

#: Characters that some system does not allow in the name of a file.
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]')


def visible(text: str) -> str:
    r"""The text with a backslash and a number in place of each character that commands the terminal; lines stay."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def visible_line(text: str) -> str:
    r"""The same in one line: a line break is printed as \n, so that a name cannot start a new line."""
    return visible(text).replace("\n", r"\n")


def label(text: str, longest: int) -> str:
    """A short name made of any text: one line that can be part of a file's name, and of a name in TensorBoard.

    Args:
        text: any name.
        longest: characters that it may have; where it is longer, its end becomes `…`.
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(_NOT_IN_NAMES.sub(" ", printable).split()).strip(". ") or "_"
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def give_out(text: str) -> None:
    """Write a text that was generated to standard output: to a file as it is, to a terminal as it may be shown."""
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()
