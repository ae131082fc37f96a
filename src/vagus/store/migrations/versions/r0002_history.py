"""history: points, minutes and hours"""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0002"
down_revision = "0001"


def upgrade(op: Operations) -> None:
    op.create_table(
        "vagus_history_series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("metric", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "vagus_history_marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "vagus_history_points",
        sa.Column("series", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    for name in ("vagus_history_minutes", "vagus_history_hours"):
        op.create_table(
            name,
            sa.Column("series", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("min", sa.Double, nullable=False),
            sa.Column("max", sa.Double, nullable=False),
            sa.Column("sum", sa.Double, nullable=False),
            sa.Column("count", sa.BigInteger, nullable=False),
            sa.Column("last", sa.Double, nullable=False),
            sqlite_with_rowid=False,
        )
