"""Documents, archives, music and sound that are given to the lesson on text, and data of another lesson's kind."""

import io
import subprocess
import sys
import tarfile
import wave
import zipfile
from pathlib import Path

import pytest

from char_rnn import dataset
from workshop import ROOT
from workshop.audio.audiofiles import find_audio_files
from workshop.datasets import command_line as datasets
from workshop.errors import UserError
from workshop.lessons import lessons
from workshop.notes.midifiles import find_midi_files
from workshop.text.textfiles import detect_encoding, find_text_files

SONG = "the morning comes over the hill and the river runs on\n" * 30


def zipped(*names: str, first: str = "") -> bytes:
    """A zip archive with files of these names; `first` is stored in a file called mimetype."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        if first:
            file.writestr("mimetype", first)
        for name in names:
            file.writestr(name, "<xml>" + "text" * 50, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def tarred() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        file.addfile(tarfile.TarInfo("song.txt"))
    return archive.getvalue()


def wav() -> bytes:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(800))
    return sound.getvalue()


HTML = "<!DOCTYPE html>\n<html><body><p>la la la</p></body></html>\n"
RUBBISH = {
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF", "save it as plain text"),
    "rtf": (b"{\\rtf1\\ansi la la la}", "rich text", "save it as plain text"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "a document of an older Word", "save it as plain text"),
    "docx": (zipped("[Content_Types].xml", "word/document.xml"), "a Word document", "save it as plain text"),
    "odt": (
        zipped("content.xml", first="application/vnd.oasis.opendocument.text"),
        "an OpenDocument text",
        "save it as plain text",
    ),
    "epub": (zipped("a.xhtml", first="application/epub+zip"), "an e-book", "save it as plain text"),
    "pages": (zipped("Index/Document.iwa"), "a Pages document", "save it as plain text"),
    "zip": (zipped("song.txt"), "an archive (zip)", "unpack it"),
    "tar": (tarred(), "an archive (tar)", "unpack it"),
    "html": (HTML.encode(), "a web page", "save it as plain text"),
    "html in UTF-16": (HTML.encode("utf-16"), "a web page", "save it as plain text"),
    "xhtml": (b'<?xml version="1.0"?>\n<!-- a page -->\n<HTML lang="en">', "a web page", "save it as plain text"),
    "midi": (b"MThd\0\0\0\6\0\0\0\1\0\x60", "a MIDI file", "midi_rnn"),
    "wav": (wav(), "a sound file", "wavenet"),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_it_is_named_with_the_cure_by_inspect_and_by_training_alike(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, what, cure = RUBBISH[name]
    file = tmp_path / "songs.txt"
    file.write_bytes(content)
    with pytest.raises(UserError) as refused:
        dataset.load(file)
    sentence = str(refused.value)
    assert sentence.startswith(f"{file} is {what}")
    assert cure in sentence
    assert datasets.main(["inspect", str(file)]) == 2
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize("name", ["pdf", "docx", "html", "zip"])
def test_among_texts_it_is_skipped_with_its_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text(SONG)
    (tmp_path / f"b.{name}").write_bytes(RUBBISH[name][0])
    text = dataset.load(tmp_path)
    assert (text.facts.files, text.facts.used) == (2, 1)
    assert len(text.skipped) == 1
    assert text.skipped[0].startswith(f"{tmp_path / f'b.{name}'} is {RUBBISH[name][1]}")


@pytest.mark.parametrize(
    "text", ["< 3 you\n", "%PD is no file\n", "PK is a name\n", "<3 <3\nhtml\n", "{la la}\n", "Riff, WAVE after WAVE\n"]
)
def test_songs_that_begin_oddly_are_texts(tmp_path: Path, text: str) -> None:
    file = tmp_path / "song.txt"
    file.write_text(text * 5)
    assert detect_encoding(file) == "utf-8"


def test_what_is_about_the_texts_is_none_of_them(tmp_path: Path) -> None:
    about = ("README", "README.md", "readme-first.txt", "SOURCE.txt", "LICENSE", "LICENSE-MIT.txt", "COPYING.txt")
    for name in (*about, "License to Dance.txt", "source_of_joy.txt"):
        (tmp_path / name).write_text(SONG)
    assert [file.name for file in find_text_files(tmp_path)] == ["License to Dance.txt", "source_of_joy.txt"]


# ---- data of another kind

FINDERS = {"char_rnn": find_text_files, "midi_rnn": find_midi_files, "wavenet": find_audio_files}
FILES = {"char_rnn": "song.txt", "midi_rnn": "tune.mid", "wavenet": "tone.flac"}


@pytest.mark.parametrize("asked", FINDERS)
@pytest.mark.parametrize("fits", FINDERS)
def test_data_of_another_lesson_names_it(tmp_path: Path, asked: str, fits: str) -> None:
    file = tmp_path / FILES[fits]
    file.write_text(SONG)
    (tmp_path / "SOURCE.txt").write_text(SONG)
    if asked == fits:
        assert FINDERS[asked](tmp_path) == FINDERS[asked](file) == [file]
        return
    for path in (tmp_path, file):
        with pytest.raises(UserError, match=f"the lesson {fits} learns from"):
            FINDERS[asked](path)


def test_a_word_about_much_music_is_no_text_to_learn(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.mid").write_bytes(b"MThd")
    (tmp_path / "about.txt").write_text(SONG)
    with pytest.raises(UserError, match=r"has hardly any text files \(found: 5 \.mid\).*midi_rnn"):
        find_text_files(tmp_path)
    (tmp_path / "more.txt").write_text(SONG)
    assert len(find_text_files(tmp_path)) == 2


@pytest.mark.parametrize(
    ("folder", "said", "unsaid"),
    [
        ("data/audio/mine", ".wav or .flac", ".mid"),
        ("data/midi/mine", ".mid or .midi", ".wav"),
        ("data/lyrics/mine", ".txt or .abc", ".mid"),
        ("elsewhere", ".txt or .abc files in it, or files of another kind (MIDI: .mid", "no such"),
    ],
)
def test_inspect_says_what_could_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str, said: str, unsaid: str
) -> None:
    where = tmp_path / folder
    where.mkdir(parents=True)
    (where / "loop.xyz").write_bytes(b"?")
    assert datasets.main(["inspect", str(where)]) == 2
    sentence = capsys.readouterr().err
    assert "(found: 1 .xyz)" in sentence
    assert said in sentence
    assert unsaid not in sentence


# ---- a forgotten cd


@pytest.mark.parametrize("script", ["train.py", "sample.py"])
def test_a_script_that_is_asked_for_in_the_root_names_the_lessons(script: str) -> None:
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert ", ".join(f"{lesson.name}/{script}" for lesson in lessons()) in done.stderr
    assert done.stderr.endswith(f"as in `cd char_rnn && python {script}`\n")
