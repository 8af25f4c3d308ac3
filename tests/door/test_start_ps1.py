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
    assert "Get-Content -LiteralPath (Join-Path $PSScriptRoot 'docker/servers.txt')" in POWERSHELL
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
    code = (ROOT / "docker" / "host" / "engine.sh").read_text("utf-8")
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


def body_of(function: str) -> str:
    (body,) = re.findall(rf"^function {function}\b.*?\n\}}\n", POWERSHELL, re.MULTILINE | re.DOTALL)
    return str(body)


def verb(name: str) -> str:
    (body,) = re.findall(rf"^    '{name}' \{{(.*?)^    (?:'|\}}\n    ')", POWERSHELL, re.MULTILINE | re.DOTALL)
    return str(body)


def test_a_folder_with_brackets_in_its_name_is_no_pattern() -> None:
    """What a browser has downloaded twice may lie in `ml4music[1]`."""
    calls = re.findall(
        r"(?:Get-Content|Test-Path|(?:Push|Set)-Location|(?:Move|Remove)-Item|Resolve-Path)\b[^\n;|]*", POWERSHELL
    )
    assert len(calls) > 10
    assert [call for call in calls if "-LiteralPath" not in call] == []


def test_a_training_on_the_gpu_is_seen_and_kept_by_a_terminal_without() -> None:
    assert "'label=ml4music.workshop=workshop-gpu', 'status=running'" in body_of("Start-Workshop")
    assert "Get-Container 'label=ml4music.workshop', 'status=running'" in verb("trainings")


def test_a_training_goes_on_when_another_terminal_has_other_settings() -> None:
    body = body_of("Start-Workshop")
    (pattern,) = re.findall(r"'pgrep', '-f', '([^']+)'", body)
    assert re.search(pattern, "/opt/venv/bin/python char_rnn/train.py --max_minutes 5")
    for server in ("python -m workshop.services serve char_rnn", "bash start.sh run true", f"pgrep -f {pattern}"):
        assert not re.search(pattern, server)
    assert body.index("pgrep") < body.index("Assert-Image") < body.index("docker compose up")


def test_osc_listens_and_answers_where_the_container_is_reached() -> None:
    assert "'^--(port|host|answer[_-]to)'" in body_of("Enter-Osc")
    assert "Read-Port 'WORKSHOP_ANSWER_TO'" in body_of("Enter-Osc")
    assert "Read-Port 'WORKSHOP_PORT_OSC'" in body_of("Initialize-Settings")


def test_ctrl_c_ends_the_server_of_osc_which_has_no_terminal() -> None:
    assert "} finally { Stop-Osc }" in body_of("Enter-Osc")
    (pattern,) = re.findall(r"'pkill', '-f', '([^']+)'", body_of("Stop-Osc"))
    (words,) = re.findall(r"('python', '-m', 'workshop.osc'.*?)\)", body_of("Enter-Osc").replace("\n", " "))
    assert re.search(pattern, " ".join(quoted(words)))
    assert not re.search(pattern, f"pkill -f {pattern}")


def test_commands_that_are_printed_can_be_typed_in_powershell() -> None:
    """Inside, start.sh would name itself by its path in the container."""
    assert all("Set-Prefix" in body for body in (verb("demo"), verb("run"), verb("live"), body_of("Enter-Osc")))
    assert all("$script:Prefix" in body_of(name) for name in ("Enter-Container", "Enter-Osc"))


def test_the_same_variables_are_passed_on_as_by_start_sh() -> None:
    host = (ROOT / "docker" / "host" / "inside.sh").read_text("utf-8")
    (passed,) = re.findall(r"^PASSED='(.*)'$", host, re.MULTILINE)
    assert f"$Passed = '{passed.replace('|WORKSHOP_MIRROR', '').replace('|WORKSHOP_PREFIX', '')}'" in POWERSHELL
    assert "-cmatch $Passed" in body_of("Enter-Container")


def words_of(line: str) -> list[str]:
    """A command line as a program of Windows takes it apart (the C runtime's rules)."""
    words, word, is_quoted, is_word = [], "", False, False
    for slashes, quote, other in re.findall(r'(\\*)(?:(")|([^"\\]|$))', line):
        is_word = is_word or bool(slashes or quote)
        word += slashes[: len(slashes) // 2] if quote else slashes
        if quote and len(slashes) % 2:
            word += quote
        elif quote:
            is_quoted = not is_quoted
        elif other in (" ", "") and not is_quoted:
            if is_word:
                words.append(word)
            word, is_word = "", False
        else:
            word, is_word = word + other, True
    return words


@pytest.mark.parametrize(
    "words",
    [["--prime", 'She said "go"'], ["--prime", ""], ['"', '\\"', "a b"], ["plain", "C:\\x", "an ü"], ['print("x")']],
)
def test_quotes_and_empty_words_reach_the_container(words: list[str]) -> None:
    """Windows PowerShell 5.1 puts quotes around a word with a space, and leaves those within as they are."""
    (pattern, by) = re.findall(r"\$_ -replace '(.*?)', '(.*?)'", body_of("Get-Quoted"))[0]
    assert by == r"$1$1\""
    handed = [re.sub(pattern, r'\1\1\\"', word) if word else '""' for word in words]
    line = " ".join(f'"{word}"' if " " in word else word for word in handed)
    assert words_of(line) == words
    assert all("@(Get-Quoted $Words)" in body_of(name) for name in ("Enter-Container", "Enter-Osc"))
