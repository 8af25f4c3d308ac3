"""Accounts of a class for a term: each student has a password of their own, which only its owner knows.

One file in the hub's folder holds all of them, each with the hash of its password.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workshop.classroom import passwords
from workshop.classroom.names import LONGEST as LONGEST_NAME
from workshop.classroom.names import plain_name
from workshop.errors import UserError
from workshop.files import explain, read_json

#: Characters of a password, at least and at most.
SHORTEST, LONGEST = 8, 200

#: So many may wait for the teacher, so that nobody fills the list.
MOST_WAITING = 300


@dataclass(frozen=True)
class Account:
    """An account.

    Attributes:
        typed: the name as its owner has typed it.
        salt: of the password's hash, as hexadecimal digits.
        hash: the password's.
        is_admitted: whether its owner may sign in; before, the account waits for the teacher.
    """

    typed: str
    salt: str
    hash: str
    is_admitted: bool

    def opens(self, password: str) -> bool:
        """Whether this is its password, admitted or not."""
        return hmac.compare_digest(passwords.hashed(password, self.salt), self.hash)


class Accounts:
    """The accounts in a file, by the plain spelling of their names."""

    def __init__(self, path: Path):
        self.path = path

    def all(self) -> dict[str, Account]:
        """All accounts, those that wait first, then by their names.

        Raises:
            UserError: the file is damaged.
        """
        if not self.path.exists():
            return {}
        try:
            read = {name: _account(values) for name, values in read_json(self.path).items()}
        except (TypeError, KeyError):
            raise UserError(
                f"'{self.path}' is damaged: put back a copy of it, or delete it and let all sign up again."
            ) from None
        return dict(sorted(read.items(), key=lambda one: (one[1].is_admitted, one[0])))

    def opens(self, name: str, password: str) -> bool:
        """Whether somebody with this plain name may sign in with this password.

        Raises:
            UserError: the password is right, and the account waits for the teacher.
        """
        account = self.all().get(name)
        if account is None or not account.opens(password):
            return False
        if not account.is_admitted:
            raise UserError("Your teacher has not let this account in yet: ask, and then sign in again.")
        return True

    def sign_up(self, typed: str, password: str, is_admitted: bool) -> str:
        """Make an account, and return its plain name.

        Raises:
            UserError: the name or the password cannot be one, or is taken; the sentence is for the student.
        """
        name, there = plain_name(typed), self.all()
        if not name:
            raise UserError("A name needs a letter or a digit.")
        if name == passwords.TEACHER or name in there:
            raise UserError(f"The name '{name}' is taken: add an initial or a number to yours.")
        if not is_admitted and sum(not one.is_admitted for one in there.values()) >= MOST_WAITING:
            raise UserError("Too many accounts wait for the teacher: ask your teacher to look at them.")
        self._write(there | {name: _made(typed.strip()[:LONGEST_NAME], password, is_admitted)})
        return name

    def change(self, name: str, old: str, new: str) -> None:
        """Give an account the password that its owner wants.

        Raises:
            UserError: the old one is wrong, or the new one cannot be one.
        """
        there = self.all()
        if name not in there or not there[name].opens(old):
            raise UserError("That is not your password so far.")
        self._write(there | {name: _made(there[name].typed, new, there[name].is_admitted)})

    def reset(self, name: str) -> str:
        """Give an account a new random password, and return it: its owner has forgotten the old one.

        Raises:
            UserError: there is no such account.
        """
        there = self.all()
        self._known(there, [name])
        password = passwords.word(passwords.STUDENT_LENGTH)
        self._write(there | {name: _made(there[name].typed, password, there[name].is_admitted)})
        return password

    def admit(self, names: Iterable[str]) -> None:
        """Let accounts in.

        Raises:
            UserError: there is no such account.
        """
        self._each(names, lambda account: replace(account, is_admitted=True))

    def lock(self, names: Iterable[str]) -> None:
        """Let accounts in no more; they wait again.

        Raises:
            UserError: there is no such account.
        """
        self._each(names, lambda account: replace(account, is_admitted=False))

    def remove(self, names: Iterable[str]) -> None:
        """Forget accounts; the work that was done under their names stays.

        Raises:
            UserError: there is no such account.
        """
        self._each(names, lambda account: None)

    def _each(self, names: Iterable[str], changed: Callable[[Account], Account | None]) -> None:
        there, named = self.all(), list(names)
        self._known(there, named)
        after = there | {name: changed(there[name]) for name in named}
        self._write({name: account for name, account in after.items() if account})

    def _known(self, there: dict[str, Account], names: list[str]) -> None:
        for name in names:
            if name not in there:
                raise UserError(f"There is no account '{name}' any more: load this page again.")

    def _write(self, accounts: dict[str, Account]) -> None:
        try:
            passwords.keep(self.path, {name: asdict(account) for name, account in accounts.items()})
        except OSError as error:
            raise UserError(
                f"The server cannot keep that: {explain(error, self.path)}. Tell your teacher; nothing was changed."
            ) from None


def _made(typed: str, password: str, is_admitted: bool) -> Account:
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(f"A password has {SHORTEST} to {LONGEST} characters: a sentence is easy to keep in mind.")
    salt = secrets.token_hex(16)
    return Account(typed, salt, passwords.hashed(password, salt), is_admitted)


def _account(values: dict[str, Any]) -> Account:
    """An account as the file holds it.

    Raises:
        TypeError, KeyError: it is none.
    """
    kinds = {"typed": str, "salt": str, "hash": str, "is_admitted": bool}
    if not all(isinstance(values[name], kind) for name, kind in kinds.items()):
        raise TypeError
    return Account(*(values[name] for name in kinds))
