"""A sweep by the workers of Ray, on this computer or on a cluster of Ray's.

Ray decides where workers run, gives each its cores and its GPU, and starts one anew where another was killed. Each of
them is a `Worker` on the sweep's folder, as in a lab: which trial is next, and which one is stopped early, is decided
there, so a plan comes to the same with and without Ray, and any of the two goes on with what the other has begun.
"""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from workshop import cli
from workshop.errors import UserError
from workshop.run.signals import stop_signals
from workshop.sweep.folder import Folder, wanted
from workshop.sweep.local_ray import local_ray
from workshop.sweep.plan import Plan
from workshop.sweep.worker import LOOK_SECONDS, Worker, ending

MISSING = "--engine ray needs the package ray, which is not installed: pip install -r requirements/sweep.txt"
#: So often may a worker be killed before it is not started again.
_MOST_LOST = 20
#: Seconds that the workers get to save and end.
_SAVING_SECONDS = 300.0


@contextmanager
def connected(address: str | None, workers: int, log: Path) -> Iterator["Crew"]:
    """Connect to a cluster of Ray's, or start Ray on this computer.

    Args:
        address: of the cluster, `HOST:PORT`; None for this computer.
        workers: at the same time, on this computer.
        log: what Ray on this computer says.

    Raises:
        UserError: Ray is not installed, cannot be started, or no cluster answers.
    """
    if not importlib.util.find_spec("ray"):
        raise UserError(MISSING)
    if address:
        with _initialised(address) as ray:
            yield Crew(ray)
        return
    cli.say("starting Ray on this computer ...")
    with local_ray(workers, log) as here, _initialised(here) as ray:
        yield Crew(ray)


@contextmanager
def _initialised(address: str) -> Iterator[ModuleType]:
    # Late: it takes seconds, and reads the settings of `local_ray` while it is imported.
    ray = importlib.import_module("ray")
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "no answer")
        raise UserError(
            f"no cluster of Ray can be used at {address}: {reason:.300}; `ray status --address {address}` says more"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


class Crew:
    """The workers of Ray.

    Args:
        ray: the package, connected.
    """

    def __init__(self, ray: ModuleType):
        self._ray = ray

    def work(self, folder: Folder, plan: Plan, patience_seconds: float, asked: Sequence[int]) -> bool:
        """Work until the sweep is over, or a signal comes to `asked`; returns whether it is over.

        Args:
            folder: of the sweep, opened, and at the same place for all computers of the cluster.
            plan: the plan.
            patience_seconds: see `claims.PATIENCE_SECONDS`.
            asked: the signals that have come.

        Raises:
            UserError: the folder cannot be written somewhere, or workers are killed again and again.
        """
        known = {result.name for result in folder.results()}
        running = self._start(folder, plan, patience_seconds)
        try:
            while running and not asked:
                ended, running = self._ray.wait(running, timeout=LOOK_SECONDS)
                for result in folder.results():
                    if result.name not in known:
                        known.add(result.name)
                        cli.say(ending(result))
                for one in ended:
                    self._end_of(one)
        finally:
            self._stop(running)
        return not wanted(plan, folder.results())

    def _start(self, folder: Folder, plan: Plan, patience_seconds: float) -> list[Any]:
        """Ask Ray for a worker for each GPU, or for each core where there are no GPUs."""
        resources = self._ray.cluster_resources()
        kind = "GPU" if resources.get("GPU", 0) >= 1 else "CPU"
        count = min(int(resources.get(kind, 0)), len(plan.trials))
        if not count:
            raise UserError("Ray has no core to train with: look at `ray status`")
        cli.say(f"{count} workers of Ray, each with a {kind}")
        task = self._ray.remote(num_cpus=1, num_gpus=int(kind == "GPU"), max_retries=_MOST_LOST)(_work)
        words = str(folder.path.resolve()), plan, patience_seconds, os.environ.get("OMP_NUM_THREADS")
        return [task.remote(*words) for _ in range(count)]

    def _end_of(self, worker: Any) -> None:
        try:
            self._ray.get(worker)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from error
            raise
        except self._ray.exceptions.RayError as error:
            raise UserError(
                f"workers of Ray are lost again and again ({str(error).splitlines()[0]:.200}): it may be the memory, "
                "so give a smaller --jobs; what is saved is kept, and the same command goes on"
            ) from error

    def _stop(self, running: list[Any]) -> None:
        """Let all that runs save and end."""
        if not running:
            return
        cli.say("saving ...")
        for one in running:
            self._ray.cancel(one)
        self._ray.wait(running, num_returns=len(running), timeout=_SAVING_SECONDS)


def _work(path: str, plan: Plan, patience_seconds: float, threads: str | None) -> None:
    """What runs in a worker of Ray."""
    # Ray sets it to the number of cores that the worker has; a training shall be as any other.
    if threads is None:
        os.environ.pop("OMP_NUM_THREADS", None)
    # Ray's way to cancel is the signal of Ctrl-C.
    with stop_signals() as asked, suppress(KeyboardInterrupt):
        Worker(Folder(Path(path)), plan, patience_seconds=patience_seconds).work(asked)
