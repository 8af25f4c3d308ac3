"""The picture of a network: well-formed, in words too, with the weights that Keras counts and the names as they are."""

from xml.etree import ElementTree

import pytest
from keras import layers

from char_rnn import model as char_model
from wavenet import model as wavenet_model
from workshop.networks.layer_table import Row
from workshop.networks.picture import MOST, network_markdown, network_svg
from workshop.networks.sequence import SequenceModel

SVG = "{http://www.w3.org/2000/svg}"
RECURRENT = {
    "name": "default",
    "seed": 0,
    "vocab_size": 11,
    "rnn_size": 6,
    "num_layers": 3,
    "cell": "gru",
    "dropout": 0.5,
}
WAVENET = {
    "name": "default", "seed": 0, "stacks": 2, "layers": 3, "filter_width": 2, "residual_channels": 4,
    "dilation_channels": 5, "skip_channels": 6, "conditions": 3,
}  # fmt: skip


def drawn(rows: list[Row], title: str = "a network") -> ElementTree.Element:
    return ElementTree.fromstring(network_svg(rows, title))


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in picture.iter(f"{SVG}text")]


def weights(picture: ElementTree.Element) -> list[int]:
    return [int(box.attrib["data-weights"]) for box in picture.iter(f"{SVG}g")]


@pytest.mark.parametrize(
    "model",
    [
        lambda: char_model.build(RECURRENT, 11),
        lambda: wavenet_model.build(WAVENET),
        lambda: SequenceModel([layers.Embedding(7, 4), layers.LayerNormalization(), layers.Dense(7)]),
    ],
)
def test_the_weights_are_those_that_keras_counts(model: object) -> None:
    made = model()  # type: ignore[operator]
    picture = drawn(made.layer_rows())
    assert sum(weights(picture)) == made.count_params()
    assert f"{made.count_params():,} weights" in texts(picture)
    assert f"| all | | | {made.count_params():,} |" in network_markdown(made.layer_rows())


def test_each_layer_stands_there_with_kind_shape_and_weights_in_boxes_and_in_words() -> None:
    rows = char_model.build(RECURRENT, 11).layer_rows()
    picture = drawn(rows)
    shown = texts(picture)
    words = picture.findtext(f"{SVG}desc") or ""
    for name, kind, shape, count in rows:
        for part in (name, kind, shape, f"{count:,} weights"):
            assert part in shown
            assert part in words
    assert len(weights(picture)) == len(rows)


def test_it_says_what_it_is_to_those_who_cannot_see_it() -> None:
    picture = drawn([("a", "Dense", "[T, B, 2]", 6)], "char_rnn, 01")
    assert picture.attrib["role"] == "img"
    labels = picture.attrib["aria-labelledby"].split()
    assert [picture.find(f"{SVG}{tag}").attrib["id"] for tag in ("title", "desc")] == labels  # type: ignore[union-attr]
    assert picture.findtext(f"{SVG}title") == "char_rnn, 01: 6 weights"


def test_neighbours_that_are_alike_share_a_box_and_few_boxes_stand_for_many_layers() -> None:
    rows = [(f"block_{k}", "gated block", "[T, B, 8]", 10) for k in range(50)]
    picture = drawn([*rows, ("output", "dense", "[T, B, 9]", 5)])
    assert weights(picture) == [500, 5]
    assert {"block_0 to block_49", "50 x gated block"} <= set(texts(picture))
    many = drawn([(f"layer_{k}", "dense", "[T, B, 8]", k) for k in range(500)])
    assert len(weights(many)) == MOST
    assert sum(weights(many)) == sum(range(500))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a & b", '"', "a\x00\x1b[2J", "\ud800", "\uffff", "</svg>"]
)
def test_a_name_is_text_whatever_is_in_it(name: str) -> None:
    rows = [(name, name, name, 1)]
    picture = drawn(rows, name)
    assert {element.tag.removeprefix(SVG) for element in picture.iter()} == {
        "svg", "title", "desc", "style", "rect", "text", "g",
    }  # fmt: skip
    assert "\x1b" not in network_svg(rows, name)
    assert "<script" not in network_markdown(rows).replace("\\<script", "")
    assert len(network_markdown(rows).splitlines()) == 4


def test_a_long_name_stays_in_its_box() -> None:
    assert max(map(len, texts(drawn([("x" * 500, "y" * 500, "z" * 500, 1)], "t" * 500)))) <= 48


def test_it_refers_to_nothing_outside_and_follows_the_ground() -> None:
    source = network_svg([("a", "Dense", "[T, B, 2]", 6)], "t")
    assert "href" not in source
    assert "url(" not in source
    assert source.count("http") == 1  # the name of SVG itself
    assert "prefers-color-scheme: dark" in source
