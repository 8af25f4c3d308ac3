"""The question about known vulnerabilities, with a stub of pip-audit: nothing that was not checked passes for good."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workshop import ROOT

WELL = {"name": "numpy", "version": "2.4", "vulns": []}
ILL = {"name": "pillow", "version": "11.0", "vulns": [{"id": "CVE-0000-1", "fix_versions": ["11.1"]}]}
UNKNOWN = {"name": "furo", "skip_reason": "Dependency not found on PyPI and could not be audited: furo"}

#: Started by way of a shell, because the path of a Python may hold a space, and a first line with `#!` must not.
START = """#!/bin/sh
exec "{python}" "{stub}" "$@"
"""

STUB = """
import json, os, sys
words = sys.argv[1:]
assert "--require-hashes" in words
assert words[words.index("--vulnerability-service") + 1] == "pypi"
if os.environ["STUB_SAYS"]:
    open(words[words.index("--output") + 1], "w").write(os.environ["STUB_SAYS"])
sys.exit(1)
"""


def audit(folder: Path, packages: list[dict[str, Any]] | None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/audit.py where pip-audit says that, or fails without a word."""
    start, stub = folder / "pip-audit", folder / "stub.py"
    stub.write_text(STUB)
    start.write_text(START.format(python=sys.executable, stub=stub))
    start.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "WORKSHOP_AUDIT"}
    env |= {"PATH": f"{folder}:{kept['PATH']}"}
    env["STUB_SAYS"] = "" if packages is None else json.dumps({"dependencies": packages, "fixes": []})
    command = [sys.executable, str(ROOT / ".ci" / "audit.py")]
    return subprocess.run(command, env={**kept, **env}, capture_output=True, text=True, check=False)


def test_without_being_asked_for_it_says_that_nothing_was_checked(tmp_path: Path) -> None:
    done = audit(tmp_path, [WELL])
    assert done.returncode == 0
    assert done.stdout.startswith("NOT CHECKED for known vulnerabilities: WORKSHOP_AUDIT=pypi")
    assert audit(tmp_path, [WELL], WORKSHOP_AUDIT="yes").returncode == 2


@pytest.mark.parametrize("packages", [None, [], [UNKNOWN]])
def test_a_service_that_knows_nothing_has_checked_nothing(
    tmp_path: Path, packages: list[dict[str, Any]] | None
) -> None:
    done = audit(tmp_path, packages, WORKSHOP_AUDIT="pypi")
    assert done.returncode == 0
    assert done.stdout.startswith("NOT CHECKED")
    assert "were checked" not in done.stdout


def test_what_was_checked_and_what_was_not_is_said(tmp_path: Path) -> None:
    locks = len(list((ROOT / "requirements").glob("*.txt")))
    done = audit(tmp_path, [WELL, UNKNOWN], WORKSHOP_AUDIT="pypi")
    assert done.returncode == 0
    assert "NOT CHECKED for known vulnerabilities: the service knows nothing of furo." in done.stdout
    assert f"1 packages of {locks} locks were checked, and 0 of them are vulnerable." in done.stdout


def test_a_vulnerable_package_is_named_with_what_mends_it(tmp_path: Path) -> None:
    done = audit(tmp_path, [WELL, ILL], WORKSHOP_AUDIT="pypi")
    assert done.returncode == 1
    assert "pillow 11.0 is vulnerable: CVE-0000-1, mended in 11.1" in done.stdout


def test_where_pip_audit_cannot_be_had_that_is_said(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".ci" / "audit.py", tmp_path)
    env = {"WORKSHOP_AUDIT": "pypi", "PATH": "/nowhere", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run([sys.executable, tmp_path / "audit.py"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "NOT CHECKED for known vulnerabilities: pip-audit could not be installed." in done.stdout
