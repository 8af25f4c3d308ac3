"""The page of loops and what its server makes: the latent space, the loops of a slot, and a mix."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from playing import Alphabet, Page, slow, visiting
from records import entries

from workshop import ROOT
from workshop.audio import latents, loop_files
from workshop.errors import UserError
from workshop.run import experiment
from workshop.web import loops, mix

NAME = "spectral_gan/experiments/01"
SIZE, RATE, SAMPLES = 3, 1000, 100


class Steps(Alphabet):
    """A generator of loops as high as their first latent value / 4; two of three change its pictures."""

    latent_size, rate, samples, bpm, beats = SIZE, RATE, SAMPLES, 120.0, 1

    def __init__(self, folder: Path = ROOT, pause: float = 0, samples: int = SAMPLES):
        super().__init__(folder, pause)
        self.long = samples

    def pictures(self, points: np.ndarray) -> np.ndarray:
        return (points @ np.array([[0, 0, 0.2], [3, 0, 0], [0, 0, 0.0]])).reshape(-1, 3, 1)

    @property
    def loops(self) -> "Steps":
        return self

    def at_length(self, samples: int) -> "Steps":
        return Steps(samples=samples)

    def row(self, points: np.ndarray) -> np.ndarray:
        return np.repeat(points[:, 0] / 4, self.long).astype(np.float32)


def slot(value: float, **more: Any) -> dict[str, Any]:
    return {"start": [value, 0, 0], **more}


def heard(*slots: dict[str, Any], bpm: float = 120, bars: int = 4, in_turn: bool = False) -> list[float]:
    """The level of each bar of a mix, and that it is the same for the whole bar."""
    net = Steps()
    made = mix.mixed(net, [mix.Slot.read(one, SIZE) for one in slots], bpm, bars, in_turn)
    assert (made.rate, made.beats, made.bpm) == (RATE, bars, bpm)
    levels = made.samples.reshape(bars, -1)
    assert levels.shape[1] == round(SAMPLES * 120 / bpm)
    assert (np.ptp(levels, axis=1) == 0).all()
    return [round(float(level) / mix.ROOM * 4, 5) for level in levels[:, 0]]


def test_slots_are_heard_together_or_one_after_the_other() -> None:
    assert heard(slot(1), slot(2, level=0.5)) == [2, 2, 2, 2]
    assert heard(slot(1), slot(2, level=0.5), slot(-1), in_turn=True) == [1, 1, -1, 1]
    assert heard(slot(1), bpm=240) == [1, 1, 1, 1]


def test_in_each_bar_a_slot_plays_its_next_loop() -> None:
    fade, there = slot(0, end=[3, 0, 0], way="fade", steps=4), slot(0, end=[3, 0, 0], way="pingpong", steps=4)
    assert heard(fade, bars=6) == [0, 1, 2, 3, 0, 1]
    assert heard(there, bars=5) == [0, 1.5, 3, 1.5, 0]
    assert heard(fade, slot(1), bars=4, in_turn=True) == [0, 1, 2, 1]
    assert heard(slot(2, end=[3, 0, 0]), bars=2) == [2, 2]


def test_what_would_be_too_loud_is_made_softer() -> None:
    assert max(heard(*[slot(4)] * 8)) * mix.ROOM / 4 == 1


@given(st.integers(1, 16), st.integers(1, 12), st.booleans(), st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_mix_of_any_slots_is_as_long_as_its_bars(steps: int, bars: int, in_turn: bool, levels: list[float]) -> None:
    slots = [slot(1, end=[-1, 2, 0], way="fade", steps=steps, level=level) for level in levels]
    made = mix.mixed(Steps(), [mix.Slot.read(one, SIZE) for one in slots], 120, bars, in_turn)
    assert made.samples.shape == (bars * SAMPLES,)
    assert np.abs(made.samples).max() <= 1


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (None, "a slot has"),
        ({"start": [0, 0, 0], "way": "away"}, "stay, fade, pingpong"),
        ({"start": [0, 0, 0], "way": []}, "stay, fade, pingpong"),
        ({"start": [0, 0]}, "3 latent values"),
        ({}, "3 latent values"),
        ({"start": [0, 0, "1"]}, "a latent value: '1' is not a number"),
        ({"start": [0, 0, True]}, "is not a number"),
        ({"start": [0, 0, 1e9]}, "from -100 to 100"),
        ({"start": [0, 0, float("nan")]}, "from -100 to 100"),
        (slot(1, end=[1]), "3 latent values"),
        (slot(1, steps=17), "steps: '17' is not a number from 1 to 16"),
        (slot(1, level=-0.1), "level"),
    ],
)
def test_a_slot_that_cannot_be_is_one_sentence(said: Any, part: str) -> None:
    with pytest.raises(UserError) as refused:
        mix.Slot.read(said, SIZE)
    assert part in str(refused.value)


def test_the_directions_are_those_in_which_the_pictures_change_most() -> None:
    found = np.array(mix.space(Steps())["directions"])
    assert found == pytest.approx(np.array([[0, 1, 0], [1, 0, 0]]), abs=1e-4)


def test_principal_directions_are_orthogonal_and_of_length_one() -> None:
    rng = np.random.default_rng(1)
    points, slopes = rng.standard_normal((80, 9)), rng.standard_normal((9, 40))
    found = latents.principal(points, np.tanh(points @ slopes), 4)
    assert found @ found.T == pytest.approx(np.eye(4), abs=1e-5)


# ---- the server


@pytest.fixture
def generator(play_clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with an experiment that makes loops, as `Steps` does."""
    slow(monkeypatch, 0, Steps)
    lesson = play_clone / "spectral_gan"
    lesson.mkdir()
    shutil.copy(ROOT / "spectral_gan" / "lesson.py", lesson)
    experiment.create(lesson, str(play_clone / NAME), **entries(network={"latent": SIZE}))
    return play_clone


async def post(page: Page, what: str, body: Any = None, **more: Any) -> Any:
    said = {"experiment": NAME, "bpm": 120, **more} if body is None else body
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return await page.ask(f"loops/{what}", method="POST", body=content, headers={"Origin": f"http://{page.host}"})


def test_a_generator_is_listed_and_its_page_is_there(generator: Path) -> None:
    async def visit(page: Page) -> None:
        listing = json.loads((await page.ask("listing")).body)["experiments"]
        assert [entry["id"] for entry in listing if entry["is_generator"]] == [NAME]
        answer = await page.ask("loops")
        assert (answer.code, b"<title>Loops" in answer.body) == (200, True)
        assert (await page.ask("loops", headers={"Cookie": ""})).code == 403

    visiting(visit)


def test_the_loops_of_a_slot_are_made(generator: Path) -> None:
    async def visit(page: Page) -> None:
        answer = await post(page, "made", slot=slot(0, end=[2, 0, 0], way="fade", steps=3))
        samples = np.frombuffer(answer.body, "<i2") / 32767
        assert samples == pytest.approx(np.repeat([0, 0.25, 0.5], SAMPLES), abs=1e-4)
        assert len((await post(page, "made", slot=slot(1), bpm=60)).body) == 4 * SAMPLES
        space = json.loads((await post(page, "space")).body)
        assert (space["latent_size"], space["rate"], space["samples"], space["bpm"]) == (SIZE, RATE, SAMPLES, 120)

    visiting(visit)


def test_a_mix_is_heard_and_kept_with_its_tempo(generator: Path) -> None:
    async def visit(page: Page) -> None:
        answer = await post(page, "mix", slots=[slot(1), slot(2)], bars=3, in_turn=True)
        made = json.loads(answer.body)
        assert made["formats"] == ["wav", "png"]
        content = (await page.ask(f"made/{made['id']}.wav")).body
        samples, rate = soundfile.read(io.BytesIO(content))
        assert rate == RATE
        assert samples == pytest.approx(np.repeat([0.125, 0.25, 0.125], SAMPLES), abs=1e-4)
        assert loop_files.tempo(content) == (3, 120.0)
        kept = await page.ask(f"keep/{made['id']}", method="POST", body=b"", headers={"Origin": f"http://{page.host}"})
        assert json.loads(kept.body)["files"] == [f"data/generated/spectral_gan-01-01.{one}" for one in ("wav", "png")]
        assert (generator / "data/generated/spectral_gan-01-01.wav").read_bytes() == content

    visiting(visit)


@pytest.mark.parametrize(
    ("what", "body", "part"),
    [
        ("made", b"{", b"names no experiment"),
        ("made", b"[" * 5000, b"names no experiment"),
        ("made", {"experiment": "../secret"}, b"the page has no experiment"),
        ("space", {"experiment": "wavenet/experiments/01"}, b"makes no loops"),
        ("made", {"experiment": NAME, "bpm": 5000, "slot": slot(1)}, b"from 20 to 999"),
        ("made", {"experiment": NAME, "bpm": 120}, b"a slot has"),
        ("mix", {"experiment": NAME, "bpm": 120, "slots": [], "bars": 4}, b"1 to 8 slots"),
        ("mix", {"experiment": NAME, "bpm": 120, "slots": [slot(1)] * 9, "bars": 4}, b"1 to 8 slots"),
        ("mix", {"experiment": NAME, "bpm": 120, "slots": [slot(1)], "bars": 65}, b"bars: '65'"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(generator: Path, what: str, body: Any, part: bytes) -> None:
    async def visit(page: Page) -> None:
        answer = await post(page, what, body)
        assert answer.code == 400
        assert part in answer.body
        assert answer.body.count(b"\n") == 1

    visiting(visit)


def test_another_site_may_not_ask_and_too_many_wait_for_their_turn(
    generator: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def visit(page: Page) -> None:
        headers = {"Origin": "http://evil.example"}
        assert (await page.ask("loops/made", method="POST", body=b"{}", headers=headers)).code == 403
        monkeypatch.setattr(loops, "MOST_WAITING", 0)
        answer = await post(page, "made", slot=slot(1))
        assert (answer.code, b"try again" in answer.body) == (503, True)

    visiting(visit)
