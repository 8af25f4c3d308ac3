"""Files that hold text, music or sound in another form than a lesson on text reads, told by their first bytes."""

import re
from pathlib import Path

from workshop.errors import UserError
from workshop.lessons import of_kind

SAVE = "open it and save it as plain text (.txt)"
UNPACK = "unpack it, and give the folder with what was in it"


def _taught(kind: str) -> str:
    lesson = of_kind(kind)
    return f"the lesson {lesson.name} learns from it" if lesson else "no lesson learns from it"


#: How a file begins, what it is then, and what to do about it.
SIGNATURES = tuple(
    (re.compile(begins, re.DOTALL), what, cure)
    for begins, what, cure in (
        (rb"%PDF", "a PDF", SAVE),
        (rb"\{\\rtf", "rich text (RTF)", SAVE),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an older Word or Office (doc)", SAVE),
        (rb"%!PS", "PostScript", SAVE),
        (rb".{60}BOOKMOBI", "an e-book (mobi)", SAVE),
        (rb"\x1f\x8b\x08", "a compressed file (gzip)", UNPACK),
        (rb"BZh[1-9]1AY", "a compressed file (bzip2)", UNPACK),
        (rb"\xfd7zXZ\0", "a compressed file (xz)", UNPACK),
        (rb"\x28\xb5\x2f\xfd", "a compressed file (zstd)", UNPACK),
        (rb"7z\xbc\xaf\x27\x1c", "an archive (7z)", UNPACK),
        (rb"Rar!\x1a\x07", "an archive (rar)", UNPACK),
        (rb".{257}ustar", "an archive (tar)", UNPACK),
        (rb"MThd\0\0", "a MIDI file", _taught("MIDI")),
        (rb"fLaC|OggS|ID3[\x02-\x04]|caff\0|RIFF.{4}WAVE|FORM.{4}AIF[FC]", "a sound file", _taught("audio")),
        (rb".{4}ftyp|\x1aE\xdf\xa3", "a sound or video file", _taught("audio")),
    )
)
#: What a zip archive is where it holds this, in the first bytes of it.
IN_ZIP = (
    (b"word/", "a Word document (docx)"),
    (b"opendocument.text", "an OpenDocument text (odt)"),
    (b"epub+zip", "an e-book (epub)"),
    (b"Index/Document.iwa", "a Pages document"),
    (b"ppt/", "a presentation (pptx)"),
    (b"xl/", "a spreadsheet (xlsx)"),
    (b"opendocument", "an OpenDocument file"),
)
#: How a web page begins, behind comments and the declaration of XML; as text, because it may be in UTF-16.
WEB_PAGE = re.compile(
    r"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|title|meta|script|style|div|table|p)\b",
    re.IGNORECASE | re.DOTALL,
)
#: Suffixes of documents and archives: in a folder they are reported, not ignored.
SUFFIXES = (
    ".pdf", ".rtf", ".doc", ".docx", ".odt", ".pages", ".epub", ".mobi", ".html", ".htm", ".xhtml",
    ".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz",
)  # fmt: skip


def refuse(path: Path, sample: bytes) -> None:
    """Refuse a document, an archive, music or sound: `sample` is what the file begins with.

    Raises:
        UserError: it is one; the sentence says which, and what to do.
    """
    for begins, what, cure in SIGNATURES:
        if begins.match(sample):
            raise UserError(f"{path} is {what}, not plain text: {cure}")
    if sample.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        what = next((what for inside, what in IN_ZIP if inside in sample), "")
        if what:
            raise UserError(f"{path} is {what}, not plain text: {SAVE}")
        raise UserError(f"{path} is an archive (zip), not plain text: {UNPACK}")


def refuse_web_page(path: Path, text: str) -> None:
    """Refuse HTML, which would teach a network tags: `text` is what the file begins with.

    Raises:
        UserError: it is a web page.
    """
    if WEB_PAGE.match(text):
        raise UserError(
            f"{path} is a web page (HTML), not plain text: open it in a browser, copy its text, and save it as plain "
            "text (.txt)"
        )
