"""``vagus serve`` as processes, the lines that they log, and clients of the native dialect that tell what they see."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.patience import DEADLINE_S
from tests.ports import free_port

_CLEAN: Final = {name: text for name, text in os.environ.items() if not name.startswith(("VAGUS_", "WEBSOCKET_"))}

Event = dict[str, Any]


class Serving:
    """A process that serves, or its workers with it; ready when it is made. It is ended with ``end``."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vagus", "serve", "--port", str(free_port()), "--log-format", "json", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=_CLEAN | environment,
        )
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._reading = threading.Thread(target=self._read, name="log")
        self._reading.start()
        assert self._process.stdout is not None
        self.banner = self._process.stdout.readline()
        self.url = self.banner.split()[-1] if " ready at " in self.banner else ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr:
            for line in self._process.stderr:
                with self._said:
                    self.lines.append(line)
                    self._said.notify_all()

    def events(self, name: str) -> list[Event]:
        """What was logged under a name."""
        with self._said:
            parsed = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [event for event in parsed if event["event"] == name]

    def told(self) -> list[str]:
        """The lines that are for people."""
        return [line for line in self.lines if not line.startswith("{")]

    def wait_for(self, name: str, count: int = 1) -> list[Event]:
        """Wait until something was logged so often."""
        end = time.monotonic() + DEADLINE_S
        while len(found := self.events(name)) < count:
            with self._said:
                assert self._said.wait(end - time.monotonic()), f"no {name} in {self.lines}"
        return found

    async def heard(self, name: str, count: int = 1) -> list[Event]:
        return await asyncio.to_thread(self.wait_for, name, count)

    def signal(self, number: int = signal.SIGTERM, pid: int = 0) -> None:
        os.kill(pid or self.pid, number)

    def code(self) -> int:
        """Wait until it has ended; its exit code."""
        return self._process.wait(DEADLINE_S)

    async def ended(self) -> int:
        return await asyncio.to_thread(self.code)

    def wait_for_all(self) -> None:
        """Wait until its workers have ended too, which hold the other end of what it logs."""
        self._reading.join(DEADLINE_S)
        assert not self._reading.is_alive()

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self.wait_for_all()


Start = Callable[..., Serving]


class Talker:
    """A client of the native dialect: commands in, replies out, pushes kept until they are asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.pushes: list[Event] = []
        self.connected: Event = {}
        """The answer to its connect command."""
        self._number = 0

    @classmethod
    async def come(cls, url: str, token: str = "") -> "Talker":
        talker = cls(await connect(f"{url.replace('http', 'ws', 1)}/connection/websocket", open_timeout=DEADLINE_S))
        talker.connected = await talker.ask("connect", {"token": token} if token else {})
        return talker

    async def send(self, name: str, body: Event) -> int:
        self._number += 1
        await self.socket.send(json.dumps({"id": self._number, name: body}))
        return self._number

    async def reply(self, number: int) -> Event:
        """The reply to a command. Raises ``ConnectionClosed`` where none comes any more."""
        while True:
            for line in await self._lines():
                if line.get("id") == number:
                    assert "error" not in line, line
                    return dict(next((line[key] for key in line if key != "id"), {}))

    async def ask(self, name: str, body: Event) -> Event:
        return await self.reply(await self.send(name, body))

    async def push(self) -> Event:
        """The next push."""
        while not self.pushes:
            await self._lines()
        return self.pushes.pop(0)

    async def _lines(self) -> list[Event]:
        message = await asyncio.wait_for(self.socket.recv(), DEADLINE_S)
        lines = [json.loads(line) for line in str(message).splitlines()]
        self.pushes += [line["push"] for line in lines if "push" in line]
        if {} in lines:
            await self.socket.send("{}")
        return lines

    async def closed(self) -> int:
        """Wait until it is closed; the code."""
        try:
            while True:
                await self._lines()
        except ConnectionClosed:
            return self.socket.close_code or 0

    async def leave(self) -> None:
        await self.socket.close()


class Kept:
    """An HTTP connection that is kept from one request to the next."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Kept":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, line: str, headers: str = "", body: str = "") -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body of the answer."""
        head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write((head + body).encode())
        async with asyncio.timeout(DEADLINE_S):
            lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            fields = dict(field.split(": ", 1) for field in lines[1:] if field)
            content = await self._reader.readexactly(int(fields.get("content-length", "0")))
        return int(lines[0].split()[1]), fields, content

    async def is_given_back(self) -> bool:
        """Whether the server has closed it."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.read(1) == b""

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class Guests:
    """Everybody who came in one test."""

    def __init__(self) -> None:
        self._talkers: list[Talker] = []
        self._kept: list[Kept] = []

    async def come(self, url: str, token: str = "") -> Talker:
        talker = await Talker.come(url, token)
        self._talkers.append(talker)
        return talker

    async def keep(self, port: int) -> Kept:
        kept = await Kept.open(port)
        self._kept.append(kept)
        status, _, _ = await kept.ask("GET /health?live")
        assert status == 200
        return kept

    async def leave(self) -> None:
        for kept in self._kept:
            await kept.close()
        for talker in self._talkers:
            await talker.leave()
