"""A class on this server: how many students sign in at once, what each takes, and whether four train meanwhile.

    ./start.sh class
    python benchmarks/class_server.py --address https://localhost:8000 --password STUDENTS_PASSWORD

Every student opens JupyterLab, the page, a TensorBoard with a curve, and the tutorial, all at the same time; then some
train for a minute. Memory is PSS, summed over the processes of a student's container. Takes about ten minutes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import compare

sys.path.insert(0, str(compare.ROOT / "tests"))
from classmates import Person

AUTHORITY = compare.ROOT / ".workshop" / "class-authority.crt"
PAGES = ("lab", "play/listing", "char_rnn/data/plugin/scalars/tags", "docs/")
SMOKE = ["python", "char_rnn/train.py", "--smoke"]
TRAIN = [*SMOKE[:2], "--size", "tiny", "--max_minutes", "1", "--experiment_dir", "char_rnn/experiments/long"]
PSS = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | grep ^Pss:"


def inside(container: str, *command: str) -> str:
    """Run a command in a container, and return what it prints."""
    words = ["docker", "exec", container, *command]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def memory(container: str) -> float:
    """The PSS of all processes of a container, in MB."""
    lines = inside(container, "bash", "-c", PSS).splitlines()
    return sum(int(line.split()[1]) for line in lines) * 1024 / 1e6


def come(person: Person, password: str) -> dict[str, float]:
    """Sign in and start the server: the seconds until JupyterLab is there.

    Raises:
        AssertionError: the password is wrong, or the server does not start.
    """
    begun = time.monotonic()
    assert person.sign_in(password), f"{person.name} cannot sign in"
    person.start(900)
    return {"lab": time.monotonic() - begun}


def look(person: Person) -> dict[str, int]:
    """The status of each page, after a small training has given TensorBoard something to show."""
    return {page: person.page(page)[0] for page in PAGES}


def spread(values: Iterable[float]) -> dict[str, float]:
    """The least, the middle and the most, rounded."""
    ordered = sorted(values)
    return {
        "least": round(ordered[0], 1),
        "median": round(statistics.median(ordered), 1),
        "most": round(ordered[-1], 1),
    }


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="https://localhost:8000")
    parser.add_argument("--password", required=True, help="the students'")
    parser.add_argument("--name", default="ml4music-class", help="what the containers begin with")
    parser.add_argument("--students", type=int, default=12)
    parser.add_argument("--train", type=int, default=4, help="how many of them train")
    args = parser.parse_args()
    names = [f"student-{number}" for number in range(1, args.students + 1)]
    people = [Person(args.address, AUTHORITY, name, name) for name in names]
    containers = [f"{args.name}-{name}" for name in names]
    with ThreadPoolExecutor(args.students) as pool:
        seconds = list(pool.map(lambda person: come(person, args.password)["lab"], people))
        print(f"JupyterLab after, in seconds: {spread(seconds)}", flush=True)
        idle = [memory(container) for container in containers]
        print(f"a student with JupyterLab alone, MB: {spread(idle)}", flush=True)
        for container in containers:
            inside(container, *SMOKE)
        boards = list(pool.map(lambda person: person.data(PAGES[2]), people))
        with_board = [memory(container) for container in containers]
        print(f"with a TensorBoard, MB: {spread(with_board)}; curves: {sum(map(bool, boards))}", flush=True)
        seen = list(pool.map(look, people))
        print(f"all pages: {sum(set(one.values()) == {200} for one in seen)} of {len(seen)}", flush=True)
        with_all = [memory(container) for container in containers]
        print(f"with the page and the tutorial as well, MB: {spread(with_all)}", flush=True)
        training = [pool.submit(inside, container, *TRAIN) for container in containers[: args.train]]
        most = 0.0
        while not all(one.done() for one in training):
            most = max(most, *(memory(container) for container in containers[: args.train]))
            time.sleep(5)
        ended = sum("to go on:" in one.result() for one in training)
    print(f"{ended} of {args.train} trainings finished; with one, MB: {most:.0f} at most", flush=True)
    hub = memory(f"{args.name}-hub")
    print(json.dumps({
        "lab_seconds": spread(seconds), "idle_mb": spread(idle), "board_mb": spread(with_board),
        "all_mb": spread(with_all), "training_mb": round(most), "finished": ended, "hub_mb": round(hub),
        "pages": sum(set(one.values()) == {200} for one in seen),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
