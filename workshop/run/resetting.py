"""Begin anew: experiments are put aside, or deleted when that is asked for; the music itself is never touched.

    python -m workshop.reset char_rnn
    python -m workshop.reset --cache

What is to be deleted is listed first, and deleted when that was agreed to. A link is taken away, and what it leads to
stays.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from workshop import ROOT, cli
from workshop.errors import UserError
from workshop.files import explain, short_path
from workshop.lessons import Lesson, lessons
from workshop.run import experiment, trainings

#: The folder among a lesson's experiments for those that were put aside.
ASIDE = "aside"


def main(caches: Sequence[Path]) -> None:
    """Reset, as the command line says.

    Args:
        caches: folders of what can be made again: files as they were read, and what XLA compiled.

    Raises:
        UserError: one of the experiments is being trained, or something cannot be moved or deleted.
    """
    parser = cli.Parser(prog="python -m workshop.reset", description="Put experiments aside, and begin with none.")
    known = {lesson.name: lesson for lesson in lessons()}
    parser.add_argument(
        "lessons", nargs="*", metavar="LESSON", help=f"of which; without any, of all: {', '.join(known)}"
    )
    parser.add_argument(
        "--logs", action="store_true", help="only delete logs: log.txt of experiments, and the servers'"
    )
    parser.add_argument(
        "--cache",
        action="store_true",
        help="only delete sounds and MIDI files as they were read, and what was compiled",
    )
    parser.add_argument("--clear", action="store_true", help="delete experiments, and what they generated, instead")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    args = parser.parse_args()
    if wrong := [name for name in args.lessons if name not in known]:
        raise UserError(f"no lesson is called {wrong[0]}: there are {', '.join(known)}")
    chosen = [lesson for name, lesson in known.items() if not args.lessons or name in args.lessons]
    if args.logs or args.cache or args.clear:
        _delete(_listed(args, chosen, caches), args.yes)
    else:
        _put_aside(chosen)


def experiments_of(lesson: Lesson) -> list[Path]:
    """The experiments of a lesson, none of which is being trained.

    Raises:
        UserError: one is.
    """
    found = experiment.all_of(lesson.folder)
    for path in found:
        if trainings.is_locked(path / "checkpoints"):
            raise UserError(f"{short_path(path)} is being trained: stop it first; {trainings.how_to_stop(path)}")
    return found


def _put_aside(chosen: Sequence[Lesson]) -> None:
    """Move the experiments of lessons where nothing looks for them, and say where that is."""
    now, moved = f"{datetime.now():%Y-%m-%d_%H%M%S}", False
    for paths in [experiments_of(lesson) for lesson in chosen]:
        for path in paths:
            print(f"{short_path(path)} is now {short_path(put_aside(path, now))}")
            moved = True
    print("to have one back, move it back" if moved else "there are no experiments")


def put_aside(path: Path, now: str) -> Path:
    """Move an experiment to a folder beside it that is named after the time; return where it is.

    Raises:
        UserError: it cannot be moved.
    """
    target = path.parent / ASIDE / now
    try:
        target.mkdir(parents=True, exist_ok=True)
        return path.rename(target / path.name)
    except OSError as error:
        raise UserError(f"{short_path(path)} cannot be put aside: {explain(error, path)}") from error


def _listed(args: argparse.Namespace, chosen: Sequence[Lesson], caches: Sequence[Path]) -> list[Path]:
    """What the arguments want to be deleted, files and folders."""
    found: list[Path] = []
    if args.clear or args.logs:
        experiments = [path for lesson in chosen for path in experiments_of(lesson)]
        found += experiments if args.clear else [path / "log.txt" for path in experiments]
    if args.clear:
        # Experiments lie in `experiments` or beside the scripts, and so does what was put aside of them.
        found += [
            path
            for lesson in chosen
            for place in ("experiments", ".")
            for path in (lesson.folder / place / ASIDE).glob("*")
        ]
    if args.logs:
        found += sorted((ROOT / ".workshop").glob("*.log"))
    if args.cache:
        found += caches
    return [path for path in found if os.path.lexists(path)]


def _delete(paths: Sequence[Path], agreed: bool) -> None:
    """Delete files, folders and links, after they were listed and a person has agreed."""
    if not paths:
        print("there is nothing to delete")
        return
    for path in paths:
        print(f"{short_path(path)}  {_megabytes(path):,.1f} MB")
    if not agreed:
        if not sys.stdin.isatty():
            raise UserError("nothing was deleted: there is nobody to ask; --yes deletes without asking")
        if input("delete them? y or n: ").strip().lower() not in ("y", "yes"):
            print("nothing was deleted")
            return
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise UserError(f"{short_path(path)} cannot be deleted: {explain(error, path)}") from error
    print("deleted")


def _megabytes(path: Path) -> float:
    """The size of a file, or of all files in a folder; what a link leads to is not counted."""
    inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    return sum(file.lstat().st_size for file in inside if not file.is_dir()) / 1e6
