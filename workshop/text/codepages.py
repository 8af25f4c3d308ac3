"""The encoding of a text that is not Unicode, told by its letters.

Many code pages decode the same bytes to letters of some language: the Hungarian ő of cp1250 is the õ of cp1252. A page
is chosen by how likely its letters are in *one* language (naive Bayes), and no language has both õ and û. On short
lyrics that is right far more often than a detector that knows no alphabets. Where the letters fit no language that is
known here, such a detector, `charset_normalizer`, decides.
"""

# ruff: noqa: RUF001 - look-alikes are what it is about

import math
import re
import unicodedata
from collections import Counter
from functools import cache
from typing import NamedTuple

#: Bytes that are judged: of the lines that are not plain ASCII, from the beginning.
MAX_BYTES = 1 << 13

# fmt: off
#: Of each family of code pages, the letters beyond ASCII of its languages, the most frequent first.
LANGUAGES = {
    "western": (
        "éèàêçùîôâûëïœæ",                     # French
        "ëéïöèêü",                            # Dutch
        "üäößé",                              # German
        "óáíéñúü",                            # Spanish, Irish
        "ãçáéíóêõâúàô",                       # Portuguese
        "èàùòéìóî",                           # Italian
        "àéèóíòúçïü",                         # Catalan
        "äöåé",                               # Swedish, Finnish
        "øåæéöä",                             # Danish, Norwegian
        "áíðóéúþöæý",                         # Icelandic
        "’“”‘–—…", "\u00ad’“”", "\u00a0’“”",  # English, also with soft hyphens or hard spaces out of books
        "©°£«»•€½§®™¡¿×±º¼ª¥¢¶",              # English that has hardly any
    ),
    "central": (
        "íáěéřšýčžůúóďťň",                    # Czech
        "áíúéľčšžýťôňäóďĺŕ",                  # Slovak
        "łęąóżśćńź",                          # Polish
        "áéöóőíüúű",                          # Hungarian
        "ăîşţâ", "ăîșțâ",                     # Romanian, with the cedilla of older pages or the comma
        "šžčćđ",                              # Croatian, Slovene, Bosnian
        "ëç",                                 # Albanian
    ),
    "turkish": ("ışüğçöiâîû",),
    "baltic": ("ėšųžūąčįę", "āīēšūņžļčķģ", "äõüöšž"),  # Lithuanian, Latvian, Estonian
    "vietnamese": ("đ\u0323\u0301\u0300\u0303\u0309ưôơêâăáàóéèíúòãõùìýñ",),
    "cyrillic": (
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",  # Russian
        "оанивтірескулдмпязьбгчйхжшїцюєщфґ",  # Ukrainian
        "анеірытслодкўумвпязьчбгйэцхжюшё",    # Belarusian
        "аоиетнрсвлдкпмзяъучбгцжщхшйфюь",     # Bulgarian
        "аоиенртсјукдвмплгзбљчњжшћцхђфџѓќѕ",  # Serbian, Macedonian
    ),
    "greek": ("αοιετσνηυρπκμλςίόέάωήύώγδθχφβξζψϊϋΐΰ",),
    "hebrew": (
        "יוהלארתבמשנדחכעםפקטגסןצזךףץ"         # with its points
        "\u05b7\u05b8\u05bc\u05b4\u05b0\u05b6\u05b5\u05b9\u05c1\u05b2\u05bb\u05c2\u05b1",
    ),
    "arabic": ("اليمونرتبةعدسفهكقأحجشصطخىضإذزثئءغآظؤ", "ايرندهمتسوشلکبخزقگعفپحغجصچآطضئذژظثء"),  # Arabic, Persian
    "thai": ("นราก่เงอมทยลว้สตะัดบปคหีิไแจใ์พูชขโุธณศถผซึืภญฟษ็ำๆฐฎฉฏฆฤฮฬฒฌฝ",),
}
#: Code pages of one byte, their families, and how likely each one is before a letter is read (natural logarithm): what
#: people have on their disks comes from Windows, then from Unix, then from old Macintoshes and DOS.
PAGES = (
    ("cp1252", "western", 0), ("cp1250", "central", -1), ("cp1251", "cyrillic", 0), ("cp1253", "greek", 0),
    ("cp1254", "turkish", 0), ("cp1255", "hebrew", 0), ("cp1256", "arabic", 0), ("cp1257", "baltic", 0),
    ("cp1258", "vietnamese", -2), ("cp874", "thai", 0),
    ("koi8_r", "cyrillic", -1), ("koi8_u", "cyrillic", -1), ("iso8859_2", "central", -1), ("iso8859_4", "baltic", -1),
    ("iso8859_5", "cyrillic", -1), ("iso8859_6", "arabic", -1), ("iso8859_7", "greek", -1), ("iso8859_8", "hebrew", -1),
    ("iso8859_9", "turkish", -1), ("iso8859_13", "baltic", -1), ("iso8859_15", "western", -1),
    ("mac_roman", "western", -3), ("mac_latin2", "central", -3), ("mac_cyrillic", "cyrillic", -3),
    ("mac_greek", "greek", -3), ("mac_turkish", "turkish", -3), ("cp850", "western", -3), ("cp437", "western", -4),
    ("cp852", "central", -3), ("cp866", "cyrillic", -2), ("cp1125", "cyrillic", -3), ("cp855", "cyrillic", -3),
    ("cp737", "greek", -3), ("cp857", "turkish", -3), ("cp862", "hebrew", -3),
    ("cp860", "western", -4), ("cp861", "western", -4), ("mac_iceland", "western", -4), ("cp775", "baltic", -3),
    ("cp869", "greek", -4), ("cp720", "arabic", -3),
)
# fmt: on
#: Signs that texts of every language have, the most frequent first.
SIGNS = "’“”„‘–—…«»\u00a0°·•©™§´`¿¡€£\u00ad‹›"
#: Signs that do not touch a small letter, nor stand behind any.
SIGNS_OF_NUMBERS = "£©¼½±×§¶¢¥"
#: Share of letters among the non-ASCII characters; the others are signs.
LETTERS = 0.8
#: Natural logarithms of how likely it is that a letter is a capital, comes from a neighbouring language, is in no
#: alphabet of the family at all, is a control character; and that a word has a break in it (see `_breaks`).
CAPITAL, NEIGHBOUR, STRANGER, CONTROL, BREAK = -0.7, -7.0, -9.0, -14.0, -5.0
#: A text whose letters are less likely than this, on average, is in none of these languages: most are East Asian.
FITS = -5.0
#: Number of most likely pages, by letters, whose word breaks are scored as well.
WITH_BREAKS = 20


class _Common(NamedTuple):
    """What nearly all characters of an East Asian text are: `share` of them lie in what `codec` decodes the bytes of
    `first` followed by `second` to, and among them is at least the share `kana` of kana.
    """

    pages: tuple[str, ...]
    codec: str
    first: range
    second: range
    share: float
    kana: float


_ROW = range(0xA1, 0xFF)
#: From the strictest to the most lenient: Korean is common Chinese to the page of Chinese, but not the reverse.
EAST_ASIAN = (
    _Common(("shift_jis", "cp932", "euc_jp"), "euc_jp", range(0xA4, 0xD0), _ROW, 0.8, 0.1),
    _Common(("cp949",), "euc_kr", range(0xB0, 0xC9), _ROW, 0.85, 0),
    _Common(("gb18030",), "gb2312", range(0xB0, 0xD8), _ROW, 0.75, 0),
    _Common(("big5",), "big5", range(0xA4, 0xC7), range(0x40, 0xFF), 0.75, 0),
)
#: What charset_normalizer chooses from, where nothing else is known.
OTHERS = ("shift_jis", "cp932", "euc_jp", "cp949", "johab", "gb18030", "big5", "big5hkscs")


def candidates(data: bytes) -> list[str]:
    """The encodings, other than Unicode's, that `data` may be in, the likeliest first.

    They decode the beginning of it; whether all of it, is to be tried.
    """
    data = b"".join(line for line in data.splitlines(keepends=True) if not line.isascii())
    # A character cut in two at the end of the sample would speak against the right encoding.
    sample = data if len(data) <= MAX_BYTES else data[: data.rfind(b"\n", 0, MAX_BYTES) + 1] or data[:MAX_BYTES]
    by_likelihood = sorted(_scored(sample), reverse=True)
    pages = [page for _, _, page in by_likelihood]
    letters = sum(byte > 0x7F for byte in sample)
    if by_likelihood and by_likelihood[0][0] > FITS * letters:
        return pages
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(OTHERS), threshold=0.5).best()
    return [*_east_asian(sample), *([best.encoding] if best else []), *pages]


# ---- pages of one byte -----------------------------------------------------------------------------------------------


def _scored(sample: bytes) -> list[tuple[float, int, str]]:
    """Of each page that decodes `sample`: its log-likelihood, minus its place in the list, its name."""
    counts = Counter(byte for byte in sample if byte > 0x7F)
    found = []
    for place, (page, family, prior) in enumerate(PAGES):
        models = [_model(page, family, language) for language in LANGUAGES[family]]
        if counts.keys() <= models[0].keys():
            likeliest = max(sum(count * model[byte] for byte, count in counts.items()) for model in models)
            found.append((prior + likeliest, -place, page))
    # Breaks only make a page less likely, and take time to find: the others are far behind already.
    found.sort(reverse=True)
    return [
        (likelihood + BREAK * _breaks(sample.decode(page)), place, page)
        for likelihood, place, page in found[:WITH_BREAKS]
    ]


@cache
def _model(page: str, family: str, language: str) -> dict[int, float]:
    """The log-probability of each byte above ASCII that `page` decodes, in a language."""
    letters = _falling(SIGNS, 1 - LETTERS) | _falling(language, LETTERS)
    neighbours = set("".join(LANGUAGES[family]))
    decoded = ((byte, bytes([byte]).decode(page, "ignore")) for byte in range(0x80, 0x100))
    return {byte: _one(character, letters, neighbours) for byte, character in decoded if character}


def _falling(characters: str, share: float) -> dict[str, float]:
    """Log-probabilities that add up to `share` and fall evenly from the first character to the last."""
    n = len(characters)
    return {character: math.log(share * 2 * (n - place) / (n * (n + 1))) for place, character in enumerate(characters)}


def _one(character: str, letters: dict[str, float], neighbours: set[str]) -> float:
    if character in letters:
        return letters[character]
    small = character.lower()
    if small != character and small in letters:
        return letters[small] + CAPITAL
    if unicodedata.category(character) in ("Cc", "Cn", "Co"):
        return CONTROL
    return NEIGHBOUR if small in neighbours else STRANGER


#: Within a word: a capital after a small letter, two scripts, a sign between letters or at the beginning. Two
#: characters of ASCII are never a break, because every page decodes them alike.
_BREAK = re.compile(r"(?=aL|lA|lL|xX|[aAlL][xX]|[xX][aAlL]|[aAlLxX]\.[aAlLxX]|[aAlLxX]£|£[al]|[lLxX]0|0[lLxX]|LA[al])")


def _breaks(text: str) -> int:
    """How often the characters of a word do not belong together."""
    classes = {ord(character): _class(character) for character in set(text)}
    return len(_BREAK.findall(text.translate(classes)))


def _class(character: str) -> str:
    """`a` or `A` for a letter of ASCII, `l` or `L` for another Latin one, `x` or `X` for one of another script, `.` for
    a sign that does not belong into a word, `£` for one that does not stand in front of one either, a space for all
    others.
    """
    if character in SIGNS_OF_NUMBERS:
        return "£"
    if character in "0123456789":
        return "0"
    if not character.isalpha():
        belongs = character <= "\x7f" or character in "’\u00ad\u00a0–—…·" or unicodedata.combining(character)
        return " " if belongs else "."
    kind = "a" if character <= "\x7f" else "l" if unicodedata.name(character, "").startswith("LATIN") else "x"
    return kind.upper() if character.isupper() else kind


# ---- East Asian encodings --------------------------------------------------------------------------------------------


def _east_asian(sample: bytes) -> list[str]:
    """The encodings in which nearly all characters of `sample` are common ones of the language."""
    found = []
    for common in EAST_ASIAN:
        for page in common.pages:
            try:
                text = sample.decode(page)
            except UnicodeDecodeError:
                continue
            characters = [character for character in text if character.isalpha() and character > "\x7f"]
            usual = sum(character in _characters(common) for character in characters)
            kana = sum("\u3040" < character < "\u3100" for character in characters)
            if characters and usual >= common.share * len(characters) and kana >= common.kana * len(characters):
                found.append(page)
    return found


@cache
def _characters(common: _Common) -> frozenset[str]:
    pairs = (bytes([first, second]) for first in common.first for second in common.second)
    return frozenset("".join(pair.decode(common.codec, "ignore") for pair in pairs))
