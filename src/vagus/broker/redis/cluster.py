"""A Redis Cluster: which master has which slot, a link for commands to each, and links that listen.

Where a slot is, is asked of any node, again whenever one says that a slot is elsewhere or a link is lost, and now and
then. From Redis 7.0 on channels belong to slots like keys, and are listened to at the master that has theirs; before
that any one node hears them all. Which of the two it is, is found out at the start: servers that were started before
and after Redis was brought from 6.2 to 7 do not hear each other. One task alone changes what is known here.
"""

import asyncio
import contextlib
import functools
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import structlog

from vagus.kernel.errors import BrokerError

from . import Ears, Options, Script, Word
from .connecting import AccessError, Address, connect, host_of, place_of
from .keeping import Keeper
from .link import Link, ListeningLink, ReplyError
from .listening import Listening
from .loading import Loaded, calling
from .polling import answers_of_most
from .slots import SLOTS, Range, View, slot_of, target_from, view_from

log = structlog.get_logger()

L = TypeVar("L", bound=Link)

ATTEMPTS: Final = 6
"""How often a command is sent after the nodes' hints; the waits between are 20 ms, 40 ms and so on."""

PAUSE_S: Final = 0.02
"""The least time between two looks at who has which slot; it doubles as long as there is no end of hints."""

TROUBLED_S: Final = 0.25
"""How often to look while a master cannot be reached, or nobody has some slot."""

GUEST_S: Final = 60.0
"""How long a node without slots is remembered, after a command was sent on to it."""

ELSEWHERE: Final = frozenset({"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "NOSCRIPT"})
"""Refusals after which a command is tried again, here or there."""

STEADY_S: Final = 10.0
"""How often to look while all is well."""


class Node:
    """A master and the links to it. ``ears`` is None where one node hears for all."""

    __slots__ = ("address", "commands", "ears")

    def __init__(self, address: Address, commands: Keeper[Link], ears: Keeper[ListeningLink] | None) -> None:
        self.address = address
        self.commands = commands
        self.ears = ears

    @property
    def keepers(self) -> list[Keeper[Any]]:
        return [self.commands] if self.ears is None else [self.commands, self.ears]

    @property
    def is_up(self) -> bool:
        return all(keeper.link is not None for keeper in self.keepers)

    @property
    def reconnections(self) -> int:
        return sum(keeper.reconnections for keeper in self.keepers)

    async def close(self) -> None:
        for keeper in self.keepers:
            await keeper.close()


class Cluster:
    """See ``Servers`` for the contract."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._loaded = Loaded()
        self._nodes: dict[Address, Node] = {}
        self._owners: list[Node | None] = [None] * SLOTS
        self._is_whole = False
        self._ears: Keeper[ListeningLink] | None = None
        """What hears all channels, where they have no slots."""
        self._is_sharded = False
        self._listening: Listening | None = None
        self._told: Ears | None = None
        self._watching: asyncio.Task[None] | None = None
        self._hint = asyncio.Event()
        self._hinted: Address | None = None
        self._guests: dict[Address, float] = {}
        """Nodes that commands were sent to before they had a slot, and until when they are kept."""
        self._looked: asyncio.Future[None] | None = None
        self._gone = 0
        """How often connections to nodes that have left since were made again."""

    async def start(self, ears: Ears, scripts: Iterable[Script] = ()) -> None:
        self._loaded.add(scripts)
        self._told = ears
        try:
            await self._begin(ears)
        except BaseException:
            await self.close()
            raise
        self._watching = asyncio.create_task(self._watch())

    async def _begin(self, ears: Ears) -> None:
        timeout_s = self._options.timeout_s
        seed = Keeper("finding", self._open_seed)
        await seed.start(timeout_s)
        try:
            if seed.link is None:
                raise BrokerError(seed.trouble)
            self._is_sharded = (await seed.link.send((b"COMMAND", b"INFO", b"SSUBSCRIBE")))[0] is not None
            ranges = (await self._ask(seed.link)).ranges
            if not ranges:
                raise BrokerError("the Redis Cluster has no slots yet")
        finally:
            await seed.close()
        self._listening = Listening(
            ears,
            self._route,
            timeout_s,
            group_of=slot_of if self._is_sharded else lambda _: 0,
            misplaced=self._misplaced,
            is_sharded=self._is_sharded,
        )
        self._nodes = {master: self._node(master) for master in {found.master for found in ranges}}
        self._own(ranges)
        keepers: list[Keeper[Any]] = [keeper for node in self._nodes.values() for keeper in node.keepers]
        if not self._is_sharded:
            self._ears = Keeper("listening", self._open_ears_anywhere, gained=self._gained, lost=self._lost_ears)
            keepers.append(self._ears)
        for outcome in await asyncio.gather(*(keeper.start(timeout_s) for keeper in keepers), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        for node in self._nodes.values():
            await node.close()
        if self._ears is not None:
            await self._ears.close()
        if self._listening is not None:
            await self._listening.close()
        await asyncio.sleep(0)  # transports are gone one tick after they were aborted

    @property
    def is_up(self) -> bool:
        hears = self._ears is None or self._ears.link is not None
        return hears and self._is_whole and all(node.is_up for node in self._nodes.values())

    @property
    def reconnections(self) -> int:
        ears = self._ears.reconnections if self._ears is not None else 0
        return self._gone + ears + sum(node.reconnections for node in self._nodes.values())

    def publish_word(self) -> bytes:
        return b"SPUBLISH" if self._is_sharded else b"PUBLISH"

    def relisten(self) -> None:
        for keeper in (self._ears, *(node.ears for node in self._nodes.values())):
            if keeper is not None:
                keeper.renew("what is published does not come back")

    def _node(self, address: Address) -> Node:
        ears = None
        if self._is_sharded:
            open_ears = functools.partial(self._open_ears, address)
            ears = Keeper("listening", open_ears, gained=self._gained, lost=self._lost_ears)
        return Node(address, Keeper("commands", functools.partial(self._open_commands, address), lost=self._lost), ears)

    async def _open_commands(self, address: Address) -> Link:
        link = await self._open(address, Link(place_of(address), self._options.timeout_s))
        await self._loaded.load(link)
        return link

    async def _open_ears(self, address: Address) -> ListeningLink:
        listening, ears = self._started()
        link = ListeningLink(place_of(address), self._options.timeout_s, ears.heard, listening.displace)
        return await self._open(address, link)

    async def _open_ears_anywhere(self) -> ListeningLink:
        return await self._open_any([*self._nodes], self._open_ears)

    async def _open_seed(self) -> Link:
        addresses = dict.fromkeys((*self._nodes, *self._options.addresses))
        return await self._open_any(
            [*addresses], lambda address: self._open(address, Link(place_of(address), self._options.timeout_s))
        )

    async def _open_any(self, addresses: list[Address], opened: Callable[[Address], Awaitable[L]]) -> L:
        """The first of these, in any order, that takes us."""
        errors: list[BrokerError] = []
        for address in random.sample(addresses, len(addresses)):
            try:
                return await opened(address)
            except AccessError:
                raise
            except BrokerError as error:
                errors.append(error)
        reasons = "; ".join(sorted({str(error) for error in errors}))
        raise BrokerError(f"no node of the Redis Cluster can be reached: {reasons}")

    async def _open(self, address: Address, link: L) -> L:
        options = self._options
        return await connect(address, options, link, user=options.user, password=options.password)

    def _started(self) -> tuple[Listening, Ears]:
        if self._listening is None or self._told is None:
            raise BrokerError("the connection to Redis was not started")
        return self._listening, self._told

    def _gained(self, _link: ListeningLink) -> None:
        self._started()[0].place()

    def _lost_ears(self, link: ListeningLink) -> None:
        listening, ears = self._started()
        listening.detach(link)
        ears.cut()
        self._hint.set()

    def _lost(self, _link: Link) -> None:
        self._hint.set()

    def _misplaced(self, detail: str) -> None:
        self._hinted = target_from(detail, "") or self._hinted
        self._hint.set()

    async def _watch(self) -> None:
        """Look who has which slot, whenever there is a hint or it is time, and follow."""
        pause = PAUSE_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STEADY_S if self.is_up else TROUBLED_S):
                    await self._hint.wait()
            self._hint.clear()
            try:
                await self._follow(await self._look())
            except BrokerError as error:
                log.debug("redis_slots_unknown", reason=str(error))
            except Exception:
                log.exception("redis_failed", purpose="slots")
            if self._looked is not None:
                self._looked.set_result(None)
                self._looked = None
            await asyncio.sleep(pause)
            pause = min(pause * 2, TROUBLED_S) if self._hint.is_set() else PAUSE_S

    async def _look(self) -> list[Range]:
        """What the nodes say, or whoever can be reached at all if no link stands.

        They may disagree: a node that was cut off knows nothing of a failover, and one that has just got a slot knows
        it first. The latest epoch counts, and where it is the same, the node that somebody was sent to.
        """
        hinted, self._hinted = self._hinted, None
        links = [node.commands.link for node in self._nodes.values() if node.commands.link is not None]
        if links:
            with contextlib.suppress(BrokerError):
                views = await answers_of_most(links, self._ask, self._options.timeout_s)
                at = place_of(hinted) if hinted is not None else ""
                return max(views, key=lambda view: (view.is_whole, view.epoch, view.place == at)).ranges
        link = await self._open_seed()
        try:
            return (await self._ask(link)).ranges
        finally:
            link.abort("it has answered")

    async def _ask(self, link: Link) -> View:
        facts, slots = link.send_all([(b"CLUSTER", b"INFO"), (b"CLUSTER", b"SLOTS")])
        answer = await slots
        try:
            return view_from(await facts, answer, link.place)
        except ReplyError:  # a user who may not ask how the cluster is
            return view_from(b"", answer, link.place)

    async def _follow(self, ranges: list[Range]) -> None:
        listening, told = self._started()
        now = time.monotonic()
        self._guests = {address: until for address, until in self._guests.items() if until > now}
        present = {found.master for found in ranges} | self._guests.keys()
        for address in present - self._nodes.keys():
            node = self._nodes[address] = self._node(address)
            for keeper in node.keepers:
                keeper.begin()
        if moved := self._own(ranges):
            listening.reroute()
            if self._ears is not None:  # it is heard as before, but a new master may know less than the former one
                told.restored([channel for channel in listening.channels if slot_of(channel) in moved])
        for address in self._nodes.keys() - present:
            await self._leave(self._nodes.pop(address))
        if self._ears is not None and self._ears.link is not None:
            if self._ears.link.place not in {place_of(address) for address in self._nodes}:
                self._ears.renew("the node that listens has left the cluster")
        listening.place()

    async def _leave(self, node: Node) -> None:
        log.info("redis_node_left", place=place_of(node.address))
        if node.ears is not None and node.ears.link is not None:
            self._lost_ears(node.ears.link)
        self._gone += node.reconnections
        await node.close()

    def _own(self, ranges: list[Range]) -> set[int]:
        """Write down who has which slot. Returns the slots where that has changed."""
        owners: list[Node | None] = [None] * SLOTS
        for found in ranges:
            owners[found.first : found.last + 1] = [self._nodes[found.master]] * (found.last + 1 - found.first)
        former, self._owners = self._owners, owners
        self._is_whole = None not in owners
        return {slot for slot in range(SLOTS) if former[slot] is not owners[slot]} if former != owners else set()

    def _route(self, group: int) -> ListeningLink | None:
        if self._ears is not None:
            return self._ears.link
        owner = self._owners[group]
        return owner.ears.link if owner is not None and owner.ears is not None else None

    def _link(self, slot: bytes | None) -> Link:
        if slot is None:
            link = next((node.commands.link for node in self._nodes.values() if node.commands.link is not None), None)
            if link is None:
                raise BrokerError("no master of the Redis Cluster can be reached")
            return link
        owner = self._owners[slot_of(slot)]
        if owner is None:
            raise BrokerError("a part of the Redis Cluster is missing: nobody has the slot of this key")
        if owner.commands.link is None:
            raise BrokerError(owner.commands.trouble)
        return owner.commands.link

    def run(self, slot: bytes | None, *words: Word) -> Awaitable[Any]:
        link = self._link(slot)
        return self._carried(link.send(words), link, slot, words, None)

    def call(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Word]) -> Awaitable[Any]:
        words = calling(script, keys, arguments)
        slot = keys[0] if keys else None
        link = self._link(slot)
        return self._carried(link.send(words), link, slot, words, script)

    async def _carried(
        self, answer: Awaitable[Any], link: Link, slot: bytes | None, words: tuple[Word, ...], script: Script | None
    ) -> Any:
        """The answer, after following the nodes to where it is given."""
        before: list[tuple[Word, ...]] = []
        for attempt in itertools.count():
            try:
                return await answer
            except ReplyError as error:
                if error.code not in ELSEWHERE or attempt == ATTEMPTS:
                    raise
                refusal = error
            match refusal.code:
                case "NOSCRIPT" if script is not None:
                    before = [self._loaded.missing(script), *before]
                case "ASK":
                    link, before = await self._target(refusal, link), [(b"ASKING",)]
                case "MOVED":
                    self._misplaced(refusal.detail)
                    link, before = await self._target(refusal, link), []
                case _:
                    await asyncio.sleep(PAUSE_S * 2**attempt)
                    link, before = self._link(slot), []
            answer = link.send_all([*before, words])[-1]
        raise AssertionError

    async def _target(self, refusal: ReplyError, link: Link) -> Link:
        """The link to the node that one is sent to, which may be new here."""
        address = target_from(refusal.detail, host_of(link.place))
        if address is None:
            raise refusal
        node = self._nodes.get(address)
        if node is None:
            self._guests[address] = time.monotonic() + GUEST_S
            await self._next_look()
            node = self._nodes.get(address)
        if node is None:
            raise BrokerError(f"Redis at {place_of(address)}, where this slot is now, is not known yet")
        return await node.commands.expect(self._options.timeout_s)

    async def _next_look(self) -> None:
        if self._looked is None:
            self._looked = asyncio.get_running_loop().create_future()
        self._hint.set()
        await asyncio.wait([self._looked], timeout=self._options.timeout_s)

    async def listen(self, channels: Iterable[bytes]) -> None:
        await self._started()[0].listen(channels)

    def unlisten(self, channels: Iterable[bytes]) -> None:
        self._started()[0].unlisten(channels)
