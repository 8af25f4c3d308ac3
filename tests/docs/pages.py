"""The pages as a reader follows them: their command blocks, what each says that it gives, and their links.

A block of commands is fenced with ```sh and is executed; one with another fence, or none, is there to be read. What a
block gives stands in the lines directly below it, in any number and order:

    <!-- gives: experiments/01/run.json -->    a file or folder that it makes, or makes again, seen from where the block
                                               ends; * stands for anything
    <!-- says: the last -->                    some words that it prints
    <!-- ends in: char_rnn -->                 the folder that the shell is in afterwards, seen from the workshop's
    <!-- not run: it needs a browser -->       it is not executed, for this reason
    You now have `a` and `b`.                  the same as `gives`, for the reader too

The blocks of a page are executed in order, each by a bash of its own, which stops at the first command that fails and
begins where the one before ended. Pages in docs/ begin in the workshop's folder, all others in their own.
"""

import glob
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

SMALL = Path(__file__).resolve().parent / "small"
#: A block that takes longer hangs.
TIMEOUT_SECONDS = 300

_FENCE = re.compile(r"^( *)```(\w*)")
_COMMENT = re.compile(r"<!-- (gives|says|ends in|not run): (.+) -->")
_COMMAND = re.compile(r"^(python|\./start\.sh|cd|pip|ls|cat|mkdir|cp|git)( |$)", re.MULTILINE)


class Wrong(AssertionError):
    """A page that does not do what it says; the message says where and why."""


@dataclass
class Block:
    """Commands of a page.

    Attributes:
        line: where it begins in the page, from 1.
        commands: as written.
        gives: paths that it makes.
        says: words that it prints.
        ends_in: the folder that it ends in, seen from the workshop's; '' if it does not say.
        not_run: why it is not executed; '' if it is.
    """

    line: int
    commands: str
    gives: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    ends_in: str = ""
    not_run: str = ""


def fenced(text: str) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield line, language, content, and the comments below, with the line that follows them, of each fenced block."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        at += 1
        if not fence:
            continue
        begin = at
        while at < len(lines) and lines[at].strip() != "```":
            at += 1
        if at == len(lines):
            raise Wrong(f"line {begin}: the block is never closed")
        if fence[1]:
            raise Wrong(f"line {begin}: the block is indented")
        at += 1
        below = [*takewhile(_is_aside, lines[at:])]
        # One blank line may stand between these and the sentence that says what the block gave.
        after = lines[at + len(below) :]
        below += after[1:2] if after and not after[0].strip() else after[:1]
        yield begin, fence[2], "\n".join(lines[begin : at - 1]), below


def _is_aside(line: str) -> bool:
    return line.startswith("<!--")


def blocks(text: str) -> list[Block]:
    """Return the blocks of commands of a page.

    Raises:
        Wrong: commands stand in a block that is not executed, a block does not say what it gives, or something is said
            of no block.
    """
    found: list[Block] = []
    marks = len(_COMMENT.findall(_without_blocks(text)))
    for line, language, content, below in fenced(text):
        if language != "sh":
            if _COMMAND.search(content):
                raise Wrong(f"line {line}: commands are fenced with ```sh")
            continue
        block = Block(line, content)
        for comment in filter(None, map(_COMMENT.fullmatch, below)):
            marks -= 1
            match comment[1]:
                case "not run":
                    block.not_run = comment[2]
                case "ends in":
                    block.ends_in = comment[2]
                case kind:
                    getattr(block, kind).append(comment[2])
        if below and below[-1].startswith("You now have "):
            block.gives += re.findall(r"`([^`]+)`", below[-1])
        if not (block.gives or block.says or block.ends_in or block.not_run):
            raise Wrong(f"line {line}: the block does not say what it gives")
        found.append(block)
    if marks:
        raise Wrong("something is said of no block: it stands directly below one")
    return found


def variables(root: Path, home: Path, warm: str = "") -> dict[str, str]:
    """The environment of a shell in the copy of the tree at `root`, with `home` as a home: `python` makes everything
    small, and where `warm` says that one listens (see warm.py), it neither loads TensorFlow each time nor compiles.
    """
    return {
        "PATH": os.pathsep.join([str(SMALL), str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        # What is compiled for one command need not be for the next.
        "TF_XLA_FLAGS": os.environ.get("TF_XLA_FLAGS", ""),
        "REAL_PYTHON": sys.executable,
        "WARM_PYTHON": warm,
        "WARM_WITHOUT_XLA": "1",
        "PAGE_ROOT": str(root),
    }


def follow(page: Path, root: Path, home: Path, warm: str = "") -> Path:
    """Execute the blocks of a page in the copy of the tree at `root`, with `home` as a home, and return the folder that
    the last one ends in; for `warm` see `variables`.

    Raises:
        Wrong: a command fails, or a block does not give what it says.
    """
    text = page.read_text("utf-8")
    place = root if page.parent.name == "docs" else page.parent
    for block in blocks(text):
        if not block.not_run:
            place = _execute(block, place, variables(root, home, warm), page.name)
    return place


def _execute(block: Block, place: Path, environment: dict[str, str], page: str) -> Path:
    """Execute a block in a folder, check what it gives, and return the folder that it ends in."""
    where = f"{page}, line {block.line}"
    root, home = Path(environment["PAGE_ROOT"]), Path(environment["HOME"])
    ended_in, begun = home / "ended_in", home / "begun"
    begun.touch()
    # The file of the place is written last, so that `cd` in the block counts.
    script = f'{block.commands}\npwd >"$HOME/ended_in"\n'
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=place, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Wrong(f"{where}: not done after {TIMEOUT_SECONDS} s") from error
    if done.returncode:
        raise Wrong(f"{where}: exit status {done.returncode}\n{block.commands}\n{done.stdout[-3000:]}")
    place = Path(ended_in.read_text().rstrip("\n"))
    for path in block.gives:
        there = (place / found for found in glob.glob(path, root_dir=place))
        if not any(found.stat().st_mtime_ns >= begun.stat().st_mtime_ns for found in there):
            raise Wrong(f"{where}: {path} is not made\n{done.stdout[-3000:]}")
    for words in block.says:
        if words not in done.stdout:
            raise Wrong(f"{where}: does not say {words!r}\n{done.stdout[-3000:]}")
    if block.ends_in and place != (root / block.ends_in).resolve():
        raise Wrong(f"{where}: ends in {place}")
    return place


# ---- links -----------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _without_blocks(text), re.MULTILINE):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(unique)
    return found


def _without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def broken_links(page: Path) -> list[str]:
    """Return the links of a page within the workshop that lead nowhere."""
    text = _without_blocks(page.read_text("utf-8"))
    broken: list[str] = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            broken.append(link)
    return broken
