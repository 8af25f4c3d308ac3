"""Check this computer and report in plain words what is fine, what is worth knowing, and what to fix, and how.

    python -m workshop.doctor

Standard library only, so that it also works when nothing else does.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop import ROOT
from workshop.errors import UserError
from workshop.host import services
from workshop.host.ports import DOCS, LAB, PLAY, TENSORBOARD_PORTS, Server, class_path, port_problem, wanted_server
from workshop.machine import memory, text_of, usable_cores

OK, NOTE, PROBLEM = "ok", "note", "PROBLEM"

#: The packages whose versions decide most questions. One of the two TensorFlows is there, depending on the computer.
PACKAGES = ("keras", "tensorboard", "numpy", "jupyterlab", "music21")
TENSORFLOWS = ("tensorflow", "tensorflow-cpu")

#: Seconds within which TensorFlow starts and calculates on a slow laptop that does nothing else.
USUAL_START = 12.0

#: Run in a separate process: on a CPU that it was not built for, TensorFlow ends the process without a message.
TENSORFLOW_PROBE = """
import json, time
begun = time.perf_counter()
import tensorflow as tf
loaded = time.perf_counter()
square = tf.ones((256, 256))
total = float(tf.reduce_sum(square @ square))
done = time.perf_counter()
devices = [device.name for device in tf.config.list_physical_devices("GPU")]
print(json.dumps({"load": loaded - begun, "multiply": done - loaded, "right": total == 256.0**3, "gpus": devices}))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report: how it stands, what was looked at, and what was found, with what to do about it."""

    level: str
    subject: str
    text: str


def output_of(*command: str, timeout_seconds: float = 5.0) -> str | None:
    """What a command prints, or None if it is not there, fails or hangs."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout_seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def is_inside() -> bool:
    """Whether this is the workshop's container."""
    return os.environ.get("WORKSHOP_IN_CONTAINER") == "1"


def uses_container() -> bool:
    """Whether the container is what the workshop runs in, as `start.sh` has chosen."""
    return is_inside() or os.environ.get("WORKSHOP_MODE") == "container"


# ---- Python and the computer -----------------------------------------------------------------------------------------


def check_python() -> Iterator[Finding]:
    """The version of Python, and settings of the environment that change what it imports."""
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Finding(OK, "Python", f"{version} ({sys.executable})")
    else:
        yield Finding(PROBLEM, "Python", f"{version} is not supported: use 3.11, 3.12 or 3.13 ({sys.executable})")
    if sys.prefix == sys.base_prefix:
        advice = "./start.sh sets one up and uses it"
        yield Finding(NOTE, "environment", f"this Python is not in an environment of the workshop: {advice}")
    if os.environ.get("PYTHONPATH"):
        yield Finding(NOTE, "PYTHONPATH", "is set, so other packages may be imported than those installed: unset it")


def cpu_model_and_features() -> tuple[str, set[str]]:
    """The CPU's own name, and the names of its instruction sets in lower case; empty where the system does not say."""
    if sys.platform == "darwin":
        model = output_of("sysctl", "-n", "machdep.cpu.brand_string") or ""
        keys = ("machdep.cpu.features", "machdep.cpu.leaf7_features")
        return model, set(" ".join(output_of("sysctl", "-n", key) or "" for key in keys).lower().split())
    info = text_of("/proc/cpuinfo")
    model_line = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", info, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", info, re.MULTILINE)
    model = model_line.group(1).strip() if model_line else platform.processor()
    return model, set(flags.group(1).lower().split()) if flags else set()


def check_cpu() -> Iterator[Finding]:
    """The processor, and whether it has the instructions that TensorFlow is built with."""
    model, features = cpu_model_and_features()
    machine, cores = platform.machine(), usable_cores()
    described = f"{platform.system()} {platform.release()}, {model or machine} ({machine}), {cores} cores"
    yield Finding(OK if cores > 1 else NOTE, "computer", described + ("" if cores > 1 else ": training will be slow"))
    if emulated(model, features):
        advice = "use a Python (or an image) built for arm64"
        yield Finding(PROBLEM, "emulation", f"this is a program for x86-64 on an ARM processor: {advice}")
    if machine.lower() not in ("x86_64", "amd64") or not features:
        return
    present = [name.upper() for name in ("avx", "avx2", "fma", "avx512f") if name in features]
    if any(name.startswith("avx1.0") for name in features):
        present.insert(0, "AVX")
    if present:
        yield Finding(OK, "instructions", ", ".join(present))
    else:
        advice = "use a computer made after 2011, or switch AVX on in the settings of the virtual machine"
        yield Finding(PROBLEM, "instructions", f"the CPU has no AVX, without which TensorFlow does not start: {advice}")


def emulated(model: str, features: set[str]) -> bool:
    """Whether this x86-64 program runs on an ARM processor: under Rosetta, or in an image of the other kind."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    if sys.platform == "darwin":
        return output_of("sysctl", "-n", "sysctl.proc_translated") == "1"
    # QEMU shows the CPU list of the machine below, whose lines are ARM's; Rosetta for Linux shows Apple's name.
    return "virtualapple" in model.lower() or "asimd" in features


def check_memory() -> Iterator[Finding]:
    """Whether there is room for a training, which takes about 1 GiB and more for larger models."""
    total, free = (size / 2**30 for size in memory())
    text = f"{total:.1f} GiB, of which {free:.1f} GiB are free"
    if total < 1.5:
        yield Finding(PROBLEM, "memory", f"{text}: training needs about 2 GiB; give the machine or container more")
    elif free < 1.5:
        yield Finding(NOTE, "memory", f"{text}: close other programs before training")
    else:
        yield Finding(OK, "memory", text)


# ---- packages and TensorFlow -----------------------------------------------------------------------------------------


def locked_versions(lock: Path) -> dict[str, set[str]]:
    """The versions that a lock allows for each package; there are several where they differ between Pythons."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text_of(lock), re.MULTILINE):
        versions.setdefault(name.lower(), set()).add(version)
    return versions


def installed_version(name: str) -> str | None:
    """The version of an installed package, read without importing it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_packages() -> Iterator[Finding]:
    """Whether what is installed is what the lock names."""
    locked = locked_versions(ROOT / "requirements" / "cpu.txt")
    present = {name: installed_version(name) for name in (*TENSORFLOWS, *PACKAGES)}
    if not any(present.values()) and uses_container():
        yield Finding(OK, "packages", "nothing is installed in this Python, and the container brings its own")
        return
    if not any(present.values()):
        yield Finding(PROBLEM, "packages", "nothing is installed in this Python: type ./start.sh, which installs it")
        return
    tensorflows = [name for name in TENSORFLOWS if present[name]]
    if not tensorflows:
        yield Finding(PROBLEM, "tensorflow", "is not installed: type ./start.sh, which installs it")
    if len(tensorflows) == 2:
        advice = "remove the folder .venv and type ./start.sh"
        yield Finding(PROBLEM, "tensorflow", f"two variants are installed over each other: {advice}")
    for name in (*tensorflows, *PACKAGES):
        version, wanted = present[name], " or ".join(sorted(locked.get(name, ())))
        if version is None:
            yield Finding(PROBLEM, name, "is not installed: type ./start.sh, which installs it")
        elif wanted and version not in locked[name]:
            yield Finding(NOTE, name, f"{version}, where the lock has {wanted}: ./start.sh brings it up to date")
        else:
            yield Finding(OK, name, version)


def check_tensorflow() -> Iterator[Finding]:
    """Whether TensorFlow starts and calculates, and whether it sees a GPU. Takes some seconds."""
    gpu = output_of("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    if not any(installed_version(name) for name in TENSORFLOWS):
        yield from check_gpu(gpu, None)
        return
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    begun, worked = time.monotonic(), processor_seconds()
    try:
        answer = subprocess.run(
            [sys.executable, "-c", TENSORFLOW_PROBE], capture_output=True, env=environment, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        reason = why_slow(time.monotonic() - begun, processor_seconds() - worked)
        yield Finding(PROBLEM, "TensorFlow", f"did not start within two minutes: {reason}, and try again")
        return
    if answer.returncode != 0:
        last_words = answer.stderr.decode(errors="replace").strip().splitlines()
        yield Finding(PROBLEM, "TensorFlow", why_it_ended(answer.returncode, last_words[-1] if last_words else ""))
        return
    found = json.loads(answer.stdout.splitlines()[-1])
    if not found["right"]:
        yield Finding(
            PROBLEM, "TensorFlow", "multiplies wrongly: the installation or the memory is damaged; reinstall it"
        )
        return
    seconds = time.monotonic() - begun
    text = f"starts in {found['load']:.1f} s and calculates ({seconds:.1f} s in all)"
    if seconds > USUAL_START:
        reason = why_slow(seconds, processor_seconds() - worked)
        yield Finding(NOTE, "TensorFlow", f"{text}, which is slow: {reason}")
    else:
        yield Finding(OK, "TensorFlow", text)
    yield from check_gpu(gpu, found["gpus"])


def processor_seconds() -> float:
    """How long the processor has worked for ended child processes, in seconds."""
    spent = os.times()
    return spent.children_user + spent.children_system


def why_slow(seconds: float, worked: float) -> str:
    """Why TensorFlow starts slowly: other programs, the disk, or the processor itself; with what to do.

    Args:
        seconds: how long it took.
        worked: how long the processor worked for it, in seconds.
    """
    cores = usable_cores()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load >= cores:
        busy = f"the computer is busy with other programs (load {load:.1f} on {cores} cores)"
        return f"{busy}, so close some or wait until they are done"
    if worked < seconds / 2:
        waited = f"it waited for the disk or for other programs most of the time ({worked:.1f} s of calculation)"
        return f"{waited}, as in the first start after the computer was switched on; the next one is faster"
    return "this processor is slow, so take small networks (--size tiny)"


def why_it_ended(status: int, last_words: str) -> str:
    """The reason for an exit status of TensorFlow."""
    if status < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-status).name
            reasons = {
                "SIGILL": "this CPU lacks instructions that TensorFlow is built with (AVX): use another computer, or "
                "switch AVX on in the settings of the virtual machine",
                "SIGABRT": "it aborted, often because of missing CPU instructions (AVX) or an emulated CPU: "
                "use a Python or an image built for this processor",
                "SIGKILL": "the system ended it, mostly because memory ran out: close other programs",
                "SIGSEGV": "it crashed, mostly because of a damaged installation: remove .venv and type ./start.sh",
            }
            return f"ended with {name}: {reasons.get(name, 'remove .venv and type ./start.sh')}"
    return f"cannot be imported ({last_words[:200]}): remove the folder .venv and type ./start.sh"


def check_gpu(card: str | None, seen: list[str] | None) -> Iterator[Finding]:
    """The graphics card as its driver and TensorFlow (None: not asked) see it. None is needed."""
    if card and seen:
        yield Finding(OK, "GPU", f"{'; '.join(card.splitlines())}: TensorFlow uses it")
    elif card and seen is not None:
        yield Finding(NOTE, "GPU", f"{'; '.join(card.splitlines())}: TensorFlow does not use it; ./start.sh --gpu can")
    elif card:
        yield Finding(NOTE, "GPU", "; ".join(card.splitlines()))
    elif shutil.which("nvidia-smi"):
        yield Finding(NOTE, "GPU", "nvidia-smi is there and does not answer: the driver needs a look. A CPU is enough")
    else:
        yield Finding(OK, "GPU", "no NVIDIA card was found, and none is needed: the lessons are made for a CPU")


# ---- ports, disk, data -----------------------------------------------------------------------------------------------


def check_ports() -> Iterator[Finding]:
    """Whether the ports of all servers are free, or used by our own."""
    for name in (*TENSORBOARD_PORTS, LAB, DOCS, PLAY):
        try:
            server = wanted_server(name)
        except UserError as error:
            yield Finding(PROBLEM, "port", str(error))
            continue
        running = services.remembered(name)
        subject = f"port {server.port}"
        if is_inside():
            yield check_server_inside(server)
        elif running and (running.port == server.port or server.may_move):
            there = Server(name, running.host, running.port)
            yield Finding(OK, f"port {there.port}", f"{server.title} runs there: {there.url}")
        elif problem := port_problem(server):
            if server.may_move:
                yield Finding(NOTE, subject, f"is in use (on a Mac by AirPlay): {server.title} takes another one")
            else:
                yield Finding(PROBLEM, subject, problem)
        else:
            yield Finding(OK, subject, f"free for {server.title}")


def check_server_inside(server: Server) -> Finding:
    """Whether a server of the container answers. Which port of the computer leads to it is not known in here.

    In a class they start when they are opened.
    """
    if path := class_path(server.name):
        return Finding(OK, server.name, f"the class leads to {server.title} at {path}")
    if services.answers(server):
        return Finding(OK, server.name, f"{server.title} answers; ./start.sh prints its address")
    return Finding(PROBLEM, server.name, f"{server.title} does not answer: ./start.sh logs shows what it says")


def check_disk() -> Iterator[Finding]:
    """Room on the disk of the clone."""
    free = shutil.disk_usage(ROOT).free / 2**30
    text = f"{free:.1f} GiB free in '{ROOT}'"
    if free < 0.5:
        yield Finding(PROBLEM, "disk", f"{text}: make room, or no model can be saved")
    elif free < 4:
        yield Finding(NOTE, "disk", f"{text}: the set-up takes about 2.5 GB, and every experiment some more")
    else:
        yield Finding(OK, "disk", text)


def check_writing() -> Iterator[Finding]:
    """Whether files can be made where the lessons make them: the data, each lesson's folder, and caches in the home."""
    home = Path(os.environ.get("HOME") or Path.home())
    # In the container the clone's own folder may be closed to the user, and nothing is written there.
    places = [
        ROOT / ".workshop" if is_inside() else ROOT,
        ROOT / "data",
        *(ROOT / name for name in TENSORBOARD_PORTS),
        home,
    ]
    refused = []
    for place in places:
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            refused.append(f"'{place}' ({error.strerror or error})")
    if refused:
        advice = "use a copy of the workshop in a folder of your own, or change the owner of these"
        yield Finding(PROBLEM, "writing", f"cannot write in {', '.join(refused)}: {advice}")
    else:
        yield Finding(OK, "writing", "the clone, data, the lessons' folders and your home can be written")


def check_starter_data() -> Iterator[Finding]:
    """Whether the data that the lessons start with is there."""
    yield starter_set(
        "lyrics/starter/*.txt", "lyrics, {kb:.0f} kB of text",
        PROBLEM, f"'{ROOT / 'data/lyrics/starter'}' holds no text: git checkout -- data brings it back",
    )  # fmt: skip
    yield starter_set(
        "lyrics/tunes/input.txt", "traditional tunes, {kb:.0f} kB of ABC",
        NOTE, "the traditional tunes are not exported yet: python -m workshop.tunes",
    )  # fmt: skip
    yield starter_set(
        "midi/tunes/*.mid", "{files:,} traditional tunes as MIDI",
        NOTE, "there are no tunes as MIDI yet: python -m workshop.tunes",
    )  # fmt: skip
    yield starter_set(
        "audio/starter/*/*.wav", "{files:,} sounds of instruments and drums, {mb:.0f} MB",
        NOTE, "there are no starter sounds yet: python -m workshop.tunes",
    )  # fmt: skip


def starter_set(pattern: str, found: str, level: str, missing: str) -> Finding:
    """What there is of a starter set: `found`, with the number and size of its files, or `missing`."""
    sizes = [file.stat().st_size for file in (ROOT / "data").glob(pattern)]
    size = sum(sizes)
    if not size:
        return Finding(level, "starter data", missing)
    return Finding(OK, "starter data", found.format(files=len(sizes), kb=size / 1e3, mb=size / 1e6))


# ---- Docker ----------------------------------------------------------------------------------------------------------


def engine_info() -> dict[str, Any] | None:
    """What the engine says about itself: asked here, or, where it cannot be asked from, handed over by `start.sh`."""
    said = os.environ.get("WORKSHOP_ENGINE_INFO") or output_of("docker", "info", "--format", "{{json .}}")
    try:
        info = json.loads(said or "")
    except ValueError:
        return None
    return info if isinstance(info, dict) and info.get("ServerVersion") else None


def check_docker() -> Iterator[Finding]:
    """Docker and what its engine has. Without it everything runs on the computer itself."""
    info = engine_info()
    if info:
        yield Finding(OK, "Docker", f"its engine {info['ServerVersion']} answers ({info.get('OperatingSystem', '')})")
        yield from check_engine_memory(info)
        yield from check_engine_disk(info)
    elif is_inside():
        yield Finding(OK, "Docker", "this is the workshop's container; outside, ./start.sh doctor asks its engine too")
    elif shutil.which("docker"):
        yield Finding(NOTE, "Docker", "is installed but its engine does not answer; it is not needed")
    else:
        yield Finding(OK, "Docker", "is not installed, and is not needed")


def check_engine_memory(info: dict[str, Any]) -> Iterator[Finding]:
    """The memory of containers: Docker Desktop's engine is a virtual machine, often with 2 GiB."""
    memory = info.get("MemTotal", 0) / 2**30
    if not memory:
        return
    text = f"containers have {memory:.1f} GiB"
    desktop = "Desktop" in info.get("OperatingSystem", "")
    advice = "give Docker Desktop more (Settings, Resources)" if desktop else "close other programs before training"
    if memory < 1.5 and uses_container():
        yield Finding(PROBLEM, "Docker memory", f"{text}, and training needs about 2 GiB: {advice}")
    elif memory < 3.5:
        yield Finding(NOTE, "Docker memory", f"{text}, which is enough for small networks: {advice}")
    else:
        yield Finding(OK, "Docker memory", text)


def check_engine_disk(info: dict[str, Any]) -> Iterator[Finding]:
    """Room on the engine's disk, where it can be seen: from inside, or where engine and computer share their disks."""
    folder = Path("/" if is_inside() else info.get("DockerRootDir", ""))
    try:
        free = shutil.disk_usage(folder).free / 2**30
    except OSError:
        return
    if free < 5:
        advice = "building an image takes about 4 GB; docker system prune removes what nothing uses"
        yield Finding(NOTE, "Docker disk", f"{free:.1f} GiB free: {advice}")
    else:
        yield Finding(OK, "Docker disk", f"{free:.1f} GiB free")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python,
    check_cpu,
    check_memory,
    check_packages,
    check_tensorflow,
    check_ports,
    check_disk,
    check_writing,
    check_starter_data,
    check_docker,
)


def examine() -> Iterator[Finding]:
    """All findings in order. An exception in a check is reported as a finding."""
    for check in CHECKS:
        try:
            yield from check()
        except Exception as error:
            subject = check.__name__.removeprefix("check_").replace("_", " ")
            yield Finding(NOTE, subject, f"could not be checked ({type(error).__name__}: {error})")


def main(argv: list[str] | None = None) -> int:
    """Print the report. Returns 0 if there is no problem, and 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop.doctor",
        description="Check this computer, and say in plain words what is wrong and what to do.",
        epilog="Exit status: 0 if nothing is a problem, 1 otherwise. Notes are no problems.",
    )
    parser.parse_args(argv)
    levels = []
    for finding in examine():
        levels.append(finding.level)
        print(f"{finding.level:<8} {finding.subject:<14} {finding.text}", flush=True)
    problems = levels.count(PROBLEM)
    print()
    if problems:
        print(f"{problems} problem{'s' if problems > 1 else ''} to put right; each line says how.")
    else:
        print("Nothing is in the way. Have fun.")
    return 1 if problems else 0
