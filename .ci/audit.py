"""Ask pip-audit whether packages of the locks have known vulnerabilities.

    WORKSHOP_AUDIT=pypi python .ci/audit.py           asks PyPI about each package; with osv, osv.dev

It has to be asked for, because not every network lets anybody ask. What was not checked is said, and is no failure;
pip-audit itself passes over packages that its service does not answer for, and then finds nothing wrong.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LOCKS = sorted((Path(__file__).resolve().parent.parent / "requirements").glob("*.txt"))
VERSION = "2.10.1"
SERVICES = ("pypi", "osv")


def not_checked(reason: str) -> int:
    """Say so, in words that nobody takes for good news, and return the exit status."""
    print(f"NOT CHECKED for known vulnerabilities: {reason}.")
    return 0


def find_pip_audit(folder: Path) -> str | None:
    """The pip-audit that is here, or else one installed into that folder; None if there is none to be had."""
    if found := shutil.which("pip-audit"):
        return found
    install = [str(folder / "bin" / "pip"), "install", "--quiet", f"pip-audit=={VERSION}"]
    for command in ([sys.executable, "-m", "venv", str(folder)], install):
        if subprocess.run(command, check=False).returncode:
            return None
    return str(folder / "bin" / "pip-audit")


def ask_about(pip_audit: str, lock: Path, service: str, answer: Path) -> list[dict[str, Any]]:
    """What pip-audit knows of each package of a lock; nothing if it could not ask."""
    where = ["--disable-pip", "--require-hashes", "--requirement", str(lock), "--vulnerability-service", service]
    how = ["--format", "json", "--output", str(answer), "--progress-spinner", "off"]
    answer.unlink(missing_ok=True)
    subprocess.run([pip_audit, *where, *how], check=False)  # its status does not tell a finding from a failure
    return list(json.loads(answer.read_text("utf-8"))["dependencies"]) if answer.exists() else []


def report(packages: list[dict[str, Any]]) -> int:
    """Print what was found of the packages, and return 1 if any is vulnerable."""
    known = {(package["name"], package["version"]): package["vulns"] for package in packages if "vulns" in package}
    passed_over = sorted({package["name"] for package in packages if "vulns" not in package})
    if not known:
        return not_checked("the service knows none of the packages, or does not answer")
    for (name, version), flaws in sorted(known.items()):
        for flaw in flaws:
            mended = ", ".join(flaw["fix_versions"]) or "no version"
            print(f"{name} {version} is vulnerable: {flaw['id']}, mended in {mended}")
    if passed_over:
        not_checked(f"the service knows nothing of {', '.join(passed_over)}")
    vulnerable = sum(bool(flaws) for flaws in known.values())
    print(f"{len(known)} packages of {len(LOCKS)} locks were checked, and {vulnerable} of them are vulnerable.")
    return 1 if vulnerable else 0


def main() -> int:
    """Ask about all locks, if that was asked for."""
    service = os.environ.get("WORKSHOP_AUDIT", "")
    if not service:
        return not_checked("WORKSHOP_AUDIT=pypi or WORKSHOP_AUDIT=osv asks for it where that service can be reached")
    if service not in SERVICES:
        print(f"WORKSHOP_AUDIT is '{service}': give {' or '.join(SERVICES)}, or leave it away.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        pip_audit = find_pip_audit(Path(folder) / "environment")
        if pip_audit is None:
            return not_checked("pip-audit could not be installed")
        answer = Path(folder) / "answer.json"
        return report([package for lock in LOCKS for package in ask_about(pip_audit, lock, service, answer)])


if __name__ == "__main__":
    sys.exit(main())
