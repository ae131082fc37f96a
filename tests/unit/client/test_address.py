"""From what people write to the address of a WebSocket."""

import pytest

from vagus.client.address import websocket_address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("http://localhost:8000", "ws://localhost:8000/connection/websocket"),
        ("https://live.example.com/", "wss://live.example.com/connection/websocket"),
        ("https://example.com/live/", "wss://example.com/live/connection/websocket"),
        ("ws://a", "ws://a/connection/websocket"),
        ("wss://a:1/own/path?x=1", "wss://a:1/own/path?x=1"),
        ("http://[::1]:8000", "ws://[::1]:8000/connection/websocket"),
        ("http://a/connection/websocket", "ws://a/connection/websocket"),
    ],
)
def test_an_address_is_completed(written: str, address: str) -> None:
    assert websocket_address(written) == address


def test_an_address_with_a_password_is_refused_without_telling_it() -> None:
    with pytest.raises(ValueError, match="no password") as caught:
        websocket_address("https://ada:secret@example.com")
    assert "secret" not in str(caught.value)
