"""The tables of the console's door: users with passwords, sessions, and links to sign in with.

Times are seconds since 1970. Secrets are here as hashes alone. What is over is removed, not marked: a row that is there
counts.
"""

from typing import Final

from sqlalchemy import Column, Double, Index, Table, Text

from vagus.store.tables import METADATA

TURN: Final = "console"
"""The name under which whoever opens sessions or changes users takes turns, over all nodes."""

users: Final = Table(
    "vagus_console_users",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("signed_in_at", Double),
)

sessions: Final = Table(
    "vagus_console_sessions",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("user", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
)
"""``seen_at`` lags behind what happens by up to a minute."""

Index("vagus_console_sessions_user", sessions.c.user)

links: Final = Table(
    "vagus_console_links",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)
