"""The client's half of the native protocol (JSON over a WebSocket) and of what carries it: bytes in, messages out.

Written for the proof alone and from the protocol's description, since a proof must not share code with what it proves.
It knows only what the swarm needs: text frames of any size, closing, and no extensions.
"""

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

Message = dict[str, Any]

_decode: Final = msgspec.json.Decoder(Message).decode

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

FINAL_CODES: Final = (range(3500, 4000), range(4500, 5000))
"""Closures after which a client must not come back."""


class Closed(NamedTuple):
    """The server says goodbye."""

    code: int
    reason: str


class ProtocolError(Exception):
    """The server sent what it must not send."""


def opening(host: str, port: int) -> bytes:
    """The request that begins a WebSocket."""
    key = b64encode(os.urandom(16)).decode()
    return (
        f"GET /connection/websocket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: centrifuge-json\r\n\r\n"
    ).encode()


def command(number: int, **body: Any) -> bytes:
    """A command as a frame: ``command(2, subscribe={"channel": "a"})``."""
    return frame(TEXT, json.dumps({"id": number} | body).encode())


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame. Its mask is zero, which is a mask like any other and changes nothing."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


PONG_COMMAND: Final = frame(TEXT, b"{}")
CLOSING: Final = frame(CLOSE, (1000).to_bytes(2, "big"))


class Incoming:
    """What the server sends on one connection, from its first byte on."""

    __slots__ = ("_buffer", "_is_open", "_parts")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_open = False
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Message | Closed]:
        """Take bytes; yields whole messages. Raises ``ProtocolError``, also for a handshake that is refused."""
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            status = bytes(self._buffer[:end]).split(b"\r\n")[0]
            if status.split(b" ")[1:2] != [b"101"]:
                raise ProtocolError(status.decode("latin-1"))
            self._is_open = True
            del self._buffer[: end + 4]
        while (whole := self._frame()) is not None:
            first, payload = whole
            opcode = first & 0x0F
            if opcode == CLOSE:
                yield Closed(int.from_bytes(payload[:2], "big") or 1005, payload[2:].decode())
            elif opcode in (PING, PONG):
                continue
            else:
                self._parts.append(payload)
                if first & 0x80:
                    text = b"".join(self._parts)
                    self._parts.clear()
                    yield from self._messages(text)

    def _frame(self) -> tuple[int, bytes] | None:
        """The first byte and the payload of the next frame, once it is all there."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if buffer[1] & 0x80:
            raise ProtocolError("a masked frame")
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start or len(buffer) < start + size:
            return None
        first, payload = buffer[0], bytes(buffer[start : start + size])
        del buffer[: start + size]
        return first, payload

    @staticmethod
    def _messages(text: bytes) -> Iterator[Message]:
        for line in text.split(b"\n"):
            if line:
                try:
                    yield _decode(line)
                except msgspec.DecodeError as error:
                    raise ProtocolError(f"no JSON: {error}: {line[:300]!r}") from None
