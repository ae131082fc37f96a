"""Exchanges: what goes on between one client and the application beyond a request and its reply.

Questions that the server asked and the client has yet to answer, streams of results to the client, and streams that the
client feeds. Most clients have none. All of it is bounded, and ends with the client.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.commands import Answer, StreamEnd, StreamItem
from vagus.kernel.errors import AnswerError, BrokerError, DisconnectError, RefusedError
from vagus.kernel.events import Event, packed, unpacked
from vagus.kernel.replies import CallResult

from .journal import log
from .steps import begin

if TYPE_CHECKING:
    from .client import Client
    from .functions import Result

MAX_QUESTIONS: Final = 256
MAX_STREAMS: Final = 32
"""In each direction."""
BUFFER: Final = 10
"""Items of a stream that the application may lag behind before the client is not read from, as clients expect it."""

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BrokenOffError(AnswerError):
    """A stream of the client's that it broke off. Where the application lets that pass, nobody but the client erred."""


_GONE: Final = StreamEnd(0, "the client is gone")
_OVER: Final = StreamEnd(0, "the call that it was for is over")


class Exchanges:
    """Those of one client."""

    __slots__ = ("_calls", "_client", "_drained", "_fed", "_questions", "_results", "_serial")

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._serial = 0
        self._questions: dict[int, asyncio.Future[Answer]] = {}
        self._fed: dict[int, FedStream] = {}
        self._results: dict[int, asyncio.Task[None]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._drained: asyncio.Event | None = None

    @property
    def are_under_way(self) -> bool:
        """Whether a question, a call or a stream of results has yet to end."""
        return bool(self._questions or self._calls or self._results)

    # questions

    async def ask(self, event: Event, timeout_s: float) -> list[Any]:
        """Ask the client and return the arguments of its answer.

        Raises ``AnswerError`` for an error of its own or an answer that cannot be read, ``TimeoutError``, and
        ``RefusedError`` where it cannot answer or is gone.
        """
        dialogue = self._client.dialogue
        if dialogue is None or not self._client.is_connected:
            raise RefusedError(codes.NOT_AVAILABLE)
        if len(self._questions) >= MAX_QUESTIONS:
            raise RefusedError(codes.TOO_MANY_REQUESTS)
        self._serial += 1
        number = self._serial
        future: asyncio.Future[Answer] = self._client.hub.loop.create_future()
        self._questions[number] = future
        try:
            self._client.enqueue(dialogue.question(number, event))
            async with asyncio.timeout(timeout_s):
                answer = await future
        finally:
            self._questions.pop(number, None)
        if answer.error is not None:
            raise AnswerError(answer.error)
        try:
            return list(unpacked(answer.arguments, answer.attachments))
        except _UNREADABLE as error:
            raise AnswerError(f"the answer cannot be read: {error}") from None

    # what comes in

    def take(self, command: Answer | StreamItem | StreamEnd) -> None:
        """What belongs to nothing that is known is ignored: it may have ended a moment ago."""
        match command:
            case Answer(number):
                future = self._questions.get(number)
                if future is not None and not future.done():
                    future.set_result(command)
            case StreamItem(number) | StreamEnd(number):
                stream = self._fed.get(number)
                if stream is not None:
                    stream.take(command)

    def expect(self, streams: tuple[int, ...]) -> None:
        """An invocation announced streams. Raises ``DisconnectError`` for too many, or one that is there already."""
        for number in streams:
            if number in self._fed:
                raise DisconnectError(codes.MALFORMED)
            if len(self._fed) >= MAX_STREAMS:
                raise DisconnectError(codes.TOO_MANY)
            self._fed[number] = FedStream(self._client)

    def fed(self, number: int) -> "FedStream":
        return self._fed[number]

    def forget(self, streams: tuple[int, ...]) -> None:
        """The invocation that they were for is over, or never came to anything."""
        for number in streams:
            stream = self._fed.pop(number, None)
            if stream is not None:
                stream.take(_OVER)
        self._client.reconsider_reading()

    @property
    def is_full(self) -> bool:
        """Whether some stream has more than the application has asked for."""
        return any(stream.is_full for stream in self._fed.values())

    def attend(self, number: int, call: Coroutine[Any, Any, "Result"], streams: tuple[int, ...]) -> None:
        """Answer a call that streams feed once it is over, without holding up what the client sends meanwhile."""
        rest = begin(self._answer_later(number, call, streams))
        if rest is not None:
            task = self._client.hub.spawn(rest)
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _answer_later(self, number: int, call: Coroutine[Any, Any, "Result"], streams: tuple[int, ...]) -> None:
        client = self._client
        reply: CallResult | codes.Fault
        try:
            result = await call
            reply = CallResult(result.data, result.attachments)
        except DisconnectError as error:
            client.disconnect(error.closure)
            return
        except Exception as error:
            reply = self._fault_of(error, "command_failed")
        finally:
            self.forget(streams)
        if client.is_connected:
            client.reply(number, reply)

    def _fault_of(self, error: Exception, event: str) -> codes.Fault:
        """What is answered when a function of the application has failed. Logs what is no doing of the client's."""
        match error:
            case RefusedError():
                return error.fault
            case BrokenOffError():
                return codes.Fault(codes.BAD_REQUEST.code, f"bad request: {error}")
            case BrokerError():
                log.warning("broker_failed", command="Invoke", error=str(error))
                return codes.UNAVAILABLE
        log.error(event, command="Invoke", client=self._client.id, exc_info=error)
        return codes.INTERNAL

    # streams of results

    def start(self, number: int, values: AsyncIterator[Any], streams: tuple[int, ...]) -> None:
        """Send what the application gives, as fast as the client takes it. ``streams`` are those that feed it."""
        if len(self._results) >= MAX_STREAMS or number in self._results:
            self.forget(streams)
            raise RefusedError(codes.LIMIT_EXCEEDED)
        task = self._client.hub.spawn(self._send_all(number, values, streams))
        self._results[number] = task

    def cancel(self, number: int) -> None:
        """The client wants no more of a stream."""
        task = self._results.get(number)
        if task is not None:  # later, since a task that has not begun yet would be gone without a word
            self._client.hub.loop.call_soon(task.cancel)

    async def _send_all(self, number: int, values: AsyncIterator[Any], streams: tuple[int, ...]) -> None:
        client, fault = self._client, None
        dialogue = client.dialogue
        assert dialogue is not None
        try:
            async for value in values:
                item, attachments = packed(value)
                client.enqueue(dialogue.item(number, item, attachments))
                await self._pace()
        except asyncio.CancelledError:
            pass  # by the client, or since it is gone
        except DisconnectError as error:
            del self._results[number]  # this task, which has yet to close what the values come from
            client.disconnect(error.closure)
        except Exception as error:
            fault = self._fault_of(error, "stream_failed")
        finally:
            self._results.pop(number, None)
            self.forget(streams)
            if client.is_connected:
                client.enqueue(dialogue.end(number, fault))
            await self._close(values)

    async def _close(self, values: AsyncIterator[Any]) -> None:
        close = getattr(values, "aclose", None)
        if close is None:
            return
        try:
            await close()
        except Exception:
            log.exception("stream_failed", client=self._client.id)

    async def _pace(self) -> None:
        """One item a tick at most, and none while the client takes nothing."""
        await asyncio.sleep(0)
        while not self._client.flowing and self._client.is_connected:
            if self._drained is None:
                self._drained = asyncio.Event()
            self._drained.clear()
            await self._drained.wait()

    def go_on(self) -> None:
        """The client takes more again."""
        if self._drained is not None:
            self._drained.set()

    def close(self) -> None:
        """The client is gone."""
        for future in self._questions.values():
            if not future.done():
                future.set_exception(RefusedError(codes.NOT_AVAILABLE))
        for task in self._results.values():
            task.cancel()
        for task in self._calls:  # that nothing more comes ends most of them
            self._client.hub.loop.call_later(self._client.hub.limits.answer_s, task.cancel)
        for stream in self._fed.values():
            stream.take(_GONE)
        self.go_on()


class FedStream:
    """A stream that the client feeds, for the application to iterate over. A broken one raises ``AnswerError``."""

    __slots__ = ("_client", "_end", "_items", "_news")

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._items: deque[StreamItem] = deque()
        self._end: StreamEnd | None = None
        self._news = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return len(self._items) >= BUFFER

    def take(self, command: StreamItem | StreamEnd) -> None:
        if self._end is not None:
            return
        if isinstance(command, StreamItem):
            self._items.append(command)
        else:
            self._end = command
        self._news.set()
        self._client.reconsider_reading()

    def __aiter__(self) -> "FedStream":
        return self

    async def __anext__(self) -> Any:
        while not self._items:
            if self._end is not None:
                if self._end.error:
                    raise BrokenOffError(self._end.error)
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        taken = self._items.popleft()
        self._client.reconsider_reading()
        try:
            return unpacked(taken.item, taken.attachments)
        except _UNREADABLE as error:
            reason = f"bad request: an item of the stream: {error}"
            raise RefusedError(codes.Fault(codes.BAD_REQUEST.code, reason)) from None
