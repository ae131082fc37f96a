"""The tables of the history: points as they were measured, and their roll-ups over minutes and hours.

Times are milliseconds since 1970. Rows of a series lie side by side in the order of time, since charts read ranges of
one series after the other. Nothing refers to ``series`` by a foreign key: that would cost a look for each point, and
only ``writing`` and ``pruning`` write here, taking turns (``TURN``).
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Double, Integer, Table, Text

from vagus.store.tables import METADATA

TURN: Final = "history"
"""The name under which transactions that write take turns, over all nodes."""

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

series: Final = Table(
    "vagus_history_series",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("metric", Text, nullable=False, unique=True),
)
"""The numbers by which the other tables know the metrics."""

marks: Final = Table(
    "vagus_history_marks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)
"""How far things are: see ``Marks``."""


def _key() -> tuple[Column[Any], ...]:
    return (
        Column("series", Integer, primary_key=True, autoincrement=False),
        Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    )


def _rolled_up(name: str) -> Table:
    return Table(
        name,
        METADATA,
        *_key(),
        Column("min", Double, nullable=False),
        Column("max", Double, nullable=False),
        Column("sum", Double, nullable=False),
        Column("count", BigInteger, nullable=False),
        Column("last", Double, nullable=False),
        sqlite_with_rowid=False,
    )


points: Final = Table(
    "vagus_history_points", METADATA, *_key(), Column("value", Double, nullable=False), sqlite_with_rowid=False
)

minutes: Final = _rolled_up("vagus_history_minutes")
"""A row is the minute that begins at ``at_ms``."""

hours: Final = _rolled_up("vagus_history_hours")
