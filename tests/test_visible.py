"""What commands a terminal is shown, and not obeyed."""

import io
import sys

import pytest

from workshop.visible import give_out, label, visible, visible_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;a name\x07", r"\x1b]0;a name\x07"),
        ("cl\x1b[2J\x1b[Hear", r"cl\x1b[2J\x1b[Hear"),
        ("over\rwrite\b\x7f", r"over\rwrite\x08\x7f"),
        ("\x9b31m\x90", r"\x9b31m\x90"),
        ("gnp.\u202etxt \u2066\u2069", r"gnp.\u202etxt \u2066\u2069"),
        ("a tab\tand\na line", "a tab\tand\na line"),
        ("Ümläut ♪ 👩\u200d🎤 שיר \\x1b", "Ümläut ♪ 👩\u200d🎤 שיר \\x1b"),
        ("\udcff", "\udcff"),
    ],
)
def test_commands_are_shown_and_other_text_stays(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_no_control_character_is_left() -> None:
    every = "".join(map(chr, range(0x100)))
    assert not [c for c in visible(every) if not c.isprintable() and c not in "\t\n\xa0\xad"]
    assert visible_line("one\nerror: two") == r"one\nerror: two"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("flute", "flute"), ("a/b\\c: d", "a b c d"), ("../../etc", "etc"), ("", "_"), ("...", "_"),
        ("\x1b\n\udcff", "_"), ("Ünï ♪ 曲", "Ünï ♪ 曲"), ("twelve signs", "twelve signs"),
        ("thirteen sign", "thirteen si…"),
    ],
)  # fmt: skip
def test_a_label_can_be_part_of_a_files_name(text: str, shown: str) -> None:
    assert label(text, 12) == shown


def test_a_text_goes_to_a_file_as_it_is_and_to_a_terminal_without_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((io.StringIO(), "la\x1b[2J\n"), (Terminal(), "la\\x1b[2J\n")):
        monkeypatch.setattr(sys, "stdout", stream)
        give_out("la\x1b[2J\n")
        assert stream.getvalue() == shown
