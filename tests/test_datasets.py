"""The catalogue of data sets and its command."""

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from workshop import catalog, datasets, tunes
from workshop.catalog import DataSet, find, read_catalog
from workshop.errors import UserError

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

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


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, DataSet]:
    """A catalogue of two small sets whose source cannot be reached."""
    monkeypatch.delenv("WORKSHOP_MIRROR", raising=False)
    sets = {
        "plays": entry("plays", "data/input.txt", PLAYS),
        "song_book": entry("song_book", "123.txt", BOOK, clean="gutenberg"),
    }
    monkeypatch.setattr(datasets, "read_catalog", lambda: sets)
    return sets


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "my mirror"
    for name, content in (("plays/input.txt", PLAYS), ("song_book/123.txt", BOOK)):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def address(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The mirror over http."""
    monkeypatch.setenv("no_proxy", "*")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(mirror))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


# ---- the catalogue


def test_the_catalogue_is_complete() -> None:
    known = read_catalog()
    assert list(known) == [
        "starter", "tunes", "tinyshakespeare", "liberty_minstrel", "beggars_opera", "leaves_of_grass", "irish_abc",
    ]  # fmt: skip
    for one in known.values():
        assert one.kind == "text"
        assert one.what
        assert one.licence
        assert one.attribution
        if one.made == "download":
            assert one.url == f"https://raw.githubusercontent.com/{one.repo}/{one.commit}/{one.path}"
            assert len(one.commit) == 40
            assert len(one.sha256) == 64
            assert one.target == f"lyrics/{one.name}/input.txt"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = [", "is damaged"),
        ("[plays]\nkind = 'text'", r"incomplete entry \[plays\]"),
        ("[plays]\nkind='t'\nwhat=''\nlicence=''\nattribution=''\nmade='found'\ntarget=''", "unknown way of making"),
        ("address = 'http://x/{path}'\n[plays]\nkind='t'\nwhat=''\nlicence=''\nattribution=''\nmade='download'\ntarget=''\npath='x'",
         "lacks bytes, sha256 or address"),
    ],
)  # fmt: skip
def test_a_damaged_catalogue_is_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "catalog.toml").write_text(text)
    with pytest.raises(UserError, match=words):
        read_catalog(tmp_path / "catalog.toml")
    with pytest.raises(UserError, match="may not be read"):
        read_catalog(tmp_path / "none.toml")


def test_names_are_found_however_they_are_written(known: dict[str, DataSet]) -> None:
    assert find("Song-Book", known) is known["song_book"]
    with pytest.raises(UserError, match=r'"sonbook" \(did you mean "song_book"\?\); .*list'):
        find("sonbook", known)


# ---- get


@pytest.mark.parametrize("spelling", ["--data_dir", "--data-dir"])
def test_a_set_from_a_mirror_folder(
    known: dict[str, DataSet], mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spelling: str
) -> None:
    command = ["get", "plays", "--mirror", str(mirror), spelling, str(tmp_path / "data")]
    assert datasets.main(command) == 0
    assert (tmp_path / "data/lyrics/plays/input.txt").read_bytes() == PLAYS
    out = capsys.readouterr().out
    assert out.index("licence: public domain") < out.index("ready in")
    # The second time nothing is fetched: with the mirror gone it must still succeed.
    assert datasets.main([*command[:3], str(tmp_path / "gone"), *command[4:]]) == 0
    assert f"already in {tmp_path / 'data/lyrics/plays'}" in capsys.readouterr().out


def test_a_set_from_a_mirror_address_named_by_the_environment(
    known: dict[str, DataSet], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSHOP_MIRROR", address)
    assert datasets.main(["get", "song-book", "--data_dir", str(tmp_path / "data")]) == 0
    folder = tmp_path / "data/lyrics/song_book"
    assert (folder / "input.txt").read_bytes() == b"Songs\nla la\n"
    assert (folder / "123.txt").read_bytes() == BOOK
    assert sorted(os.listdir(folder)) == ["123.txt", "input.txt"]


def test_a_book_is_cleaned_anew_without_the_network(known: dict[str, DataSet], mirror: Path, tmp_path: Path) -> None:
    book = known["song_book"]
    assert datasets.get(book, tmp_path, str(mirror))
    (tmp_path / book.target).unlink()
    assert datasets.get(book, tmp_path)
    assert (tmp_path / book.target).read_bytes() == b"Songs\nla la\n"
    assert not datasets.get(book, tmp_path)


def test_what_somebody_put_there_is_never_written_over(known: dict[str, DataSet], mirror: Path, tmp_path: Path) -> None:
    for one in known.values():
        mine = tmp_path / one.target
        mine.parent.mkdir(parents=True)
        mine.write_text("my own words")
        with pytest.raises(UserError, match=f"is there but is not the set {one.name}; move it away"):
            datasets.get(one, tmp_path, str(mirror))
        assert mine.read_text() == "my own words"


def test_a_cleaned_text_that_was_edited_stays(known: dict[str, DataSet], mirror: Path, tmp_path: Path) -> None:
    book = known["song_book"]
    datasets.get(book, tmp_path, str(mirror))
    (tmp_path / book.target).write_text("edited")
    assert not datasets.get(book, tmp_path, str(mirror))
    assert (tmp_path / book.target).read_text() == "edited"


def test_wrong_bytes_in_a_mirror_leave_nothing(
    known: dict[str, DataSet], mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mirror / "plays/input.txt").write_bytes(PLAYS.replace(b"First", b"Third"))
    assert datasets.main(["get", "plays", "--mirror", str(mirror), "--data_dir", str(tmp_path / "data")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "contents differ" in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path / "data/lyrics/plays") == []


def test_no_network_is_one_sentence(
    known: dict[str, DataSet], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert datasets.main(["get", "plays", "--data_dir", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: http://127.0.0.1:9/data/input.txt could not be fetched (Connection refused)")
    assert "--mirror" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["get", "playz"], 'did you mean "plays"'),
        (["get", "plays", "--mirror", "ftp://x"], "neither a folder nor an http or https address"),
        (["get", "plays", "--mirror", "nowhere"], "the mirror has no nowhere/plays/input.txt"),
    ],
)
def test_mistakes_are_said_in_one_sentence(
    known: dict[str, DataSet], tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert datasets.main([*arguments, "--data_dir", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert words in err
    assert err.count("\n") == 1


def test_tunes_are_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunes, "collect", lambda corpus: ([], dict.fromkeys((c.folder for c in tunes.COLLECTIONS), 0)))
    assert datasets.main(["get", "tunes", "--data_dir", str(tmp_path)]) == 0
    assert (tmp_path / "lyrics/tunes/SOURCE.txt").exists()
    assert f"ready in {tmp_path / 'lyrics/tunes'}" in capsys.readouterr().out


def test_a_shipped_set_is_there_or_missed(tmp_path: Path, known: dict[str, DataSet]) -> None:
    starter = replace(known["plays"], made="shipped", target="lyrics/starter")
    with pytest.raises(UserError, match="should be part of this project and is missing"):
        datasets.get(starter, tmp_path)
    (tmp_path / "lyrics/starter").mkdir(parents=True)
    (tmp_path / "lyrics/starter/one.txt").write_text("la")
    assert not datasets.get(starter, tmp_path)


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    """A real process, stopped while its server is silent."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Silent) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        command = [sys.executable, "-m", "workshop.datasets", "get", "irish_abc", "--data_dir", str(tmp_path)]
        command += ["--mirror", f"http://127.0.0.1:{server.server_address[1]}"]
        environment = os.environ | {"no_proxy": "*"}
        part = tmp_path / "lyrics/irish_abc/input.txt.part"
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and not part.exists():
                time.sleep(0.02)
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=10)
        _Silent.over.set()
        server.shutdown()
    assert process.returncode == 130
    assert err.endswith("stopped; what has arrived is kept, and the same command goes on from there\n")
    assert "Traceback" not in err
    assert part.read_bytes() == b"X:1\n"


class _Silent(http.server.BaseHTTPRequestHandler):
    over = threading.Event()

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "197618")
        self.end_headers()
        self.wfile.write(b"X:1\n")
        self.over.wait(10)


# ---- list


def test_the_list_is_aligned_and_says_what_is_here(
    known: dict[str, DataSet], mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets.get(known["plays"], tmp_path, str(mirror))
    assert datasets.main(["list", "--data_dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "NAME       KIND  SIZE  HERE  LICENCE\nplays      text  6 kB  yes   public domain\n" in out
    assert "song_book  text  1 kB  no    public domain\n" in out
    assert "python -m workshop.datasets get NAME" in out


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "workshop.datasets", "list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    for heavy in ("music21", "numpy", "charset_normalizer", "tensorflow"):
        assert f" {heavy}\n" not in done.stderr


# ---- real data


@pytest.mark.parametrize(("name", "file"), [("tinyshakespeare", "input.txt"), ("liberty_minstrel", "22089.txt")])
def test_real_sets_come_from_the_shared_folder_as_a_mirror(tmp_path: Path, name: str, file: str) -> None:
    if not (SHARED / name / file).is_file():
        pytest.skip(f"the shared data ({name}) is not here")
    one = catalog.read_catalog()[name]
    assert datasets.get(one, tmp_path, str(SHARED))
    assert datasets.is_here(one, tmp_path)
    text = (tmp_path / one.target).read_text(encoding="utf-8")
    assert len(text) > 150_000
    assert "Gutenberg" not in text
