"""Names of students, as they type them and as the hub keeps them."""

import hashlib
import re
import unicodedata

#: Letters that are written with two where there is only ASCII; others lose their accents.
SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "þ": "th", "ð": "d"}
)

#: Characters of a name; a container's name has to have room for more than it. A longer one ends in so many digits of
#: its hash, which keep it different from others that begin as it does: eight letters of another script fill a name.
LONGEST, HASHED = 40, 10

#: Marks that a name can do without: accents, and how a character is drawn. Other scripts write vowels with marks, which
#: tell names apart.
_ACCENTS = re.compile("[\u0300-\u036f\ufe00-\ufe0f]")

#: How a name would end that is the hub's, for its container and its volume have names as students' have.
_HUB = re.compile(r"(?:^|-)hub$")


def plain_name(typed: str) -> str:
    """A name in small letters, digits and hyphens: it is part of web addresses and of the names of containers.

    `Jörg Müller` becomes `joerg-mueller`, and a character that has no such spelling becomes its code, so that names in
    other scripts stay different from each other. The hub keeps its own name. The result is '' where nothing of the name
    is a letter or a digit.
    """
    parts = []
    for character in unicodedata.normalize("NFC", typed).lower().translate(SPELT):
        base = _ACCENTS.sub("", unicodedata.normalize("NFKD", character))
        if base.isascii():
            parts.append(base)
        elif unicodedata.category(character)[0] in "LMN":
            parts.append(f"u{ord(character):x}")
    name = re.sub(r"[^a-z0-9]+", "-", "".join(parts).lower()).strip("-")
    if _HUB.search(name):
        name += "-1"
    if len(name) <= LONGEST:
        return name
    digits = hashlib.sha256(name.encode()).hexdigest()[:HASHED]
    return f"{name[: LONGEST - HASHED - 1].strip('-')}-{digits}"
