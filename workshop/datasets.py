"""Data sets by name: what there is, bring one here, and say before any training whether a folder will train.

    python -m workshop.datasets list
    python -m workshop.datasets get tinyshakespeare
    python -m workshop.datasets inspect data/lyrics/tinyshakespeare

Without a network, `get` takes the files from a mirror: a folder or an address with the same files as NAME/FILE (such as
tinyshakespeare/input.txt), given by --mirror or the environment variable WORKSHOP_MIRROR.
"""

import argparse
import os
import sys
import urllib.parse
from pathlib import Path

from workshop import ROOT, tunes
from workshop.catalog import DataSet, find, is_verified, read_catalog
from workshop.download import Remote, copy, fetch, is_web_address, part_of
from workshop.errors import UserError
from workshop.files import write_text
from workshop.gutenberg import strip_gutenberg
from workshop.textfiles import detect_encoding, find_text_files, read_chunks

#: Exit status of a program that Ctrl-C stopped, as the shell counts it: 128 + SIGINT.
INTERRUPTED = 130


def is_here(data_set: DataSet, data_dir: Path) -> bool:
    """Return whether ``data_set`` is complete in ``data_dir``; never asks the network."""
    target = data_set.target_in(data_dir)
    if data_set.made == "export":
        return tunes.is_exported(target.parent)
    if data_set.made == "download":
        return is_verified(data_set.original_in(data_dir), data_set) and target.is_file() and target.stat().st_size > 0
    try:
        return bool(find_text_files(target))
    except UserError:
        return False


def get(data_set: DataSet, data_dir: Path, mirror: str = "") -> bool:
    """Bring ``data_set`` to ``data_dir``, cleaned and ready to train on; return False where it was there already.

    A file that a student has put or changed in its place is never written over.

    Args:
        data_set: its entry in the catalogue.
        data_dir: the data folder, below which its target lies.
        mirror: a folder or a web address to take files from instead of their source; '' for the source.

    Raises:
        UserError: it cannot be fetched, verified or written, or something else is in its place.
    """
    if data_set.made == "export":
        return tunes.export(data_set.target_in(data_dir).parent)
    if is_here(data_set, data_dir):
        return False
    if data_set.made == "shipped":
        raise UserError(
            f"{data_set.target_in(data_dir)} should be part of this project and is missing; fetch the project anew"
        )
    target, original = data_set.target_in(data_dir), data_set.original_in(data_dir)
    if not is_verified(original, data_set):
        for file in (target, original):
            if file.exists():
                raise UserError(
                    f"{file} is there but is not the set {data_set.name}; move it away and run the command again"
                )
        _bring(data_set, original, mirror)
    if data_set.clean == "gutenberg":
        text = "".join(read_chunks(original, detect_encoding(original)))
        write_text(target, strip_gutenberg(text))
    return True


def _bring(data_set: DataSet, original: Path, mirror: str) -> None:
    """Fetch the file of ``data_set`` from its source or from ``mirror`` and verify it."""
    remote = Remote(data_set.url, data_set.bytes, data_set.sha256)
    if mirror and "://" not in mirror:
        copy(Path(mirror).expanduser() / data_set.name / data_set.file_name, remote, original)
        return
    if mirror:
        if not is_web_address(mirror):
            raise UserError(f'--mirror "{mirror}" is neither a folder nor an http or https address; give one of them')
        url = f"{mirror.rstrip('/')}/{data_set.name}/{urllib.parse.quote(data_set.file_name)}"
        remote = Remote(url, data_set.bytes, data_set.sha256)
    from tqdm import tqdm

    # Without a terminal there is nobody to watch a bar, and a log would fill with it.
    with tqdm(total=data_set.bytes, unit="B", unit_scale=True, desc=data_set.name, disable=None) as bar:
        fetch(remote, original, progress=lambda arrived: bar.update(arrived - bar.n) and None)


def table(catalog: dict[str, DataSet], data_dir: Path) -> str:
    """Return the catalogue as aligned lines."""
    rows = [("NAME", "KIND", "SIZE", "HERE", "LICENCE")]
    for one in catalog.values():
        here = "yes" if is_here(one, data_dir) else "no"
        rows.append((one.name, one.kind, _size(one, data_dir), here, one.licence))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _size(data_set: DataSet, data_dir: Path) -> str:
    """Return the size of a set in kilobytes of 1,000 bytes, '-' where it is only known once it is here."""
    size = data_set.bytes
    if not size:
        try:
            size = sum(file.stat().st_size for file in find_text_files(data_set.target_in(data_dir)))
        except UserError:
            return "-"
    return f"{max(1, round(size / 1000)):,} kB"


def _list(arguments: argparse.Namespace) -> int:
    catalog = read_catalog()
    print(table(catalog, arguments.data_dir))
    print()
    width = max(len(name) for name in catalog)
    for one in catalog.values():
        print(f"{one.name:<{width}}  {one.what}")
    print()
    print("To bring one here:            python -m workshop.datasets get NAME")
    print("To see whether it will train: python -m workshop.datasets inspect DIR")
    return 0


def _get(arguments: argparse.Namespace) -> int:
    data_set = find(arguments.name, read_catalog())
    target = data_set.target_in(arguments.data_dir)
    print(f"{data_set.name}: {data_set.what}")
    print(f"licence: {data_set.licence}\nfrom:    {data_set.attribution}", flush=True)
    try:
        brought = get(data_set, arguments.data_dir, arguments.mirror)
    except KeyboardInterrupt:
        if part_of(data_set.original_in(arguments.data_dir)).exists():
            print("stopped; what has arrived is kept, and the same command goes on from there", file=sys.stderr)
        return INTERRUPTED
    folder = target if target.is_dir() else target.parent
    print(f"{'ready in' if brought else 'already in'} {folder}")
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    from workshop.inspection import inspect_text, report

    inspection = inspect_text(arguments.path, arguments.encoding)
    print(report(inspection))
    return 0 if inspection.will_train else 2


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line; each verb brings its function as ``run``."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop.datasets", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    data_dir = argparse.ArgumentParser(add_help=False)
    data_dir.add_argument(
        "--data_dir", "--data-dir", type=Path, default=ROOT / "data", help="the data folder (default: %(default)s)"
    )
    verb = verbs.add_parser("list", parents=[data_dir], help="show all data sets and which are here")
    verb.set_defaults(run=_list)
    verb = verbs.add_parser("get", parents=[data_dir], help="bring a data set here, verified and cleaned")
    verb.add_argument("name", metavar="NAME", help="a name that `list` shows")
    verb.add_argument(
        "--mirror",
        default=os.environ.get("WORKSHOP_MIRROR", ""),
        metavar="DIR_OR_URL",
        help="folder or address that holds the files as NAME/FILE (default: WORKSHOP_MIRROR, else their source)",
    )
    verb.set_defaults(run=_get)
    verb = verbs.add_parser("inspect", help="say whether a folder or file of text will train")
    verb.add_argument("path", metavar="DIR", type=Path, help="a folder of texts, or one file")
    verb.add_argument("--encoding", default=None, help="how the texts are encoded (default: detected, file by file)")
    verb.set_defaults(run=_inspect)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run one verb; return the exit status."""
    try:
        arguments = parse_arguments(argv)
        status: int = arguments.run(arguments)
        return status
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
