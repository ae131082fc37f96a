"""A player of transcripts of responses that go on: EventSource, and the native dialect over HTTP, held to the letter.

::

    = ada GET /events?channel=news         a request, made when the reader is named first
    = bob GET /events?channel=news         and one with headers:
      last-event-id: <id>
    < 200                                  the status of the answer
    < event: paid                          the next line of its body; empty lines do not count
    > {"id":2,"subscribe":{…}}             a command of a session, by /emulation, which must take it
    .                                      nothing more is heard for now
    x                                      the response has ended
    * publish news {"n":1}                 something else happens; * wait, * hear (at most so many seconds), * drop
    # a comment

``<name>`` stands for any text without quotes and blanks, the same wherever it occurs.
"""

import asyncio
import re
from collections import deque
from typing import Any, Final

import msgspec

from vagus.gateway.gate import Gate

_NAME: Final = re.compile(r"<([a-z][a-z0-9_]*)>")


class TranscriptError(AssertionError):
    """The conversation went another way. The message names the line of the transcript."""


async def play(text: str, gate: Gate) -> None:
    player = _Player(gate)
    try:
        for number, line in _statements(text):
            try:
                await player.perform(line)
            except TranscriptError as error:
                raise TranscriptError(f"line {number}: {line}\n{error}") from None
        player.finish()
    finally:
        await player.close()


def _statements(text: str) -> list[tuple[int, str]]:
    """Its lines with their numbers; the headers of a request belong to it."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("  ") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line.strip()}")
        elif line.strip() and not line.startswith("#"):
            found.append((number, line.rstrip()))
    return found


class _Response:
    """One request, and what is heard of its response."""

    def __init__(self, gate: Gate, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> None:
        path, _, query = target.partition("?")
        endpoint = gate.endpoint(path)
        assert endpoint is not None, path
        self.heard: deque[str] = deque()
        self.is_over = False
        self._rest = b""
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._events.put_nowait({"type": "http.request", "body": body, "more_body": False})
        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.1", 5),
        }
        self.task = asyncio.create_task(endpoint.http(scope, self._events.get, self._take))

    async def _take(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.heard.append(str(message["status"]))
            return
        *lines, self._rest = (self._rest + message.get("body", b"")).replace(b"\r\n", b"\n").split(b"\n")
        self.heard += [line.decode() for line in lines if line]
        self.is_over = not message.get("more_body", False)
        if self.is_over and self._rest:
            self.heard.append(self._rest.decode())

    def drop(self) -> None:
        self._events.put_nowait({"type": "http.disconnect"})


class _Player:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._values: dict[str, str] = {}
        self._responses: dict[str, _Response] = {}
        self._name = ""

    @property
    def _now(self) -> _Response:
        return self._responses[self._name]

    async def perform(self, line: str) -> None:
        mark, _, rest = line.partition(" ")
        match mark:
            case "=":
                self._turn_to(self._filled(rest))
            case ">":
                await self._command(self._filled(rest))
            case "<":
                self._expect(rest)
            case ".":
                self._expect_silence()
            case "x":
                if not self._now.is_over or self._now.heard:
                    raise TranscriptError(f"it goes on, with {list(self._now.heard)}")
            case "*":
                await self._do(*self._filled(rest).split(" ", 2))
            case _:
                raise TranscriptError("no such statement")
        await self._settle()

    def _turn_to(self, rest: str) -> None:
        first, *headers = rest.split("\n")
        self._name, _, request = first.partition(" ")
        if not request:
            return
        method, target, body = (request + " ").split(" ", 2)
        named = dict(header.split(": ", 1) for header in headers)
        self._responses[self._name] = _Response(self._gate, method, target, named, body.strip().encode())

    async def _command(self, command: str) -> None:
        body = {"session": self._values["session"], "node": self._values["node"], "data": command}
        sent = _Response(self._gate, "POST", "/emulation", {}, msgspec.json.encode(body))
        await sent.task
        if sent.heard[0] != "204":
            raise TranscriptError(f"the command was not taken: {list(sent.heard)}")

    def _expect(self, expected: str) -> None:
        if not self._now.heard:
            raise TranscriptError("nothing was heard")
        heard = self._now.heard.popleft()
        pattern, names = "", set[str]()
        for place, piece in enumerate(_NAME.split(expected)):
            if place % 2 == 0:
                pattern += re.escape(piece)
            elif piece in self._values:
                pattern += re.escape(self._values[piece])
            else:
                pattern += f"(?P={piece})" if piece in names else f'(?P<{piece}>[^"\\s]+)'
                names.add(piece)
        found = re.fullmatch(pattern, heard)
        if found is None:
            raise TranscriptError(f"heard: {heard!r}, then {list(self._now.heard)}")
        self._values |= found.groupdict()

    def _expect_silence(self) -> None:
        if self._now.heard:
            raise TranscriptError(f"heard: {list(self._now.heard)}")

    async def _do(self, action: str, *arguments: str) -> None:
        match action, arguments:
            case "publish", (channel, data):
                await self._gate.hub.publish(channel, msgspec.Raw(data.encode()))
            case "forget", (channel,):
                await self._gate.hub.remove_history(channel)
            case "end", (channel, user):
                await self._gate.hub.unsubscribe(channel, user=user)
            case "disconnect", (user,):
                await self._gate.hub.disconnect(user=user)
            case "drop", ():
                self._now.drop()
            case "wait", (seconds,):
                await asyncio.sleep(float(seconds))
            case "hear", (seconds,):
                await self._hear(float(seconds))
            case _:
                raise TranscriptError("no such action")

    async def _hear(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self._now.heard and loop.time() < deadline:  # noqa: ASYNC110 - the clock jumps; there is no event
            await asyncio.sleep(0.1)

    def _filled(self, text: str) -> str:
        return _NAME.sub(lambda found: self._values.get(found[1], found[0]), text)

    async def _settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)

    def finish(self) -> None:
        left = {name: list(response.heard) for name, response in self._responses.items() if response.heard}
        if left:
            raise TranscriptError(f"not accounted for: {left}")

    async def close(self) -> None:
        for response in self._responses.values():
            response.drop()
        await asyncio.gather(*(response.task for response in self._responses.values()))
