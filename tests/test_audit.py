"""The question about known vulnerabilities, with a stub of pip-audit: nothing that was not audited passes for good."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workshop import ROOT

NUMPY = {"name": "numpy", "version": "2.4", "vulns": []}
FURO = {"name": "furo", "version": "1.0", "vulns": []}
PILLOW = {"name": "pillow", "version": "11.0", "vulns": []}
ILL = PILLOW | {"vulns": [{"id": "CVE-0000-1", "fix_versions": ["11.1"]}]}
SKIPPED = {"name": "furo", "skip_reason": "Dependency not found on PyPI and could not be audited: furo (1.0)"}

#: The packages of two small locks: numpy 2.4, Pillow 11.0 and furo 1.0 for this computer, and one for no computer.
LOCKS = {
    "cpu.txt": "numpy==2.4 ; os_name != 'none' \\\n    --hash=sha256:00\n    # via x==1\nPillow==11.0 \\\n",
    "docs.txt": "furo==1.0 \\\n    --hash=sha256:02\nnowhere==1.0 ; os_name == 'none' \\\n",
}

#: Started by way of a shell, because the path of a Python may hold a space, and a first line with `#!` must not.
START = """#!/bin/sh
exec "{python}" "{stub}" "$@"
"""

#: What pip-audit says and does where its service answers for no package: good news, and exit status 0.
STUB = """
import json, os, sys
words = sys.argv[1:]
assert "--require-hashes" in words
assert words[words.index("--vulnerability-service") + 1] == "pypi"
print("No known vulnerabilities found", file=sys.stderr)
if os.environ["STUB_SAYS"]:
    open(words[words.index("--output") + 1], "w").write(os.environ["STUB_SAYS"])
sys.exit(int(os.environ["STUB_STATUS"]))
"""


def audit(
    folder: Path, packages: list[dict[str, Any]] | None, status: int = 0, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run .ci/audit.py over LOCKS where pip-audit reports that (None: nothing) and ends with that status."""
    for name in (".ci", "requirements", "bin"):
        (folder / name).mkdir(exist_ok=True)
    shutil.copy(ROOT / ".ci" / "audit.py", folder / ".ci")
    for name, text in LOCKS.items():
        (folder / "requirements" / name).write_text(text)
    start, stub = folder / "bin" / "pip-audit", folder / "stub.py"
    stub.write_text(STUB)
    start.write_text(START.format(python=sys.executable, stub=stub))
    start.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "WORKSHOP_AUDIT"}
    told = "" if packages is None else json.dumps({"dependencies": packages, "fixes": []})
    env = {**kept, "PATH": f"{folder / 'bin'}:{kept['PATH']}", "STUB_SAYS": told, "STUB_STATUS": str(status)} | env
    command = [sys.executable, str(folder / ".ci" / "audit.py")]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_without_being_asked_for_it_says_that_nothing_was_checked(tmp_path: Path) -> None:
    done = audit(tmp_path, [NUMPY])
    assert done.returncode == 0
    assert done.stdout.startswith("NOT CHECKED for known vulnerabilities: WORKSHOP_AUDIT=pypi")
    assert audit(tmp_path, [NUMPY], WORKSHOP_AUDIT="yes").returncode == 2


def test_where_every_package_was_audited_it_passes(tmp_path: Path) -> None:
    done = audit(tmp_path, [NUMPY, PILLOW, FURO], WORKSHOP_AUDIT="pypi")
    assert done.returncode == 0
    assert done.stdout == "3 of 3 packages were audited, and 0 are vulnerable.\n"
    assert done.stderr == ""


@pytest.mark.parametrize(("packages", "status"), [(None, 0), (None, 1), ([], 0), ([SKIPPED], 0)])
def test_a_service_that_answers_for_no_package_fails(
    tmp_path: Path, packages: list[dict[str, Any]] | None, status: int
) -> None:
    done = audit(tmp_path, packages, status, WORKSHOP_AUDIT="pypi")
    assert done.returncode == 1
    assert done.stdout.startswith("NOT CHECKED for known vulnerabilities: 3 of 3 packages could not be audited")
    assert "(furo, numpy, pillow)" in done.stdout
    assert "0 of 3 packages were audited" in done.stdout
    assert "No known vulnerabilities" not in done.stdout


def test_packages_that_were_skipped_are_counted_and_named(tmp_path: Path) -> None:
    done = audit(tmp_path, [NUMPY, SKIPPED, PILLOW], WORKSHOP_AUDIT="pypi")
    assert done.returncode == 1
    assert "1 of 3 packages could not be audited (furo), the first because: Dependency not found on PyPI" in done.stdout
    assert "2 of 3 packages were audited, and 0 are vulnerable." in done.stdout


def test_a_package_that_is_not_reported_at_all_or_in_another_version_was_not_audited(tmp_path: Path) -> None:
    done = audit(tmp_path, [NUMPY | {"version": "2.3"}, FURO], WORKSHOP_AUDIT="pypi")
    assert done.returncode == 1
    assert "2 of 3 packages could not be audited (numpy, pillow)" in done.stdout


def test_a_vulnerable_package_is_named_with_the_version_that_fixes_it(tmp_path: Path) -> None:
    done = audit(tmp_path, [NUMPY, ILL, FURO], 1, WORKSHOP_AUDIT="pypi")
    assert done.returncode == 1
    assert "pillow 11.0 is vulnerable: CVE-0000-1, fixed in 11.1" in done.stdout
    assert "3 of 3 packages were audited, and 1 are vulnerable." in done.stdout


@pytest.mark.slow
def test_where_pip_audit_cannot_be_installed_that_is_said_and_fails(tmp_path: Path) -> None:
    env = {"WORKSHOP_AUDIT": "pypi", "PATH": "/nowhere", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done = audit(tmp_path, None, **env)
    assert done.returncode == 1
    assert "NOT CHECKED for known vulnerabilities: pip-audit could not be installed" in done.stdout
    assert "none of 3 packages was audited" in done.stdout
