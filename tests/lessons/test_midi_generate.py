"""Playing: invalid events are never generated, and all else is what the training graph says."""

import itertools
from collections.abc import Iterable
from pathlib import Path

import mido
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from midi_rnn.encoding import (
    ENCODINGS,
    END,
    FIRST_PITCH,
    HOLD,
    LONGEST_WAIT,
    NOTE_OFF,
    NOTE_ON,
    PITCHES,
    REST,
    VELOCITY,
    WAIT,
    Encoding,
)  # fmt: skip
from midi_rnn.generate import BAR_BEATS, PAUSE_BEATS, RULES, Generator, first_piece, notes_of
from midi_rnn.limits import Limits
from midi_rnn.model import recurrent
from workshop.networks.generation import PIECE
from workshop.networks.sampling import NEVER, SamplingConfig
from workshop.networks.sequence import SequenceModel
from workshop.notes.midifiles import read, write

MELODY, PERFORMANCE = ENCODINGS["melody"], ENCODINGS["performance"]
LONGEST = WAIT + LONGEST_WAIT - 1
LOUD = VELOCITY + 20
WILD = SamplingConfig(temperature=3.0)


def network(encoding: Encoding) -> SequenceModel:
    """A network with weights large enough that the past matters, and that likes what its rules forbid: holds without a
    note, ends with notes down, notes off, and short waits.
    """
    size = encoding.vocab_size
    model = recurrent(size, 8, 2, "lstm", 0.0, seed=3)
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 1.5, variable.shape))
    bias = rng.normal(0, 0.5, size)
    if encoding is MELODY:
        bias[[END, REST, HOLD]] += 4.0, 5.0, 9.0
    else:
        bias[END] += 20.0
        bias[NOTE_OFF:WAIT] += 7.0
        bias[WAIT : WAIT + 20] += 2.0
        bias[LONGEST] += 6.0
    model.layers[-1].bias.assign(bias)
    return model


MODELS = {name: network(encoding) for name, encoding in ENCODINGS.items()}


@pytest.fixture(scope="module")
def generators() -> dict[str, Generator]:
    return {name: Generator(MODELS[name], encoding) for name, encoding in ENCODINGS.items()}


@pytest.fixture(scope="module")
def played(generators: dict[str, Generator]) -> dict[str, np.ndarray]:
    """Twelve sequences of each encoding, after an end, int32 [T, B]."""
    return {name: play(generator, [END], 700, 12) for name, generator in generators.items()}


def play(
    generator: Generator, prime: list[int], length: int, num_samples: int = 1, seed: int = 0,
    config: SamplingConfig = WILD,
) -> np.ndarray:  # fmt: skip
    return np.concatenate(list(generator.generate(np.array(prime, np.int32), length, num_samples, seed, config)))


def allowed(encoding: Encoding, symbols: list[int]) -> np.ndarray:
    """For each of the symbols and what comes after the last one, which could stand there, bool [T + 1, V]: the rules,
    written again.
    """
    rows = np.ones((len(symbols) + 1, encoding.vocab_size), bool)
    down: set[int] = set()
    last = END
    for row, symbol in zip(rows, [*symbols, None], strict=True):
        if encoding is MELODY:
            row[HOLD] = last == HOLD or last >= FIRST_PITCH
        else:
            row[END] = not down
            for pitch in range(PITCHES):
                row[NOTE_ON + pitch] = pitch not in down
                row[NOTE_OFF + pitch] = pitch in down
            row[WAIT:VELOCITY] = not WAIT <= last < LONGEST
        if symbol is None:
            break
        if symbol == END:
            down = set()
        elif encoding is PERFORMANCE and symbol < WAIT:
            (down.add if symbol < NOTE_OFF else down.discard)((symbol - 1) % PITCHES)
        last = symbol
    return rows


@tf.function
def read_whole(model: SequenceModel, ids: tf.Tensor) -> tf.Tensor:
    return model(ids[:, None], model.initial_state(1))[0][:, 0]


def logits_from_scratch(name: str, symbols: list[int]) -> np.ndarray:
    """Logits [T, V] of the symbol after each of `symbols`, by the function that training uses."""
    return read_whole(MODELS[name], tf.constant(symbols, tf.int32)).numpy()


# ---- what is generated


@pytest.mark.parametrize("name", ENCODINGS)
def test_nothing_that_makes_no_sense_is_generated(name: str, played: dict[str, np.ndarray]) -> None:
    encoding = ENCODINGS[name]
    for symbols in played[name].T.tolist():
        rows = allowed(encoding, [END, *symbols])[1:-1]
        assert rows[np.arange(len(symbols)), symbols].all()


def test_what_is_forbidden_was_wanted_and_what_is_not_was_played(played: dict[str, np.ndarray]) -> None:
    """Otherwise the test before would prove nothing."""
    for name, firsts in (("melody", [END, REST, HOLD, FIRST_PITCH]), ("performance", [END, 1, NOTE_OFF, WAIT, LOUD])):
        counts = np.bincount(np.searchsorted(firsts, played[name].ravel(), side="right") - 1, minlength=len(firsts))
        assert counts.min() > 20, (name, counts)
        symbols = [END, *played[name][:, 0].tolist()]
        likeliest = logits_from_scratch(name, symbols).argmax(axis=1)
        rows = allowed(ENCODINGS[name], symbols)[1:]
        assert (~rows[np.arange(len(likeliest)), likeliest]).mean() > 0.05
    waits = played["performance"]
    assert ((waits[:-1] == LONGEST) & (waits[1:] >= WAIT) & (waits[1:] < VELOCITY)).any()


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_step_has_the_logits_of_the_training_graph(name: str, played: dict[str, np.ndarray]) -> None:
    symbols = [END, *played[name][:200, 0].tolist()]
    expected = logits_from_scratch(name, symbols)
    assert np.std(expected) > 0.3, "all the same would prove nothing"
    model = MODELS[name]
    tables, state = model.prepare(), model.initial_state(1)
    step = tf.function(model.step)
    for symbol, row in zip(symbols, expected, strict=True):
        logits, state = step(tables, tf.constant([symbol]), state)
        np.testing.assert_allclose(logits[0], row, atol=1e-4)


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_symbol_is_the_one_that_network_rules_and_chance_choose(name: str, played: dict[str, np.ndarray]) -> None:
    """Drawn once more from the logits of the training graph, with the random numbers of the same seed."""
    length, batch = 200, played[name].shape[1]
    symbols = [END, *played[name][:length, 0].tolist()]
    uniform = np.random.default_rng(0).random((PIECE, batch))[:length, 0]
    scores = logits_from_scratch(name, symbols)[:-1] / WILD.temperature
    scores = np.where(allowed(ENCODINGS[name], symbols)[1:-1], scores, -np.inf)
    likelihood = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(float))
    sums = likelihood.cumsum(axis=1) / likelihood.sum(axis=1, keepdims=True)
    chosen = np.arange(length), np.array(symbols[1:])
    assert (sums[chosen] > uniform - 1e-4).all()
    assert (sums[chosen] - likelihood[chosen] / likelihood.sum(axis=1) < uniform + 1e-4).all()


@pytest.mark.parametrize(
    "choice", [SamplingConfig(top_k=2), SamplingConfig(top_p=0.3), SamplingConfig(temperature=1e9)], ids=str
)
def test_no_choice_brings_back_what_makes_no_sense(choice: SamplingConfig, generators: dict[str, Generator]) -> None:
    for name, encoding in ENCODINGS.items():
        symbols = play(generators[name], [END], 200, 2, config=choice)
        for sequence in symbols.T.tolist():
            assert allowed(encoding, [END, *sequence])[1:-1][np.arange(200), sequence].all()


C, E = 60, 64
PRIMES = {
    "melody": [
        [END],
        [END, FIRST_PITCH + C],
        [END, FIRST_PITCH + C, HOLD, HOLD],
        [END, FIRST_PITCH + C, HOLD, REST],
        [END, FIRST_PITCH + C, HOLD, END],
        [HOLD],
        [END, FIRST_PITCH + C, *[HOLD] * (PIECE + 3)],
    ],
    "performance": [
        [END],
        [END, LOUD, NOTE_ON + C, NOTE_ON + E, WAIT + 40],
        [END, LOUD, NOTE_ON + C, NOTE_ON + E, LONGEST],
        [END, LOUD, NOTE_ON + C, NOTE_ON + E, WAIT + 40, NOTE_OFF + C],
        [END, LOUD, NOTE_ON + C, WAIT + 40, NOTE_OFF + C],
        [END, LOUD, NOTE_ON + C, WAIT + 40, END],
        [NOTE_OFF + C, WAIT, NOTE_OFF + E, NOTE_ON + C],
        [NOTE_ON + C, NOTE_ON + C, NOTE_OFF + C],
        [END, NOTE_ON + C, *[LOUD] * (PIECE + 3)],
    ],
}


@pytest.mark.parametrize(("name", "prime"), [(name, prime) for name, primes in PRIMES.items() for prime in primes])
def test_the_rules_know_what_was_read(name: str, prime: list[int], generators: dict[str, Generator]) -> None:
    """What comes right after a prime makes sense after it, also where it ends a piece in the middle of a note."""
    drawn = play(generators[name], prime, 1, 12)[0]
    possible = allowed(ENCODINGS[name], prime)[-1]
    assert possible[drawn].all()


def test_a_note_of_the_prime_can_be_held_and_ended(generators: dict[str, Generator]) -> None:
    assert HOLD in play(generators["melody"], [END, FIRST_PITCH + C], 1, 12)[0]
    sounding = [END, LOUD, *(NOTE_ON + pitch for pitch in range(40, 80))]
    ended = [
        set(sequence) & set(range(NOTE_OFF, WAIT)) for sequence in play(generators["performance"], sounding, 20, 12).T
    ]
    assert any(ended)


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_same_seed_plays_the_same(name: str, generators: dict[str, Generator]) -> None:
    one, again, other = (play(generators[name], [END], 100, 12, seed).tolist() for seed in (7, 7, 8))
    assert one == again
    assert one != other


# ---- limits

LIMITS = Limits(longest_note=150, voices=5)


def held_and_down(symbols: Iterable[int]) -> tuple[int, int]:
    """The longest time that a key is held, in units, and the most keys that are down at once."""
    now = longest = most = 0
    down: dict[int, int] = {}
    for symbol in symbols:
        if symbol == END:
            down = {}
        elif symbol < NOTE_OFF:
            down[symbol - NOTE_ON] = now
        elif symbol < WAIT:
            down.pop(symbol - NOTE_OFF, None)
        elif symbol < VELOCITY:
            now += symbol - WAIT + 1
        longest = max([longest, *(now - since for since in down.values())])
        most = max(most, len(down))
    return longest, most


def test_no_key_is_held_longer_and_no_more_are_down_than_in_the_data(played: dict[str, np.ndarray]) -> None:
    limited = play(Generator(MODELS["performance"], PERFORMANCE, None, LIMITS), [END], 700, 12)
    found = [held_and_down(sequence) for sequence in limited.T.tolist()]
    assert max(longest for longest, _ in found) == LIMITS.longest_note
    assert max(most for _, most in found) == LIMITS.voices
    for sequence in limited.T.tolist():
        rows = allowed(PERFORMANCE, [END, *sequence])[1:-1]
        assert rows[np.arange(len(sequence)), sequence].all()
    # Without limits the same network goes beyond both.
    wild = [held_and_down(sequence) for sequence in played["performance"].T.tolist()]
    assert max(longest for longest, _ in wild) > LIMITS.longest_note
    assert max(most for _, most in wild) > LIMITS.voices


def test_limits_that_are_not_reached_change_nothing(played: dict[str, np.ndarray]) -> None:
    wide = Limits(longest_note=1_000_000, voices=PITCHES)
    generator = Generator(MODELS["performance"], PERFORMANCE, range(PERFORMANCE.vocab_size), wide)
    assert (play(generator, [END], 700, 12) == played["performance"]).all()


def rules_after(symbols: list[int], seen: Iterable[int] = range(PERFORMANCE.vocab_size), **limits: int) -> np.ndarray:
    """What the rules let come after symbols of a performance, bool [V]."""
    possible = np.full(PERFORMANCE.vocab_size, NEVER, np.float32)
    possible[list(seen)] = 0
    rules = RULES["performance"](possible, **limits)
    memory = rules.init(1)
    for symbol in symbols:
        memory = rules.update(memory, tf.constant([symbol]))
    return rules.mask(tf.zeros((1, PERFORMANCE.vocab_size)), memory).numpy()[0] > NEVER / 2


def test_time_goes_on_only_as_far_as_a_key_can_be_held() -> None:
    limits = {"longest_note": 130, "voices": 3}
    one_held = [NOTE_ON + C, LONGEST, NOTE_ON + E]
    possible = rules_after(one_held, **limits)
    assert np.flatnonzero(possible[WAIT:VELOCITY]).tolist() == list(range(30))
    assert possible[NOTE_OFF + C]
    assert possible[NOTE_OFF + E]
    assert possible[NOTE_ON + C + 1]
    # At the limit nothing but the release of that key, and after it everything again.
    assert np.flatnonzero(rules_after([*one_held, WAIT + 29], **limits)).tolist() == [NOTE_OFF + C]
    after = rules_after([*one_held, WAIT + 29, NOTE_OFF + C], **limits)
    assert after[WAIT:VELOCITY].all()
    assert after[[NOTE_OFF + E, NOTE_ON + C, LOUD]].all()
    # A key that is pressed again begins again, and the end of a piece lifts all.
    assert rules_after([NOTE_ON + C, LONGEST, NOTE_ON + C], **limits)[WAIT:VELOCITY].all()
    assert rules_after([NOTE_ON + C, LONGEST, END], **limits)[WAIT:VELOCITY].all()


def test_a_key_is_released_where_no_wait_of_the_data_is_short_enough() -> None:
    seen = [END, NOTE_ON + C, NOTE_OFF + C, WAIT + 39, LOUD]
    assert np.flatnonzero(rules_after([NOTE_ON + C, WAIT + 39], seen, longest_note=100)).tolist() == [
        NOTE_OFF + C, LOUD,
    ]  # fmt: skip
    assert np.flatnonzero(rules_after([NOTE_ON + C, WAIT + 39, LOUD, WAIT + 39], seen, longest_note=100)).tolist() == [
        NOTE_OFF + C
    ]


def test_as_many_keys_go_down_as_in_the_data() -> None:
    chord = [NOTE_ON + C, NOTE_ON + E]
    assert rules_after(chord, voices=3)[NOTE_ON + C + 1]
    assert not rules_after(chord, voices=2)[NOTE_ON:NOTE_OFF].any()
    assert rules_after([*chord, NOTE_OFF + E], voices=2)[NOTE_ON + E]


@given(
    symbols=st.lists(
        st.one_of(
            st.sampled_from([END, NOTE_ON + C, NOTE_OFF + C, NOTE_ON + E, WAIT, WAIT + 70, LONGEST]),
            st.integers(0, PERFORMANCE.vocab_size - 1),
        ),
        max_size=30,
    ),
    seen=st.sets(st.integers(0, PERFORMANCE.vocab_size - 1), max_size=40),
    longest_note=st.integers(1, 300),
    voices=st.integers(1, 6),
)
@settings(max_examples=60, deadline=None)
def test_something_can_always_come_next(symbols: list[int], seen: set[int], longest_note: int, voices: int) -> None:
    """Whatever was read, also what no rule would have let through."""
    assert rules_after(symbols, {END, *seen}, longest_note=longest_note, voices=voices).any()


# ---- from symbols to notes


def any_symbols(encoding: Encoding) -> st.SearchStrategy[np.ndarray]:
    few = [END, REST, HOLD, FIRST_PITCH + C] if encoding is MELODY else [END, NOTE_ON + C, NOTE_OFF + C, WAIT + 70]
    symbols = st.one_of(st.sampled_from(few), st.integers(0, encoding.vocab_size - 1))
    return st.lists(symbols, max_size=60).map(lambda numbers: np.array(numbers, np.int32))


@pytest.mark.parametrize("name", ENCODINGS)
@given(data=st.data())
def test_pieces_begin_on_bars_and_never_overlap(name: str, data: st.DataObject) -> None:
    encoding = ENCODINGS[name]
    symbols = data.draw(any_symbols(encoding))
    notes = notes_of(encoding, symbols)
    assert notes.shape[1:] == (4,)
    ends = [-1, *np.flatnonzero(symbols == END).tolist(), len(symbols)]
    start, at = 0.0, 0
    for one, other in itertools.pairwise(ends):
        alone = encoding.decode(symbols[one + 1 : other])
        if not len(alone):
            continue
        found = notes[at : at + len(alone)]
        at += len(alone)
        # As it would be alone, from a bar on that begins after all notes before it and a pause.
        np.testing.assert_allclose(found, alone + np.array([start, start, 0, 0]), atol=1e-9)
        assert start % BAR_BEATS == 0
        start = BAR_BEATS * np.ceil((found[:, 1].max() + PAUSE_BEATS) / BAR_BEATS)
    assert at == len(notes)


def test_two_pieces_by_hand() -> None:
    piece = [FIRST_PITCH + C, HOLD, HOLD, HOLD]
    notes = notes_of(MELODY, np.array([*piece * 3, END, END, REST, *piece, END, *piece * 4, END]))
    assert notes[:, 0].tolist() == [0, 1, 2, 4.25, 8, 9, 10, 11]
    assert notes[:, 1].tolist() == [1, 2, 3, 5.25, 9, 10, 11, 12]


def test_silence_is_no_notes() -> None:
    for encoding in ENCODINGS.values():
        for symbols in ([], [END], [END, END]):
            assert notes_of(encoding, np.array(symbols, np.int32)).shape == (0, 4)
    assert notes_of(MELODY, np.array([REST, HOLD, REST])).shape == (0, 4)


def test_the_first_piece_is_what_stands_before_the_first_end() -> None:
    assert first_piece(np.array([5, 6, END, 7, END])).tolist() == [5, 6]
    assert first_piece(np.array([5, 6])).tolist() == [5, 6]
    assert first_piece(np.array([END, 6])).tolist() == []


# ---- what other programs read


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_is_generated_opens_elsewhere_without_stuck_notes(
    name: str, played: dict[str, np.ndarray], tmp_path: Path
) -> None:
    pretty_midi = pytest.importorskip("pretty_midi")
    encoding = ENCODINGS[name]
    for number, symbols in enumerate(played[name].T[:4]):
        notes = notes_of(encoding, symbols)
        assert len(notes) > 20
        path = tmp_path / f"{number}.mid"
        write(path, notes, 120.0, 0)

        now, down, count = 0, set(), 0
        for message in mido.merge_tracks(mido.MidiFile(path).tracks):
            now += message.time
            if message.type == "note_on" and message.velocity:
                assert message.note not in down
                down.add(message.note)
                count += 1
            elif message.type in ("note_on", "note_off"):
                down.remove(message.note)
        assert not down
        assert count == len(notes)

        (instrument,) = pretty_midi.PrettyMIDI(str(path)).instruments
        theirs = sorted((note.start, note.end, note.pitch, note.velocity) for note in instrument.notes)
        ours = sorted((start / 2, end / 2, pitch, velocity) for start, end, pitch, velocity in notes.tolist())
        np.testing.assert_allclose(theirs, ours, atol=1e-3)
        for pitch in {note.pitch for note in instrument.notes}:
            same = sorted((note.start, note.end) for note in instrument.notes if note.pitch == pitch)
            assert all(one[1] <= other[0] + 1e-9 for one, other in itertools.pairwise(same))


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_is_generated_can_be_learnt_from(name: str, played: dict[str, np.ndarray], tmp_path: Path) -> None:
    """Symbols, notes, a file, notes, and the same symbols again, but for what makes no sound."""
    encoding = ENCODINGS[name]
    notes = notes_of(encoding, played[name][:, 0])
    write(tmp_path / "one.mid", notes)
    score = read(tmp_path / "one.mid")
    again = encoding.compact(encoding.sounding(score, None), score)
    notes[:, :2] -= notes[0, 0] - again[0, 0]
    assert encoding.encode(again).tolist() == encoding.encode(notes).tolist()
    np.testing.assert_allclose(np.sort(again, axis=0), np.sort(notes, axis=0), atol=1e-6)
