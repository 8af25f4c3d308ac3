"""The one argument convention: what is understood, what `--help` says, and how a mistake is answered."""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parsers import LESSON, SIZES, refuse, sample_parser, train_parser

from workshop import ROOT, cli
from workshop.errors import UserError
from workshop.run import arguments

#: A settings file that sets nothing.
EMPTY = str(ROOT / "tests" / "fixtures" / "empty.yml")

#: The design's table: argument -> a value that is allowed -> what it is read as. None: a switch.
TRAIN: dict[str, tuple[str | None, Any]] = {
    "data_dir": ("songs", "songs"),
    "experiment_dir": ("mine", "mine"),
    "resume": (None, True),
    "init_from": ("verse", "verse"),
    "size": ("tiny", "tiny"),
    "network": ("default", "default"),
    "rnn_size": ("7", 7),
    "num_layers": ("3", 3),
    "dropout": ("0.25", 0.25),
    "cell": ("rnn", "rnn"),
    "seq_length": ("9", 9),
    "batch_size": ("5", 5),
    "learning_rate": ("1e-3", 1e-3),
    "num_epochs": ("2", 2),
    "max_minutes": ("0.5", 0.5),
    "patience": ("4", 4),
    "val_split": ("0.2", 0.2),
    "save_every": ("11", 11),
    "sample_every": ("12", 12),
    "keep_every": ("13", 13),
    "seed": ("0", 0),
    "message": ("a-b --c", "a-b --c"),
    "config": (EMPTY, EMPTY),
    "workers": ("2", 2),
    "smoke": (None, True),
}
TRAIN_ALIASES = {"window_size": "seq_length", "sample_size": "seq_length", "rnn_units": "rnn_size"}
SAMPLE: dict[str, tuple[str | None, Any]] = {
    "experiment_dir": ("mine", "mine"),
    "checkpoint": ("latest", "latest"),
    "length": ("10", 10),
    "num_samples": ("3", 3),
    "prime": ("oh-my --my", "oh-my --my"),
    "config": (EMPTY, EMPTY),
    "temperature": ("0.8", 0.8),
    "top_k": ("5", 5),
    "top_p": ("1", 1.0),
    "seed": ("42", 42),
    "out": ("song.txt", "song.txt"),
}
SAMPLE_ALIASES = {
    "file_length": "length",
    "samples": "length",
    "num_files": "num_samples",
    "prime_file": "prime",
    "wav_seed": "prime",
}

PARSERS: dict[str, Callable[[], cli.Parser]] = {"train": train_parser, "sample": sample_parser}
TABLE = [("train", name, *case) for name, case in TRAIN.items()]
TABLE += [("sample", name, *case) for name, case in SAMPLE.items()]


# ---- what is understood


@pytest.mark.parametrize(("script", "name", "text", "value"), TABLE)
def test_each_common_argument_is_understood(script: str, name: str, text: str | None, value: Any) -> None:
    argv = [f"--{name}"] if text is None else [f"--{name}", text]
    if text is not None and text.startswith("-"):
        argv = [f"--{name}={text}"]
    args = PARSERS[script]().read(argv)
    assert getattr(args, name) == value
    assert args.given == {name}


@pytest.mark.parametrize(("script", "name", "text", "value"), [case for case in TABLE if "_" in case[1]])
def test_hyphens_are_underscores_in_names_but_not_in_values(
    script: str, name: str, text: str | None, value: Any
) -> None:
    spelling = "--" + name.replace("_", "-")
    argv = [spelling] if text is None else [f"{spelling}={text}"]
    assert getattr(PARSERS[script]().read(argv), name) == value


@pytest.mark.parametrize(
    ("script", "alias", "name"),
    [("train", *pair) for pair in TRAIN_ALIASES.items()] + [("sample", *pair) for pair in SAMPLE_ALIASES.items()],
)
def test_older_spellings_are_accepted_and_not_shown(script: str, alias: str, name: str) -> None:
    parser = PARSERS[script]()
    text, value = (TRAIN if script == "train" else SAMPLE)[name]
    assert text is not None
    for spelling in (f"--{alias}", "--" + alias.replace("_", "-")):
        args = parser.read([spelling, text])
        assert getattr(args, name) == value
        assert args.given == {name}
        assert not hasattr(args, alias)
    assert not re.search(rf"--{alias}\b", parser.format_help())
    assert f"--{alias}" not in parser.options()


def test_a_hidden_argument_is_read_and_not_shown() -> None:
    parser = cli.Parser()
    parser.add_argument("--shown", type=cli.count, default=1, help="this")
    parser.add_argument("--other", type=cli.count, default=2, help="that")
    parser.hide("other")
    assert "--other" not in parser.format_help()
    assert parser.options() == ["-h", "--help", "--shown"]
    assert parser.read(["--other", "5"]).other == 5


def test_an_alias_is_checked_like_the_argument_itself(capsys: pytest.CaptureFixture[str]) -> None:
    parser = train_parser()
    assert parser.read(["--model", "gru"]).cell == "gru"
    assert "--model" in refuse(parser, capsys, "--model", "nas")
    assert "'0' is not a whole number" in refuse(parser, capsys, "--window_size", "0")


def test_short_forms() -> None:
    assert train_parser().read(["-m", "first try"]).message == "first try"
    assert sample_parser().read(["-n", "10000"]).length == 10_000


def test_what_is_not_given_has_its_default_and_is_not_in_given() -> None:
    args = train_parser().read([])
    assert args.given == set()
    assert (args.data_dir, args.experiment_dir, args.resume, args.size) == ("data/starter", None, False, "small")
    assert (args.rnn_size, args.val_split, args.seed, args.message, args.smoke) == (None, 0.1, 0, "", False)
    args = sample_parser().read([])
    assert (args.length, args.num_samples, args.checkpoint, args.temperature) == (500, 1, "best", None)
    assert (args.prime, args.top_k, args.top_p, args.seed, args.out) == (None, None, None, None, None)


def test_a_default_that_is_given_counts_as_given() -> None:
    args = train_parser().read(["--seed", "0", "--size=small", "--val-split", "0.1"])
    assert args.given == {"seed", "size", "val_split"}


def test_the_size_fills_in_what_was_not_given() -> None:
    names = ("rnn_size", "num_layers", "cell", "dropout")
    args = train_parser().read(["--rnn_size", "99", "--dropout", "0"])
    arguments.apply_size(args, LESSON)
    assert [getattr(args, name) for name in names] == [99, 2, "lstm", 0.0]
    assert args.given == {"rnn_size", "dropout"}


@pytest.mark.parametrize(
    ("argv", "size"), [([], "small"), (["--smoke"], "tiny"), (["--smoke", "--size", "small"], "small")]
)
def test_smoke_means_the_smallest_size_unless_one_was_asked_for(argv: list[str], size: str) -> None:
    args = train_parser().read(argv)
    arguments.apply_size(args, LESSON)
    assert (args.size, args.rnn_size) == (size, SIZES[size]["rnn_size"])


# ---- help


def entries(help_text: str) -> dict[str, str]:
    """The help of each argument by its first long spelling, on one line."""
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=  -)", help_text)[1:]:
        names = re.findall(r"--\w+", block.split("\n\n")[0])
        found[names[0][2:]] = " ".join(block.split("\n\n")[0].split())
    return found


@pytest.mark.parametrize("script", PARSERS)
def test_every_argument_has_help_and_shows_its_default(script: str) -> None:
    parser = PARSERS[script]()
    shown = entries(parser.format_help())
    defaults = vars(parser.read([]))
    expected = set(TRAIN if script == "train" else SAMPLE)
    assert set(shown) == expected | {"help"}
    with_default = {name for name in expected if defaults[name] not in (None, "") and defaults[name] is not False}
    assert with_default >= ({"seed", "data_dir"} if script == "train" else {"length", "checkpoint"})
    for name in expected:
        assert ("(default:" in shown[name]) == (name in with_default), shown[name]
        if name in with_default:
            assert shown[name].endswith(f"(default: {defaults[name]})")
    for action in parser._actions:
        assert action.help


@pytest.mark.parametrize("script", ["train", "sample"])
def test_help_of_the_lesson_answers_without_the_heavy_libraries(script: str) -> None:
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "char_rnn" / f"{script}.py"), "--help"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert time.monotonic() - started < 20
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert "argparse" in imported
    assert not imported & {"tensorflow", "keras", "numpy", "tensorboard", "charset_normalizer", "tqdm"}
    shown = entries(result.stdout)
    assert set(shown) >= set(TRAIN if script == "train" else SAMPLE)
    for name, text in shown.items():
        # More than the names and the value: words that explain.
        assert len(re.sub(r"-\w+|--\w+|[A-Z_]{2,}|\{.*?\}|,", " ", text).split()) >= 2, (name, text)
    assert "--save_dir" not in result.stdout


#: Modules that `python -m` runs.
COMMANDS = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for room in ("workshop", "live")
    for path in sorted((ROOT / room).rglob("*.py"))
    if "\n    cli.run(main)" in path.read_text("utf-8")
]


@pytest.mark.parametrize("module", COMMANDS)
def test_help_of_each_command_answers_without_the_heavy_libraries(module: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", module, "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert "usage: " in result.stdout
    assert "workshop" in imported
    assert not imported & {"tensorflow", "keras", "jax", "matplotlib", "scipy", "numba", "librosa", "onnxruntime"}


# ---- mistakes


@pytest.mark.parametrize(
    ("script", "wrong", "nearest"),
    [
        ("train", "--dropuot", "--dropout"),
        ("train", "--num-epoch", "--num_epochs"),
        ("train", "--learningrate=3", "--learning_rate"),
        ("sample", "--temprature", "--temperature"),
        ("sample", "--top-q=0.9", "--top_p"),
    ],
)
def test_an_unknown_argument_is_named_with_the_nearest_known_one(
    script: str, wrong: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refuse(PARSERS[script](), capsys, wrong)
    assert wrong.split("=")[0].replace("-", "_")[2:] in line
    nearest_ones = {nearest, "--top_k"} if nearest == "--top_p" else {nearest}
    assert any(f'did you mean "{one}"?' in line for one in nearest_ones)


def test_an_argument_that_is_like_no_other_is_refused_too(capsys: pytest.CaptureFixture[str]) -> None:
    line = refuse(train_parser(), capsys, "--zzz", "3")
    assert "no argument --zzz" in line
    assert "did you mean" not in line
    assert "no argument input.txt" in refuse(train_parser(), capsys, "input.txt")


def test_hidden_spellings_are_not_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--wav_seed" not in refuse(sample_parser(), capsys, "--wav_sed")


def test_names_are_not_guessed_from_their_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no argument --temp" in refuse(sample_parser(), capsys, "--temp", "1")


BAD = [
    ("sample", "temperature", ("0", "-1", "nan", "inf", "-inf", "hot", "")),
    ("sample", "top_p", ("0", "1.5", "-1", "nan", "x")),
    ("sample", "top_k", ("0", "-3", "1.5")),
    ("sample", "length", ("0", "-1", "1e3", "ten")),
    ("sample", "num_samples", ("0",)),
    ("sample", "seed", ("-1", "0.5")),
    ("sample", "checkpoint", ("newest", "-1", "1.5", "")),
    ("train", "val_split", ("0", "1", "-0.1", "nan")),
    ("train", "seed", ("-1", "one")),
    ("train", "dropout", ("1", "-0.1", "nan", "2")),
    ("train", "learning_rate", ("0", "-1", "nan", "inf")),
    ("train", "num_epochs", ("0", "-1")),
    ("train", "max_minutes", ("0", "nan")),
    ("train", "rnn_size", ("0",)),
    ("train", "num_layers", ("0",)),
    ("train", "seq_length", ("0",)),
    ("train", "batch_size", ("0",)),
    ("train", "save_every", ("0",)),
    ("train", "sample_every", ("0",)),
    ("train", "keep_every", ("0", "-1", "1.5")),
    ("train", "patience", ("0",)),
    ("train", "size", ("huge",)),
    ("train", "cell", ("nas",)),
]


@pytest.mark.parametrize(
    ("script", "name", "text"), [(script, name, text) for script, name, texts in BAD for text in texts]
)
def test_a_bad_value_is_answered_with_the_argument_and_the_value(
    script: str, name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refuse(PARSERS[script](), capsys, f"--{name}={text}")
    assert f"--{name}" in line
    assert repr(text) in line


@pytest.mark.parametrize("text", ["0", "-1", "nan"])
def test_a_bad_value_may_stand_apart(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--temperature" in refuse(sample_parser(), capsys, "--temperature", text)


def test_a_missing_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--length" in refuse(sample_parser(), capsys, "--length")


def test_mistakes_on_the_real_command_line(run_script: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    for script, args in (("train", ["--val-split", "1"]), ("sample", ["--temperature", "0"]), ("train", ["--fast"])):
        result = run_script(f"char_rnn/{script}.py", *args)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1


# ---- how a script ends


def test_a_user_error_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise UserError("there is no such song: look again")

    with pytest.raises(SystemExit) as stopped:
        cli.run(main)
    assert stopped.value.code == 2
    assert capsys.readouterr() == ("", "error: there is no such song: look again\n")


def test_an_error_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        cli.say("\x1b[2Jsa\nid")
        raise UserError("no file a\nerror: b\x1b[2J\r")

    with pytest.raises(SystemExit):
        cli.run(main)
    assert capsys.readouterr().err == "\\x1b[2Jsa\\nid\nerror: no file a\\nerror: b\\x1b[2J\\r\n"


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (143, 143)])
def test_the_status_of_main_is_the_scripts(returned: int | None, status: int) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.run(lambda: returned)
    assert stopped.value.code == status


def test_other_errors_keep_their_traceback() -> None:
    def main() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cli.run(main)


def start(code: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", f"import sys, time\nfrom workshop import cli\n{code}"], **streams)


def test_ctrl_c_ends_with_130_and_no_traceback() -> None:
    code = "def main():\n    print('ready', flush=True)\n    time.sleep(60)\ncli.run(main)"
    with start(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == b"stopped\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "def main():\n    for _ in range(100_000):\n        print('la' * 100)\ncli.run(main)"
    with start(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"la" * 100 + b"\n"
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert process.returncode == 141
    assert err == b""


@pytest.mark.parametrize("command", [("workshop.datasets", "list"), ("workshop.doctor",)])
def test_the_tools_can_be_read_in_part(command: tuple[str, ...]) -> None:
    """As with `python -m workshop.doctor | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as gone:
        done = subprocess.run([sys.executable, "-m", *command], stdout=gone, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
def test_a_crash_says_where() -> None:
    with start(
        "import os, signal\ncli.run(lambda: os.kill(os.getpid(), signal.SIGSEGV))", stderr=subprocess.PIPE
    ) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGSEGV
    assert b"Segmentation fault" in err


def test_a_folder_name_that_is_no_utf_8_can_be_spoken_of(tmp_path: Path) -> None:
    """Folders of old disks have names in Latin-1, which reach Python as lone surrogates."""
    code = "cli.run(lambda: print('data:', b'caf\\xe9'.decode('utf-8', 'surrogateescape')))"
    env = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    with start(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"data: caf")


def test_the_formatter_is_a_formatter_with_defaults() -> None:
    """A lesson's own group shows its defaults as the common arguments do, a default of 0 too."""
    parser = train_parser()
    parser.add_argument_group("mine").add_argument("--silence_threshold", type=int, default=0, help="how loud")
    parser.add_argument("--hidden", default=3, help=argparse.SUPPRESS)
    shown = " ".join(parser.format_help().split())
    assert "how loud (default: 0)" in shown
    assert "--hidden" not in shown


def test_an_argument_that_may_be_given_again_collects() -> None:
    parser = cli.Parser()
    parser.add_argument("--allow", action="append", default=[])
    assert parser.read([]).allow == []
    assert parser.read([]).given == set()
    args = parser.read(["--allow", "a", "--allow", "b"])
    assert (args.allow, args.given) == (["a", "b"], {"allow"})
    assert parser.read([]).allow == []
