"""The command line of sweeps."""

import argparse
from pathlib import Path

from workshop import cli
from workshop.errors import UserError
from workshop.machine import usable_cores
from workshop.run.signals import stop_signals
from workshop.sweep import asking, cluster, plan, ray_engine, table
from workshop.sweep.claims import PATIENCE_SECONDS
from workshop.sweep.folder import Folder
from workshop.sweep.worker import Worker
from workshop.visible import visible_line


def _parser() -> cli.Parser:
    parser = cli.Parser(
        prog="python -m workshop.sweep",
        description="Train the same lesson many times with other arguments, and say which are best. The same command "
        "on another computer, with the same --folder on a shared drive, helps; after Ctrl-C it goes on.",
    )
    parser.add_argument("plan", metavar="PLAN.toml", help="what to vary; docs/sweeps.md describes it")
    parser.add_argument("--folder", help="where everything goes; by default a folder beside the plan, named like it")
    parser.add_argument(
        "--jobs", type=cli.count, help="trials at a time on this computer; by default 1, and with Ray one on each core"
    )
    parser.add_argument(
        "--engine",
        choices=("folder", "ray"),
        default="folder",
        help="who works: this process and others on the same folder, or workers of Ray (./start.sh sweep installs it)",
    )
    parser.add_argument(
        "--address", metavar="HOST:PORT", help="a cluster of Ray's to work on, in place of this computer"
    )
    parser.add_argument("--table", action="store_true", help="show the results so far, and train nothing")
    parser.add_argument("--leave", action="store_true", help="end where the rest is being trained by others")
    parser.add_argument("--smoke", action="store_true", help="a quick test: a few steps of the smallest network each")
    parser.add_argument(
        "--stale_seconds", type=cli.positive, default=PATIENCE_SECONDS,
        help="seconds without a sign of life after which the trial of another computer is taken over",
    )  # fmt: skip
    parser.add_argument(
        "--write", choices=cluster.KINDS, help="print a script for a cluster that does all this, and train nothing"
    )
    parser.add_argument("--computers", type=cli.count, default=4, help="computers of the cluster, for --write")
    return parser


def main() -> int:
    """Train what the plan says, and print the table.

    Raises:
        UserError: the plan or the folder cannot be used.
    """
    args: argparse.Namespace = _parser().read()
    if args.address and (args.engine != "ray" or args.jobs):
        raise UserError("--address goes with --engine ray and without --jobs: all cores of that cluster are used")
    if args.leave and args.engine == "ray":
        raise UserError("--leave is for computers that share a folder: leave it out with --engine ray")
    path = Path(args.plan)
    wanted = plan.read(path)
    if args.smoke:
        wanted = wanted.smoke()
    default = path.with_name(path.stem + ("-smoke" if args.smoke else ""))
    folder = Folder(Path(args.folder) if args.folder else default)
    if args.write:
        print(cluster.script(args.write, path, folder.path, min(args.computers, len(wanted.trials))), end="")
        return 0
    if not args.table:
        asking.check(wanted)
    folder.open(wanted)
    status = 0 if args.table else _work(args, folder, wanted)
    print(table.write(folder, wanted))
    return status


def _work(args: argparse.Namespace, folder: Folder, wanted: plan.Plan) -> int:
    """Train until all is done or a signal comes; returns the exit status."""
    say = f"{len(wanted.trials)} trials of {wanted.lesson.name} in {visible_line(str(folder.path))}"
    cli.say(f"{say}; what each says is in output/")
    asked = _with_ray(args, folder, wanted) if args.engine == "ray" else _in_folder(args, folder, wanted)
    if asked:
        cli.say("stopped, and everything is saved: the same command goes on")
        return 128 + asked[0]
    return 0


def _in_folder(args: argparse.Namespace, folder: Folder, wanted: plan.Plan) -> list[int]:
    with stop_signals() as asked:
        Worker(folder, wanted, args.jobs or 1, args.stale_seconds, args.leave).work(asked)
    return asked


def _with_ray(args: argparse.Namespace, folder: Folder, wanted: plan.Plan) -> list[int]:
    workers = min(args.jobs or usable_cores(), len(wanted.trials))
    with ray_engine.connected(args.address, workers, folder.path / "ray.txt") as crew, stop_signals() as asked:
        crew.work(folder, wanted, args.stale_seconds, asked)
    return asked
