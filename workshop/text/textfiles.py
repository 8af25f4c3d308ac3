"""Text files of any size and encoding: which ones a folder holds, how they are encoded, and their text piece by piece.

Nothing here holds a whole file in memory: a text of 1 GB costs as much memory as one of 4 MB.
"""

import codecs
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from workshop import folders
from workshop.errors import UserError
from workshop.folders import MAX_ENTRIES, find_files
from workshop.nearest import did_you_mean
from workshop.text import documents

SUFFIXES = folders.SUFFIXES["text"]

#: Bytes looked at to tell text from binary and to guess an encoding that is not UTF-8.
SAMPLE_BYTES = 1 << 18

#: A larger share of control characters than this is no text.
#: Logs with colour codes stay below, compressed data is above.
CONTROL_SHARE = 0.05

#: Text in UTF-16 or UTF-32 has no larger share of control characters, of characters for private use (logos) and of such
#: as Unicode does not have, or has only since a later version.
ODD_SHARE = 0.01

#: UTF-32 comes before UTF-16: its little-endian mark begins with that of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: How Japanese, Korean and Chinese mail switches alphabets: all of it is bytes of ASCII, so nothing else tells.
ESCAPES = (
    (re.compile(rb"\x1b\$\)C[^\x1b]"), ("iso2022_kr",)),
    (re.compile(rb"\x1b\$\(?[@-D][!-~]{2}"), ("iso2022_jp", "iso2022_jp_2", "iso2022_jp_ext")),
    (re.compile(rb"~\{([!-~]{2})+~\}"), ("hz",)),
)

#: Where no code page fits: of people's texts most are in the first, and nothing is refused by the second.
LAST_RESORTS = ("cp1252", "latin-1")


def find_text_files(path: Path, most: int = MAX_ENTRIES) -> list[Path]:
    """Return the text files at ``path``.

    For a file that is the file itself; for a folder its ``input.txt`` if it has one, else every ``.txt`` and ``.abc``
    in it and in the folders below, without a README, a licence and the like; documents such as ``.pdf`` are among them,
    so that reading them says what to do. ``most`` of what it holds is looked at.

    Raises:
        UserError: there is no such path, it holds no text files or far too many, or its only one may not be read.
    """
    return find_files(path, SUFFIXES, "text", whole="input.txt", skip=folders.ABOUT, also=documents.SUFFIXES, most=most)


def text_or_file(given: str) -> str:
    """The text of the file that ``given`` names, or ``given`` itself where there is no such file.

    Raises:
        UserError: the file is not text.
    """
    try:
        is_file = Path(given).is_file()
    except (OSError, ValueError):  # too long for a file name, or with characters that none can have
        is_file = False
    return "".join(read_chunks(Path(given), detect_encoding(Path(given)))) if is_file else given


def detect_encoding(path: Path, given: str | None = None) -> str:
    """Return the name of the codec that decodes the whole of ``path``.

    ``given`` comes before everything else. Then a byte-order mark decides, then the zeros of UTF-16 and UTF-32 and the
    escapes of ISO-2022, then strict UTF-8 over the whole file, then a guess by its letters. Whichever it is decodes the
    whole file.

    Raises:
        UserError: the file is empty, no plain text or unreadable, ``given`` names no encoding, or it does not decode
            the file.
    """
    if given is not None:
        given = _known_encoding(given)
    with _opened(path) as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample or sample in dict(BYTE_ORDER_MARKS):
        raise UserError(f"{path} is empty; put some text in it or take it away")
    documents.refuse(path, sample)
    encoding = given or _encoding_by_mark(sample) or _wide_encoding(sample) or _by_escapes(path, sample)
    _refuse_binary(path, sample, encoding or "cp1252")
    if encoding:
        error = _first_error(path, encoding)
        if error is not None:
            raise UserError(_undecodable(path, encoding, error))
        return encoding
    error = _first_error(path, "utf-8")
    return "utf-8" if error is None else _guess(path, error)


def read_chunks(
    path: Path, encoding: str, chunk_bytes: int = 1 << 22, tell: Callable[[int], object] = lambda count: None
) -> Iterator[str]:
    r"""Yield the text of ``path`` piece by piece, none of them empty, reading ``chunk_bytes`` bytes at a time.

    Line ends come out as ``\n`` alone (also where a piece ends between ``\r`` and ``\n``), and a byte-order mark is
    left out. The pieces joined are the whole text. ``tell`` is called with the number of bytes of each reading.

    Raises:
        UserError: the file is empty, may not be read, or ``encoding`` does not decode it.
    """
    at_start, empty = True, True
    for text in _decoded(path, encoding, chunk_bytes, tell):
        if at_start:
            text = text.removeprefix("\ufeff")
            at_start = False
        if text:
            empty = False
            yield text
    if empty:
        raise UserError(f"{path} is empty; put some text in it or take it away")


def _opened(path: Path) -> io.BufferedReader:
    try:
        return open(path, "rb")
    except OSError as error:
        raise UserError(f"{path} may not be read ({error.strerror}); change its permissions or move it away") from None


def _decoded(path: Path, encoding: str, chunk_bytes: int, tell: Callable[[int], object]) -> Iterator[str]:
    r"""Yield non-empty decoded pieces with line ends as \n; a UserError names the byte that does not decode."""
    # The newline decoder keeps a \r at the end of a piece back until it has seen what follows.
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    position = 0
    with _opened(path) as file:
        while True:
            data = file.read(chunk_bytes)
            position += len(data)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise UserError(_undecodable(path, encoding, _offset(error, position))) from None
            except UnicodeError:
                # Such as a codec that misses its byte-order mark; it names no place.
                raise UserError(_undecodable(path, encoding, 0)) from None
            if text:
                yield text
            if not data:
                return
            tell(len(data))


def _offset(error: UnicodeDecodeError, position: int) -> int:
    """Return where in the file a decoder stumbled: it was given the bytes that it had kept back and the new ones."""
    return position - len(error.object) + error.start


def _undecodable(path: Path, encoding: str, offset: int) -> str:
    return (
        f"{path} is not {encoding}: byte {offset:,} does not fit; "
        "say what it is with --encoding (such as utf-8 or cp1252)"
    )


def _first_error(path: Path, encoding: str) -> int | None:
    """Decode the whole file and drop the text; return how many bytes come before the first error, None without one."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    with _opened(path) as file:
        while True:
            data = file.read(1 << 20)
            position += len(data)
            if encoding == "utf-8" and b"\0" in data:
                raise UserError(_binary(path))
            try:
                decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                return _offset(error, position)
            except UnicodeError:
                return 0
            if not data:
                return None


def _known_encoding(given: str) -> str:
    """Return Python's name of the encoding ``given``, or raise a UserError with the nearest name."""
    try:
        name = codecs.lookup(given).name
        # Codecs such as hex, punycode or idna turn text into text or bytes into bytes;
        # none of them is how a song is stored.
        if name in ("punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape"):
            raise LookupError
        "a".encode(name)
        codecs.getincrementaldecoder(name)
    except (LookupError, UnicodeError, ValueError):
        import encodings.aliases

        names = {*encodings.aliases.aliases, *encodings.aliases.aliases.values(), "utf-8", "utf-16", "latin-1"}
        raise UserError(
            f'--encoding "{given}" is not an encoding that Python knows{did_you_mean(given, names)}; '
            "leave it out to have it detected"
        ) from None
    return name


def _encoding_by_mark(sample: bytes) -> str | None:
    return next((encoding for mark, encoding in BYTE_ORDER_MARKS if sample.startswith(mark)), None)


def _wide_encoding(sample: bytes) -> str | None:
    """Recognise UTF-16 and UTF-32 without a mark, in any script: decoded, they are text, with spaces or ends of lines.

    Only they have zeros in spaces. Letters of ASCII in pairs would be Chinese in UTF-16, so a text that is mostly those
    has a zero beside each.
    """
    zeros = sample.count(0)
    printable = sum(map(sample.count, range(0x20, 0x7F)))
    if not zeros or (zeros < len(sample) // 4 and zeros + printable > 0.95 * len(sample)):
        return None
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        try:
            # Not the last character, which the end of the sample may cut.
            text = codecs.getincrementaldecoder(encoding)().decode(sample)
        except UnicodeDecodeError:
            continue
        kinds = Counter(map(unicodedata.category, re.sub("[\t\n\r\f\v\x1a]", " ", text)))
        spaces = sum(map(text.count, " \r\n\u3000"))
        odd = sum(kinds[kind] for kind in ("Cc", "Cn", "Co"))
        if spaces > odd and odd <= ODD_SHARE * len(text) and "\0" not in text:
            return encoding
    return None


def _by_escapes(path: Path, sample: bytes) -> str | None:
    """Recognise ISO-2022 and HZ."""
    for escape, encodings in ESCAPES:
        if escape.search(sample):
            return next((encoding for encoding in encodings if _first_error(path, encoding) is None), None)
    return None


def _binary(path: Path) -> str:
    return f"{path} is not text but binary data; save it as plain text in UTF-8, or take it out of the folder"


def _refuse_binary(path: Path, sample: bytes, encoding: str) -> None:
    """Refuse what is no text when it is decoded, and what is a web page."""
    try:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    except UnicodeError:
        # A codec that misses its byte-order mark. Decoding the whole file is about to say so.
        return
    ordinary = "\t\n\r\f\v\x1a"
    # A zero is a letter's other half in UTF-16 and UTF-32, and after decoding no text has one.
    controls = sum(
        count for one, count in Counter(text).items() if unicodedata.category(one) == "Cc" and one not in ordinary
    )
    if "\0" in text or controls > CONTROL_SHARE * len(text):
        raise UserError(_binary(path))
    documents.refuse_web_page(path, text.removeprefix("\ufeff"))


def _guess(path: Path, offset: int) -> str:
    """Guess the encoding of a text that is not UTF-8 (``offset``: the first byte that is not)."""
    # What comes before it is mostly ASCII and says little.
    with _opened(path) as file:
        file.seek(max(0, offset - SAMPLE_BYTES // 2))
        sample = file.read(SAMPLE_BYTES)
    if _is_damaged_utf8(sample):
        raise UserError(
            f"{path} is UTF-8 but damaged at byte {offset:,}; repair it there, or say how to read it with "
            "--encoding (cp1252 takes nearly anything)"
        )
    from workshop.text.codepages import candidates

    # A line cut at the beginning would speak against the right encoding.
    whole_lines = sample[sample.find(b"\n") + 1 :] if offset > SAMPLE_BYTES // 2 else sample
    for encoding in (*candidates(whole_lines or sample), *LAST_RESORTS):
        if _first_error(path, encoding) is None:
            return codecs.lookup(encoding).name
    raise AssertionError("latin-1 decodes everything")


def _is_damaged_utf8(sample: bytes) -> bool:
    """Whether most of what is not ASCII is UTF-8 all the same; in another encoding hardly any of it is, by accident."""
    text = sample.decode("utf-8", "replace")
    errors = text.count("\ufffd")
    others = len(text) - sum(map(str.isascii, text)) - errors
    return others > 4 * errors
