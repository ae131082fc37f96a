"""A conversation in the native protocol: commands with their replies, and what the server sends in between."""

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

from .faults import RefusedByServerError
from .frames import ClosedError, Socket

PATH: Final = "/connection/websocket"
GRACE_S: Final = 10.0
"""How much later than announced a ping may come, as in the protocol's client libraries."""

Reply = dict[str, Any]

_decode_lines: Final = msgspec.json.Decoder(dict[str, Any]).decode_lines


class Conversation:
    """One connection of the command line. Pushes that come while a reply is awaited are kept for ``push``."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._number = 0
        self._replies: deque[Reply] = deque()
        self._pushes: deque[Reply] = deque()
        self._silence_s: float | None = 5 + GRACE_S

    @classmethod
    async def open(cls, url: str, token: str, name: str) -> "Conversation":
        """Connect and say who we are. Raises ``OSError``, ``ClosedError`` or ``RefusedByServerError``."""
        conversation = cls(await Socket.open(url.replace("http", "ws", 1) + PATH))
        try:
            connected = await conversation.ask("connect", {"name": name, **({"token": token} if token else {})})
        except BaseException:
            await conversation.close()
            raise
        ping = connected.get("ping", 0)
        conversation._silence_s = ping + GRACE_S if ping else None
        return conversation

    async def ask(self, method: str, params: object) -> Reply:
        """Send a command and await its result. Raises ``RefusedByServerError`` for an error."""
        self._number += 1
        number = self._number
        self._socket.send(msgspec.json.encode({"id": number, method: params}))
        while True:
            reply = await self._next()
            if reply.get("id") == number:
                break
            if "push" in reply:
                self._pushes.append(reply["push"])
        if "error" in reply:
            error = reply["error"]
            raise RefusedError(method, error["code"], error["message"], is_temporary=error.get("temporary", False))
        result: Reply = reply.get(method, {})
        return result

    async def push(self) -> Reply:
        """The next thing that the server sends by itself. Raises ``ClosedError`` at the end."""
        while not self._pushes:
            reply = await self._next()
            if "push" in reply:
                self._pushes.append(reply["push"])
        return self._pushes.popleft()

    async def close(self) -> None:
        await self._socket.close()

    async def _next(self) -> Reply:
        while True:
            while not self._replies:
                try:
                    async with asyncio.timeout(self._silence_s):
                        message = await self._socket.receive()
                except TimeoutError:
                    raise ClosedError(1006, "the server is silent") from None
                self._replies.extend(_decode_lines(message))
            reply = self._replies.popleft()
            if reply:
                return reply
            self._socket.send(b"{}")  # an empty reply is a ping, and so is its answer


class RefusedError(RefusedByServerError):
    """A command was answered with an error; one that ``is_temporary`` may be answered otherwise later."""

    def __init__(self, method: str, code: int, text: str, *, is_temporary: bool) -> None:
        super().__init__(f"{method}: {text} ({code})")
        self.code = code
        self.text = text
        self.is_temporary = is_temporary
