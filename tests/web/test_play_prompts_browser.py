"""A beginning that is recorded or played on the page, with a microphone that beeps and a MIDI keyboard of the test."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import choose, decibels, finished, until, wav_from

pytestmark = pytest.mark.slow

#: A browser with one MIDI keyboard, whose keys `window.strike(status, pitch, velocity)` moves.
KEYBOARD = """
const input = { name: "Test keys", onmidimessage: null };
navigator.requestMIDIAccess = async () => ({ inputs: new Map([["1", input]]), onstatechange: null });
window.strike = (...data) => input.onmidimessage({ data });
"""
WITHOUT = """
Object.defineProperty(navigator, "requestMIDIAccess", { value: undefined });
Object.defineProperty(navigator, "mediaDevices", { value: undefined });
"""


def test_a_sound_goes_on_from_a_recording(page: Any) -> None:
    choose(page, "wavenet")
    page.click("#recording summary")
    page.click("#recording .record")
    until(lambda: page.inner_text("#recording .record") == "Stop recording")
    page.wait_for_timeout(2500)
    page.click("#recording .record")
    until(lambda: "recorded: the network goes on from there" in page.inner_text("#recording .prompt"), 20)
    heard = wav_from(page, "#recording audio")
    assert decibels(heard) > -40
    page.fill("#seconds", "0.5")
    page.click("#generate")
    assert "0.5 s of sound" in finished(page)
    page.click("#recording .remove")
    assert page.evaluate("document.querySelector('#recording input').value") == ""
    assert page.is_hidden("#recording audio")


def test_a_recording_ends_by_itself(page: Any) -> None:
    choose(page, "wavenet")
    page.click("#recording summary")
    page.click("#recording .record")
    until(lambda: page.inner_text("#recording .prompt").startswith("10.0 s recorded"), 30)


def first_pitches(page: Any, count: int) -> list[int]:
    """The pitches that the kept melody begins with."""
    page.click(".keep")
    until(lambda: page.inner_text(".kept"))
    from workshop.notes import midifiles

    notes = midifiles.read(Path("data/generated/midi_rnn-01-01.mid")).notes
    return [int(pitch) for pitch in notes[np.argsort(notes[:, 0], kind="stable")][:count, 2]]


def test_a_melody_goes_on_from_the_keys(page: Any) -> None:
    choose(page, "midi_rnn")
    page.click("#melody summary")
    for name in ("C 4", "E 4"):
        page.locator(f"#melody button[aria-label='{name}']").click(delay=200)
    page.locator("#melody button[aria-label='C 5']").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    page.keyboard.press("g", delay=200)
    until(lambda: page.inner_text("#melody .prompt") == "4 notes played: the network goes on from there.")
    page.fill("#length", "64")
    page.click("#generate")
    finished(page)
    assert first_pitches(page, 4) == [60, 64, 72, 67]


def test_a_melody_that_is_full_says_so(page: Any) -> None:
    choose(page, "midi_rnn")
    page.click("#melody summary")
    key = page.locator("#melody button[aria-label='C 4']")
    key.click(delay=100)
    until(lambda: page.inner_text("#melody .prompt") == "1 note played: the network goes on from there.")
    page.evaluate("() => { performance.now = () => Date.now() - performance.timeOrigin + 70_000; }")
    key.click()
    until(lambda: "forget it to play another" in page.inner_text("#melody .prompt"))
    page.click("#melody .remove")
    key.click()
    until(lambda: page.inner_text("#melody .prompt") == "1 note played: the network goes on from there.")


def test_a_melody_goes_on_from_a_midi_keyboard(page: Any) -> None:
    page.evaluate(f"() => {{ {KEYBOARD} }}")
    page.evaluate(
        """async () => {
          const { connectMidi } = await import(new URL("static/midi.js", document.baseURI));
          const { Melody } = await import(new URL("static/melody.js", document.baseURI));
          const box = document.getElementById("melody");
          connectMidi(box.querySelector(".connect"), box.querySelector(".midi"), new Melody(box));
        }"""
    )
    choose(page, "midi_rnn")
    page.click("#melody summary")
    page.click("#melody .connect")
    until(lambda: page.inner_text("#melody .midi") == "Connected: Test keys.")
    for pitch in (67, 62):
        page.evaluate(f"strike(0x91, {pitch}, 70)")
        page.wait_for_timeout(200)
        page.evaluate(f"strike(0x91, {pitch}, 0)")
    until(lambda: page.inner_text("#melody .prompt").startswith("2 notes played"))
    page.fill("#length", "64")
    page.click("#generate")
    finished(page)
    assert first_pitches(page, 2) == [67, 62]


@pytest.mark.parametrize(
    ("is_secure", "midi", "microphone"),
    [
        ("true", "This browser knows no MIDI keyboards.", "This browser lends no microphone."),
        ("false", "At this address the browser knows no", "At this address the browser lends no microphone: https and"),
    ],
)
def test_where_a_browser_has_none_it_says_so(
    browser: Any, address: str, is_secure: str, midi: str, microphone: str
) -> None:
    context = browser.new_context()
    context.add_init_script(f"{WITHOUT} Object.defineProperty(window, 'isSecureContext', {{ value: {is_secure} }});")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#generate:enabled")
    assert page.text_content("#melody .midi").startswith(midi)
    assert page.text_content("#recording .prompt").startswith(microphone)
    assert page.evaluate("document.querySelector('#recording .record').disabled")
    context.close()
