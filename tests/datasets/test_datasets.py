"""The catalogue of data sets and its command."""

import hashlib
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from catalogued import BOOK, PLAYS, entry

from workshop import ROOT
from workshop.datasets import catalog, corpus
from workshop.datasets import command_line as datasets
from workshop.datasets.catalog import DataSet, find, read_catalog, read_manifest
from workshop.errors import UserError

SHARED = ROOT.parent / "shared" / "data"


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


#: The contents of a set of many files; their names need quoting in an address.
SONGS = {f"song #{n}?.mid": b"MThd %d" % n for n in range(10)} | {"more/Käthe 100%.mid": b"MThd more"}


@pytest.fixture
def songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """A set of many files, the only one in the catalogue, whose source cannot be reached."""
    monkeypatch.delenv("WORKSHOP_MIRROR", raising=False)
    manifest = tmp_path / "songs.sha256"
    manifest.write_text(
        "".join(f"{hashlib.sha256(song).hexdigest()}  {name}\n" for name, song in SONGS.items()), "utf-8"
    )
    one = DataSet(
        "songs", "midi", "some songs", "GPL-3.0", "the makers", "download", "midi/songs", path="MIDI",
        url="http://127.0.0.1:9/MIDI", manifest=str(manifest), files=len(SONGS),
        bytes=sum(map(len, SONGS.values())), notice="\nWhoever passes them on\nhas to say so.\n",
    )  # fmt: skip
    monkeypatch.setattr(datasets, "read_catalog", lambda: {"songs": one})
    return one


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "my mirror"
    for name, content in SONGS.items():
        (folder / "songs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "songs" / name).write_bytes(content)
    for name, content in (("plays/input.txt", PLAYS), ("song_book/123.txt", BOOK)):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def asked() -> list[str]:
    """What the mirror over http has been asked for."""
    return []


@pytest.fixture
def address(mirror: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The mirror over http."""
    monkeypatch.setenv("no_proxy", "*")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(mirror))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

    class Listening(http.server.ThreadingHTTPServer):
        request_queue_size = 64

    server = Listening(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


# ---- the catalogue


def test_the_catalogue_is_complete() -> None:
    known = read_catalog()
    assert set(known) >= {
        "starter", "tunes", "midi_tunes", "tinyshakespeare", "liberty_minstrel", "beggars_opera", "leaves_of_grass",
        "irish_abc", "nottingham", "liberty_minstrel_midi", "beggars_opera_midi", "jsb_chorales", "pop909", "lakh",
        "starter_sounds", "fsdd_jackson", "sonic_pi",
    }  # fmt: skip
    assert len({one.target for one in known.values()}) == len(known)
    for one in known.values():
        assert one.what
        assert one.licence
        assert one.attribution
        if one.made == "download":
            assert one.url == f"https://raw.githubusercontent.com/{one.repo}/{one.commit}/{one.path}"
            assert one.bytes > 0
            assert bool(one.sha256) != bool(one.manifest)
            assert one.kind != "text" or one.target == f"lyrics/{one.name}/input.txt"
        if one.made in ("download", "manual") and not one.page:
            assert len(one.commit) == 40
        assert one.target.startswith({"text": "lyrics/", "midi": "midi/", "audio": "audio/"}[one.kind])


@pytest.mark.parametrize(
    ("name", "count"),
    [("nottingham", 1034), ("liberty_minstrel_midi", 77), ("fsdd_jackson", 500), ("sonic_pi", 18)],
)
def test_the_manifests_are_complete(name: str, count: int) -> None:
    hashes = read_manifest(read_catalog()[name])
    assert len(hashes) == count
    assert all(Path(file).suffix in (".mid", ".midi", ".wav", ".flac") for file in hashes)


HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HASH}  a.mid\n{HASH} b.mid\n", "is damaged in line 2"),
        (f"{HASH}  a.mid\n\n", "is damaged in line 2"),
        (f"{HASH}  a.mid\n{HASH}  a.mid\n", "is damaged in line 2"),
        (f"{HASH[1:]}  a.mid\n", "is damaged in line 1"),
        (f"{HASH}  /etc/passwd\n", "is damaged in line 1"),
        (f"{HASH}  a/../../b.mid\n", "is damaged in line 1"),
        (f"{HASH}  ..\\b.mid\n", "is damaged in line 1"),
        (f"{HASH}  C:b.mid\n", "is damaged in line 1"),
        (f"{HASH}  a\0.mid\n", "is damaged in line 1"),
        (f"{HASH}  a.mid\n", "names 1 files and not 11"),
        ("", "is damaged in line 1"),
        (None, "may not be read"),
    ],
)
def test_a_damaged_manifest_is_said(songs: DataSet, tmp_path: Path, text: str | None, words: str) -> None:
    if text is None:
        Path(songs.manifest).unlink()
    else:
        Path(songs.manifest).write_text(text)
    with pytest.raises(UserError, match=rf"songs\.sha256 {words}.*download the project again"):
        datasets.get(songs, tmp_path)


#: Of the catalogue, but for how it is made.
ENTRY = "[plays]\nkind='t'\nwhat=''\nlicence=''\nattribution=''\ntarget=''\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = [", "is damaged"),
        ("[plays]\nkind = 'text'", r"incomplete entry \[plays\]"),
        (f"{ENTRY}made='found'", "unknown way of making or cleaning"),
        (f"{ENTRY}made='export'\nclean='soap'", "unknown way of making or cleaning"),
        (f"{ENTRY}made='download'", r"incomplete entry \[plays\] \('path'\)"),
        (f"address = 'http://x/{{path}}'\n{ENTRY}made='download'\npath='x'", "lacks bytes, sha256 or address"),
        (f"address = 'http://x/{{path}}'\n{ENTRY}made='download'\npath='x'\nmanifest='m'", "lacks bytes or address"),
        (f"{ENTRY}made='manual'", "lacks repo, commit or how"),
        (f"a = {'[' * 3000}{']' * 3000}", "is damaged"),
        (f"a = {'1' * 5000}", "is damaged"),
        (f"{ENTRY}made='export'\nclean='gutenberg'", "lacks path or target"),
        ("plays = 5", r"incomplete entry \[plays\]"),
        (f"{ENTRY}made='export'\nfiles='many'", r"incomplete entry \[plays\] \(files of another type\)"),
        (f"{ENTRY}made=['export']", r"incomplete entry \[plays\] \(made of another type\)"),
        (f"address = 5\n{ENTRY}made='download'\npath='x'", "lacks bytes, sha256 or address"),
        (f"address = '{{0}}'\n{ENTRY}made='download'\npath='x'", "incomplete entry"),
        (f"address = '{{path.x}}'\n{ENTRY}made='download'\npath='x'", "incomplete entry"),
        (f"address = '{{'\n{ENTRY}made='download'\npath='x'", "incomplete entry"),
        (f"{ENTRY.replace('target=', 'notice=')}target='../x'\nmade='export'", r"out of the data folder in \[plays\]"),
        (f"{ENTRY.replace('target=', 'notice=')}target='/x'\nmade='export'", r"out of the data folder in \[plays\]"),
        (f'{ENTRY}made="export"\nmanifest="a\\u0000b"', "out of the data folder"),
    ],
)
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


def test_a_book_is_cleaned_again_without_the_network(known: dict[str, DataSet], mirror: Path, tmp_path: Path) -> None:
    book = known["song_book"]
    assert datasets.get(book, tmp_path, str(mirror))
    (tmp_path / book.target).unlink()
    assert datasets.get(book, tmp_path)
    assert (tmp_path / book.target).read_bytes() == b"Songs\nla la\n"
    assert not datasets.get(book, tmp_path)


def test_a_mirror_is_made_that_others_get_from(
    known: dict[str, DataSet], address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick, data = tmp_path / "stick", tmp_path / "data"
    command = ["mirror", str(stick), "--mirror", address, "--data_dir", str(data)]
    assert datasets.main(command) == 0
    assert sorted(str(file.relative_to(stick)) for file in stick.rglob("*.*")) == [
        "plays/input.txt",
        "song_book/123.txt",
    ]
    assert f"plays: the set plays (licence: public domain)\ncopied to {stick / 'plays'}" in capsys.readouterr().out
    for one in known.values():
        assert datasets.main(["get", one.name, "--mirror", str(stick), "--data_dir", str(data)]) == 0
    assert (data / "lyrics/song_book/input.txt").read_bytes() == b"Songs\nla la\n"
    capsys.readouterr()
    # The second time nothing is fetched: the source of the sets cannot be reached.
    assert datasets.main(["mirror", str(stick)]) == 0
    assert capsys.readouterr().out.count("already in") == 2


def test_a_mirror_is_made_of_what_is_here_without_a_network(
    known: dict[str, DataSet], mirror: Path, tmp_path: Path
) -> None:
    stick, data = tmp_path / "stick", tmp_path / "data"
    for name in known:
        datasets.main(["get", name, "--mirror", str(mirror), "--data_dir", str(data)])
    assert datasets.main(["mirror", str(stick), "song_book", "--data_dir", str(data)]) == 0
    assert (stick / "song_book/123.txt").read_bytes() == BOOK
    assert not (stick / "plays").exists()


def test_a_mirror_of_many_files_takes_each_from_where_it_is(songs: DataSet, mirror: Path, tmp_path: Path) -> None:
    stick, data = tmp_path / "stick", tmp_path / "data"
    datasets.get(songs, data, str(mirror))
    first, *others = sorted(SONGS)
    (data / songs.target / first).unlink()
    (data / songs.target / others[0]).write_bytes(b"changed here")
    for name in others[1:]:
        (mirror / "songs" / name).unlink()
    assert datasets.make_mirror(songs, stick, data, str(mirror))
    assert {name: (stick / "songs" / name).read_bytes() for name in SONGS} == SONGS
    assert not datasets.make_mirror(songs, stick, data)


def test_a_mirror_holds_only_what_is_downloaded_and_never_writes_over(
    known: dict[str, DataSet], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known["mine"] = replace(known["plays"], name="mine", made="export")
    assert datasets.main(["mirror", str(tmp_path / "stick"), "mine"]) == 2
    assert "the set mine cannot be put into a mirror, because it is not downloaded" in capsys.readouterr().err
    for name in ("plays/input.txt", "song_book/123.txt"):
        (tmp_path / "stick" / name).parent.mkdir(parents=True)
        (tmp_path / "stick" / name).write_text("my own words")
    assert datasets.main(["mirror", str(tmp_path / "stick")]) == 2
    assert "exists and is not the set plays; move it away" in capsys.readouterr().err
    assert (tmp_path / "stick/plays/input.txt").read_text() == "my own words"


def test_in_the_container_a_folder_that_it_does_not_see_is_explained(
    known: dict[str, DataSet], mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("WORKSHOP_IN_CONTAINER", "1")
    command = ["get", "plays", "--data_dir", str(tmp_path), "--mirror"]
    assert datasets.main([*command, "/media/stick/no such"]) == 2
    assert 'the container does not see the folder "/media/stick/no such"' in capsys.readouterr().err
    assert datasets.main([*command, str(mirror)]) == 0


def test_what_somebody_put_there_is_never_written_over(known: dict[str, DataSet], mirror: Path, tmp_path: Path) -> None:
    for one in known.values():
        mine = tmp_path / one.target
        mine.parent.mkdir(parents=True)
        mine.write_text("my own words")
        with pytest.raises(UserError, match=f"exists and is not the set {one.name}; move it away"):
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
    assert not (tmp_path / "data").exists()


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
    monkeypatch.setattr(corpus, "collect", lambda _: [])
    assert datasets.main(["get", "tunes", "--data_dir", str(tmp_path)]) == 0
    assert (tmp_path / "lyrics/tunes/SOURCE.txt").exists()
    assert f"ready in {tmp_path / 'lyrics/tunes'}" in capsys.readouterr().out


def test_tunes_are_exported_as_midi_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scale = corpus.Tune("Scale", "2/4", "1/8", "C", "CDEF|GABc|defg|agfe|", corpus.COLLECTIONS[0].folder)
    monkeypatch.setattr(corpus, "collect", lambda corpus: [scale])
    one = read_catalog()["midi_tunes"]
    assert not datasets.is_here(one, tmp_path)
    for words in ("ready in", "already in"):
        assert datasets.main(["get", "midi_tunes", "--data_dir", str(tmp_path)]) == 0
        assert f"{words} {tmp_path / 'midi/tunes'}\n" in capsys.readouterr().out
    assert sorted(os.listdir(tmp_path / "midi/tunes")) == ["0001_scale.mid", "SOURCE.txt"]
    assert datasets.is_here(one, tmp_path)


def test_starter_sounds_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a tune there are the drums.
    monkeypatch.setattr(corpus, "collect", lambda corpus: [])
    one = read_catalog()["starter_sounds"]
    assert not datasets.is_here(one, tmp_path)
    for words in ("ready in", "already in"):
        assert datasets.main(["get", "starter_sounds", "--data_dir", str(tmp_path)]) == 0
        assert f"{words} {tmp_path / 'audio/starter'}\n" in capsys.readouterr().out
    assert sorted(os.listdir(tmp_path / "audio/starter")) == ["SOURCE.txt", "drums"]
    assert datasets.main(["list", "--data_dir", str(tmp_path)]) == 0
    (line,) = re.findall(r"^starter_sounds +audio +([\d,]+) kB +(\w+)", capsys.readouterr().out, re.MULTILINE)
    sizes = [file.stat().st_size for file in (tmp_path / "audio/starter").glob("*/*.wav")]
    assert line == (f"{round(sum(sizes) / 1000):,}", "yes")


def test_a_shipped_set_is_there_or_missed(tmp_path: Path, known: dict[str, DataSet]) -> None:
    starter = replace(known["plays"], made="shipped", target="lyrics/starter")
    with pytest.raises(UserError, match="is part of this project and is missing"):
        datasets.get(starter, tmp_path)
    (tmp_path / "lyrics/starter").mkdir(parents=True)
    (tmp_path / "lyrics/starter/one.txt").write_text("la")
    assert not datasets.get(starter, tmp_path)


def test_ctrl_c_leaves_nothing_half(tmp_path: Path) -> None:
    """A real process, stopped while its server is silent."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Silent) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        command = [sys.executable, "-m", "workshop.datasets", "get", "irish_abc", "--data_dir", str(tmp_path)]
        command += ["--mirror", f"http://127.0.0.1:{server.server_address[1]}"]
        environment = os.environ | {"no_proxy": "*"}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
            assert _Silent.begun.wait(10)
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=10)
        _Silent.over.set()
        server.shutdown()
    assert process.returncode == 130
    assert err == ""
    assert os.listdir(tmp_path) == []


class _Silent(http.server.BaseHTTPRequestHandler):
    begun = threading.Event()
    over = threading.Event()

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "197618")
        self.end_headers()
        self.wfile.write(b"X:1\n")
        self.begun.set()
        self.over.wait(10)


# ---- sets of many files


def count_songs(data_dir: Path) -> int:
    return sum((data_dir / "midi/songs" / name).is_file() for name in SONGS)


@pytest.mark.parametrize("kind", ["folder", "address"])
def test_many_files_from_a_mirror(
    songs: DataSet, mirror: Path, address: str, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["get", "songs", "--data_dir", str(tmp_path / "data"), "--mirror"]
    assert datasets.main([*command, str(mirror) if kind == "folder" else address]) == 0
    assert {name: (tmp_path / "data/midi/songs" / name).read_bytes() for name in SONGS} == SONGS
    assert len([file for file in (tmp_path / "data").rglob("*") if file.is_file()]) == len(SONGS)
    assert f"ready in {tmp_path / 'data/midi/songs'}" in capsys.readouterr().out
    # The second time nothing is fetched: with the mirror gone it must still succeed.
    assert datasets.main([*command, str(tmp_path / "gone")]) == 0
    assert "already in" in capsys.readouterr().out


def test_many_files_from_their_source(songs: DataSet, address: str, asked: list[str], tmp_path: Path) -> None:
    assert datasets.get(replace(songs, url=f"{address}songs"), tmp_path)
    assert count_songs(tmp_path) == len(SONGS)
    assert "/songs/more/K%C3%A4the%20100%25.mid" in asked
    assert len(asked) == len(SONGS)


def test_what_a_killed_one_has_left_is_cleared(songs: DataSet, mirror: Path, tmp_path: Path) -> None:
    """But not what another one may be writing at this moment."""
    folder = tmp_path / songs.target / "more"
    folder.mkdir(parents=True)
    for name in (".old.mid.1.part", ".new.mid.2.part"):
        (folder / name).write_bytes(b"MThd")
    os.utime(folder / ".old.mid.1.part", (0, 0))
    for brought in (True, False):
        assert datasets.get(songs, tmp_path, str(mirror)) is brought
    assert [path.name for path in folder.glob(".*")] == [".new.mid.2.part"]


@pytest.mark.parametrize("damage", ["wrong", "missing"])
def test_a_damaged_file_leaves_the_others_and_is_fetched_later(
    songs: DataSet, mirror: Path, address: str, asked: list[str], tmp_path: Path, damage: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    damaged = mirror / "songs" / "song #3?.mid"
    if damage == "wrong":
        damaged.write_bytes(b"MThd 9")
    else:
        damaged.unlink()
    command = ["get", "songs", "--mirror", address, "--data_dir", str(tmp_path / "data")]
    assert datasets.main(command) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: one file could not be fetched: ")
    assert "song%20%233%3F.mid" in err
    assert err.count("\n") == 1
    assert count_songs(tmp_path / "data") == len(SONGS) - 1
    assert datasets.main(["list", "--data_dir", str(tmp_path / "data")]) == 0
    assert "10 of 11  GPL-3.0" in capsys.readouterr().out
    damaged.write_bytes(SONGS["song #3?.mid"])
    asked.clear()
    assert datasets.main(command) == 0
    assert asked == ["/songs/song%20%233%3F.mid"]
    assert count_songs(tmp_path / "data") == len(SONGS)


def test_a_file_of_ones_own_among_many_is_never_written_over(songs: DataSet, mirror: Path, tmp_path: Path) -> None:
    mine = tmp_path / "midi/songs/song #3?.mid"
    mine.parent.mkdir(parents=True)
    mine.write_text("my own song")
    with pytest.raises(UserError, match=r"song #3\?\.mid exists and is not the one of the set songs; move it away"):
        datasets.get(songs, tmp_path, str(mirror))
    assert mine.read_text() == "my own song"


def test_ctrl_c_keeps_the_files_that_have_arrived(songs: DataSet, mirror: Path, tmp_path: Path) -> None:
    """A real process, stopped while one of the files does not come."""
    held = "song%20%233%3F.mid"
    over = threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(mirror))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.endswith(held):
                over.wait(20)
            super().do_GET()

    data_dir = tmp_path / "data"
    code = (
        "import sys\nfrom workshop.datasets import command_line as datasets\n"
        "from workshop.datasets.catalog import DataSet\n"
        f"songs = {songs!r}\ndatasets.read_catalog = lambda: {{'songs': songs}}\nsys.exit(datasets.main(sys.argv[1:]))"
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *args: None  # type: ignore[method-assign]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        command = [sys.executable, "-c", code, "get", "songs", "--data_dir", str(data_dir)]
        command += ["--mirror", f"http://127.0.0.1:{server.server_address[1]}"]
        environment = os.environ | {"no_proxy": "*"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and count_songs(data_dir) < len(SONGS) - 1:
                time.sleep(0.02)
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=15)
            assert time.monotonic() - start < 10
        over.set()
        server.shutdown()
    assert process.returncode == 130
    assert err == "stopped; what was downloaded is kept: run the same command to continue\n"
    assert count_songs(data_dir) == len([file for file in data_dir.rglob("*") if file.is_file()]) == len(SONGS) - 1
    assert datasets.state(songs, data_dir) == "10 of 11"
    assert datasets.get(songs, data_dir, str(mirror))
    assert datasets.is_here(songs, data_dir)


def test_the_licence_is_shown_before_anything_is_fetched(
    songs: DataSet, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(datasets, "fetch_all", lambda *args, **options: shown.append(capsys.readouterr().out))
    datasets.main(["get", "songs", "--mirror", address, "--data_dir", str(tmp_path / "data")])
    assert "licence: GPL-3.0\n" in shown[0]
    assert "\n!  Whoever passes them on\n!  has to say so.\n" in shown[0]
    assert not (tmp_path / "data").exists()


def test_what_the_gpl_asks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["get", "nottingham", "--mirror", str(tmp_path / "gone"), "--data_dir", str(tmp_path / "data")]
    assert datasets.main(command) == 2
    said = capsys.readouterr()
    assert "licence: GPL-3.0\n" in said.out
    assert "\n!  READ THIS FIRST" in said.out
    assert "passes them on" in said.out
    assert max(map(len, said.out.splitlines())) <= 120
    assert "20 files could not be fetched" in said.err


# ---- sets that are fetched by hand


@pytest.mark.parametrize(("name", "files"), [("beggars_opera_midi", 68), ("pop909", 909)])
def test_a_set_fetched_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, files: int) -> None:
    command = ["get", name, "--data_dir", str(tmp_path)]
    one = read_catalog()[name]
    folder = tmp_path / one.target
    assert datasets.main(command) == 2
    said = capsys.readouterr()
    for words in (
        f"licence: {one.licence}\n",
        one.commit,
        one.repo,
        f"{files} files",
        str(folder),
        f"get {name}` again",
    ):
        assert words in said.out
    assert said.err.startswith(f"error: {folder} has 0 MIDI files, and the set {name} has {files}; put them there")
    assert not folder.exists()
    (folder / "below").mkdir(parents=True)
    for number in range(files - 1):
        (folder / "below" / f"{number}.midi").write_bytes(b"MThd")
    assert datasets.main(command) == 2
    assert f"has {files - 1} MIDI files" in capsys.readouterr().err
    assert datasets.state(one, tmp_path) == f"{files - 1} of {files}"
    (folder / "last.mid").write_bytes(b"MThd")
    assert datasets.main(command) == 0
    out = capsys.readouterr().out
    assert f"already in {folder}" in out
    assert "by hand, because" not in out
    # One too many: the folder with the other versions of the songs has been copied too.
    (folder / "more.mid").write_bytes(b"MThd")
    assert datasets.main(command) == 2
    assert f"has {files + 1} MIDI files" in capsys.readouterr().err


def test_of_a_set_without_a_number_any_files_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["get", "lakh", "--data_dir", str(tmp_path)]
    one = read_catalog()["lakh"]
    folder = tmp_path / one.target
    assert datasets.main(command) == 2
    said = capsys.readouterr()
    for words in ("licence: CC BY 4.0", "rights of single files doubtful", "who was not asked", one.page, str(folder)):
        assert words in said.out
    assert max(map(len, said.out.splitlines())) <= 120
    assert said.err == f"error: {folder} has no MIDI files yet; put some there by hand, and run the command again\n"
    assert datasets.state(one, tmp_path) == "no"
    (folder / "0").mkdir(parents=True)
    for name in ("a", "b"):
        (folder / "0" / f"{name}.mid").write_bytes(b"MThd")
        assert datasets.main(command) == 0
        assert datasets.state(one, tmp_path) == "yes"
    assert f"already in {folder}" in capsys.readouterr().out


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


def test_the_list_says_what_is_partly_here(songs: DataSet, mirror: Path, tmp_path: Path) -> None:
    assert datasets.state(songs, tmp_path) == "no"
    datasets.get(songs, tmp_path, str(mirror))
    assert datasets.state(songs, tmp_path) == "yes"
    (tmp_path / "midi/songs/song #3?.mid").write_bytes(b"MThd 9")
    assert datasets.state(songs, tmp_path) == "10 of 11"


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


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        pytest.param("nottingham", "nottingham_melody", marks=pytest.mark.slow),
        ("liberty_minstrel_midi", "liberty_minstrel/midi"),
        pytest.param("fsdd_jackson", "fsdd_jackson", marks=pytest.mark.slow),
        ("sonic_pi", "sonic_pi"),
    ],
)
def test_real_sets_of_many_files_come_from_the_shared_folder(tmp_path: Path, name: str, folder: str) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"the shared data ({folder}) is not here")
    one = catalog.read_catalog()[name]
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / name).symlink_to(SHARED / folder)
    assert datasets.get(one, tmp_path, str(tmp_path / "mirror"))
    found = list((tmp_path / one.target).iterdir())
    assert len(found) == one.files
    assert sum(file.stat().st_size for file in found) == one.bytes
    assert not datasets.get(one, tmp_path)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("nottingham", "nottingham_melody/*.mid"),
        ("fsdd_jackson", "fsdd_jackson/*.wav"),
        ("sonic_pi", "sonic_pi/*.flac"),
    ],
)
def test_the_manifest_is_that_of_the_real_files(name: str, files: str) -> None:
    if not (SHARED / files).parent.is_dir():
        pytest.skip(f"the shared data ({files}) is not here")
    hashes = read_manifest(read_catalog()[name])
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in SHARED.glob(files)}
    assert found == hashes


def test_the_real_chorales_become_midi_files(tmp_path: Path) -> None:
    if not (SHARED / "jsb_chorales").is_dir():
        pytest.skip("the shared data (jsb_chorales) is not here")
    one = catalog.read_catalog()["jsb_chorales"]
    assert datasets.get(one, tmp_path, str(SHARED))
    folder = tmp_path / one.target
    assert {split: len(list((folder / split).glob("*.mid"))) for split in ("train", "valid", "test")} == {
        "train": 229,
        "valid": 76,
        "test": 77,
    }
    assert datasets.state(one, tmp_path) == "yes"
    # What is missing is made again without the network, and what somebody has changed stays.
    (folder / "train/001.mid").unlink()
    (folder / "train/002.mid").write_bytes(b"mine")
    assert datasets.state(one, tmp_path) == "381 of 382"
    assert datasets.get(one, tmp_path)
    assert not datasets.get(one, tmp_path)
    assert (folder / "train/002.mid").read_bytes() == b"mine"
