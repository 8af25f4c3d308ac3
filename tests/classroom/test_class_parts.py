"""What a class is made of, without its containers: names, passwords, settings, servers behind the hub, activity."""

import asyncio
import ipaddress
import re
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from live import page as live_page
from workshop import ROOT
from workshop.classroom import activity, certificate, command_line, pages, passwords, settings
from workshop.classroom.names import LONGEST, plain_name
from workshop.concert import server as listening
from workshop.errors import UserError
from workshop.host import doctor, services
from workshop.host.ports import PLAY, TENSORBOARD_PORTS
from workshop.run import trainings
from workshop.web import server


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada", "ada"),
        ("Jörg Müller", "joerg-mueller"),
        ("  Zoë  O'Brien ", "zoe-o-brien"),
        ("Łucja", "u142ucja"),
        ("李", "u674e"),
        ("../../etc", "etc"),
        ("ada@school.example", "ada-school-example"),
        ("teacher", "teacher"),
        ("TEACHER ", "teacher"),
        ("ﬁn", "fin"),
        ("x" * LONGEST, "x" * LONGEST),
        ("Hub", "hub-1"),
        ("Klasse 2 Hub", "klasse-2-hub-1"),
        ("Hubert", "hubert"),
        ("!?", ""),
        ("\u2600\ufe0f", ""),
        ("", ""),
    ],
)
def test_names_become_plain(typed: str, kept: str) -> None:
    assert plain_name(typed) == kept
    assert plain_name(kept) == kept


@pytest.mark.parametrize(
    "two",
    [
        ("Александр Иванов", "Александра Петрова"),
        ("राम", "रमा"),
        ("กิตติ", "กัตติ"),
        ("x" * 60, "x" * 61),
        ("李" * 10, "李" * 11),
    ],
)
def test_other_people_have_other_names_in_every_script(two: tuple[str, str]) -> None:
    """Whoever has the same plain name gets the same work."""
    made = [plain_name(typed) for typed in two]
    assert made[0] != made[1]
    assert all(len(name) <= LONGEST and plain_name(name) == name for name in made)


def test_nobody_has_the_name_of_the_hub() -> None:
    """A student's container and volume are named as the hub's are, which a student called so would get."""
    box = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    assert box["services"]["hub"]["container_name"].endswith("}-hub")
    assert box["volumes"]["hub"]["name"].endswith("}-hub")
    assert not any(plain_name(typed) in ("hub", "2-hub") for typed in ("hub", "HUB ", "hüb", "2 hub", "2-Hub!"))


def test_each_password_opens_what_it_is_for(tmp_path: Path) -> None:
    made, student, teacher = passwords.make()
    path = tmp_path / "passwords.json"
    passwords.write(made, path)
    kept = passwords.read(path)
    assert kept.opens("ada", student)
    assert kept.opens(passwords.TEACHER, teacher)
    assert not kept.opens("ada", teacher)
    assert not kept.opens(passwords.TEACHER, student)
    assert not kept.opens("", student)
    assert not kept.opens("ada", "")
    assert student not in path.read_text()
    assert teacher not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_classes_have_different_passwords() -> None:
    assert len({word for _ in range(2) for word in passwords.make()[1:]}) == 4


def test_damaged_passwords_are_refused(tmp_path: Path) -> None:
    (tmp_path / "passwords.json").write_text('{"salt": "", "student": 7}')
    with pytest.raises(UserError, match="is damaged"):
        passwords.read(tmp_path / "passwords.json")


def test_the_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASS_MEMORY", "3G")
    monkeypatch.setenv("CLASS_INTERNET", "1")
    monkeypatch.setenv("CLASS_HOSTS", "music-server 192.0.2.7")
    read = settings.read()
    assert (read.memory, read.has_internet, read.teacher_enters) == ("3G", True, False)
    assert read.hosts == ("music-server", "192.0.2.7")


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "CLASS_MEMORY": ("2X", "2GB", "0", "2", "100M", "lots"),
        "CLASS_CPUS": ("two", "1,5", "0", "-1", "nan", "inf"),
        "CLASS_IDLE_SECONDS": ("2h", "0", "-5", "60", "1e4"),
        "CLASS_STARTS": ("0", "-1", "2.5"),
        "CLASS_INTERNET": ("2", "perhaps"),
        "CLASS_TEACHER_ENTERS": ("ja",),
        "CLASS_ADDRESSES": ("10.0.0.0/8/8", "10.213.1.0/16", "10.0.0.0/28", "fd00::/64"),
        "CLASS_HOSTS": ("https://music.school.example", "music:8000", "a,b", "müsik"),
        "CLASS_SIGN_IN": ("account", "Accounts"),
    }.items(),
)
def test_a_setting_that_cannot_be_is_one_sentence(
    name: str, values: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said by the start, which then leaves a class that runs as it is: the hub would end, or let nobody start."""
    monkeypatch.setattr(settings, "FOLDER", tmp_path)
    for file in (certificate.AUTHORITY, "passwords.json"):
        (tmp_path / file).write_text(AUTHORITY)
    for value in values:
        monkeypatch.setenv(name, value)
        with pytest.raises(UserError, match=f"^WORKSHOP_{name} is '{value}': give "):
            command_line.prepare()


@pytest.mark.parametrize(
    ("name", "value", "part", "read"),
    [
        ("CLASS_MEMORY", "1.5g", "memory", "1.5G"),
        ("CLASS_CPUS", "0.5", "cpus", 0.5),
        ("CLASS_TEACHER_ENTERS", "Yes", "teacher_enters", True),
        ("CLASS_INTERNET", "off", "has_internet", False),
        ("CLASS_HOSTS", "vm *.school.example fd00::1", "hosts", ("vm", "*.school.example", "fd00::1")),
        ("CLASS_STARTS", "", "starts", 8),
    ],
)
def test_a_setting_has_more_than_one_spelling(
    name: str, value: str, part: str, read: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(settings.read(), part) == read


def test_a_new_hub_forgets_the_proxy_of_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "FOLDER", tmp_path)
    monkeypatch.setattr(command_line, "prepare", lambda: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / command_line.PROXY).write_text("1")
    found = []
    monkeypatch.setattr("os.execvp", lambda *_: found.extend(path.name for path in tmp_path.iterdir()))
    command_line.run()
    assert settings.DATABASE in found
    assert command_line.PROXY not in found


#: An authority's certificate, which ends on this day.
AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBijCCATCgAwIBAgIUCVFwCLCHVUg0boMG66NAeLJMZygwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwObWw0bXVzaWMgY2xhc3MwHhcNMjYxMTMwMjAwNDEyWhcNMjYx
MjMwMjAwNDEyWjAZMRcwFQYDVQQDDA5tbDRtdXNpYyBjbGFzczBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABPdHKj10FlCsV8o8OXF4VxzQTzZaXJJQypi8SLCXbG/3
a/VdxTkyvKshU9O5y5W39ipGQofjhClyOIlFNNdGmDujVjBUMB0GA1UdDgQWBBRn
pJcB1H2fg4ftdIPL33yoZWOwpDAfBgNVHSMEGDAWgBRnpJcB1H2fg4ftdIPL33yo
ZWOwpDASBgNVHRMBAf8ECDAGAQH/AgEAMAoGCCqGSM49BAMCA0gAMEUCIQD6wF78
9UXEX/Ts+mH8YXmW1ESqAWvISEn6WmeHDF5ldgIgfq2Iozl9pGWl57t2eN+SK+g3
cMSkUUFD0OVYVj/U5sM=
-----END CERTIFICATE-----
"""
END = datetime(2026, 12, 30, 20, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("there", "days", "is_made"),
    [(AUTHORITY, -100, False), (AUTHORITY, -10, True), (AUTHORITY, 300, True), ("", -100, True), (None, -100, True)],
)
def test_a_certificate_is_made_again_before_it_ends(
    there: str | None, days: int, is_made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class of the year before would be told that the server is not to be trusted."""
    made: list[Path] = []
    monkeypatch.setattr(settings, "FOLDER", tmp_path)
    monkeypatch.setattr(certificate, "make", lambda folder, hosts: made.append(folder))
    monkeypatch.setattr(command_line, "show_fingerprint", lambda: None)
    monkeypatch.setattr(certificate.time, "time", lambda: END.timestamp() + days * 24 * 3600)
    (tmp_path / "passwords.json").touch()
    if there is not None:
        (tmp_path / certificate.AUTHORITY).write_text(there)
    command_line.prepare()
    assert made == [tmp_path] * is_made


def test_every_student_has_addresses_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASS_ADDRESSES", "10.9.0.0/24")
    read = settings.read()
    networks = [read.network_of(number) for number in range(1, 32)]
    assert all(one.subnet_of(read.addresses) and ipaddress.ip_address(hub) in one for one, hub in networks)
    assert not any(one.overlaps(other) for at, (one, _) in enumerate(networks) for other, _ in networks[:at])
    with pytest.raises(UserError, match="used up"):
        read.network_of(32)


def test_each_server_has_its_path_and_listens_on_loopback() -> None:
    made = pages.pages()
    assert set(TENSORBOARD_PORTS) < set(made)
    for name, page in made.items():
        command = page["command"]
        assert command[command.index("--host") + 1] == "127.0.0.1"
        assert "{port}" in command
        below = {"--path_prefix", "--base_url"} & set(command)
        assert bool(below) == page.get("absolute_url", False)
        assert all(command[command.index(word) + 1] == f"{{base_url}}{name}" for word in below)


@pytest.fixture
def behind_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")


def test_a_page_that_a_student_starts_by_hand_says_where_it_is(
    behind_the_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would print an address of the container, which no browser reaches."""
    with pytest.raises(UserError, match="runs for you already, at /user/ada/play/"):
        server.run("127.0.0.1", 7005, "/", ())
    monkeypatch.setattr(server, "application", lambda guard, line, base: SimpleNamespace(settings={"base": base}))
    monkeypatch.setattr(server, "serve", lambda *_: asyncio.sleep(0))
    monkeypatch.setattr("os._exit", lambda _: None)
    server.run("127.0.0.1", 7005, "/user/ada/play", (pages.ANY_NAME,))


def test_what_nobody_reaches_in_a_class_does_not_start(behind_the_hub: None) -> None:
    with pytest.raises(UserError, match="in a class nobody reaches the live room"):
        live_page.serve(None, set(), None, "127.0.0.1", "7004")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="in a class nobody reaches this page"):
        listening.serve(None, "127.0.0.1", "7003", ())  # type: ignore[arg-type]


def test_the_doctor_misses_no_server_that_starts_when_it_is_opened(
    behind_the_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSHOP_IN_CONTAINER", "1")
    found = list(doctor.check_ports())
    assert [one.level for one in found] == [doctor.OK] * len(found)
    assert any("/user/ada/play/" in one.text for one in found)
    with pytest.raises(UserError, match="launcher"):
        services.start_all()


@pytest.mark.parametrize(
    ("verb", "said"),
    [("play", "launcher"), ("docs", "launcher"), ("sweep", "-m workshop.sweep"), ("osc", "computer of your own")],
)
def test_a_student_who_types_start_sh_is_told_what_there_is(
    verb: str, said: str, behind_the_hub: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSHOP_IN_CONTAINER", "1")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    done = subprocess.run(["bash", ROOT / "start.sh", verb], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "exit" not in done.stderr


def test_the_page_is_opened_by_the_hub_alone() -> None:
    """The cookie is that which the page asks for, and the token is not in the command line."""
    from workshop.host.services import play_token
    from workshop.web.security import Guard

    page = pages.pages()[PLAY]
    name, value = page["request_headers_override"]["Cookie"].split("=")
    guard = Guard(play_token(), 4321)
    assert name.format(port=4321) == guard.cookie
    assert guard.knows_cookie(value)
    assert play_token() not in " ".join(page["command"])


def test_a_training_counts_as_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    times: dict[str, datetime] = {}
    now = datetime.now(UTC)
    activity.note(times, now)
    assert activity.ENTRY not in times or trainings.running()
    monkeypatch.setattr(trainings, "running", lambda: {Path("1.json"): "a training"})
    activity.note(times, now)
    assert times == {activity.ENTRY: now}


def test_jupyter_loads_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    (point,) = activity._jupyter_server_extension_points()
    assert point["module"] == activity.__name__
    times: dict[str, datetime] = {}
    monkeypatch.setattr(trainings, "running", lambda: {Path("1.json"): "a training"})
    monkeypatch.setattr(activity, "LOOK_SECONDS", 0.01)

    async def run() -> None:
        activity._load_jupyter_server_extension(
            SimpleNamespace(web_app=SimpleNamespace(settings={"last_activity_times": times}))
        )
        await asyncio.sleep(0.1)

    asyncio.run(run())
    assert activity.ENTRY in times


def test_the_values_for_kubernetes_are_valid_and_name_no_registry() -> None:
    """They are not run here. What both ways share is the same."""
    path = ROOT / "docker" / "class" / "zero-to-jupyterhub.yaml"
    values = yaml.safe_load(path.read_text("utf-8"))
    student = values["singleuser"]
    assert set(values) == {"hub", "proxy", "singleuser", "cull", "prePuller"}
    assert (student["memory"]["limit"], student["cpu"]["limit"]) == (settings.read().memory, settings.read().cpus)
    assert values["cull"]["timeout"] == settings.read().idle_seconds
    assert student["image"]["name"] == "IMAGE_IN_YOUR_REGISTRY"
    assert "NOT RUN" in path.read_text("utf-8").splitlines()[0]


def test_compose_tells_the_hub_what_it_reads() -> None:
    hub = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["hub"]
    source = (ROOT / "workshop" / "classroom" / "settings.py").read_text("utf-8")
    assert set(hub["environment"]) <= set(re.findall(r"CLASS_[A-Z_]+", source))
    assert hub["profiles"] == ["class"]
    assert hub["cap_drop"] == ["ALL"]
