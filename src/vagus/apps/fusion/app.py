"""Fusion put onto a hub: the channel, the collector with its sources, the emitter, the history, and the routes."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec
import structlog

from vagus.auth.keys import KeyRing
from vagus.hub import Hub
from vagus.hub.requests import Caller, ConnectRequest
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule
from vagus.kernel.errors import BrokerError, RefusedError, StoreError
from vagus.kernel.permissions import is_allowed
from vagus.kernel.publications import Position
from vagus.kernel.rates import Buckets, Rate
from vagus.settings.fusion import Fusion as Settings
from vagus.store import Store
from vagus.store.leases import Lease

from .book import Book
from .channel import CHANNEL, DEMO_RULE, READERS, REFRESH, RULE
from .collector import Collector
from .emitter import Emitter, Pace
from .sources import Source
from .sources.making import READY, Surroundings
from .sources.stand_in import Invent
from .views import NobodyEmitsError, Views

if TYPE_CHECKING:
    from litestar.types import ControllerRouterHandler

    from .history import History

log = structlog.get_logger()

NAME: Final = "fusion"
INTERVAL_S: Final = 300.0
DEMO_INTERVAL_S: Final = 5.0

REFRESHES: Final = Rate(per_s=1, burst=1)
"""How often one client may ask for a pulse."""
RELOAD_S: Final = 5.0
"""How long a change waits for the node that emits; without it, it holds when another takes over."""


class Furniture(msgspec.Struct, frozen=True):
    """What fusion is given: see ``install``."""

    settings: Settings | None = None
    store: Store | None = None
    folder: Path = Path()
    private: tuple[Path, ...] = ()
    shared: bool = False
    demo: Mapping[str, Invent] | None = None


class Fusion:
    """The installed app. Usable as a context for the time in which the hub and the store are."""

    def __init__(self, hub: Hub, given: Furniture, sources: Sequence[Source]) -> None:
        self._hub = hub
        self._sources = sources
        self.furnish(given)
        self.history: History | None = None
        self.views = Views(hub, self)
        self._running = AsyncExitStack()
        self._past: asyncio.Task[None] | None = None

    def furnish(self, given: Furniture) -> None:
        """Make the collector and its sources, before the start. Raises ``ValueError`` for sources that are wrong."""
        settings = given.settings or Settings()
        self.given = given
        self._store = given.store
        self._around = Surroundings(Path(settings.folder) if settings.folder else given.folder, given.private)
        self.collector = Collector(clock=self._hub.now)
        self.book = Book(
            self.collector,
            self._around,
            given.store,
            ready=READY if settings.default_sources else (),
            demo=given.demo,
            given=self._sources,
            configured=settings.sources,
            clock=self._hub.now,
            on_change=lambda: self.emitter.hurry(),
        )
        self.pace = Pace(settings.interval_s or (DEMO_INTERVAL_S if given.demo else INTERVAL_S))
        self.emitter = Emitter(self._hub, self.collector, pace=self.pace)
        self._history_settings = settings.history

    async def start(self) -> None:
        """Begin to emit, if this is the node that does. Raises ``StoreError``."""
        async with AsyncExitStack() as undoing:
            undoing.push_async_callback(self._around.close)
            undoing.push_async_callback(self.collector.close)
            if self._store is not None:
                from .history import History

                self.history = History(self._store, self._history_settings, self._hub.now)
                await self.history.start()
                undoing.push_async_callback(self.history.stop)
                undoing.push_async_callback(self._leave_past)
            self.emitter = self._new_emitter()
            await self.emitter.start()
            undoing.push_async_callback(self.emitter.stop)
            self._running = undoing.pop_all()

    def _new_emitter(self) -> Emitter:
        lease = None
        if self.given.shared and self._store is not None:
            lease = Lease(self._store, NAME, self._hub.node_id, self._hub.loop.time)
        return Emitter(
            self._hub,
            self.collector,
            store=self._store,
            lease=lease,
            pace=self.pace,
            on_pulse=self._keep if self.history is not None else None,
            on_lead=self.book.load,
        )

    def _keep(self, at: int, values: Mapping[str, float]) -> None:
        """Keep what a pulse says; behind the first one of a demo comes its past."""
        self.kept.add(at, values)
        if self.given.demo and self._past is None:
            self._past = asyncio.create_task(self._invent_past(self.given.demo, at))

    async def _invent_past(self, demo: Mapping[str, Invent], before: int) -> None:
        from .past import invent_past

        try:
            interval_s = self.emitter.pace.interval_s
            points = await invent_past(self.kept, self.collector, demo, before=before, interval_s=interval_s)
        except Exception as error:
            log.warning("fusion_past_unfinished", error=str(error), exc_info=not isinstance(error, StoreError))
        else:
            log.info("fusion_past_invented", points=points)

    async def _leave_past(self) -> None:
        if self._past is not None:
            self._past.cancel()
            await asyncio.wait({self._past})
            self._past = None

    async def stop(self) -> None:
        """Let another node emit, and write what is to be kept."""
        await self._running.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def keeps_history(self) -> bool:
        """Whether there is a store, for the history and for sources that are added."""
        return self._store is not None

    @property
    def kept(self) -> "History":
        if self.history is None:
            raise StoreError("the history is not open", retryable=True)
        return self.history

    def now_ms(self) -> int:
        return self._hub.now_ms()

    async def set_pace(self, *, interval_s: float | None = None, paused: bool | None = None, by: str) -> Pace:
        """Change the pace on whichever node emits. Raises ``StoreError`` and ``BrokerError``."""
        pace = await self.emitter.set_pace(interval_s=interval_s, paused=paused, by=by)
        await self.tell_others()
        return pace

    async def tell_others(self) -> None:
        """Have the node that emits take over what was written here. One that begins to emit does so by itself."""
        if not self.emitter.leads:
            with suppress(NobodyEmitsError, StoreError):
                await self.views.ask("reload", within_s=RELOAD_S)

    async def reload(self) -> None:
        """Take over what another node has written: the pace and the sources. Raises ``StoreError``."""
        await self.book.load()
        await self.emitter.reload()

    def routes(self, keys: KeyRing | None, quotas: Buckets) -> "Sequence[ControllerRouterHandler]":
        """See ``vagus.apps.App``."""
        from vagus.apps.callers import Door

        from .routes import routes

        return routes(self, Door(self._hub, keys, quotas))


def install(
    hub: Hub,
    settings: Settings | None = None,
    *,
    store: Store | None = None,
    folder: Path = Path(),
    private: Sequence[Path] = (),
    sources: Sequence[Source] = (),
    shared: bool = False,
    demo: Mapping[str, Invent] | None = None,
) -> Fusion:
    """Furnish a hub that has not started, once; asked again, it gives what is there. An application that gives sources

    alone leaves settings and store to the server, which installs it again.
    ``folder`` is where paths of sources begin; what begins like a path in ``private`` no source that is added while it
    runs may read. ``sources`` are an application's own. Without a store nothing is kept.
    ``shared`` says that other nodes use the same store: then one of them emits. ``demo`` makes up values for the
    sources that come ready, by their names, while their files are not there, and for the day before the first pulse;
    then everybody may follow the channel.
    Raises ``ValueError`` for sources that are wrong, or where the hub has a rule for the channel.
    """
    given = Furniture(settings, store, folder, tuple(private), shared, demo)
    installed = hub.apps.get(NAME)
    if isinstance(installed, Fusion):
        if installed.given == Furniture():
            installed.furnish(given)
        return installed
    fusion = Fusion(hub, given, sources)
    rule = DEMO_RULE if demo else RULE
    hub.rules.add(rule, f"channel {CHANNEL!r}")
    _add_calls(hub, fusion)
    _greet_sockets(hub, rule)
    hub.apps[NAME] = fusion
    return fusion


def _add_calls(hub: Hub, fusion: Fusion) -> None:
    asked = Buckets(REFRESHES)

    @hub.call(REFRESH, allow=READERS)
    async def refresh(caller: Caller) -> dict[str, bool]:
        """Have a pulse made now; at most one a second for each client."""
        if not asked.take(caller.client, hub.loop.time()):
            raise RefusedError(codes.TOO_MANY_REQUESTS)
        try:
            await fusion.views.ask("refresh")
        except (BrokerError, StoreError, NobodyEmitsError) as error:
            log.warning("fusion_refresh_failed", error=str(error) or "no node emits")
            raise RefusedError(codes.UNAVAILABLE) from None
        return {"ok": True}


def _greet_sockets(hub: Hub, rule: ChannelRule) -> None:
    @hub.sections[""].on_connected
    def follow(caller: Caller, request: ConnectRequest) -> Awaitable[None] | None:
        """Clients of Socket.IO hear pulses without asking, from the newest on, if they may.

        Every client of the hub comes through here, so it is no coroutine, which would cost each of them a task.
        """
        if not request.origin.path.startswith("/socket.io"):
            return None
        if not (hub.is_open or is_allowed(rule.subscribe, caller.identity)):
            return None
        return hub.subscribe(CHANNEL, client=caller.client, since=Position())
