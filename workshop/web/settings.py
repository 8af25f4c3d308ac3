"""What a browser may ask a network for: the arguments of `generate`, each with the largest value of the page.

Every value is a text from a field of the page and is checked by the types of the command line.
"""

from collections.abc import Callable
from typing import Any

from workshop import cli
from workshop.errors import UserError
from workshop.run.trained import checked

#: What every network is asked for, and what only some are, by what they make.
COMMON = ("temperature", "top_k", "top_p", "seed")
OWN = {
    "text": ("prompt", "length"),
    "notes": ("prompt", "length", "midi_instrument", "tempo"),
    "sound": ("prompt", "seconds", "condition"),
}
#: The largest values, so that nobody keeps a place in the queue for long. On the command line there are none.
LONGEST: dict[str, tuple[str, int, Callable[[str], Any]]] = {
    "text": ("length", 20_000, cli.count),
    "notes": ("length", 4_000, cli.count),
    "sound": ("seconds", 60, cli.positive),
}
#: Characters of a prompt. Reading them takes as long as writing them.
LONGEST_PROMPT = 10_000


def arguments(makes: str, values: dict[str, Any]) -> dict[str, str]:
    """The arguments of `generate` that the fields of the page say; those that are empty are left out.

    Args:
        makes: `text`, `notes` or `sound`.
        values: the texts of the fields.

    Raises:
        UserError: there is no such setting, or its value is too large for the page.
    """
    known = (*COMMON, *OWN[makes])
    for name, value in values.items():
        if name not in known or not isinstance(value, str):
            raise UserError(f"the page has no setting {name!r:.40} for {makes}: its settings are {', '.join(known)}")
    given = {name: value for name, value in values.items() if value.strip() or (name == "prompt" and value)}
    name, most, kind = LONGEST[makes]
    if name in given and checked(name, given[name], kind) > most:
        raise UserError(
            f"{name}: {given[name]:.20} is more than the page makes at once, which is {most:,}; "
            "sample.py has no such limit"
        )
    if len(given.get("prompt", "")) > LONGEST_PROMPT:
        raise UserError(f"prompt: it is longer than the page takes: shorten it to {LONGEST_PROMPT:,} characters")
    return given
