"""The messages of the program can be found on the page about troubleshooting, by their words."""

import ast
import re
from collections.abc import Iterator

from workshop import ROOT, TENSORBOARD_PORTS

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").lower()
#: So much of a message is enough to search for.
FEWEST_LETTERS = 10


def messages() -> Iterator[tuple[str, list[str]]]:
    """Where each message stands, and its words between names, numbers and punctuation."""
    for room in ("workshop", *TENSORBOARD_PORTS):
        for path in sorted((ROOT / room).glob("*.py")):
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
