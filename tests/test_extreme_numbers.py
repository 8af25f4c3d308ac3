"""Numbers that no computer has room for, given to the commands that play and serve."""

from collections.abc import Callable
from importlib import import_module

import pytest

Refused = Callable[..., str]


@pytest.mark.parametrize(
    ("room", "arguments"),
    [
        ("live", "file a.wav b.wav verse --block 1000000000000"),
        ("live", "play verse --prebuffer 1000000000000"),
        ("live", "play verse --osc 65536"),
        ("live", "bench verse --blocks 256 1000000000000"),
        ("live", "bench verse --seconds 1e308"),
        ("workshop.osc", "loops.onnx --n_fft 1000000000000"),
        ("workshop.osc", f"loops.onnx --beats {10**400}"),
    ],
)
def test_a_number_that_is_far_too_large_is_refused_at_once(refused: Refused, room: str, arguments: str) -> None:
    *_, number = arguments.split()
    assert f"'{number}' is not a" in refused(import_module(f"{room}.command_line"), *arguments.split())
