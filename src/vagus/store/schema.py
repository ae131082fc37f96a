"""The number of the schema: what the database has, what this version of Vagus needs, and what lies between.

The number is looked up at every start, so this loads nothing; only ``migrating`` needs Alembic. Numbers count up and
never branch, so that a database which is newer than the program can be told from one that is older.
"""

from typing import Final

import msgspec

from vagus.kernel.errors import StoreError

HEAD: Final = "0004"
"""The schema that this version needs: the last revision in ``migrations/versions``."""

VERSION_TABLE: Final = "vagus_schema"


class Step(msgspec.Struct, frozen=True):
    """A revision of the schema and what it does."""

    revision: str
    text: str


class Schema(msgspec.Struct, frozen=True):
    """``present`` is empty for a database without our tables."""

    present: str
    needed: str = HEAD

    @property
    def is_due(self) -> bool:
        """Whether a migration is."""
        return self.present != self.needed


def known(present: str) -> Schema:
    """The schema with this number. Raises ``StoreError`` unless it is ours and not newer than we are."""
    if present and not (present.isdecimal() and len(present) == len(HEAD)):
        raise StoreError(f"the database has a schema that is not Vagus's ({present!r})", retryable=False)
    if present > HEAD:
        text = f"the database has schema {present}, and this version of Vagus knows them up to {HEAD}"
        raise StoreError(f"{text}: use the newer version again, or restore a backup", retryable=False)
    return Schema(present)
