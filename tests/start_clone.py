"""A clone with only what start.sh reads, on a computer of stubs: what the tests of start.sh share."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from workshop import ROOT

#: What start.sh may use; the tests' PATH holds these alone, so that no Python and no Docker of this computer is found.
TOOLS = [
    "awk",
    "bash",
    "cat",
    "chmod",
    "chown",
    "cksum",
    "cp",
    "dd",
    "df",
    "dirname",
    "echo",
    "env",
    "find",
    "grep",
    "gzip",
]
TOOLS += ["du", "id", "ls", "mkdir", "mv", "od", "ps", "pwd", "readlink", "rm", "sleep", "tail", "tee", "touch", "tr"]
TOOLS += ["sha256sum", "sort", "true", "uname", "wc"]

#: The parts of start.sh.
PARTS = ["host", "class", "player", "progress"]

#: What makes the starter tunes and sounds: when one of them changes, so may the tunes.
TUNES_MAKERS = [
    *(f"datasets/{name}.py" for name in ("corpus", "tunes", "midi_tunes", "starter_sounds")),
    *(f"notes/{name}.py" for name in ("abc_text", "abc_fields", "abc_notation", "abc_repeats")),
    "audio/drums.py",
]

#: A Python outside of any environment: it answers the probe and "makes" environments.
STUB_PYTHON = """#!/usr/bin/env bash
echo "$0 $*" >>"$CALLS"
case "$*" in
  *-c*) echo "{answer}" ;;
  "-m venv "*)
    if [ -n "${{STUB_VENV_SAYS:-}}" ]; then echo "$STUB_VENV_SAYS" >&2; exit 1; fi
    mkdir -p "$3/bin"; touch "$3/pyvenv.cfg"; cp "$STUB_IN_VENV" "$3/bin/python" ;;
  "-m workshop.doctor"*) echo "doctor with $0" ;;
esac
"""

#: The Python inside the environment: it writes down what it is asked for.
STUB_IN_VENV = """#!/usr/bin/env bash
echo "venv $*" >>"$CALLS"
case "$*" in
  "-m pip install"*)
    if [ -n "${STUB_PIP_WORDS:-}" ]; then printf '%b\n' "$STUB_PIP_WORDS"; fi
    sleep "${STUB_PIP_SECONDS:-0}"
    if [ -n "${STUB_PIP_SAYS:-}" ]; then echo "$STUB_PIP_SAYS" >&2; exit 1; fi ;;
  "-m workshop.tunes") sleep "${STUB_TUNES_SECONDS:-0}"; exit "${STUB_TUNES_STATUS:-0}" ;;
  "-m workshop.services start")
    echo "TensorBoard for char_rnn  http://localhost:7006"
    exit "${STUB_START_STATUS:-0}" ;;
  "-m workshop.services lab" | "-m workshop.services docs" | "-m workshop.services play") echo "$3 in $PWD" ;;
  "char_rnn/train.py"*)
    mkdir -p char_rnn/experiments/01
    if [ -n "${STUB_TRAIN_WORDS:-}" ]; then echo "$STUB_TRAIN_WORDS" >&2; fi
    exit "${STUB_TRAIN_STATUS:-0}" ;;
  "char_rnn/sample.py"*) echo "la la la" ;;
esac
"""


@dataclass
class Clone:
    """A clone with only what start.sh reads, a home, and a PATH of stubs."""

    root: Path
    bin: Path
    home: Path
    calls_file: Path
    env: dict[str, str]

    def add_python(self, path: Path, answer: str) -> None:
        """Put a stub Python there that answers the probe like that."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STUB_PYTHON.format(answer=answer))
        path.chmod(0o755)

    def start(
        self, *arguments: str, cwd: Path | None = None, stdin: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ./start.sh with these arguments."""
        return subprocess.run(
            [str(self.root / "start.sh"), *arguments],
            cwd=cwd or self.home,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def take_calls(self) -> list[str]:
        """What the stubs were asked for since the last time."""
        calls = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return calls

    def take_pip_calls(self) -> list[str]:
        """The calls of pip since the last time."""
        calls = [call for call in self.take_calls() if "-m pip" in call]
        return [call.replace(str(self.root), "CLONE").removeprefix("venv -m pip install ") for call in calls]


def make_clone(folder: Path) -> Clone:
    """Make a clone in a path with spaces, on a computer without any Python and any engine."""
    root, tools, stubs, home = (folder / name for name in ("a clone, with spaces", "tools", "stubs", "home"))
    for place in (root / "requirements", root / "workshop", root / "char_rnn", root / "docker", tools, stubs, home):
        place.mkdir(parents=True)
    for name in ("start.sh", "docker/servers.txt", "docker/recipe.txt", *(f"docker/{part}.sh" for part in PARTS)):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "docker" / "host", root / "docker" / "host")
    for name in ("cpu", "gpu", "dev", "test", "docs", "live"):
        (root / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    (root / "pyproject.toml").write_text("# pyproject.toml\n")
    for name in TUNES_MAKERS:
        assert (ROOT / "workshop" / name).is_file()
        (root / "workshop" / name).parent.mkdir(exist_ok=True)
        (root / "workshop" / name).write_text("")
    for name in TOOLS:
        found = shutil.which(name)
        assert found, f"this computer lacks {name}"
        (tools / name).symlink_to(found)
    in_venv = folder / "in_venv"
    in_venv.write_text(STUB_IN_VENV)
    in_venv.chmod(0o755)
    calls = folder / "calls"
    env = {"PATH": f"{stubs}:{tools}", "HOME": str(home), "CALLS": str(calls), "STUB_IN_VENV": str(in_venv)}
    return Clone(root, stubs, home, calls, env)
