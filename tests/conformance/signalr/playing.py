"""Conversations with SignalR's endpoint, written down line by line and played in memory, in either notation.

::

    = a version 2                 another connection speaks from here on; ``version`` greets at once, ``resumable``
    > {"type":6}                  it says this; ``>+`` adds a record to the same message
    < {"type":6}                  the server's next record, which must be equal; ``"<name>"`` stands for any value
    .                             the server says nothing more for now
    x                             the server has closed the connection; ``x abort`` without waiting for what was due
    * publish channel {"n":1}     something happens: publish, wait (seconds), cut, close, reopen, confirm, disconnect
"""

import asyncio
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from vagus import Hub
from vagus.gateway.gate import Gate
from vagus.gateway.signalr import SignalR
from vagus.hub.requests import Origin
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Framing
from vagus.wire.signalr.records import PrefixedRecords, SeparatedRecords, prefixed
from vagus.wire.websocket import Refusal

TRANSCRIPTS: Final = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("transcripts/*.txt"))}

_FRAMING: Final = Framing(bytes, bytes, separator=None)
_VALUE: Final = re.compile(r"<[a-z][a-z0-9_]*>")

_FIELDS: Final = {
    1: ("type", "headers", "invocationId", "target", "arguments", "streamIds"),
    2: ("type", "headers", "invocationId", "item"),
    4: ("type", "headers", "invocationId", "target", "arguments", "streamIds"),
    5: ("type", "headers", "invocationId"),
    6: ("type",),
    7: ("type", "error", "allowReconnect"),
    8: ("type", "sequenceId"),
    9: ("type", "sequenceId"),
}
"""The fields of the JSON form in the order of the arrays of the other one; completions have a form of their own."""

_EMPTY: Final[dict[str, Any]] = {"headers": {}, "streamIds": [], "arguments": []}


def array_of(fields: dict[str, Any]) -> list[Any]:
    if fields["type"] == 3:
        head = [3, {}, fields["invocationId"]]
        if "error" in fields:
            return [*head, 1, fields["error"]]
        return [*head, 3, fields["result"]] if "result" in fields else [*head, 2]
    return [fields.get(name, _EMPTY.get(name)) for name in _FIELDS.get(fields["type"], ("type",))]


def fields_of(array: list[Any]) -> dict[str, Any]:
    if array[0] == 3:
        fields = {"type": 3, "invocationId": array[2]}
        return fields if array[3] == 2 else {**fields, "error" if array[3] == 1 else "result": array[4]}
    fields = dict(zip(_FIELDS[array[0]], array, strict=True))
    given = {name: value for name, value in fields.items() if name not in ("headers", "streamIds")}
    return {name: value for name, value in given.items() if value not in (None, False) or name == "item"}


class Wire:
    """One socket, without one: link and transport of a session."""

    def __init__(self, notation: str) -> None:
        self.notation = notation
        self.heard: deque[dict[str, Any]] = deque()
        self.closure: Closure | None = None
        self.was_aborted = False
        self.is_read = True
        self.peer: Any = None
        self._is_cut = False
        self._has_greeted = False
        self._records = PrefixedRecords(10**6) if notation == "messagepack" else SeparatedRecords(10**6)

    def write(self, data: bytes) -> None:
        if not self._has_greeted and data.startswith(b"{"):
            greeting, _, data = data.partition(b"\x1e")
            self._has_greeted = True
            self.heard.append(msgspec.json.decode(greeting))
        for record in self._records.feed(data):
            if self.notation == "messagepack":
                self.heard.append(fields_of(msgspec.msgpack.decode(record)))
            else:
                self.heard.append(msgspec.json.decode(record))

    def say(self, *messages: dict[str, Any]) -> None:
        self.peer.receive(b"".join(map(self._record, messages)))

    def _record(self, message: dict[str, Any]) -> bytes:
        if "protocol" in message or self.notation == "json":
            return msgspec.json.encode(message) + b"\x1e"
        return prefixed(msgspec.msgpack.encode(array_of(message)))

    def cut(self) -> None:
        self._is_cut = True
        self.peer.lost()

    def is_closing(self) -> bool:
        return self._is_cut

    def close(self, closure: Closure) -> None:
        self.closure = closure

    def abort(self, closure: Closure) -> None:
        self.closure, self.was_aborted = closure, True

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Player:
    def __init__(self, hub: Hub, notation: str) -> None:
        self.hub = hub
        self.endpoint = SignalR(Gate(hub))
        self.wires: dict[str, Wire] = {}
        self._notation = notation
        self._values: dict[str, Any] = {}
        self._secrets: dict[str, str] = {}
        self._name = ""

    async def play(self, text: str) -> None:
        for number, line in _statements(text):
            try:
                await self._perform(*line.partition(" ")[::2])
            except AssertionError as error:
                raise AssertionError(f"line {number}: {line}\n{error}") from None
        for name, wire in self.wires.items():
            assert not wire.heard, f"{name} was not expected to hear {list(wire.heard)}"

    async def _perform(self, sign: str, rest: str) -> None:
        match sign:
            case "=":
                await self.open(*rest.split())
            case ">":
                self._wire.say(*(self._filled(msgspec.json.decode(line)) for line in rest.split("\n")))
                await settle()
            case "<":
                self._expect(msgspec.json.decode(rest))
            case ".":
                assert not self._wire.heard, f"but it said {list(self._wire.heard)}"
            case "x":
                assert self._wire.closure == Closure(1000, "") or rest, "it is not closed"
                assert self._wire.was_aborted is (rest == "abort")
            case "*":
                await self.act(*rest.split(" ", 2))
                await settle()

    @property
    def _wire(self) -> Wire:
        return self.wires[self._name]

    async def open(self, name: str, *options: str) -> None:
        self._name = name
        if name in self.wires:
            return
        path, query = "/hubs/chat", ""
        if "resumable" in options:
            self._secrets[name] = await self._negotiated()
            query = f"id={self._secrets[name]}"
        self._connect(name, path, query)
        if "version" in options:
            version = int(options[options.index("version") + 1])
            self._wire.say({"protocol": self._notation, "version": version})
            await settle()
            assert self._wire.heard.popleft() == {}

    def _connect(self, name: str, path: str, query: str) -> None:
        opening = self.endpoint.knock(Origin(path=path, query=query), ())
        assert not isinstance(opening, Refusal), opening
        wire = self.wires[name] = Wire(self._notation)
        wire._has_greeted = name != self._name
        wire.peer = opening.open(wire, wire, _FRAMING)

    async def _negotiated(self) -> str:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        query = b"negotiateVersion=1&useStatefulReconnect=true"
        scope = {"type": "http", "method": "POST", "path": "/hubs/chat/negotiate", "query_string": query, "headers": []}
        await self.endpoint.http(scope, receive, send)
        terms = msgspec.json.decode(sent[1]["body"])
        assert terms["useStatefulReconnect"] is True
        return str(terms["connectionToken"])

    async def act(self, action: str, *given: str) -> None:
        match action, *given:
            case "publish", channel, data:
                await self.hub.publish(channel, msgspec.json.decode(data))
            case "wait", seconds:
                await asyncio.sleep(float(seconds))
            case "cut", *_:
                self._wire.cut()
            case "close", *_:
                self._wire.peer.lost()
            case "reopen", name:
                secret = self._secrets[name.split("-")[0]]
                self._connect(name, "/hubs/chat", f"id={secret}")
                self._name = name
            case "refused", name:
                query = f"id={self._secrets[name]}"
                assert isinstance(self.endpoint.knock(Origin(path="/hubs/chat", query=query), ()), Refusal)
            case "unsubscribe", channel:
                for client in list(self.hub.clients.values()):
                    client.end(client.subscriptions[channel], codes.UNSUBSCRIBED)
            case "stop", *_:
                for client in list(self.hub.clients.values()):
                    client.disconnect(codes.SHUTDOWN)
            case _:
                raise ValueError(action)

    def _filled(self, value: Any) -> Any:
        match value:
            case str() if _VALUE.fullmatch(value):
                return self._values[value]
            case list():
                return [self._filled(each) for each in value]
            case dict():
                return {key: self._filled(each) for key, each in value.items()}
        return value

    def _expect(self, wanted: Any) -> None:
        assert self._wire.heard, "but it said nothing"
        heard = self._wire.heard.popleft()
        assert self._matches(wanted, heard), f"but it said {heard}"

    def _matches(self, wanted: Any, heard: Any) -> bool:
        match wanted, heard:
            case str(), _ if _VALUE.fullmatch(wanted):
                return bool(self._values.setdefault(wanted, heard) == heard)
            case list(), list():
                return len(wanted) == len(heard) and all(map(self._matches, wanted, heard))
            case dict(), dict():
                return wanted.keys() == heard.keys() and all(self._matches(wanted[key], heard[key]) for key in wanted)
        return bool(wanted == heard)


async def settle() -> None:
    """Let the hub finish what it has begun."""
    for _ in range(30):
        await asyncio.sleep(0)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    said: tuple[int, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(">+ ") and said is not None:
            said = said[0], f"{said[1]}\n{line[3:]}"
            continue
        if said is not None:
            yield said
            said = None
        if line.startswith("> "):
            said = number, line
        elif line and not line.startswith("#"):
            yield number, line
    if said is not None:
        yield said
