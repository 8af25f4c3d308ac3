"""Small files that describe others: conditions, a vocabulary, the catalogue of data sets and its lists of files."""

import json
from pathlib import Path

from fuzz import Reader
from hypothesis import strategies as st

from foreign.mutations import files, objects
from workshop.datasets import catalog


def conditions(scratch: Path) -> Reader:
    """The JSON file that names a condition for each sound."""
    from workshop.audio.conditions import in_words, of_files

    names = [f"{number}.wav" for number in range(4)]
    listed = {name: f"sound {name}" for name in names} | {"deep/9.wav": "low"}

    def read(case: bytes, folder: Path) -> None:
        (folder / "names.json").write_bytes(case)
        found = of_files(str(folder / "names.json"), folder, [folder / name for name in (*names, "deep/9.wav")])
        in_words(sorted(set(found.values())))

    return Reader(objects(listed), read)


def vocabulary(scratch: Path) -> Reader:
    """The characters of lesson 1."""
    from char_rnn.vocab import Vocabulary

    Vocabulary(" etaoin\n\u00e9\U0001f600\ud83c").save(scratch / "vocab.json")
    saved = json.loads((scratch / "vocab.json").read_bytes().decode("utf-8", "surrogatepass"))

    def read(case: bytes, folder: Path) -> None:
        (folder / "vocab.json").write_bytes(case)
        read = Vocabulary.load(folder / "vocab.json")
        assert read.decode(read.encode(read.symbols)) == read.symbols
        read.save(folder / "vocab.json")
        assert Vocabulary.load(folder / "vocab.json").symbols == read.symbols

    return Reader(objects(saved), read)


def catalogue(scratch: Path) -> Reader:
    """`catalog.toml`, bytes changed and values replaced."""
    whole = catalog.CATALOG.read_bytes()
    lines = whole.decode().splitlines()
    fields = [number for number, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    odd = [
        "0", "-1", "1" * 5000, "nan", "true", '""', '"x"', '"\\u0000"', '"../.."', '"/etc"', "[]", "[[1]]", "{a = 1}",
        "x", "2020-13-01", "1979-05-27", "[" * 3000 + "]" * 3000, '"{x}"', '"{path.x}"', '"{0}"', '"{"',
    ]  # fmt: skip
    change = st.tuples(st.sampled_from(fields), st.sampled_from(odd))

    def replaced(changes: list[tuple[int, str]]) -> bytes:
        new = {number: f"{lines[number].split('=')[0]}= {value}" for number, value in changes}
        return "\n".join(new.get(number, line) for number, line in enumerate(lines)).encode()

    cases = st.one_of(st.lists(change, min_size=1, max_size=3).map(replaced), files([whole, whole[-3000:]]))

    def read(case: bytes, folder: Path) -> None:
        (folder / "catalog.toml").write_bytes(case)
        found = catalog.read_catalog(folder / "catalog.toml")
        for data_set in found.values():
            for place in (data_set.target_in(folder), data_set.original_in(folder)):
                assert place.resolve().is_relative_to(folder.resolve()), place
            catalog.is_verified(data_set.target_in(folder), data_set)
        catalog.find("starter", found)

    return Reader(cases, read)


def manifest(scratch: Path) -> Reader:
    """The list of the files of a set and their hashes."""
    sets = catalog.read_catalog()
    data_set = next(found for found in sets.values() if found.manifest)
    lines = (catalog.CATALOG.parent / data_set.manifest).read_text("utf-8").splitlines()[:9]
    whole = "".join(f"{line}\n" for line in lines).encode()
    kept = catalog.replace(data_set, manifest="list.sha256", files=9)

    def read(case: bytes, folder: Path) -> None:
        (folder / "list.sha256").write_bytes(case)
        catalog.CATALOG = folder / "catalog.toml"
        for name in catalog.read_manifest(kept):
            assert (folder / name).resolve().is_relative_to(folder.resolve()), name

    return Reader(files([whole]), read)
