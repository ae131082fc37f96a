"""The book of sources: those that come ready, of the application, of the configuration, and added while it runs.

The last are kept in the store, one setting each, so that they outlive restarts and go along to whichever node emits
next. What an address or a header tells in secret is never given out again: who changes a source and leaves it out keeps
it, as long as it goes where it went before.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
import structlog

from vagus.kernel.errors import ConflictError, StoreError
from vagus.settings.fusion import HttpJsonSource, JsonFileSource, SourceSettings
from vagus.store import Store, settings

from .collector import Collector, tried
from .kinds import Value
from .promptness import prompt
from .sources import Source
from .sources.making import Surroundings, source_of
from .sources.picking import hints_of
from .sources.refused import Refused
from .sources.stand_in import Invent, StandIn
from .values import Field, Terms

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = structlog.get_logger()

PREFIX: Final = "fusion.source."
TURN: Final = "fusion.sources"
"""Who changes a source looks at it first, so changes come one after the other, over all nodes."""

Table = Mapping[str, Any]
"""A source as a table of the configuration has it, with its ``kind``."""

Origin = Literal["ready", "application", "configuration", "added"]


class UnknownSourceError(Exception):
    """There is no source of this name."""


class FixedSourceError(Exception):
    """The source was not added, so it is changed where it comes from."""


class ChangedSourceError(Exception):
    """The source is not as it was when whoever changes it looked at it. Says who changed it."""


class Entry(msgspec.Struct, frozen=True):
    """A source in the book. ``settings`` are without what is secret, whose names are in ``hidden``.

    One of the application is made by its own code: it has no kind and no settings. ``version`` is another one after
    each change of a source that was added; the others have none.
    """

    name: str
    origin: Origin
    kind: str = ""
    settings: dict[str, Any] | None = None
    hidden: tuple[str, ...] = ()
    version: str = ""


class _Kept(NamedTuple):
    """A source as the store has it."""

    settings: SourceSettings
    version: str


class Trial(NamedTuple):
    """What a source said when it was asked once, and what its author may not expect of how that came about."""

    values: dict[str, Value]
    hints: list[str]


class Book:
    """Puts sources into a collector. All but those that are added are there from the start and stay as they are.

    ``demo`` speaks for those that come ready, by their names, while there is nothing where they look. ``clock`` gives
    seconds since 1970. ``on_change`` is told when sources that were added are others than before.
    """

    def __init__(
        self,
        collector: Collector,
        around: Surroundings,
        store: Store | None,
        *,
        ready: Iterable[SourceSettings] = (),
        demo: Mapping[str, Invent] | None = None,
        given: Iterable[Source] = (),
        configured: Iterable[SourceSettings] = (),
        clock: Callable[[], float] = time.time,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._collector = collector
        self._around = around
        self._store = store
        self._clock = clock
        self._on_change = on_change
        self._entries: dict[str, Entry] = {}
        self._added: dict[str, _Kept] = {}
        self._left_out: dict[str, str] = {}
        """Those of them that cannot be collected beside the others, and why."""
        self._is_loaded = store is None
        self._turn = asyncio.Lock()
        for one in ready:
            source, invent = source_of(one, around), (demo or {}).get(one.name)
            collector.add(StandIn(source, invent, clock) if invent is not None else source, may_be_absent=True)
            self._entries[one.name] = _entry(one, "ready")
        for source in given:
            collector.add(source, may_be_absent=True)
            self._entries[source.terms.name] = Entry(source.terms.name, "application")
        for index, one in enumerate(configured):
            try:
                collector.add(source_of(one, around))
            except ValueError as error:
                raise ValueError(f"sources[{index}].{error}") from None
            self._entries[one.name] = _entry(one, "configuration")

    @property
    def folder(self) -> Path:
        """Where paths of sources begin."""
        return self._around.folder

    async def entries(self) -> list[Entry]:
        """All of them, as the store has them now. Raises ``StoreError``."""
        await self.load()
        return self._known()

    async def shown(self) -> tuple[list[Entry], bool]:
        """The same for who looks, and whether it is so now: while the store does not answer, it is what was so last.

        Raises ``StoreError`` where nothing is known.
        """
        try:
            async with prompt():
                await self.load()
        except StoreError:
            if not self._is_loaded:
                raise
            return self._known(), False
        return self._known(), True

    def _known(self) -> list[Entry]:
        added = [
            _entry(one.settings, "added", one.version) for name, one in self._added.items() if name not in self._entries
        ]
        return [*self._entries.values(), *added]

    async def load(self) -> None:
        """Take over what the store says.

        A source that may not be as it was kept, or cannot, is there as a failed one that says so. One whose name or
        value is another's by now is logged and left out. Both may be removed.
        """
        if self._store is None:
            return
        async with self._turn:
            async with self._store.reading() as transaction:
                rows = await settings.every(transaction, PREFIX)
            kept = {one.settings.name: one for row in rows if (one := _kept_in(row)) is not None}
            before = dict(self._added)
            for name in self._added.keys() - kept.keys():
                del self._added[name]
                if self._left_out.pop(name, None) is None:
                    await self._collector.remove(name)
            for name, one in kept.items():
                if name not in self._added or self._added[name].settings != one.settings or name in self._left_out:
                    await self._put(one.settings)
                self._added[name] = one
            self._added = dict(sorted(self._added.items()))
            self._is_loaded = True
            self._collector.arrange([*self._entries, *(name for name in self._added if name not in self._left_out)])
            if self._added != before and self._on_change is not None:
                self._on_change()

    async def _put(self, one: SourceSettings) -> None:
        """Have it collected in the place of the one that was, or leave out both."""
        is_there = one.name in self._added and one.name not in self._left_out
        try:
            if is_there:
                await self._collector.replace(self._made(one))
            else:
                self._collector.add(self._made(one))
            self._left_out.pop(one.name, None)
        except ValueError as error:
            if self._left_out.get(one.name) != str(error):
                log.warning("fusion_source_left_out", source=one.name, error=str(error))
            self._left_out[one.name] = str(error)
            if is_there:
                await self._collector.remove(one.name)

    def _made(self, one: SourceSettings) -> Source:
        """What was kept may not be allowed any more: a rule came, or a file became the server's own."""
        try:
            return self._source_of(one)
        except ValueError as error:
            return Refused(self._terms_of(one), f"{error}. It was kept before that was refused: change it or remove it")

    def _terms_of(self, one: SourceSettings) -> Terms:
        try:
            return source_of(one, self._around).terms
        except ValueError:
            return Terms(one.name, (Field(one.name),))

    async def test(self, table: Table) -> Trial:
        """Ask such a source once. Raises ``ValueError`` for wrong settings, ``ConflictError`` where one of its values

        is another's, ``SourceError`` where it gives nothing.
        """
        one = self._understood(table)
        source = self._source_of(one)
        try:
            self._check_free(source)
            values = await tried(source)
        finally:
            await source.close()
        return Trial(values, hints_of(one.fields, values) if isinstance(one, JsonFileSource | HttpJsonSource) else [])

    async def add(self, table: Table, *, by: str) -> Entry:
        """Raises ``ValueError`` for settings that are wrong, ``ConflictError`` where the name or a value is taken."""
        await self.load()
        one = self._understood(table)
        if one.name in self._entries or one.name in self._added:
            raise ConflictError(f"there is a source {one.name} already")
        return await self._keep(one, by=by, is_new=True)

    async def change(self, name: str, table: Table, *, by: str, seen: str | None = None) -> Entry:
        """Raises as ``add`` does, ``UnknownSourceError``, and ``FixedSourceError`` for one that was not added.

        With ``seen`` only if that is its present version, else ``ChangedSourceError``.
        """
        await self._check_added(name)
        return await self._keep(self._understood({**table, "name": name}), by=by, seen=seen)

    async def remove(self, name: str, *, by: str, seen: str | None = None) -> None:
        """Raises as ``change`` does."""
        await self._check_added(name)
        async with self._of_store().begin(alone=TURN) as transaction:
            await _check_seen(transaction, name, seen)
            await settings.remove(transaction, f"{PREFIX}{name}")
        log.info("fusion_source_removed", source=name, by=by)
        await self.load()

    async def _keep(self, one: SourceSettings, *, by: str, is_new: bool = False, seen: str | None = None) -> Entry:
        self._check_free(self._source_of(one))
        async with self._of_store().begin(alone=TURN) as transaction:
            await _check_seen(transaction, one.name, seen)
            key, value, version = f"{PREFIX}{one.name}", msgspec.json.encode(one), 0 if is_new else None
            kept = await settings.put(transaction, key, value, by=by, now=self._clock(), version=version)
        log.info("fusion_source_kept", source=one.name, by=by)
        await self.load()
        return _entry(one, "added", _version_of(kept))

    def _check_free(self, source: Source) -> None:
        """Raise ``ConflictError`` for a value that another source gives, before anything is written."""
        wanted = {field.name for field in source.terms.fields}
        for state in self._collector.states():
            taken = wanted.intersection(field.name for field in state.terms.fields)
            if taken and state.terms.name != source.terms.name:
                raise ConflictError(f"{min(taken)} is a value of the source {state.terms.name} already")

    async def _check_added(self, name: str) -> None:
        await self.load()
        if name in self._entries:
            raise FixedSourceError(name)
        if name not in self._added:
            raise UnknownSourceError(name)

    def _understood(self, table: Table) -> SourceSettings:
        """The settings in a table that came over the network, with what is secret and was left out as it was kept."""
        of_name = self._added.get(str(table.get("name", "")))
        kept = of_name.settings if of_name is not None else None
        known = msgspec.to_builtins(kept) if kept is not None else {}
        secrets = {name: known[name] for name in kept.secrets} if kept is not None else {}
        same_kind = known.get("kind") == table.get("kind")
        one: SourceSettings = msgspec.convert({**(secrets if same_kind else {}), **table}, type=SourceSettings)
        if same_kind and secrets.get("headers") and "headers" not in table and _host(one) != _host(kept):
            raise ValueError("headers: were given for another host, which alone gets them; give them again")
        return one

    def _source_of(self, one: SourceSettings) -> Source:
        return source_of(one, self._around, self._around.fence)

    def _of_store(self) -> Store:
        assert self._store is not None  # the routes that need one are there with one alone
        return self._store


def _entry(one: SourceSettings, origin: Origin, version: str = "") -> Entry:
    table = msgspec.to_builtins(one)
    hidden = [name for name in sorted(one.secrets) if table[name] and not (name == "url" and _is_bare(table[name]))]
    for name in hidden:
        del table[name]
    return Entry(one.name, origin, table.pop("kind"), table, tuple(hidden), version)


def _is_bare(url: str) -> bool:
    """Whether an address says no more than where something is: no user, no password, and no query with a key."""
    return not any(mark in url for mark in "@?#")


def _host(one: SourceSettings | None) -> str:
    return urlsplit(getattr(one, "url", "")).netloc


def _kept_in(row: settings.Setting) -> _Kept | None:
    try:
        one: SourceSettings = msgspec.json.decode(row.value, type=SourceSettings)
    except msgspec.DecodeError as error:
        log.warning("fusion_source_left_out", source=row.key.removeprefix(PREFIX), error=str(error))
        return None
    return _Kept(one, _version_of(row))


def _version_of(row: settings.Setting) -> str:
    """The count alone begins anew for a source that was removed and added again."""
    return f"{row.version}-{round(row.changed_at * 1000)}"


async def _check_seen(transaction: "AsyncConnection", name: str, seen: str | None) -> None:
    """Raise unless the source is still at that version; ``None`` is any."""
    if seen is None:
        return
    row = await settings.get(transaction, f"{PREFIX}{name}")
    if row is None:
        raise UnknownSourceError(name)
    if _version_of(row) != seen:
        raise ChangedSourceError(f"{name} was changed by {row.changed_by} meanwhile")
