"""The door for Windows, read and not run: no PowerShell is needed for these."""

import re

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


def test_what_the_image_is_not_made_of_is_the_same_in_both() -> None:
    host = (ROOT / "docker" / "host.sh").read_text("utf-8")
    (line,) = re.findall(r"-notin ('host\.sh'.*?) -and", POWERSHELL)
    (case,) = re.findall(r'case "\$file" in (docker/.*?)\)', host)
    assert [f"docker/{name}" for name in quoted(line)] + ["*.md"] == case.split(" | ")


def test_it_is_plain_ascii_because_powershell_5_reads_no_other_without_a_mark() -> None:
    assert POWERSHELL.isascii()


def test_every_bracket_is_closed() -> None:
    code = re.sub(r"@'\n.*?\n'@|'[^']*'|#[^\n]*", "", POWERSHELL, flags=re.DOTALL)
    for opened, closed in ("()", "{}", "[]"):
        assert code.count(opened) == code.count(closed)
