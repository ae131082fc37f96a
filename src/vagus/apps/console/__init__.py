"""The console's door: how people sign in to the console, and the sessions that they then have.

A person comes with a link that ``vagus serve`` or ``vagus link`` prints, with user and password, or with a token, and
gets a session in a cookie. The hub, and the routes of all apps, then let the console's pages in by it, since they ask
``hub.policies.sessions``. It publishes nothing and adds no channel; the pages themselves are served elsewhere.

Reading order: ``tables``, ``users``, ``links``, ``sessions`` (what the store keeps), ``keeping`` (what a node knows of
it), ``values``, ``signing``, ``routes`` (the only one that imports Litestar), ``app``.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from .app import NAME, Console, install

PUBLISHED: Final[Mapping[str, Mapping[str, type[msgspec.Struct]]]] = {}

__all__ = ["NAME", "PUBLISHED", "Console", "install"]
