"""What XLA compiled in earlier trainings on this computer, so that the next one of the same shapes begins at once.

TensorFlow keeps compiled programs in a folder if it is told to. But a damaged file there, or a full disk, would end a
training, and nothing is ever deleted. So each training gets a folder of its own, with links to those programs whose
checksums are right; what it compiles itself is put with the others when it ends. Programs of other versions or
processors are another kind, in a folder beside these.
"""

import atexit
import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from workshop import ROOT
from workshop.run import experiment

CACHE = ROOT / ".workshop" / "compiled"
#: Bytes that are kept, and those that have to be free: the programs of a training take up to ten million.
MOST_KEPT, LEAST_FREE = 64 << 20, 1 << 30
#: After so many seconds the folder of a training that was killed is taken for left behind.
LEFT_BEHIND = 7 * 24 * 3600
#: Likewise a kind that no training has used.
OUT_OF_USE = 30 * 24 * 3600
VARIABLE = "TF_XLA_FLAGS"
_OWN = "of_one_training_"


def keep(cache: Path = CACHE) -> None:
    """Let TensorFlow, which must not be imported yet, take and keep compiled programs; where that cannot be done, it
    compiles as it does without.

    Args:
        cache: folder of what is kept; it is made if need be.
    """
    settings = os.environ.get(VARIABLE, "")
    if "persistent_cache" in settings:
        return
    with contextlib.suppress(OSError):
        shared = cache / _kind()
        shared.mkdir(parents=True, exist_ok=True)
        _forget_kinds(cache, shared)
        if shutil.disk_usage(shared).free < LEAST_FREE:
            return
        _tidy(shared)
        own = Path(tempfile.mkdtemp(prefix=_OWN, dir=shared))
        _take(shared, own)
        quoted = re.sub(r'(["\\])', r"\\\1", str(own))
        os.environ[VARIABLE] = f'{settings} --tf_xla_persistent_cache_directory="{quoted}"'.strip()
        atexit.register(_put_back, own, shared, os.getpid())


def _kind() -> str:
    """A name for all that a program depends on besides what it computes: versions, processor and settings of XLA."""
    from llvmlite import binding

    features = binding.get_host_cpu_features().flatten()
    versions = experiment.versions()
    del versions["platform"]  # another kernel, the same programs
    told = [*versions.values(), binding.get_host_cpu_name(), features, os.environ.get("XLA_FLAGS", "")]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _forget_kinds(cache: Path, ours: Path) -> None:
    """Delete the other kinds that are out of use: those of versions that are gone, for example."""
    for kind in cache.iterdir():
        with contextlib.suppress(OSError):
            # The time of a folder changes where a training begins or ends, which makes a folder in it or deletes one.
            used = max(path.stat().st_mtime for path in (kind, *kind.glob(f"{_OWN}*")))
            if kind != ours and time.time() - used > OUT_OF_USE:
                shutil.rmtree(kind, ignore_errors=True)


def _kept(shared: Path) -> Iterable[Path]:
    return (path for path in shared.iterdir() if path.suffix == ".pb")


def _tidy(shared: Path) -> None:
    """Delete the programs that were not used for longest where there are too many, and what trainings left behind."""
    room = MOST_KEPT
    for path in sorted(_kept(shared), key=lambda path: path.stat().st_mtime, reverse=True):
        room -= path.stat().st_size
        if room < 0:
            path.unlink(missing_ok=True)
    for folder in shared.glob(f"{_OWN}*"):
        if time.time() - folder.stat().st_mtime > LEFT_BEHIND:
            shutil.rmtree(folder, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _take(shared: Path, own: Path) -> None:
    """Link what is kept into the folder of a training, and delete what is damaged. A kept file is named by its
    checksum, and by the name that TensorFlow gave it.
    """
    for path in _kept(shared):
        with contextlib.suppress(OSError):
            digest, _, name = path.name.partition("-")
            if _digest(path) != digest:
                path.unlink()
            elif not (own / name).exists():
                _link(path, own / name)
                os.utime(path)


def _put_back(own: Path, shared: Path, training: int) -> None:
    """Keep what a training has compiled, and delete its folder."""
    if os.getpid() != training:
        return  # a process that the training was copied to
    with contextlib.suppress(OSError):
        known = {path.name.partition("-")[2] for path in _kept(shared)}
        for path in _kept(own):
            if path.name not in known:
                os.replace(path, shared / f"{_digest(path)}-{path.name}")
    shutil.rmtree(own, ignore_errors=True)


def _link(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except OSError:  # a file system without links
        shutil.copyfile(path, to)
