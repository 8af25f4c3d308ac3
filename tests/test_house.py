"""The rules of the house, kept by reading the sources."""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

from workshop import COMMANDS, ROOMS, ROOT
from workshop.lessons import lessons

LESSONS = [lesson.name for lesson in lessons()]
SOURCES = sorted(path for room in ("workshop", "live", *LESSONS) for path in (ROOT / room).glob("**/*.py"))
SCRIPTS = [ROOT / lesson / name for lesson in LESSONS for name in ("train.py", "sample.py")]
BANNERS = {
    "train.py": ["1 arguments", "2 data", "3 model", "4 train", "5 listen"],
    "sample.py": ["1 arguments", "2 load the experiment", "3 prime", "4 generate", "5 write"],
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(source: str) -> set[str]:
    """The modules that a source imports, anywhere in it."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that scripts and modules are the same"
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def roots(source: str) -> set[str]:
    return {module.partition(".")[0] for module in imported(source)}


def dangers(source: str) -> list[str]:
    """Calls that run what they read, and modules that do."""
    found = [module for module in imported(source) if module.split(".")[0] in {"pickle", "dill", "joblib", "shelve"}]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            is_builtin = isinstance(node.func, ast.Name)
            if (is_builtin and name in {"eval", "exec"}) or ast.unparse(node.func) in {"os.system", "os.popen"}:
                found.append(name)
            for keyword in node.keywords:
                value = getattr(keyword.value, "value", None)
                if (keyword.arg, value) in {("shell", True), ("allow_pickle", True)}:
                    found.append(str(keyword.arg))
    return found


def test_there_is_something_to_look_at() -> None:
    assert "char_rnn" in LESSONS
    assert len(SOURCES) > 20
    assert all(path.is_file() for path in SCRIPTS)


def test_the_looking_sees() -> None:
    assert roots("def f():\n    from char_rnn.model import build\n    import wavenet") == {"char_rnn", "wavenet"}
    bad = "import pickle\neval('1')\nrun('ls', shell=True)\nnp.load('x', allow_pickle=True)\nos.system('ls')"
    assert sorted(dangers(bad)) == ["allow_pickle", "eval", "pickle", "shell", "system"]


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nobody_imports_a_lesson_but_the_lesson_itself(path: Path) -> None:
    room = named(path).partition("/")[0]
    assert not roots(path.read_text("utf-8")) & (set(LESSONS) - {room})


def room_of(module: str) -> int:
    """The place of a module's room among the rooms, which begin at 1; 0 for what all of them build on."""
    parts = module.split(".")
    return 1 + ROOMS.index(parts[1]) if parts[1:] and parts[1] in ROOMS else 0


def arrows_up(module: str, source: str) -> list[str]:
    """What a module of `workshop` imports from rooms that build on its own."""
    if module == "workshop" or module.partition(".")[2] in COMMANDS:
        return []  # `workshop.load` and the commands are names: what they stand for is in a room
    return sorted(
        found for found in imported(source) if found.startswith("workshop.") and room_of(found) > room_of(module)
    )


def test_every_room_says_what_belongs_in_it() -> None:
    packages = {path.parent.name for path in (ROOT / "workshop").glob("*/__init__.py")}
    assert packages == set(ROOMS)
    for room in ROOMS:
        assert ast.get_docstring(ast.parse((ROOT / "workshop" / room / "__init__.py").read_text("utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_rooms_build_on_those_before_them_alone(path: Path) -> None:
    if path.is_relative_to(ROOT / "workshop"):
        module = named(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        assert arrows_up(module, path.read_text("utf-8")) == []


def test_no_module_leads_back_to_itself() -> None:
    """Imports inside of functions count: a circle that opens late is a circle."""
    modules = {named(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in SOURCES}
    waiting = {}
    for module, path in modules.items():
        found = imported(path.read_text("utf-8"))
        reached = {name if name in modules else name.rpartition(".")[0] for name in found} & set(modules)
        # A package is there for the sake of its modules: what it holds is not part of what they import.
        waiting[module] = reached - {module} - {name for name in reached if (ROOT / name.replace(".", "/")).is_dir()}
    while ready := [module for module, needs in waiting.items() if not needs & waiting.keys()]:
        for module in ready:
            del waiting[module]
    assert waiting == {}


def test_the_looking_at_rooms_sees() -> None:
    up = "def f():\n    from workshop.datasets import catalog\n    from workshop.files import explain"
    assert arrows_up("workshop.notes.midifiles", up) == ["workshop.datasets.catalog"]
    assert arrows_up("workshop.datasets.command_line", up) == []
    assert arrows_up("workshop.files", "from workshop.run import board") == ["workshop.run.board"]
    assert arrows_up("workshop.doctor", "from workshop.host.doctor import main") == []


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_runs_what_it_reads(path: Path) -> None:
    assert dangers(path.read_text("utf-8")) == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_file_of_a_lesson_hides_a_module_of_python(lesson: str) -> None:
    """A lesson's folder is first on the path of its scripts."""
    names = {path.stem for path in (ROOT / lesson).iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not names & (sys.stdlib_module_names | {"keras", "tensorflow", "numpy", "workshop"})


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_the_files_of_every_lesson(lesson: str) -> None:
    names = {path.name for path in (ROOT / lesson).iterdir()}
    assert names >= {"dataset.py", "lesson.py", "model.py", "generate.py", "trained.py", "train.py", "sample.py"}


#: What a network may be made of: Keras' parts for networks, and nothing that trains, loads or saves.
PARTS_OF_KERAS = {"KerasTensor", "Model", "activations", "backend", "initializers", "layers", "ops", "random", "tree"}
BACKENDS = {"tensorflow", "torch", "jax"}


def files_of_the_network(model: Path) -> list[Path]:
    """`model.py` and the files that it imports, directly or through others, which import Keras: the layers may be
    defined in any of them.
    """
    found, waiting = [], [model]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.append(path)
        for module in imported(path.read_text("utf-8")):
            # `from workshop.networks import recurrent` and `... networks.recurrent import CELLS` both name a file.
            for name in (module, module.rpartition(".")[0]):
                file = ROOT / f"{name.replace('.', '/')}.py"
                if name and file.is_file():
                    waiting.append(file)
    return [path for path in found if "keras" in roots(path.read_text("utf-8"))]


def other_than_keras(source: str) -> list[str]:
    """Where a file of a network uses a backend itself, or a part of Keras that is none of a network's."""
    tree = ast.parse(source)
    # To ask for the device is all that a backend is needed for.
    asking = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "on_gpu"]
    rest = ast.unparse(ast.Module([node for node in tree.body if node not in asking], []))
    used = {module.partition(".")[2] for module in imported(rest) if module.startswith("keras.")}
    for node in ast.walk(ast.parse(rest)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "keras":
            used.add(node.attr)
    parts = {part.partition(".")[0] for part in used}
    return sorted((roots(rest) & BACKENDS) | (parts - PARTS_OF_KERAS))


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_network_is_keras_alone(lesson: str) -> None:
    texts = {named(path): path.read_text("utf-8") for path in files_of_the_network(ROOT / lesson / "model.py")}
    assert {name: found for name, text in texts.items() if (found := other_than_keras(text))} == {}


def layers_made(source: str) -> set[str]:
    """What a source names of Keras' layers, and its own arrays of weights."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    found = {node.attr for node in nodes if ast.unparse(node.value) in {"layers", "keras.layers"}}
    return found | ({"add_weight"} & {node.attr for node in nodes})


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_network_is_seen_in_model_py(lesson: str) -> None:
    source = (ROOT / lesson / "model.py").read_text("utf-8")
    recurrent = {"Embedding", "LSTM", "GRU", "SimpleRNN", "Dense"}
    own = {"wavenet": {"add_weight"}, "spectral_rnn": {"LSTM", "add_weight"}}
    own["spectral_gan"] = {"Conv1D", "Conv2D", "Conv2DTranspose", "Dense"}
    assert layers_made(source) >= own.get(lesson, recurrent)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            assert any(isinstance(part, ast.FunctionDef | ast.AnnAssign) for part in node.body), f"{node.name} is empty"


@pytest.mark.parametrize("lesson", LESSONS)
def test_networks_are_chosen_by_name_from_what_model_py_lists(lesson: str) -> None:
    """So that a name in a run.json from somewhere else can call nothing but that."""
    module = importlib.import_module(f"{lesson}.model")
    assert "default" in module.NETWORKS
    assert all(network.__module__ == module.__name__ for network in module.NETWORKS.values())


def test_the_looking_at_networks_sees() -> None:
    files = {named(path) for path in files_of_the_network(ROOT / "midi_rnn" / "model.py")}
    assert files == {"midi_rnn/model.py"} | {
        f"workshop/networks/{name}.py" for name in ("description", "recurrent", "sequence")
    }
    assert layers_made("layers.LSTM(3)\nkeras.layers.Dense\nself.add_weight()") == {"LSTM", "Dense", "add_weight"}
    bad = "import keras\ndef f():\n    import tensorflow as tf\nkeras.optimizers.Adam()\nfrom keras.saving import x"
    assert other_than_keras(bad) == ["optimizers", "saving", "tensorflow"]


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_a_script_reads_like_a_lesson(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) < 130
    assert re.findall(r"^ *# -{3,} (\d .*?) -{3,}$", text, re.MULTILINE) == BANNERS[path.name]


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_heavy_imports_come_after_the_arguments(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {module for node in top for module in imported(ast.unparse(node))} - {f"{path.parent.name}.lesson.LESSON"}
    roots = {module.partition(".")[0] for module in modules}
    assert roots <= set(sys.stdlib_module_names) | {"workshop"}
    assert roots >= {"workshop"}


def test_there_is_no_room_for_odds_and_ends() -> None:
    assert not [path for path in SOURCES if path.stem in {"utils", "util", "helpers", "misc", "common"}]
