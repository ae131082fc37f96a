"""A hub in memory, and clients of it without sockets: for the tests of an application that is built on Vagus.

::

    async with in_memory(hub) as world:
        ada = await world.connect(user="ada", roles=["operator"])
        await ada.subscribe("orders:42")
        await hub.publish("orders:42", {"status": "paid"})
        assert (await ada.next_publication()).data == {"status": "paid"}
        await ada.assert_nothing_more()

The clients are real to the hub: rules, functions, hooks, limits and recovery are those of production, and what a client
returns was read from the bytes that the hub wrote. Only the network is missing, and a tick never waits for more.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, overload

import msgspec

from vagus.hub import journal
from vagus.hub.hub import Hub
from vagus.hub.requests import ConnectRequest, Origin
from vagus.kernel import replies
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.filters import FilterNode
from vagus.kernel.identity import Identity, Role
from vagus.kernel.publications import ClientInfo, Position
from vagus.kernel.replies import Attached, Ended, Farewell, Joined, Left, Message, Renewed

from .link import MEMORY_ORIGIN, MemoryLink
from .reading import Reader, Received, ServerLine, read_line

T = TypeVar("T")

journal.load()  # before any clock is turned, since a hub would wait for a thread to do it

Heard = Received | Joined | Left | Ended | Attached | Message | Renewed | Farewell
"""What a client hears without having asked."""

PATIENCE_S: Final = 5.0
"""How long a client waits for what the test says must come."""


@asynccontextmanager
async def in_memory(hub: Hub) -> AsyncIterator["World"]:
    """Start the hub, unless it runs already, and give a world of clients to it. Both end with the block.

    Publications are sent at the end of the tick that brought them: ``max_delay_s`` is set to 0, so that a test never
    depends on how fast the machine is.
    """
    hub.limits = msgspec.structs.replace(hub.limits, max_delay_s=0.0)
    world = World(hub)
    starts = not hub.is_started
    if starts:
        await hub.start()
    try:
        yield world
    finally:
        await world.close()
        if starts:
            await hub.stop()


class World:
    """Makes clients of one hub. ``in_memory`` is the way to get one."""

    def __init__(self, hub: Hub) -> None:
        self.hub: Final = hub
        self.clients: list[MemoryClient] = []
        self._identities: dict[str, Identity] = {}
        self._authenticate = hub.policies.authenticate
        hub.policies.authenticate = self._identify

    async def connect(
        self,
        *,
        user: str | None = None,
        roles: Iterable[Role | str] = (),
        identity: Identity | None = None,
        token: str = "",
        data: object = None,
        recover: Mapping[str, Position] | None = None,
        headers: Mapping[str, str] | None = None,
        address: str = MEMORY_ORIGIN.address,
    ) -> "MemoryClient":
        """Connect a client and wait until it is let in.

        With ``user`` (and ``roles``) or a whole ``identity`` the hub takes its word for it; without, the hub's own
        ``authenticate`` and tokens decide. ``recover`` holds the positions of subscriptions that the server makes.
        Raises ``RefusedError`` or ``DisconnectError`` if the hub does not let it in.
        """
        client = self.client(headers=headers, address=address)
        if identity is None and user is not None:
            identity = Identity(user=user, roles=frozenset(map(str, roles)))
        if identity is not None:
            self._identities[client.id] = identity
        try:
            await client.connect(token=token, data=data, recover=recover)
        finally:
            self._identities.pop(client.id, None)
        return client

    def client(
        self, *, headers: Mapping[str, str] | None = None, address: str = MEMORY_ORIGIN.address
    ) -> "MemoryClient":
        """A connection that has not said who it is."""
        origin = Origin(address=address, headers=dict(headers or {}), transport="memory")
        client = MemoryClient(self, origin)
        self.clients.append(client)
        return client

    async def settle(self) -> None:
        """Wait until the hub has nothing more to write for now. Timers and functions that wait are not waited for."""
        quiet = 0
        while quiet < 8:  # ticks, slices and replies follow one another with at most a few turns of the loop between
            before = sum(client.link.messages for client in self.clients)
            await asyncio.sleep(0)
            after = sum(client.link.messages for client in self.clients)
            quiet = quiet + 1 if before == after else 0

    async def close(self) -> None:
        for client in self.clients:
            client.drop()
        self.hub.policies.authenticate = self._authenticate
        await self.settle()

    def _identify(self, request: ConnectRequest) -> Any:
        identity = self._identities.get(request.client)
        if identity is not None or self._authenticate is None:
            return identity
        return self._authenticate(request)


class MemoryClient:
    """A client of the hub. Its verbs wait for the answer and return it, or raise ``RefusedError`` with the hub's fault.

    Once the connection is closed every verb raises ``DisconnectError`` with the closure. It answers the hub's pings,
    unless ``answers_pings`` is set to ``False``.
    """

    def __init__(self, world: World, origin: Origin = MEMORY_ORIGIN) -> None:
        self._world = world
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[ServerLine]] = {}
        self._subscribing: dict[int, str] = {}
        self._subscribed: dict[str, replies.Subscribed] = {}
        self._heard: deque[Heard] = deque()
        self._news = asyncio.Event()
        self._closed: asyncio.Future[Closure] = asyncio.get_running_loop().create_future()
        self._reader = Reader()
        self.answers_pings = True
        self.pings = 0
        self.lines: list[str] = []
        """Everything that the server sent, as it came."""
        self.connected: replies.Connected | None = None
        self.link: Final = MemoryLink(world.hub, self._take, self._end, origin=origin)

    @property
    def id(self) -> str:
        return self.link.client.id

    @property
    def is_open(self) -> bool:
        return self.link.is_open

    # verbs

    async def connect(
        self, *, token: str = "", data: object = None, recover: Mapping[str, Position] | None = None
    ) -> replies.Connected:
        """``World.connect`` does this; call it for a connection made with ``World.client``."""
        subs = {name: {"recover": True, "offset": at.offset, "epoch": at.epoch} for name, at in (recover or {}).items()}
        body: dict[str, object] = {"token": token, "subs": subs, **_data(data)}
        connected = await self._ask("connect", {key: value for key, value in body.items() if value}, replies.Connected)
        for channel, subscribed in (connected.subs or {}).items():
            self._reader.began(channel, subscribed.delta)
        self.connected = connected
        return connected

    async def subscribe(
        self,
        channel: str,
        *,
        since: Position | None = None,
        token: str = "",
        data: object = None,
        rate: float | None = None,
        tags: FilterNode | None = None,
        delta: bool = False,
        join_leave: bool = False,
        recoverable: bool = True,
    ) -> replies.Subscribed:
        """Follow a channel; with ``since``, recover what was missed after that position.

        Recovered publications are in the reply, not among what ``next_publication`` gives. ``rate`` asks for at most so
        many publications a second, ``tags`` chooses by tags, ``delta`` lets the server send patches, which are applied
        here.
        """
        if rate is not None:
            data = {"vagus": {"rate": rate}}
        body = {
            "channel": channel,
            "token": token,
            "recoverable": recoverable,
            "join_leave": join_leave,
            "delta": "fossil" if delta else "",
            **_data(data),
            **({"tf": tags} if tags is not None else {}),
            **({"recover": True, "offset": since.offset, "epoch": since.epoch} if since is not None else {}),
        }
        await self._line("subscribe", body)
        return self._subscribed.pop(channel)

    async def unsubscribe(self, channel: str) -> None:
        await self._line("unsubscribe", {"channel": channel})
        self._reader.ended(channel)

    async def publish(self, channel: str, data: object) -> None:
        await self._line("publish", {"channel": channel, "data": data})

    async def presence(self, channel: str) -> dict[str, ClientInfo]:
        return (await self._ask("presence", {"channel": channel}, replies.PresenceResult)).presence

    async def presence_stats(self, channel: str) -> replies.PresenceStatsResult:
        return await self._ask("presence_stats", {"channel": channel}, replies.PresenceStatsResult)

    async def history(
        self, channel: str, *, limit: int = -1, since: Position | None = None, reverse: bool = False
    ) -> replies.HistoryResult:
        """A limit of 0 asks for the position alone, a negative one for as much as is allowed."""
        body = {"channel": channel, "limit": limit, "reverse": reverse, **({"since": since} if since else {})}
        return await self._ask("history", body, replies.HistoryResult)

    @overload
    async def call(self, method: str, data: object = None) -> Any: ...

    @overload
    async def call(self, method: str, data: object = None, *, returns: type[T]) -> T: ...

    async def call(self, method: str, data: object = None, *, returns: Any = Any) -> Any:
        """Call a method of the hub and return its result, decoded as ``returns``."""
        result = await self._ask("rpc", {"method": method, **_data(data)}, replies.CallResult)
        return msgspec.json.decode(result.data or b"null", type=returns)

    def send(self, event: str, payload: object = None) -> None:
        """Send an event, which nobody answers."""
        self.say(msgspec.json.encode({"send": {"data": {"type": event, "payload": payload}}}).decode())

    async def refresh(self, token: str) -> replies.Refreshed:
        return await self._ask("refresh", {"token": token}, replies.Refreshed)

    async def sub_refresh(self, channel: str, token: str) -> replies.SubRefreshed:
        return await self._ask("sub_refresh", {"channel": channel, "token": token}, replies.SubRefreshed)

    def say(self, message: str) -> None:
        """Send a message as it stands, for what the verbs cannot say."""
        if not self.is_open:
            raise self._goodbye()
        self.link.say(message)

    # the connection

    def stop_taking(self) -> None:
        """Be a slow reader: what the server has to say piles up there."""
        self.link.stop_taking()

    def take_again(self) -> None:
        self.link.take_again()

    def drop(self) -> None:
        """Lose the connection without a word; verbs that wait raise ``ConnectionError``. Connect again with
        ``World.connect``.
        """
        self.link.drop()
        self._give_up(self._goodbye())
        self._closed.cancel()

    async def closure(self, patience_s: float = PATIENCE_S) -> Closure:
        """Wait until the server closes the connection, and return with what. Raises ``TimeoutError`` if it does not."""
        return await asyncio.wait_for(asyncio.shield(self._closed), patience_s)

    # what comes by itself

    async def next(self, patience_s: float = PATIENCE_S) -> Heard:
        """The next thing that the server said unasked. Raises ``TimeoutError`` if nothing comes."""
        while not self._heard:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), patience_s)
        return self._heard.popleft()

    async def next_publication(self, patience_s: float = PATIENCE_S) -> Received:
        """The next thing that the server said unasked, which must be a publication; ``AssertionError`` if it is not."""
        heard = await self.next(patience_s)
        if not isinstance(heard, Received):
            raise AssertionError(f"expected a publication, heard {heard!r}")
        return heard

    async def heard(self) -> list[Heard]:
        """All that was said so far and not taken yet."""
        await self._world.settle()
        return self.take_heard()

    def take_heard(self) -> list[Heard]:
        """The same without waiting for what is on its way."""
        found = list(self._heard)
        self._heard.clear()
        return found

    async def assert_nothing_more(self) -> None:
        """Raises ``AssertionError`` if the server has said anything that was not taken yet."""
        await self._world.settle()
        if self._heard:
            raise AssertionError(f"heard {len(self._heard)} more: {self._heard[0]!r}")

    # inside

    async def _ask(self, key: str, body: Mapping[str, object], kind: type[T]) -> T:
        line = await self._line(key, body)
        return msgspec.json.decode(getattr(line, key), type=kind)

    async def _line(self, key: str, body: Mapping[str, object]) -> ServerLine:
        number = next(self._numbers)
        future = self._replies[number] = asyncio.get_running_loop().create_future()
        if key == "subscribe":
            self._subscribing[number] = str(body["channel"])
        try:
            self.say(msgspec.json.encode({"id": number, key: body}).decode())
            line: ServerLine = await asyncio.wait_for(future, self._world.hub.limits.answer_s + PATIENCE_S)
        finally:
            self._replies.pop(number, None)
            self._subscribing.pop(number, None)
        if line.error:
            raise RefusedError(msgspec.json.decode(line.error, type=Fault))
        return line

    def _take(self, text: bytes) -> None:
        self.lines.append(text.decode())
        if text == b"{}":
            self.pings += 1
            if self.answers_pings:
                asyncio.get_running_loop().call_soon(self._pong)
            return
        line = read_line(text)
        if not line.push:
            if line.subscribe:  # at once: what follows it may be a patch
                channel = self._subscribing.get(line.id, "")
                self._subscribed[channel] = self._reader.subscribed(channel, line.subscribe)
            future = self._replies.get(line.id)
            if future is not None and not future.done():
                future.set_result(line)
            return
        for heard in self._reader.pushed(line.push):
            self._heard.append(heard)
            self._news.set()

    def _pong(self) -> None:
        if self.is_open:
            self.link.say("{}")

    def _end(self, closure: Closure) -> None:
        self._give_up(DisconnectError(closure))
        if not self._closed.done():
            self._closed.set_result(closure)
        self._news.set()

    def _give_up(self, error: Exception) -> None:
        """Nothing that is waited for will be answered."""
        for future in self._replies.values():
            if not future.done():
                future.set_exception(error)

    def _goodbye(self) -> Exception:
        closure = self.link.closure
        return (
            DisconnectError(closure) if closure is not None else ConnectionError("this client dropped its connection")
        )


def _data(data: object) -> dict[str, object]:
    return {} if data is None else {"data": data}
