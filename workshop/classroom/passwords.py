"""The two passwords of a class: one that all students share, and the teacher's. Only their hashes are kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop.errors import UserError
from workshop.files import read_json, write_json

#: Letters and digits that nobody confuses when they read them from a blackboard.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
#: Characters of the students' password, which is typed on tablets (49 bits), and of the teacher's (99 bits).
STUDENT_LENGTH, TEACHER_LENGTH = 10, 20
#: scrypt's cost: 16 MB and about 50 ms for each try.
COST = {"n": 1 << 14, "r": 8, "p": 1}

#: The name that signs in with the teacher's password.
TEACHER = "teacher"


@dataclass(frozen=True)
class Passwords:
    """The hashes of both passwords, as hexadecimal digits, with the salt that they share."""

    salt: str
    student: str
    teacher: str

    def opens(self, name: str, password: str) -> bool:
        """Whether somebody with this plain name may sign in with this password."""
        wanted = self.teacher if name == TEACHER else self.student
        return bool(name) and hmac.compare_digest(hashed(password, self.salt), wanted)


def make() -> tuple[Passwords, str, str]:
    """New passwords: what is kept of them, the students' password, and the teacher's."""
    student, teacher, salt = word(STUDENT_LENGTH), word(TEACHER_LENGTH), secrets.token_hex(16)
    return Passwords(salt, hashed(student, salt), hashed(teacher, salt)), student, teacher


def word(length: int) -> str:
    """A random password of so many characters."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def write(passwords: Passwords, path: Path) -> None:
    """Keep the hashes in a file.

    Raises:
        OSError: it cannot be written; it is as it was.
    """
    keep(path, {"salt": passwords.salt, "student": passwords.student, "teacher": passwords.teacher})


def keep(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file that its owner alone may read.

    Raises:
        OSError: it cannot be written; it is as it was.
    """
    write_json(path, value)
    path.chmod(0o600)


def read(path: Path) -> Passwords:
    """The hashes in a file.

    Raises:
        UserError: it is not there, or damaged.
    """
    info: dict[str, Any] = read_json(path)
    values = [info.get(name) for name in ("salt", "student", "teacher")]
    if not all(isinstance(value, str) and value for value in values):
        raise UserError(f"'{path}' is damaged: ./start.sh class passwords makes new ones.")
    return Passwords(*map(str, values))


def hashed(password: str, salt: str) -> str:
    """The scrypt hash of a password, as hexadecimal digits."""
    return hashlib.scrypt(password.encode(), salt=salt.encode(), **COST).hex()
