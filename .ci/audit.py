"""Ask pip-audit whether packages of the locks have known vulnerabilities.

    WORKSHOP_AUDIT=pypi python .ci/audit.py           asks PyPI about each package; with osv, osv.dev

It runs only on request, because not every network reaches these services. A requested audit passes only when every
package of every lock was audited: pip-audit itself skips the packages that its service does not answer for, reports no
vulnerabilities and exits with 0.

Exit status: 0 if nothing was requested, or everything was audited and nothing is vulnerable; 1 if a package is
vulnerable or was not audited; 2 if WORKSHOP_AUDIT has another value.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LOCKS = sorted((Path(__file__).resolve().parent.parent / "requirements").glob("*.txt"))
VERSION = "2.10.1"
SERVICES = ("pypi", "osv")


def not_checked(reason: str) -> None:
    """Print that something was not audited, in words that nobody takes for good news."""
    print(f"NOT CHECKED for known vulnerabilities: {reason}.")


def packages_of(lock: Path) -> set[tuple[str, str]]:
    """Return the (name, version) pairs that a lock pins for this computer and this Python."""
    from packaging.requirements import Requirement

    pins = set()
    for line in re.findall(r"^[A-Za-z0-9][^\n\\]*==[^\n\\]*", lock.read_text("utf-8"), re.MULTILINE):
        requirement = Requirement(line.strip())
        if requirement.marker is None or requirement.marker.evaluate():
            pins.add((normalised(requirement.name), str(requirement.specifier).removeprefix("==")))
    return pins


def normalised(name: str) -> str:
    """Return the name of a package in the one spelling that registries compare by."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_pip_audit(folder: Path) -> str | None:
    """The installed pip-audit, or else one installed into that folder; None if it cannot be installed."""
    if found := shutil.which("pip-audit"):
        return found
    install = [str(folder / "bin" / "pip"), "install", "--quiet", f"pip-audit=={VERSION}"]
    for command in ([sys.executable, "-m", "venv", str(folder)], install):
        if subprocess.run(command, check=False).returncode:
            return None
    return str(folder / "bin" / "pip-audit")


def ask_about(pip_audit: str, lock: Path, service: str, answer: Path) -> list[dict[str, Any]]:
    """What pip-audit reports on each package of a lock; nothing if it failed."""
    where = ["--disable-pip", "--require-hashes", "--requirement", str(lock), "--vulnerability-service", service]
    how = ["--format", "json", "--output", str(answer), "--progress-spinner", "off"]
    answer.unlink(missing_ok=True)
    # Its own last word is that nothing was found, also where nothing was audited; and its exit status does not tell a
    # vulnerability from a failure.
    done = subprocess.run([pip_audit, *where, *how], check=False, capture_output=True, text=True)
    if not answer.exists():
        print(done.stderr, file=sys.stderr)
        return []
    return list(json.loads(answer.read_text("utf-8"))["dependencies"])


def report(wanted: set[tuple[str, str]], answers: list[dict[str, Any]]) -> int:
    """Print what was found and what was not audited.

    Args:
        wanted: the (name, version) pairs that should be audited.
        answers: what pip-audit reports; an entry with "vulns" was audited, one with "skip_reason" was not.

    Returns:
        The exit status: 0 if every package was audited and none is vulnerable.
    """
    audited = {(normalised(one["name"]), one["version"]): one["vulns"] for one in answers if "vulns" in one}
    reasons = {normalised(one["name"]): one["skip_reason"] for one in answers if "skip_reason" in one}
    missing = sorted(wanted - audited.keys())
    for (name, version), flaws in sorted(audited.items()):
        for flaw in flaws:
            fixed = ", ".join(flaw["fix_versions"]) or "no version"
            print(f"{name} {version} is vulnerable: {flaw['id']}, fixed in {fixed}")
    if missing:
        names = ", ".join(name for name, _ in missing)
        why = next((reasons[name] for name, _ in missing if name in reasons), "pip-audit does not report on them")
        not_checked(
            f"{len(missing)} of {len(wanted)} packages could not be audited ({names}), the first because: {why}"
        )
    vulnerable = sum(bool(flaws) for flaws in audited.values())
    print(f"{len(wanted) - len(missing)} of {len(wanted)} packages were audited, and {vulnerable} are vulnerable.")
    return 1 if vulnerable or missing else 0


def main() -> int:
    """Audit all locks, if requested."""
    service = os.environ.get("WORKSHOP_AUDIT", "")
    if not service:
        not_checked("WORKSHOP_AUDIT=pypi or WORKSHOP_AUDIT=osv asks for it where that service can be reached")
        return 0
    if service not in SERVICES:
        print(f"WORKSHOP_AUDIT is '{service}': give {' or '.join(SERVICES)}, or leave it out.", file=sys.stderr)
        return 2
    wanted = set().union(*map(packages_of, LOCKS))
    with tempfile.TemporaryDirectory() as folder:
        pip_audit = find_pip_audit(Path(folder) / "environment")
        if pip_audit is None:
            not_checked(f"pip-audit could not be installed, so none of {len(wanted)} packages was audited")
            return 1
        answer = Path(folder) / "answer.json"
        return report(wanted, [one for lock in LOCKS for one in ask_about(pip_audit, lock, service, answer)])


if __name__ == "__main__":
    sys.exit(main())
