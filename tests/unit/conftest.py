"""Unit tests touch no network: a test that opens a connection or listens fails at that line."""

import socket
from typing import Never

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse what reaches other machines or processes; the event loop's own socket pair is not touched."""

    def refused(*_arguments: object, **_options: object) -> Never:
        raise AssertionError("a unit test used the network: it belongs into tests/integration")

    for name in ("bind", "connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
