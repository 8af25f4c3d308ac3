"""A class of two on one server, with the real engine: who reaches what, and what becomes of a training.

One class serves all of these, in the order in which they stand here.
"""

import contextlib
import html
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from classmates import Person
from container_fixtures import fresh_clone
from containers import Engine, Workshop, until

from workshop.classroom import disk
from workshop.host.ports import TENSORBOARD_PORTS

pytestmark = pytest.mark.container

#: What a student's container tries of another's: to reach its server, another computer, and the engine.
TRY = """
import os, socket, sys
def reaches(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
        return True
    except OSError:
        return False
other = sys.argv[1]
print(reaches(other, 8888), reaches("192.0.2.1", 80), os.path.exists("/var/run/docker.sock"))
print([line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "NoNewPrivs"))])
"""

#: Seconds that a wrong password costs; workshop/classroom/sign_in.py needs the packages of the hub.
PAUSE_SECONDS = 1.0

#: What a student's programs do that take all there is, and the status that they end with: who takes all memory is
#: killed by the limit of the container.
HOGS = {
    "memory": ("""
taken = bytearray()
while True:
    taken += bytes(16 << 20)
""", 137),
    "cores": ("""
import os, time
for _ in range(4 * os.cpu_count()):
    if not os.fork():
        end = time.monotonic() + 20
        while time.monotonic() < end:
            pass
        os._exit(0)
""" + "while True:\n    try:\n        os.wait()\n    except ChildProcessError:\n        break\n", 0),
    "processes": ("""
import os, signal, time
begun = []
try:
    while True:
        begun.append(os.fork())
        if not begun[-1]:
            time.sleep(60)
            os._exit(0)
except BlockingIOError:
    time.sleep(5)
    for child in begun:
        os.kill(child, signal.SIGKILL)
    print(len(begun))
""", 0),
}  # fmt: skip
#: So long may the server of another student take to answer meanwhile.
PATIENCE_SECONDS = 10


@dataclass
class Class:
    """A class that runs."""

    workshop: Workshop
    name: str
    said: str
    address: str
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def authority(self) -> Path:
        """The file that tablets take in."""
        return self.workshop.clone / ".workshop" / "class-authority.crt"

    def password(self, whose: str) -> str:
        """A password, as it was printed."""
        (found,) = re.findall(rf"^{whose} .* the password +(\S+)$", self.said, re.MULTILINE)
        return str(found)

    def person(self, typed: str, name: str) -> Person:
        """Somebody with a browser."""
        return Person(self.address, self.authority, typed, name)

    def container(self, name: str) -> str:
        """The name of a student's container."""
        return f"{self.name}-{name}"

    def inside(self, name: str, *command: str, **more: object) -> str:
        """Run a command in a student's container."""
        return self.workshop.docker("exec", self.container(name), *command, **more)

    def up(self) -> str:
        """./start.sh class"""
        return self.workshop.start_sh("class", timeout=900)


@pytest.fixture(scope="module")
def lesson(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """A class on a server of its own, started by ./start.sh class."""
    name = f"class-test-{os.getpid()}"
    settings = {
        "WORKSHOP_CLASS_NAME": name,
        "WORKSHOP_CLASS_ADDRESSES": "10.219.0.0/24",
        "WORKSHOP_CLASS_MEMORY": "1500M",
        # So that one of two who come together waits for the other.
        "WORKSHOP_CLASS_STARTS": "1",
    }
    workshop = fresh_clone(engine, tmp_path_factory.mktemp("class"), WORKSHOP_MODE="container", **settings)
    port = workshop.ports["docs"]
    workshop.env["WORKSHOP_PORT_CLASS"] = str(port)
    begun = time.monotonic()
    made = Class(workshop, name, "", f"https://localhost:{port}")
    try:
        made.said = made.up()
        print(f"The class was built and started in {time.monotonic() - begun:.0f} seconds.")
        yield made
    finally:
        labelled = ["--filter", f"label=ml4music.class={name}", "--quiet"]
        boxes = [*workshop.docker("ps", "--all", *labelled).split(), f"{name}-hub"]
        workshop.docker("rm", "--force", *boxes, status=None)
        for kind in ("network", "volume"):
            there = workshop.docker(kind, "ls", "--quiet", "--filter", f"name={name}").split()
            workshop.docker(kind, "rm", *there, status=None)


@pytest.fixture(scope="module")
def students(lesson: Class) -> dict[str, Person]:
    """Two students who have signed in at the same time, with their servers running."""
    people = {name: lesson.person(typed, name) for typed, name in (("Ada", "ada"), ("Jörg Müller", "joerg-mueller"))}
    password = lesson.password("Students")

    def come(person: Person) -> None:
        assert person.sign_in(password)
        person.start()

    with ThreadPoolExecutor() as pool:
        list(pool.map(come, people.values()))
    return people


def test_the_start_says_where_it_is_and_who_may_come(lesson: Class) -> None:
    assert lesson.address in lesson.said
    assert re.search(r"SHA-256 +([0-9A-F]{2}:){31}[0-9A-F]{2}$", lesson.said, re.MULTILINE)
    assert lesson.password("Students") != lesson.password("The teacher")
    again = lesson.up()
    assert lesson.address in again
    assert "password" not in again
    logs = lesson.workshop.docker("logs", f"{lesson.name}-hub")
    assert lesson.password("Students") not in logs


def test_a_tablet_trusts_it_by_the_authority_alone(lesson: Class) -> None:
    assert lesson.person("ada", "ada").ask("/hub/login")[0] == 200
    stranger = lesson.person("ada", "ada")
    stranger.tls = ssl.create_default_context()
    import urllib.request

    stranger.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=stranger.tls))
    status, said, _ = stranger.ask("/hub/login")
    assert (status, "CERTIFICATE_VERIFY_FAILED" in said) == (0, True)


def test_the_wrong_password_opens_nothing(lesson: Class) -> None:
    student, teacher = lesson.password("Students"), lesson.password("The teacher")
    assert not lesson.person("ada", "ada").sign_in("wrong")
    assert not lesson.person("ada", "ada").sign_in(teacher)
    assert not lesson.person("Teacher", "teacher").sign_in(student)


def test_each_student_reaches_lab_page_board_and_tutorial(lesson: Class, students: dict[str, Person]) -> None:
    assert "to go on:" in lesson.inside("ada", "python", "char_rnn/train.py", "--smoke", timeout=300)
    with ThreadPoolExecutor() as pool:
        assert set(pool.map(lambda person: person.page("play/")[0], students.values())) == {200}
    for person in students.values():
        status, lab = person.page("lab")
        assert (status, "JupyterLab" in lab) == (200, True)
        assert person.data("api/contents/docs/notebooks")["type"] == "directory"
        listing = person.data("play/listing")
        assert any("char_rnn" in json.dumps(one) for one in listing.values())
        assert person.data("char_rnn/data/environment")["data_location"] == "/workshop/char_rnn"
        status, tutorial = person.page("docs/")
        assert (status, "ml4music" in tutorial) == (200, True)
    curves = "char_rnn/data/plugin/scalars/tags"
    until(lambda: students["ada"].data(curves), "the curves", 60)
    assert students["joerg-mueller"].data(curves) == {}


def test_starter_sets_are_in_the_image_once_for_all(lesson: Class, students: dict[str, Person]) -> None:
    listed = lesson.inside("ada", "python", "-m", "workshop.datasets", "list")
    for name in ("tunes", "midi_tunes", "starter_sounds", "piano", "loops", "chorales"):
        assert re.search(rf"^{name} +\w+ +[\d,]+ kB +yes ", listed, re.MULTILINE), listed
    for folder in ("audio/piano", "audio/loops", "midi/chorales"):
        place = lesson.inside("ada", "readlink", "--canonicalize", f"data/{folder}").strip()
        assert not place.startswith("/workshop/")
        lesson.inside("ada", "touch", f"{place}/mine.wav", status=1)


def test_a_page_of_sound_talks_through_the_hub(students: dict[str, Person]) -> None:
    ada = students["ada"]
    ada.page("play/")
    with contextlib.closing(ada.socket(ada.path("play/play"))) as line:
        line.send(json.dumps({"type": "stop"}))


def test_one_student_does_not_reach_another(lesson: Class, students: dict[str, Person]) -> None:
    ada, other = students["ada"], students["joerg-mueller"]
    for page in ("lab", "api/contents/char_rnn", "play/listing", *(f"{name}/" for name in TENSORBOARD_PORTS)):
        status, said, _ = ada.ask(other.path(page))
        assert status in (403, 404), f"{page}: {status}: {said[:200]}"
    import websocket

    for page in ("play/play", "api/events/subscribe", "terminals/websocket/1"):
        with pytest.raises(websocket.WebSocketBadStatusException):
            ada.socket(other.path(page))
    address = lesson.workshop.inspect(
        lesson.container("joerg-mueller"), "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    )
    tried = lesson.inside("ada", "python", "-c", TRY, address).splitlines()
    assert tried == ["False False False", "['0000000000000000', '1']"]
    lesson.inside("joerg-mueller", "python", "-c", TRY, address)
    # The address is right: the student's own server answers there.
    assert lesson.inside("joerg-mueller", "python", "-c", TRY, address).startswith("True")


def test_the_hub_is_no_way_from_one_to_another(lesson: Class, students: dict[str, Person]) -> None:
    forward = lesson.workshop.docker("exec", f"{lesson.name}-hub", "cat", "/proc/sys/net/ipv4/ip_forward")
    assert forward.strip() == "0"


def test_a_student_has_limits(lesson: Class, students: dict[str, Person]) -> None:
    told = lesson.workshop.inspect(
        lesson.container("ada"),
        "{{with .HostConfig}}{{.Memory}} {{.CpuQuota}} {{.PidsLimit}} {{.Privileged}}{{end}} {{.Config.User}}",
    )
    assert told == f"{1500 << 20} 200000 1024 false 1000:1000"


@pytest.mark.parametrize("what", HOGS)
def test_who_takes_all_harms_nobody_else(
    what: str, lesson: Class, students: dict[str, Person], figure: Callable[[str, str, str], None]
) -> None:
    program, status = HOGS[what]
    seen: list[int] = []
    slowest = 0.0
    with ThreadPoolExecutor() as pool:
        hog = pool.submit(lesson.inside, "ada", "python", "-c", program, status=status)
        while not hog.done():
            begun = time.monotonic()
            seen.append(students["joerg-mueller"].page("api/status")[0])
            slowest = max(slowest, time.monotonic() - begun)
        said = hog.result()
    assert set(seen) == {200}
    assert slowest < PATIENCE_SECONDS
    assert what != "processes" or int(said) < 1024
    assert [person.page("api/status")[0] for person in students.values()] == [200, 200]
    figure(
        f"a student of a class whose program takes all {what}",
        f"once; {len(seen)} questions to another student's server meanwhile",
        f"all were answered, the slowest in {slowest:.1f} s; the student's own server answers afterwards",
    )


def test_a_full_disk_is_said(lesson: Class, figure: Callable[[str, str, str], None]) -> None:
    volume = f"{lesson.name}-crowded"
    small = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m"]
    lesson.workshop.docker("volume", "create", *small, volume)
    crowded = lesson.person("crowded", "crowded")
    assert crowded.sign_in(lesson.password("Students"))
    crowded.ask("/hub/spawn")
    until(lambda: disk.FULL.split(",")[0] in html.unescape(crowded.ask("/hub/spawn-pending/crowded")[1]), "that")
    # A volume that was there before may hold a student's work, and stays.
    assert volume in lesson.workshop.docker("volume", "ls", "--quiet")
    hub = ["--rm", "--network", "none", "--user", "0", "--tmpfs", "/srv/class:size=4k", "--entrypoint", "python"]
    prepare = ["ml4music-workshop:class", "-m", "workshop.class_hub", "prepare"]
    said = lesson.workshop.docker("run", *hub, *prepare, status=2)
    assert "The hub cannot write in '/srv/class' (No space left on device): make room on the disk." in said
    figure(
        "the disk full in a class",
        "2 places: a student's volume when the server starts, the hub's own folder",
        "the student and the teacher are told; the volume stays as it is",
    )


def test_the_teacher_sees_who_is_here_and_enters_nothing(lesson: Class, students: dict[str, Person]) -> None:
    teacher = lesson.person("Teacher", "teacher")
    assert teacher.sign_in(lesson.password("The teacher"))
    assert teacher.ask("/hub/admin")[0] == 200
    status, said, _ = teacher.ask("/hub/api/users", Referer=f"{lesson.address}/hub/admin")
    assert {one["name"] for one in json.loads(said)} >= set(students), status
    assert teacher.ask(students["ada"].path("api/contents"))[0] == 403
    assert students["ada"].ask("/hub/admin")[0] == 403


def test_a_training_outlives_the_hub_and_saves_when_the_class_ends(lesson: Class, students: dict[str, Person]) -> None:
    ada = students["ada"]
    with ada.terminal() as typed:
        typed("python char_rnn/train.py --size tiny --experiment_dir char_rnn/experiments/long --max_minutes 20")
        until(lambda: "long" in lesson.inside("ada", "python", "-m", "workshop.trainings"), "the training", 120)
    hub = f"{lesson.name}-hub"
    # Killed with -9, and taken away: the new one finds the students, and takes no process of its own for the old proxy.
    lesson.workshop.docker("exec", hub, "sh", "-c", "echo 1 > jupyterhub-proxy.pid")
    lesson.workshop.docker("rm", "--force", hub)
    lesson.up()
    assert "long" in lesson.inside("ada", "python", "-m", "workshop.trainings")
    assert until(lambda: ada.page("api/status")[0] == 200, "the server behind the new hub", 60)
    lesson.workshop.start_sh("class", "stop")
    assert not lesson.workshop.docker("ps", "--quiet", "--filter", f"label=ml4music.class={lesson.name}")
    lesson.up()
    again = lesson.person("Ada", "ada")
    assert again.sign_in(lesson.password("Students"))
    again.start()
    record = json.loads(lesson.inside("ada", "cat", "char_rnn/experiments/long/run.json"))
    assert record["status"] == "stopped"
    assert record["step"] > 0


def test_a_class_for_a_term_has_accounts(lesson: Class, students: dict[str, Person]) -> None:
    """Anybody may sign up, and yet nobody gets work that lies there under a name unless the teacher says so."""
    lesson.workshop.env |= {"WORKSHOP_CLASS_SIGN_IN": "accounts", "WORKSHOP_CLASS_SIGN_UP": "open"}
    assert "password" not in lesson.up()
    word = "a long sentence"

    def sign_up(person: Person, again: str = word) -> str:
        return person.fill_in("/hub/signup", username=person.typed, password=word, again=again)[1]

    ada, other, zoe = (
        lesson.person(typed, name) for typed, name in [("Ada", "ada")] * 2 + [("Zoë O'Brien", "zoe-o-brien")]
    )
    assert students["ada"].ask("/hub/home")[2].endswith("/hub/login?next=%2Fhub%2Fhome")
    assert not ada.sign_in(lesson.password("Students"))
    assert "differ" in sign_up(zoe, "another sentence")
    assert "you can sign in now" in sign_up(zoe)
    assert zoe.sign_in(word)
    assert "As soon as your teacher has let it in" in sign_up(ada)
    assert not ada.sign_in(word)
    assert "is taken" in sign_up(lesson.person("Teacher", "teacher"))
    begun = time.monotonic()
    with ThreadPoolExecutor() as pool:
        assert not any(pool.map(lambda person: person.sign_in("guessed"), (ada, other)))
    # Tries for one name follow each other.
    assert time.monotonic() - begun > 2 * PAUSE_SECONDS

    teacher = lesson.person("Teacher", "teacher")
    assert teacher.sign_in(lesson.password("The teacher"))
    assert [zoe.ask("/hub/accounts")[0], zoe.fill_in("/hub/accounts", do="admit", name="ada")[0]] == [403, 403]
    assert "Zoë O&#39;Brien" in teacher.ask("/hub/accounts")[1]
    # What lies in a link, or in a form of another page, lets nobody in.
    teacher.ask("/hub/accounts?do=admit&name=ada")
    assert teacher.ask("/hub/accounts", b"do=admit&name=ada")[0] == 403
    assert not ada.sign_in(word)
    assert "Let in: ada." in teacher.fill_in("/hub/accounts", do="admit", name="ada")[1]
    assert ada.sign_in(word)
    assert other.sign_in(word)
    assert [ada.page(page)[0] for page in ("lab", "api/status")] == [200, 200]
    assert teacher.ask(ada.path("api/contents"))[0] == 403

    words = {"old": word, "password": "another sentence", "again": "another sentence"}
    assert "not your password" in ada.fill_in("/hub/password", **words | {"old": "wrong"})[1]
    assert "is changed" in ada.fill_in("/hub/password", **words)[1]
    assert ada.ask("/hub/home")[2].endswith("/hub/home")
    assert not other.ask("/hub/home")[2].endswith("/hub/home")
    assert [other.sign_in(word), other.sign_in("another sentence")] == [False, True]
    said = teacher.fill_in("/hub/accounts", do="reset", name="ada")[1]
    (new,) = re.findall(r"shown this once: (\w+)", said)
    assert [ada.sign_in("another sentence"), ada.sign_in(new)] == [False, True]
    teacher.fill_in("/hub/accounts", do="lock", name="ada")
    assert not ada.ask("/hub/home")[2].endswith("/hub/home")
    assert not ada.sign_in(new)
