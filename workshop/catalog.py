"""The catalogue of data sets: what `data/catalog.toml` says, and which of it is on this machine."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop import ROOT
from workshop.errors import UserError
from workshop.nearest import did_you_mean

CATALOG = ROOT / "data" / "catalog.toml"

MADE = ("shipped", "download", "export")


@dataclass(frozen=True)
class DataSet:
    """One entry of the catalogue; the comment at the head of `catalog.toml` says what each field means.

    Attributes:
        target: file or folder that a lesson reads, relative to the data folder.
        url: where a download comes from; '' for other sets.
        bytes: length of the downloaded file in bytes; 0 for sets that are not downloaded.
        sha256: of the downloaded file, in hexadecimal; '' for sets that are not downloaded.
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
    clean: str = "none"

    @property
    def file_name(self) -> str:
        """The name of the downloaded file, in a mirror as at its source."""
        return self.path.rsplit("/", 1)[-1]

    def target_in(self, data_dir: Path) -> Path:
        """Return the file or folder that a lesson reads."""
        return data_dir / self.target

    def original_in(self, data_dir: Path) -> Path:
        """Return where the file as downloaded is kept.

        A set that needs cleaning keeps it beside the cleaned text: it carries the licence, lets the cleaning be made
        anew, and proves without a network that the set is what the catalogue says.
        """
        target = self.target_in(data_dir)
        return target if self.clean == "none" else target.with_name(self.file_name)


def read_catalog(path: Path = CATALOG) -> dict[str, DataSet]:
    """Return all data sets by name, in the order of the file.

    Raises:
        UserError: the catalogue is missing, is no TOML, or an entry lacks something.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"the catalogue {path} may not be read ({error.strerror}); fetch the project anew") from None
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise UserError(
            f"the catalogue {path} is damaged ({error}); correct that line or fetch the project anew"
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


def is_verified(file: Path, data_set: DataSet) -> bool:
    """Return whether ``file`` has the bytes that the catalogue promises; False also where it cannot be read."""
    try:
        if file.stat().st_size != data_set.bytes:
            return False
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == data_set.sha256
    except OSError:
        return False


def _data_set(path: Path, address: str, name: str, entry: Any) -> DataSet:
    try:
        data_set = DataSet(name=name, **entry)
        url = address.format(**entry) if data_set.made == "download" else ""
    except (TypeError, KeyError) as error:
        raise UserError(f"the catalogue {path} has an incomplete entry [{name}] ({error}); correct it there") from None
    if data_set.made not in MADE or data_set.clean not in ("none", "gutenberg"):
        raise UserError(f"the catalogue {path} has an unknown way of making or cleaning in [{name}]; correct it there")
    if data_set.made == "download" and not (data_set.bytes > 0 and len(data_set.sha256) == 64 and url):
        raise UserError(f"the catalogue {path} lacks bytes, sha256 or address for [{name}]; correct it there")
    return DataSet(**{**vars(data_set), "url": url})
