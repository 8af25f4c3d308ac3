"""What the engines of different networks have in common."""

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
    monkeypatch.setattr(engine, "SILENCE", 0.1)
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
