"""Take the book out of a Project Gutenberg file: the header, the credits and the licence around it are no song."""

import re

_START = re.compile(r"^\*\*\* ?START OF (?:THIS|THE) PROJECT GUTENBERG.*$", re.IGNORECASE | re.MULTILINE)
#: Books of the nineties end their preamble with this line instead.
_OLD_START = re.compile(r"^\*END\*?\s?THE SMALL PRINT!.*$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(
    r"^(?:\*\*\* ?END OF (?:THIS|THE) PROJECT GUTENBERG|\s*End of (?:the |this )?Project Gutenberg\b)",
    re.IGNORECASE | re.MULTILINE,
)
#: A paragraph right after the start line that tells who made the file, and not what is in the book.
_CREDIT = re.compile(
    r"\s*(?:\[?(?:e-?text|etext|this e-?text|this e-?book|this file)\b.*(?:prepared|produced|scanned|created|provided)"
    r"|(?:produced|prepared|scanned|transcribed|html version) by\b"
    r"|\[?transcriber'?s'? notes?\b"
    r"|\[?note:? project gutenberg)",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"\n*((?:[^\n]*\S[^\n]*\n?)+)")


def strip_gutenberg(text: str) -> str:
    r"""Return the book in ``text`` without Project Gutenberg's header, credits and licence.

    A text without the marker lines comes back as it is, but for empty lines around it. Line ends become ``\n``, lines
    lose their trailing blanks, and three or more empty lines in a row become two: books are full of them, and a network
    would spend its effort on counting them.

    Args:
        text: the whole file.
    """
    text = "\n".join(line.rstrip() for line in text.lstrip("\ufeff").splitlines())
    start = _START.search(text) or _OLD_START.search(text)
    body = text[start.end() :] if start else text
    end = _END.search(body)
    body = body[: end.start()] if end else body
    if start:
        body = _without_credits(body)
    return re.sub(r"\n{4,}", "\n\n\n", body).strip("\n") + "\n"


def _without_credits(body: str) -> str:
    """Drop the paragraphs at the head of ``body`` that name the makers of the file."""
    while (paragraph := _PARAGRAPH.match(body)) and _CREDIT.match(paragraph[1]):
        body = body[paragraph.end() :]
    return body
