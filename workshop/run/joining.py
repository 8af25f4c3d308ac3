"""Which team a process trains in: it alone, or several workers."""

import argparse

from workshop.errors import UserError
from workshop.lessons import Lesson
from workshop.run import cluster
from workshop.run.team import Team


def join(lesson: Lesson, args: argparse.Namespace) -> Team:
    """The team that the command line or the environment asks for.

    Args:
        lesson: what is trained.
        args: the command line; its `workers` becomes their number, and a worker that does not lead goes on with the
            experiment of the one that does.

    Raises:
        UserError: the lesson cannot be trained so, or the environment is not valid.
    """
    place = cluster.place(args.workers)
    args.workers = place.size if place else 1
    if not place:
        return Team()
    if not lesson.divisible:
        raise UserError(
            f"{lesson.name} is trained by one process, because its two networks learn from each other within a step: "
            "leave --workers out"
        )
    # Late, because TensorFlow comes with it.
    from workshop.run import workers

    return workers.join(lesson, args, place)
