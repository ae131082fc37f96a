"""when keys were used and users signed in"""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0004"
down_revision = "0003"


def upgrade(op: Operations) -> None:
    op.add_column("vagus_keys", sa.Column("used_at", sa.Double))
    op.add_column("vagus_console_users", sa.Column("signed_in_at", sa.Double))
