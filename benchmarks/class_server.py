"""A class on this server: whether students who sign in at once reach everything, what each takes, and how many fit.

    ./start.sh class
    python benchmarks/class_server.py --address https://localhost:8000 --password STUDENTS_PASSWORD

Every student opens JupyterLab, a TensorBoard with a curve, the page and the tutorial, all at the same time; then some
train for a minute; then each lesson is trained for a minute at its default size (--minutes), one at a time. Memory is
PSS, summed over the processes of a student's container. It ends with 1 where somebody did not reach something, where a
training did not finish, or where a student with one TensorBoard takes more than 200 MB. About twenty minutes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import compare

sys.path.insert(0, str(compare.ROOT / "tests"))
from classmates import Person

from workshop.lessons import lessons

AUTHORITY = compare.ROOT / ".workshop" / "class-authority.crt"
BOARD = "char_rnn/data/plugin/scalars/tags"
PAGES = ("lab", "play/listing", BOARD, "docs/")
SMOKE = ("python", "char_rnn/train.py", "--smoke", "--experiment_dir", "char_rnn/experiments/smoke")
PSS = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | grep ^Pss:"

#: The most that a student may take who has JupyterLab and one TensorBoard open, in MB.
FLOOR_MB = 200

#: Servers that a school may have, in GB, and what the system, the engine and the page cache keep of each.
SERVERS_GB, SYSTEM_GB = (16, 64, 256), 2


def inside(container: str, *command: str, **more: Any) -> str:
    """Run a command in a container, and return what it prints."""
    words = ["docker", "exec", *["--interactive"] * bool(more), container, *command]
    return str(subprocess.run(words, check=True, capture_output=True, text=not more, **more).stdout)


def memory(container: str) -> float:
    """The PSS of all processes of a container, in MB."""
    lines = inside(container, "bash", "-c", PSS).splitlines()
    return sum(int(line.split()[1]) for line in lines) * 1024 / 1e6


def most_memory(containers: list[str], running: list[Future[str]]) -> float:
    """The most that one of these containers takes while one of these runs, in MB."""
    most = 0.0
    while not all(one.done() for one in running):
        most = max(most, *(memory(container) for container in containers))
        time.sleep(2)
    return most


def come(person: Person, password: str) -> float:
    """Sign in and start the server: the seconds until JupyterLab is there.

    Raises:
        AssertionError: the password is wrong, or the server does not start.
    """
    begun = time.monotonic()
    assert person.sign_in(password), f"{person.name} cannot sign in"
    person.start(900)
    return time.monotonic() - begun


def reaches(person: Person) -> bool:
    """Whether somebody reaches all pages, and TensorBoard has a curve."""
    return {person.page(page)[0] for page in PAGES} == {200} and bool(person.data(BOARD))


def give_curve(containers: list[str]) -> None:
    """A small training in the first container, for TensorBoard to show; all others get a copy of it."""
    inside(containers[0], *SMOKE)
    packed = subprocess.run(
        ["docker", "exec", containers[0], "tar", "c", SMOKE[-1]], check=True, capture_output=True
    ).stdout
    for container in containers[1:]:
        inside(container, "tar", "x", input=packed)


def train(container: str, lesson: str, *more: str) -> str:
    """Train a lesson in a new folder, and return what it prints."""
    folder = f"{lesson}/experiments/measured-{time.monotonic_ns()}"
    return inside(container, "python", f"{lesson}/train.py", "--experiment_dir", folder, *more)


def spread(values: Iterable[float]) -> dict[str, float]:
    """The least, the middle and the most, rounded."""
    ordered = sorted(values)
    figures = (ordered[0], statistics.median(ordered), ordered[-1])
    return dict(zip(("least", "median", "most"), (round(figure, 1) for figure in figures), strict=True))


def each_lesson(pool: ThreadPoolExecutor, container: str, minutes: float) -> dict[str, int]:
    """The most that a student takes while a lesson's default network trains, in MB; one lesson after the other."""
    figures = {}
    for lesson in lessons():
        running = pool.submit(train, container, lesson.name, "--max_minutes", str(minutes))
        figures[lesson.name] = round(most_memory([container], [running]))
        running.result()
        print(f"training {lesson.name}, MB: {figures[lesson.name]} at most", flush=True)
    return figures


def carried(taken_mb: dict[str, float], hub_mb: float) -> list[str]:
    """A table of how many students a server carries if all of them do the same, from what one takes."""
    heads = [f"{size} GB" for size in SERVERS_GB]
    lines = [f"| {' | '.join(['all students', 'MB each', *heads])} |", "| --- |" + " ---: |" * (len(heads) + 1)]
    for doing, each in taken_mb.items():
        fit = [int(((size - SYSTEM_GB) * 1000 - hub_mb) / each) for size in SERVERS_GB]
        lines.append(f"| {' | '.join([doing, f'{each:.0f}', *map(str, fit)])} |")
    return lines


def main() -> None:
    """Measure, and print the figures and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="https://localhost:8000")
    parser.add_argument("--password", required=True, help="the students'")
    parser.add_argument("--name", default="ml4music-class", help="what the containers begin with")
    parser.add_argument("--students", type=int, default=12)
    parser.add_argument("--train", type=int, default=4, help="how many of them train at the same time")
    parser.add_argument("--minutes", type=float, default=1, help="that each training learns")
    args = parser.parse_args()
    names = [f"student-{number}" for number in range(1, args.students + 1)]
    people = [Person(args.address, AUTHORITY, name, name) for name in names]
    containers = [f"{args.name}-{name}" for name in names]
    result: dict[str, Any] = {}

    def note(what: str, value: Any) -> Any:
        result[what] = value
        print(f"{what}: {value}", flush=True)
        return value

    def memories(what: str) -> dict[str, float]:
        return dict(note(what, spread(map(memory, containers))))

    with ThreadPoolExecutor(args.students) as pool:
        at_once: Callable[..., Iterable[Any]] = pool.map
        note("seconds until JupyterLab", spread(at_once(lambda person: come(person, args.password), people)))
        memories("MB with JupyterLab")
        give_curve(containers)
        list(at_once(lambda person: person.data(BOARD), people))
        board = memories("MB with JupyterLab and one TensorBoard")
        reached = note(
            "students who reach lab, page, TensorBoard with a curve, and tutorial", sum(at_once(reaches, people))
        )
        everything = memories("MB with all of these")
        tiny = ("--size", "tiny", "--max_minutes", str(args.minutes))
        running = [pool.submit(train, container, "char_rnn", *tiny) for container in containers[: args.train]]
        note("MB of one of those who train at the same time", round(most_memory(containers[: args.train], running)))
        finished = note("trainings that finish", sum("to go on:" in one.result() for one in running))
        training = each_lesson(pool, containers[-1], args.minutes)
    hub = note("MB of the hub", round(memory(f"{args.name}-hub")))
    print(json.dumps(result | {"training": training}))
    idle = {"only look": board["most"], "have everything open": everything["most"]}
    print("\n".join(carried(idle | {f"train {lesson}": figure for lesson, figure in training.items()}, hub)))
    kept = reached == args.students and finished == args.train and board["most"] <= FLOOR_MB
    print("All floors are kept." if kept else "A floor is missed.")
    sys.exit(not kept)


if __name__ == "__main__":
    main()
