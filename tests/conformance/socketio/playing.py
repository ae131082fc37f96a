"""A player of transcripts of Socket.IO: what goes over WebSockets and in polling requests, held to the letter.

::

    = ada ws                       a WebSocket, opened when it is named first; "ws sid=<sid>" continues a session
    > 40                           it says a packet (``>b`` one in binary, as base64)
    < 40{"sid":"<id>"}             it hears one (``<b``)
    x 3501 bad request             it is closed with this
    = bob polls                    a client that polls
    > GET                          a request that waits for its answer
    > POST 40␞42["a"]              a request with a body
    < 200 ok                       the answer to the oldest request that has none yet
    .                              nothing more is heard for now
    * publish news {"n":1}         something else happens
    # a comment

``<name>`` stands for any text without quotes, the same wherever it occurs; ``…`` for whatever there is, and ``␞`` for
the separator of packets.
"""

import asyncio
import base64
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from vagus.asgi import Event, Scope
from vagus.gateway.gate import Gate
from vagus.gateway.socketio import SocketIo
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Binary
from vagus.wire.websocket import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vagus.gateway.endpoints import Peer

_NAME: Final = re.compile(r"<([a-z][a-z0-9_]*)>")
_SEPARATOR: Final = ("␞", "\x1e")
PATH: Final = "/socket.io/"


class TranscriptError(AssertionError):
    """The conversation went another way. The message names the line of the transcript."""


async def play(text: str, gate: Gate, endpoint: SocketIo) -> None:
    player = _Player(gate, endpoint)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            await player.perform(line.rstrip())
        except TranscriptError as error:
            raise TranscriptError(f"line {number}: {line}\n{error}") from None
    await player.finish()


class _WebSocket:
    """One WebSocket without a socket: link and transport in one."""

    def __init__(self, gate: Gate, endpoint: SocketIo, more: str) -> None:
        self.heard: deque[str] = deque()
        self._peer: Peer | None = None
        opening = endpoint.knock(Origin(path=PATH, query=f"EIO=4&transport=websocket{more}"), ())
        if isinstance(opening, Refusal):
            self.heard.append(f"x {opening.status} {opening.reason}")
        else:
            self._peer = opening.open(self, self, gate.bare)

    def say(self, line: str) -> None:
        if self._peer is None:
            raise TranscriptError("this WebSocket is closed")
        if line.startswith(">b "):
            self._peer.receive_binary(base64.b64decode(line[3:]))
        else:
            self._peer.receive(line[2:].encode())

    def write(self, data: bytes) -> None:
        if type(data) is Binary:
            self.heard.append("<b " + base64.b64encode(data).decode())
        else:
            self.heard.append("< " + data.decode())

    def close(self, closure: Closure) -> None:
        self.heard.append(f"x {closure.code} {closure.reason}")
        self._peer = None

    abort = close

    def drop(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.lost()

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Polls:
    """A client's requests, in the shapes of ASGI."""

    def __init__(self, endpoint: SocketIo) -> None:
        self.sid = ""
        self._endpoint = endpoint
        self._requests: deque[_Request] = deque()

    @property
    def heard(self) -> deque[str]:
        """The answer to the oldest request that was not answered yet, if it is there."""
        if not self._requests or not self._requests[0].is_answered:
            return deque()
        request = self._requests.popleft()
        request.take_sid(self)
        return deque([f"< {request.status} {request.body.decode()}"])

    def say(self, line: str) -> None:
        method, _, body = line[2:].replace(*_SEPARATOR).partition(" ")
        query = f"EIO=4&transport=polling{'&sid=' + self.sid if self.sid else ''}"
        request = _Request(method, query, body.encode())
        self._requests.append(request)
        request.task = asyncio.ensure_future(self._endpoint.http(request.scope, request.receive, request.send))

    def drop(self) -> None:
        for request in self._requests:
            request.is_gone.set()


class _Request:
    def __init__(self, method: str, query: str, body: bytes) -> None:
        self.scope: Scope = {
            "type": "http",
            "method": method,
            "path": PATH,
            "query_string": query.encode(),
            "headers": [(b"content-type", b"text/plain")],
            "client": ("127.0.0.1", 1),
        }
        self.status = 0
        self.body = b""
        self.is_answered = False
        self.is_gone = asyncio.Event()
        self.task: asyncio.Future[None] | None = None
        self._sent = body
        self._is_read = False

    async def receive(self) -> Event:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": self._sent, "more_body": False}
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
        else:
            self.body += event["body"]
            self.is_answered = not event.get("more_body", False)

    def take_sid(self, client: _Polls) -> None:
        if self.body.startswith(b"0{"):
            client.sid = msgspec.json.decode(self.body[1:])["sid"]


class _Player:
    def __init__(self, gate: Gate, endpoint: SocketIo) -> None:
        self._gate = gate
        self._endpoint = endpoint
        self._values: dict[str, str] = {}
        self._sides: dict[str, _WebSocket | _Polls] = {}
        self._side: Any = None
        self._actions: dict[str, Callable[[str], Awaitable[None]]] = {
            "publish": self._publish,
            "disconnect": self._disconnect,
            "ask": self._ask,
            "drop": self._drop,
            "wait": self._wait,
            "interval": self._interval,
        }
        self._answers: list[asyncio.Future[Any]] = []

    async def perform(self, line: str) -> None:
        if line[0] == ">":
            self._side.say(self._filled(line))
            await self._settle()
        elif line[0] in "<x":
            self._expect(line)
        elif line == ".":
            self._expect_silence()
        elif line[0] == "=":
            self._turn_to(*line[1:].split())
            await self._settle()
        else:
            name, _, arguments = self._filled(line[2:]).partition(" ")
            await self._actions[name](arguments)
            await self._settle()

    async def finish(self) -> None:
        await self._settle()
        for name, side in self._sides.items():
            if said := list(side.heard):
                raise TranscriptError(f"at the end, {name!r} heard {said}")
            side.drop()
        for answer in self._answers:
            answer.cancel()
        await self._settle()

    def _turn_to(self, name: str, kind: str = "", more: str = "") -> None:
        if name not in self._sides:
            query = self._filled(f"&{more}") if more else ""
            self._sides[name] = (
                _Polls(self._endpoint) if kind == "polls" else _WebSocket(self._gate, self._endpoint, query)
            )
        self._side = self._sides[name]

    def _expect(self, expected: str) -> None:
        heard = self._side.heard
        if not heard:
            raise TranscriptError("nothing was heard")
        said = heard.popleft()
        found = re.compile(self._pattern(expected.replace(*_SEPARATOR)), re.DOTALL).fullmatch(said)
        if found is None:
            raise TranscriptError(f"heard: {said!r}")
        self._values.update(found.groupdict())

    def _expect_silence(self) -> None:
        if said := list(self._side.heard):
            raise TranscriptError(f"heard: {said!r}")

    def _pattern(self, expected: str) -> str:
        pattern, end, named = "", 0, set(self._values)
        for found in _NAME.finditer(expected):
            name = found[1]
            pattern += re.escape(expected[end : found.start()])
            if name in self._values:
                pattern += re.escape(self._values[name])
            else:
                pattern += f"(?P={name})" if name in named else f'(?P<{name}>[^"]+)'
                named.add(name)
            end = found.end()
        return (pattern + re.escape(expected[end:])).replace("…", ".*")

    def _filled(self, text: str) -> str:
        return _NAME.sub(lambda found: self._values.get(found[1], found[0]), text)

    async def _settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    async def _publish(self, arguments: str) -> None:
        channel, _, data = arguments.partition(" ")
        await self._gate.hub.publish(channel, msgspec.Raw(data.encode()))

    async def _disconnect(self, arguments: str) -> None:
        client, code, reason = arguments.split(" ", 2)
        await self._gate.hub.disconnect(client=client, closure=Closure(int(code), reason))

    async def _ask(self, arguments: str) -> None:
        """Ask a client; its answer is published in the channel ``answers``."""
        client, name, values = arguments.split(" ", 2)

        async def asked() -> None:
            answer = await self._gate.hub.ask(client, name, *msgspec.json.decode(values))
            await self._gate.hub.publish("answers", answer)

        self._answers.append(asyncio.ensure_future(asked()))

    async def _drop(self, _: str) -> None:
        self._side.drop()

    async def _wait(self, seconds: str) -> None:
        await asyncio.sleep(float(seconds))

    async def _interval(self, seconds: str) -> None:
        """Another time between two pings is configured."""
        hub = self._gate.hub
        hub.bound(msgspec.structs.replace(hub.limits, ping_interval_s=float(seconds)))
