"""One connection to one Redis: the commands of a tick in one write, answers in order, one timer.

A link is used until it is lost, once and for good; ``keeping`` makes new ones. It knows no slots and no scripts. What
it is given to do fails with ``BrokerError`` at once where it cannot be sent, and with ``LostError`` where it was sent
and nobody can say any more what became of it.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis

from vagus.kernel.errors import BrokerError

from . import Word

WAITING: Final = 65_536
"""Commands that may wait for their answers on one link."""

UNSENT_BYTES: Final = 64 << 20
"""What may wait to be written, beyond which a link takes no more commands."""

UNREAD_BYTES: Final = 256 << 20
"""How long one answer may be."""

LOOKS: Final = 5
"""How often within the time that an answer may take it is looked whether one is overdue."""

USELESS: Final = frozenset({"READONLY", "MASTERDOWN", "LOADING", "NOAUTH"})
"""Answers after which a link is given up: what it leads to is no master that serves, or does not know us any more."""

CONFIRMATIONS: Final = frozenset({b"subscribe", b"unsubscribe", b"ssubscribe", b"sunsubscribe"})

_WITHIN: Final = re.compile(r"@user_script: ?[0-9]+: -?([A-Z]{2,}) ")
"""Redis 6.2 hides the code of an error that a script ran into in its text."""


class ReplyError(BrokerError):
    """Redis refused a command. ``code`` is the first word of what it says, such as NOSCRIPT, MOVED or OOM."""

    def __init__(self, text: str) -> None:
        text = text.partition(", with args")[0]  # the rest of what is said of an unknown command is data
        super().__init__(f"Redis answered: {text}")
        code, _, self.detail = text.partition(" ")
        within = _WITHIN.search(text) if code == "ERR" else None
        self.code = within[1] if within is not None else code


class LostError(BrokerError):
    """The connection went before the answer came: what was asked for may have been carried out."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; what was asked for may have been carried out")


class Link(asyncio.Protocol):
    """A connection for commands, in RESP2. ``lost`` is done, with the reason, when it is gone."""

    def __init__(self, place: str, timeout_s: float) -> None:
        self.place = place
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._timeout_s = timeout_s
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(replyError=ReplyError)
        self._pile: list[bytes] = []
        self._unsent = 0
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._answered = 0
        self._is_quiet = False
        self._looks: deque[int] = deque(maxlen=LOOKS)
        self._timer: asyncio.TimerHandle | None = None
        self._reason = f"the connection to Redis at {place} was closed"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timer = self._loop.call_later(self._timeout_s / LOOKS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._reason = f"the connection to Redis at {self.place} was lost: {exc}"
        self._end()

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    @property
    def peer(self) -> Any:
        """The address that the place has led to."""
        return None if self._transport is None else self._transport.get_extra_info("peername")

    def send(self, words: tuple[Word, ...]) -> asyncio.Future[Any]:
        """Send a command at the end of the tick. Nothing is left to do for a caller who stops waiting."""
        self._expect_room(1)
        return self._put(words)

    def send_all(self, commands: list[tuple[Word, ...]]) -> list[asyncio.Future[Any]]:
        """Send these with no other command between them, all or none."""
        self._expect_room(len(commands))
        return [self._put(words) for words in commands]

    def _expect_room(self, count: int) -> None:
        if self._transport is None:
            raise BrokerError(self._reason)
        if len(self._waiting) + count > WAITING or self._unsent > UNSENT_BYTES:
            raise BrokerError(f"too much waits for Redis at {self.place} already")

    def _put(self, words: tuple[Word, ...]) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        if not self._pile:
            self._loop.call_soon(self._flush)
        packed = hiredis.pack_command(words)  # type: ignore[arg-type]  # the stub says a tuple of one word
        self._unsent += len(packed)
        self._pile.append(packed)
        self._waiting.append(future)
        return future

    def _flush(self) -> None:
        pile, self._pile = self._pile, []
        if self._transport is not None:
            self._transport.write(b"".join(pile))
            self._unsent = self._transport.get_write_buffer_size()

    def data_received(self, data: bytes) -> None:
        self._is_quiet = False
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                self._take(reply)
        except hiredis.ProtocolError:
            self.abort(f"what answers at {self.place} does not speak the protocol of Redis")
            return
        if self._reader.len() > UNREAD_BYTES:
            self.abort(f"an answer of Redis at {self.place} is too long")

    def _take(self, reply: Any) -> None:
        """The answer to the command that waits longest."""
        if not self._waiting:
            self.abort(f"Redis at {self.place} said what nobody had asked for")
            return
        future = self._waiting.popleft()
        self._answered += 1
        if isinstance(reply, ReplyError):
            _fail(future, reply)
            if reply.code in USELESS:
                self.abort(f"Redis at {self.place} does not serve: {reply.code} {reply.detail}")
        elif not future.done():
            future.set_result(reply)

    def _look(self) -> None:
        """Give up where what was sent ``LOOKS`` looks ago still waits, and ask where nothing is said.

        Time in which this process itself was held up counts as one look and not against Redis.
        """
        if len(self._looks) == LOOKS and self._looks[0] > self._answered:
            self.abort(f"Redis at {self.place} did not answer within {self._timeout_s:g} s")
            return
        if self._is_quiet and not self._waiting:
            self._put((b"PING",))
        self._is_quiet = True
        self._looks.append(self._answered + len(self._waiting))
        self._timer = self._loop.call_later(self._timeout_s / LOOKS, self._look)

    def abort(self, reason: str) -> None:
        """Give the link up without waiting for anything. What waits for an answer fails."""
        transport = self._transport
        if transport is not None:
            self._reason = reason
            self._end()
            transport.abort()

    def _end(self) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if not self.lost.done():
            self.lost.set_result(self._reason)
        while self._waiting:
            _fail(self._waiting.popleft(), LostError(self._reason))


def _fail(future: asyncio.Future[Any], error: BrokerError) -> None:
    """Nobody may be waiting any more, which is no reason to complain that the error was never looked at."""
    if not future.done():
        future.set_exception(error)
        future.exception()


class ListeningLink(Link):
    """A connection that hears channels. Commands for channels are answered once for each of these, or with one error.

    ``moved`` is called with this link and a channel that Redis takes away by itself, as it does when a slot goes
    elsewhere.
    """

    def __init__(
        self,
        place: str,
        timeout_s: float,
        heard: Callable[[bytes, bytes], None],
        moved: Callable[["ListeningLink", bytes], None],
    ) -> None:
        super().__init__(place, timeout_s)
        self._heard = heard
        self._moved = moved
        self._unconfirmed: deque[tuple[bytes, deque[bytes]]] = deque()
        """For each command that waits, how its confirmations begin and the channels that still lack one."""

    def send_channels(self, verb: bytes, channels: list[bytes]) -> asyncio.Future[Any]:
        """Send SUBSCRIBE, UNSUBSCRIBE or one of their sharded forms. Done when all channels are confirmed."""
        future = self.send((verb, *channels))
        self._unconfirmed[-1] = verb.lower(), deque(channels)
        return future

    def _put(self, words: tuple[Word, ...]) -> asyncio.Future[Any]:
        self._unconfirmed.append((b"", deque()))
        return super()._put(words)

    def _take(self, reply: Any) -> None:
        if type(reply) is list and len(reply) == 3:
            kind = reply[0]
            if kind == b"message" or kind == b"smessage":
                self._heard(reply[1], reply[2])
                return
            if type(kind) is bytes and kind in CONFIRMATIONS and not self._confirm(kind, reply[1]):
                return
        if self._unconfirmed:
            self._unconfirmed.popleft()
        super()._take(reply)

    def _confirm(self, kind: bytes, channel: bytes) -> bool:
        """Whether this was the last one for its command."""
        expected, channels = self._unconfirmed[0] if self._unconfirmed else (b"", deque[bytes]())
        if kind != expected or channels[0] != channel:
            if kind == b"sunsubscribe":
                self._moved(self, channel)
            return False
        channels.popleft()
        return not channels
