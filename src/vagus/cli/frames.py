"""The client's side of a WebSocket (RFC 6455) on asyncio's streams: as much as the command line needs.

No compression, no fragments on the way out. Everything that ends the connection is a ``ClosedError``. It exists so that
the command line needs no library at run time that the server does not; applications use a real client.
"""

import asyncio
import base64
import os
import struct
from typing import Final
from urllib.parse import urlsplit

from vagus.wire.websocket import accept_key

from .faults import RefusedByServerError

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
MAX_BYTES: Final = 64 * 1024 * 1024
OPENING_S: Final = 10.0


class ClosedError(Exception):
    """The connection has ended. ``code`` is 1006 if nobody said why."""

    def __init__(self, code: int = 1006, reason: str = "connection lost") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    @property
    def comes_back(self) -> bool:
        """Whether the codes of the protocol tell a client to connect again."""
        return not (3500 <= self.code <= 3999 or 4500 <= self.code <= 4999)


class TurnedAwayError(RefusedByServerError):
    """Whoever answers at the address does not open a WebSocket, with a status of HTTP."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the server does not take WebSockets here: {status}")
        self.status = status

    @property
    def is_soon_over(self) -> bool:
        """Whether it is what a proxy says while it has no server, or a server that is full or stops."""
        return self.status[:3] in ("502", "503", "504")

    @property
    def is_fault(self) -> bool:
        """Whether the other side says that it is to blame, and not what was asked."""
        return self.status.startswith("5")


class Socket:
    """One open connection. Not for several readers at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> "Socket":
        """Connect to a ``ws`` or ``wss`` address. Raises ``OSError`` or ``TurnedAwayError``."""
        parts = urlsplit(url)
        secure = parts.scheme == "wss"
        async with asyncio.timeout(OPENING_S):
            port = parts.port or (443 if secure else 80)
            reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=secure or None, limit=2**20)
            try:
                await _shake_hands(reader, writer, parts.path or "/", parts.netloc.rpartition("@")[2])
            except BaseException:
                writer.close()
                raise
        return cls(reader, writer)

    def send(self, text: bytes) -> None:
        self._write(TEXT, text)

    async def receive(self) -> bytes:
        """The next message. Raises ``ClosedError`` when there is none any more."""
        message = b""
        while True:
            try:
                final, opcode, payload = await self._frame()
            except (OSError, EOFError):
                raise ClosedError from None
            match opcode:
                case _ if opcode < CLOSE:
                    message += payload
                    if final:
                        return message
                case _ if opcode == PING:
                    self._write(PONG, payload)
                case _ if opcode == CLOSE:
                    self._write(CLOSE, payload[:2])
                    raise _closure(payload)

    async def close(self) -> None:
        """Say goodbye and let go; does not wait for an answer."""
        if not self._writer.is_closing():
            self._write(CLOSE, struct.pack("!H", 1000))
        self._writer.close()

    async def _frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
        if size > MAX_BYTES:
            raise ClosedError(1009, "message too big")
        return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(size)

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 65_536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        mask = os.urandom(4)
        key = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        self._writer.write(head + mask + masked)


def _closure(payload: bytes) -> ClosedError:
    if len(payload) < 2:
        return ClosedError(1005, "closed")
    return ClosedError(int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace"))


async def _shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, host: str) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: centrifuge-json",
        f"Sec-WebSocket-Key: {key}",
    )
    writer.write("\r\n".join((*lines, "", "")).encode("latin-1"))
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except (EOFError, asyncio.LimitOverrunError):
        raise ConnectionError("it does not speak HTTP") from None
    version, _, status = head[0].partition(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if not version.startswith("HTTP/"):
        raise ConnectionError("it does not speak HTTP")
    if not status.startswith("101"):
        raise TurnedAwayError(status)
    if headers.get("sec-websocket-accept") != accept_key(key):
        raise ConnectionError("it does not speak WebSocket")
