"""A prompt with a network that learns and makes sound while one is talking to it.

    python session.py SOUND.wav --model-name singer
    python session.py singer
    python session.py singer@1000

On the prompt, `clf.train(1000)` trains, `y = clf.sample(8000)` generates and `play(y)` plays; `help(clf)` tells the
rest. What is trained is an experiment like those of train.py: sample.py, --resume and TensorBoard on localhost:7009
know it.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_rnn.lesson import LESSON
from workshop import prompt
from workshop.audio import arguments
from workshop.cli import Parser
from workshop.commands import command
from workshop.errors import UserError
from workshop.files import short_path

if TYPE_CHECKING:
    from audio_rnn.classifier import Classifier

#: Other spellings of arguments, which are those of Blekota.
ALIASES = {"num_layers": "--layers", "rnn_size": "--hidden", "learning_rate": "--alpha"}
#: Iterations between two saved checkpoints, each of which is also kept under its number.
SAVE_EVERY = 1000
#: Arguments of train.py that a session has no use for, and why.
NOT_HERE = dict.fromkeys(
    ("num_epochs", "max_minutes", "patience", "smoke"), "clf.train(it) says for how many iterations"
) | {
    "resume": "name the experiment in place of a sound",
    "experiment_dir": "name the experiment in place of a sound, and a new one with --model-name",
    "data_dir": "name the sound file or folder without it",
    "sample_every": "clf.checkpoint(n) keeps a sample when you want one",
    "workers": "train.py trains with several",
}
#: Samples that the network reads before it is measured.
CONTEXT = 2000

GREETING = """{clf!r}
  clf.train(1000)          train for 1,000 iterations; Ctrl-C stops it and saves
  y = clf.sample(8000)     generate 8,000 samples; with hint= go on from a file or samples
  clf.checkpoint(8000)     save under the number of the iteration, with a sample; 0: without
  play(y)  show(y)         hear it, see it
  heatmap(0, 500)          see how likely each level was for these samples
  save_file("y.wav", y)    keep it; exit or Ctrl-D leaves"""


def parser() -> Parser:
    """The arguments of `train.py` that a session has a use for, and its own."""
    parser = arguments.train_parser("Talk to a network that learns to make a sound.", LESSON)
    arguments.learn_conditions(parser)
    arguments.choose_quantisation(parser)
    parser.add_argument(
        "what", metavar="SOUND|EXPERIMENT", help="sound file or folder to learn, or experiment; @STEP: as it was then"
    )
    name = "name of a new experiment, or with a / its folder; by default the next free number"
    parser.add_argument("--model_name", help=name)
    for name, spelling in ALIASES.items():
        parser.alias(name, spelling)
    parser.hide(*NOT_HERE)
    # One process, whatever the environment says.
    parser.set_defaults(save_every=SAVE_EVERY, workers=1)
    return parser


def opened(args: argparse.Namespace) -> "Classifier":
    """What the arguments name: a new network for a sound, or one that has been trained.

    Raises:
        UserError: there is no such sound or experiment, or an argument has no use here.
    """
    for name, instead in NOT_HERE.items():
        if name in args.given:
            raise UserError(f"--{name} has no use in a session: {instead}")
    what, model_name = args.what, args.model_name
    del args.what, args.model_name  # run.json keeps all others
    if Path(what).suffix == ".pkl":
        raise UserError(
            f"{what} is a pickle, and to open one is to run the program in it: train on its sound again with "
            f"`{command(LESSON.folder / 'session.py', 'SOUND.wav')}`"
        )
    if is_sound(what):
        args.data_dir, args.experiment_dir = what, place(model_name)
        args.keep_every = args.keep_every or SAVE_EVERY
    elif model_name:
        raise UserError(f"--model_name {model_name} is for a new experiment, and {what} is no sound that is there")
    else:
        name, _, step = what.rpartition("@")
        if name and not os.path.exists(what):
            return _as_it_was(name, step)
        args.resume, args.experiment_dir = True, what
    return _to_train(args)


def is_sound(what: str) -> bool:
    """Whether this is a file to learn from, or a folder that is no experiment."""
    from workshop.audio.audiofiles import SUFFIXES

    is_data = os.path.isfile(what) or (os.path.isdir(what) and not os.path.exists(os.path.join(what, "run.json")))
    return is_data or Path(what).suffix.lower() in SUFFIXES


def place(model_name: str | None) -> str | None:
    """The folder of a new experiment: beside the others, unless its name is that of a folder; None for a number.

    Raises:
        UserError: there is one already.
    """
    if model_name is None:
        return None
    path = Path(model_name) if "/" in model_name else LESSON.folder / "experiments" / model_name
    if (path / "run.json").exists():
        again = command(LESSON.folder / "session.py", model_name)
        raise UserError(f"{short_path(path)} is there already: open it with `{again}`, or choose another --model-name")
    return str(short_path(path))


def _as_it_was(name: str, step: str) -> "Classifier":
    """The network of an experiment as it was after a step, to be sampled from."""
    from workshop.quiet import quietly

    with quietly():
        from audio_rnn.classifier import Classifier
        from audio_rnn.trained import Trained
    from workshop.run import experiment

    trained = Trained(experiment.find(LESSON.folder, name), step)
    return Classifier(trained.model, trained.experiment, trained.step)


def _to_train(args: argparse.Namespace) -> "Classifier":
    """The network of an experiment, a new or a resumed one, with all that trains it: as in `train.py`."""
    import numpy as np

    from audio_rnn import dataset
    from workshop.audio import excerpts, mu_law
    from workshop.quiet import quietly
    from workshop.run import starting
    from workshop.run.baseline import ngram_baseline

    resumed, source = starting.take_up(LESSON, args)
    data_dir = Path(args.data_dir)
    sounds = dataset.load(data_dir, args)
    train, held_out = excerpts.rings(sounds)
    batch_size = excerpts.side_by_side(train, data_dir, args.batch_size, args.seq_length)
    starting.check_data(resumed, sounds.facts, data_dir)
    dataset.describe(sounds, data_dir)
    names = sounds.facts.conditions
    earlier = starting.earlier_data(args, source, names)
    baseline = ngram_baseline(np.concatenate(train), np.concatenate(held_out), mu_law.LEVELS, (1, 2, 3), earlier)
    with quietly():
        from audio_rnn.classifier import Classifier
        from audio_rnn.generate import TEMPERATURE
        from audio_rnn.model import build
        from workshop.run.learner import NextSymbolLearner, cross_entropy

    network = starting.network_of(LESSON, args, vocab_size=mu_law.LEVELS, conditions=len(names))
    model, average = (build(network, starting.most_weights(resumed)) for _ in range(2))
    starting.initialise(model, source, names)
    learner = NextSymbolLearner(
        model, average, cross_entropy, learning_rate=args.learning_rate, batch_size=batch_size,
        held_out=excerpts.HeldOutStreams(held_out, train, CONTEXT),
    )  # fmt: skip
    session = starting.open_session(
        LESSON, args, resumed, learner, excerpts.Streams(train, batch_size, args.seq_length, args.seed),
        network=network, source=source, symbols=names, data=sounds.facts, skipped=sounds.skipped,
        temperature=starting.temperature(resumed, TEMPERATURE), preview=None, baseline=baseline, smoke_steps=0,
    )  # fmt: skip
    return Classifier(average, session.experiment, session)


def names(clf: "Classifier") -> dict[str, Any]:
    """What there is on the prompt; what was played and shown last is kept with the experiment."""
    from workshop.audio.listening import Listening

    listening = Listening(clf.rate, clf.experiment.generated)

    def heatmap(start: int = 0, length: int = 1000) -> None:
        """Draw how likely each of the 256 levels was, for `length` of the last generated samples from `start` on."""
        listening.show_picture(clf.heatmap(start, length), "last_heatmap.png")

    functions: dict[str, Callable] = {
        "play": listening.play, "show": listening.show, "save_file": listening.save_file, "heatmap": heatmap,
    }  # fmt: skip
    return {"clf": clf, **functions}


def main() -> None:
    """Open the prompt, as the command line says."""
    clf = opened(parser().read())
    prompt.converse(names(clf), GREETING.format(clf=clf))


if __name__ == "__main__":
    prompt.run(main)
