"""The Python that has loaded TensorFlow already runs a script as any other does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import warm as warm_python

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys
import helper
assert __name__ == "__main__"
loaded = sorted({"keras", "workshop"} & {*sys.modules})
print(os.getcwd(), sys.argv, os.environ["MINE"], helper.__file__, loaded, flush=True)
print(sys.stdin.read(), file=sys.stderr)
sys.exit(ENDING)
"""


@pytest.mark.parametrize(
    ("ending", "status"),
    [("0", 0), ("3", 3), ("None", 0), ("'wrong'", 1), ("1 / 0", 1), ("os.kill(os.getpid(), 9)", 137)],
)
def test_a_script_has_its_folder_arguments_environment_streams_and_end(
    ending: str, status: int, warm: str, tmp_path: Path
) -> None:
    (tmp_path / "lesson").mkdir()
    (tmp_path / "lesson" / "script.py").write_text(SCRIPT.replace("ENDING", ending))
    (tmp_path / "helper.py").touch()
    done = subprocess.run(
        [sys.executable, "-I", "-S", warm_python.__file__, warm, "lesson/script.py", "--a", "b c"], cwd=tmp_path,
        env={**os.environ, "MINE": "yes", "PYTHONPATH": str(tmp_path)}, input="typed", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout == f"{tmp_path} ['lesson/script.py', '--a', 'b c'] yes {tmp_path / 'helper.py'} ['keras']\n"
    assert done.stderr.startswith("typed\n")
    assert ("ZeroDivisionError" in done.stderr) == (ending == "1 / 0")
    assert done.returncode == status


def test_processes_that_a_script_starts_find_it(warm: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import multiprocessing\n"
        "def double(x): return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.apply(double, (21,)))\n"
    )
    command = [sys.executable, "-I", "-S", warm_python.__file__, warm, "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "42\n"
