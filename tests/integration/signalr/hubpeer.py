"""A client of npm ``@microsoft/signalr``, in Node.js or in a page: told what to do, it lists what it saw.

Bytes go both ways as ``{"$bytes": "<base64>"}``, times as ``{"$date": "<ISO>"}``.
"""

from itertools import count
from typing import Any

from tests.integration.native.peers import Engine, Event, Peer


class HubPeer(Peer):
    """What it sees has the kinds ``called``, ``item``, ``completed``, ``failed``, ``result``, ``closed``,
    ``reconnecting`` and ``reconnected``.
    """

    def __init__(self, engine: Engine, number: int) -> None:
        super().__init__(engine, number)
        self._names = (f"stream {each}" for each in count(1))

    async def started(self) -> str:
        """Connect; the connection's id."""
        return str(await self.run("start"))

    async def on(self, *targets: str) -> None:
        await self.run("on", targets=targets)

    async def invoke(self, target: str, *arguments: object) -> Any:
        return await self.run("invoke", target=target, args=arguments)

    async def send(self, target: str, *arguments: object) -> None:
        await self.run("send", target=target, args=arguments)

    async def called(self, target: str) -> list[Any]:
        """The arguments of the next call of the server."""
        return list((await self.expect("called", target=target))["args"])

    async def stream(self, target: str, *arguments: object, op: str = "stream") -> str:
        """Begin a stream; its name."""
        name = next(self._names)
        await self.run(op, target=target, args=arguments, name=name)
        return name

    async def items(self, name: str, number: int) -> list[Any]:
        return [(await self.expect("item", name=name))["item"] for _ in range(number)]

    async def whole(self, name: str) -> list[Any]:
        """All items of a stream that completes."""
        await self.expect("completed", name=name)
        items: list[Event] = [event for event in self.seen if event["kind"] == "item" and event["name"] == name]
        return [event["item"] for event in items]

    async def upload(self, target: str, *arguments: object, feeds: int = 1) -> tuple[str, list[str]]:
        """Begin a call with streams; its name and theirs."""
        name, names = next(self._names), [next(self._names) for _ in range(feeds)]
        await self.run("upload", target=target, args=arguments, name=name, feeds=names)
        return name, names

    async def feed(self, name: str, *items: object, last: bool = False, error: str = "") -> None:
        await self.run("feed", name=name, items=items, last=last, error=error)
