"""The settings and words of Soundcube (hexagontruth, 2019), each with the argument that has taken its place, or with
the reason why it has none.

Its config.yml has sections (`net: {batch_size: 128}`), and any of its settings could be typed as `net.batch_size=128`;
its scripts took bare words. Both are answered, in a settings file as on the command line.
"""

import re

_ALL_KINDS = "every format that FFmpeg's libraries know is read"
_CACHED = "what was converted lies in the clone's folder .workshop, and is made again where the music has changed"
_FLOAT = "numbers are float32 in training, and sounds are written with 16 bits"
_SPECTRA = "spectral_rnn's --window and --hop are the samples in a frame and from one frame to the next"
_EXPERIMENT = "--experiment_dir names the folder of a run, with everything in it"
_SAVED = "--save_every is the number of steps between two checkpoints"
_WHOLE = "every checkpoint holds all that is needed to go on exactly"
_LOGGED = "the log.txt of each experiment holds what train.py printed"
_OUT = "--out names the file, or the folder for several"

#: What stands for each setting of its config.yml.
SETTINGS = {
    "data.source_formats": _ALL_KINDS,
    "data.source_dir": "--data_dir names the folder of the music",
    "data.target_dir": _CACHED,
    "data.temp_dir": "nothing is written outside the clone and the experiment",
    "data.sample_rate": "--sample_rate is the number of samples a second",
    "data.bit_depth": _FLOAT,
    "data.signed": _FLOAT,
    "data.step_length": _SPECTRA,
    "data.hop_length": _SPECTRA,
    "data.hops_per_second": "it follows from --sample_rate and spectral_rnn's --hop",
    "data.seconds_per_block": "--seq_length is the length of a training window, in steps of the sequence",
    "data.float_type": _FLOAT,
    "data.float_storage": _FLOAT,
    "data.complex_type": _FLOAT,
    "data.convert_cmd": "no program is started: FFmpeg's libraries read the files, and --sample_rate resamples them",
    "net.model_name": "--network names one of the networks in the lesson's model.py, and --size sets its parts",
    "net.loss": "the loss is -ln p of what comes next; the squared error is that of spectral_rnn's --target complex",
    "net.opt": "the optimizer is Adam; --learning_rate is its step size",
    "net.metrics": "TensorBoard shows the losses and all other curves of a run",
    "net.batch_size": "--batch_size is the number of windows in a batch",
    "net.training_epochs": "--num_epochs is the number of passes over the data",
    "net.val_split": "--val_split is the share of the data held out: 0.1 for every tenth",
    "net.kwargs.hidden_size": "--rnn_size is the number of units in each recurrent layer",
    "net.kwargs.dropout": "--dropout is the share of each layer's outputs dropped in training",
    "state.model_dir": _EXPERIMENT,
    "state.model_base": _EXPERIMENT,
    "state.autosave": "a training is always saved; --save_every says how often",
    "state.epochs_per_save": _SAVED,
    "state.epochs_per_archive": "--keep_every is the number of steps between two checkpoints that are kept",
    "state.save_m": _WHOLE,
    "state.base_epochs": "--resume counts on from where the run stopped",
    "output.output_dir": _OUT,
    "output.default_file": _OUT,
    "output.save_raw": "spectral_rnn's --save_raw keeps the frames beside the sound",
    "output.gen_steps": "--length is what to generate, and --seconds the same in seconds",
    "output.seed_steps": "--prime names a sound to go on from, all of it; spectral_rnn's --seed_from says which",
    "output.random_seed": "spectral_rnn's --seed_from is a file, or random",
    "output.fade_in": "spectral_rnn's --fade_in is in seconds",
    "output.fade_out": "spectral_rnn's --fade_out is in seconds",
    "logging.enabled": _LOGGED,
    "logging.level": _LOGGED,
    "logging.log_dir": _LOGGED,
    "logging.log_file": _LOGGED,
}

#: What stands for the bare words of its scripts.
WORDS = {
    "new": "every training is a new experiment, unless --resume goes on with one",
    "clear": "python -m workshop.reset puts experiments aside, or deletes them or what was converted",
    "logs": "python -m workshop.reset deletes logs: the log.txt of each experiment holds what train.py printed",
    "data": "python -m workshop.reset deletes what was converted, which lies in the clone's folder .workshop",
}
_NUMBER = "--num_epochs is the number of passes over the data"

#: Names of files that its generate.py took.
_SOUND = re.compile(r".*\.wav", re.IGNORECASE)


def answer(word: str) -> str | None:
    """What stands for a setting, such as `net.batch_size`, or for a bare word on the command line; None for others."""
    if re.fullmatch(r"\d{1,9}", word):
        return _NUMBER
    if _SOUND.fullmatch(word):
        return _OUT
    return SETTINGS.get(word) or WORDS.get(word)
