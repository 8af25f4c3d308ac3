"""Data-parallel training: each of N workers, processes with the same network, learns from its part of every batch.

Between the gradients and the update stands one all-reduce: the gradients of all, the loss, and what each has to say
(its signals, the leader's clock) are summed in one vector, through TensorFlow's `MultiWorkerMirroredStrategy`, which
does it by NCCL between GPUs and in a ring otherwise. All then take the same step with the same weights, so nothing else
has to be sent; and all see the same loss, signals and time, so that they stop together.

Variables stay outside of the strategy, because nothing but this sum is asked of it.
"""

import argparse
import atexit
import json
import math
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workshop import cli
from workshop.errors import UserError
from workshop.lessons import Lesson
from workshop.machine import usable_cores
from workshop.quiet import quietly
from workshop.run import experiment as experiments
from workshop.run import line
from workshop.run.cluster import Place, Started
from workshop.run.experiment import Experiment
from workshop.run.record import DataInfo
from workshop.run.signals import HANG_UP
from workshop.run.team import Team, check_divisible
from workshop.run.unwritten import Unwritten

with quietly():
    import tensorflow as tf

    from workshop.run.learner import Measurement

#: The signals that are obeyed together.
_SIGNALS = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANG_UP) if number is not None)


class Workers(Team):
    """One of several workers.

    Args:
        lesson: what they train.
        place: of this one.
    """

    def __init__(self, lesson: Lesson, place: Place):
        self.size, self.rank = place.size, place.rank
        self._lesson, self._place = lesson, place
        self._started: dict[int, Started] = {}
        self._line = line.Line(place, self._how, self._kill)
        self._received: list[int] = []
        self._agreed: list[int] = []
        self._minutes = 0.0
        #: What the leader says before the training begins.
        self.told: dict[str, Any] = {}

    # ---- before the first step ---------------------------------------------------------------------------------------

    def assemble(self, batch_size: int) -> None:
        """Start the other workers, where that is this process's task, and wait until all are there."""
        if not self.leads:
            return
        check_divisible(batch_size, self.size)
        atexit.register(self._leave)
        server = self._line.listen()
        if self._place.is_typed:
            script = self._lesson.folder / "train.py"
            self._started = {rank: Started(script, self._place, rank) for rank in range(1, self.size)}
        cli.say(f"{self.size} workers train together; waiting until all are there ...")
        self._line.wait_for_all(server, self._early_end)
        self._make_strategy()

    def come(self) -> None:
        """Come to the leader, and wait until its training can begin: its data are read by then.

        Raises:
            UserError: it is not there.
        """
        self._line.come()
        self._make_strategy()
        self.told = self._line.heard()

    def _make_strategy(self) -> None:
        """What TensorFlow needs to know before it computes anything.

        Raises:
            UserError: there are fewer GPUs than workers on this computer, or it is too late to say it.
        """
        neighbours = self._place.neighbours
        gpus = tf.config.list_physical_devices("GPU")
        if gpus and len(gpus) < len(neighbours):
            raise UserError(
                f"--workers: {len(neighbours)} on this computer, and it has {len(gpus)} GPU{'s'[: len(gpus) > 1]}: "
                f"each needs one; CUDA_VISIBLE_DEVICES= before the command trains without any"
            )
        try:
            self._configure(gpus, neighbours)
        except RuntimeError as error:
            raise UserError(
                "--workers needs a process in which nothing has been computed yet: type the command in a terminal"
            ) from error
        self._total: Callable = tf.function(self._sum, autograph=False)
        self._means: Callable = tf.function(self._mean, autograph=False)

    def _configure(self, gpus: list[Any], neighbours: list[int]) -> None:
        """Choose this worker's GPU or cores, and connect it with the others.

        Raises:
            RuntimeError: TensorFlow has computed something already.
        """
        if gpus:
            tf.config.set_visible_devices(gpus[neighbours.index(self.rank)], "GPU")
        else:
            tf.config.threading.set_intra_op_parallelism_threads(max(1, usable_cores() // len(neighbours)))
        cluster = tf.train.ClusterSpec({"worker": list(self._place.addresses)})
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            cluster, task_type="worker", task_id=self.rank, rpc_layer="grpc"
        )
        with quietly():
            self._strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)

    def opened(self, experiment: Experiment) -> Experiment:
        """The leader's experiment, which the others leave alone."""
        return experiment if self.leads else Unwritten(experiment.path, experiment.record)

    def begin(self, experiment: Experiment, args: argparse.Namespace, data: DataInfo) -> None:
        """Tell the others what is trained, or compare it with what was told.

        Raises:
            UserError: this worker was started otherwise.
        """
        mine = {"arguments": experiments.arguments(args), "data": data.fingerprint}
        if self.leads:
            self._line.tell({**mine, "experiment": str(experiment.path), "resume": args.resume})
        else:
            self._compare(json.loads(json.dumps(mine)))

    def _compare(self, mine: dict[str, Any]) -> None:
        who = f"worker {self.rank + 1} of {self.size}"
        theirs = self.told["arguments"]
        for name, value in mine["arguments"].items():
            if name != "data_dir" and theirs.get(name) != value:
                raise UserError(
                    f"{who} was started with --{name} {value}, and worker 1 with {theirs.get(name)}: "
                    "start all with the same command"
                )
        if mine["data"] != self.told["data"]:
            raise UserError(f"{who} has other data than worker 1: give all the same")

    # ---- in each step ------------------------------------------------------------------------------------------------

    def agreed(self, received: list[int]) -> list[int]:
        """The signals that all have heard of."""
        self._received, self._agreed = received, []
        return self._agreed

    def before_step(self, minutes: float) -> None:
        """Remember what to tell the others with the gradients."""
        self._minutes = minutes

    def part(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """This worker's sequences of inputs [..., B] and targets [T, B, ...]."""
        inputs, targets = batch
        own = self._slice(targets.shape[1])
        mine = tuple(value[..., own] for value in inputs) if isinstance(inputs, tuple) else inputs[..., own]
        return mine, targets[:, own]

    def mean(self, loss: Any, gradients: list[Any]) -> tuple[Any, list[Any]]:
        """The means over the symbols of all workers: each has as many."""
        said = [self._minutes if self.leads else 0.0, *(float(number in self._received) for number in _SIGNALS)]
        loss, gradients, heard = self._reduced(self._means, loss, gradients, tf.constant(said))
        self._minutes, *signals = heard.numpy().tolist()
        self._agreed += [number for number, count in zip(_SIGNALS, signals, strict=True) if count]
        return loss, gradients

    def _mean(self, loss: Any, gradients: list[Any], said: Any) -> tuple[Any, list[Any], Any]:
        parts = [said, tf.reshape(loss, [1]), *(tf.reshape(gradient, [-1]) for gradient in gradients)]
        total = tf.split(self._sum(tf.concat(parts, axis=0)), [math.prod(part.shape) for part in parts])
        means = [
            tf.reshape(part, one.shape) / self.size for part, one in zip(total[1:], [loss, *gradients], strict=True)
        ]
        return means[0], means[1:], total[0]

    def _sum(self, vector: Any) -> Any:
        """The sum of all workers' vectors."""

        def reduced(own: Any) -> Any:
            # Without tf.identity the strategy takes it for one value that all replicas share, and refuses.
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(own))

        return self._strategy.run(reduced, args=(vector,))

    def _reduced(self, function: Callable, *values: Any) -> Any:
        """Call a function with a sum in it.

        Raises:
            UserError: the connection is lost.
        """
        try:
            return function(*values)
        except tf.errors.OpError as error:
            # As a rule the process at the other end has died: the line knows how, and ends this one.
            time.sleep(4 * line.GRACE_SECONDS)
            raise UserError(
                f"the connection to the other workers is lost ({type(error).__name__}): go on from the last checkpoint "
                "with --resume"
            ) from error

    def minutes(self, minutes: float) -> float:
        """By the leader's clock, before the last step."""
        return self._minutes

    # ---- now and then ------------------------------------------------------------------------------------------------

    def measured(self, evaluate: Callable[[], Measurement]) -> Measurement:
        """What the leader has measured; the others wait for it, and know the loss alone."""
        found, said = None, np.zeros(2)
        if self.leads:
            try:
                found = evaluate()
                said[:] = found.loss, 0
            except KeyboardInterrupt:
                said[1] = 1
        loss, is_given_up = self.shared([said])[0].tolist()
        if is_given_up:
            raise KeyboardInterrupt
        return found or Measurement(loss)

    def shared(self, arrays: Sequence[Any]) -> list[np.ndarray]:
        """The leader's arrays in place of this worker's."""
        # What is not a number in them makes the others' zeros so, too, and is the same everywhere.
        return self._totals([array if self.leads else np.zeros_like(array) for array in map(np.asarray, arrays)])

    def gathered(self, arrays: Sequence[Any]) -> list[np.ndarray]:
        """All workers' arrays one after the other: each is put in its place among zeros, and the sum is of all."""
        padded = []
        for array in map(np.asarray, arrays):
            padded.append(np.zeros((len(array) * self.size, *array.shape[1:]), array.dtype))
            padded[-1][self._slice(len(padded[-1]))] = array
        return self._totals(padded)

    def _totals(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Sums over all workers, each of arrays of one type in one go."""
        totals = list(arrays)
        for kind in {array.dtype for array in arrays}:
            places = [place for place, array in enumerate(arrays) if array.dtype == kind]
            row = np.concatenate([arrays[place].ravel() for place in places])
            row = np.asarray(self._reduced(self._total, tf.constant(row)))
            for place in places:
                part, row = np.split(row, [arrays[place].size])
                totals[place] = part.reshape(arrays[place].shape)
        return totals

    def own(self, array: Any) -> Any:
        """This worker's part of what `gathered` gives."""
        return array[self._slice(len(array))]

    def _slice(self, count: int) -> slice:
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    # ---- the end -----------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Part from the others."""
        self._line.part()

    def _how(self, rank: int) -> str:
        return self._started[rank].ended() if rank in self._started else "is gone"

    def _early_end(self) -> str:
        ended = [rank for rank, worker in self._started.items() if worker.has_ended]
        return f"worker {ended[0] + 1} of {self.size} {self._how(ended[0])}" if ended else ""

    def _kill(self) -> None:
        for worker in self._started.values():
            worker.kill()

    def _leave(self) -> None:
        """This process ends, for whatever reason: the others end as well."""
        self._line.close()
        end = time.monotonic() + line.GRACE_SECONDS
        while time.monotonic() < end and not all(worker.has_ended for worker in self._started.values()):
            time.sleep(0.05)
        self._kill()


def join(lesson: Lesson, args: argparse.Namespace, place: Place) -> Workers:
    """Become one of the workers, see `joining.join`."""
    workers = Workers(lesson, place)
    if not workers.leads:
        workers.come()
        args.experiment_dir, args.resume = workers.told["experiment"], workers.told["resume"]
    return workers
