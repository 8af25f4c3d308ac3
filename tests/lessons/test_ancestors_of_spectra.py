"""What boii, GRUV and Soundcube did wrong, and why it does not happen here: by a test, or by the reason in `REASONS`.

The gravest of them was boii's: it wrote the next block over the input, so that its networks learnt to copy. That the
network here predicts is measured below, as it is before any step of training, against copying, at the distance of one
of boii's blocks (64 ms).
"""

import re

import numpy as np
import pytest

from spectral_rnn import baseline, dataset
from spectral_rnn.dataset import FrameBatches
from spectral_rnn.generate import Frames
from spectral_rnn.model import FrameModel, Shape
from spectral_rnn.voice import FrameVoice
from workshop import ROOT
from workshop.audio import drums
from workshop.audio.bands import Bands, to_steps
from workshop.audio.stft import Stft
from workshop.run.batches import StatefulBatches
from workshop.run.voice import Block, Knobs

#: The defect, and the test that would find it, as FILE::TEST below tests/.
TESTS = {
    # boii
    "the input is overwritten by the target": "lessons/test_ancestors_of_spectra.py::"
    "test_what_is_learnt_is_the_next_frame",
    "copying is learnt": "lessons/test_ancestors_of_spectra.py::test_the_next_block_is_predicted",
    "what is played live is not made as in training": "lessons/test_ancestors_of_spectra.py::"
    "test_what_is_heard_live_is_what_was_trained_on",
    "training does not end, and cannot be resumed": "lessons/test_lessons.py::test_five_steps_and_five_more_are_ten",
    "what is generated is not fed back": "lessons/test_spectral_rnn.py::test_the_single_step_is_that_of_the_scripts",
    "blocks without overlap click": "audio/test_phase.py::test_what_was_analysed_comes_back",
    "devices have absolute numbers": "live/test_stage.py::test_a_device_is_found_by_a_part_of_its_name",
    "packages are not declared": "live/test_stage.py::test_what_is_not_installed_is_said",
    "no mistake is answered": "live/test_room.py::test_what_is_no_number_becomes_silence_and_is_said",
    "latency is not known": "live/test_room.py::test_the_latency_budget_adds_up",
    # GRUV
    "other weights are loaded than were trained": "lessons/test_bad_input.py::test_a_missing_checkpoint",
    "a song that was trained on is played again": "lessons/test_ancestors_of_spectra.py::"
    "test_it_begins_with_held_out_sound",
    "a file that cannot be read is an empty one": "audio/test_audiofiles.py::test_files_without_content_are_refused",
    "nothing was read, and it says Done": "lessons/test_bad_input.py::test_a_folder_without_files_of_the_lesson",
    "floating point is misread": "audio/test_audiofiles.py::test_the_samples_of_a_file_come_back",
    "half of the spectrum is redundant": "audio/test_phase.py::test_the_loudest_sine_has_the_magnitude_of_full_scale",
    "the rest of a file is dropped": "lessons/test_spectral_rnn.py::test_files_of_one_name_in_two_folders_stay_two",
    "missing weights are only printed": "lessons/test_spectral_rnn.py::test_a_checkpoint_without_excerpts_is_damaged",
    # Soundcube
    "files of a whole number of windows are emptied": "lessons/test_spectral_rnn.py::"
    "test_files_of_one_name_in_two_folders_stay_two",
    "one guess is learnt, which tends to the mean": "lessons/test_spectral_rnn.py::test_what_it_gives_is_a_density",
    "and to silence, where it is learnt on purpose": "lessons/test_guesses.py::"
    "test_fed_with_its_own_guesses_it_grows_silent",
    "clear calls what does not exist": "run/test_resetting.py::test_each_deletes_that_alone_after_listing_it",
    "a converter's errors are thrown away": "audio/test_audiofiles.py::test_a_damaged_file_is_read_or_refused",
    "file names are executed by a shell, YAML constructs objects": "test_house.py::test_nothing_runs_what_it_reads",
    "settings do not load": "lessons/test_configs.py::test_each_trains",
    "loudness is not what it was": "lessons/test_spectral_rnn.py::"
    "test_bands_share_out_all_frequencies_and_silence_stays_silent",
    "samples that are too loud wrap around": "lessons/test_ancestors_of_spectra.py::test_too_loud_is_clipped",
    "generating loads all data": "lessons/test_ancestors_of_spectra.py::test_it_begins_with_held_out_sound",
    "it is worse after it was resumed": "lessons/test_lessons.py::test_five_steps_and_five_more_are_ten",
    "pages name what is not there": "docs/test_pages.py::test_the_pages_can_be_followed_one_after_the_other",
}

#: The defect, and why it cannot be.
REASONS = {
    "learning rate schedules that nobody uses (boii)": "there is one rate, --learning_rate, drawn in TensorBoard",
    "models that are promised and not there (boii)": "no page promises one of this lesson",
    "a setting that is read under a wrong name (boii)": "arguments and run.json are typed, and wrong names are refused",
    "other versions of Keras (GRUV)": "the locks hold all versions",
    "a cast of complex numbers that warns (GRUV)": "warnings are errors in all tests",
    "a window of training whose length is ignored (Soundcube)": "--seq_length cuts the batches themselves",
    "an argument for signed samples that is ignored (Soundcube)": "there is none: samples are floating point",
    "tests that test nothing (Soundcube)": "they were seen to fail",
}

RATE, AHEAD = 8000, 4


@pytest.fixture(scope="module")
def bands() -> Bands:
    """Windows of 64 ms, as boii's blocks; `AHEAD` hops further a window begins in which nothing of this one is."""
    return Bands(Stft(512, 128), RATE, 24)


@pytest.fixture(scope="module")
def loops() -> list[np.ndarray]:
    """Four loops of drums."""
    return [drums.loop(name, tempo, RATE) for name, tempo in drums.loops()[:4]]


@pytest.fixture(scope="module")
def pieces(bands: Bands, loops: list[np.ndarray]) -> list[np.ndarray]:
    """Their frames."""
    return [to_steps(bands.levels(np.abs(bands.stft.analyse(loop)))) for loop in loops]


@pytest.fixture(scope="module")
def network(pieces: list[np.ndarray], bands: Bands) -> Frames:
    """A network as train.py begins with it, for all of them but the last."""
    train = np.concatenate(pieces[:3])
    model = FrameModel(Shape(24, 16, 1, 4, 0.0), seed=1)
    model.begin_with(baseline.fit(dataset.with_dither(train), 2))
    return Frames(model, dataset.kept(train, pieces[3], bands)[dataset.KEPT_LOUDEST])


@pytest.mark.parametrize("place", TESTS.values(), ids=TESTS)
def test_the_tests_are_there(place: str) -> None:
    file, name = place.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text("utf-8"), re.MULTILINE)


def test_all_the_rest_has_a_reason() -> None:
    assert all(REASONS.values())
    assert not TESTS.keys() & REASONS.keys()


def test_what_is_learnt_is_the_next_frame(pieces: list[np.ndarray]) -> None:
    train = np.concatenate(pieces)
    batches = FrameBatches(train, StatefulBatches(np.arange(len(train)), 8, 20, seed=0))
    for number in range(batches.windows):
        inputs, targets = batches.window(0, number)
        inputs = np.swapaxes(inputs, 1, 2)
        np.testing.assert_array_equal(targets[:-1], inputs[1:])
        assert np.abs(targets - inputs).mean() > 2


def test_the_next_block_is_predicted(network: Frames, pieces: list[np.ndarray]) -> None:
    """The frame that shares no sample with what was heard: its squared error is far below that of copying."""
    held_out = pieces[3].astype(np.float32)
    state, guesses = network.start(), []
    middle = np.full((1, network.draws), 0.5)
    for frame in held_out[:-AHEAD]:
        state, likely = network.read(state, frame[None])
        later = state
        for _ in range(AHEAD - 1):
            later, likely = network.read(later, network.draw(likely, 1e-6, middle))
        guesses.append(network.draw(likely, 1e-6, middle)[0])
    ours, copied = (np.square(guess - held_out[AHEAD:]).mean() for guess in (guesses, held_out[:-AHEAD]))
    assert ours < 0.8 * copied


def test_what_comes_back_is_not_what_was_heard(network: Frames, bands: Bands, loops: list[np.ndarray]) -> None:
    answer = said(FrameVoice(network, bands, 1.0, "continuous", 0), loops[3])
    together = np.fft.irfft(np.fft.rfft(answer, 2 * len(answer)) * np.conj(np.fft.rfft(loops[3], 2 * len(answer))))
    # At any distance, up to two windows.
    assert np.abs(together[: 2 * bands.stft.window]).max() < 0.5 * np.linalg.norm(answer) * np.linalg.norm(loops[3])
    assert np.std(answer) > 0.1 * np.std(loops[3])


def said(voice: FrameVoice, heard: np.ndarray) -> np.ndarray:
    """What a voice answers to samples in blocks of 64 ms."""
    blocks = np.array_split(heard, range(512, len(heard), 512))
    return np.concatenate([voice.process(Block(block), Knobs()).samples for block in blocks])


def test_what_is_heard_live_is_what_was_trained_on(
    network: Frames, bands: Bands, loops: list[np.ndarray], pieces: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[np.ndarray] = []
    voice = FrameVoice(network, bands, 1.0, "continuous", 0)
    hear = voice._hear
    monkeypatch.setattr(voice, "_hear", lambda window: (hear(window), heard.append(voice._ear[1][0])))
    said(voice, loops[0])
    np.testing.assert_array_equal(heard, pieces[0][: len(heard)])
    assert len(heard) == len(loops[0]) // bands.stft.hop


def test_it_begins_with_held_out_sound(pieces: list[np.ndarray], bands: Bands) -> None:
    """All that generating needs of the data is with the weights, and none of it was trained on."""
    kept = dataset.kept(np.concatenate(pieces[:3]), pieces[3], bands)
    assert kept.keys() == {dataset.KEPT_EXCERPTS, dataset.KEPT_LOUDEST}
    there = {frame.tobytes() for frame in pieces[3]}
    assert all(frame.tobytes() in there for excerpt in kept[dataset.KEPT_EXCERPTS] for frame in excerpt)


def test_too_loud_is_clipped(bands: Bands) -> None:
    from spectral_rnn.generate import sounds
    from workshop.audio.bands import STEPS
    from workshop.audio.phase import Resynthesis

    pieces = iter([np.full((40, 1, bands.count), STEPS, np.uint8)])
    samples = np.concatenate(list(sounds(pieces, 4000, bands, [Resynthesis(bands.stft)])))
    assert np.abs(samples).max() == 1
