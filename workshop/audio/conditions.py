"""What a network can be asked for by name: each sound has one condition, such as the instrument or the speaker.

The network learns a bias for each condition (global conditioning; van den Oord et al. 2016, section 2.5).
"""

from collections.abc import Sequence
from pathlib import Path

from workshop import places
from workshop.errors import UserError
from workshop.files import read_json
from workshop.nearest import did_you_mean

#: Value of --condition for "the name of the subfolder", instead of a JSON file.
BY_FOLDER = "folder"
#: Maximal number of conditions in a message.
MAX_NAMED = 12


def of_files(source: str, data_dir: Path, files: Sequence[Path]) -> dict[Path, str]:
    """The condition of each file that has one.

    Args:
        source: "folder" for the first subfolder on the way from `data_dir` to the file, or the path of a JSON object
            that names a condition for each file, by its path within `data_dir` or its name alone.
        data_dir: where the files are.
        files: the sound files.

    Raises:
        UserError: the JSON file cannot be used, or no file has a condition.
    """
    within = {file: file.relative_to(data_dir) for file in files if data_dir in file.parents}
    if source == BY_FOLDER:
        found = {file: path.parts[0] for file, path in within.items() if len(path.parts) > 1}
        if not found:
            raise UserError(
                f"--condition folder needs sound files in subfolders of {data_dir}, each subfolder one condition, "
                "and there are none"
            )
        return found
    path = places.found(source, "wavenet") or Path(source)
    listed = _read(path)
    found = {}
    for file in files:
        for name in (within[file].as_posix() if file in within else file.name, file.name):
            if name in listed:
                found[file] = listed[name]
                break
    if not found:
        first = next(iter(listed))
        raise UserError(f"{path} names none of the sound files in {data_dir}; the first that it names is {first}")
    return found


def _read(path: Path) -> dict[str, str]:
    """A condition for each file name.

    Raises:
        UserError: there is none, or it is something else.
    """
    listed = read_json(path)
    wrong = next((name for name, value in listed.items() if not (isinstance(value, str) and value.strip())), None)
    if wrong is not None:
        raise UserError(f"{path} should name a condition for each file, and for {wrong!r} it has {listed[wrong]!r}")
    if not listed:
        raise UserError(f"{path} is empty: it should hold a JSON object with a condition for each file")
    return listed


def numbers(wanted: str | None, names: Sequence[str], count: int) -> list[int]:
    """The number of the condition of each of `count` sounds: the wanted one, or else all in turn.

    Raises:
        UserError: there is no such condition; the known ones are listed.
    """
    if wanted is None:
        return [k % max(len(names), 1) for k in range(count)]
    if not names:
        raise UserError(f"the network was trained without --condition, so leave out --condition {wanted}")
    if wanted not in names:
        near = did_you_mean(wanted, names)
        raise UserError(f"there is no condition {wanted!r}{near}: the network knows {in_words(names)}")
    return [names.index(wanted)] * count


def in_words(names: Sequence[str]) -> str:
    """Names for a sentence, not too many."""
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
