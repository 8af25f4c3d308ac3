"""Every command that the program, start.sh or a page prints is one that exists, and those that a demo prints are typed.

What is collected: the strings of the Python files with their docstrings, the lines of the shells, and the code of the
pages. A command is known by how it begins: `python`, `./start.sh`, `.\\start.ps1`. What its arguments are is asked of
the script that they are for.
"""

import ast
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pages import SMALL, variables
from parsers import flags, parsers, verbs

from workshop import ROOT
from workshop.host.ports import TENSORBOARD_PORTS

START = (ROOT / "start.sh").read_text("utf-8")
VERBS = set(re.findall(r"^VERBS=\"(.+)\"", START, re.MULTILINE)[0].split(", "))
OPTIONS = {"--local", "--gpu", "--root", "--help"}
#: Words that go on with the sentence behind `./start.sh`, and are no verb.
PROSE = {
    "and", "brings", "builds", "can", "does", "finds", "first", "for", "goes", "has", "in", "installs", "is",
    "itself", "makes", "on", "once", "opens", "prints", "process", "runs", "says", "sets", "shows", "starts",
    "that", "the", "there", "uses", "where", "which", "with",
}  # fmt: skip
#: Other programs that are run by way of Python.
FOREIGN = {"pip", "venv", "pytest", "tensorboard", "ensurepip", "webbrowser", "cProfile", "http.server", "sphinx"}
#: Folders of scripts for those who work on the workshop.
DEVELOPERS = ("benchmarks", "tests", "docs")
#: A collector that finds fewer has gone blind.
FEWEST_COMMANDS = 250

_DOOR = re.compile(r"(?:\./start\.sh|\.\\start\.ps1)\b(?!\.)((?: --\w+)*)(?: (\w+))?")
_PYTHON = re.compile(r"\bpython (-m )?(\{\}|[\w./-]+)((?: [^\s,;:)]+)*)")


def texts() -> Iterator[tuple[str, str]]:
    """Where something is printed, and what."""
    for room in ("workshop", "live", *TENSORBOARD_PORTS):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from ((f"{room}/{path.name}", text) for text in _strings(ast.parse(path.read_text("utf-8"))))
    scripts = [ROOT / "start.sh", ROOT / "start.ps1", ROOT / "docker/host.sh", ROOT / "docker/entrypoint.sh"]
    for script in (*scripts, *sorted((ROOT / "docker" / "host").glob("*.sh"))):
        yield script.name, script.read_text("utf-8")
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / name / "README.md" for name in TENSORBOARD_PORTS),
    ]
    for page in sorted(pages):
        text = page.read_text("utf-8")
        for code in re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL) + re.findall(
            r"`([^`\n]+)`", text
        ):
            yield page.relative_to(ROOT).as_posix(), code


def _strings(tree: ast.AST) -> Iterator[str]:
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            inside |= {id(part) for part in node.values}
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def problems(where: str, text: str) -> Iterator[str | None]:
    """For each command in a text what is wrong with it, or None."""
    for options, word in _DOOR.findall(text):
        unknown = [option for option in options.split() if option not in OPTIONS]
        if unknown or (word and word not in VERBS | PROSE):
            yield f"{where}: start.sh has no {unknown or word}"
        else:
            yield None
    for module, script, rest in _PYTHON.findall(text):
        yield _problem(where, bool(module), script.rstrip("."), rest.split())


def _problem(where: str, is_module: bool, script: str, words: list[str]) -> str | None:
    if is_module and {script, script.split(".")[0]} & FOREIGN:
        return None
    if not is_module and not script.endswith(".py"):
        return None  # the language, in a sentence
    if not is_module and Path(script).parts[0] in DEVELOPERS and (ROOT / script).is_file():
        return None
    targets = [script] if is_module else [*_modules(where, script)]
    if not targets:
        return f"{where}: there is no {script}"
    found = [parsers(target) for target in targets]
    if is_module and words and words[0].isalpha() and any(verbs(parser) for parser in found):
        known = set().union(*map(verbs, found))
        if words[0] not in known | PROSE:
            return f"{where}: {script} has no {words[0]}"
    known = set().union(*(flags(parser) for parser in found))
    unknown = [word for word in words if re.fullmatch(r"--?[a-z_]+", word.split("=")[0]) and word not in known]
    return f"{where}: {script} does not know {unknown}" if unknown else None


def _modules(where: str, script: str) -> Iterator[str]:
    """The modules that a script's name can mean in this place; a lesson's own where it is the text of a lesson."""
    path = Path(script)
    if path.name == "play.py":  # an export writes it into its folder
        yield "workshop.export.play"
    here = where.split("/")[0]
    for folder in [here] if here in TENSORBOARD_PORTS and len(path.parts) == 1 else ["", *TENSORBOARD_PORTS]:
        file = Path(os.path.normpath(Path(folder, path)))
        if (ROOT / file).is_file() and len(file.parts) == 2:
            yield ".".join(file.with_suffix("").parts)


def test_every_printed_command_exists() -> None:
    found = [problem for where, text in texts() for problem in problems(where, text)]
    print(f"{len(found)} commands are printed")
    assert len(found) >= FEWEST_COMMANDS
    assert sorted({problem for problem in found if problem}) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("type ./start.sh tset", "start.sh has no tset"),
        ("./start.sh --gqu", "start.sh has no"),
        ("python trian.py --resume", "there is no trian.py"),
        ("python -m workshop.datasets fetch x", "has no fetch"),
        ("python train.py --resmue", "does not know"),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, wrong: str) -> None:
    assert [wrong in (problem or "") for problem in problems("char_rnn/x.py", text)] == [True]


# ---- typed where they are printed ------------------------------------------------------------------------------------

#: A line that is to be typed: alone, or behind what it does; what stands behind it is a comment.
_LINE = re.compile(r"^(?: {2,}|[A-Z][a-z ]+: |  to [a-z ]+: +)((?:\./start\.sh|python|cd) .+)$", re.MULTILINE)


@pytest.fixture
def inside(tree: Path, home: Path, warm: str, tmp_path: Path) -> Callable[..., str]:
    """Type lines into a shell in the copy of the workshop, where `python` makes everything small, and all is set up, as
    in the container; return what is printed.
    """
    environment = tmp_path / "environment" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(SMALL / "python")
    settings = variables(tree, home, warm) | {
        "PATH": os.defpath, "WORKSHOP_IN_CONTAINER": "1", "VIRTUAL_ENV": str(environment.parent),
    }  # fmt: skip

    def type_in(*lines: str, shell: Sequence[str] = ("bash",)) -> str:
        done = subprocess.run(
            shell, cwd=tree, env=settings, input="\n".join(["set -euo pipefail", *lines]), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{lines}: exit status {done.returncode}\n{done.stdout[-3000:]}"
        return done.stdout

    return type_in


@pytest.mark.slow
def test_what_the_demo_prints_can_be_typed(inside: Callable[..., str]) -> None:
    demo = inside("./start.sh demo")
    before, _, following = demo.partition("\nNext: type ./start.sh for a shell, and in it\n")
    outside, shell = _LINE.findall(before), _LINE.findall(following)
    print(*outside, *shell, sep="\n")
    assert [line.split(" --")[0] for line in outside] == [
        "./start.sh run python midi_rnn/sample.py", "./start.sh run python spectral_gan/sample.py",
        "./start.sh run python char_rnn/sample.py", "./start.sh run python char_rnn/train.py",
        "./start.sh run python char_rnn/train.py", "./start.sh run python char_rnn/sample.py",
        "./start.sh run python char_rnn/sample.py",
    ]  # fmt: skip
    for line in outside:
        inside(line)
    assert shell[0] == "cd char_rnn"
    assert len(shell) >= 4
    printed = inside(*shell, shell=["./start.sh"])
    # What these print in turn is typed where it was printed: in the folder of the lesson.
    more = _LINE.findall(printed)
    assert len(more) >= 4
    inside("cd char_rnn", *dict.fromkeys(more), shell=["./start.sh"])


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "folder"), [("char_rnn", "data"), ("midi_rnn", "."), ("char_rnn", "char_rnn")])
def test_what_a_training_prints_can_be_typed(inside: Callable[..., str], lesson: str, folder: str) -> None:
    train = f"python {os.path.relpath(f'{lesson}/train.py', folder)}"
    lines = _LINE.findall(inside(f"cd {folder}", train, shell=["./start.sh"]))
    assert len(lines) == 2
    inside(f"cd {folder}", *lines, shell=["./start.sh"])
