"""What the engines of different networks have in common."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workshop.networks import engine
from workshop.networks.sampling import SamplingConfig


class Compiled:
    """Stands for a function of numba: it is compiled, for some seconds, when it is called for the first time."""

    def __init__(self, seconds: float):
        self.signatures: list[Any] = []
        self.seconds = seconds

    def __call__(self, *arguments: Any) -> None:
        if not self.signatures:
            time.sleep(self.seconds)
            self.signatures.append("one")
        arguments[-1][:] = 7


@pytest.mark.parametrize(("seconds", "said"), [(0.3, f"{engine.COMPILING}\n"), (0.0, "")])
def test_it_says_once_that_it_compiles_where_that_takes_long(
    seconds: float, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "SILENCE", 0.1 if seconds else 60.0)
    kernel = SimpleNamespace(advance=Compiled(seconds), assist=lambda *_: False)
    made = engine.CpuEngine(kernel, 9, 2)
    work = SimpleNamespace(signals=np.zeros(64, np.int64))
    for _ in range(2):
        symbols = made.run(
            [None] * len(made.parts), [(None, work)] * len(made.parts), np.full((3, 2), -1), np.zeros((3, 2)),
            SamplingConfig(1.0),
        )  # fmt: skip
        assert symbols.tolist() == [[7, 7]] * 3
    assert capsys.readouterr().err == said


def test_who_calls_from_a_second_thread_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each caller needs two threads of the engine; with one each, both would wait for the other's."""
    monkeypatch.setattr(engine, "usable_cores", lambda: 2)
    inside, together = 0, []

    def advance(*arguments: Any) -> None:
        nonlocal inside
        inside += 1
        time.sleep(0.05)
        together.append(inside)
        arguments[-1][:] = 7
        inside -= 1

    advance.signatures = ["one"]  # type: ignore[attr-defined]
    made = engine.CpuEngine(SimpleNamespace(advance=advance, assist=lambda *_: False), 9, 1)
    said: list[Any] = []

    def call() -> None:
        work = SimpleNamespace(signals=np.zeros(64, np.int64))
        for _ in range(2):
            said.append(
                made.run([None], [(None, work)], np.full((3, 1), -1), np.zeros((3, 1)), SamplingConfig(1.0)).tolist()
            )

    threads = [threading.Thread(target=call, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert said == [[[7]] * 3] * 6
    assert together == [1] * 6
