"""What holds for the training of every lesson."""

import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tiny import LESSONS, TRAINED

from workshop.run import checkpoint

pytestmark = pytest.mark.slow

#: The lessons that go on with a fine-tuned run as well: of one network whose symbols are mapped, and of two networks.
#: That each lesson begins with the weights of its source is seen in tests/run/test_finetuning.py.
FINE_TUNED = ("char_rnn", "spectral_gan")

Run = Callable[..., subprocess.CompletedProcess[str]]


def content(path: Path) -> dict[str, tuple[dict[str, bytes], dict[str, Any]]]:
    """The checkpoints of an experiment, but for the time that they took."""
    found = {}
    for name in ("latest.npz", "best.npz"):
        arrays, meta = checkpoint.load(path / "checkpoints" / name)
        found[name] = {key: array.tobytes() for key, array in arrays.items()}, meta | {"minutes": 0}
    return found


@pytest.mark.parametrize(
    ("lesson", "is_fine_tuned"),
    [*((lesson, False) for lesson in LESSONS), *((lesson, True) for lesson in FINE_TUNED)],
    ids=[*LESSONS, *(f"{lesson}, fine-tuned" for lesson in FINE_TUNED)],
)
@pytest.mark.usefixtures("read_here")
def test_five_steps_and_five_more_are_ten(
    lesson: str, is_fine_tuned: bool, request: pytest.FixtureRequest, tmp_path: Path, run_main: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Within an epoch, so that what the network remembers of the window before is gone on with too. The network that a
    run began with is not needed to go on.
    """
    train = import_module(f"{lesson}.train")
    data, arguments = LESSONS[lesson]
    begin = ["--data_dir", request.getfixturevalue(data), *arguments, "--sample_every", "1000000", "--save_every", "5"]
    if is_fine_tuned:
        source = request.getfixturevalue(TRAINED[lesson])
        begin += ["--init_from", shutil.copytree(source, tmp_path / "source")]
    for path, steps, args in (("ten", 10, begin), ("parts", 5, begin), ("parts", 10, ["--resume"])):
        monkeypatch.setattr(train, "SMOKE_STEPS", steps)
        if args == ["--resume"]:
            shutil.rmtree(tmp_path / "source", ignore_errors=True)
        done = run_main(train, "--experiment_dir", path, "--smoke", *args)
        assert done.returncode == 0, done.stderr
        assert content(tmp_path / path)["latest.npz"][1]["step"] == steps
    assert content(tmp_path / "parts") == content(tmp_path / "ten")
