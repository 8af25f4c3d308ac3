"""The network of an interactive session: `clf`, which trains, samples and saves when one says so.

The name and what it can do are those of Blekota. The training is the one of `train.py`, in instalments: 100 iterations
and another 100 are 200, number for number, whatever is done in between.
"""

import functools
import signal
from pathlib import Path
from typing import Any

import numpy as np

from audio_rnn.generate import TEMPERATURE, Generator, before, probabilities
from workshop import cli
from workshop.audio import audiofiles, conditions
from workshop.audio.library import SoundInfo
from workshop.audio.listening import as_samples, at_home
from workshop.audio.quantisation import QUANTISATIONS
from workshop.audio.spectrogram import spectrogram
from workshop.audio.synthesis import write_wav
from workshop.errors import UserError
from workshop.files import short_path
from workshop.heatmap import heatmap
from workshop.networks.sampling import SamplingConfig
from workshop.networks.sequence import SequenceModel
from workshop.run import log
from workshop.run.experiment import Experiment
from workshop.run.learner import NextSymbolLearner
from workshop.run.seeds import new_seed
from workshop.run.session import Session
from workshop.run.trained import checked, with_progress
from workshop.visible import visible_line


class Classifier:
    """A network on a prompt.

    Args:
        model: whose weights it samples with.
        experiment: what it belongs to.
        state: what it is trained by; or, where it is there to be sampled from alone, the step that it is of.
    """

    def __init__(self, model: SequenceModel, experiment: Experiment, state: Session | int):
        self.model, self.experiment = model, experiment
        self._state = state
        facts = experiment.data(SoundInfo)
        #: Samples a second, and the names that a sound can be asked for by; none where it was trained without.
        self.rate, self.conditions = facts.sample_rate, facts.conditions
        self._quantisation = QUANTISATIONS[facts.quantisation]
        #: What the last sample was drawn after, what it was, with which condition, and at which temperature.
        self._last: tuple[np.ndarray, np.ndarray, int, float] | None = None

    def __repr__(self) -> str:
        size = f"{self.model.count_params():,} weights, {self.rate:,} samples a second"
        known = f"; makes {conditions.in_words(self.conditions)}" if self.conditions else ""
        return visible_line(f"{short_path(self.experiment.path)}, {self.step:,} iterations: {size}{known}")

    @property
    def step(self) -> int:
        """For how many iterations it has been trained."""
        return self._state if isinstance(self._state, int) else self._state.position.step

    # ---- training ----------------------------------------------------------------------------------------------------

    def train(self, it: int) -> None:
        """Go on training for `it` iterations, a batch each. Ctrl-C stops it and saves, as its end does.

        Raises:
            UserError: `it` is no number of iterations, this network cannot go on, or the training failed.
        """
        it = checked("it", it, cli.count)
        status = log.recorded(functools.partial(self._train, it), f"clf.train({it})")()
        if status not in (0, 128 + signal.SIGINT):
            # Somebody wants the process to end, and not only this training.
            signal.raise_signal(signal.Signals(status - 128))

    def _train(self, it: int) -> int:
        session = self._training()
        if not session.experiment.latest.exists():
            session.save()
        # The number of iterations is the only limit, whatever ended the trainings before.
        limits = {"num_epochs": None, "max_minutes": None, "patience": None}
        session = session.again(max_steps=self.step + it, **limits)
        learner = session.learner
        assert isinstance(learner, NextSymbolLearner)
        try:
            with session:
                for inputs, targets in session:
                    loss, gradients = learner.gradients(inputs, targets)  # of the loss, for each weight
                    learner.descend(gradients)  # a step of Adam
                    learner.update_average()  # the averaged weights are measured and generate
                    session.count(loss)  # measure and save, where it is time to
        except BaseException:
            self._state = session.again()  # back to what was saved last
            raise
        self._state = session
        return session.status

    def _training(self) -> Session:
        if isinstance(self._state, int):
            path = short_path(self.experiment.path)
            raise UserError(
                f"{path}@{self.step} is there to be sampled from: open {path} to go on with its training, from its "
                "latest checkpoint"
            )
        return self._state

    def checkpoint(self, n: int = 0) -> None:
        """Save: what training goes on from, and the weights under the number of this iteration. With a number `n`, also
        generate so many samples and keep them with the experiment and in TensorBoard.

        Raises:
            UserError: `n` is no number of samples, or something cannot be written.
        """
        n = checked("n", n, cli.whole)
        session, step = self._training(), self.step
        session.save()
        session.keep()
        print(f"saved: {visible_line(str(short_path(self.experiment.kept(step))))}")
        if n:
            path = self.experiment.samples / f"step_{step:06d}.wav"
            sound = self.sample(n)
            write_wav(path, sound, self.rate)
            session.board.sound("preview/sound", sound, self.rate, step)
            session.board.picture("preview/spectrogram", spectrogram(sound, self.rate, f"step {step:,}"), step)
            session.board.flush()
            print(f"saved: {visible_line(str(short_path(path)))}")

    # ---- sampling ----------------------------------------------------------------------------------------------------

    def sample(
        self, n: int, hint: Any = None, temperature: float = TEMPERATURE, seed: int | None = None,
        condition: str | None = None,
    ) -> np.ndarray:  # fmt: skip
        """Generate sound. Ctrl-C ends it early.

        Args:
            n: how many samples.
            hint: what to go on from: samples [N] from -1 to 1 at this network's rate, or a sound file; it is not part
                of the result.
            temperature: softmax temperature: below 1 more conservative, above 1 more random.
            seed: the same seed gives the same sound; without it, a new one each time.
            condition: which of `conditions` to generate; without it, the first.

        Returns:
            samples float32 [n], from -1 to 1.

        Raises:
            UserError: an argument is out of range, or the sound file cannot be used.
        """
        n = checked("n", n, cli.count)
        config = SamplingConfig(checked("temperature", temperature, cli.positive))
        seed = new_seed() if seed is None else checked("seed", seed, cli.seed)
        labels = conditions.numbers(condition, self.conditions, 1)
        prompt = self._quantisation.encode(self._hint(hint))[:, None]
        generator = Generator(self.model, np.array(labels))
        pieces: list[np.ndarray] = []
        try:
            for piece in with_progress(generator.generate(prompt, n, seed, config), n, "samples"):
                pieces.append(piece[:, 0])
        except KeyboardInterrupt:
            cli.say(f"stopped after {sum(map(len, pieces)):,} samples")
        values = np.concatenate([np.empty(0, np.int64), *pieces])
        self._last = before(prompt)[:, 0], values, labels[0], config.temperature
        return self._quantisation.decode(values)

    def _hint(self, hint: Any) -> np.ndarray:
        if hint is None:
            return np.empty(0, np.float32)
        return audiofiles.read(at_home(hint), self.rate) if isinstance(hint, str | Path) else as_samples(hint)

    def heatmap(self, start: int = 0, length: int = 1000) -> np.ndarray:
        """A picture of how likely each of the 256 levels was, for `length` of the last generated samples from `start`
        on; uint8 [H, W, 3].

        Raises:
            UserError: there are no such samples.
        """
        start, length = checked("start", start, cli.whole), checked("length", length, cli.count)
        if self._last is None or start >= len(self._last[1]):
            made = 0 if self._last is None else len(self._last[1])
            raise UserError(
                f"there is no sample {start} to look at: {made:,} were generated last, so generate more with "
                "clf.sample(n), or choose another start"
            )
        heard, values, label, temperature = self._last
        shown = values[start : start + length]
        found = probabilities(self.model, np.append(heard, values[: start + len(shown)]), label, temperature)
        return heatmap(found[-len(shown) :], shown, start)
