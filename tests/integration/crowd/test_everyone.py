"""A client of each library, in each of its transports, in one channel: all of them see what each of them publishes, in
one order, and each that can ask is told that all are there. On one node, and on two that share a Redis.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Protocol

import centrifuge
import pytest
import socketio
from signalrcore.hub_connection_builder import HubConnectionBuilder

from tests.integration.native.peers import NODE_FOLDER
from tests.integration.native.serving import LoopThread, Server
from tests.integration.redis.servers import RedisServer
from tests.patience import DEADLINE_S
from vagus import ChannelRule, Hub, Last, RedisBroker

CHANNEL: Final = "lobby"
ROUNDS: Final = 5
RULE: Final = ChannelRule(
    pattern=CHANNEL,
    history=Last(100, minutes=1),
    presence=True,
    subscribe=("anyone",),
    publish=("anyone",),
    read_presence=("anyone",),
)
Hear = Callable[[str, Any], None]


class Person(Protocol):
    """One client of the crowd that can speak."""

    async def publish(self, data: object) -> None: ...

    async def presence(self) -> set[str]: ...


class InNode:
    """One of the clients in Node.js."""

    def __init__(self, crowd: "NodeCrowd", who: str) -> None:
        self._crowd = crowd
        self._who = who

    async def publish(self, data: object) -> None:
        await self._crowd.ask({"who": self._who, "data": data})

    async def presence(self) -> set[str]:
        return set(await self._crowd.ask({"presence": self._who}))


class NodeCrowd:
    """The process that holds them."""

    def __init__(self, process: asyncio.subprocess.Process, hear: Hear) -> None:
        self._process = process
        self._hear = hear
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def names(self) -> list[str]:
        return list((await self._next())["ready"])

    async def ask(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        answer = await self._next()
        assert "error" not in answer, answer
        return answer["result"]

    async def _next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._answers.get(), DEADLINE_S)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "data" in said and "who" in said:
                self._hear(said["who"], said["data"])
            else:
                self._answers.put_nowait(said)

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading


class OfCentrifuge:
    name = "centrifuge-python"

    @classmethod
    async def join(cls, site: str, hear: Hear) -> "OfCentrifuge":
        person = cls()
        person._client = centrifuge.Client(site.replace("http", "ws") + "/connection/websocket", timeout=DEADLINE_S)
        await person._client.connect()
        events = centrifuge.SubscriptionEventHandler()

        async def on_publication(context: centrifuge.PublicationContext) -> None:
            hear(cls.name, context.pub.data)

        events.on_publication = on_publication
        person._subscription = person._client.new_subscription(CHANNEL, events=events)
        await person._subscription.subscribe()
        await person._subscription.ready()
        return person

    _client: centrifuge.Client
    _subscription: centrifuge.Subscription

    async def publish(self, data: object) -> None:
        await self._subscription.publish(data)

    async def presence(self) -> set[str]:
        return set((await self._subscription.presence()).clients)

    async def leave(self) -> None:
        await self._client.disconnect()


class OfSocketIO:
    name = "python-socketio"

    @classmethod
    async def join(cls, site: str, hear: Hear) -> "OfSocketIO":
        person = cls()
        person._client = socketio.AsyncClient(request_timeout=DEADLINE_S)
        person._client.on("publication", lambda publication: hear(cls.name, publication["data"]))
        await person._client.connect(site, wait_timeout=DEADLINE_S)
        assert "error" not in await person._client.call("subscribe", CHANNEL)
        return person

    _client: socketio.AsyncClient

    async def publish(self, data: object) -> None:
        assert "error" not in await self._client.call("publish", (CHANNEL, data))

    async def presence(self) -> set[str]:
        return set((await self._client.call("presence", CHANNEL))["presence"])

    async def leave(self) -> None:
        await self._client.disconnect()


class OfSignalR:
    """signalrcore lives in threads of its own."""

    name = "signalrcore"

    @classmethod
    async def join(cls, site: str, hear: Hear) -> "OfSignalR":
        person = cls()
        loop = asyncio.get_running_loop()
        opened = asyncio.Event()
        connection = person._connection = HubConnectionBuilder().with_url(f"{site}/hubs/vagus").build()
        connection.on_open(lambda: loop.call_soon_threadsafe(opened.set))
        connection.on("publication", lambda given: loop.call_soon_threadsafe(hear, cls.name, given[0]["data"]))
        await asyncio.to_thread(connection.start)
        await asyncio.wait_for(opened.wait(), DEADLINE_S)
        await person._invoke("Subscribe", CHANNEL)
        return person

    _connection: Any

    async def _invoke(self, method: str, *arguments: object) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def answered(message: Any) -> None:
            answer.get_loop().call_soon_threadsafe(answer.set_result, message)

        await asyncio.to_thread(self._connection.send, method, list(arguments), answered)
        completion = await asyncio.wait_for(answer, DEADLINE_S)
        assert not completion.error, completion.error
        return completion.result

    async def publish(self, data: object) -> None:
        await self._invoke("Publish", CHANNEL, data)

    async def presence(self) -> set[str]:
        return set((await self._invoke("Presence", CHANNEL))["presence"])

    async def leave(self) -> None:
        await asyncio.to_thread(self._connection.stop)


class Crowd:
    """Everybody, and what each has heard."""

    def __init__(self) -> None:
        self.heard: dict[str, list[Any]] = {}
        self.speakers: dict[str, Person] = {}
        self._news = asyncio.Event()

    def hear(self, who: str, data: Any) -> None:
        self.heard.setdefault(who, []).append(data)
        self._news.set()

    async def until_all_heard(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while any(len(heard) < count for heard in self.heard.values()):
                self._news.clear()
                await self._news.wait()


@pytest.fixture(params=["one node", "two nodes"])
async def servers(
    request: pytest.FixtureRequest,
    server_thread: LoopThread,
    installed_program: Callable[[str], Path],
    tmp_path: Path,
) -> AsyncIterator[tuple[Server, Server]]:
    """Where the clients in Node.js connect, and where those in Python do."""
    async with AsyncExitStack() as stack:
        url = ""
        if request.param == "two nodes":
            url = stack.enter_context(RedisServer(installed_program("redis-server"), tmp_path)).url
        started = []
        for _ in range(2 if url else 1):
            broker = RedisBroker.at(url) if url else None
            server = Server(server_thread)
            await server.start(Hub(rules=[RULE], broker=broker, allow_anonymous=True))
            stack.push_async_callback(server.stop)
            started.append(server)
        yield started[0], started[-1]


@pytest.fixture
def server(servers: tuple[Server, Server]) -> Server:
    return servers[0]


@pytest.fixture
async def crowd(servers: tuple[Server, Server], installed_program: Callable[[str], Path]) -> AsyncIterator[Crowd]:
    server, other = servers
    crowd, site = Crowd(), server.site.rstrip("/")
    process = await asyncio.create_subprocess_exec(
        *(installed_program("node"), "crowd.mjs", site, CHANNEL),
        cwd=NODE_FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    in_node = NodeCrowd(process, crowd.hear)
    for who in await in_node.names():
        crowd.heard[who] = []
        if who != "eventsource":
            crowd.speakers[who] = InNode(in_node, who)
    in_python = [await kind.join(other.site.rstrip("/"), crowd.hear) for kind in (OfCentrifuge, OfSocketIO, OfSignalR)]
    for person in in_python:
        crowd.heard[person.name] = []
        crowd.speakers[person.name] = person
    yield crowd
    leaving = asyncio.gather(*(person.leave() for person in in_python))
    while not leaving.done():  # signalrcore waits for its thread that reads, which waits for the next message
        await server.publish(CHANNEL, "goodbye")
        await asyncio.wait({leaving}, timeout=0.05)
    await leaving
    await in_node.end()


async def test_each_sees_what_each_publishes_in_one_order(crowd: Crowd, server: Server) -> None:
    assert len(crowd.heard) == 12
    for turn in range(ROUNDS):
        await asyncio.gather(*(person.publish({"by": who, "turn": turn}) for who, person in crowd.speakers.items()))
    await server.publish(CHANNEL, {"by": "server", "turn": 0})
    published = len(crowd.speakers) * ROUNDS + 1
    await crowd.until_all_heard(published)
    first, *others = crowd.heard.values()
    assert len(first) == published
    assert {(each["by"], each["turn"]) for each in first} == {
        *((who, turn) for who in crowd.speakers for turn in range(ROUNDS)),
        ("server", 0),
    }
    assert all(heard == first for heard in others)


async def test_each_is_told_that_all_are_there(crowd: Crowd, server: Server) -> None:
    here = set(await server.on(server.hub.presence(CHANNEL)))
    assert len(here) == len(crowd.heard)
    for who, person in crowd.speakers.items():
        assert await person.presence() == here, who
