"""Service keys: what a program shows to use the server's API, and what is kept of it.

A key is 32 random bytes, so its hash is a plain SHA-256: slow, salted hashes (argon2) protect what people can
remember and others can guess, and nobody guesses 256 random bits; a quick hash lets every request be checked in
microseconds, without a cache of plain keys. A ring is immutable: to add or revoke a key, make a new ring.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFIX = "vgs_"  # lets scanners of source code and logs recognise a leaked key
ANY_SCOPE = "*"

_MAX_LENGTH = 512  # of a shown key; ours have 47 characters, keys carried over from elsewhere may be longer
_HASH = re.compile(r"[0-9a-f]{64}")


class ServiceKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a key: never the key itself. `expires_at` is in seconds since 1970; None is never."""

    name: str
    hash: str
    scopes: frozenset[str]
    expires_at: float | None = None

    def __post_init__(self) -> None:
        if not self.name or not _HASH.fullmatch(self.hash):
            raise ValueError("keys: a key needs a name and the SHA-256 of the secret in hexadecimal")

    def allows(self, scope: str) -> bool:
        """Say whether the key may be used for `scope`."""
        return scope in self.scopes or ANY_SCOPE in self.scopes


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key as settings write it: either the secret in plain text or its hash."""

    name: str
    hash: str | None = None
    secret: str | None = None
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None

    def __repr__(self) -> str:
        return f"KeyRow(name={self.name!r}, ...)"  # settings get printed, and this may hold a secret


def new_key() -> str:
    """Return a fresh key, to be shown once and kept only as its hash."""
    return PREFIX + secrets.token_urlsafe(32)


def key_hash(secret: str) -> str:
    """Return the form in which a key is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def service_key(row: KeyRow) -> ServiceKey:
    """Turn a row into what is kept; `ValueError` unless it has exactly one of secret and hash."""
    if (row.hash is None) == (row.secret is None) or row.secret == "":
        raise ValueError(f"keys: {row.name}: either a secret or its hash is needed")
    kept = key_hash(row.secret) if row.secret is not None else (row.hash or "").lower()
    return ServiceKey(name=row.name, hash=kept, scopes=row.scopes, expires_at=row.expires_at)


class KeyRing:
    """All the keys that are accepted. `ValueError` if two have one name or one secret."""

    def __init__(self, keys: Iterable[ServiceKey], *, now: Callable[[], float]) -> None:
        kept = tuple(keys)
        self._now = now
        self._keys = {key.hash: key for key in kept}
        for field in ("name", "hash"):
            if len({getattr(key, field) for key in kept}) < len(kept):
                raise ValueError(f"keys: two keys have the same {field}")

    @classmethod
    def from_rows(cls, rows: Iterable[KeyRow], *, now: Callable[[], float]) -> KeyRing:
        """Make the ring that settings describe; `ValueError` names the row that is wrong."""
        return cls((service_key(row) for row in rows), now=now)

    @property
    def is_complete(self) -> bool:
        """Whether every key that exists is known here; where it is not, one that is not found may be a good one."""
        return True

    def verify(self, secret: str) -> ServiceKey | None:
        """Return the key that was shown, or None if it is unknown or past its time.

        Time tells nothing: what is looked up is the hash, and who cannot choose the hash cannot creep up on a key
        by comparing how long two guesses took.
        """
        if len(secret) > _MAX_LENGTH:
            return None
        shown = key_hash(secret)
        key = self._keys.get(shown)
        if key is None or not hmac.compare_digest(key.hash, shown):
            return None
        return None if key.expires_at is not None and key.expires_at <= self._now() else key
