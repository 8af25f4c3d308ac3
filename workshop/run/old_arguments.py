"""Arguments of the programs that the lessons descend from (char-rnn-tensorflow, midi-rnn and tensorflow-wavenet).

Many are accepted as other spellings of today's arguments. The others are answered by what replaced them, in one table
for all lessons: who types an argument of one program in another lesson is answered too.
"""

from collections.abc import Mapping

from workshop.cli import Parser
from workshop.run import soundcube

_EXPERIMENT = "--experiment_dir names the folder of a run, with everything in it, and --resume goes on with it"
_CLIPPED = "gradients are always clipped, to a norm of 5"
_DROPOUT = "--dropout is the share that is dropped, 1 minus what was kept"
_OPTIMIZER = "the optimizer is Adam; --learning_rate is its step size"
_SHAPE = "--size sets the network, and each part has an argument of its own; run.json keeps them"
_CONDITIONS = "--condition folder (or a JSON file) learns sounds by name, and sample.py --condition NAME makes one"
_DRAWN = "TensorBoard shows the losses, the learning rate, the speed and the previews of every run"

#: Other spellings of arguments of train.py and of sample.py, where the lesson has that argument.
TRAIN_ALIASES = {
    "seq_length": ("--window_size", "--sample_size"), "rnn_size": ("--rnn_units",), "cell": ("--model",),
    "save_every": ("--checkpoint_every",),
}  # fmt: skip
SAMPLE_ALIASES = {
    "length": ("--file_length", "--samples"), "num_samples": ("--num_files",), "prime": ("--prime_file", "--wav_seed"),
}  # fmt: skip

#: What replaced the arguments that train.py had.
TRAIN = {
    "--log_dir": _EXPERIMENT,
    "--logdir": _EXPERIMENT,
    "--logdir_root": _EXPERIMENT,
    "--restore_from": _EXPERIMENT,
    "--model": "--size sets the network of this lesson",
    "--grad_clip": _CLIPPED,
    "--decay_rate": "the learning rate stays, and a running average of the weights takes the place of its decay",
    "--output_keep_prob": _DROPOUT,
    "--input_keep_prob": _DROPOUT,
    "--optimizer": _OPTIMIZER,
    "--momentum": _OPTIMIZER,
    "--n_jobs": "files are read by all cores",
    "-j": "files are read by all cores",
    "--max_files_in_ram": "all files are read once and cached in a compact form",
    "--store_metadata": _DRAWN,
    "--histograms": _DRAWN,
    "--num_steps": "--num_epochs and --max_minutes limit it; without them training ends when it stops improving",
    "--wavenet_params": _SHAPE,
    "--gc_channels": _CONDITIONS,
    "--max_checkpoints": "an experiment keeps its best and its latest checkpoint, and those of --keep_every",
}

#: What replaced the arguments that sample.py, or generate.py, had.
SAMPLE = {
    "--logdir": "--experiment_dir names the experiment, and --out the file or folder to write to",
    "--wavenet_params": _SHAPE,
    "--fast_generation": "generation is always the fast one",
    "--gc_channels": _CONDITIONS,
    "--gc_cardinality": _CONDITIONS,
    "--gc_id": _CONDITIONS,
    # Any argument with this in it: the name of a checkpoint.
    "model.ckpt": "--experiment_dir names the experiment, and --checkpoint is best, latest or a step",
}


def accept(parser: Parser, aliases: Mapping[str, tuple[str, ...]], replaced: Mapping[str, str]) -> None:
    """Let a parser accept the older spellings of the arguments that it has, and answer those that were replaced."""
    for name, spellings in aliases.items():
        if parser.has(name):
            parser.alias(name, *spellings)

    def answer(word: str) -> str | None:
        return replaced.get("model.ckpt" if "model.ckpt" in word else word) or soundcube.answer(word)

    parser.replaced = answer
