"""A channel's stream: its last publications in order, each with its offset, and what a client that returns has missed.

The rule that clients rely on: they get every publication once and in order, or they are told that they did not. So a
recovery is whole or refused, never a part.
"""

import sys
import uuid
from collections import deque
from itertools import islice

import msgspec

from .publications import Position, Publication


class Query(msgspec.Struct, frozen=True):
    """Which part of a stream. ``limit`` 0 asks for the position alone, ``None`` for everything."""

    limit: int | None = 0
    since: Position | None = None
    reverse: bool = False


class Page(msgspec.Struct, frozen=True):
    """Part of a stream, and the position of its top."""

    publications: tuple[Publication, ...]
    top: Position


def new_epoch() -> str:
    return uuid.uuid4().hex[:8]


class Stream:
    """One channel's history in memory. Its content expires as a whole, ``ttl_s`` after the last publication;

    its position outlives that by as long as its keeper holds the stream, so that who returns is told the truth.
    """

    __slots__ = ("_publications", "epoch", "expires_at", "top", "version", "version_epoch")

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.top = 0
        self.version = 0
        self.version_epoch = ""
        self.expires_at = 0.0
        self._publications: deque[Publication] = deque()

    @property
    def position(self) -> Position:
        return Position(self.top, self.epoch)

    def is_outdated(self, version: int, version_epoch: str) -> bool:
        """Whether a publication of this version came too late. Notes the version if it did not."""
        if not version:
            return False
        if version_epoch == self.version_epoch and version <= self.version:
            return True
        self.version, self.version_epoch = version, version_epoch
        return False

    def append(self, publication: Publication, size: int, expires_at: float) -> None:
        """Add what already carries the offset ``top + 1``."""
        if publication.offset != self.top + 1:
            raise ValueError(f"offset {publication.offset} does not follow {self.top}")
        self.top = publication.offset
        self.expires_at = expires_at
        self._publications.append(publication)
        while len(self._publications) > size:
            self._publications.popleft()

    def expire(self, now: float) -> None:
        """Forget the content if its time is over. The position stays."""
        if self._publications and now >= self.expires_at:
            self._publications.clear()

    def clear(self) -> None:
        self._publications.clear()

    def page(self, query: Query, now: float) -> Page:
        self.expire(now)
        if query.limit == 0:
            return Page((), self.position)
        limit = None if query.limit is None else min(query.limit, sys.maxsize)
        return Page(tuple(islice(self._select(query), limit)), self.position)

    def _select(self, query: Query) -> "deque[Publication] | list[Publication]":
        kept = self._publications
        if query.since is None:
            return deque(reversed(kept)) if query.reverse else kept
        first = kept[0].offset if kept else self.top + 1
        if query.reverse:
            older = max(0, min(len(kept), query.since.offset - first))
            return list(islice(kept, older))[::-1]
        skipped = min(len(kept), max(0, query.since.offset + 1 - first))
        return list(islice(kept, skipped, None))


def missed(page: Page, since: Position) -> tuple[Publication, ...] | None:
    """What a client at ``since`` has missed, given all that is kept after that offset; ``None`` if that is not certain.

    An empty epoch means that the client knew none: it takes the stream as it is.
    """
    if since.epoch and since.epoch != page.top.epoch:
        return None
    if not page.publications:
        return () if since.offset == page.top.offset else None
    whole = page.publications[0].offset == since.offset + 1 and page.publications[-1].offset == page.top.offset
    return page.publications if whole else None


def latest(page: Page, since: Position | None) -> tuple[Publication, ...] | None:
    """What a client of a cache channel needs: nothing if it is at the top, else the newest publication.

    ``page`` holds the newest publication, if any is kept. ``None`` if the client's state is old and nothing is kept.
    """
    if since is not None and since == page.top:
        return ()
    return page.publications[-1:] or None
