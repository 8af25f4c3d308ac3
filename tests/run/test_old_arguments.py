"""Arguments of the programs that the lessons descend from are accepted, or answered by what replaced them."""

import importlib
from collections.abc import Callable

import pytest

from workshop.run import old_arguments

#: For each script, all arguments of the program that it descends from, each with a value that it took.
TYPED = {
    ("char_rnn", "train"): [
        "--data_dir data/tinyshakespeare", "--save_dir save", "--log_dir logs", "--save_every 1000", "--init_from save",
        "--model gru", "--rnn_size 128", "--num_layers 2", "--seq_length 50", "--batch_size 50", "--num_epochs 50",
        "--grad_clip 5.", "--learning_rate 0.002", "--decay_rate 0.97", "--output_keep_prob 1.0",
        "--input_keep_prob 1.0",
    ],
    ("char_rnn", "sample"): ["--save_dir save", "-n 500", "--prime oh", "--sample 2"],
    ("midi_rnn", "train"): [
        "--data_dir data/midi", "--experiment_dir experiments/default", "--rnn_size 64", "--num_layers 1",
        "--learning_rate 0.001", "--window_size 20", "--batch_size 32", "--num_epochs 10", "--dropout 0.2",
        "--optimizer adam", "--grad_clip 5.0", "--message hello", "-m hello", "--n_jobs 2", "-j 2",
        "--max_files_in_ram 25",
    ],
    ("midi_rnn", "sample"): [
        "--experiment_dir experiments/01", "--save_dir out", "--midi_instrument Flute", "--num_files 10",
        "--file_length 1000", "--prime_file tune.mid", "--data_dir data/midi",
    ],
    ("wavenet", "train"): [
        "--batch_size 1", "--data_dir ./VCTK-Corpus", "--store_metadata True", "--logdir log", "--logdir_root log",
        "--restore_from log", "--checkpoint_every 50", "--num_steps 100000", "--learning_rate 1e-3",
        "--wavenet_params ./wavenet_params.json", "--sample_size 100000", "--l2_regularization_strength 0",
        "--silence_threshold 0.3", "--optimizer adam", "--momentum 0.9", "--histograms False", "--gc_channels 32",
        "--max_checkpoints 5",
    ],
    ("wavenet", "sample"): [
        "logdir/train/2017/model.ckpt-1000", "--samples 16000", "--temperature 1.0", "--logdir ./logdir",
        "--wavenet_params ./wavenet_params.json", "--wav_out_path a.wav", "--wav_out a.wav", "--save_every 4000",
        "--fast_generation true", "--wav_seed a.wav", "--gc_channels 32", "--gc_cardinality 377", "--gc_id 225",
    ],
}  # fmt: skip
ALL = [(lesson, script, typed) for (lesson, script), many in TYPED.items() for typed in many]


@pytest.mark.parametrize(("lesson", "script", "typed"), ALL, ids=lambda part: part.split()[0])
def test_each_is_accepted_or_answered(lesson: str, script: str, typed: str, refused: Callable[..., str]) -> None:
    # Not there, so that an accepted argument leads to the next mistake and not to a training.
    name = typed.split()[0]
    nowhere = "--data_dir" if script == "train" else "--save_dir" if lesson == "char_rnn" else "--experiment_dir"
    given = [] if name == nowhere else [nowhere, "nowhere"]
    answer = refused(importlib.import_module(f"{lesson}.{script}"), *typed.split(), *given)
    assert "there is no argument" not in answer
    assert answer.startswith((f"{name} is no longer an argument", "there is no ", "nowhere "))


@pytest.mark.parametrize(("table", "script"), [(old_arguments.TRAIN, "train"), (old_arguments.SAMPLE, "sample")])
def test_every_answer_is_of_use(table: dict[str, str], script: str) -> None:
    """Each answers an argument that was there, and names only arguments that there are."""
    typed = {line.split()[0] for (_, name), lines in TYPED.items() for line in lines if name == script}
    assert {name for name in table if name != "model.ckpt"} <= typed
    shown = {"--experiment_dir", "--resume", "--dropout", "--learning_rate", "--size", "--condition", "--num_epochs",
             "--max_minutes", "--checkpoint", "--keep_every", "--out"}  # fmt: skip
    named = {word.strip(",;.()") for answer in table.values() for word in answer.split() if word.startswith("--")}
    assert named <= shown
