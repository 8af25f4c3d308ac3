"""What libraries print is held back while several threads load something; test_progress.py has the rest."""

import os
import subprocess
import sys
import threading

import pytest

from workshop.quiet import quietly


def test_what_a_person_should_read_is_printed_while_another_thread_is_quiet() -> None:
    code = """
import threading
from workshop import cli
from workshop.errors import UserError
from workshop.quiet import quietly
inside = threading.Event()
def work():
    with quietly():
        inside.set()
        threading.Event().wait()
threading.Thread(target=work, daemon=True).start()
inside.wait(10)
cli.say("h\u00e9")
def main():
    raise UserError("no")
cli.run(main)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stderr.decode()) == (2, "h\u00e9\nerror: no\n")


def test_blocks_of_threads_that_overlap_leave_standard_error_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    inside, ended = threading.Event(), threading.Event()

    def first() -> None:
        with quietly():
            inside.set()
            ended.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    with quietly():  # begins in the first block and ends after it
        ended.set()
        thread.join(10)
        os.write(2, b"talk\n")
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
