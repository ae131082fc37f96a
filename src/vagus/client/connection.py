"""One WebSocket to the server: requests out with numbers, their answers back, pushes to whoever opened it.

It does not come back when it is over, which ``LostError`` reports with its reason. One task reads; any may ask.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from ssl import SSLContext
from typing import Any, Final, Literal, NoReturn

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidProxy, WebSocketException
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from vagus.kernel.codes import Closure

from .errors import DisconnectError, NotConnectedError, ProtocolError, RefusedError
from .protocol import PONG, SUBPROTOCOL, Push, Reply, replies_from, request

OPEN_S: Final = 10.0
"""For a socket to open, and again for the server to welcome the client."""
CLOSE_S: Final = 2.0
"""For the server to say goodbye, before the socket is closed all the same."""
SILENCE_S: Final = 10.0
"""How much later than it said the server may ping before it is given up."""


_HAVE_RESULTS: Final = frozenset(Reply.__struct_fields__)


class LostError(Exception):
    """The connection is over, or there is none to be had. With ``error`` it is the end; it never leaves the package."""

    def __init__(self, reason: str, code: int = 0, error: Exception | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.error = error
        """Why not to come back, for the program; ``None`` where the client does."""


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """How a socket is opened. ``max_bytes`` is the largest message that is taken from the server."""

    url: str
    headers: Mapping[str, str] = {}
    ssl: SSLContext | None = None
    proxy: str | Literal[True] | None = True
    compression: bool = False
    max_bytes: int


class _Question(msgspec.Struct, frozen=True, eq=False):
    name: str
    size: int
    answered: asyncio.Future[Reply | LostError | ValueError]
    """A loss is a result here, so that one that nobody waits for any more is no failure that nobody looked at."""
    then: Callable[[Reply], None] | None


class Connection:
    """An open socket. ``on_push`` and the answers' own functions are called in the order of the lines that came."""

    def __init__(self, socket: ClientConnection, on_push: Callable[[Push], None], on_ask: Callable[[], None]) -> None:
        self._socket = socket
        self._on_push = on_push
        self._on_ask = on_ask
        self._asked: dict[int, _Question] = {}
        self._number = 0
        self._loss: LostError | None = None
        self._answers_pings = False
        self._patience_s = 0.0
        self._heard_at = 0.0
        self._is_paused = False
        self._is_silent = False
        self._watch: asyncio.TimerHandle | None = None

    @classmethod
    async def open(cls, wire: Wire, on_push: Callable[[Push], None], on_ask: Callable[[], None]) -> "Connection":
        """Raises ``LostError`` if nobody is there, or it takes no WebSockets. ``on_ask`` hears of each question."""
        options: dict[str, Any] = {} if wire.ssl is None else {"ssl": wire.ssl}
        try:
            socket = await connect(
                wire.url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                additional_headers=wire.headers,
                compression="deflate" if wire.compression else None,
                max_size=wire.max_bytes,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=None,  # the server pings, in the protocol's own way
                proxy=wire.proxy,
                **options,
            )
        except InvalidProxy as error:  # whose own text has the proxy's password
            reason = f"not a proxy that can be used: {error.msg}"
            raise LostError(reason, error=NotConnectedError(reason)) from None
        except (OSError, EOFError, WebSocketException) as error:
            raise LostError(f"no connection: {str(error) or type(error).__name__}") from None
        return cls(socket, on_push, on_ask)

    @property
    def is_over(self) -> bool:
        return self._loss is not None

    @property
    def awaits_answers(self) -> bool:
        return bool(self._asked)

    def expect_pings(self, interval_s: float, *, answer: bool) -> None:
        """From now on the server pings so often. One that falls silent is given up."""
        self._answers_pings = answer
        self._patience_s = interval_s + SILENCE_S if interval_s else 0.0

    async def ask(self, name: str, body: Mapping[str, Any], then: Callable[[Reply], None] | None = None) -> Reply:
        """Send a command and wait for its answer, which has the field of the command's name, but for ``unsubscribe``.

        ``then`` sees a good one before any later line is read. Raises ``RefusedError`` if it is refused, ``LostError``
        if no answer will come, ``ValueError`` for a call that was too large for the server. Cancelling forgets the
        question.
        """
        if self._loss is not None:
            raise self._loss
        self._number += 1
        number = self._number
        text = request(number, name, body)
        answered: asyncio.Future[Reply | LostError | ValueError] = asyncio.get_running_loop().create_future()
        self._asked[number] = _Question(name, len(text), answered, then)
        self._on_ask()
        try:
            with contextlib.suppress(LostError):  # which every question is answered with
                await self.send(text)
            reply = await answered
        finally:
            self._asked.pop(number, None)
        if isinstance(reply, LostError | ValueError):
            raise reply
        if reply.error is not None:
            raise RefusedError(reply.error)
        return reply

    async def tell(self, name: str, body: Mapping[str, Any]) -> None:
        """Send a command whose answer nobody waits for. Raises ``LostError``."""
        self._number += 1
        await self.send(request(self._number, name, body))

    async def send(self, text: str) -> None:
        """Send a frame. Raises ``LostError``; what was sent before that may or may not have arrived."""
        try:
            await self._socket.send(text)
        except ConnectionClosed as closed:
            raise self.lose(self._loss_from(closed)) from None

    def lose(self, loss: LostError) -> LostError:
        """From now on it is over, and nobody is answered any more. Returns what to raise: the loss that came first."""
        if self._loss is None:
            self._loss = loss
            if self._watch is not None:
                self._watch.cancel()
            for question in self._asked.values():
                if not question.answered.done():
                    question.answered.set_result(loss)
            self._asked.clear()
        return self._loss

    async def read(self, crowded: Collection[object], wait_for_room: Callable[[], Awaitable[None]]) -> NoReturn:
        """Read until it is over, which is a ``LostError``; while there is anybody in ``crowded`` nothing is read.

        So TCP holds the server back, whose own rule for slow clients then decides.
        """
        loop = asyncio.get_running_loop()
        receive = self._socket.recv
        self._heard_at = loop.time()
        self._look()
        loss = LostError("closed")  # if this task is cancelled
        try:
            while True:
                frame = await receive(decode=False)
                self._heard_at = loop.time()
                for reply in replies_from(frame):
                    if reply.push is not None:
                        self._on_push(reply.push)
                    elif reply.id:
                        self._hear(reply)
                    elif self._answers_pings:
                        await self.send(PONG)
                if crowded:
                    self._is_paused = True
                    await wait_for_room()
                    self._is_paused, self._heard_at = False, loop.time()
        except ConnectionClosed as closed:
            loss = self._loss_from(closed)
        except ProtocolError as error:
            loss = LostError(str(error), error=error)
        except LostError as error:
            loss = error
        finally:
            loss = self.lose(loss)
        raise loss

    async def close(self) -> None:
        """Say goodbye, and wait for the server's for a moment."""
        await self._socket.close()

    def _look(self) -> None:
        """Give up a server that has not been heard of for too long; look again when that could be."""
        loop = asyncio.get_running_loop()
        is_expected = self._patience_s and not self._is_paused
        left = self._heard_at + self._patience_s - loop.time() if is_expected else SILENCE_S
        if left > 0:
            self._watch = loop.call_later(left, self._look)
        else:
            self._is_silent = True
            self._socket.transport.abort()

    def _loss_from(self, closed: ConnectionClosed) -> LostError:
        """What to make of the end of a socket: who ended it and why, and whether to come back."""
        if self._is_silent:
            return LostError(f"the server has been silent for {self._patience_s:g} s")
        if closed.rcvd is None:
            if closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG:
                error = ProtocolError("the server sent a message larger than max_bytes")
                return LostError(str(error), closed.sent.code, error)
            return LostError("the connection broke off")
        closure = Closure(int(closed.rcvd.code), closed.rcvd.reason or "closed by the server")
        largest = max(self._asked.values(), key=lambda question: question.size, default=None)
        if closure.code != CloseCode.MESSAGE_TOO_BIG or largest is None or largest.name != "rpc":
            return loss_by(closure)
        # A call alone is refused for it. Whatever else was too large would be said again on the next connection.
        if not largest.answered.done():
            largest.answered.set_result(ValueError(f"{largest.size:,} characters are more than the server takes"))
        return LostError("a call was too large for the server", closure.code)

    def _hear(self, reply: Reply) -> None:
        if reply.id > self._number:
            raise ProtocolError(f"the server answers question {reply.id}, which was never asked")
        question = self._asked.pop(reply.id, None)
        if question is None or question.answered.done():
            return  # who asked has gone
        if reply.error is None:
            if question.name in _HAVE_RESULTS and getattr(reply, question.name) is None:
                raise ProtocolError(f"the server answers {question.name} with something else")
            if question.then is not None:
                question.then(reply)
        question.answered.set_result(reply)


def loss_by(closure: Closure) -> LostError:
    """The loss that a closure means."""
    is_final = not closure.reconnects or closure.code == CloseCode.MESSAGE_TOO_BIG
    return LostError(closure.reason, closure.code, DisconnectError(closure) if is_final else None)
