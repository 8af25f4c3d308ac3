"""A folder of slices: sounds of exactly the same length, cut on the beat and played at one tempo, as pictures.

Beside the sound files lies `slices.json`, which says tempo, beats, rate and length, and of each file the song that it
is from and what else is known of it. Pictures are computed once (`workshop.audio.loop_spectrogram`) and cached by the
content of the files. Whole songs are held out, and no slice is held out that one of the training slices nearly equals.

N slices, T frames, D bands.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from workshop.audio import library
from workshop.audio.audiofiles import SUFFIXES, read_sound
from workshop.audio.bands import MEL
from workshop.audio.loop_spectrogram import MAX_SAMPLES, MAX_SIDE, LoopSpectrogram
from workshop.audio.rates import RATES
from workshop.audio.tonality import ADVICE, are_tonal
from workshop.checks import Count, NotNegative, Positive, typed
from workshop.counting import counted
from workshop.errors import UserError
from workshop.files import atomic_write, explain, read_json, short_path, write_json
from workshop.folders import find_files
from workshop.places import kept
from workshop.run.experiment import print_skipped
from workshop.run.record import DataInfo
from workshop.visible import visible_line
from workshop.words import plural

#: The file that makes a folder of sounds one of slices.
NAME = "slices.json"
#: To be raised when pictures are made in another way, so that those in the cache are made again.
READER = 1
#: Slices below this number are nothing to learn from.
MIN_SLICES = 32
#: Slices that are read before their pictures are made.
TOGETHER = 64
#: Root mean square of the difference of two pictures, averaged in squares, below which they are near-duplicates: 1.6
#: dB.
NEAR = 0.04
#: Squares that a picture is averaged in before it is compared, along time and along frequency.
SQUARES = 16
#: Bytes of pictures from which on it is said how much is kept.
WORTH_SAYING = 50e6


class Slice(msgspec.Struct):
    """What is known of a slice.

    Attributes:
        song: what it was cut from: slices of one song are all held out, or none of them.
        labels: such as `kit`, `pattern` and `fill` of a drum loop.
    """

    song: str
    labels: dict[str, str] = {}


class SlicesFile(msgspec.Struct):
    """What `slices.json` holds.

    Attributes:
        bpm: the tempo of all slices, in quarter notes a minute.
        beats: quarter notes of each.
        rate: samples a second.
        samples: of each slice.
        slices: by the file's name, relative to the folder, with forward slashes.
    """

    bpm: Positive
    beats: Count
    rate: int
    samples: Count
    slices: dict[str, Slice]

    def __post_init__(self) -> None:
        if self.rate not in RATES or self.samples > MAX_SAMPLES:
            raise ValueError(f"slices of {self.samples:,} samples at {self.rate:,} a second are not valid")


class LoopInfo(DataInfo, kw_only=True):
    """What run.json says of pictures of slices; `symbols` are slices.

    Attributes:
        sample_rate: samples a second.
        samples: of each slice.
        bpm: their tempo in quarter notes a minute.
        beats: quarter notes of each.
        frames: of a picture.
        bands: of a picture.
        scale: of the bands.
        songs: that the slices are from.
        songs_held_out: of these.
        near_duplicates: slices left out because training slices nearly equal them.
        seconds: of all slices.
    """

    sample_rate: int
    samples: Count
    bpm: Positive
    beats: Count
    frames: Count
    bands: Count
    scale: str = MEL
    songs: Count = 1
    songs_held_out: int = 0
    near_duplicates: int = 0
    seconds: NotNegative = 0.0

    def __post_init__(self) -> None:
        if self.sample_rate not in RATES or self.samples > MAX_SAMPLES or max(self.frames, self.bands) > MAX_SIDE:
            raise ValueError(f"pictures of {self.samples:,} samples at {self.sample_rate:,} a second are not valid")
        _ = self.representation().in_bands  # which refuses what does not fit

    def representation(self) -> LoopSpectrogram:
        """How slices become pictures."""
        return LoopSpectrogram(self.sample_rate, self.samples, self.frames, self.bands, scale=self.scale)


@dataclass(frozen=True)
class SliceSet:
    """A folder of slices.

    Attributes:
        folder: where it is.
        about: what its `slices.json` says.
        names: the files, in order, which are listed there; each exists.
        unlisted: sound files that are not listed there.
    """

    folder: Path
    about: SlicesFile
    names: list[str]
    unlisted: list[str]

    def sound(self, name: str) -> np.ndarray:
        """The samples of a slice, float32 [samples].

        Raises:
            UserError: the file cannot be read, is silent, or is not as long as the others.
        """
        path = self.folder / name
        samples = read_sound(path, self.about.rate).samples
        if len(samples) != self.about.samples:
            raise UserError(
                f"{path} has {len(samples):,} samples, and the slices of its folder have {self.about.samples:,} each; "
                "cut the song again"
            )
        return samples


@dataclass(frozen=True)
class Pictures:
    """Pictures of slices.

    Attributes:
        train: float16 [N, T, D] from -1 to 1.
        held_out: the same of the slices that are held out.
        train_names: the file of each training picture.
        held_out_names: likewise.
        about: what `slices.json` says.
        facts: what run.json says of the data.
        skipped: files that could not be used, with the reason.
    """

    train: np.ndarray
    held_out: np.ndarray
    train_names: list[str]
    held_out_names: list[str]
    about: SlicesFile
    facts: LoopInfo
    skipped: list[str]


def read_folder(folder: Path) -> SliceSet:
    """The slices in a folder.

    Raises:
        UserError: it is no folder of slices, or `slices.json` is damaged.
    """
    file = folder / NAME
    if not file.is_file():
        found = find_files(folder, SUFFIXES, "audio")
        raise UserError(
            f"{folder} has {plural(len(found), 'sound file')} and no {NAME}: songs are cut into slices first, by "
            f"`python -m workshop.datasets slice {folder}`"
        )
    about = typed(SlicesFile, read_json(file), file)
    here = {path.relative_to(folder).as_posix() for path in find_files(folder, SUFFIXES, "audio")}
    return SliceSet(folder, about, sorted(here & about.slices.keys()), sorted(here - about.slices.keys()))


def write_about(folder: Path, about: SlicesFile) -> None:
    """Write `slices.json`.

    Raises:
        OSError: it cannot be written.
    """
    write_json(folder / NAME, msgspec.to_builtins(about))


def load_pictures(folder: Path, frames: int, bands: int, val_split: float = 0.1, scale: str = MEL) -> Pictures:
    """Pictures of the slices in a folder, some songs held out.

    Args:
        folder: with `slices.json`.
        frames: T.
        bands: D.
        val_split: share of the slices that is held out, in whole songs, at least one.
        scale: of the bands, a name in `bands.CORNERS`.

    Raises:
        UserError: there are too few slices, or the size does not fit them.
    """
    found = read_folder(folder)
    about = found.about
    try:
        representation = LoopSpectrogram(about.rate, about.samples, frames, bands, scale=scale)
        _ = representation.in_bands
    except ValueError:
        raise UserError(
            f"--frames {frames} --bands {bands}: slices of {about.samples:,} samples have no such picture; take fewer "
            "of both"
        ) from None
    digests, skipped = _digests(found)
    skipped += [f"{folder / name} is not listed in {NAME}" for name in found.unlisted]
    unique = {digest: name for name, digest in reversed(digests.items())}
    wanted = sorted(unique.values())
    _announce(len(wanted) * frames * bands * 2)
    pictures, names, unread = _cached(found, representation, wanted, [digests[name] for name in wanted])
    if len(names) < MIN_SLICES:
        raise UserError(
            f"{folder} has {plural(len(names), 'slice')} that can be used, and it takes {MIN_SLICES} at least, "
            "better a thousand: cut more songs, or cut them with --jump 1"
        )
    songs = [about.slices[name].song for name in names]
    is_held_out = held_out_songs(songs, val_split, pictures)
    near = near_duplicates(pictures, is_held_out)
    train, held_out = np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out & ~near)
    if not len(held_out):
        raise UserError(
            f"the slices in {folder} are nearly all the same, so none can be held out: add songs that differ"
        )
    facts = LoopInfo(
        path=kept(folder),
        fingerprint=hashlib.sha256(f"{msgspec.to_builtins(about)} {sorted(unique)}".encode()).hexdigest(),
        files=len(found.names) + len(found.unlisted),
        used=len(train) + len(held_out),
        skipped=len(skipped) + len(unread),
        duplicate_files=len(digests) - len(unique),
        symbols=(len(train), len(held_out)),
        sample_rate=about.rate,
        samples=about.samples,
        bpm=about.bpm,
        beats=about.beats,
        frames=frames,
        bands=bands,
        scale=scale,
        songs=len(set(songs)),
        songs_held_out=len({songs[k] for k in held_out}),
        near_duplicates=int(near.sum()),
        seconds=round(len(names) * about.samples / about.rate, 2),
    )
    return Pictures(
        pictures[train], pictures[held_out], [names[k] for k in train], [names[k] for k in held_out], about, facts,
        skipped + unread,
    )  # fmt: skip


def held_out_songs(songs: Sequence[str], share: float, pictures: np.ndarray) -> np.ndarray:
    """Which slices are held out, bool [N]: those of whole songs, in an order that depends on nothing but their names,
    until they are about a share of all. Of a single song, the last ones.

    Args:
        songs: the song of each slice, in the order in which they were cut.
        share: from 0 to 1.
        pictures: of the slices, [N, ...]; only their number counts.
    """
    wanted = max(1, round(share * len(pictures)))
    order = sorted(set(songs), key=lambda song: hashlib.sha256(song.encode("utf-8", "surrogatepass")).digest())
    if len(order) == 1:
        return np.arange(len(songs)) >= len(songs) - wanted
    chosen: set[str] = set()
    for song in order[:-1]:
        chosen.add(song)
        if sum(one in chosen for one in songs) >= wanted:
            break
    return np.array([song in chosen for song in songs])


def coarse(pictures: np.ndarray) -> np.ndarray:
    """Pictures [N, T, D] averaged in squares, to be compared: float32 [N, up to SQUARES²]."""
    count, frames, bands = pictures.shape
    along, across = max(1, frames // SQUARES), max(1, bands // SQUARES)
    cut = pictures[:, : frames // along * along, : bands // across * across]
    blocks = cut.reshape(count, frames // along, along, bands // across, across)
    return blocks.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1)


def nearest(pictures: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of others [M, K] to each of pictures [N, K], as those from `coarse` are or features of pictures: its
    number, and the root mean square of the difference.
    """
    numbers, distances = np.empty(len(pictures), int), np.empty(len(pictures), np.float32)
    squares = np.square(others).sum(axis=1)
    for start in range(0, len(pictures), 256):
        rows = slice(start, start + 256)
        apart = np.square(pictures[rows]).sum(axis=1)[:, None] - 2 * pictures[rows] @ others.T + squares
        numbers[rows] = apart.argmin(axis=1)
        distances[rows] = np.sqrt(np.maximum(apart.min(axis=1), 0) / pictures.shape[1])
    return numbers, distances


def repeated(pictures: np.ndarray, together: int = 256) -> int:
    """How many of pictures [N, K], as those from `coarse` are, nearly equal an earlier one; so many are compared
    together.
    """
    copies = 0
    for start in range(0, len(pictures), together):
        block = pictures[start : start + together]
        is_copy = nearest(block, pictures[:start])[1] < NEAR if start else np.zeros(len(block), bool)
        for number in range(1, len(block)):
            is_copy[number] |= nearest(block[number : number + 1], block[:number])[1][0] < NEAR
        copies += int(is_copy.sum())
    return copies


def near_duplicates(pictures: np.ndarray, is_held_out: np.ndarray) -> np.ndarray:
    """Which of the held-out slices a training slice nearly equals, bool [N].

    Args:
        pictures: [N, T, D].
        is_held_out: bool [N].
    """
    found = np.zeros(len(pictures), bool)
    shown = coarse(pictures)
    _, distances = nearest(shown[is_held_out], shown[~is_held_out])
    found[is_held_out] = distances < NEAR
    return found


def _digests(found: SliceSet) -> tuple[dict[str, str], list[str]]:
    """The digest of each file's bytes, by name, and a reason for each that cannot be read."""
    digests, skipped = {}, []
    for name in found.names:
        path = found.folder / name
        try:
            with open(path, "rb") as opened:
                digests[name] = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            skipped.append(f"{path} cannot be read: {explain(error, path)}")
    return digests, skipped


def _announce(size: float) -> None:
    """Say how much of the disk the pictures take, where that is worth knowing."""
    if size >= WORTH_SAYING:
        place = visible_line(str(short_path(library.CACHE)))
        print(f"data: pictures of the slices are made once, then kept in {place}: {size / 1e6:,.0f} MB", flush=True)


def _cached(
    found: SliceSet, representation: LoopSpectrogram, names: list[str], digests: list[str]
) -> tuple[np.ndarray, list[str], list[str]]:
    """Pictures float16 [N, T, D], the files that they are of, and a reason for each file that gave none: from the
    cache, or else from the files.
    """
    key = hashlib.sha256(f"{READER} {representation} {list(zip(names, digests, strict=True))}".encode()).hexdigest()
    place = library.CACHE / f"{key[:32]}.pictures"
    shape = (-1, representation.frames, representation.bands)
    with contextlib.suppress(OSError):
        content = memoryview(place.read_bytes())
        if hashlib.sha256(content[32:]).digest() == content[:32]:
            # The sounds that gave no picture are the few that are read again.
            head = int.from_bytes(content[32:40], "little")
            used, unread = msgspec.json.decode(content[40 : 40 + head], type=tuple[list[str], list[str]])
            return np.frombuffer(content[40 + head :], "<f2").reshape(shape), used, unread
    pictures, used, unread = _made(found, representation, names)
    text = msgspec.json.encode((used, unread))
    text += b" " * (-len(text) % 8)
    parts: list[bytes | memoryview] = [
        len(text).to_bytes(8, "little"),
        text,
        pictures.astype("<f2", copy=False).data.cast("B"),
    ]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    with contextlib.suppress(OSError):  # where it cannot be kept, it is made again the next time
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place) as opened:
            opened.write(digest.digest())
            for part in parts:
                opened.write(part)
    return pictures, used, unread


def _made(
    found: SliceSet, representation: LoopSpectrogram, names: list[str]
) -> tuple[np.ndarray, list[str], list[str]]:
    """Pictures of the files, the files that they are of, and a reason for each file that gave none."""
    pictures = np.empty((len(names), representation.frames, representation.bands), np.float16)
    used: list[str] = []
    unread: list[str] = []
    for start in counted(range(0, len(names), TOGETHER), -(-len(names) // TOGETHER), "reading slices", "groups"):
        read = list(_readable(found, names[start : start + TOGETHER], unread))
        if read:
            made = representation.pictures(np.stack([samples for _, samples in read]))
            pictures[len(used) : len(used) + len(read)] = made
            used += [name for name, _ in read]
    return pictures[: len(used)], used, unread


def _readable(found: SliceSet, names: Sequence[str], unread: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """The sounds among some files; the reason for each of the others is added to a list."""
    for name in names:
        try:
            yield name, found.sound(name)
        except UserError as error:
            unread.append(str(error))


def describe(pictures: Pictures, path: Path) -> None:
    """Print what was found, and what could not be used and why."""
    facts = pictures.facts
    found = f"{plural(facts.files, 'slice')} found, {facts.used:,} used: {facts.beats} beats at {facts.bpm:g} a minute"
    print(f"data: {visible_line(str(path))}: {found}, {facts.sample_rate:,} samples a second")
    print(
        f"  held out: {plural(facts.symbols[1], 'slice')} of {facts.songs_held_out:,} of {plural(facts.songs, 'song')}"
    )
    if facts.duplicate_files:
        print(f"  {plural(facts.duplicate_files, 'duplicate file')} left out")
    if facts.near_duplicates:
        print(f"  left out, because a training slice is nearly the same: {plural(facts.near_duplicates, 'slice')}")
    if are_tonal(pictures.train):
        print(f"  {ADVICE}")
    print_skipped(pictures.skipped)
