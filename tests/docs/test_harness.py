"""What the pages are checked with can say no."""

import os
from pathlib import Path

import pytest
from pages import Wrong, anchors, blocks, broken_links, follow


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page in an otherwise empty tree."""
    (tmp_path / "a tree" / "docs").mkdir(parents=True)
    return tmp_path / "a tree" / "docs" / "page.md"


def followed(page: Path, text: str, home: Path) -> None:
    page.write_text(text)
    os.utime(page, (0, 0))  # written long before
    follow(page, page.parent.parent, home)


def sh(commands: str, *below: str) -> str:
    return "\n".join(["# Page", "```sh", commands, "```", *below, ""])


def test_a_good_page_passes(page: Path, home: Path) -> None:
    text = sh("mkdir -p a\ncd a", "<!-- gives: ../a -->") + sh("echo hello >b.txt\ncat b.txt", "<!-- says: ell -->")
    text += sh("touch b.txt", "<!-- gives: ../a/*.txt -->") + sh("cd ../docs", "<!-- ends in: docs -->")
    followed(page, text + sh("false", "<!-- not run: it fails -->"), home)
    assert (page.parent.parent / "a" / "b.txt").exists()


def test_the_sentence_for_the_reader_counts(page: Path, home: Path) -> None:
    text = sh("touch a.txt", "", "You now have `a.txt` and `{}`.")
    followed(page, text.format("*.txt"), home)
    with pytest.raises(Wrong, match=r"line 2: b\.txt is not made"):
        followed(page, text.format("b.txt"), home)
    with pytest.raises(Wrong, match=r"line 2: b\.txt is not made"):
        followed(page, sh("echo hello", "<!-- says: hello -->", "", "You now have `b.txt`."), home)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (sh("false\ntrue", "<!-- gives: . -->"), "line 2: exit status 1"),
        (sh("false | true", "<!-- gives: . -->"), "line 2: exit status 1"),
        (sh("no_such_command", "<!-- gives: . -->"), "no_such_command: command not found"),
        (sh("echo $UNSET", "<!-- gives: . -->"), "UNSET: unbound variable"),
        (sh("true", "<!-- gives: missing.txt -->"), "missing.txt is not made"),
        (sh("true", "<!-- gives: *.txt -->"), r"\*.txt is not made"),
        (sh("ls", "<!-- gives: docs/page.md -->"), "page.md is not made"),
        (sh("cd docs", "<!-- ends in: . -->"), "ends in .*/docs"),
        (sh("echo hello", "<!-- says: goodbye -->"), "does not say 'goodbye'"),
        (sh("echo hello"), "does not say what it gives"),
        (sh("echo hello", "", "", "<!-- says: hello -->"), "does not say what it gives"),
        (sh("echo hello", "<!-- says: hello -->", "", "", "<!-- gives: . -->"), "said of no block"),
        ("```\npython train.py\n```\n", "commands are fenced with ```sh"),
        ("```sh\ntrue\n", "never closed"),
        ("- item\n\n  ```sh\n  true\n  ```\n", "indented"),
    ],
)
def test_a_bad_page_does_not_pass(page: Path, home: Path, text: str, reason: str) -> None:
    with pytest.raises(Wrong, match=reason):
        followed(page, text, home)


def test_what_is_only_read_is_not_executed() -> None:
    assert blocks("```\nC4 hold hold\n```\n\n```json\n{}\n```\n") == []


def test_training_is_made_small(page: Path, home: Path) -> None:
    root = page.parent.parent
    for lesson in ("char_rnn", "midi_rnn", "wavenet"):
        (root / lesson).mkdir()
        for script in ("train.py", "sample.py"):
            (root / lesson / script).write_text("import os, sys; print(*sys.argv, os.environ['PYTHONPATH'])")
    text = sh("python midi_rnn/train.py --size large", f"<!-- says: --size large --smoke --size tiny {root} -->")
    text += sh("python wavenet/train.py --resume -m x", "<!-- says: --resume -m x --max_minutes 0.05 -->")
    text += sh("python midi_rnn/sample.py -n 9", "<!-- says: -n 9 --length 64 -->")
    text += sh("cd wavenet\npython sample.py", "<!-- says: sample.py --length 800 -->")
    text += sh("python -c 'print(1)'", "<!-- says: 1 -->")
    followed(page, text, home)


def test_anchors_are_those_of_github() -> None:
    text = "# Hello, *World*!\n## `--size` and more\n## See [this](x.md)\n# Twice\n# Twice\n```\n# no heading\n```\n"
    assert anchors(text) == {"hello-world", "--size-and-more", "see-this", "twice", "twice-1"}


def test_broken_links_are_found(page: Path) -> None:
    (page.parent / "other.md").write_text("# A Heading\n")
    page.write_text(
        "# Here\n[a](other.md) [b](other.md#a-heading) [c](#here) [d](https://example.org/x) [e](../docs)\n"
        "[f](missing.md) [g](other.md#no-heading) [h](#nowhere)\n```\n[i](in_a_block.md)\n```\n"
    )
    assert broken_links(page) == ["missing.md", "other.md#no-heading", "#nowhere"]
