"""Servers and readers for the tests of ``/events``; they run with both kinds of streams, as those of ``streams`` do."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import pytest

from tests.integration.native.serving import Server
from tests.integration.streams.conftest import ONLY_DIRECT, Serve, front, get, proxied, serve, tidy
from tests.integration.streams.incoming import Incoming

__all__ = ["ONLY_DIRECT", "Listen", "Serve", "front", "get", "listen", "proxied", "serve", "tidy"]

Listen = Callable[..., Awaitable[Incoming]]


@pytest.fixture
def listen(get: Callable[..., Awaitable[Incoming]]) -> Listen:
    """Ask for channels: ``await listen(server, "a", "b", last_event_id=…, query={…})``."""

    async def asked(
        server: Server | int, *channels: str, query: dict[str, object] | None = None, **headers: str
    ) -> Incoming:
        pairs: list[tuple[str, object]] = [("channel", channel) for channel in channels]
        for name, value in (query or {}).items():
            pairs += [(name, each) for each in value] if isinstance(value, list) else [(name, value)]
        return await get(server, f"/events?{urlencode(pairs)}", **headers)

    return asked
