"""Text from elsewhere on a screen: what would command the terminal is shown, and not obeyed.

A name in somebody's run.json, a file's name and a text that a network writes can hold any characters: those that clear
the screen, rename the window, or turn the order of what follows.
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
    r"""The same in one line: an end of a line is shown as \n, so that a name cannot begin a line of its own."""
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
