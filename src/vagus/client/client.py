"""A program's connection to a Vagus server: channels to follow, publications, calls, and who is there.

::

    async with Client("http://localhost:8000", token="...") as client:
        async with client.subscribe("orders:7") as orders:
            async for message in orders:
                await client.call("orders.confirm", message.data)

Nothing has to be repeated by the program when the connection is lost: publications wait in a queue and are made once
each, subscriptions recover what they missed, calls wait for a connection until their time is up. What cannot be made
good is told.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar, overload

from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import Position

from .address import websocket_address
from .buffer import WhenFull
from .channels import Channels
from .connection import LostError, Wire
from .errors import NotConnectedError
from .following import Following, Wishes
from .lifeline import Lifeline, unanswered
from .membership import Membership
from .messages import Gap, HistoryPage, Member, Message, PresenceStats, Receipt, decoded, decoder_of
from .outbox import MAX_BYTES as MOST_BYTES
from .outbox import Outbox
from .protocol import Reply, json_from, request
from .retry import Retry
from .states import Status
from .subscription import Subscription
from .tokens import Fetch, Tokens

T = TypeVar("T")

MAX_BYTES: Final = 32 * 1024 * 1024
"""What is taken from the server in one piece: a recovery may bring 300 publications of 64 KiB."""


class Client:
    """One connection, and all that goes over it. Belongs to one event loop.

    ``async with`` starts it and does not wait for the server: whatever needs a connection does, and raises what went
    wrong if there will be none. ``ready`` waits for nothing else.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        get_token: Fetch | None = None,
        name: str = "python",
        data: object = None,
        retry: Retry = Retry(),  # noqa: B008 - frozen
        queue: int = 1_000,
        timeout_s: float = 10.0,
        headers: Mapping[str, str] | None = None,
        ssl: SSLContext | None = None,
        proxy: str | Literal[True] | None = True,
        compression: bool = False,
    ) -> None:
        """Raises ``ValueError`` for what makes no sense; connects nothing yet.

        * ``url``: the server, such as ``https://live.example.com``; a ``ws:`` or ``wss:`` address with a path is taken
          as it is;
        * ``token``, ``get_token``: a token, and where the next one comes from, a plain or an async function;
        * ``name``, ``data``: what kind of program this is, as the server's lists show it, and what its application is
          handed;
        * ``retry``: when to try again after a loss; ``Retry(tries=None)`` never gives up;
        * ``queue``: publications that may wait;
        * ``timeout_s``: how long a call, and any other question, may take, waiting for the connection included;
        * ``headers``, ``ssl``, ``proxy``: of the request that opens the WebSocket; the proxy is that of the
          environment;
        * ``compression``: ask for it; it saves traffic and costs time.
        """
        wire = Wire(
            url=websocket_address(url),
            headers=dict(headers or {}),
            ssl=ssl,
            proxy=proxy,
            compression=compression,
            max_bytes=MAX_BYTES,
        )
        introduction: dict[str, Any] = {"name": name}
        if data is not None:
            introduction["data"] = json_from(data)
        self._retry = retry
        self._timeout_s = timeout_s
        self._outbox = Outbox(queue)
        self._channels = Channels(NotConnectedError("the client has not been started"))
        self._lifeline = Lifeline(
            wire,
            introduction=introduction,
            tokens=Tokens(token, get_token),
            retry=retry,
            channels=self._channels,
            outbox=self._outbox,
        )

    async def start(self) -> None:
        """Begin to connect. Raises ``ValueError`` for a client that was started before."""
        self._lifeline.start()

    async def close(self) -> None:
        """Disconnect, and end what still goes on: iterations end, and what waits raises ``NotConnectedError``."""
        await self._lifeline.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def ready(self, timeout_s: float | None = None) -> None:
        """Wait until it is connected. Raises ``TimeoutError``, or why it never will be."""
        async with _deadline("connecting", timeout_s):
            await self._lifeline.connected()

    @property
    def status(self) -> Status:
        return self._lifeline.status

    async def watch(self) -> AsyncIterator[Status]:
        """The status now and whenever it changes, until the client is closed. Who is slow gets the newest one alone."""
        told = self._lifeline.status
        yield told
        while told.state != "disconnected" or self._channels.refusal is None:
            moved, status = self._lifeline.moved, self._lifeline.status
            if status is told:
                await moved.wait()
            else:
                told = status
                yield told

    # channels

    @overload
    def subscribe(
        self,
        channel: str,
        *,
        recover: bool = True,
        since: Position | None = None,
        tags: Mapping[str, str] | FilterNode | None = None,
        rate: float | None = None,
        delta: bool = False,
        data: object = None,
        token: str = "",
        get_token: Fetch | None = None,
        capacity: int = 10_000,
        when_full: WhenFull = "block",
        on_gap: Callable[[Gap], None] | None = None,
    ) -> Subscription[Any]: ...

    @overload
    def subscribe(
        self,
        channel: str,
        type: type[T],
        *,
        recover: bool = True,
        since: Position | None = None,
        tags: Mapping[str, str] | FilterNode | None = None,
        rate: float | None = None,
        delta: bool = False,
        data: object = None,
        token: str = "",
        get_token: Fetch | None = None,
        capacity: int = 10_000,
        when_full: WhenFull = "block",
        on_gap: Callable[[Gap], None] | None = None,
    ) -> Subscription[T]: ...

    def subscribe(
        self,
        channel: str,
        type: Any = Any,
        *,
        recover: bool = True,
        since: Position | None = None,
        tags: Mapping[str, str] | FilterNode | None = None,
        rate: float | None = None,
        delta: bool = False,
        data: object = None,
        token: str = "",
        get_token: Fetch | None = None,
        capacity: int = 10_000,
        when_full: WhenFull = "block",
        on_gap: Callable[[Gap], None] | None = None,
    ) -> Subscription[Any]:
        """A subscription, to be used with ``async with``; its messages' data are of this type.

        * ``recover``: bring what was missed while there was no connection, where the channel keeps history;
        * ``since``: begin after this position instead of with what comes next;
        * ``tags``: only publications with these tags, or those that a filter's nodes describe;
        * ``rate``: at most so many messages a second; the server leaves out all but the newest;
        * ``delta``: let the server send differences where the channel has them;
        * ``data``, ``token``, ``get_token``: for the server's application, and for private channels;
        * ``capacity``, ``when_full``: how many messages may wait to be taken. With ``block`` the socket is read no more
          then, for all channels of this client, until half of them are taken: nothing is lost, and the server holds
          back or, if that takes too long, ends the connection, after which what was missed is recovered. With
          ``drop-oldest`` the oldest go;
        * ``on_gap``: called when messages were missed that will not come.
        """
        wishes = Wishes(
            recover=recover,
            since=since,
            tags=_filter_from(tags) if tags is not None else None,
            rate=rate,
            delta=delta,
            data=json_from(data) if data is not None else None,
        )
        membership = Membership(
            self._channels,
            Following(channel, wishes, decoder_of(type)),
            tokens=Tokens(token, get_token),
            retry=self._retry,
            capacity=capacity,
            when_full=when_full,
            on_gap=on_gap,
        )
        return Subscription(self._channels, membership)

    async def messages(self) -> AsyncIterator[Message[Any]]:
        """What the server sends to this client alone, and what comes in channels that it put the client into.

        What comes while nobody iterates is kept, up to the newest 1,000. Raises ``NotConnectedError`` if the client was
        not started.
        """
        self._lifeline.insist_on_a_start()
        while True:
            try:
                message = await self._channels.inbox.take()
            except StopAsyncIteration:
                return
            yield message

    async def publish(
        self, channel: str, data: object, *, tags: Mapping[str, str] | None = None, key: str | None = None
    ) -> Receipt:
        """Publish once, in the order of the calls, and return where it stands when the server has it.

        Without a connection it waits in the queue. ``key`` names the publication, so that it is made once even if the
        program itself repeats it within five minutes; one is made up if it is not given. Raises ``RefusedError`` if the
        server says no, ``QueueFullError``, ``ValueError`` for more than 60 KB, and ``NotConnectedError`` or what else
        ended the client. Cancelling takes it back if it has not been sent.
        """
        if self._channels.refusal is not None:
            raise self._channels.refusal.with_traceback(None)
        return await self._outbox.put(channel, json_from(data), tags, key)

    @property
    def queued(self) -> int:
        """Publications whose receipt has not come yet."""
        return len(self._outbox)

    # questions

    @overload
    async def call(self, method: str, data: object = None, *, timeout_s: float | None = None) -> Any: ...

    @overload
    async def call(
        self, method: str, data: object = None, *, returns: type[T], timeout_s: float | None = None
    ) -> T: ...

    async def call(
        self, method: str, data: object = None, *, returns: Any = Any, timeout_s: float | None = None
    ) -> Any:
        """Call a method of the server and return its result, of the type that was asked for.

        It waits for a connection. Raises ``RefusedError`` if the server says no, ``TimeoutError``, ``UnansweredError``
        if the connection was lost meanwhile (it is not repeated: nobody knows whether it was done), ``DataError`` for a
        result of another type, ``ValueError`` for more than the server takes in one message, and ``NotConnectedError``
        or what else ended the client.
        """
        decode = decoder_of(returns)
        body: dict[str, Any] = {"method": method}
        if data is not None:
            body["data"] = json_from(data)
        reply = await self._ask("rpc", body, timeout_s, what=method)
        assert reply.rpc is not None  # see ``Connection.ask``
        return decoded(decode, reply.rpc.data)

    async def send(self, event: str, payload: object = None, *, timeout_s: float | None = None) -> None:
        """Send an event. Nobody answers it, so nobody knows whether it arrived: use ``call`` where that matters.

        It waits for a connection, and raises as ``call`` does, but for refusals.
        """
        text = request(0, "send", {"data": {"type": event, "payload": json_from(payload)}})
        if len(text.encode()) > MOST_BYTES:
            raise ValueError(f"an event of {len(text.encode()):,} bytes: at most {MOST_BYTES:,} can be sent")
        async with _deadline(f"sending {event}", self._timeout_s if timeout_s is None else timeout_s):
            connection = await self._lifeline.connected()
            try:
                await connection.send(text)
            except LostError as lost:
                raise unanswered(lost) from None

    @overload
    async def history(
        self,
        channel: str,
        *,
        limit: int = 100,
        since: Position | None = None,
        reverse: bool = False,
        timeout_s: float | None = None,
    ) -> HistoryPage[Any]: ...

    @overload
    async def history(
        self,
        channel: str,
        type: type[T],
        *,
        limit: int = 100,
        since: Position | None = None,
        reverse: bool = False,
        timeout_s: float | None = None,
    ) -> HistoryPage[T]: ...

    async def history(
        self,
        channel: str,
        type: Any = Any,
        *,
        limit: int = 100,
        since: Position | None = None,
        reverse: bool = False,
        timeout_s: float | None = None,
    ) -> HistoryPage[Any]:
        """Messages that a channel keeps: the oldest first, or the newest with ``reverse``; 0 gives the position alone.

        The server gives 300 at most; ``since`` the last one's position brings the next ones. Raises as ``call`` does.
        """
        decode = decoder_of(type)
        body: dict[str, Any] = {"channel": channel, "limit": limit, "reverse": reverse}
        if since is not None:
            body["since"] = since
        page = (await self._ask("history", body, timeout_s, what=f"history of {channel}")).history
        assert page is not None  # see ``Connection.ask``
        messages = tuple(Message(channel, publication, decode, page.epoch) for publication in page.publications)
        return HistoryPage(messages, Position(page.offset, page.epoch))

    async def presence(self, channel: str, *, timeout_s: float | None = None) -> tuple[Member, ...]:
        """Who is in a channel. Raises as ``call`` does."""
        found = (await self._ask("presence", {"channel": channel}, timeout_s, what=f"presence in {channel}")).presence
        assert found is not None  # see ``Connection.ask``
        return tuple(found.presence.values())

    async def presence_stats(self, channel: str, *, timeout_s: float | None = None) -> PresenceStats:
        """How many are in a channel. Raises as ``call`` does."""
        reply = await self._ask("presence_stats", {"channel": channel}, timeout_s, what=f"presence in {channel}")
        assert reply.presence_stats is not None  # see ``Connection.ask``
        return PresenceStats(reply.presence_stats.num_clients, reply.presence_stats.num_users)

    async def _ask(self, name: str, body: Mapping[str, Any], timeout_s: float | None, *, what: str) -> Reply:
        async with _deadline(what, self._timeout_s if timeout_s is None else timeout_s):
            return await self._lifeline.ask(name, body)


@asynccontextmanager
async def _deadline(what: str, timeout_s: float | None) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise TimeoutError(f"{what}: no answer within {timeout_s:g} s") from None


def _filter_from(tags: Mapping[str, str] | FilterNode) -> FilterNode:
    if isinstance(tags, FilterNode):
        return tags
    return FilterNode(op="and", nodes=tuple(FilterNode(key=key, cmp="eq", val=value) for key, value in tags.items()))
