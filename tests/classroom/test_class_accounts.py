"""Accounts of a class for a term: who may sign in, and what is kept."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from workshop.classroom import accounts, disk, passwords, settings
from workshop.classroom.accounts import LONGEST, MOST_WAITING, SHORTEST, Accounts
from workshop.errors import UserError

WORD = "a long sentence"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", {"n": 2, "r": 1, "p": 1})


@pytest.fixture
def kept(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "accounts.json")


def test_an_account_waits_until_it_is_let_in(kept: Accounts) -> None:
    assert kept.sign_up("Jörg Müller", WORD, is_admitted=False) == "joerg-mueller"
    with pytest.raises(UserError, match="has not let this account in yet"):
        kept.opens("joerg-mueller", WORD)
    assert not kept.opens("joerg-mueller", "something else")
    kept.admit(["joerg-mueller"])
    assert kept.opens("joerg-mueller", WORD)
    assert not kept.opens("joerg-mueller", "something else")
    kept.lock(["joerg-mueller"])
    with pytest.raises(UserError, match="has not let"):
        kept.opens("joerg-mueller", WORD)
    assert kept.all()["joerg-mueller"].typed == "Jörg Müller"


def test_who_is_admitted_at_once_signs_in(kept: Accounts) -> None:
    kept.sign_up("Ada", WORD, is_admitted=True)
    assert kept.opens("ada", WORD)
    assert not kept.opens("eve", WORD)


def test_the_file_tells_no_password(kept: Accounts) -> None:
    kept.sign_up("Ada", WORD, is_admitted=True)
    kept.sign_up("Eve", WORD, is_admitted=True)
    assert WORD not in kept.path.read_text()
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    both = kept.all()
    assert both["ada"].hash != both["eve"].hash


@pytest.mark.parametrize(
    ("typed", "password", "said"),
    [
        ("ADA ", WORD, "is taken"),
        ("Teacher", WORD, "is taken"),
        ("!?", WORD, "needs a letter"),
        ("Eve", "x" * (SHORTEST - 1), "characters"),
        ("Eve", "x" * (LONGEST + 1), "characters"),
    ],
)
def test_a_sign_up_that_cannot_be_is_one_sentence(typed: str, password: str, said: str, kept: Accounts) -> None:
    kept.sign_up("Ada", WORD, is_admitted=True)
    before = kept.path.read_bytes()
    with pytest.raises(UserError, match=said):
        kept.sign_up(typed, password, is_admitted=True)
    assert kept.path.read_bytes() == before


def test_nobody_fills_the_list(kept: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_WAITING > 200
    monkeypatch.setattr(accounts, "MOST_WAITING", 2)
    for number in range(2):
        kept.sign_up(f"student {number}", WORD, is_admitted=False)
    with pytest.raises(UserError, match="Too many accounts wait"):
        kept.sign_up("student 3", WORD, is_admitted=False)
    kept.admit(["student-0"])
    kept.sign_up("student 3", WORD, is_admitted=False)


def test_a_password_is_changed_by_who_knows_it(kept: Accounts) -> None:
    kept.sign_up("Ada", WORD, is_admitted=True)
    with pytest.raises(UserError, match="not your password"):
        kept.change("ada", "something else", "another sentence")
    with pytest.raises(UserError, match="characters"):
        kept.change("ada", WORD, "short")
    assert kept.opens("ada", WORD)
    kept.change("ada", WORD, "another sentence")
    assert kept.opens("ada", "another sentence")
    assert not kept.opens("ada", WORD)


def test_the_teacher_gives_a_new_password(kept: Accounts) -> None:
    kept.sign_up("Ada", WORD, is_admitted=True)
    new = kept.reset("ada")
    assert kept.opens("ada", new)
    assert not kept.opens("ada", WORD)


def test_a_removed_account_is_forgotten(kept: Accounts) -> None:
    kept.sign_up("Ada", WORD, is_admitted=True)
    kept.sign_up("Eve", WORD, is_admitted=True)
    kept.remove(["ada"])
    assert set(kept.all()) == {"eve"}
    assert not kept.opens("ada", WORD)


@pytest.mark.parametrize("act", [Accounts.admit, Accounts.lock, Accounts.remove])
def test_what_is_not_there_changes_nothing(act: Callable[[Accounts, list[str]], None], kept: Accounts) -> None:
    kept.sign_up("Ada", WORD, is_admitted=False)
    before = kept.path.read_bytes()
    with pytest.raises(UserError, match="no account 'eve' any more"):
        act(kept, ["ada", "eve"])
    with pytest.raises(UserError, match="no account 'eve' any more"):
        kept.reset("eve")
    assert kept.path.read_bytes() == before


def test_those_who_wait_stand_first(kept: Accounts) -> None:
    for typed, is_admitted in (("ada", True), ("carl", False), ("bob", False)):
        kept.sign_up(typed, WORD, is_admitted)
    assert list(kept.all()) == ["bob", "carl", "ada"]


@pytest.mark.parametrize("text", ["[]", '{"ada": 7}', '{"ada": {"typed": "Ada"}}', "{"])
def test_a_damaged_file_lets_nobody_in(text: str, kept: Accounts) -> None:
    kept.path.write_text(text)
    with pytest.raises(UserError, match="damaged"):
        kept.opens("ada", "")


def test_a_full_disk_is_said_and_changes_nothing(kept: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.sign_up("Ada", WORD, is_admitted=True)
    before = kept.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match=r"cannot keep that: no space left on device.* nothing was changed"):
        kept.sign_up("Eve", WORD, is_admitted=True)
    assert [path.read_bytes() for path in kept.path.parent.iterdir()] == [before]


def test_a_disk_that_is_nearly_full_is_said_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOW", 0)
    assert disk.warning(tmp_path) == ""
    monkeypatch.setattr(disk, "LOW", 1 << 60)
    assert "MB left on its disk" in disk.warning(tmp_path)
    assert disk.is_full('500 Server Error: ... "write /x: No space left on device"')
    assert not disk.is_full("no such image")


def test_the_hub_writes_on_a_full_disk_what_fits_into_its_reserve(tmp_path: Path) -> None:
    """Who cannot sign in cannot delete anything either."""
    database = tmp_path / "hub.sqlite"

    def sizes() -> list[int]:
        return [path.stat().st_size for path in sorted(tmp_path.iterdir())]

    disk.reserve(database)
    with closing(sqlite3.connect(database)) as opened:
        opened.execute(disk.KEEP_JOURNAL)
        opened.execute("CREATE TABLE tokens (name TEXT, token BLOB)")
        opened.commit()
        before = sizes()
        for number in range(300):
            opened.execute("INSERT INTO tokens VALUES (?, zeroblob(2000))", [f"student {number}"])
            opened.execute("UPDATE tokens SET name = name || '!' WHERE rowid % 10 = 0")
            opened.commit()
        assert sizes() == before
    disk.reserve(database)
    assert sizes() == before
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("SELECT count(*) FROM tokens").fetchone() == (300,)


@pytest.mark.parametrize(
    ("there", "said", "removed"),
    [
        ([], "no space left on device", ["c-ada"]),
        (["c-ada"], "no space left on device", []),
        (["c-ada-2"], "no space left on device", ["c-ada"]),
        ([], "no such image", []),
        ([], "Pool overlaps with other one on this address space", []),
    ],
)
def test_a_volume_that_a_full_disk_has_left_half_filled_is_taken_away(
    there: list[str], said: str, removed: list[str]
) -> None:
    """One that was there before holds a student's work."""
    gone = []

    async def docker(call: str, *words: str, **more: Any) -> Any:
        if call == "volumes":
            assert more == {"filters": {"name": "c-ada"}}
            return {"Volumes": [{"Name": name} for name in there] or None}
        assert call == "remove_volume"
        gone.extend(words)

    async def begin() -> None:
        raise RuntimeError(said)

    with pytest.raises(RuntimeError) as caught:
        asyncio.run(disk.start(docker, "c-ada", begin))
    assert gone == removed
    assert getattr(caught.value, "jupyterhub_message", "") == disk.reason(caught.value)


def test_a_student_reads_why_a_server_does_not_start() -> None:
    assert disk.reason(RuntimeError("write /x: no space left on device")) == disk.FULL
    assert "WORKSHOP_CLASS_ADDRESSES" in disk.reason(RuntimeError("403 Forbidden: Pool overlaps with other one"))
    assert "the addresses are used up" in disk.reason(UserError("the addresses are used up"))
    assert disk.reason(RuntimeError("no such image")) == ""


def test_how_one_signs_in_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (settings.read().sign_in, settings.read().sign_up) == (settings.SHARED_PASSWORD, settings.APPROVED)
    monkeypatch.setenv("CLASS_SIGN_IN", "accounts")
    monkeypatch.setenv("CLASS_SIGN_UP", "open")
    assert (settings.read().sign_in, settings.read().sign_up) == (settings.ACCOUNTS, settings.OPEN)
