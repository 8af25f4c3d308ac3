"""log.txt of an experiment has every line that train.py prints, with its time, and the command that was typed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

import pytest
from damage import fill

from char_rnn import sample, train
from workshop import cli
from workshop.errors import UserError
from workshop.run import log
from workshop.run.progress import Progress

Run = Callable[..., subprocess.CompletedProcess[str]]
#: The time of a line, as the clock on the wall says it, and what was printed.
LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)(?:  (.+))?")


def lines(path: Path) -> list[str]:
    """What the log has, without the times."""
    text = (path / "log.txt").read_text("utf-8")
    assert text.endswith("\n")
    found = [LINE.fullmatch(line) for line in text[:-1].split("\n")]
    assert all(found), text
    return [match[2] or "" for match in found if match]


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a log; what is typed is `python train.py --size tiny`."""
    monkeypatch.setattr(sys, "argv", ["train.py", "--size", "tiny"])
    folder = tmp_path / "experiment"
    folder.mkdir()
    return folder


def run(*parts: Callable[[], object]) -> None:
    """Do these one after the other, as the `main` of a script with a log."""

    @log.recorded
    def main() -> int:
        for part in parts:
            part()
        return 0

    assert main() == 0


def say(text: str) -> Callable[[], None]:
    return lambda: print(text, file=sys.stderr)


HEADER = "$ python train.py --size tiny"


def test_what_is_printed_is_in_it_from_the_beginning(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now().astimezone()
    out, err = sys.stdout, sys.stderr
    run(
        lambda: print("data: songs: 3 files"),
        say("reading: 2 of 3 files"),
        lambda: log.keep_in(experiment),
        lambda: print("step", 1, end=""),
        lambda: print(" of 2\n\nThe experiment is here."),
        say("two\nlines"),
    )
    assert (sys.stdout, sys.stderr) == (out, err)
    printed = ["step 1 of 2", "", "The experiment is here.", "two", "lines"]
    assert lines(experiment) == [HEADER, "data: songs: 3 files", "reading: 2 of 3 files", *printed]
    assert tuple(capsys.readouterr()) == (
        "data: songs: 3 files\nstep 1 of 2\n\nThe experiment is here.\n",
        "reading: 2 of 3 files\ntwo\nlines\n",
    )
    times = [datetime.fromisoformat(line[:25]) for line in (experiment / "log.txt").read_text("utf-8").splitlines()]
    assert before - timedelta(seconds=1) <= times[0] <= times[-1] <= datetime.now().astimezone()


def test_a_resumed_run_is_appended_below_its_own_command(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(lambda: log.keep_in(experiment), say("first"))
    monkeypatch.setattr(sys, "argv", ["train.py", "--resume", "--message", "with a space\n\x1b[2J"])
    monkeypatch.setenv("WORKSHOP_PREFIX", "./start.sh run ")
    run(say("second"), lambda: log.keep_in(experiment))
    typed = r"$ ./start.sh run python train.py --resume --message 'with a space\n\x1b[2J'"
    assert lines(experiment) == [HEADER, "first", typed, "second"]


def test_without_an_experiment_there_is_no_log(experiment: Path) -> None:
    run(say("data: none"))
    log.keep_in(experiment)
    assert list(experiment.iterdir()) == []


def test_control_characters_are_escaped(experiment: Path) -> None:
    run(lambda: log.keep_in(experiment), say("a\x1b[2Jb\x9b\u202ec\td"), say("caf\udce9 \u266a"))
    assert lines(experiment)[1:] == [r"a\x1b[2Jb\x9b\u202ec" + "\td", "caf\\udce9 \u266a"]


def test_of_a_line_that_renews_itself_the_last_state_is_kept(
    experiment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("workshop.run.progress.RENEW_SECONDS", 0)

    def training() -> None:
        log.keep_in(experiment)
        progress = Progress(9, 0, "notes")
        for step in (1, 2, 3):
            progress.step(step, 0, 1.0, 10)
        progress.say("held-out data: 1.5")
        progress.step(4, 0, 1.0, 10)
        print("\rreading: 50%", end="\r              \r", file=sys.stderr)  # a bar that vanishes
        print("all read", file=sys.stderr)

    run(training)
    first, held_out, last = lines(experiment)[1:]
    assert re.match(r"step 3/9 .* left$", first)
    assert (held_out, last) == ("held-out data: 1.5", "all read")
    assert capsys.readouterr().err.count("step ") == 4


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (UserError("the disk is full\x07"), r"error: the disk is full\x07"),
        (KeyboardInterrupt(), "stopped"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug"),
    ],
)
def test_the_error_that_ends_a_run_is_in_it(
    experiment: Path, error: BaseException, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @log.recorded
    def main() -> int:
        log.keep_in(experiment)
        raise error

    with pytest.raises(SystemExit if not isinstance(error, ZeroDivisionError) else ZeroDivisionError):
        cli.run(main)
    assert [line for line in lines(experiment) if line][-1] == last
    if not isinstance(error, ZeroDivisionError):
        assert capsys.readouterr().err == f"{last}\n"


def test_kill_9_loses_nothing(experiment: Path) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom workshop.run import log\n"
        "@log.recorded\ndef main():\n    print('data')\n    log.keep_in(Path(sys.argv[1]))\n    print('step 1')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(experiment)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert lines(experiment)[1:] == ["data", "step 1"]


def test_a_terminal_that_has_gone_does_not_matter(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(text: str) -> int:
        raise OSError(5, "Input/output error")

    def training() -> None:
        log.keep_in(experiment)
        Progress(9, 0, "notes").say("held-out data: 1.5")

    monkeypatch.setattr(sys.stderr, "write", closed)
    run(training)
    assert lines(experiment)[1:] == ["held-out data: 1.5"]


# ---- what cannot be written


def test_a_log_that_cannot_be_written_is_said_once(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (experiment / "log.txt").mkdir()
    run(say("data"), lambda: log.keep_in(experiment), say("step 1"), say("step 2"))
    warning = f"{experiment}/log.txt cannot be written: is a directory; the training goes on without it"
    assert capsys.readouterr().err.splitlines() == ["data", warning, "step 1", "step 2"]


def test_lines_wait_for_room_on_a_full_disk(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = ["x" * 3000, "y" * 3000, "z" * 3000]
    run(
        lambda: log.keep_in(small_disk),
        lambda: fill(small_disk),
        *map(say, text),
        lambda: (small_disk / "filler").unlink(),
        say("there is room"),
    )
    warning = f"{small_disk}/log.txt cannot be written: no space left on device (0 MB free there); the training goes on"
    said = capsys.readouterr().err.splitlines()
    assert [line.split(" without")[0] for line in said if line not in text] == [warning, "there is room"]
    assert sorted(lines(small_disk)[1:]) == sorted(said)


def test_an_experiment_that_is_deleted_takes_its_log_along(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def delete() -> None:
        (experiment / "log.txt").unlink()
        experiment.rmdir()

    run(lambda: log.keep_in(experiment), delete, say("error: no room"))
    assert not experiment.exists()
    assert capsys.readouterr().err == "error: no room\n"


def test_a_stream_that_somebody_keeps_is_none_of_the_log_afterwards(experiment: Path) -> None:
    held: list[TextIO] = []
    run(lambda: log.keep_in(experiment), lambda: held.append(sys.stderr))
    print("much later", file=held[0])
    assert lines(experiment) == [HEADER]
    assert not log._RUNNING


# ---- of a lesson


def test_it_has_all_that_a_training_prints(trained: Path, tiny_text: Path) -> None:
    found = lines(trained)
    assert found[0].startswith(f"$ python train.py --data_dir {tiny_text} --experiment_dir ")
    starts = ["data: ", "network: 1 x 16 lstm", "compiling the network", "step 1/88", "held-out data: ", "step 88/88",
              "ended: all 2 epochs are done", "The experiment is in ", "  to generate:"]  # fmt: skip
    where = [next(k for k, line in enumerate(found) if line.startswith(start)) for start in starts]
    assert where == sorted(where)


def test_neither_sampling_nor_a_refused_run_writes_to_it(trained: Path, run_main: Run) -> None:
    before = (trained / "log.txt").read_bytes()
    assert run_main(sample, "--experiment_dir", trained, "-n", "9").returncode == 0
    for wrong in ([], ["--seed", "9"]):  # it is done, and it has another seed
        assert run_main(train, "--resume", "--experiment_dir", trained, *wrong).returncode == 2
    assert (trained / "log.txt").read_bytes() == before
    assert os.listdir(trained).count("log.txt") == 1
