"""Records in a stream of bytes: a chunk may hold several, or parts of one. What is not whole yet is kept, in bounds.

In JSON a record ends with a separator; in MessagePack its length goes before it, seven bits a byte, the lowest first.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError

SEPARATOR: Final = b"\x1e"

MAX_PREFIX: Final = 5
"""Bytes of a length."""


class Records(Protocol):
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The records that are whole now. Raises ``DisconnectError`` for one that is too large, before it is kept."""
        ...


class SeparatedRecords:
    __slots__ = ("_bound", "_rest")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._rest: bytearray | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        *whole, rest = chunk.split(SEPARATOR)
        if whole and self._rest is not None:
            whole[0] = bytes(self._rest + whole[0])
            self._rest = None
        for record in whole:
            self._check(len(record))
            yield record
        if rest:
            self._keep(rest)

    def _keep(self, rest: bytes) -> None:
        if self._rest is None:
            self._rest = bytearray()
        self._rest += rest
        self._check(len(self._rest))

    def _check(self, length: int) -> None:
        if length > self._bound:
            raise DisconnectError(codes.MALFORMED)


class PrefixedRecords:
    __slots__ = ("_bound", "_due", "_rest")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._rest: bytearray | None = None
        self._due = 0
        """How much the rest must be before it is worth another look."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if self._rest is not None:
            self._rest += chunk
            if len(self._rest) < self._due:
                return
            chunk, self._rest = bytes(self._rest), None
        at, end = 0, len(chunk)
        while at < end:
            prefix, length = self._length(chunk, at)
            last = at + prefix + length
            if not prefix or last > end:
                self._rest, self._due = bytearray(chunk[at:]), last - at
                return
            yield chunk[at + prefix : last]
            at = last

    def _length(self, chunk: bytes, at: int) -> tuple[int, int]:
        """How many bytes the prefix has and how long the record is; of a prefix that is not whole, 0 and 0."""
        length = 0
        for place, byte in enumerate(chunk[at : at + MAX_PREFIX]):
            length |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if length > self._bound:
                    raise DisconnectError(codes.MALFORMED)
                return place + 1, length
        if len(chunk) - at >= MAX_PREFIX:
            raise DisconnectError(codes.MALFORMED)
        return 0, 0


def separated(record: bytes) -> bytes:
    return record + SEPARATOR


def prefixed(*pieces: bytes) -> bytes:
    """A record of pieces with its length."""
    length = sum(map(len, pieces))
    if length < 0x80:
        return b"".join((bytes((length,)), *pieces))
    prefix = bytearray()
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return b"".join((prefix, *pieces))


def count_separated(payload: bytes) -> int:
    """How many records whole ones joined are."""
    return payload.count(SEPARATOR)


def count_prefixed(payload: bytes) -> int:
    count = at = 0
    end = len(payload)
    while at < end:
        length = shift = 0
        while payload[at] >= 0x80:
            length |= (payload[at] & 0x7F) << shift
            shift += 7
            at += 1
        at += 1 + (length | payload[at] << shift)
        count += 1
    return count
