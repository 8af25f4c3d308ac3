"""The page in a real browser: trained networks write, play and sound, are stopped, and what they made is kept."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import LEVEL, decibels, finished, generate, until, wav_of

from workshop.web import networks

pytestmark = pytest.mark.slow


def test_a_text_streams_is_stopped_and_is_kept(page: Any, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces_of = networks._in_turn

    def unhurried(*given: Any) -> Iterator[np.ndarray]:
        for piece in pieces_of(*given):
            yield piece
            time.sleep(0.2)

    monkeypatch.setattr(networks, "_in_turn", unhurried)
    assert "comes trained" not in page.inner_text("#settings")
    generate(page, "char_rnn", prompt="Oh my ", length="20000", seed="5")
    until(lambda: len(page.inner_text(".text")) > 100)
    first = page.inner_text(".text")
    assert first.startswith("Oh my ")
    until(lambda: len(page.inner_text(".text")) > len(first))
    page.keyboard.press("Escape")
    stopped = time.monotonic()
    words = finished(page)
    assert time.monotonic() - stopped < 3  # the promise is one second, on a computer with nothing else to do
    assert words.startswith("Stopped: ")
    assert words.endswith("seed 5.")
    length = len(page.inner_text(".text"))
    assert length < 20_000
    page.click(".keep")
    until(lambda: page.inner_text(".kept"))
    assert page.inner_text(".kept") == "Kept as data/generated/char_rnn-01-01.txt"
    kept = (clone / "data/generated/char_rnn-01-01.txt").read_text("utf-8")
    assert kept.startswith(first)
    with page.expect_download() as download:
        page.click(".downloads a")
    assert download.value.suggested_filename == "char_rnn-01.txt"
    # A second one begins within a second, because the network is ready.
    started = time.monotonic()
    generate(page, "char_rnn", length="100", prompt="")
    until(lambda: page.inner_text(".text"))
    assert time.monotonic() - started < 3  # as above
    assert "100 characters" in finished(page)


def test_a_wrong_value_is_one_sentence(page: Any) -> None:
    generate(page, "char_rnn", seed="-1")
    page.wait_for_selector("#status.problem")
    assert page.inner_text("#status") == "seed: '-1' is not a whole number from 0 to 4294967295"
    page.wait_for_selector("#generate:enabled")


def test_notes_are_drawn_and_played(page: Any, clone: Path) -> None:
    generate(page, "midi_rnn", length="128", seed="1")
    words = finished(page)
    assert "notes, made in" in words
    colours = page.evaluate(
        """() => {
          const canvas = document.querySelector(".roll canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert colours > 4
    assert decibels(wav_of(page)) > -40
    player = "document.querySelector('.player')"
    until(lambda: page.evaluate(f"{player}.currentTime") > 0.2, 20)
    assert page.evaluate(f"{player}.duration") > 1
    line = "document.querySelector('.roll .head').style.transform"
    before = page.evaluate(line)
    until(lambda: page.evaluate(line) != before, 20)
    page.click(".keep")
    until(lambda: page.inner_text(".kept"))
    names = {file.name for file in (clone / "data/generated").iterdir()}
    assert names == {f"midi_rnn-01-01.{suffix}" for suffix in ("mid", "wav", "png")}


def test_sound_is_heard_while_it_is_made(page: Any) -> None:
    generate(page, "wavenet", seconds="20", temperature="1")
    until(lambda: page.evaluate(LEVEL) > 0.01)
    if page.evaluate("document.querySelector('.after').hidden"):
        assert page.is_enabled("#stop")
    finished(page)
    assert decibels(wav_of(page)) > -40
    picture = "document.querySelector('.spectrogram')"
    until(lambda: page.evaluate(f"{picture}.naturalWidth") > 500, 20)
    # When it is over, the player has it.
    page.click("#stop")
    page.wait_for_selector("#stop:disabled")
    page.evaluate("document.querySelector('.player').play()")
    until(lambda: page.evaluate("document.querySelector('.player').currentTime") > 0.1, 20)


def test_it_is_readable_on_a_phone_and_in_the_dark(page: Any) -> None:
    generate(page, "char_rnn", length="300")
    finished(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    for field in page.query_selector_all("select, input:not([type=hidden]), textarea, button, audio"):
        assert field.evaluate("field => field.labels?.length || field.textContent || field.ariaLabel")


def test_tunes_are_shown_as_a_score(page: Any) -> None:
    """As the network of a test writes none, the page's own code gets some."""
    page.evaluate(
        """async () => {
          const { showScore } = await import(new URL("static/score.js", document.baseURI));
          await showScore(document.getElementById("pieces"), "X:1\\nT:One\\nK:G\\nGABc|\\n\\nX:2\\nT:Two\\nK:C\\nc2|");
        }"""
    )
    assert page.locator("#pieces svg").count() == 2
    assert page.inner_text("#pieces").count("Two") == 1
    # The strict rules refuse one style of abcjs, which is not needed.
    page.problems[:] = [problem for problem in page.problems if "style-src" not in problem]


def test_without_the_token_the_page_says_what_to_do(browser: Any, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address.partition("?")[0])
    assert "./start.sh play" in page.inner_text("body")
    context.close()


def test_variants_of_one_prompt_differ_in_their_seeds(page: Any) -> None:
    page.select_option("#variants", "3")
    generate(page, "char_rnn", prompt="Oh ", length="60", seed="4294967295")
    assert finished(page) == "3 of 3 are made."
    titles = [f"variant {number}" for number in (1, 2, 3)]
    assert page.locator(".piece h3").all_inner_texts() == titles
    texts = page.locator(".text").all_inner_texts()
    assert len(set(texts)) == 3
    assert all(text.startswith("Oh ") for text in texts)
    seeds = [summary.rpartition("seed ")[2] for summary in page.locator(".piece .summary").all_inner_texts()]
    assert seeds == ["4294967295.", "0.", "1."]
    # Alone, the second one is the same again.
    page.select_option("#variants", "1")
    generate(page, "char_rnn", length="60", seed="0")
    assert finished(page).endswith("seed 0.")
    assert page.locator(".text").all_inner_texts() == texts[1:2]


def test_two_temperatures_stand_side_by_side(page: Any) -> None:
    page.select_option("#compare", "temperature")
    page.select_option("#variants", "2")
    page.fill("#other-temperature", "0.1")
    generate(page, "char_rnn", prompt="Oh ", length="200", temperature="1")
    assert finished(page) == "4 of 4 are made."
    titles = page.locator(".piece h3").all_inner_texts()
    assert titles == [f"temperature {value}, variant {number}" for number in (1, 2) for value in ("1.00", "0.10")]
    words = page.locator(".piece .summary").all_inner_texts()
    seeds = [int(summary.rpartition("seed ")[2].strip(".")) for summary in words]
    assert seeds == [seeds[0], seeds[0], seeds[0] + 1, seeds[0] + 1]
    left, right = (page.locator(".piece").nth(number).bounding_box() for number in (0, 1))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]


def test_two_experiments_stand_side_by_side(page: Any, clone: Path) -> None:
    assert page.is_disabled("#compare-experiment")  # of each lesson there is one
    shutil.copytree(clone / "midi_rnn/experiments/01", clone / "midi_rnn/experiments/02")
    page.reload()
    page.wait_for_selector("#generate:enabled")
    page.select_option("#experiment", "midi_rnn/experiments/01")
    page.select_option("#compare", "experiment")
    generate(page, "midi_rnn", length="64", seed="3")
    assert finished(page) == "2 of 2 are made."
    assert page.locator(".piece h3").all_inner_texts() == ["midi_rnn 01", "midi_rnn 02"]
    assert page.locator(".roll canvas:visible").count() == 2
    # One is heard at a time.
    playing = "[...document.querySelectorAll('.player')].map((player) => !player.paused)"
    until(lambda: page.evaluate(playing) == [True, False], 20)
    page.evaluate("document.querySelectorAll('.player')[1].play()")
    until(lambda: page.evaluate(playing) == [False, True], 20)
    page.keyboard.press("Escape")
    assert page.evaluate(playing) == [False, False]


def test_stop_ends_all_that_was_to_come(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried = networks._in_turn

    def unhurried(*given: Any) -> Iterator[np.ndarray]:
        for piece in hurried(*given):
            yield piece
            time.sleep(0.2)

    monkeypatch.setattr(networks, "_in_turn", unhurried)
    page.select_option("#variants", "4")
    generate(page, "char_rnn", length="2000")
    until(lambda: page.locator(".text").count() == 1 and page.inner_text(".text"))
    page.keyboard.press("Escape")
    finished(page)
    assert page.locator(".piece").count() == 1
    assert page.inner_text(".piece .summary").startswith("Stopped: ")


def test_a_value_that_is_refused_ends_all_of_them(page: Any) -> None:
    page.select_option("#variants", "4")
    generate(page, "char_rnn", length="0")
    page.wait_for_selector("#status.problem")
    page.wait_for_selector("#generate:enabled")
    assert page.inner_text("#status").startswith("length: ")
    assert page.locator(".piece").count() == 0


def test_own_files_are_taken_and_looked_at(page: Any, clone: Path, tiny_text: Path, tmp_path: Path) -> None:
    songs, program = tmp_path / "my songs.txt", tmp_path / "program.exe"
    songs.write_text((tiny_text / "input.txt").read_text("utf-8"), "utf-8")
    program.write_bytes(b"MZ")
    page.set_input_files("#own-files", [songs, program])
    until(lambda: page.locator(".verdict").count())
    assert (clone / "data/lyrics/mine/my songs.txt").read_bytes() == songs.read_bytes()
    words = page.inner_text("#own-status")
    assert words.startswith("1 of 2 taken. program.exe: no lesson learns from such a file")
    assert page.inner_text(".verdict .words").startswith("data/lyrics/mine: will train")
    assert page.inner_text(".verdict .command").endswith("python char_rnn/train.py --data_dir data/lyrics/mine")
    page.click(".verdict summary")
    assert "duplicates" in page.inner_text(".verdict .report")
    page.problems[:] = [problem for problem in page.problems if "400" not in problem]  # the refusal


def test_files_that_cannot_be_looked_at_are_taken(page: Any, clone: Path, tiny_text: Path) -> None:
    page.route("**/mine/text", lambda route: route.fulfill(status=400, body="They cannot be read."))
    page.set_input_files("#own-files", [tiny_text / "input.txt"])
    until(lambda: "taken" in page.inner_text("#own-status"))
    assert page.inner_text("#own-status") == "1 of 1 taken. They cannot be read."
    page.problems[:] = [problem for problem in page.problems if "400" not in problem]  # the refusal


def test_files_are_dropped_onto_the_page(page: Any, clone: Path) -> None:
    page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["la la"], "../dropped.txt"));
          for (const type of ["dragover", "drop"]) {
            const event = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
            document.getElementById("result").dispatchEvent(event);
          }
        }"""
    )
    until(lambda: page.locator(".verdict").count())
    assert (clone / "data/lyrics/mine/dropped.txt").read_text() == "la la"
    assert "too short" in page.inner_text(".verdict .words")


def test_files_that_cannot_be_sent_are_answered_in_a_sentence(page: Any) -> None:
    page.route("**/mine?name=*", lambda route: route.abort())
    page.set_input_files("#own-files", [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"la"}])
    until(lambda: "taken" in page.inner_text("#own-status"))
    assert page.inner_text("#own-status") == "0 of 1 taken. The server does not answer."
    page.evaluate(
        """() => {
          const folder = new File([], "songs.txt");
          folder.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) });
          const event = new Event("drop", { bubbles: true });
          event.dataTransfer = { types: ["Files"], files: [folder] };
          document.dispatchEvent(event);
        }"""
    )
    until(lambda: "songs.txt" in page.inner_text("#own-status"))
    assert page.inner_text("#own-status") == "0 of 1 taken. songs.txt cannot be read: choose files, not folders."
    page.problems.clear()  # the request that was cut off


def test_numbers_may_have_a_decimal_comma_and_words_any_direction(page: Any) -> None:
    generate(page, "wavenet", seconds="0,5")
    assert finished(page).startswith("0.5 s of sound")
    generate(page, "char_rnn", length="20", prompt="\u05e9\u05dc\u05d5\u05dd")
    finished(page)
    for part in ("#prompt", ".text"):
        assert page.evaluate("part => document.querySelector(part).matches(':dir(rtl)')", part), part


def test_what_is_said_again_is_not_read_again(page: Any) -> None:
    until(lambda: page.inner_text("#train-status"))
    page.evaluate(
        """() => {
          window.read = [];
          const status = document.getElementById("train-status");
          new MutationObserver(() => window.read.push(status.textContent)).observe(status, { childList: true });
        }"""
    )
    state = {"phase": "running", "experiment": "char_rnn/experiments/02", "data": "data/lyrics/mine", "others": [],
             "is_stopped": True, "said": "", "problem": ""}  # fmt: skip
    page.route("**/training", lambda route: route.fulfill(json=state))
    page.route("**/training/start", lambda route: route.fulfill(json=state))
    page.click("#train-start")
    until(lambda: page.evaluate("read.length"))
    with page.expect_response("**/training"):
        pass
    page.wait_for_timeout(100)
    assert page.evaluate("read") == ["char_rnn/experiments/02 saves and ends …"]


def test_the_page_says_why_its_connection_was_closed(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workshop.web.connected.MOST_PAGES", 0)
    page.reload()
    until(lambda: "too many pages are open" in page.inner_text("#status"))
