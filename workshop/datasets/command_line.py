"""Data sets by name: list and fetch them, and check whether a folder is good to train on.

    python -m workshop.datasets list
    python -m workshop.datasets get tinyshakespeare
    python -m workshop.datasets inspect data/lyrics/tinyshakespeare
    python -m workshop.datasets slice data/audio/my_songs

Without a network, `get` takes the files from a mirror: a folder or an address with the same files as NAME/FILE (such as
tinyshakespeare/input.txt), given by --mirror or the environment variable WORKSHOP_MIRROR. `mirror` makes such a folder:

    python -m workshop.datasets mirror /media/stick/sets nottingham tinyshakespeare

Nothing is fetched whose contents cannot be verified; for such a set `get` says what to fetch by hand, and exits with
status 2 until all of it is there.
"""

import argparse
import itertools
import os
import sys
import textwrap
import urllib.parse
from pathlib import Path
from typing import Any

from workshop import ROOT, counting
from workshop.datasets import bach, inspecting, loops, midi_tunes, piano_music, slice_command, starter_sounds, tunes
from workshop.datasets.catalog import DataSet, find, has_hash, is_verified, read_catalog, read_manifest
from workshop.datasets.download import Remote, fetch, fetch_all, is_web_address
from workshop.datasets.generated_folder import LEFT_OVER
from workshop.errors import UserError
from workshop.files import remove_leftovers, write_text
from workshop.folders import KINDS, NothingFound, find_files
from workshop.text.gutenberg import strip_gutenberg
from workshop.text.textfiles import detect_encoding, find_text_files, read_chunks
from workshop.visible import visible_line

#: Exit status of a program that Ctrl-C stopped, as the shell counts it: 128 + SIGINT.
INTERRUPTED = 130

#: Suffixes of the files in the sets; a lesson reads more kinds (`workshop.folders.SUFFIXES`).
MIDI_SUFFIXES = (".mid", ".midi")
AUDIO_SUFFIXES = (".wav", ".flac")
#: Folder of each kind, in the data folder.
FOLDERS = {"text": "lyrics", "MIDI": "midi", "audio": "audio"}
#: The modules that make sets on this computer, by name.
EXPORTERS = {
    "tunes": tunes,
    "midi_tunes": midi_tunes,
    "chorales": bach,
    "starter_sounds": starter_sounds,
    "piano": piano_music,
    "loops": loops,
}


def is_here(data_set: DataSet, data_dir: Path) -> bool:
    """Return whether ``data_set`` is complete in ``data_dir``; works offline."""
    return count_here(data_set, data_dir) == max(data_set.files, 1)


def count_here(data_set: DataSet, data_dir: Path) -> int:
    """Return how many files of ``data_set`` are in ``data_dir``.

    They are verified. For a set that is fetched by hand, all MIDI files in its folder are counted, which may be more
    than the set has.
    """
    target = data_set.target_in(data_dir)
    if data_set.made == "export":
        exporter, folder = _exporter(data_set, data_dir)
        return int(exporter.is_exported(folder))
    if data_set.manifest:
        return sum(has_hash(target / name, sha256) for name, sha256 in read_manifest(data_set).items())
    if data_set.made == "download" and not is_verified(data_set.original_in(data_dir), data_set):
        return 0
    if data_set.clean == "chorales":
        return min(len(_training_files(data_set, data_dir)), data_set.files)
    if data_set.made == "download":
        return int(target.is_file() and target.stat().st_size > 0)
    found = len(_training_files(data_set, data_dir))
    return found if data_set.made == "manual" and data_set.files else min(found, 1)


def _exporter(data_set: DataSet, data_dir: Path) -> tuple[Any, Path]:
    """Return the module that makes a set on this machine, and the folder that it fills."""
    target = data_set.target_in(data_dir)
    return EXPORTERS[data_set.name], target.parent if data_set.kind == "text" else target


def state(data_set: DataSet, data_dir: Path) -> str:
    """Return how much of ``data_set`` is in ``data_dir``: "yes", "no", or "3 of 20"."""
    here = count_here(data_set, data_dir)
    if here == max(data_set.files, 1):
        return "yes"
    return f"{here:,} of {data_set.files:,}" if here else "no"


def _training_files(data_set: DataSet, data_dir: Path) -> list[Path]:
    """Return the files of a set's kind at its target, [] where there are none."""
    target = data_set.target_in(data_dir)
    try:
        if data_set.kind == "audio":
            return find_files(target, AUDIO_SUFFIXES, "audio")
        return find_files(target, MIDI_SUFFIXES, "MIDI") if data_set.kind == "midi" else find_text_files(target)
    except UserError:
        return []


def get(data_set: DataSet, data_dir: Path, mirror: str = "") -> bool:
    """Fetch ``data_set`` to ``data_dir``, cleaned and ready to train on; return False if it was there already.

    A file that the user has put or changed in its place is never overwritten.

    Args:
        data_set: its entry in the catalogue.
        data_dir: the data folder, below which its target lies.
        mirror: a folder or a web address to take files from instead of their source; '' for the source.

    Raises:
        UserError: it cannot be fetched, verified or written, or something else is in its place.
    """
    if data_set.made == "export":
        exporter, folder = _exporter(data_set, data_dir)
        return exporter.export(folder)
    target, original = data_set.target_in(data_dir), data_set.original_in(data_dir)
    files = [target / name for name in read_manifest(data_set)] if data_set.manifest else [target, original]
    for folder in {file.parent for file in files}:
        remove_leftovers(folder, LEFT_OVER)  # of a killed download
    if is_here(data_set, data_dir):
        return False
    if data_set.made == "shipped":
        raise UserError(f"{target} is part of this project and is missing; download the project again")
    if data_set.made == "manual" and not data_set.files:
        raise UserError(f"{target} has no MIDI files yet; put some there by hand, and run the command again")
    if data_set.made == "manual":
        raise UserError(
            f"{target} has {count_here(data_set, data_dir):,} MIDI files, and the set {data_set.name} has "
            f"{data_set.files:,}; put them there by hand, and run the command again"
        )
    if data_set.manifest:
        _bring_many(data_set, target, mirror)
        return True
    if not is_verified(original, data_set):
        for file in (target, original):
            if file.is_file():
                raise _in_the_way(file, data_set)
        _bring(data_set, _one_source(data_set, mirror), original)
    _clean(data_set, original, target)
    return True


def make_mirror(data_set: DataSet, folder: Path, data_dir: Path, mirror: str = "") -> bool:
    """Put the verified files of ``data_set`` into the mirror ``folder``; return False if all were there already.

    Files in ``data_dir`` are copied, the others are fetched.

    Args:
        data_set: an entry of the catalogue that is downloaded.
        folder: the mirror; the files go to its folder NAME, where ``get --mirror`` looks for them.
        data_dir: the data folder.
        mirror: a folder or a web address to fetch from instead of the set's source; '' for the source.

    Raises:
        UserError: the set is not a downloaded one, cannot be fetched, verified or written, or something else is
            in its place.
    """
    if data_set.made != "download":
        raise UserError(
            f"the set {data_set.name} cannot be put into a mirror, because it is not downloaded (it is part of the "
            "project, made by the set-up, or fetched by hand); leave it out"
        )
    own = folder / data_set.name
    if data_set.manifest:
        if all(has_hash(own / name, sha256) for name, sha256 in read_manifest(data_set).items()):
            return False
        _bring_many(data_set, own, mirror, data_set.target_in(data_dir))
        return True
    file, original = own / data_set.file_name, data_set.original_in(data_dir)
    if is_verified(file, data_set):
        return False
    if file.exists():
        raise _in_the_way(file, data_set)
    _bring(data_set, original if is_verified(original, data_set) else _one_source(data_set, mirror), file)
    return True


def _in_the_way(file: Path, data_set: DataSet) -> UserError:
    part = f"the one of the set {data_set.name}" if data_set.manifest else f"the set {data_set.name}"
    return UserError(f"{file} exists and is not {part}; move it away and run the command again")


def _one_source(data_set: DataSet, mirror: str) -> str | Path:
    """Return where a set of one file comes from: an address, or a file in a mirror folder."""
    return _source(data_set, data_set.file_name, mirror) if mirror else data_set.url


def _bring(data_set: DataSet, source: str | Path, target: Path) -> None:
    """Bring the file of ``data_set`` and verify it; what is copied is there at once."""
    with counting.bar(data_set.bytes, "B", data_set.name, stays=True, hidden=isinstance(source, Path)) as bar:
        fetch(Remote(source, data_set.bytes, data_set.sha256, target), bar=bar)


def _bring_many(data_set: DataSet, target: Path, mirror: str, copies: Path | None = None) -> None:
    """Fetch the files of ``data_set`` that are not in the folder ``target`` yet, and verify them.

    Files in the folder ``copies`` are copied from there.
    """
    manifest = read_manifest(data_set)
    missing = {name: sha256 for name, sha256 in manifest.items() if not has_hash(target / name, sha256)}
    for name in missing:
        if (target / name).exists():
            raise _in_the_way(target / name, data_set)
    files = []
    for name, sha256 in missing.items():
        here_already = copies is not None and has_hash(copies / name, sha256)
        source = copies / name if copies and here_already else _source(data_set, name, mirror)
        files.append(Remote(source, data_set.bytes, sha256, target / name))
    here = len(manifest) - len(missing)
    with counting.bar(len(manifest), " files", data_set.name, begun=here, stays=True) as bar:
        fetch_all(files, progress=bar.update)


def _source(data_set: DataSet, name: str, mirror: str) -> str | Path:
    """Return where the file ``name`` of a set comes from: an address, or a file in a mirror folder."""
    if mirror and "://" not in mirror:
        folder = Path(mirror).expanduser()
        if os.environ.get("WORKSHOP_IN_CONTAINER") == "1" and not folder.is_dir():
            raise UserError(
                f'the container does not see the folder "{mirror}"; leave the container with "exit" and type the '
                "command there behind ./start.sh run, or copy the folder into the workshop's own"
            )
        return folder / data_set.name / name
    if mirror and not is_web_address(mirror):
        raise UserError(f'--mirror "{mirror}" is neither a folder nor an http or https address; give one of them')
    address = f"{mirror.rstrip('/')}/{data_set.name}" if mirror else data_set.url
    return f"{address}/{urllib.parse.quote(name)}"


def _clean(data_set: DataSet, original: Path, target: Path) -> None:
    """Convert the downloaded file to what a lesson reads."""
    if data_set.clean == "gutenberg":
        text = "".join(read_chunks(original, detect_encoding(original)))
        write_text(target, strip_gutenberg(text))
    elif data_set.clean == "chorales":
        from workshop.datasets import chorales

        with counting.bar(data_set.files, " files", "written as MIDI", stays=True) as bar:
            chorales.export(original, target, progress=bar.update)


def table(catalog: dict[str, DataSet], data_dir: Path) -> str:
    """Return the catalogue as aligned lines."""
    rows = [("NAME", "KIND", "SIZE", "HERE", "LICENCE")]
    for one in catalog.values():
        rows.append((one.name, one.kind, _size(one, data_dir), state(one, data_dir), one.licence))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _size(data_set: DataSet, data_dir: Path) -> str:
    """Return the size of a set in kilobytes of 1,000 bytes, '-' while it is unknown."""
    size = data_set.bytes or sum(file.stat().st_size for file in _training_files(data_set, data_dir))
    return f"{max(1, round(size / 1000)):,} kB" if size else "-"


def _list(arguments: argparse.Namespace) -> int:
    catalog = read_catalog()
    print(table(catalog, arguments.data_dir))
    print()
    width = max(len(name) for name in catalog)
    for one in catalog.values():
        print(f"{one.name:<{width}}  {one.what}")
    print()
    print("To fetch one:                 python -m workshop.datasets get NAME")
    print("To see whether it will train: python -m workshop.datasets inspect DIR")
    return 0


def _get(arguments: argparse.Namespace) -> int:
    data_set = find(arguments.name, read_catalog())
    target = data_set.target_in(arguments.data_dir)
    print(f"{data_set.name}: {data_set.what}")
    print(f"licence: {data_set.licence}\nfrom:    {data_set.attribution}")
    if data_set.notice:
        print("\n" + textwrap.indent(data_set.notice.strip(), "!  ") + "\n")
    if data_set.made == "manual" and not is_here(data_set, arguments.data_dir):
        print(by_hand(data_set, target))
    # The licence is printed before anything else can fail.
    sys.stdout.flush()
    try:
        brought = get(data_set, arguments.data_dir, arguments.mirror)
    except KeyboardInterrupt:
        if state(data_set, arguments.data_dir) != "no":
            print("stopped; what was downloaded is kept: run the same command to continue", file=sys.stderr)
        return INTERRUPTED
    folder = target if target.is_dir() else target.parent
    print(f"{'ready in' if brought else 'already in'} {folder}")
    return 0


def _mirror(arguments: argparse.Namespace) -> int:
    catalog = read_catalog()
    names = arguments.names or [one.name for one in catalog.values() if one.made == "download"]
    for data_set in [find(name, catalog) for name in names]:
        print(f"{data_set.name}: {data_set.what} (licence: {data_set.licence})", flush=True)
        made = make_mirror(data_set, arguments.folder, arguments.data_dir, arguments.mirror)
        print(f"{'copied to' if made else 'already in'} {arguments.folder / data_set.name}", flush=True)
    print("On a computer without a network: python -m workshop.datasets get NAME --mirror FOLDER")
    return 0


def by_hand(data_set: DataSet, target: Path) -> str:
    """Return instructions for fetching by hand a set that cannot be verified."""
    if data_set.page:
        download, enough = f"look at {data_set.page}", "says when there are some"
    else:
        page = f"https://github.com/{data_set.repo}"
        download = f"""download {page}/archive/{data_set.commit}.zip and unpack it
     (to look at it first: {page}/tree/{data_set.commit}/{urllib.parse.quote(data_set.path)})"""
        enough = "counts the files, and says when all are there"
    return f"""
This set is fetched by hand, because its files cannot be verified here:
  1. {download}
  2. {data_set.how}
     {target}
  3. run `python -m workshop.datasets get {data_set.name}` again: it {enough}
"""


def _inspect(arguments: argparse.Namespace) -> int:
    path = arguments.path
    kind = _kind(path)
    try:
        report, will_train = inspecting.inspect(path, kind or "text", arguments.encoding)
    except NothingFound as error:
        if kind:
            raise
        others = "; ".join(f"{one.name}: {' '.join(one.suffixes)}" for one in KINDS if one.name != "text")
        raise UserError(f"{error}, or files of another kind ({others})") from None
    print(report)
    return 0 if will_train else 2


def _kind(path: Path) -> str:
    """Return which kind of data ``path`` holds, by its suffixes, or else by the folder that it is in; '' if
    unknown.
    """
    for kind in KINDS:
        if _holds(path, kind.suffixes):
            return kind.name
    parts = list(itertools.pairwise(path.resolve().parts))
    return next((kind.name for kind in KINDS if ("data", FOLDERS[kind.name]) in parts), "")


def _holds(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether ``path`` is a file with one of the suffixes, or a folder with one in it or below."""
    if not path.is_dir():
        return path.suffix.lower() in suffixes
    try:
        return bool(find_files(path, suffixes, "such"))
    except UserError:
        return False


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line; each verb sets its function as ``run``."""
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
    verb = verbs.add_parser("get", parents=[data_dir], help="fetch a data set, verified and cleaned")
    verb.add_argument("name", metavar="NAME", help="a name that `list` shows")
    verb.add_argument(
        "--mirror",
        default=os.environ.get("WORKSHOP_MIRROR", ""),
        metavar="DIR_OR_URL",
        help="folder or address that holds the files as NAME/FILE (default: WORKSHOP_MIRROR, else their source)",
    )
    verb.set_defaults(run=_get)
    verb = verbs.add_parser("mirror", parents=[data_dir], help="make a folder that `get --mirror` takes data sets from")
    verb.add_argument("folder", metavar="FOLDER", type=Path, help="where the files go, such as a folder on a USB stick")
    verb.add_argument("names", nargs="*", metavar="NAME", help="data sets (default: all that are downloaded)")
    verb.add_argument(
        "--mirror",
        default=os.environ.get("WORKSHOP_MIRROR", ""),
        metavar="DIR_OR_URL",
        help="another mirror to take them from (default: WORKSHOP_MIRROR, else their source)",
    )
    verb.set_defaults(run=_mirror)
    verb = verbs.add_parser(
        "slice", help="cut songs into slices of one tempo and length, for spectral_gan",
        description=slice_command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    slice_command.add_arguments(verb)
    verb.set_defaults(run=slice_command.run)
    verb = verbs.add_parser("inspect", help="check whether texts, MIDI files or sounds will train")
    verb.add_argument("path", metavar="DIR", type=Path, help="a folder of texts, MIDI files or sounds, or one file")
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
        print(f"error: {visible_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
