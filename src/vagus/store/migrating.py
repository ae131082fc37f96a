"""Migrations with Alembic: which steps are due, and taking them within a transaction of the caller.

Loading this takes a tenth of a second and reads files: do it in a thread, and only when something is due. Alembic's
own commands and its ``env.py`` are not used, since they want a configuration file and read code as they go; nor is its
global ``op``, of which a process has only one: a revision is handed its operations.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from .schema import HEAD, VERSION_TABLE, Step

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLDER: Final = Path(__file__).parent / "migrations"


class Migrations:
    """The history, read. Constructing it loads every revision."""

    def __init__(self) -> None:
        self._folder = ScriptDirectory(str(FOLDER))
        self._revisions = list(self._folder.walk_revisions(head=HEAD))[::-1]

    def due(self, present: str) -> tuple[Step, ...]:
        """The steps from a schema to the one that is needed."""
        return tuple(Step(row.revision, row.doc) for row in self._revisions if row.revision > present)

    def upgrade(self, connection: "Connection", present: str) -> tuple[Step, ...]:
        """Take those steps. The caller's transaction makes them one, on SQLite too."""
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        operations = Operations(context)
        for row in self._revisions:
            if row.revision > present:
                row.module.upgrade(operations)
                context.stamp(self._folder, row.revision)
        return self.due(present)
