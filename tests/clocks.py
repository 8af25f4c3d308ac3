"""A computer's clock that is set while programs run."""

import psutil
import pytest


def set_forward(monkeypatch: pytest.MonkeyPatch, seconds: float = 3600) -> None:
    """From here on, psutil tells on Linux what it tells when the clock was set forward: all starts are later."""
    later, born = psutil.boot_time() + seconds, psutil.Process.create_time
    monkeypatch.setattr(psutil, "boot_time", lambda: later)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: born(self) + seconds)
