"""A stand-in for docker, docker-compose and podman, for the tests of start.sh: it keeps images and containers in a JSON
file, writes down what it is asked for, and runs the commands of `exec` on this computer.

It is called as `stub_engine.py PROGRAM arguments`, a dozen times for one start.sh, so it imports little. What should go
wrong is said in variables: STUB_INFO_SAYS, STUB_BUILD_SAYS, STUB_UP_SAYS and STUB_LOAD_SAYS are what that command
complains about, STUB_HEALTH is what the container's health check says, and STUB_RUN_SAYS what a container says that is
run by hand.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time

FOLDER = os.environ["STUB_ENGINE"]
ROOT = os.environ["STUB_CLONE"]
INFO = """ Server Version: 20.10
 Runtimes: io.containerd.runc.v2 runc%s
 Security Options:
  seccomp
"""
TAGS = {"workshop": "ml4music-workshop:cpu", "workshop-gpu": "ml4music-workshop:gpu"}
PORTS = {
    "7006": "CHAR_RNN", "7007": "MIDI_RNN", "7008": "WAVENET", "7009": "AUDIO_RNN", "7010": "SPECTRAL_RNN",
    "7011": "SPECTRAL_GAN", "8888": "LAB", "7000": "DOCS", "7005": "PLAY", "7004": "LIVE",
}  # fmt: skip


class State:
    """What the engine has, read and kept again by one process at a time."""

    def __enter__(self) -> dict:
        self.lock = open(f"{FOLDER}/lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        try:
            with open(f"{FOLDER}/state.json") as file:
                self.have = json.load(file)
        except FileNotFoundError:
            self.have = {"images": {}, "containers": {}}
        return self.have

    def __exit__(self, *_: object) -> None:
        with open(f"{FOLDER}/state.json", "w") as file:
            json.dump(self.have, file)
        self.lock.close()


def fail_if_told(name: str) -> None:
    """Complain as the variable says, if it says anything."""
    if complaint := os.environ.get(name):
        print(complaint, file=sys.stderr)
        sys.exit(1)


def compose(words: list[str]) -> None:
    if words[0] == "version":
        return
    _, project, verb, *_ = words
    service = words[-1]
    if verb == "build":
        time.sleep(float(os.environ.get("STUB_BUILD_SECONDS", "0")))
        fail_if_told("STUB_BUILD_SAYS")
        print("step 1 of 1")
        with State() as have:
            have["images"][TAGS[service]] = {"ml4music.recipe": os.environ["WORKSHOP_RECIPE"]}
    elif verb == "up":
        fail_if_told("STUB_UP_SAYS")
        with State() as have:
            labels = {
                "com.docker.compose.project": project,
                "com.docker.compose.project.working_dir": ROOT,
                "ml4music.workshop": service,
                "ml4music.settings": os.environ["WORKSHOP_SETTINGS"],
            }
            ports = {inner: os.environ.get(f"WORKSHOP_PORT_{name}", inner) for inner, name in PORTS.items()}
            userns = os.environ.get("PODMAN_USERNS", "")
            user = f"{os.environ['WORKSHOP_UID']}:{os.environ['WORKSHOP_GID']}"
            status = os.environ.get("STUB_STATUS", "running")
            box = {"labels": labels, "status": status, "ports": ports, "user": user, "userns": userns}
            have["containers"][f"{project}-{service}"] = box
    elif verb == "down":
        with State() as have:
            have["containers"] = {id_: box for id_, box in have["containers"].items() if not id_.startswith(project)}
    else:
        sys.exit(f"the stub knows no compose {words}")


def list_containers(words: list[str]) -> None:
    filters = dict(word.partition("=")[::2] for word in words if "=" in word and not word.startswith("label="))
    labels = [word.removeprefix("label=").partition("=") for word in words if word.startswith("label=")]
    with State() as have:
        for id_, box in have["containers"].items():
            there = all(
                name in box["labels"] and (not eq or box["labels"][name] == value) for name, eq, value in labels
            )
            published = "publish" not in filters or filters["publish"] in box["ports"].values()
            if there and published and ("-a" in words or box["status"] == "running"):
                print(id_)


def inspect(template: str, name: str) -> None:
    with State() as have:
        if name not in have["images"] and name not in have["containers"]:
            sys.exit(1)
        box = have["containers"].get(name, {"labels": have["images"].get(name), "status": ""})
    text = re.sub(r'\{\{index \.Config\.Labels "([^"]+)"\}\}', lambda found: box["labels"].get(found[1], ""), template)
    text = text.replace("{{.State.Status}}", box["status"]).replace("{{.Architecture}}", "amd64")
    text = re.sub(r"\{\{range .*\{\{end\}\}", "\nTensorBoard of wavenet does not answer\n\n", text)
    print(re.sub(r"\{\{if .*\{\{end\}\}", os.environ.get("STUB_HEALTH", "healthy"), text))


def execute(words: list[str]) -> None:
    """Run the command here, with the clone in the place of the container's folder, in a session of its own."""
    import subprocess

    environment = {**os.environ, "WORKSHOP_IN_CONTAINER": "1", "VIRTUAL_ENV": os.environ["STUB_VENV"]}
    folder = ROOT
    while words[0].startswith("-"):
        option = words.pop(0)
        if option == "-w":
            folder = words.pop(0).replace("/workshop", ROOT, 1)
        elif option in ("-e", "-u"):
            name, assigned, value = words.pop(0).partition("=")
            if assigned:
                environment[name] = value
    with State() as have:
        mounts = have["containers"][words[0]].get("mounts", {"/workshop": ROOT})
    command = words[1:]
    for inside, outside in mounts.items():
        command = [re.sub(f"^{inside}(?=/|$)", lambda _, outside=outside: outside, word) for word in command]
    done = subprocess.run(command, cwd=folder, env=environment, start_new_session=True, check=False)
    sys.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)


def run(words: list[str]) -> None:
    """Start a container by hand. Of its options, the mounts are kept: where each folder inside lies outside."""
    import csv
    from itertools import pairwise

    mounts = {}
    for option, value in pairwise(words):
        if option == "--mount":
            fields = dict(field.partition("=")[::2] for field in next(csv.reader([value])))
            mounts[fields["target"]] = fields["source"]
    with State() as have:
        have["containers"]["lent"] = {"labels": {}, "ports": {}, "status": "running", "mounts": mounts}
    print(os.environ.get("STUB_RUN_SAYS", "lent"))


def info(words: list[str]) -> None:
    fail_if_told("STUB_INFO_SAYS")
    time.sleep(float(os.environ.get("STUB_INFO_SECONDS", "0")))
    print('{"ServerVersion": "20.10"}' if "--format" in words else INFO % os.environ.get("STUB_RUNTIMES", ""))


def load() -> None:
    data = sys.stdin.buffer.read()
    fail_if_told("STUB_LOAD_SAYS")
    image = json.loads(data)
    with State() as have:
        have["images"][image["tag"]] = {"ml4music.recipe": image["recipe"]}
    print(f"Loaded image: {image['tag']}")


def main() -> None:
    program, *words = sys.argv[1:]
    if program == "podman" and words[0] == "info":
        print("host:\n  buildahVersion: 1.28")
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{program} {' '.join(words)}\n")
    if program.endswith("-compose"):
        return compose(words)
    verb, *rest = words
    if verb == "compose":
        if os.environ.get("STUB_NO_PLUGIN"):
            sys.exit(1)
        compose(rest)
    elif verb == "info":
        info(rest)
    elif verb == "ps":
        list_containers(rest)
    elif verb == "inspect":
        inspect(rest[1], rest[2])
    elif verb == "image":
        inspect("", rest[-1])
    elif verb == "exec":
        execute(rest)
    elif verb == "run":
        run(rest)
    elif verb == "build":
        fail_if_told("STUB_BUILD_SAYS")
        with State() as have:
            have["images"][rest[rest.index("--tag") + 1]] = {}
    elif verb == "port":
        with State() as have:
            print(f"127.0.0.1:{have['containers'][rest[0]]['ports'][rest[1].removesuffix('/tcp')]}")
    elif verb in ("stop", "rm"):
        with State() as have:
            if verb == "stop":
                have["containers"][rest[-1]]["status"] = "exited"
            else:
                del have["containers"][rest[-1]]
    elif verb == "save":
        with State() as have:
            print(json.dumps({"tag": rest[0], "recipe": have["images"][rest[0]]["ml4music.recipe"]}))
    elif verb == "load":
        load()
    elif verb == "logs":
        print("what the container says")
    elif verb == "version":
        print(os.environ.get("STUB_ARCHITECTURE", "amd64"))
    else:
        sys.exit(f"the stub knows no {words}")


if __name__ == "__main__":
    main()
