"""PyPI ``signalrcore``, which negotiates version 0 and has threads of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from signalrcore.hub_connection_builder import HubConnectionBuilder

from tests.integration.native.serving import Server
from tests.integration.native.tokens import token, verifier
from tests.patience import DEADLINE_S
from vagus import Caller
from vagus.gateway.signalr import Times

from .conftest import Serve, hubs_url
from .furnished import ANYONE, furnished_hub

TIMES = Times(keep_alive_s=0.3)
"""To stop, the library waits for its thread that reads, which waits for the next message."""


class CorePeer:
    """One client; what it hears is put into ``heard`` on the test's own loop."""

    def __init__(self, server: Server, hub: str = "chat", **options: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.connection = HubConnectionBuilder().with_url(hubs_url(server, hub), options=options).build()
        self.connection.on_open(lambda: self._hear("open", None))
        self.connection.on_close(lambda: self._hear("close", None))

    def _hear(self, kind: str, value: Any) -> None:
        self._loop.call_soon_threadsafe(self.heard.put_nowait, (kind, value))

    def listening(self, kind: str) -> Callable[[Any], None]:
        return partial(self._hear, kind)

    async def expect(self, kind: str) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                heard, value = await self.heard.get()
                if heard == kind:
                    return value

    async def do(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(function, *args)

    async def invoke(self, target: str, *arguments: object) -> Any:
        await self.do(self.connection.send, target, list(arguments), self.listening(f"result of {target}"))
        return await self.expect(f"result of {target}")


@pytest.fixture
async def open_core(serve: Serve) -> AsyncIterator[Callable[..., Any]]:
    peers: list[CorePeer] = []

    async def opened(server: Server, *hub: str, **options: Any) -> CorePeer:
        peer = CorePeer(server, *hub, **options)
        peers.append(peer)
        await peer.do(peer.connection.start)
        await peer.expect("open")
        return peer

    yield opened
    for peer in peers:
        await peer.do(peer.connection.stop)


async def test_it_calls_and_is_answered(serve: Serve, open_core: Callable[..., Any]) -> None:
    peer = await open_core(await serve(furnished_hub(), times=TIMES))
    completion = await peer.invoke("Echo", {"a": [1, "ü"]})
    assert (completion.result, completion.error) == ([{"a": [1, "ü"]}], None)


async def test_it_hears_what_is_published(serve: Serve, open_core: Callable[..., Any]) -> None:
    server = await serve(furnished_hub(), times=TIMES)
    peer = await open_core(server)
    peer.connection.on("news", peer.listening("news"))
    await peer.invoke("Subscribe", "room")
    await server.publish("room", {"type": "news", "payload": {"n": 1}})
    assert await peer.expect("news") == [{"n": 1}]


async def test_it_follows_a_stream(serve: Serve, open_core: Callable[..., Any]) -> None:
    hub, subscribed = furnished_hub(), threading.Event()

    @hub.section("patient", allow=ANYONE).call("Count")
    async def count(caller: Caller, number: int) -> AsyncIterator[int]:
        # The library asks for the stream first and takes whom to tell next: what comes between is lost to it.
        await asyncio.to_thread(subscribed.wait, DEADLINE_S)
        for each in range(number):
            yield each

    peer = await open_core(await serve(hub, times=TIMES), "patient")

    def begin() -> None:
        peer.connection.stream("Count", [3]).subscribe(
            {"next": peer.listening("item"), "complete": peer.listening("end"), "error": peer.listening("error")}
        )
        subscribed.set()

    await peer.do(begin)
    assert [await peer.expect("item") for _ in range(3)] == [0, 1, 2]
    await peer.expect("end")


async def test_it_comes_with_a_token(serve: Serve, open_core: Callable[..., Any]) -> None:
    server = await serve(furnished_hub(allow_anonymous=False, verifier=verifier()), times=TIMES)
    peer = await open_core(server, access_token_factory=lambda: token("7"))
    assert (await peer.invoke("WhoAmI")).result == "7"
