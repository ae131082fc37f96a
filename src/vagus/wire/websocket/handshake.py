"""The opening handshake (RFC 6455 section 4.2) over headers that an HTTP parser has already read.

It checks what makes a request a WebSocket upgrade and writes the answer. Who may connect (origin, address, token) is
not decided here.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FIELD_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FIELD_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Upgrade(msgspec.Struct, frozen=True):
    """A valid request for a WebSocket."""

    key: str
    subprotocols: tuple[str, ...] = ()
    """What the client offers, best first."""
    extensions: str | None = None
    """The Sec-WebSocket-Extensions lines joined, for `negotiate_deflate`."""


class Refusal(msgspec.Struct, frozen=True):
    """A request that must be answered with this HTTP status instead."""

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


_NOT_AN_UPGRADE: Final = Refusal(
    426, "this address speaks WebSocket", ((b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"))
)
_WRONG_VERSION: Final = Refusal(
    426,
    "only WebSocket version 13 is spoken",
    ((b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), (b"Sec-WebSocket-Version", b"13")),
)


def check_upgrade(method: str, http_version: str, headers: Headers) -> Upgrade | Refusal:
    """Check a request against section 4.2.1. Names of headers may be in any case, and may repeat."""
    if method != "GET":
        return Refusal(405, "a WebSocket opens with GET", ((b"Allow", b"GET"),))
    if http_version != "1.1":
        return Refusal(400, "a WebSocket opens with HTTP/1.1")
    fields: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value)
    if not _has_token(fields, b"upgrade", b"websocket") or not _has_token(fields, b"connection", b"upgrade"):
        return _NOT_AN_UPGRADE
    if len(fields.get(b"host", ())) != 1:
        return Refusal(400, "one Host header is needed")
    if [value.strip() for value in fields.get(b"sec-websocket-version", ())] != [b"13"]:
        return _WRONG_VERSION
    keys = fields.get(b"sec-websocket-key", ())
    if len(keys) != 1 or not _is_key(keys[0].strip()):
        return Refusal(400, "one Sec-WebSocket-Key of 16 bytes in base64 is needed")
    return Upgrade(
        key=keys[0].strip().decode("ascii"),
        subprotocols=tuple(token.decode("latin-1") for token in _tokens(fields, b"sec-websocket-protocol")),
        extensions=b", ".join(fields.get(b"sec-websocket-extensions", ())).decode("latin-1") or None,
    )


def accept_key(key: str) -> str:
    """Return the Sec-WebSocket-Accept that proves the key was read (section 4.2.2)."""
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def upgrade_response(
    upgrade: Upgrade, *, subprotocol: str | None = None, extensions: str | None = None, headers: Headers = ()
) -> bytes:
    """Return the whole 101 response; frames may follow at once.

    `extensions` is what `negotiate_deflate` returned. Raises ValueError for a subprotocol that was not offered, and
    for a header that would not be one line.
    """
    if subprotocol is not None and subprotocol not in upgrade.subprotocols:
        raise ValueError(f"subprotocol {subprotocol!r} was not offered")
    fields = [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Accept", accept_key(upgrade.key).encode("ascii")),
    ]
    if subprotocol is not None:
        fields.append((b"Sec-WebSocket-Protocol", subprotocol.encode("latin-1")))
    if extensions is not None:
        fields.append((b"Sec-WebSocket-Extensions", extensions.encode("latin-1")))
    return _response_head(101, (*fields, *headers))


def refusal_response(refusal: Refusal) -> bytes:
    """Return the whole HTTP response that says no; the connection closes after it."""
    body = refusal.reason.encode() + b"\n"
    fields = dict(refusal.headers)
    fields[b"Connection"] = b"Upgrade, close" if b"Upgrade" in fields else b"close"
    fields[b"Content-Type"] = b"text/plain; charset=utf-8"
    fields[b"Content-Length"] = b"%d" % len(body)
    return _response_head(refusal.status, fields.items()) + body


def _response_head(status: int, headers: Headers) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode("ascii"))]
    for name, value in headers:
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"not a header: {name!r}: {value!r}")
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join((*lines, b"", b""))


def _tokens(fields: dict[bytes, list[bytes]], name: bytes) -> list[bytes]:
    tokens = (token.strip() for value in fields.get(name, ()) for token in value.split(b","))
    return [token for token in tokens if token]


def _has_token(fields: dict[bytes, list[bytes]], name: bytes, wanted: bytes) -> bool:
    return any(token.lower() == wanted for token in _tokens(fields, name))


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False
