"""The page of loops in a real browser: slots that play in time, what changes at a bar, MIDI, and the mix as a file."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import LEVEL, METER, TOKEN, cloned, decibels, page_served, until, wav_from
from osc_clients import Client
from test_play_accessible import look_at

from workshop.audio import latents
from workshop.host.ports import PLAY, Server
from workshop.osc.page import OpenPages
from workshop.osc.server import ERROR, OscServer
from workshop.osc.slots import routes

pytestmark = pytest.mark.slow

#: A browser with a MIDI input, whose messages `window.strike(...)` sends, and an output that keeps what it gets.
MIDI = """
const input = { name: "Test input", onmidimessage: null };
window.sent = [];
const output = { name: "Test output", send: (data, when) => window.sent.push([...data, when]), clear() {} };
navigator.requestMIDIAccess = async () =>
  ({ inputs: new Map([["1", input]]), outputs: new Map([["2", output]]), onstatechange: null });
window.strike = (time, ...data) => input.onmidimessage({ data, timeStamp: time });
"""
#: What is begun, and when, in samples.
BEGUN = """
window.begun = [];
const { start, stop } = AudioBufferSourceNode.prototype;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  window.begun.push(["start", when * this.context.sampleRate, offset * this.context.sampleRate]);
  start.call(this, when, offset);
};
AudioBufferSourceNode.prototype.stop = function (when) {
  window.begun.push(["stop", when * this.context.sampleRate, 0]);
  stop.call(this, when);
};
"""
#: A browser that lets no page sound before somebody has clicked on it.
SILENCED = """() => {
  AudioContext.prototype.resume = () => new Promise(() => {});
  Object.defineProperty(AudioContext.prototype, "state", { get: () => "suspended" });
}"""
SAMPLES = 2000  # of a loop of the tiny network


@pytest.fixture
def clone(trained_spectral_gan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone with a tiny network that makes loops, and no other."""
    yield from cloned({"spectral_gan": trained_spectral_gan}, tmp_path, monkeypatch)


@contextlib.contextmanager
def opened(browser: Any, address: str) -> Iterator[Any]:
    """The page of loops, ready."""
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    for script in (METER, MIDI, BEGUN):
        context.add_init_script(script)
    page = context.new_page()
    problems: list[str] = []
    page.problems = problems
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.click("header a")
    page.wait_for_selector("#play:enabled", timeout=60_000)
    assert TOKEN not in page.url
    until(lambda: filled(page) == 1)
    yield page
    assert problems == []
    context.close()


@pytest.fixture
def mixing(browser: Any, clone: Path, address: str) -> Iterator[Any]:
    """The page of loops, below a path."""
    with opened(browser, address) as page:
        yield page


@pytest.fixture
def followed(browser: Any, clone: Path) -> Iterator[tuple[Any, Callable[..., list[Any]]]]:
    """The page of loops, and what asks it by OSC."""
    with page_served() as port, opened(browser, f"http://localhost:{port}/?token={TOKEN}") as page:
        told = OpenPages(TOKEN, lambda: Server(PLAY, "127.0.0.1", port))
        with Client() as client, OscServer(routes(told), 0, deliver=client.deliver) as server:
            client.to = server.port
            yield page, client.ask


def filled(page: Any) -> int:
    """Slots that hold something, once nothing is made any more."""
    words = page.locator(".slot .what").all_inner_texts()
    return 0 if "is made …" in words else sum(text.startswith("filled") for text in words)


def forgive(page: Any) -> None:
    """Forget requests that were refused, as they should be: the browser's console tells of them too."""
    assert {"400" in problem for problem in page.problems} == {True}
    page.problems.clear()


def test_slots_play_in_time_and_change_at_a_bar(mixing: Any) -> None:
    mixing.click("#all")
    until(lambda: filled(mixing) == 8)
    mixing.click("#play")
    until(lambda: mixing.evaluate(LEVEL) > 0.001)
    until(lambda: mixing.locator(".slot.heard").count() == 8)
    begun = mixing.evaluate("window.begun")
    assert len({when for _, when, _ in begun}) == 1  # all at the same sample
    first = begun[0][1]
    # The pad by its sliders, with the keyboard.
    mixing.evaluate("window.begun.length = 0")
    mixing.press("#across", "ArrowRight")
    until(lambda: mixing.evaluate("window.begun.length") >= 2)
    for _, when, offset in mixing.evaluate("window.begun"):
        assert (when - first) / SAMPLES == pytest.approx(round((when - first) / SAMPLES), abs=1e-6)
        assert offset == 0
    assert mixing.inner_text("#across-value") == "0.02"
    # A button that was pressed elsewhere and is let go of over the pad changes nothing.
    mixing.evaluate("window.begun.length = 0")
    mixing.mouse.move(5, 5)
    mixing.mouse.down()
    mixing.hover("#pad")
    mixing.mouse.up()
    mixing.wait_for_timeout(300)
    assert mixing.evaluate("window.begun.length") == 0
    # And by the pad itself.
    box = mixing.locator("#pad").bounding_box()
    mixing.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mixing.mouse.down()
    mixing.mouse.move(box["x"] + box["width"], box["y"] - 50)
    mixing.mouse.up()
    assert (mixing.inner_text("#across-value"), mixing.inner_text("#up-value")) == ("1.00", "1.00")
    # One after the other: one is heard at a time.
    mixing.select_option("#in-turn", "yes")
    until(lambda: mixing.locator(".slot.heard").count() == 1)
    mixing.keyboard.press("Escape")
    until(lambda: mixing.inner_text("#status") == "Stopped.")
    assert mixing.is_disabled("#stop")


def test_what_is_liked_is_locked_and_a_fade_leads_to_another_slot(mixing: Any) -> None:
    mixing.click(".slot:nth-child(2) .chosen")
    mixing.click("#random")
    until(lambda: filled(mixing) == 2)
    mixing.select_option("#way", "fade")
    until(lambda: "filled to 1, 4 bars" in mixing.inner_text(".slot:nth-child(2)"))
    mixing.check(".slot:nth-child(2) .lock")
    assert mixing.is_disabled("#random")
    assert mixing.is_disabled("#across")
    asked: list[str] = []
    mixing.on("request", lambda request: asked.append(request.url))
    mixing.click("#all")
    until(lambda: filled(mixing) == 8)
    assert len([url for url in asked if url.endswith("loops/made")]) == 7
    # Another tempo makes all of them anew; a bar is then as long as it has to be.
    mixing.click("#play")
    mixing.evaluate("window.begun.length = 0")
    mixing.fill("#bpm", "240")
    mixing.press("#bpm", "Enter")
    until(lambda: mixing.evaluate("window.begun.filter(([what]) => what === 'start').length") == 8)
    assert len({when for _, when, _ in mixing.evaluate("window.begun")}) == 1
    mixing.fill("#bpm", "5")
    mixing.press("#bpm", "Enter")
    mixing.wait_for_selector("#status.problem")
    assert "from 20 to 999" in mixing.inner_text("#status")
    assert mixing.input_value("#bpm") == "240"
    forgive(mixing)


def test_a_slot_that_is_emptied_while_the_tempo_changes_stays_empty(mixing: Any) -> None:
    held: list[Any] = []
    mixing.route("**/loops/made", lambda route: held.append(route))
    mixing.fill("#bpm", "240")
    mixing.press("#bpm", "Tab")
    until(lambda: "another tempo" in mixing.inner_text("#status") and held)
    mixing.click("#empty")
    held[0].continue_()
    until(lambda: mixing.inner_text("#status") == "Ready.")
    mixing.click(".slot:nth-child(1) .chosen")
    assert mixing.is_disabled("#mix"), "nothing is heard"


def test_a_tempo_that_cannot_be_is_refused_where_all_slots_are_empty(mixing: Any) -> None:
    mixing.click("#empty")
    mixing.fill("#bpm", "-120")
    mixing.press("#bpm", "Enter")
    mixing.wait_for_selector("#status.problem")
    assert "from 20 to 999" in mixing.inner_text("#status")
    assert mixing.input_value("#bpm") == "480"
    forgive(mixing)


def test_of_two_tempos_that_cannot_be_none_stays(mixing: Any) -> None:
    mixing.evaluate(
        """() => {
          const field = document.getElementById("bpm");
          for (const value of ["5", "6"]) {
            field.value = value;
            field.dispatchEvent(new Event("change"));
          }
        }"""
    )
    mixing.wait_for_selector("#status.problem")
    assert "from 20 to 999" in mixing.inner_text("#status")
    assert mixing.input_value("#bpm") == "480"
    forgive(mixing)


def test_another_network_may_be_chosen_while_loops_are_made(mixing: Any) -> None:
    held: list[Any] = []
    # The first two are held: the loop that is made, and what the other network says of itself.
    mixing.route("**/loops/*", lambda route: held.append(route) if len(held) < 2 else route.continue_())
    mixing.click("#random")
    mixing.click("#random")  # it has changed while it is made
    mixing.wait_for_timeout(200)
    mixing.dispatch_event("#experiment", "change")
    mixing.fill("#bpm", "100")
    mixing.press("#bpm", "Enter")
    mixing.wait_for_timeout(200)
    made, space = held
    made.continue_()
    mixing.wait_for_timeout(500)
    assert mixing.inner_text("#status") == "Getting the network ready …"
    space.continue_()
    until(lambda: (mixing.inner_text("#status"), filled(mixing)) == ("Ready.", 1))


def test_the_mix_is_a_file_that_says_its_tempo(mixing: Any, clone: Path) -> None:
    mixing.click("#all")
    until(lambda: filled(mixing) == 8)
    mixing.check(".slot:nth-child(8) .mute")
    mixing.fill("#bars", "3")
    mixing.click("#mix")
    mixing.wait_for_selector("#after:visible")
    samples = wav_from(mixing, "#player")
    assert len(samples) == 3 * SAMPLES
    assert decibels(samples) > -60
    # It loops.
    assert samples[:SAMPLES] == pytest.approx(samples[SAMPLES : 2 * SAMPLES])
    mixing.click("#keep")
    until(lambda: "Kept as data/generated/spectral_gan-01-01.wav" in mixing.inner_text("#kept"))
    assert (clone / "data/generated/spectral_gan-01-01.png").exists()
    mixing.fill("#bars", "999")
    mixing.click("#mix")
    until(lambda: "bars: '999'" in mixing.inner_text("#kept"))
    forgive(mixing)


def mixed(page: Any) -> np.ndarray:
    """The samples of a mix of one bar."""
    page.evaluate("document.getElementById('player').removeAttribute('src')")
    page.fill("#bars", "1")
    page.click("#mix")
    until(lambda: page.get_attribute("#player", "src"))
    return wav_from(page, "#player")


def test_loading_the_page_again_loses_nothing(mixing: Any) -> None:
    mixing.click("#all")
    until(lambda: filled(mixing) == 8)
    mixing.click(".slot:nth-child(3) .earlier")
    mixing.check(".slot:nth-child(5) .mute")
    mixing.check(".slot:nth-child(6) .lock")
    mixing.fill(".slot:nth-child(1) .level", "0.25")
    mixing.press("#across", "ArrowRight")
    mixing.select_option("#way", "fade")
    mixing.fill("#bpm", "500")
    mixing.press("#bpm", "Tab")
    until(lambda: mixing.inner_text("#status") == "Ready." and filled(mixing) == 8)
    names = mixing.locator(".slot .chosen").all_inner_texts()
    rows = mixing.locator(".slot .what").all_inner_texts()
    before = mixed(mixing)
    mixing.reload()
    mixing.reload()  # before it was ready again
    until(lambda: filled(mixing) == 8)
    assert mixing.locator(".slot .chosen").all_inner_texts() == names != sorted(names)
    assert mixing.locator(".slot .what").all_inner_texts() == rows
    assert mixing.input_value("#bpm") == "500"
    assert mixing.is_checked(".slot:nth-child(5) .mute")
    assert mixing.is_checked(".slot:nth-child(6) .lock")
    np.testing.assert_array_equal(mixed(mixing), before)
    # Another network begins anew, and a tab of its own too.
    with mixing.context.expect_page() as another:
        mixing.evaluate("window.open(location.href, '_blank', 'noopener')")
    another.value.wait_for_selector("#play:enabled")
    until(lambda: filled(another.value) == 1)
    another.value.close()


def test_midi_mutes_sets_levels_and_keeps_time(mixing: Any) -> None:
    mixing.click("#midi")
    until(lambda: "Test input, Test output" in mixing.inner_text("#midi-status"))
    mixing.evaluate("window.strike(0, 0x90, 61, 90)")
    assert mixing.is_checked(".slot:nth-child(2) .mute")
    mixing.evaluate("window.strike(0, 0x90, 61, 90)")
    assert not mixing.is_checked(".slot:nth-child(2) .mute")
    mixing.evaluate("window.strike(0, 0xb0, 20, 0)")
    assert float(mixing.input_value(".slot:nth-child(1) .level")) == 0
    mixing.evaluate("window.strike(0, 0xfa)")
    until(lambda: mixing.inner_text("#status") == "Playing.")
    until(lambda: len(mixing.evaluate("window.sent")) > 200)
    sent = mixing.evaluate("window.sent")
    assert sent[0][0] == 0xFA
    times = np.array([when for kind, when in sent if kind == 0xF8])
    # 480 beats a minute of 24 each.
    assert np.diff(times[:96]) == pytest.approx(60_000 / 480 / 24, abs=0.5)
    # Nothing is sent twice, whatever changes meanwhile.
    mixing.select_option("#in-turn", "yes")
    mixing.check(".slot:nth-child(1) .mute")
    mixing.fill("#bpm", "300")
    mixing.press("#bpm", "Enter")
    until(lambda: len([one for one in mixing.evaluate("window.sent") if one[0] == 0xFA]) == 2)
    times = np.array([when for kind, when in mixing.evaluate("window.sent") if kind == 0xF8])
    assert (np.diff(times) > 1).all()
    # A clock of 240 beats a minute.
    mixing.evaluate("for (let tick = 0; tick < 97; tick += 1) window.strike(tick * 60000 / 240 / 24, 0xf8)")
    until(lambda: mixing.input_value("#bpm") == "240")
    mixing.evaluate("window.strike(0, 0xfc)")
    until(lambda: mixing.evaluate("window.sent.at(-1)[0]") == 0xFC)


def test_other_programs_play_the_slots_by_osc(followed: tuple[Any, Callable[..., list[Any]]]) -> None:
    page, ask = followed
    assert ask("/slot/3/level", 0.5) == ["/slot/3/level", 0.5]
    assert ask("/slot/3/mute", 1.0) == ["/slot/3/mute", 1]
    assert page.input_value(".slot:nth-child(3) .level") == "0.5"
    assert page.is_checked(".slot:nth-child(3) .mute")
    assert not page.is_checked(".slot:nth-child(2) .mute")
    assert (ask("/slot/3/level"), ask("/slot/2/mute")) == (["/slot/3/level", 0.5], ["/slot/2/mute", 0])
    # Loops: at random, of a seed, of latent values, near to another, and moved.
    assert ask("/slots/random") == ["/slots/random"]
    until(lambda: filled(page) == 8)
    size = len(ask("/slot/1/point")) - 1
    assert ask("/slot/2/seed", 7) == ["/slot/2/seed", 7]
    until(lambda: ask("/slot/2/point")[1:] == pytest.approx(latents.drawn(1, size, 7)[0].tolist(), abs=1e-5))
    wanted = [0.25] * size
    assert ask("/slot/4/point", *wanted) == ["/slot/4/point", *wanted]
    assert ask("/slot/4/morph", 0.5) == ["/slot/4/morph", 0.5]
    assert ask("/slot/4/point")[1:] != wanted
    assert ask("/slot/1/pad", -1, 0.5) == ["/slot/1/pad", -1, 0.5]
    assert (page.inner_text("#across-value"), page.inner_text("#up-value")) == ("-1.00", "0.50")
    # Ways, the order, and the tempo.
    assert ask("/slot/1/fade", 2, 3) == ["/slot/1/fade", 2, 3]
    until(lambda: "filled to 2, 3 bars" in page.inner_text(".slot:nth-child(1)"))
    assert page.input_value("#steps") == "3"
    assert ask("/slot/1/stay") == ["/slot/1/stay"]
    until(lambda: page.inner_text(".slot:nth-child(1) .what") == "filled")
    assert ask("/slots/swap", 1, 3) == ["/slots/swap", 1, 3]
    assert page.locator(".slot .chosen").all_inner_texts()[:3] == ["3", "2", "1"]
    assert ask("/slots/order", *range(8, 0, -1)) == ["/slots/order", *range(8, 0, -1)]
    assert page.locator(".slot .chosen").all_inner_texts() == list("87654321")
    assert ask("/slots/turn", 1) == ["/slots/turn", 1]
    assert ask("/slots/tempo", 240) == ["/slots/tempo", 240]
    assert (page.input_value("#in-turn"), page.input_value("#bpm")) == ("yes", "240")
    until(lambda: page.inner_text("#status") == "Ready.")
    # And what is heard.
    assert ask("/slots/play", 1.0) == ["/slots/play", 1]
    until(lambda: page.evaluate(LEVEL) > 0.001)
    assert ask("/slots/stop") == ["/slots/stop"]
    assert page.inner_text("#status") == "Stopped."


def test_the_page_says_to_other_programs_what_cannot_be(followed: tuple[Any, Callable[..., list[Any]]]) -> None:
    page, ask = followed
    assert ask("/slot/1/lock", 1) == ["/slot/1/lock", 1]
    held = ask("/slot/1/point")
    for address, *values in (["random"], ["seed", 1], ["pad", 0, 0], ["morph", 1], ["empty"], ["stay"], ["fade", 2, 4]):
        assert ask(f"/slot/1/{address}", *values)[1] == f"/slot/1/{address}: slot 1 is locked: unlock it first"
    assert ask("/slot/1/point") == held
    for words, sentence in [
        (["/slot/2/fade", 2, 4], "to another one, not to itself"),
        (["/slot/1/lock", 0], ""),
        (["/slot/1/fade", 2, 4], "slot 2 is empty: fill it first"),
        (["/slot/2/point"], "slot 2 is empty"),
        (["/slot/2/point", 1.0], "latent values, and 1 were sent"),
        (["/slots/order", *[1] * 8], "the order names each slot once"),
    ]:
        address, told = ask(*words)
        assert (address == ERROR, sentence in str(told)) == (bool(sentence), True)
    page.evaluate(SILENCED)
    assert "only after a click on it" in ask("/slots/play", 1)[1]
    assert page.is_enabled("#play")


def test_nothing_bars_the_loops(mixing: Any) -> None:
    mixing.click("#play")
    assert look_at(mixing) == {}
    mixing.click(".slot:nth-child(3) .earlier")
    assert mixing.locator(".slot .chosen").all_inner_texts()[:3] == ["1", "3", "2"]
    mixing.set_viewport_size({"width": 1100, "height": 900})
