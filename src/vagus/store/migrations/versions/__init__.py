"""Revisions of the schema. A new one has the next number, which becomes ``HEAD`` in ``store/schema.py``."""
