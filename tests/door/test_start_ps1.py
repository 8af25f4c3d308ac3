"""The door for Windows, read and not run: no PowerShell is needed for these."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import ROOT
from workshop.host.ports import PORTS

POWERSHELL = (ROOT / "start.ps1").read_text("utf-8")
BASH = (ROOT / "start.sh").read_text("utf-8")


def quoted(words: str) -> list[str]:
    return re.findall(r"'([^']+)'", words)


def verbs_of_start_sh() -> list[str]:
    (line,) = re.findall(r"^ +(shell \|.*)\) ;;$", BASH, re.MULTILINE)
    return str(line).split(" | ")


def test_the_verbs_are_those_of_start_sh() -> None:
    (line,) = re.findall(r"^\$Verbs = (.*)$", POWERSHELL, re.MULTILINE)
    assert quoted(line) == verbs_of_start_sh()


@pytest.mark.parametrize("verb", verbs_of_start_sh())
def test_every_verb_is_done_and_explained(verb: str) -> None:
    assert re.search(rf"^    '{verb}' \{{", POWERSHELL, re.MULTILINE)
    explained = rf"^  \.\\start\.ps1 +{'' if verb == 'shell' else verb} "
    assert re.search(explained, POWERSHELL, re.MULTILINE)


def test_the_ports_are_those_of_the_workshop() -> None:
    """They are read from the list that the lessons' records make; see test_server_files.py."""
    assert "Get-Content (Join-Path $PSScriptRoot 'docker/servers.txt')" in POWERSHELL
    assert not re.findall(rf"\b({'|'.join(map(str, PORTS.values()))})\b", POWERSHELL)


def test_the_recipe_names_what_the_image_is_made_of() -> None:
    # The images of a class and of the player are looked at anew at each start, because the code is in them too.
    stages = re.split(r"^(?=FROM )", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    others = "".join(stage for stage in stages if " AS class" not in stage and " AS player" not in stage)
    copied = re.findall(r"^COPY (?:--chmod=\S+ )?((?:[\w./-]+ )+)\S+$", others, re.MULTILINE)
    made_of = {name.replace("cpu", "KIND").replace("gpu", "KIND") for names in copied for name in names.split()}
    recipe = (ROOT / "docker" / "recipe.txt").read_text().splitlines()
    assert set(recipe) == made_of - {"."} | {"Dockerfile", ".dockerignore", "pyproject.toml"}


@pytest.mark.skipif(sys.platform == "win32", reason="of bash")
@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_the_recipe_of_start_sh_is_that_of_start_ps1(kind: str, tmp_path: Path) -> None:
    """Each would build the image of the other again. Windows' line ends make no difference."""
    names = [name.replace("KIND", kind) for name in (ROOT / "docker" / "recipe.txt").read_text().splitlines()]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes().replace(b"\n", b"\r\n"))
    shutil.copy(ROOT / "docker" / "recipe.txt", tmp_path / "docker")
    code = (ROOT / "docker" / "host.sh").read_text("utf-8")
    (functions,) = re.findall(r"^sha256\(\).*?^\}\n", code, re.MULTILINE | re.DOTALL)
    command = ["bash", "-c", f'{functions}\nROOT="$1"; recipe "$2"', "bash", str(tmp_path), kind]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # What start.ps1 does, in Python.
    assert "'docker/recipe.txt'" in POWERSHELL
    assert "-replace 'KIND', $Kind" in POWERSHELL
    assert """-replace "`r", ''""" in POWERSHELL
    assert ".Substring(0, 12).ToLower()" in POWERSHELL
    text = "".join((tmp_path / name).read_bytes().decode("utf-8").replace("\r", "") for name in names)
    assert said == hashlib.sha256(text.encode()).hexdigest()[:12] + "\n"


def test_it_is_plain_ascii_because_powershell_5_reads_no_other_without_a_mark() -> None:
    assert POWERSHELL.isascii()


def test_every_bracket_is_closed() -> None:
    code = re.sub(r"@'\n.*?\n'@|'[^']*'|#[^\n]*", "", POWERSHELL, flags=re.DOTALL)
    for opened, closed in ("()", "{}", "[]"):
        assert code.count(opened) == code.count(closed)
