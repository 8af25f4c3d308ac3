"""The experiment folder: numbered, found again, relocatable, and plain about what is wrong with it."""

import copy
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from records import entries

from char_rnn.lesson import LESSON
from workshop import ROOT
from workshop.errors import UserError
from workshop.run import experiment, trainings
from workshop.run.arguments import RECURRENT, train_parser
from workshop.run.experiment import Experiment
from workshop.run.record import Record

ARGUMENTS: dict[str, Any] = dict(
    size="small", rnn_size=8, num_layers=2, cell="lstm", dropout=0.25, seq_length=5, batch_size=4, val_split=0.1,
    seed=0, data_dir="songs", num_epochs=50, learning_rate=0.002, save_every=500, sample_every=500, message="first try",
    encoding=None, keep_every=None, network="default",
)  # fmt: skip
KEPT = {name: value for name, value in ARGUMENTS.items() if name not in ("data_dir", "message")}


def record(**given: Any) -> dict[str, Any]:
    """Entries of a new run.json."""
    return copy.deepcopy(entries(arguments=KEPT, network={"rnn_size": 8}, message="first try") | given)


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    folder = tmp_path / "some_rnn"
    folder.mkdir()
    return folder


@pytest.fixture
def with_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data of the experiments is in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("songs", "moved"):
        (tmp_path / name).mkdir()


def make(lesson: Path, requested: Path | None = None) -> Experiment:
    return experiment.create(lesson, None if requested is None else str(requested), **record())


def touch(made: Experiment, seconds: float) -> None:
    """Set the time at which run.json was written last."""
    os.utime(made.path / "run.json", (time.time() + seconds,) * 2)


# ---- made


def test_experiments_are_numbered_after_the_highest(lesson: Path) -> None:
    assert [make(lesson).path.name for _ in range(3)] == ["01", "02", "03"]
    shutil.rmtree(lesson / "experiments" / "01")
    (lesson / "experiments" / "17").mkdir()
    (lesson / "experiments" / "99_good").mkdir()
    (lesson / "experiments" / "020.txt").touch()
    assert make(lesson).path == lesson / "experiments" / "18"


def test_numbers_go_on_after_99(lesson: Path) -> None:
    (lesson / "experiments" / "99").mkdir(parents=True)
    assert [make(lesson).path.name for _ in range(2)] == ["100", "101"]


def test_a_new_experiment_has_its_rooms_and_its_record(lesson: Path) -> None:
    made = make(lesson)
    assert sorted(path.name for path in made.path.iterdir()) == ["checkpoints", "run.json", "samples", "tensorboard"]
    written = json.loads((made.path / "run.json").read_text("utf-8"))
    assert msgspec.convert(written, Record) == made.record
    assert (written["lesson"], written["format"], written["status"]) == ("some_rnn", 2, "started")
    assert written["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "keras" in written["versions"]
    assert {name: written[name] for name in ("arguments", "network", "message")} == {
        "arguments": KEPT,
        "network": {"rnn_size": 8},
        "message": "first try",
    }
    assert (made.latest.name, made.best.name) == ("latest.npz", "best.npz")
    assert made.latest.parent == made.best.parent == made.path / "checkpoints"


def test_a_requested_folder_is_made_or_taken_when_it_is_empty(lesson: Path, tmp_path: Path) -> None:
    assert make(lesson, tmp_path / "deep" / "mine").path == tmp_path / "deep" / "mine"
    (tmp_path / "empty").mkdir()
    assert make(lesson, tmp_path / "empty").path == tmp_path / "empty"


def test_a_requested_folder_that_holds_an_experiment_is_left_alone(lesson: Path, tmp_path: Path) -> None:
    made = make(lesson, tmp_path / "mine")
    before = (made.path / "run.json").read_bytes()
    with pytest.raises(UserError, match=r"mine holds an experiment already: add --resume"):
        make(lesson, tmp_path / "mine")
    assert (made.path / "run.json").read_bytes() == before


def test_a_requested_folder_with_other_things_is_left_alone(lesson: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "song.txt").write_text("la")
    with pytest.raises(UserError, match="mine is not empty and is not an experiment"):
        make(lesson, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["song.txt"]


@pytest.mark.parametrize("below", ["song.txt", "song.txt/mine", "x" * 300])
def test_a_folder_that_cannot_be_made_is_named(lesson: Path, tmp_path: Path, below: str) -> None:
    (tmp_path / "song.txt").write_text("la")
    with pytest.raises(UserError, match=r"an experiment cannot be kept in .*--experiment_dir"):
        make(lesson, tmp_path / below)
    assert (tmp_path / "song.txt").read_text() == "la"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a file system in which nothing can be made")
def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"an experiment cannot be kept in /proc/mine"):
        make(tmp_path / "some_rnn", Path("/proc/mine"))
    with pytest.raises(UserError, match=r"an experiment cannot be kept in /proc/some_rnn/experiments"):
        make(Path("/proc/some_rnn"))


def test_at_the_end_only_the_folder_that_was_made_is_taken_away(
    lesson: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_exit: list[Callable[[], None]] = []
    monkeypatch.setattr(experiment.atexit, "register", lambda what, *_: at_exit.append(what))
    first, second = make(lesson).path, make(lesson).path
    second.rename(tmp_path / "put_aside")
    second.mkdir()
    (second / "mine.txt").write_text("a poem")
    for leave in at_exit:
        if "discard" in leave.__name__:
            leave()
    assert not first.exists()
    assert (second / "mine.txt").is_file()
    assert (tmp_path / "put_aside" / "run.json").is_file()


def test_eight_threads_at_once_get_eight_folders(lesson: Path) -> None:
    gate, made = threading.Barrier(8), []

    def create() -> None:
        gate.wait()
        made.append(make(lesson))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.path.name for one in made) == [f"{k:02d}" for k in range(1, 9)]
    for one in made:
        assert experiment.find(lesson, str(one.path)).record.created == one.record.created


@pytest.mark.parametrize("requested", [False, True])
def test_eight_processes_at_once_never_share_a_folder(lesson: Path, tmp_path: Path, requested: bool) -> None:
    """Each waits for the same moment, then asks for the next number, or all for the same folder."""
    go = tmp_path / "go"
    code = (
        f"import sys; sys.path.append({str(ROOT / 'tests')!r})\nimport pathlib, records\n"
        "from workshop.run import experiment\nfrom workshop.errors import UserError\n"
        "lesson, go, requested = sys.argv[1:]\nprint('ready', flush=True)\n"
        "while not pathlib.Path(go).exists(): pass\n"
        "try: print(experiment.create(pathlib.Path(lesson), requested or None, **records.entries()).path.name)\n"
        "except UserError as error: print('refused:', error)"
    )
    folder = str(tmp_path / "mine") if requested else ""
    command = [sys.executable, "-c", code, str(lesson), str(go), folder]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    go.touch()
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    assert [process.returncode for process in processes] == [0] * 8
    if requested:
        assert answers[0] == "mine"
        assert all(answer.startswith("refused: ") for answer in answers[1:])
    else:
        assert answers == [f"{k:02d}" for k in range(1, 9)]


# ---- found


def test_the_newest_is_found_by_when_it_was_written_last(lesson: Path) -> None:
    first, second = make(lesson), make(lesson)
    touch(second, -60)
    assert experiment.find(lesson, None).path == first.path
    touch(second, 60)
    assert experiment.find(lesson, None).path == second.path


def test_an_experiment_with_a_name_beside_the_scripts_is_found_too(lesson: Path, tmp_path: Path) -> None:
    numbered, named = make(lesson), make(lesson, lesson / "save_YOURDATA")
    make(lesson, tmp_path / "elsewhere")
    touch(numbered, -60)
    assert experiment.find(lesson, None).path == named.path


def test_the_requested_one_is_opened_wherever_it_is(
    lesson: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(lesson, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    found = experiment.find(lesson, "mine")
    assert found.path.resolve() == made.path.resolve()
    assert found.record == made.record


def test_a_copy_is_as_good_as_the_original(lesson: Path, tmp_path: Path) -> None:
    made = make(lesson)
    made.latest.write_bytes(b"weights")
    shutil.move(shutil.copytree(made.path, tmp_path / "copy"), tmp_path / "moved")
    shutil.rmtree(made.path)
    found = experiment.find(lesson, str(tmp_path / "moved"))
    assert found.record == made.record
    assert found.latest.read_bytes() == b"weights"
    # Nothing in the record says where it was.
    assert str(made.path) not in (found.path / "run.json").read_text("utf-8")


def test_without_any_it_says_how_to_make_one(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lesson)
    with pytest.raises(UserError, match=r"no experiment in some_rnn yet: train one with `python train\.py` first"):
        experiment.find(lesson, None)
    with pytest.raises(UserError, match="there is no experiment missing: some_rnn has none yet"):
        experiment.find(lesson, "missing")


def test_those_that_come_trained_are_named_too() -> None:
    with pytest.raises(UserError, match=r'vers \(did you mean "verse"\?\): char_rnn .*abc_tunes, verse come trained$'):
        experiment.find(ROOT / "char_rnn", "vers")


@pytest.mark.parametrize("requested", ["missing", "x" * 300, "run.json/x"])
def test_a_missing_one_is_named_with_those_that_there_are(lesson: Path, requested: str) -> None:
    make(lesson)
    with pytest.raises(UserError, match=rf"{requested}.*: some_rnn has experiments/01$"):
        experiment.find(lesson, requested)


def test_a_folder_that_is_none_is_named(lesson: Path, tmp_path: Path) -> None:
    make(lesson)
    (tmp_path / "songs").mkdir()
    with pytest.raises(UserError, match=r"songs is not an experiment, because it has no run\.json: some_rnn has exp"):
        experiment.find(lesson, str(tmp_path / "songs"))


def test_an_experiment_of_another_lesson_is_refused(lesson: Path, tmp_path: Path) -> None:
    other = tmp_path / "wavenet"
    other.mkdir()
    made = make(other)
    with pytest.raises(UserError, match=r"experiments/01 is an experiment of wavenet, not of some_rnn"):
        experiment.find(lesson, str(made.path))


def damage_tail(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()[:-20]


def lacking(part: str) -> Any:
    return lambda record: json.dumps({name: value for name, value in record.items() if name != part}).encode()


def having(**entries: Any) -> Any:
    return lambda record: json.dumps(record | entries).encode()


DAMAGE = {
    "truncated": (damage_tail, "run.json is damaged: it is not valid JSON"),
    "empty": (lambda record: b"", "run.json is damaged: it is not valid JSON"),
    "no text": (lambda record: b"\x80\x04\x95\xff", "run.json is damaged: it is not valid JSON"),
    "a list": (lambda record: b"[]", "run.json is damaged: it should hold a JSON object"),
    "no network": (lacking("network"), "its entry 'network' is missing"),
    "no arguments": (lacking("arguments"), "its entry 'arguments' is missing"),
    "no data": (lacking("data"), "its entry 'data' is missing"),
    "odd network": (having(network=[]), "its entry 'network' is not valid (expected object, got array)"),
    "no fingerprint": (having(data={"path": "songs"}), "its entry 'data.fingerprint' is missing"),
    "odd step": (having(step=-1), "its entry 'step' is not valid"),
    "odd history": (
        having(history=[{"step": 1, "epoch": 1, "validation": "x"}]),
        "its entry 'history[0].validation",
    ),
    "cold": (having(sampling={"temperature": 0}), "its entry 'sampling.temperature' is not valid"),
    "hot": (having(sampling={"temperature": "hot"}), "its entry 'sampling.temperature' is not valid"),
    "no format": (lacking("format"), "has the format None, and this version reads 2"),
    "later format": (having(format=3), "has the format 3"),
    "no lesson": (lacking("lesson"), "is an experiment of no known lesson, not of some_rnn"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_record_is_named_with_what_is_wrong(lesson: Path, kind: str) -> None:
    made = make(lesson)
    change, reason = DAMAGE[kind]
    (made.path / "run.json").write_bytes(change(msgspec.to_builtins(made.record)))
    for requested in (None, str(made.path)):
        with pytest.raises(UserError) as refused:
            experiment.find(lesson, requested)
        assert reason in str(refused.value)
        assert str(made.path) in str(refused.value)


# ---- kept up to date


def test_updates_are_kept_and_the_rest_stays(lesson: Path) -> None:
    made = make(lesson)
    made.update(status="training", step=7)
    found = experiment.find(lesson, None)
    assert (found.record.status, found.record.step) == ("training", 7)
    assert found.record == made.record


def test_a_record_that_cannot_be_written_leaves_the_old_one(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(lesson)
    before = (made.path / "run.json").read_bytes()

    def fail(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(UserError, match=r"run\.json could not be written: no space left"):
            made.update(step=8)
    assert (made.path / "run.json").read_bytes() == before
    assert not list(made.path.glob(".*"))


def test_two_processes_never_train_in_one_folder(lesson: Path) -> None:
    made = make(lesson)
    ask = "import sys; from pathlib import Path; from workshop.run import experiment; "
    ask += "experiment.find(Path(sys.argv[1]), None).lock()"
    command = [sys.executable, "-c", ask, str(lesson)]
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "UserError" in other.stderr
    assert f"{made.path} is being trained by another process" in other.stderr
    made.lock()  # who has it may ask again
    place = (made.path / "checkpoints").stat()
    descriptor, _ = experiment._LOCKED.pop((place.st_dev, place.st_ino))
    os.close(descriptor)  # what the system does with a process, however it ends
    assert subprocess.run(command, check=False).returncode == 0
    experiment.find(lesson, None).lock()


def test_a_second_training_of_a_process_can_be_asked_to_stop_like_the_first(lesson: Path) -> None:
    made, again = make(lesson), experiment.find(lesson, None)
    again.lock()
    assert again.entry == made.entry is not None


def test_a_folder_that_takes_the_place_of_a_moved_one_is_locked_as_well(lesson: Path) -> None:
    made = make(lesson)
    made.path.rename(made.path.with_name("aside"))
    anew = make(lesson)
    assert anew.path == made.path
    assert trainings.is_locked(anew.path / "checkpoints")
    assert anew.entry != made.entry


def test_leftovers_of_a_killed_run_are_cleared_everywhere_it_writes(lesson: Path) -> None:
    made = make(lesson)
    places = [made.path, made.path / "checkpoints", made.samples]
    for place in places:
        (place / ".x.1.part").touch()
    (made.samples / "step_000001.txt").touch()
    made.clear_leftovers()
    assert [list(place.glob(".*")) for place in places] == [[], [], []]
    assert (made.samples / "step_000001.txt").exists()


# ---- gone on with


def fits(name: str, value: object) -> bool:
    """What a parser says of any value that makes sense."""
    return True


def resumed(lesson: Path, **given: Any) -> Namespace:
    """What `take_over` makes of a command line with `--resume` and the arguments that are given."""
    args = Namespace(**{name: f"default of {name}" for name in ARGUMENTS} | given, given=set(given), fits=fits)
    experiment.take_over(args, make(lesson), fixed=(*RECURRENT, "encoding"))
    return args


@pytest.mark.usefixtures("with_data")
def test_a_resumed_run_is_the_run_that_it_was(lesson: Path) -> None:
    args = vars(resumed(lesson))
    assert {name: args[name] for name in ARGUMENTS} == ARGUMENTS


@pytest.mark.usefixtures("with_data")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "tiny"), ("rnn_size", 9), ("num_layers", 1), ("cell", "gru"), ("dropout", 0.0), ("seq_length", 6),
        ("batch_size", 5), ("val_split", 0.2), ("seed", 1), ("encoding", "latin-1"),
    ],
)  # fmt: skip
def test_what_would_make_it_another_run_is_refused_by_name(lesson: Path, name: str, value: Any) -> None:
    with pytest.raises(UserError) as refused:
        resumed(lesson, **{name: value})
    assert f"--{name} {value} contradicts the experiment" in str(refused.value)
    assert f"has {ARGUMENTS[name]}" in str(refused.value)
    # The same value again is no contradiction.
    assert getattr(resumed(lesson, **{name: ARGUMENTS[name]}), name) == ARGUMENTS[name]


@pytest.mark.usefixtures("with_data")
def test_how_long_and_how_fast_may_be_given_again(lesson: Path) -> None:
    args = resumed(lesson, num_epochs=99, learning_rate=0.1, data_dir="moved", message="again", save_every=3)
    assert (args.num_epochs, args.learning_rate, args.data_dir) == (99, 0.1, "moved")
    assert (args.message, args.save_every, args.sample_every) == ("again", 3, 500)


@pytest.mark.parametrize("name", ["rnn_size", "seed", "num_epochs", "encoding"])
def test_a_record_without_an_argument_is_damaged(lesson: Path, name: str) -> None:
    made = make(lesson)
    del made.record.arguments[name]
    with pytest.raises(UserError, match=rf"run\.json is damaged: its argument '{name}' is missing"):
        experiment.take_over(Namespace(**ARGUMENTS, given=set(), fits=fits), made, fixed=(*RECURRENT, "encoding"))


def test_what_is_kept_of_the_command_line_is_what_describes_the_run() -> None:
    """The data and the message have entries of their own."""
    args = Namespace(rnn_size=8, seed=0, resume=True, experiment_dir="mine", given={"seed"}, data_dir="a", message="b")
    assert experiment.arguments(args) == {"rnn_size": 8, "seed": 0}


def test_other_data_is_refused(lesson: Path) -> None:
    made = make(lesson)
    experiment.check_same_data(made, "abc", Path("songs"))
    with pytest.raises(UserError, match=r"songs does not hold the data that .*experiments/01 was trained on"):
        experiment.check_same_data(made, "abd", Path("songs"))


def test_an_argument_that_makes_no_sense_is_damage(tmp_path: Path) -> None:
    parser = train_parser("", LESSON)
    sane = {"rnn_size": 8, "dropout": 0.5, "cell": "gru", "message": "", "seed": 0, "val_split": 0.1, "size": "small"}
    assert all(parser.fits(name, value) for name, value in sane.items())
    damage = {"rnn_size": "8", "dropout": 1.5, "cell": "jazz", "message": 5, "seed": -1, "val_split": None, "size": []}
    assert not any(parser.fits(name, value) for name, value in damage.items())
    made = experiment.create(tmp_path, None, **record(arguments={**KEPT, "seq_length": "20"}))
    args = parser.read([])
    args.fits = lambda name, value: name != "seq_length"
    with pytest.raises(UserError, match=r"run\.json is damaged: its argument 'seq_length' is not valid"):
        experiment.take_over(args, made)


@pytest.mark.usefixtures("with_data")
def test_what_was_given_again_holds_for_the_next_resumption(lesson: Path) -> None:
    made = make(lesson)
    experiment.take_over(
        Namespace(**{**ARGUMENTS, "num_epochs": 100}, given={"num_epochs"}, fits=fits),
        made,
        fixed=(*RECURRENT, "encoding"),
    )
    made.update(status="stopped")
    again = Namespace(**ARGUMENTS, given=set(), fits=fits)
    experiment.take_over(again, experiment.find(lesson, str(made.path)), fixed=(*RECURRENT, "encoding"))
    assert again.num_epochs == 100


@pytest.mark.parametrize(
    "name",
    ["run.json", "vocab.json", "skipped.txt", "log.txt", "checkpoints", "checkpoints/latest.npz",
     "checkpoints/step_000040.npz", "tensorboard", "tensorboard/train", "samples", "generated", "anything"],
)  # fmt: skip
def test_a_link_in_an_experiment_is_named(lesson: Path, tmp_path: Path, name: str) -> None:
    made = make(lesson)
    path = made.path / name
    if path.exists():
        path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=rf"{name} is a link, and an experiment holds files and folders of its own"):
        experiment.find(lesson, str(made.path))


def test_a_link_to_an_experiment_is_one(lesson: Path, tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to(make(lesson).path)
    assert experiment.find(lesson, str(tmp_path / "door")).path == tmp_path / "door"


def test_a_pipe_in_an_experiment_is_not_waited_for(lesson: Path) -> None:
    os.mkfifo(make(lesson).latest)
    with pytest.raises(UserError, match=r"latest\.npz is neither a file nor a folder; take it away"):
        experiment.find(lesson, None)


def test_a_record_that_leads_nowhere_does_not_hide_the_others(lesson: Path) -> None:
    made = make(lesson)
    for name, leads_to in (("gone", "nowhere"), ("circle", "run.json")):
        (lesson / name).mkdir()
        (lesson / name / "run.json").symlink_to(leads_to)
    assert experiment.find(lesson, None).path == made.path


def test_an_experiment_whose_first_files_cannot_be_written_leaves_no_trace(lesson: Path) -> None:
    made = make(lesson)
    with pytest.raises(UserError, match="no room"), made.beginning():
        raise UserError("no room for vocab.json")
    assert not made.path.exists()
    made = make(lesson)
    made.best.write_bytes(b"weights")
    with pytest.raises(UserError, match="no room"), made.beginning():
        raise UserError("no room")
    assert made.best.exists()
