"""Tunes in ABC notation from all over the web, and what a network makes of them: each kind of writing, played right."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.datasets.abc_to_midi import playable, summary, tunes_in
from workshop.notes.abc_fields import WHOLE, AbcError, read_key, read_meter, read_parts, read_tempo, read_unit
from workshop.notes.abc_notation import Melody, read_tune
from workshop.notes.abc_repeats import read_endings
from workshop.notes.abc_text import Tune, parse_tunes

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def read(body: str, key: str = "G", **fields: str) -> tuple[Melody, list[str]]:
    """What is played of a tune in 4/4 and quarter notes, and what is said of it."""
    header = {"M": "4/4", "L": "1/4"} | fields | {"K": key}
    text = "X:1\n" + "".join(f"{name}:{value}\n" for name, value in header.items()) + body + "\n"
    ((_, tune),), remarks = tunes_in(text)
    assert remarks == []
    return playable(tune)


def quarters(melody: Melody) -> list[tuple[float, float, str]]:
    """Onset and length in quarter notes, and the name of each note with its octave."""
    one = WHOLE / 4
    return [(start / one, length / one, f"{NAMES[p % 12]}{p // 12 - 1}") for start, length, p in melody.notes]


def names(body: str, key: str = "G", **fields: str) -> str:
    return " ".join(name for _, _, name in quarters(read(body, key, **fields)[0]))


def onsets(body: str, **fields: str) -> list[float]:
    return [start for start, _, _ in quarters(read(body, **fields)[0])]


PLAIN = quarters(read("G A B c|d e d B|")[0])

# ---- what is printed and not played


@pytest.mark.parametrize(
    "body",
    [
        "!>!G !trill!A B !fermata!c|!accent!d e d B|",
        "!<(!G A B !<)!c|!>(!d e d !>)!B|",
        "!1!G !5!A !+!B !0!c|!//!d !8va(!e !8va)!d !crescendo(!B|",
        "!D.C. al fine!G A !d.s.alcoda!B c|!courtesy!d e d B|",
        "+accent+G A +fermata+B c|+>+d e +trill(+d +p+B|",
        ".G ~A HB Lc|Md Oe Pd SB|",
        "TG uA vB (c|d) e .(d B)|",
        '"Am"G "^slow"A "<3"B c|"_x"d e "@1,2 text"d B|',
        '"never closed|\nG A B c|d e d B|',
        r'"a \"b\" c"G A B c|"_\"d\""d e d B|',
        "G A [r: a|b]B c|[N:c d | e f]d e d B|",
        "{c}G {/cd}A {e2f}B c|d {g}e d B|",
        "G y A y2B c|d e y/2d B|",
        "G A B c\\\n|d e d B|",
        "G A B c|% a b c d\n% e f g a\nd e d B|",
        "G A [r:a comment, c d e]B c|[N:note]d e [I:octave 1]d B|",
        "G A B c|\nw:la la la la\nW: more la\ns:!f! * * !p!\nr:remark\nd e d B|",
        "G A B c|\nT:second part\nN:a b c d\nd e d B|",
        "%%begintext\nabc def gab\n%%endtext\nG A B c|\n%%text a b c\nd e d B|",
        "G A B c|\n%%begintext\n\nabc def gab\n%%endtext\nd e d B|",
        "U:n=!tenuto!\nU: W = !fermata!\nnG A WB c|d e nd B|",
        "G A B c.|d`e d$B|]",
        "RG RA RB Rc\n|Jd e Rd JB|",
        "U:n=!trill!\nU:W=!fermata!\nnG WA nB nc|nd We nd WB|",
    ],
)
def test_what_is_printed_only_is_not_played(body: str) -> None:
    melody, remarks = read(body)
    assert (quarters(melody), remarks) == (PLAIN, [])


@pytest.mark.parametrize(
    ("body", "remark"),
    [
        ("!wiggle!G A !wiggle!B c|d e d B|", "unknown decoration !wiggle!"),
        ("+wiggle+G A B c|d e d B|", "unknown decoration +wiggle+"),
        ("!a tempo!G A B c|!a tempo!d e d B|", "unknown decoration !a tempo!"),
        ("G ?A B c|d e ?d B|", "unknown sign '?'"),
        ("G A B c|[Q:1/4=90]d e d B|", "change of tempo (Q:) not played"),
        ("m: ~n3 = n{o}n{m}n\nG A B c|d e d B|", "macros (m:) left out"),
    ],
)
def test_what_is_not_understood_is_said_once_and_takes_no_time(body: str, remark: str) -> None:
    melody, remarks = read(body)
    assert quarters(melody) == PLAIN
    assert set(remarks) == {remark}
    assert summary(remarks).count(remark) == 1


def test_exclamation_marks_may_end_lines() -> None:
    assert names("I:linebreak !\nG A B c!d e!d B|") == names("G A B c|d e d B|")
    assert names("G A B c|!d e d B|!") == names("G A B c|d e d B|")


def test_old_chords_are_chords() -> None:
    assert names("+GB+ A +CEG+2|") == "B4 A4 G4"


# ---- where a tune begins and ends


@pytest.mark.parametrize(
    "behind",
    [
        "\nA fine dance, collected in Clare.\nBe sure to play it gaily.",
        "\nFrom the singing of Mrs. O'Neill | Dublin | a good old lady",
        "\n\nDance: face your partner",
        "\nNotes:\nB: A book\n",
        "Play this twice, then go on to the next one.",
    ],
)
def test_words_behind_a_tune_are_no_music(behind: str) -> None:
    melody, remarks = read("G A B c|d e d B|\n" + behind)
    assert quarters(melody) == PLAIN
    assert set(remarks) <= {"words left out"}


def test_an_empty_line_does_not_end_a_tune_whose_music_comes_or_goes_on() -> None:
    assert quarters(read("\nG A B c|d e d B|")[0]) == PLAIN
    assert quarters(read("\n\nL:1/4\n\nG A B c|\n\nd e d B|")[0]) == PLAIN


def test_a_tune_may_be_indented() -> None:
    ((_, tune),), remarks = tunes_in("  X:1\n  M:4/4\n  L:1/4\n  K:G\n  G A B c|\n  d e d B|\n")
    assert (quarters(playable(tune)[0]), remarks) == (PLAIN, [])


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (r"Caf\'e \"Uber Fa\ss \AA\/o", "Café Über Faß Åø"),
        (r"\cs\vc\~n\`e\^e\Ho", "şčñèêő"),
        (r"Caf\u00e9 \u0000", "Café"),
        ("Tom &amp; Am&eacute;lie&#10;", "Tom & Amélie"),
        (r"50\% \& \more", r"50% & \more"),
    ],
)
def test_letters_of_a_title_may_be_written_as_escapes(written: str, title: str) -> None:
    ((_, tune),), _ = tunes_in(f"X:1\nT:{written}\nT:Another name\nK:G\nG|\n")
    assert tune.title == title


def test_of_a_field_that_is_given_twice_the_last_holds() -> None:
    (tune,) = parse_tunes("X:1\nM:3/4\nL:1/8\nM:4/4\nL:1/4\nL:\nK:G\nG|\n")
    assert (tune.meter, tune.unit) == ("4/4", "1/4")


def test_several_tunes_with_words_between_them() -> None:
    text = "A book of tunes\nM:3/4\n\nX:1\nL:1/4\nK:D\nf|\n\nA waltz of old.\n\nX:2\nM:2/4\nL:1/4\nK:G\nf|\n"
    found, remarks = tunes_in(text.replace("\n", "\r\n"))
    assert [(tune.meter, playable(tune)[0].notes[0][2]) for _, tune in found] == [("3/4", 78), ("2/4", 78)]
    assert remarks == ["2 lines before the first tune left out"]


@pytest.mark.parametrize(
    ("text", "reason"), [("X:1\nT:a\nabc|\n", "it has no key (K:)"), ("X:1\nK:G\nz4|\n", "it has no notes")]
)
def test_what_is_left_out_is_left_out_for_one_reason(text: str, reason: str) -> None:
    assert tunes_in(text) == ([], [f"tune 1 left out: {reason}"])


@pytest.mark.parametrize("line", ["d:|", "d :|", "d::e|"])
def test_music_that_looks_like_a_field_is_music(line: str) -> None:
    assert names(f"|:G A B\n{line}\n").startswith("G4 A4 B4 D5 G4 A4 B4 D5")
    assert names("G A B c|\nA:|\n") == "G4 A4 B4 C5 A4 G4 A4 B4 C5 A4"


# ---- voices


@pytest.mark.parametrize(
    "body",
    [
        "V:1 treble\nG A B c|d e d B|",
        'V:Melody clef=treble name="Flute one"\nG A B c|d e d B|',
        'V:"Flute 1" nm="Fl."\nG A B c|d e d B|',
        "[V:1]G A B c|[V:1]d e d B|",
        "[V: S clef=treble] G A B c|\n[V:S] d e d B|",
        "L:1/4\nV:S\nG A B c|d e d B|",
    ],
)
def test_one_voice_with_a_name_is_a_tune(body: str) -> None:
    melody, remarks = read(body)
    assert (quarters(melody), remarks) == (PLAIN, [])


@pytest.mark.parametrize(
    "body",
    [
        "V:1\nG A B c|\nV:2\nC4|\nV:1\nd e d B|\nV:2\n[K:C]F4|",
        "[V:1]G A B c|\n[V:2]C4|\n[V:1]d e d B|\n[V:2]F4|",
        "[V:1]G A B c|[V:2]C4|[V:1]d e d B|[V:2]F4|",
        "G A B c|d e d B|\nV:2\nC4|F4|",
        "V:T1\nV:B clef=bass\n[V:B]z4|\n[V:T1]G A B c|d e d B|\n[V:B]C,4|",
    ],
)
def test_of_several_voices_the_first_is_played_and_that_is_said(body: str) -> None:
    melody, remarks = read(body)
    assert quarters(melody) == PLAIN
    assert remarks == ["the first of 2 voices (V:) is played"]


def test_voices_declared_in_the_header() -> None:
    text = "X:1\nM:4/4\nL:1/4\n%%score (S A)\nV:S name=Soprano octave=1\nV:A name=Alto\nK:G\nG A B c|\nV:A\nC4|\n"
    ((_, tune),), _ = tunes_in(text)
    assert [name for _, _, name in quarters(playable(tune)[0])] == ["G5", "A5", "B5", "C6"]
    assert list(parse_tunes(text)) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("G A B c & e4|d e d B|", PLAIN),
        ("G A B c & e4 & g4|d e d B|", PLAIN),
        ("G A B c|d e d B && e4|f4|", PLAIN),
        ("(& G A B c|d e d B & e4|f4 &)|", PLAIN),
    ],
)
def test_an_overlay_takes_no_time(body: str, expected: list[tuple[float, float, str]]) -> None:
    melody, remarks = read(body)
    assert quarters(melody) == expected
    assert remarks == ["overlay (&) left out"]
    with pytest.raises(AbcError, match="overlay"):
        read_tune(Tune("", "4/4", "1/4", "C", body))


# ---- fields


@pytest.mark.parametrize(
    ("key", "played"),
    [
        ("D clef=bass", "C# D E F# G A B"),
        ("Gm treble", "C D Eb F G A Bb"),
        ("A middle=d clef=alto", "C# D E F# Ab A B"),
        ("EDorian", "C# D E F# G A B"),
        ("E dor", "C# D E F# G A B"),
        ("Eminor", "C D E F# G A B"),
        ("E m", "C D E F# G A B"),
        ("F LYDIAN", "C D E F G A B"),
        ("Bb Major", "C D Eb F G A Bb"),
        ("B\u266d", "C D Eb F G A Bb"),
        ("F\u266fm", "C# D E F# Ab A B"),
        ("C#m", "C# Eb E F# Ab A B"),
        ("Amix", "C# D E F# G A B"),
        ("Dm ^c", "C# D E F G A Bb"),
        ("G _e ^f", "C D Eb F# G A B"),
        ("D=c", "C D E F# G A B"),
        ("A exp ^g", "C D E F Ab A B"),
        ("exp _b _e", "C D Eb F G A Bb"),
        ("HP", "C# D E F# G A B"),
        ("Hp", "C# D E F# G A B"),
        ("none", "C D E F G A B"),
        ("", "C D E F G A B"),
        ('Ddor stafflines=5 name="a b"', "C D E F G A B"),
        ("^f", "C D E F# G A B"),
        ("clef=bass", "C D E F G A B"),
    ],
)
def test_what_stands_in_a_key(key: str, played: str) -> None:
    assert {name[:-1] for name in names("C D E F|G A B z|", key).split()} == set(played.split())


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("C treble-8", "C3"),
        ("C clef=treble+8", "C5"),
        ("C octave=-1", "C3"),
        ("C transpose=-2", "Bb3"),
        ("C bass", "C4"),
    ],
)
def test_a_key_may_shift_notes(key: str, first: str) -> None:
    assert names("C4|", key) == first
    assert names(f"E4|[K:{key}]C4|", "C") == f"E4 {first}"


def test_a_clef_keeps_the_key_and_an_unknown_word_keeps_what_is_known() -> None:
    assert names("f4|\nK:clef=alto\nf4|[K:C]f4|", "G") == "F#5 F#5 F5"
    melody, remarks = read("F C|", "D foo")
    assert [name for _, _, name in quarters(melody)] == ["F#4", "C#4"]
    assert remarks == ["unknown 'foo' in the key 'D foo'"]


@pytest.mark.parametrize(
    ("value", "tempo"),
    [
        ("1/4=60", 60),
        ('"Allegro" 1/4=132', 132),
        ('1/4=72 "slowly"', 72),
        ("96", 96),
        ("3/8=50", 75),
        ("1/2=66", 132),
        ("1/4 = 80", 80),
        ("1/4 3/8 1/4 3/8=40", 200),
        ("C=100", 50),
        ("C3=40", 60),
        ('"Andante"', 88),
        ("1/8=90.5", 45.25),
    ],
)
def test_tempos(value: str, tempo: float) -> None:
    assert read_tempo(value, WHOLE // 8) == tempo
    assert read("G4|", L="1/8", Q=value)[0].tempo == tempo
    assert read(f"[Q:{value}]G4|", L="1/8")[0].tempo == tempo


@pytest.mark.parametrize("value", ["1/4=0", "fast", '"merrily"', "1/0=60", "1/4=99999", "=", "1/4="])
def test_a_tempo_that_is_none_is_said(value: str) -> None:
    melody, remarks = read("G4|", Q=value)
    assert melody.tempo is None
    assert len(remarks) == 1
    assert "tempo" in remarks[0]
    assert remarks[0].endswith("read as usual in the meter")


@pytest.mark.parametrize(
    ("order", "played"),
    [
        ("AABB", "G4 G4 A4 A4"),
        ("A2B", "G4 G4 A4"),
        ("(AB)2C", "G4 A4 G4 A4 B4"),
        ("A.B.A", "G4 A4 G4"),
        ("CBA", "B4 A4 G4"),
    ],
)
def test_parts_are_played_in_their_order(order: str, played: str) -> None:
    assert names("P:A\nG4|\nP:B\nA4|\nP:C\nB4|", P=order) == played
    assert names("[P:A]G4|[P:B]A4|[P:C]B4|", P=order) == played


def test_parts_have_repeats_and_a_lead_and_may_be_missing() -> None:
    assert names("c4|\nP:A\n|:G4:|\nP:B\nA4|1B4:|2d4|", P="BA") == "C5 A4 B4 A4 D5 G4 G4"
    melody, remarks = read("P:A\nG4|", P="AXA")
    assert [start for start, _, _ in quarters(melody)] == [0, 4]
    assert remarks == ["no part X (P:)"]
    assert names("P:A\nG4|\nP:B\nA4|") == "G4 A4"
    for garbled in ("A(", "A)", "A?", "A9999", "(((((A9)9)9)9)9)"):
        with pytest.raises(AbcError):
            read_parts(garbled)


@pytest.mark.parametrize(
    ("unit", "length"),
    [("1", 4), ("1/1", 4), ("1/2", 2), ("1/16", 0.25), ("1/128", 1 / 32), ("1/512", 1 / 128), ("2/4", 2), ("3/8", 1.5)],
)
def test_any_unit_of_length(unit: str, length: float) -> None:
    assert quarters(read("G", L=unit)[0])[0][1] == length
    assert read_unit(unit) == length * WHOLE / 4
    assert quarters(read("G/2", L=unit)[0])[0][1] == length / 2


@pytest.mark.parametrize(
    ("written", "meter"), [("C", (4, 4)), ("C|", (2, 2)), ("2+3/8", (5, 8)), ("(2+2+3)/16", (7, 16)), ("6/8", (6, 8))]
)
def test_meters(written: str, meter: tuple[int, int]) -> None:
    assert read_meter(written) == meter
    assert names(f"[M:{written}]G2|", M=written) == "G4"


def test_a_free_meter_and_a_change_of_meter_lose_no_time() -> None:
    melody, remarks = read("G A B c d|e|", M="none")
    assert ([start for start, _, _ in quarters(melody)], remarks) == ([0, 1, 2, 3, 4, 5], [])
    melody, remarks = read("G4|[M:3/4]A3|Z|B3|\nM:2/4\nX|c2|")
    assert [start for start, _, _ in quarters(melody)] == [0, 4, 10, 15]
    assert remarks == ["change of meter, so note follows note"]


# ---- notes


def test_chords_last_as_long_as_their_first_note() -> None:
    assert quarters(read("[C2E] F2|[GB]2 A2|[CE2]c[EC2]2|[C-E-]2 [CE]2|", "C")[0]) == [
        (0, 2, "E4"),
        (2, 2, "F4"),
        (4, 2, "B4"),
        (6, 2, "A4"),
        (8, 1, "E4"),
        (9, 1, "C5"),
        (10, 2, "E4"),
        (12, 4, "E4"),
    ]
    assert quarters(read("[!trill!C (E) .G]>A [z c] [ G B ]|", "C")[0]) == [
        (0, 1.5, "G4"),
        (1.5, 0.5, "A4"),
        (2, 1, "C5"),
        (3, 1, "B4"),
    ]


@pytest.mark.parametrize(
    ("body", "starts"),
    [
        ("G4|Z|A4|", [0, 8]),
        ("G4|Z3|A4|", [0, 16]),
        ("G4|X2|A4|X|B4|", [0, 12, 20]),
        ("Z2|G4|", [8]),
        ("G4|z4|x4|A4|", [0, 12]),
    ],
)
def test_rests_of_bars(body: str, starts: list[float]) -> None:
    assert onsets(body) == starts
    assert read_tune(Tune("", "4/4", "1/4", "C", body)).notes[0][0] == starts[0] * WHOLE // 4


def test_a_rest_of_bars_follows_the_meter() -> None:
    assert onsets("G3|Z2|A3|", M="3/4") == [0, 9]
    assert onsets("G6|Z2|A6|", M="6/8", L="1/8") == [0, 9]


@pytest.mark.parametrize(
    ("body", "played"),
    [
        ("|:G4|[1,2 A4:|[3 B4|]", "G A G A G B"),
        ("|:G4|1-3 A4:|4 B4||c4|", "G A G A G A G B C"),
        ("|:G4|1,3 A4:|2,4 B4:|c4|", "G A G B G A G B C"),
        ("G4|[1 A4:|[2 B4|]", "G A G B"),
        ("G4|1 A4:|2 B4|]", "G A G B"),
        ("|:G4|1 A4:|2 B4:|3 c4|]", "G A G B G C"),
        ("|:G4| [1 A4 :| [2 B4 ||", "G A G B"),
        ("|:G4|[1,2,3A4:|[4B4|]", "G A G A G A G B"),
        ("|:G4|1 A4|c4:|2 B4::d4:|", "G A C G B D D"),
        ("|::G4::|A4|", "G G G A"),
        ("|:G4::A4:|", "G G A A"),
        ("|:G4:|:A4:|", "G G A A"),
        ("G4:|A4|", "G G A"),
        ("G4||A4:|", "G A A"),
        ("[|G4.|A4|]", "G A"),
        ('|:G4|["1st" A4:|["2nd" B4|]', "G A G B"),
        ('|:G4|["1. & 2." A4:|["3rd time" B4|]', "G A G A G B"),
        ('|:G4|["1,2"[CA]4:| ["3." B4|]', "G A G A G B"),
        ('|["1"EG]4|["^x""_y"EG]4|', "G G"),
        ("|:G4:|2 A4|B4|", "G G A B"),
        ("|:G4:|2 A4:|B4:|", "G G A B B"),
        ("|:G4:| [2 A4|]|:B4:|", "G G A B B"),
        ("|::G4::|3 A4||B4|", "G G G A B"),
        ("|:G4:|2", "G G"),
    ],
)
def test_repeats_and_variant_endings(body: str, played: str) -> None:
    melody, remarks = read(body, "C")
    assert [name[:-1] for _, _, name in quarters(melody)] == played.split()
    assert remarks == []


@pytest.mark.parametrize("body", ["|:G4|1,3 A4:|B4|", "|:G4|1 A4:|1 B4|", "|:G4|2 A4:|", "|:G4|1 A4:|3 B4|"])
def test_endings_that_do_not_fit_are_said_and_played_once(body: str) -> None:
    melody, remarks = read(body)
    assert [start for start, _, _ in quarters(melody)] == [4.0 * n for n in range(len(melody.notes))]
    assert len(remarks) == 1
    assert "ending" in remarks[0]


def test_an_ending_with_a_text_and_no_number_is_played_once() -> None:
    melody, remarks = read('G4|["Coda" A4|]', "C")
    assert [name[:-1] for _, _, name in quarters(melody)] == ["G", "A"]
    assert remarks == ["unknown sign '['"]


def test_passes_of_endings() -> None:
    assert read_endings("1,3-5") == (1, 3, 4, 5)
    for garbled in ("3-1", "0", "99", "1-99999999"):
        with pytest.raises(AbcError):
            read_endings(garbled)


@pytest.mark.parametrize(
    ("body", "lengths"),
    [
        ("(3GAB c2 d|", [2 / 3] * 3 + [2, 1]),
        ("(3:2:3GAB c2 d|", [2 / 3] * 3 + [2, 1]),
        ("(3::2G2A c2|", [4 / 3, 2 / 3, 2]),
        ("(5:4GABcd|", [0.8] * 5),
        ("G>A B<c|", [1.5, 0.5, 0.5, 1.5]),
        ("G>>A B<<c|", [1.75, 0.25, 0.25, 1.75]),
        ("G/A/ B// c3/4 d2|", [0.5, 0.5, 0.25, 0.75, 2]),
        ("G2-|G2-G2|", [6]),
        ("G2- G2|A4|", [4, 4]),
        ("(11:4:11G/G/G/G/G/G/G/G/G/G/G/ A2|", [2 / 11] * 11 + [2]),
    ],
)
def test_lengths(body: str, lengths: list[float]) -> None:
    assert [length for _, length, _ in quarters(read(body)[0])] == pytest.approx(lengths, abs=1e-4)


@pytest.mark.parametrize(
    ("spread", "played"),
    [
        ("", "C#4 C#4 C#5 C5 C4 B3 C4 C4"),
        ("%%propagate-accidentals pitch\n", "C#4 C#4 C#5 C5 C4 B3 C4 C4"),
        ("%%propagate-accidentals octave % as people say\n", "C#4 C#4 C5 C5 C#4 B3 C4 C4"),
        ("I:propagate-accidentals not\n", "C#4 C4 C5 C5 C4 B3 C4 C4"),
    ],
)
def test_how_far_accidentals_hold_is_said_by_a_directive(spread: str, played: str) -> None:
    body = "^C C c =c C|_C =C C z2|"
    text = f"{spread}X:1\nM:5/4\nL:1/4\nK:C\n{body}\n"
    ((_, tune),), _ = tunes_in(text)
    ((_, again),), _ = tunes_in(tune.text(1))
    for one in (tune, again):
        assert " ".join(name for _, _, name in quarters(playable(one)[0])) == played


@pytest.mark.parametrize(
    ("header", "body", "played"),
    [
        ("%%MIDI transpose -2\n", "C4|D4|", "Bb3 C4"),
        ("%%MIDI  rtranspose 12\n%%MIDI program 3\n", "C4|D4|", "C5 D5"),
        ("", "C4|\n%%MIDI transpose 2\nD4|", "C4 E4"),
        ("%%MIDI transpose 3\nV:1 octave=1\nV:2\n", "V:1\nC4|D4|\nV:2\nC4|", "Eb5 F5"),
    ],
)
def test_music_may_be_transposed_by_a_directive(header: str, body: str, played: str) -> None:
    ((_, tune),), _ = tunes_in(f"X:1\nM:4/4\nL:1/4\n{header}K:C\n{body}\n")
    assert " ".join(name for _, _, name in quarters(playable(tune)[0])) == played


def test_all_fields_of_the_file_hold() -> None:
    ((_, tune),), _ = tunes_in("U:n=!trill!\nU:w=!turn!\nM:4/4\nL:1/4\n\nX:1\nK:G\nnG wA nB c|d e d B|\n")
    assert (quarters(playable(tune)[0]), playable(tune)[1]) == (PLAIN, [])


def test_microtones_are_rounded_and_said() -> None:
    melody, remarks = read("^/G _3/2A B c|", "C")
    assert [name for _, _, name in quarters(melody)] == ["G4", "Ab4", "B4", "C5"]
    assert remarks == ["microtones are not played"]


# ---- what a network writes

_SIGNS = "X:1\nTMLKQPVUIwm|[]():&!+\"'{}<>-^_=/\\%ABCdefgzZxy0123456789 ,.~\n\n"


@settings(max_examples=40, deadline=None)
@given(st.text(_SIGNS, max_size=120) | st.text(max_size=60))
def test_no_text_is_too_garbled(text: str) -> None:
    for given_text in (text, f"X:1\nK:{text}", f"X:1\nM:4/4\nP:{text[:9]}\nQ:{text[9:20]}\nK:D\n{text}\nabc|"):
        found, _ = tunes_in(given_text)
        for _, tune in found:
            melody, remarks = playable(tune)
            summary(remarks)
            ends = 0
            for start, length, pitch in melody.notes:
                assert start >= ends
                assert length > 0
                assert 0 <= pitch < 128
                ends = start + length
            try:
                read_tune(tune)
            except AbcError:
                continue


@given(st.text(max_size=30), st.sampled_from([read_key, read_meter, read_unit, read_parts, read_endings]))
def test_a_field_is_read_or_refused(value: str, reader: object) -> None:
    try:
        reader(value)  # type: ignore[operator]
    except AbcError as error:
        reason = str(error)
    else:
        reason = "read"
    assert 0 < len(reason) < 60


@pytest.mark.slow
@pytest.mark.parametrize(
    "sign",
    [
        "{",
        "[",
        '"',
        "!",
        "+",
        "(&",
        "& ",
        "[K:",
        "[C",
        "(3",
        "|1",
        ":|",
        "&)",
        "C",
        "1",
        "\n\n",
        "%%begintext\n",
        "[V:1 a]",
        "!a",
        "V:2 x\n",
        "U:H=!x!\n",
        "|:c|1d:|2e",
        "[1",
        "^",
        "P:A\n",
        "A:|\n",
        "?&|",
        "C/",
        "|",
        "> ",
    ],
)
def test_long_lines_take_linear_time(sign: str) -> None:
    text = "X:1\nP:A\nK:D\nabc|" + sign * (100_000 // len(sign))
    begin = time.perf_counter()
    for _, tune in tunes_in(text)[0]:
        playable(tune)
    # It is one to five seconds on an idle machine; a quadratic reader needs many minutes.
    assert time.perf_counter() - begin < 60
