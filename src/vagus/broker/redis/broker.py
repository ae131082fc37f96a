"""The broker on Redis: see ``vagus.broker`` for the contract. Everything that it promises is kept by its parts."""

from collections.abc import Iterable
from functools import partial
from typing import Self

import msgspec
import structlog

from vagus.broker import ANSWER_S, Condition, Listener
from vagus.kernel.channels import Last
from vagus.kernel.control import Answer, Order, Question
from vagus.kernel.errors import BrokerError
from vagus.kernel.history import Page, Query
from vagus.kernel.publications import ClientInfo, Draft, Receipt
from vagus.kernel.replies import PresenceStatsResult

from . import Servers, parcels, scripts
from .addresses import options_from
from .healing import Flow
from .keys import Keys
from .life import Life
from .servers import servers_from
from .streams import Streams

log = structlog.get_logger()


class RedisBroker:
    """``check_s`` is how often a channel is compared with its stream, ``timeout_s`` how long what this node publishes

    may take to come back to it, ``beat_s`` how often it says that it is alive. Nodes that share a server and a prefix
    are one hub, and beat alike.
    """

    def __init__(
        self,
        servers: Servers,
        *,
        prefix: str = "vagus",
        check_s: float = 30.0,
        timeout_s: float = 3.0,
        beat_s: float = 2.0,
    ) -> None:
        self._servers = servers
        self._check_s = check_s
        self._timeout_s = timeout_s
        self._beat_s = beat_s
        self._keys = Keys(prefix)
        self._streams = Streams(servers, self._keys)
        self._life: Life | None = None
        self._is_puzzled = False

    @classmethod
    def at(
        cls,
        url: str,
        *,
        prefix: str = "vagus",
        check_s: float = 30.0,
        timeout_s: float = 3.0,
        ca_file: str = "",
        cert_file: str = "",
        key_file: str = "",
    ) -> Self:
        """A broker on the servers behind a URL; ``addresses`` says how those look, and what ``ValueError`` is for."""
        options = options_from(url, timeout_s=timeout_s, ca_file=ca_file, cert_file=cert_file, key_file=key_file)
        return cls(servers_from(options), prefix=prefix, check_s=check_s, timeout_s=timeout_s)

    async def start(self, listener: Listener) -> None:
        """Raises ``BrokerError`` if Redis cannot be reached."""
        life = Life(self._servers, self._keys, self._streams, listener, beat_s=self._beat_s, timeout_s=self._timeout_s)
        self._life = life
        try:
            await self._servers.start(self, scripts.ALL)
            await life.start(self._check_s)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            await life.close()
        await self._servers.close()

    @property
    def _alive(self) -> Life:
        if self._life is None:
            raise BrokerError("the broker is not running")
        return self._life

    @property
    def condition(self) -> Condition:
        life = self._life
        if life is None:
            return Condition(is_up=False)
        return Condition(
            self._servers.is_up and not life.registry.silent_s,
            max(1, len(life.registry.nodes)),
            life.registry.lag_s,
            self._servers.reconnections,
            life.healer.caught_up,
            life.healer.lost,
        )

    async def check(self) -> None:
        silent_s = self._alive.registry.silent_s
        if not self._servers.is_up:
            raise BrokerError("a connection to Redis is missing")
        if silent_s:
            raise BrokerError(f"what this node publishes has not come back to it for {silent_s:.0f} s")

    # publications

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        if keep is None or draft.skip_history:
            return await self._streams.send(channel, draft)
        return await self._streams.append(channel, draft, keep)

    async def history(self, channel: str, query: Query, keep: Last) -> Page:
        names = self._keys.names(channel)
        page, top = await self._streams.page(names, query, keep.ttl_s)
        flow = self._life.flows.get(names.flow) if self._life is not None else None
        if flow is not None:
            flow.note(top)
        return page

    async def remove_history(self, channel: str) -> None:
        await self._streams.remove(channel)

    async def subscribe(self, channel: str) -> None:
        life = self._alive
        names = self._keys.names(channel)
        if names.flow in life.flows:
            await self._servers.listen((names.flow,))
            return
        here = life.listener
        flow = Flow(channel, names, partial(here.published, channel), partial(here.lost, channel))
        life.flows[names.flow] = flow
        try:
            await self._servers.listen((names.flow,))
        except BaseException:
            if life.flows.get(names.flow) is flow:
                await self.unsubscribe(channel)
            raise

    async def unsubscribe(self, channel: str) -> None:
        life = self._life
        name = self._keys.names(channel).flow
        if life is not None and (flow := life.flows.pop(name, None)) is not None:
            life.healer.end(flow)
            self._servers.unlisten((name,))

    # presence

    async def enter(self, channel: str, info: ClientInfo) -> None:
        await self._alive.attendance.enter(channel, info)

    async def exit(self, channel: str, client: str) -> None:
        await self._alive.attendance.exit(channel, client)

    async def presence(self, channel: str) -> dict[str, ClientInfo]:
        return await self._alive.attendance.present(channel)

    async def presence_stats(self, channel: str) -> PresenceStatsResult:
        return await self._alive.attendance.stats(channel)

    async def announce(self, channel: str, info: ClientInfo, *, joined: bool) -> None:
        flow = self._keys.names(channel).flow
        message = (b"<" if joined else b">") + parcels.packed_info(info)
        await self._servers.run(flow, self._servers.publish_word(), flow, message)

    # nodes

    async def order(self, order: Order) -> None:
        await self._alive.lane.order(order)

    async def ask(self, question: Question, *, node: str = "", timeout_s: float = ANSWER_S) -> list[Answer]:
        return await self._alive.lane.ask(question, node, timeout_s)

    # what the servers tell (Ears)

    def heard(self, channel: bytes, message: bytes) -> None:
        """What cannot be read was published by somebody else: it is left out, and the first of it is logged."""
        life = self._life
        if life is None:
            return
        try:
            flow = life.flows.get(channel)
            if flow is None:
                if channel in life.lane.channels:
                    life.lane.hear(message)
            elif message[0] == parcels.NUMBERED:
                life.healer.hear(flow, message)
            elif message[0] == parcels.PLAIN:
                publication, exclude = parcels.unpacked(message[1:], 0, "")
                flow.tell(publication, "", exclude)
            elif flow.channel:
                _hear_news(life.listener, flow.channel, message)
        except (ValueError, IndexError, msgspec.DecodeError):
            if not self._is_puzzled:
                self._is_puzzled = True
                log.warning("message_unreadable", channel=channel.decode(errors="replace"), exc_info=True)

    def cut(self) -> None:
        """From here on messages are missing: note where flows stand, while that is known for certain."""
        if self._life is not None:
            self._life.adopt_positions()

    def restored(self, channels: Iterable[bytes]) -> None:
        if self._life is not None:
            self._life.suspect(channels)


def _hear_news(listener: Listener, channel: str, message: bytes) -> None:
    """Who came or left; other kinds come from newer nodes."""
    if message[0] in (parcels.JOINED, parcels.LEFT):
        info = parcels.unpacked_info(message[1:])
        listener.announced(channel, info, joined=message[0] == parcels.JOINED)
