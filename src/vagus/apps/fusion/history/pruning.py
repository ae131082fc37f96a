"""Removing what is over: by age, and then, where it takes too much room, the oldest of the finest tier first.

How much room rows take is reckoned from their number: no database says it quickly, and none gives room back at once.
Cuts lie on full hours, so that no bucket is ever made anew from half of its points. A cut is marked before anything is
removed, and rows go a series at a time, so that points can be written in between. A machine whose clock has run ahead
removes nothing: what counts is the time of the newest point.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.settings.history import History as Settings
from vagus.store import Store

from .tables import DAY_MS, HOUR_MS, TURN, hours, minutes, points, series
from .tiers import HOURS, MINUTES, RAW, TIERS, Tier
from .writing import read_marks, roll_up, write_marks

ROW_BYTES: Final[Mapping[str, Mapping[str, int]]] = {
    "sqlite": {"raw": 23, "minutes": 60, "hours": 60},
    "postgresql": {"raw": 84, "minutes": 117, "hours": 117},
}
"""What a row takes with its key, measured with random numbers."""

LOT: Final = 5
"""Series from which rows are removed in one transaction: of two days at once a second in less than a second."""


class Pruned(msgspec.Struct, frozen=True):
    """What was removed, and about how much room the rest takes."""

    rows: int
    metrics: int
    bytes: int


class Room(msgspec.Struct, frozen=True):
    """How much room a tier takes between two times."""

    bytes: int
    first_ms: int
    last_ms: int


async def prune(store: Store, settings: Settings, now_ms: int) -> Pruned:
    """Remove what is over by age or size. The roll-ups are brought up to date before."""
    async with store.begin(alone=TURN) as transaction:
        await roll_up(transaction, now_ms)
        known = await read_marks(transaction)
    async with store.reading() as transaction:
        newest = await transaction.scalar(select(func.max(hours.c.at_ms)))
        if newest is None:
            return Pruned(0, 0, 0)
        cuts = by_age(settings, min(now_ms, newest + HOUR_MS))
        cuts = {tier: max(cut, known.since(tier)) for tier, cut in cuts.items()}
        rooms = {tier: await _room(transaction, tier, cuts[tier]) for tier in TIERS}
    rows, metrics = await _remove(store, by_size(cuts, rooms, settings.max_bytes))
    return Pruned(rows, metrics, min(sum(room.bytes for room in rooms.values()), settings.max_bytes))


def by_age(settings: Settings, end_ms: int) -> dict[Tier, int]:
    """What each tier begins with where it ends there; a coarser one never begins after a finer one."""
    raw = settings.raw_hours * HOUR_MS
    minutely = max(settings.minutes_days * DAY_MS, raw)
    hourly = max(settings.hours_days * DAY_MS, minutely)
    starts = {RAW: end_ms - raw, MINUTES: end_ms - minutely, HOURS: end_ms - hourly}
    return {tier: int(max(start, 0) // HOUR_MS) * HOUR_MS for tier, start in starts.items()}


def by_size(cuts: Mapping[Tier, int], rooms: Mapping[Tier, Room], max_bytes: int) -> dict[Tier, int]:
    """The same, so that all of it takes no more than that, as if what a tier holds were spread evenly over its time.

    The last hour of each stays. Where the guess is wrong, the next time mends it.
    """
    excess = sum(room.bytes for room in rooms.values()) - max_bytes
    result = dict(cuts)
    for tier, room in rooms.items():
        if excess > 0 and room.bytes > 0:
            share = min(excess / room.bytes, 1.0)
            cut = room.first_ms + share * (room.last_ms - room.first_ms)
            result[tier] = int(min(-(-cut // HOUR_MS) * HOUR_MS, room.last_ms // HOUR_MS * HOUR_MS))
            excess -= int(share * room.bytes)
    return result


async def _room(transaction: AsyncConnection, tier: Tier, start: int) -> Room:
    table = minutes if tier is MINUTES else hours
    rows = func.sum(hours.c.count) if tier is RAW else func.count()
    found = (
        await transaction.execute(
            select(rows, func.min(table.c.at_ms), func.max(table.c.at_ms)).where(table.c.at_ms >= start)
        )
    ).one()
    row_bytes = ROW_BYTES[transaction.dialect.name][tier.name]
    return Room(int(found[0] or 0) * row_bytes, found[1] or start, found[2] or start)


async def _remove(store: Store, cuts: Mapping[Tier, int]) -> tuple[int, int]:
    """Remove what is before the cuts, and metrics of which nothing is left; how many rows and metrics that were."""
    async with store.begin(alone=TURN) as transaction:
        await write_marks(transaction, {tier.name: cut for tier, cut in cuts.items()})
        numbers = (await transaction.execute(select(series.c.id))).scalars().all()
    rows = 0
    for start in range(0, len(numbers), LOT):
        async with store.begin(alone=TURN) as transaction:
            for tier, cut in cuts.items():
                table, lot = tier.table, numbers[start : start + LOT]
                gone = await transaction.execute(delete(table).where(table.c.series.in_(lot), table.c.at_ms < cut))
                rows += gone.rowcount
    async with store.begin(alone=TURN) as transaction:
        kept = (exists().where(table.c.series == series.c.id) for table in (points, minutes, hours))
        gone = await transaction.execute(delete(series).where(*(~one for one in kept)))
    return rows, gone.rowcount
