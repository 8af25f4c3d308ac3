"""A second core for a single stream: it does jobs while the first one goes on.

Both share an array of signals. A job is a number: job n is of the kind n % kinds, and the kernel knows what a kind is.
Another program may take the second core away at any time. So what it makes lies apart from the rest, and is taken only
if it says in time that this very job is done. If it does not, the first core does the job itself, and there is a break,
longer each time; a program that is there to stay costs next to nothing.
"""

import numpy as np

from workshop.networks.compiling import compiled
from workshop.networks.vectors import receive, send

#: Where among the signals what stands: the number of the last job that was given, jobs until the next one is, the break
#: after the next one that comes late, whether all jobs since the last break came in time, and the first one after it;
#: and, in a line of the cache of its own, the last job that is done.
JOB, WAIT, PAUSE, IN_TIME, FIRST, DONE = 0, 1, 2, 3, 4, 16
#: Stands for a job: there is no second core, or there is nothing left to do.
AWAY = -1
#: What `next_job` says when there has not been a job for a while.
IDLE = -2
#: Looks at a signal, of which a nanosecond has up to three: before the first core does a job itself, which has to be
#: longer than the first jobs take, whose weights are in no cache; and before the second one goes to sleep.
PATIENCE, LOOKS = 1_000_000, 1_000_000
#: Jobs that are not given after one that came late, at first, and at most: it doubles each time.
BREAK, LONGEST_BREAK = 300, 40_000


def new_signals() -> np.ndarray:
    """Signals int64 [32] of a first core that has no second one yet."""
    signals = np.zeros(32, np.int64)
    signals[DONE] = AWAY
    return signals


def begin(signals: np.ndarray) -> None:
    """Let the numbers of the jobs begin again; before either of the cores does."""
    signals[[JOB, IN_TIME, FIRST, DONE]] = 0, 0, 0, AWAY


def end(signals: np.ndarray) -> None:
    """Let the second core stop looking for jobs."""
    signals[JOB] = AWAY


@compiled
def give(signals: np.ndarray, kind: int, kinds: int) -> int:
    """Give the second core a job of this kind. Returns its number, or AWAY where that core is not there to take it."""
    job, done = signals[JOB], receive(signals, DONE)
    signals[WAIT] -= 1
    if signals[WAIT] > 0 or (done != job and (done == AWAY or signals[IN_TIME] == 0)):
        return AWAY
    job += kinds - (job - kind) % kinds
    if signals[IN_TIME] == 0:
        signals[IN_TIME], signals[FIRST] = 1, job
    send(signals, JOB, job)
    return job


@compiled
def give_more(signals: np.ndarray, job: int) -> int:
    """Give the second core the job after `job`, which it was given just now. Returns its number. Cheaper than `give`,
    as nothing of the other core has to be looked at.
    """
    send(signals, JOB, job + 1)
    return job + 1


@compiled
def is_done(signals: np.ndarray, job: int) -> bool:
    """Wait for a job. False where it does not come in time: then nothing that was given is to be waited for."""
    for _ in range(PATIENCE):
        if receive(signals, DONE) >= job:
            signals[PAUSE] = max(signals[PAUSE] - 1, BREAK)
            return True
    signals[WAIT], signals[PAUSE] = signals[PAUSE], min(2 * signals[PAUSE], LONGEST_BREAK)
    signals[IN_TIME] = 0
    return False


@compiled
def next_job(signals: np.ndarray) -> int:
    """The job that the second core is to do next and to report by `report`; AWAY when there is nothing left to do, IDLE
    when there has not been anything for a while. The first job that is found may have been given up already; reporting
    it announces this core.
    """
    for _ in range(LOOKS):
        job, done = receive(signals, JOB), signals[DONE]
        if job < 0:
            return AWAY
        if job != done:
            return job if done < 0 else max(done + 1, signals[FIRST])
    send(signals, DONE, AWAY)
    return IDLE


@compiled
def report(signals: np.ndarray, job: int) -> None:
    """Say that a job is done, and all that was made for it can be read."""
    send(signals, DONE, job)
