"""The catalogue of data sets: what `data/catalog.toml` says, and which of it is on this machine."""

import hashlib
import re
import tomllib
import urllib.parse
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from workshop import ROOT
from workshop.errors import UserError
from workshop.nearest import did_you_mean

CATALOG = ROOT / "data" / "catalog.toml"

MADE = ("shipped", "download", "export", "manual")
CLEAN = ("none", "gutenberg", "chorales")

_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True)
class DataSet:
    """One entry of the catalogue; the comment at the head of `catalog.toml` says what each field means.

    Attributes:
        target: file or folder that a lesson reads, relative to the data folder.
        url: where a download comes from, the folder where it is one of many files; '' for other sets.
        bytes: length of the downloaded file, or of many files together, in bytes; 0 for sets that are not downloaded.
        sha256: of the downloaded file, in hexadecimal; '' for sets of many files and those that are not downloaded.
        manifest: of a download of many files: their hashes, a file relative to the data folder of the project.
        files: how many files a lesson finds in it; 0 where any number of them will do.
        page: of a set that is fetched by hand, and not from a repository: where to find it.
    """

    name: str
    kind: str
    what: str
    licence: str
    attribution: str
    made: str
    target: str
    repo: str = ""
    commit: str = ""
    path: str = ""
    url: str = ""
    bytes: int = 0
    sha256: str = ""
    manifest: str = ""
    files: int = 1
    clean: str = "none"
    notice: str = ""
    how: str = ""
    page: str = ""

    @property
    def file_name(self) -> str:
        """The name of the downloaded file, in a mirror as at its source."""
        return self.path.rsplit("/", 1)[-1]

    def target_in(self, data_dir: Path) -> Path:
        """Return the file or folder that a lesson reads."""
        return data_dir / self.target

    def original_in(self, data_dir: Path) -> Path:
        """Return where the file as downloaded is kept.

        A set that needs cleaning keeps it beside the cleaned text, or in the folder of what was made of it: it carries
        the licence, allows repeating the cleaning, and proves without a network that the set is what the catalogue
        says.
        """
        target = self.target_in(data_dir)
        if self.clean == "chorales":
            return target / self.file_name
        return target if self.clean == "none" else target.with_name(self.file_name)


def read_catalog(path: Path = CATALOG) -> dict[str, DataSet]:
    """Return all data sets by name, in the order of the file.

    Raises:
        UserError: the catalogue is missing, is no TOML, or an entry lacks something.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"the catalogue {path} may not be read ({error.strerror}); download the project again"
        ) from None
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"the catalogue {path} is damaged ({error}); correct that line or download the project again"
        ) from None
    address = entries.pop("address", "")
    return {name: _data_set(path, address, name, entry) for name, entry in entries.items()}


def find(name: str, catalog: dict[str, DataSet]) -> DataSet:
    """Return the set called ``name``, or raise a UserError that suggests the nearest one."""
    wanted = name.lower().replace("-", "_")
    if wanted not in catalog:
        raise UserError(
            f'no data set is called "{name}"{did_you_mean(wanted, catalog)}; '
            "`python -m workshop.datasets list` shows them all"
        )
    return catalog[wanted]


def read_manifest(data_set: DataSet) -> dict[str, str]:
    """Return the SHA-256 of each file of a set of many, by its path below the set's folder.

    Raises:
        UserError: the manifest is missing, says something else than hashes and paths, or lacks files.
    """
    path = CATALOG.parent / data_set.manifest
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeError) as error:
        raise UserError(f"the list of files {path} may not be read ({error}); download the project again") from None
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        parts = _MANIFEST_LINE.fullmatch(line)
        if parts is None or not _stays_below(parts[2]) or parts[2] in hashes:
            raise UserError(f"the list of files {path} is damaged in line {number}; download the project again")
        hashes[parts[2]] = parts[1]
    if len(hashes) != data_set.files:
        raise UserError(
            f"the list of files {path} names {len(hashes):,} files and not {data_set.files:,}; "
            "download the project again"
        )
    return hashes


def _stays_below(name: str) -> bool:
    """Return whether a path leads to no place outside the folder that it starts from, on any system."""
    return not (name.startswith("/") or any(sign in name for sign in "\\:\0") or ".." in name.split("/"))


def is_verified(file: Path, data_set: DataSet) -> bool:
    """Return whether ``file`` has the bytes that the catalogue promises; False also where it cannot be read."""
    try:
        return file.stat().st_size == data_set.bytes and has_hash(file, data_set.sha256)
    except OSError:
        return False


def has_hash(file: Path, sha256: str) -> bool:
    """Return whether ``file`` has the hash; False also where it cannot be read."""
    try:
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _data_set(path: Path, address: str, name: str, entry: Any) -> DataSet:
    try:
        data_set = DataSet(name=name, **entry)
        wrong = [one.name for one in fields(data_set) if type(getattr(data_set, one.name)) is not one.type]
        if wrong:
            raise TypeError(f"{', '.join(wrong)} of another type")
        quoted = {**entry, "path": urllib.parse.quote(entry["path"])} if data_set.made == "download" else {}
        url = str(address).format(**quoted) if quoted else ""
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise UserError(f"the catalogue {path} has an incomplete entry [{name}] ({error}); correct it there") from None
    if data_set.made not in MADE or data_set.clean not in CLEAN:
        raise UserError(f"the catalogue {path} has an unknown way of making or cleaning in [{name}]; correct it there")
    if not all(map(_stays_below, (data_set.target, data_set.path, data_set.manifest))):
        raise UserError(f"the catalogue {path} leads out of the data folder in [{name}]; correct it there")
    if lacking := _lacking(replace(data_set, url=url)):
        raise UserError(f"the catalogue {path} lacks {lacking} for [{name}]; correct it there")
    return replace(data_set, url=url)


def _lacking(data_set: DataSet) -> str:
    """Return what an entry needs and does not have, '' where it is complete."""
    if data_set.made == "manual" and not ((data_set.page or (data_set.repo and data_set.commit)) and data_set.how):
        return "repo, commit or how"
    if data_set.clean != "none" and not (data_set.file_name.strip(".") and Path(data_set.target).name):
        return "path or target"
    if data_set.made != "download":
        return ""
    if data_set.manifest:
        return "" if data_set.bytes > 0 and data_set.url and not data_set.sha256 else "bytes or address"
    return "" if data_set.bytes > 0 and len(data_set.sha256) == 64 and data_set.url else "bytes, sha256 or address"
