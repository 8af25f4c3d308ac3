"""Names of students, as they type them and as the hub keeps them."""

import re
import unicodedata

#: Letters that are written with two where there is only ASCII; others lose their accents.
SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "þ": "th", "ð": "d"}
)

#: Characters of a name; a container's name has to have room for more than it.
LONGEST = 40


def plain_name(typed: str) -> str:
    """A name in small letters, digits and hyphens: it is part of web addresses and of the names of containers.

    `Jörg Müller` becomes `joerg-mueller`, and a character that has no such spelling becomes its code, so that names in
    other scripts stay different from each other. The result is '' where nothing of the name is a letter or a digit.
    """
    parts = []
    for character in unicodedata.normalize("NFC", typed).lower().translate(SPELT):
        base = "".join(one for one in unicodedata.normalize("NFKD", character) if not unicodedata.combining(one))
        if base.isascii():
            parts.append(base)
        elif character.isalnum():
            parts.append(f"u{ord(character):x}")
    return re.sub(r"[^a-z0-9]+", "-", "".join(parts).lower()).strip("-")[:LONGEST].strip("-")
