"""How the pages in this folder become a site: `python -m workshop.docs build`."""

import re
from typing import Any

project = "ml4music workshop"
author = "the ml4music workshop"
html_title = project
# In the footer of each page.
project_copyright = "the ml4music workshop; text and code under the MIT licence"
extensions = ["myst_parser", "sphinx_copybutton"]
# JupyterLab opens on this page; in the site it would lead nowhere.
exclude_patterns = ["notebooks/README.md"]
html_theme = "furo"
html_static_path = ["site"]
html_favicon = "site/favicon.svg"
html_css_files = ["site.css"]
html_js_files = ["links.js"]
html_show_sphinx = False
html_copy_source = False
highlight_language = "text"
# Quotation marks become round; two hyphens stay, because they begin an argument.
smartquotes_action = "q"
# Links to headings, with the same anchors as on GitHub.
myst_heading_anchors = 3

#: A picture or a sound in a page: `<!-- picture: FILE | what it shows -->`. On GitHub it is invisible.
MEDIA = re.compile(r"^<!-- (picture|sound): (\S+) \| (.+) -->$", re.MULTILINE)
#: All other comments are said to the tests and to the benchmarks, and to nobody else.
ASIDE = re.compile(r"^<!-- .*-->\n", re.MULTILINE)


#: A block of commands in a page's HTML, and an argument in it.
COMMANDS = re.compile(r'<div class="highlight-sh .*?</pre>', re.DOTALL)
ARGUMENT = re.compile(r"(?<=[>\s])--[a-z_]+")


def show(found: re.Match[str]) -> str:
    """The HTML of a picture or a sound, with its caption."""
    kind, file, caption = found.groups()
    player = f'<img src="media/{file}" alt="{caption}">'
    if kind == "sound":
        player = f'<audio controls preload="none" src="media/{file}"></audio>'
    return f"<figure>{player}<figcaption>{caption}</figcaption></figure>"


def contents(text: str) -> str:
    """The navigation: the pages in the order in which the first page links to them."""
    pages = "\n".join(dict.fromkeys(re.findall(r"\]\(([\w-]+)\.md\)", text)))
    return f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def prepare(_app: Any, page: str, source: list[str]) -> None:
    """Put pictures and sounds into a page, and take out what is not for readers."""
    source[0] = ASIDE.sub("", MEDIA.sub(show, source[0]))
    if page == "index":
        source[0] += contents(source[0])


def keep_arguments(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Mark the arguments of commands, so that the style sheet can keep each on one line."""
    context["body"] = COMMANDS.sub(lambda block: ARGUMENT.sub(r'<span class="argument">\g<0></span>', block[0]),
        context.get("body", ""))  # fmt: skip


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", prepare)
    app.connect("html-page-context", keep_arguments)
