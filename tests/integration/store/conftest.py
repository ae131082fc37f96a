"""What the store's tests share: a PostgreSQL, and programs that write until they are killed."""

from .postgres import postgres

__all__ = ["postgres"]
