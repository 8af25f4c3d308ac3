"""Which encoding a text is in, told by its letters: short lyrics in many languages, as people have them."""

# ruff: noqa: RUF001 - these letters are meant

from pathlib import Path

import pytest

from workshop.text.textfiles import detect_encoding

TEXTS = {
    "Czech": """
Stará píseň voní po seně,
řeka šumí, měsíc bledne,
naše loďka pluje tiše,
někdo u ohně příběh píše.
Žádný vítr, žádný křik,
jenom houslí dlouhý vzlyk.
""",
    "Hungarian": """
Hűvös szél fúj a hegy felől,
őrzöm a tüzet egyedül,
szürke felhő, hosszú út,
alszik már a régi kút.
Gyere velem, míg süt a nap,
holnapra csak az emlék marad.
""",
    "Polish": """
Gdy księżyc wschodzi nad łąką,
śpiewa słowik swą pieśń gorącą,
żółte liście niesie wiatr,
a ja wciąż idę w świat.
Zgaś już lampę, zaśnij też,
rano spadnie ciepły deszcz.
""",
    "Romanian": """
Vîntul bate peste cîmpuri,
frunza cade fără rost,
ţi-am lăsat o floare albă
şi un cîntec despre ce-a fost.
Noaptea vine, stele-n apă,
înapoi nu mai e drum.
""",
    "Croatian": """
Šumi more, šapće bor,
čekam tvoj odgovor,
noć je duga, zvijezda sja,
žalostan sam samo ja.
Dođi, dušo, kući sad,
već se budi stari grad.
""",
    "Turkish": """
Yağmur yağar ince ince,
gönlüm üşür her gece,
ışığını söndürme,
şarkımı söyle böyle.
Dağların ardında güneş,
içimde küçücük bir ateş.
""",
    "Russian": """
Тихо светит над рекой звезда,
поезд мой уходит навсегда,
ты стоишь одна на берегу,
я забыть тебя не смогу.
Снег летит на старое крыльцо,
в темноте мне чудится лицо.
""",
    "Ukrainian": """
Ой у полі вітер віє,
моє серце знову мріє,
їдуть хмари, є надія,
що і нас весна зігріє.
Тихо пісня лине в ніч,
догоряє в хаті піч.
""",
    "Bulgarian": """
Пее щурче под звездите,
спи селото край реката,
вятър тихо люлее житата,
късно е вече, мълчат горите.
Дай ми ръка, да тръгнем пак,
вън ни чака пътят бял.
""",
    "Greek": """
Άσπρο καράβι στο γιαλό,
σε περιμένω να σε δω,
νύχτα βαθιά και το φεγγάρι
θα ’ρθει μια μέρα να σε πάρει.
Όλα τα λόγια μου φωτιά,
έλα κοντά μου μια βραδιά.
""",
    "Hebrew": """
לילה יורד על ההר,
אני שר לך שיר ישן,
הרוח נושבת בין העצים,
והלב שלי לא נרדם.
בואי אלי עם אור הבוקר,
נלך ביחד אל הים.
""",
    "German": """
Über die Brücke geht der Wind,
süß träumt im Häuschen schon das Kind,
die Straße glänzt, der Mond ist groß,
ich lasse deine Hand nicht los.
Morgen früh im grünen Tal
hören wir's zum letzten Mal.
""",
    "French": """
Où va le vent quand l'été s'achève,
la forêt brûle au fond de mes rêves,
un garçon chante à côté du quai,
la mer répète ce qu'il disait.
Ça ne dure qu'un instant, déjà,
plus légère est la nuit là-bas.
""",
    "Spanish": """
Mañana volveré al pueblo,
donde el río suena así,
¿quién cantará esta canción
cuando ya no esté aquí?
Niña, cierra el balcón,
el otoño llegó también.
""",
    "Swedish": """
Över ängen går en väg,
månen lyser blå och sen,
alla fåglar tystnat här,
bara älven sjunger än.
Så får natten vara lång,
jag hör ännu samma sång.
""",
    "Thai": """
คืนนี้ฝนตกที่หน้าต่าง
ฉันคิดถึงเธอทุกวัน
แม่น้ำไหลไปไกลแสนไกล
เพลงเก่ายังอยู่ในใจ
กลับมาหาฉันได้ไหม
ก่อนที่ดาวจะลับไป
""",
    "Japanese": """
雨の降る夜は 窓をあけて
遠い町の歌を聞いている
あなたの声が風にまじって
小さな灯りがゆれている
朝が来るまで ここにいて
ふたりの夢をつづけよう
""",
    "Korean": """
비 오는 밤에 창을 열고
먼 마을의 노래를 듣네
그대 목소리 바람에 실려
작은 불빛이 흔들리네
아침이 올 때까지 여기 있어
우리의 꿈을 이어 가자
""",
    "Chinese": """
下雨的夜里我打开窗
听见远方有人在唱
你的声音随着风来
小小的灯还在那里亮
等到天明我们就走
把这个梦一直做下去
""",
    "Taiwanese": """
下雨的夜裡我打開窗
聽見遠方有人在唱
你的聲音隨著風來
小小的燈還在那裡亮
等到天明我們就走
把這個夢一直做下去
""",
}
CENTRAL, WESTERN, CYRILLIC = ("cp1250", "iso8859_2", "cp852"), ("cp1252", "mac_roman", "cp850"), ("cp1251", "koi8_r")
ENCODINGS = {
    "Czech": CENTRAL, "Hungarian": CENTRAL, "Polish": CENTRAL, "Romanian": CENTRAL, "Croatian": CENTRAL,
    "Turkish": ("cp1254", "iso8859_9"), "Russian": (*CYRILLIC, "cp866", "iso8859_5"), "Ukrainian": ("cp1251", "koi8_u"),
    "Bulgarian": ("cp1251", "iso8859_5"), "Greek": ("cp1253", "iso8859_7"), "Hebrew": ("cp1255", "iso8859_8"),
    "German": WESTERN, "French": WESTERN, "Spanish": WESTERN, "Swedish": WESTERN, "Thai": ("cp874",),
    "Japanese": ("shift_jis", "euc_jp", "iso2022_jp"), "Korean": ("euc_kr", "iso2022_kr"), "Chinese": ("gb18030", "hz"),
    "Taiwanese": ("big5",),
}  # fmt: skip
CASES = [(language, encoding) for language, encodings in ENCODINGS.items() for encoding in encodings]


def reads(path: Path, text: str, encoding: str) -> bool:
    """Whether `text`, stored in an encoding, is decoded to itself by the one that is found."""
    path.write_bytes(text.encode(encoding))
    return path.read_bytes().decode(detect_encoding(path)) == text


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_short_lyrics_are_read_rightly(tmp_path: Path, language: str, encoding: str) -> None:
    if (language, encoding) == ("Greek", "iso8859_7"):
        assert "’".encode(encoding) == b"\xa2"  # the apostrophe is a capital Ά to cp1253
    assert reads(tmp_path / "song.txt", TEXTS[language], encoding)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 48
    assert len({encoding for _, encoding in CASES}) >= 12


@pytest.mark.parametrize("language", [language for language in TEXTS if language != "Taiwanese"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_unicode_without_a_mark_is_read_in_every_script(tmp_path: Path, language: str, encoding: str) -> None:
    assert reads(tmp_path / "song.txt", TEXTS[language], encoding)


@pytest.mark.parametrize("sign", ["\uf8ff", "\x0c", "\U0003fffd"], ids=["logo", "page break", "unassigned"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_rare_sign_makes_unicode_without_a_mark_no_binary_data(tmp_path: Path, sign: str, encoding: str) -> None:
    for language in ("Russian", "Japanese", "German"):
        assert reads(tmp_path / "song.txt", TEXTS[language] * 3 + sign + "\n", encoding)


@pytest.mark.parametrize("language", ["Czech", "Turkish", "Greek", "French"])
def test_capitals_are_read_too(tmp_path: Path, language: str) -> None:
    assert reads(tmp_path / "song.txt", TEXTS[language].upper().replace("İ", "I"), ENCODINGS[language][0])


def test_letters_far_behind_plain_ones_decide(tmp_path: Path) -> None:
    assert reads(tmp_path / "song.txt", "la la la\n" * 60_000 + TEXTS["Hungarian"], "cp1250")


@pytest.mark.parametrize("sign", ["\u00ad", "\u00a0", "’"])
def test_english_with_nothing_but_signs_is_western(tmp_path: Path, sign: str) -> None:
    assert reads(tmp_path / "song.txt", f"over the gar{sign}den wall\nthe sum{sign}mer is gone\n" * 9, "cp1252")


@pytest.mark.parametrize(
    "line",
    [
        "© 1999 The Band", "Copyright ©2003 by me", "it was £5, or £10", "• one\n• two", "½ a cup", "at 20°C",
        "50 € a night", "Sony™ and Bose®",
        "see § 5", "±5 %", "3×4", "a ¢50 song", "¡Ay!", "«oui»", "São Paulo", "Être",
    ],
)  # fmt: skip
def test_a_single_sign_or_name_in_english_is_western(tmp_path: Path, line: str) -> None:
    assert reads(tmp_path / "song.txt", f"over the garden wall\n{line}\n", "cp1252")


@pytest.mark.parametrize("line", ["Škoda", "Šel jsem tam", "Łatwo mi tak", "Ľudia", "Śpij", "Žal mi je"])
def test_a_single_capital_is_no_sign(tmp_path: Path, line: str) -> None:
    assert reads(tmp_path / "song.txt", f"over\n{line}\n", "cp1250")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp860", "a canção não tem fim,\nas mãos do avô, o pão da manhã,\ne você não está só"),
        ("cp861", "það er þoka yfir firði,\nég fæ mér sæti við ána\nog þú ferð, góði minn"),
        ("mac_iceland", "það er þoka yfir firði,\nég fæ mér sæti við ána\nog þú ferð, góði minn"),
        ("cp775", "rytą šviečia saulė,\nžalias miškas ošia,\nupė plaukia pro mūsų namą"),
        ("cp869", "το βράδυ ήρθε σιγά σιγά\nκαι η θάλασσα κοιμάται τώρα"),
        ("cp720", "يا بحر قل لي أين أنت\nهذا المساء طويل جدا\nوالقمر يمشي معنا إلى البيت"),
    ],
)
def test_rare_pages_are_read_too(tmp_path: Path, encoding: str, text: str) -> None:
    assert reads(tmp_path / "song.txt", text, encoding)


def test_an_apostrophe_of_a_macintosh_is_one(tmp_path: Path) -> None:
    assert reads(tmp_path / "song.txt", "over the wall\nI don’t know\n", "mac_roman")


def test_what_no_page_decodes_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "song.txt"
    path.write_bytes("Süße Träume, schöne Grüße\n".encode("cp1252") * 99 + b"\x81\x8d\x8f\x90\x9d\n" * 3)
    assert "Süße Träume" in path.read_bytes().decode(detect_encoding(path))


def test_ascii_in_pairs_is_not_taken_for_chinese(tmp_path: Path) -> None:
    path = tmp_path / "song.txt"
    path.write_bytes(b"la la la, sing with me\n" * 40 + b"Caf\xe9\n")
    assert detect_encoding(path) == "cp1252"


def test_colours_of_a_terminal_are_not_japanese(tmp_path: Path) -> None:
    path = tmp_path / "song.txt"
    path.write_bytes(b"\x1b[31mred\x1b[0m sails in the sunset, and ~{ this is not Chinese ~}\n" * 9)
    assert detect_encoding(path) == "utf-8"
