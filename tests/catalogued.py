"""Small data sets for a catalogue of the tests, and what would be downloaded of each."""

import hashlib

from workshop.datasets.catalog import DataSet

BOOK = (
    b"Header\r\n*** START OF THIS PROJECT GUTENBERG EBOOK SONGS ***\r\n"
    b"Songs\r\nla la\r\n*** END OF THIS PROJECT GUTENBERG EBOOK ***"
)
PLAYS = b"First Citizen: Before we proceed any further, hear me speak.\n" * 100


def entry(name: str, path: str, content: bytes, **more: str) -> DataSet:
    return DataSet(
        name, "text", f"the set {name}", "public domain", "the makers", "download", f"lyrics/{name}/input.txt",
        path=path, url=f"http://127.0.0.1:9/{path}",
        bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), **more,
    )  # fmt: skip
