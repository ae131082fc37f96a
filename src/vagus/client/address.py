"""Where a server is: from what people write to the address of its WebSocket."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

PATH: Final = "/connection/websocket"
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def websocket_address(url: str) -> str:
    """``https://live.example.com`` becomes ``wss://live.example.com/connection/websocket``; a path of one's own stays.

    Raises ``ValueError`` for what is no address.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError(f"not the address of a server: {url!r}; it begins with http://, https://, ws:// or wss://")
    if parts.username or parts.password:
        raise ValueError("an address holds no password: the server takes tokens")
    if parts.fragment:
        raise ValueError("an address has no fragment")
    scheme = _SCHEMES[parts.scheme]
    path = parts.path if parts.path not in ("", "/") else PATH
    if parts.scheme in ("http", "https") and path != PATH:
        path = path.rstrip("/") + PATH
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))
