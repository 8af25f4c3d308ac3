"""What libraries print is held back while several threads load something; test_progress.py has the rest."""

import os
import threading

import pytest

from workshop.quiet import quietly


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
