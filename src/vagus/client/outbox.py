"""Publications on their way: one queue for all, in order, each made once, and kept while there is no connection.

They leave in batches, one at a time, by the server's call ``vagus.publish``. Each has a key, so that a batch whose
answer was lost is sent again and made once. Sans-I/O but for the futures that publishers wait for.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.codes import Fault
from vagus.kernel.publications import Json

from .errors import DataError, QueueFullError, RefusedError
from .messages import Receipt

METHOD: Final = "vagus.publish"
MOST: Final = 100
"""Publications in one batch; the server takes no more."""
MAX_BYTES: Final = 60_000
"""What a batch may take: the server's 64 KiB for a message, less the command around it."""
AROUND_ONE: Final = 16
"""Punctuation and names of fields that every publication has around it."""


class _Result(msgspec.Struct, frozen=True):
    offset: int = 0
    epoch: str = ""
    repeated: bool = False
    error: Fault | None = None


class _Results(msgspec.Struct, frozen=True):
    results: list[_Result]


_decode: Final = msgspec.json.Decoder(_Results).decode
_encode: Final = msgspec.json.Encoder().encode


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    body: Json
    size: int
    receipt: asyncio.Future[Receipt]


class Outbox:
    """What waits, oldest first. ``news`` is set while anything does."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError("queue: must hold at least one publication")
        self.news: Final = asyncio.Event()
        self._size = size
        self._waiting: deque[_Waiting] = deque()
        self._under_way: list[_Waiting] = []
        self._one_by_one = 0
        """How many at the head go alone, since the server took none of them together."""
        self._name = ""
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._under_way) + sum(not waiting.receipt.cancelled() for waiting in self._waiting)

    def put(self, channel: str, data: Json, tags: Mapping[str, str] | None, key: str | None) -> asyncio.Future[Receipt]:
        """Let one more wait. Raises ``QueueFullError``, and ``ValueError`` for one that is too large for any batch."""
        publication: dict[str, Any] = {"channel": channel, "data": data, "key": key or self._new_key()}
        if tags:
            publication["tags"] = tags
        body = _encode(publication)
        if len(body) + AROUND_ONE > MAX_BYTES:
            raise ValueError(f"a publication of {len(body):,} bytes: at most {MAX_BYTES - AROUND_ONE:,} can be sent")
        if not self._has_room():
            raise QueueFullError(f"{self._size} publications wait already")
        waiting = _Waiting(msgspec.Raw(body), len(body) + 1, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self.news.set()
        return waiting.receipt

    def batch(self) -> dict[str, Any] | None:
        """What to send next: the batch whose answer was lost, or a new one; nothing where nobody waits."""
        if not self._under_way:
            size, most = AROUND_ONE, 1 if self._one_by_one else MOST
            while self._waiting and len(self._under_way) < most:
                first = self._waiting[0]
                if first.receipt.cancelled():
                    self._waiting.popleft()
                    continue
                size += first.size
                if size > MAX_BYTES:
                    break
                self._under_way.append(self._waiting.popleft())
            self._one_by_one = max(0, self._one_by_one - 1)
        if not self._under_way:
            self.news.clear()
            return None
        return {"publications": [waiting.body for waiting in self._under_way]}

    def answered(self, data: Json) -> Fault | None:
        """Settle what was answered. Returns the fault for which the rest shall be sent again a little later, if any.

        Raises ``DataError`` for an answer that is none.
        """
        try:
            results = _decode(data).results
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(f"{METHOD}: {error}") from None
        for result in results[: len(self._under_way)]:
            if result.error is not None and result.error.temporary:
                self._put_back()
                return result.error
            _settle(self._under_way.pop(0), result)
        self._put_back()
        return None if results else codes.UNAVAILABLE

    def refused(self, error: Exception) -> None:
        """The server took none of the batch. One of several may have spoilt it for all, so they go one by one then."""
        if len(self._under_way) > 1:
            self._one_by_one = len(self._under_way)
            self._put_back()
        else:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """None of the batch can be made."""
        for waiting in self._under_way:
            if not waiting.receipt.done():
                waiting.receipt.set_exception(error)
        self._under_way.clear()

    def close(self, error: Exception) -> None:
        """Nothing will be made any more."""
        self._put_back()
        self._under_way, self._waiting = list(self._waiting), deque()
        self.failed(error)

    def _put_back(self) -> None:
        self._waiting.extendleft(reversed(self._under_way))
        self._under_way.clear()

    def _has_room(self) -> bool:
        """Those that were taken back are in the way until they are looked at: here, or at the head of the queue."""
        if len(self._waiting) + len(self._under_way) >= self._size:
            self._waiting = deque(waiting for waiting in self._waiting if not waiting.receipt.cancelled())
        return len(self._waiting) + len(self._under_way) < self._size

    def _new_key(self) -> str:
        if not self._name:  # not before: processes that are forked off from one that made a client would share it
            self._name = secrets.token_hex(8)
        return f"{self._name}-{next(self._numbers)}"


def _settle(waiting: _Waiting, result: _Result) -> None:
    if waiting.receipt.done():
        return
    if result.error is not None:
        waiting.receipt.set_exception(RefusedError(result.error))
    else:
        waiting.receipt.set_result(Receipt(result.offset, result.epoch, result.repeated))
