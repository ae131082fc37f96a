"""Passwords of people: what one must be, and the form in which it is kept, argon2id with the values of RFC 9106.

Hashing takes tens of milliseconds and 64 MiB on purpose, so it is for a thread, and for few of them at a time.
"""

import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
LONGEST: Final = 256

_HASHER: Final = PasswordHasher()


def password_hash(password: str) -> str:
    """The form in which a password is kept. Raises ``ValueError`` for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters")
    return _HASHER.hash(_normal(password))


def is_password(kept: str | None, shown: str) -> bool:
    """Whether the password that is shown is the one that is kept.

    ``None`` is for a user that does not exist: it takes the same work, so that time does not tell who does.
    """
    try:
        _HASHER.verify(kept if kept is not None else _decoy(), _normal(shown))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether it was kept with weaker values than those of today, so that it should be made again."""
    return _HASHER.check_needs_rehash(kept)


@cache
def _decoy() -> str:
    return _HASHER.hash("nobody's password")


def _normal(password: str) -> str:
    """Keyboards differ in how they compose what looks the same."""
    return unicodedata.normalize("NFKC", password)
