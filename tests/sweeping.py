"""A training that is none, for tests of sweeps: it takes the arguments that a sweep gives, writes what a sweep reads,
saves after each epoch, stops when asked, and goes on exactly; all in a tenth of a second.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from parsers import LESSON

from workshop.lessons import Lesson
from workshop.sweep.plan import Plan

#: The training. `seconds` is how long an epoch takes; its loss falls towards `rate`, and with a rate above 5 it breaks;
#: `kill` is a file that tells it has been killed once, or "always", or "full" for a disk that is.
TRAIN = """
import argparse, errno, json, os, pathlib, signal, sys, time
parser = argparse.ArgumentParser()
for name, kind in dict(experiment_dir=str, message=str, rate=float, seconds=float, num_epochs=int, max_minutes=float,
                       kill=str).items():
    parser.add_argument(f"--{name}", type=kind)
parser.add_argument("--resume", action="store_true")
args = parser.parse_args()
path = pathlib.Path(args.experiment_dir)
(path / "checkpoints").mkdir(parents=True, exist_ok=True)
latest = path / "checkpoints" / "latest.npz"
asked = []
signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
history = json.loads(latest.read_text()) if args.resume else []
with open(path / "starts", "a") as file:
    file.write(f"{os.getpid()} {len(history)} {args.max_minutes}\\n")
if args.kill == "always":
    os.kill(os.getpid(), signal.SIGKILL)
if args.kill == "full":
    print("error: the checkpoint latest.npz could not be saved: " + os.strerror(errno.ENOSPC).lower())
    sys.exit(2)
if args.rate > 5:
    print("error: the loss is not a number any more")
    sys.exit(2)
if args.resume and len(history) >= args.num_epochs:
    print("error: all of its epochs are done")
    sys.exit(2)

def save(status):
    best = min(history, key=lambda one: one["validation"], default=None)
    record = dict(format=2, lesson="a lesson", created="now", versions={}, arguments={}, network={}, baseline={},
        data=dict(path="songs", fingerprint="abc", files=1, used=1, skipped=0, duplicate_files=0, symbols=[9, 1]),
        sampling=dict(temperature=1.0), status=status, step=10 * len(history), epoch=len(history), history=history,
        minutes=len(history) / 4, best=best and dict(validation=best["validation"], step=best["step"]))
    for place, content in ((latest, history), (path / "run.json", record)):
        aside = place.with_suffix(".new")
        aside.write_text(json.dumps(content))
        os.replace(aside, place)

save("training")
while len(history) < args.num_epochs and not asked:
    time.sleep(args.seconds or 0)
    loss = args.rate + 1 / (1 + len(history))
    history.append(dict(step=10 * (len(history) + 1), epoch=len(history) + 1.0, validation=loss))
    save("training")
    if args.kill and len(history) == 2 and not pathlib.Path(args.kill).exists():
        pathlib.Path(args.kill).touch()
        os.kill(os.getpid(), signal.SIGKILL)
save("stopped" if asked else "finished")
sys.exit(143 if asked else 0)
"""


class StubLesson(Lesson):
    """A lesson whose train.py is `TRAIN`; it lies in the folder that is the name of its starter set."""

    @property
    def folder(self) -> Path:
        return Path(self.starter)


def stub_plan(folder: Path, trials: list[dict[str, Any]], **more: Any) -> Plan:
    """A plan of such trainings; their train.py is written to `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(TRAIN)
    values = {one.name: getattr(LESSON, one.name) for one in fields(Lesson)} | {"starter": str(folder)}
    return Plan(StubLesson(**values), [{"num_epochs": 4, **trial} for trial in trials], ["rate"], **more)


def starts(experiment: Path) -> list[list[str]]:
    """Process, epochs done before, and limit of minutes, of each start of a training."""
    return [line.split() for line in (experiment / "starts").read_text().splitlines()]


def numbers(experiment: Path) -> Mapping[str, Any]:
    """What a trial has come to, without times and places."""
    record = json.loads((experiment / "run.json").read_text("utf-8"))
    names = ("history", "best", "step", "epoch", "status", "baseline", "network")
    return {name: record[name] for name in names}
