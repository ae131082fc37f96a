"""A bare WebSocket that speaks lines of JSON, for what no client library would ever do."""

import asyncio
import json
from itertools import count
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.patience import DEADLINE_S


class RawSocket:
    """``ask`` sends a command and waits for its answer; what came before it is kept in ``pushes``."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.pushes: list[dict[str, Any]] = []
        self._numbers = count(1)
        self._lines: list[str] = []

    @classmethod
    async def opened(cls, url: str, **options: Any) -> Self:
        return cls(await connect(url, proxy=None, open_timeout=DEADLINE_S, ping_interval=None, **options))

    async def send(self, *lines: str | dict[str, Any]) -> None:
        """Send lines as one frame."""
        await self.connection.send("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))

    async def frame(self) -> str:
        """The next frame as it is."""
        return str(await asyncio.wait_for(self.connection.recv(), DEADLINE_S))

    async def line(self) -> dict[str, Any]:
        """The next reply or push, whatever frame it is in."""
        while not self._lines:
            self._lines = (await self.frame()).split("\n")
        return dict(json.loads(self._lines.pop(0)))

    async def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """The result of a command, or ``{"error": …}``."""
        number = next(self._numbers)
        await self.send({"id": number, command: fields})
        while (line := await self.line()).get("id") != number:
            self.pushes.append(line)
        return dict(line[command]) if command in line else {"error": line["error"]}

    async def error(self, command: str, **fields: Any) -> int:
        """The code with which a command is refused."""
        return int((await self.ask(command, **fields))["error"]["code"])

    async def closed(self) -> tuple[int, str]:
        """The code and the reason with which the server closes; what comes before is kept in ``pushes``."""
        try:
            while True:
                self.pushes.append(await self.line())
        except ConnectionClosed as end:
            assert end.rcvd is not None, "the server went away without a close frame"
            return end.rcvd.code, end.rcvd.reason

    async def close(self) -> None:
        """Let go without a word, also of a server that waits for one."""
        self.connection.transport.abort()
        await self.connection.wait_closed()
