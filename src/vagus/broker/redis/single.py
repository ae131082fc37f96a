"""One server, or the one among several that sentinels call the master: a link for commands, another one that listens.

With sentinels, what answers must say itself that it is the master; and they are asked again every few seconds, since a
master that was deposed may go on to take commands, and to listen, where nobody else does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import structlog

from vagus.kernel.errors import BrokerError

from . import Ears, Options, Script, Word
from .connecting import connect, place_of
from .keeping import Keeper
from .link import Link, ListeningLink, ReplyError
from .listening import Listening
from .loading import Loaded, calling
from .sentinel import Sentinels

log = structlog.get_logger()

L = TypeVar("L", bound=Link)

WATCH_S: Final = 2.0
"""How often sentinels are asked whether the master is still the same."""


class Single:
    """See ``Servers`` for the contract. Slots mean nothing here."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._loaded = Loaded()
        self._sentinels = Sentinels(options) if options.kind == "sentinel" else None
        self._commands = Keeper("commands", self._open_commands, gained=self._follow)
        self._ears = Keeper("listening", self._open_ears, gained=self._gained, lost=self._lost)
        self._watching: asyncio.Task[None] | None = None
        self._listening: Listening | None = None
        self._told: Ears | None = None

    async def start(self, ears: Ears, scripts: Iterable[Script] = ()) -> None:
        self._loaded.add(scripts)
        self._told = ears
        self._listening = Listening(ears, lambda _: self._ears.link, self._options.timeout_s)
        try:
            await self._commands.start(self._options.timeout_s)
            await self._ears.start(self._options.timeout_s)
        except BaseException:
            await self.close()
            raise
        if self._sentinels is not None:
            self._watching = asyncio.create_task(self._watch(self._sentinels))

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self._commands.close()
        await self._ears.close()
        if self._listening is not None:
            await self._listening.close()
        if self._sentinels is not None:
            self._sentinels.close()
        await asyncio.sleep(0)  # transports are gone one tick after they were aborted

    @property
    def is_up(self) -> bool:
        return self._commands.link is not None and self._ears.link is not None

    @property
    def reconnections(self) -> int:
        return self._commands.reconnections + self._ears.reconnections

    def publish_word(self) -> bytes:
        return b"PUBLISH"

    def relisten(self) -> None:
        self._ears.renew("what is published does not come back")

    async def _watch(self, sentinels: Sentinels) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                place = place_of(await sentinels.master())
            except BrokerError as error:
                log.debug("redis_master_unknown", reason=str(error))
                continue
            except Exception:
                log.exception("redis_failed", purpose="sentinels")
                continue
            for keeper in (self._commands, self._ears):
                if keeper.link is not None and keeper.link.place != place:
                    keeper.renew(f"the master is at {place} now")

    async def _open_commands(self) -> Link:
        link = await self._open(lambda place: Link(place, self._options.timeout_s))
        await self._loaded.load(link)
        return link

    async def _open_ears(self) -> ListeningLink:
        listening, ears = self._started()
        return await self._open(
            lambda place: ListeningLink(place, self._options.timeout_s, ears.heard, listening.displace)
        )

    async def _open(self, make: Callable[[str], L]) -> L:
        options = self._options
        address = options.addresses[0] if self._sentinels is None else await self._sentinels.master()
        link = make(place_of(address))
        await connect(address, options, link, user=options.user, password=options.password, database=options.database)
        if self._sentinels is not None:
            await _expect_master(link)
        return link

    def _started(self) -> tuple[Listening, Ears]:
        if self._listening is None or self._told is None:
            raise BrokerError("the connection to Redis was not started")
        return self._listening, self._told

    def _follow(self, link: Link) -> None:
        """A name that leads elsewhere now, or another master, counts for the link that listens too."""
        if self._ears.link is not None and self._ears.link.peer != link.peer:
            self._ears.renew(f"Redis is at {link.place} now")

    def _gained(self, _link: ListeningLink) -> None:
        self._started()[0].place()

    def _lost(self, link: ListeningLink) -> None:
        listening, ears = self._started()
        listening.detach(link)
        ears.cut()

    def run(self, slot: bytes | None, *words: Word) -> Awaitable[Any]:
        return self._connected().send(words)

    def _connected(self) -> Link:
        link = self._commands.link
        if link is None:
            raise BrokerError(self._commands.trouble)
        return link

    def call(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Word]) -> Awaitable[Any]:
        words = calling(script, keys, arguments)
        return self._called(self._connected().send(words), script, words)

    async def _called(self, answer: Awaitable[Any], script: Script, words: tuple[Word, ...]) -> Any:
        try:
            return await answer
        except ReplyError as error:
            if error.code != "NOSCRIPT":
                raise
        return await self._connected().send_all([self._loaded.missing(script), words])[1]

    async def listen(self, channels: Iterable[bytes]) -> None:
        await self._started()[0].listen(channels)

    def unlisten(self, channels: Iterable[bytes]) -> None:
        self._started()[0].unlisten(channels)


async def _expect_master(link: Link) -> None:
    try:
        role = (await link.send((b"ROLE",)))[0]
    except ReplyError:  # a user who may not ask
        return
    if role != b"master":
        link.abort("it is no master")
        raise BrokerError(f"Redis at {link.place} is no master, though the sentinels call it so")
