"""The connection of a client, made again whenever it is lost, and the one task that owns it.

Whatever goes on over a connection is a task of its group, so that nothing outlives it. ``states`` has the table of what
may follow what, ``retry`` the delays.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from vagus.kernel import codes

from .channels import Channels
from .connection import OPEN_S, Connection, LostError, Wire
from .errors import DataError, NotConnectedError, RefusedError, UnansweredError
from .outbox import METHOD, Outbox
from .protocol import Reply, Welcome
from .retry import Retry
from .states import Event, Status, after
from .tokens import AGAIN_S, TokenError, Tokens, renewal_s

BATCH_S: Final = 40.0
"""For a batch of publications to be answered, before it is sent again; the server answers within 30."""

# Not structlog, which prints where a program has not set it up: that is for the program to decide.
_log: Final = logging.getLogger("vagus.client")
_log.addHandler(logging.NullHandler())


class Lifeline:
    """``moved`` is set, and replaced by another one, whenever the status changes."""

    def __init__(
        self,
        wire: Wire,
        *,
        introduction: Mapping[str, Any],
        tokens: Tokens,
        retry: Retry,
        channels: Channels,
        outbox: Outbox,
    ) -> None:
        self.status = Status(since=time.time())
        self.moved = asyncio.Event()
        self._wire = wire
        self._introduction = introduction
        self._tokens = tokens
        self._retry = retry
        self._channels = channels
        self._outbox = outbox
        self._connection: Connection | None = None
        self._living: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._living is not None:
            raise ValueError("a client is started once")
        self._channels.refusal = None
        self._move("start")
        self._living = asyncio.create_task(self._live(), name="vagus.client")

    def insist_on_a_start(self) -> None:
        """Raise ``NotConnectedError`` before it: who waits would wait for ever."""
        if self._living is None and self._channels.refusal is not None:
            raise self._channels.refusal.with_traceback(None)

    async def close(self) -> None:
        closed = NotConnectedError("the client was closed")
        self._channels.stop(closed)
        try:
            if self._living is not None:
                self._living.cancel()
                await asyncio.wait((self._living,))
        finally:
            self._end(closed, is_quiet=True)
            self._move("close")

    async def connected(self) -> Connection:
        """The connection, as soon as there is one. Raises why there will be none."""
        while self._connection is None or self._connection.is_over:
            if self._channels.refusal is not None:
                raise self._channels.refusal.with_traceback(None)
            await self.moved.wait()
        return self._connection

    async def ask(self, name: str, body: Mapping[str, Any]) -> Reply:
        """Ask a question as soon as there is a connection. Raises ``UnansweredError`` if that is lost meanwhile."""
        connection = await self.connected()
        try:
            return await connection.ask(name, body)
        except LostError as lost:
            raise unanswered(lost) from None

    # the task

    async def _live(self) -> None:
        attempt = 0
        while True:
            loss = await self._session()
            if self.status.state == "connected":
                attempt = 0
            if loss.error is None and not self._retry.allows(attempt):
                loss = _given_up(loss, attempt)
            if loss.error is not None:
                _log.error("gave up: %s", loss.reason)
                self._end(loss.error)
                self._move("failed", reason=loss.reason, code=loss.code)
                return
            if loss.code == codes.STATE_INVALIDATED.code:
                self._channels.forget()
            delay_s = self._retry.delay_s(attempt, random.random)
            attempt += 1
            _log.warning("connection lost, trying again in %.1f s: %s", delay_s, loss.reason)
            self._move("lost", reason=loss.reason, code=loss.code, attempt=attempt, retry_at=time.time() + delay_s)
            await asyncio.sleep(delay_s)

    async def _session(self) -> LostError:
        """Connect, and do all there is to do until the connection is over. Returns why it is."""
        losses: list[LostError] = []
        try:
            await self._be_connected()
        except* LostError as group:
            losses += (error for error in _leaves(group) if isinstance(error, LostError))
        except* Exception as group:  # a bug of ours, which the program must hear of
            losses.append(LostError(str(group.exceptions[0]), error=_leaves(group)[0]))
        return next((loss for loss in losses if loss.error is not None), losses[0])

    async def _be_connected(self) -> NoReturn:
        token = await self._token()
        connection = await Connection.open(self._wire, self._channels.pushed, self._channels.asked)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.read(self._channels.crowded, self._channels.wait_for_room))
                welcome = await self._introduce(connection, token)
                connection.expect_pings(welcome.ping, answer=welcome.pong)
                self._connection = connection
                _log.info("connected as %s", welcome.client)
                self._move("welcomed", client=welcome.client)
                self._channels.begin(connection, tasks)
                tasks.create_task(self._publish(connection))
                if welcome.expires and self._tokens.can_renew:
                    tasks.create_task(self._renew(connection, welcome.ttl))
            raise AssertionError("reading ends with an error")
        finally:
            self._connection = None
            self._channels.pause()
            await connection.close()

    async def _token(self) -> str:
        try:
            return await self._tokens.current()
        except TokenError as error:
            raise LostError(str(error)) from None
        except RefusedError as error:
            raise LostError(error.fault.message, error.fault.code, error) from None

    async def _introduce(self, connection: Connection, token: str) -> Welcome:
        body = {**self._introduction, "subs": self._channels.positions()}
        if token:
            body["token"] = token
        try:
            async with asyncio.timeout(OPEN_S):
                reply = await connection.ask("connect", body, self._welcomed)
        except TimeoutError:
            raise LostError(f"the server has not answered within {OPEN_S:g} s") from None
        except RefusedError as error:
            raise self._refused(error) from None
        assert reply.connect is not None  # see ``Connection.ask``
        return reply.connect

    def _welcomed(self, reply: Reply) -> None:
        assert reply.connect is not None  # see ``Connection.ask``
        self._channels.welcomed(reply.connect.subs)

    def _refused(self, error: RefusedError) -> LostError:
        fault = error.fault
        if fault.code == codes.TOKEN_EXPIRED.code and self._tokens.can_renew:
            self._tokens.drop()
        elif not fault.temporary:
            return LostError(fault.message, fault.code, error)
        return LostError(fault.message, fault.code)

    async def _renew(self, connection: Connection, ttl_s: int) -> None:
        """Show the server a new token before each one expires."""
        delay_s = renewal_s(ttl_s)
        while True:
            await asyncio.sleep(delay_s)
            try:
                token = await self._tokens.renewed()
                reply = await connection.ask("refresh", {"token": token})
            except TokenError as error:
                _log.warning("no new token: %s", error)
                delay_s = AGAIN_S
            except RefusedError as error:
                raise connection.lose(self._refused(error)) from None
            else:
                assert reply.refresh is not None  # see ``Connection.ask``
                if not reply.refresh.expires:
                    return
                delay_s = renewal_s(reply.refresh.ttl)

    async def _publish(self, connection: Connection) -> None:
        """Send what waits, one batch after the other."""
        attempt = 0
        while True:
            batch = self._outbox.batch()
            if batch is None:
                await self._outbox.news.wait()
                continue
            fault = None
            try:
                async with asyncio.timeout(BATCH_S):
                    reply = await connection.ask("rpc", {"method": METHOD, "data": batch})
                assert reply.rpc is not None  # see ``Connection.ask``
                fault = self._outbox.answered(reply.rpc.data)
            except TimeoutError:
                fault = codes.UNAVAILABLE
            except RefusedError as error:
                if error.fault.temporary:
                    fault = error.fault
                else:
                    self._outbox.refused(error)
            except ValueError as error:
                self._outbox.refused(error)
            except DataError as error:
                self._outbox.failed(error)
            if fault is None:
                attempt = 0
            else:
                await asyncio.sleep(self._retry.delay_s(attempt, random.random))
                attempt += 1

    # inside

    def _end(self, error: Exception, *, is_quiet: bool = False) -> None:
        self._channels.end(error, quietly=is_quiet)
        self._outbox.close(error)

    def _move(self, event: Event, **facts: Any) -> None:
        self.status = Status(state=after(self.status.state, event), since=time.time(), **facts)
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()


def unanswered(lost: LostError) -> UnansweredError:
    """What a program is told that waits for an answer when the connection is lost."""
    return UnansweredError(f"the connection was lost before the answer came: {lost.reason}")


def _given_up(loss: LostError, attempts: int) -> LostError:
    reason = f"given up after {attempts} {'retry' if attempts == 1 else 'retries'}: {loss.reason}"
    return LostError(reason, loss.code, NotConnectedError(reason))


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
