"""Pages that are one file: they load nothing, run no script, and work without a network. Everything that other people
have written is escaped.
"""

import base64
import hashlib
from html import escape
from pathlib import Path

from workshop.concert.media import Media
from workshop.errors import UserError
from workshop.files import write_text
from workshop.visible import visible

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; }
.wide { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; vertical-align: top; border-bottom: 1px solid #8884; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; max-height: 20rem; overflow: auto; border-left: 3px solid #8886; padding-left: .8rem; }
img { max-width: 100%; background: white; }
audio { width: 100%; max-width: 30rem; }
article { border-top: 1px solid #8886; padding: 1rem 0; }
.small { font-size: .85rem; opacity: .8; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; media-src data:; base-uri 'none'"

#: What a page consists of.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def plain(text: object) -> str:
    """A text as HTML that shows it, whatever it is."""
    return escape(visible(str(text)))


def media(found: Media, what: str) -> str:
    """Something to hear, see or read, as HTML; `what` describes it for those who cannot."""
    if found.kind == "text/plain":
        return f"<pre>{plain(found.text)}</pre>"
    if found.kind == "image/png":
        return f'<img alt="{plain(what)}" src="{found.address}">'
    return f'<audio controls preload="metadata" aria-label="{plain(what)}" src="{found.address}"></audio>'


def table(head: list[str], rows: list[list[str]], numbers: set[int]) -> str:
    """A table of cells that are HTML; `numbers` are the columns of numbers."""

    def cell(kind: str, column: int, content: str) -> str:
        number = ' class="number"' if column in numbers else ""
        return f"<{kind}{number}>{content}</{kind}>"

    lines = ["".join(cell("th", *one) for one in enumerate(head))]
    lines += ["".join(cell("td", *one) for one in enumerate(row)) for row in rows]
    return '<div class="wide"><table>' + "".join(f"<tr>{line}</tr>\n" for line in lines) + "</table></div>"


def write(path: Path, title: str, body: str) -> None:
    """Write a page.

    Raises:
        UserError: it cannot be written.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: name the file that the page is written to, such as {path / 'page.html'}")
    write_text(path, _PAGE.format(policy=_POLICY, style=_STYLE, title=plain(title), body=body))
