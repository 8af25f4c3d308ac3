"""The messages of the program can be found on the page about troubleshooting by their words, and the page lists none
that the program does not have.
"""

import ast
import re
from collections.abc import Iterator

from workshop import ROOT
from workshop.host.ports import TENSORBOARD_PORTS

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").lower()
#: What else than Python says something.
SHELL = [*ROOT.glob("start.*"), *(path for path in (ROOT / "docker").rglob("*") if path.is_file())]
#: So much of a message is enough to search for.
FEWEST_LETTERS = 10


def messages() -> Iterator[tuple[str, list[str]]]:
    """Where each message stands, and its words between names, numbers and punctuation."""
    for room in ("workshop", "live", *TENSORBOARD_PORTS):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "UserError" and node.args:
                    parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
                    words = " ... ".join(part.value for part in parts if isinstance(part, ast.Constant))
                    pieces = [piece.strip().lower() for piece in re.split(r"\.\.\.|[:;(),\"'`]", words)]
                    yield f"{path.name}:{node.lineno}", [p for p in pieces if len(p) >= FEWEST_LETTERS]


def test_the_messages_of_the_program_are_explained() -> None:
    found = {where: any(piece in PAGE for piece in pieces) for where, pieces in messages() if pieces}
    missing = [where for where, is_there in found.items() if not is_there]
    assert len(found) > 90
    assert missing == []


def strings() -> Iterator[str]:
    """Every string of the sources, with ... where something is filled in; of shell scripts every line."""
    for room in ("workshop", "live", *TENSORBOARD_PORTS):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "...".join(part.value if isinstance(part, ast.Constant) else "" for part in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
    for path in SHELL:
        yield from path.read_text("utf-8").splitlines()


def listed(page: str) -> Iterator[list[str]]:
    """The pieces, between what is filled in, of each message in the first column of the page's tables."""
    for row in re.findall(r"^\|(.*?)\|", page, re.MULTILINE):
        for _, message in re.findall(r"(`+)(.+?)\1", row):
            yield [piece for part in message.split("...") if len(piece := plain(part)) >= FEWEST_LETTERS]


def plain(text: str) -> str:
    """A text without what may differ between the page and the source: capitals, quotes and punctuation at its ends."""
    return re.sub(r"[`\\\"']|\s+(?=\s)", "", text.lower()).strip(" ,:;.()")


def test_the_page_lists_only_messages_that_there_are() -> None:
    sources = "\n".join(map(plain, strings()))
    messages = list(listed(PAGE))
    assert len(messages) > 100
    assert [piece for pieces in messages for piece in pieces if piece not in sources] == []


def test_a_message_that_there_is_not_is_seen() -> None:
    assert list(listed("| `... is empty; give one ... file`, ``has `x`, yet`` | do |\n")) == [
        ["is empty; give one"],
        ["has x, yet"],
    ]
    assert plain("  There is `no`  'file': ") == "there is no file"
