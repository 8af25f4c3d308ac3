"""The Python that has loaded TensorFlow already runs a script as any other does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
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


@pytest.mark.parametrize(("how", "typed"), [(["-m", "things.script"], "typed"), (["-"], "import script")])
def test_modules_and_what_is_typed(how: list[str], typed: str, warm: str, tmp_path: Path) -> None:
    for path in (tmp_path / "things" / "script.py", tmp_path / "script.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("import sys, helper\nprint(__name__, sys.argv[1:])\n")
    (tmp_path / "helper.py").touch()
    command = [sys.executable, "-I", "-S", warm_python.__file__, warm, *how, "--a", "b c"]
    done = subprocess.run(command, cwd=tmp_path, input=typed, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{'__main__' if how[0] == '-m' else 'script'} ['--a', 'b c']\n"


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_ends_the_caller_ends_the_script(number: signal.Signals, warm: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(100)\n")
    command = [sys.executable, str(tmp_path / "train.py")]
    with subprocess.Popen(command, env=warm_python.environment(warm), stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout
        script = int(caller.stdout.readline())
        assert script != caller.pid
        caller.send_signal(number)
        assert caller.wait(timeout=20) == (-number if number == signal.SIGKILL else 128 + number)
    end = time.monotonic() + 20
    while psutil.pid_exists(script):
        assert time.monotonic() < end
        time.sleep(0.05)
