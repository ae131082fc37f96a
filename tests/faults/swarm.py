"""Clients of the native protocol that come back: many in one process, without a task for each.

A ``Client`` keeps one connection, goes to the next address when it is lost, and hands what comes to its ``Part``: a
``Subscriber``, which follows channels and writes what it sees and is told into the ledger, or a ``Speaker``, which
publishes. Some subscribers read slowly, or fall silent without closing.
"""

import asyncio
import json
import random
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, cast

from . import native
from .ledger import Began, Ended, Entry, Fate, Ledger, Mark, Position, Saw, Sent
from .native import Message

Address = tuple[str, int]
Addresses = Callable[[], Sequence[Address]]
"""Where the nodes are now."""
Clock = Callable[[], float]

CONNECT_S: Final = 3.0
"""How long connecting may take, and how long a command may go unanswered, before a client tries elsewhere."""

SILENCE_S: Final = 1.5
"""How much later than announced a ping may come before the connection counts as dead."""

FIRST_DELAY_S: Final = 0.05
LONGEST_DELAY_S: Final = 0.8

LOOK_S: Final = 0.2
"""How often the swarm looks for clients whose time is over."""


class Part(Protocol):
    """What a client does with its connection. Called on the loop."""

    def connected(self) -> None: ...

    def lost(self, why: str) -> None: ...

    def came(self, message: Message) -> None:
        """A reply or a push."""
        ...


class _Line(asyncio.Protocol):
    """One connection of a client. What comes for a line that the client has given up is not heard."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._incoming = native.Incoming()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._client.opened(self)

    def data_received(self, data: bytes) -> None:
        client = self._client
        if client.line is not self:
            return
        client.took(len(data))
        try:
            for message in self._incoming.feed(data):
                if client.line is self:
                    client.came(message)
        except native.ProtocolError as error:
            client.swarm.oddities.append(f"{client.name}: {error}")
            client.lose(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._client.line is self:
            self._client.lose(f"connection lost: {exc}" if exc else "connection closed")


class Client:
    """One connection after the other, to one address after the other. ``pace`` is how many bytes a second it reads."""

    def __init__(self, swarm: "Swarm", name: str, part: Part, rng: random.Random) -> None:
        self.swarm = swarm
        self.name = name
        self.line: _Line | None = None
        self.pace = 0
        self.connections = 0
        self.is_final = False
        """Whether the server told it never to come back."""
        self._part = part
        self._rng = rng
        self._address = rng.randrange(1 << 30)
        self._failures = 0
        self._is_connected = False
        self._is_silent = False
        self._deadline = float("inf")
        self._ping_s = 0.0
        self._numbers = 0
        self._waiting: dict[int, float] = {}
        self._due: asyncio.TimerHandle | None = None
        self._dialing: asyncio.Task[None] | None = None
        self._is_over = False

    # what its part does

    def start(self) -> None:
        self._dialing = asyncio.ensure_future(self._dial())

    def say(self, **body: Any) -> int:
        """Send a command; returns its number."""
        assert self.line is not None and self.line.transport is not None
        self._numbers += 1
        self._waiting[self._numbers] = self.swarm.clock() + CONNECT_S * self.swarm.patience
        self.line.transport.write(native.command(self._numbers, **body))
        return self._numbers

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something unless the connection is lost before."""
        line = self.line
        self.swarm.loop.call_later(delay_s, lambda: action() if self.line is line else None)

    def lose(self, why: str) -> None:
        """Give up the connection, and try another one soon."""
        line, self.line = self.line, None
        if line is not None and line.transport is not None:
            line.transport.abort()
        was_connected, self._is_connected = self._is_connected, False
        self._waiting.clear()
        self._deadline = float("inf")
        if was_connected:
            self._part.lost(why)
        self._failures += 1
        if self._due is not None:
            self._due.cancel()
        if self._is_over or self.is_final or self._is_silent:
            return
        longest = self.swarm.patience * min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(self._failures, 10))
        self._due = self.swarm.loop.call_later(self._rng.uniform(FIRST_DELAY_S / 2, longest), self.start)

    def slow_down(self, pace: int) -> None:
        """Read only so many bytes a second from now on, over a new connection with a small buffer."""
        self.pace = pace
        self.lose("slows down")

    def fall_silent(self) -> None:
        """From now on read nothing and answer nothing, as a laptop does that was closed."""
        self._is_silent = True
        if self.line is not None and self.line.transport is not None:
            self.line.transport.pause_reading()

    def wake(self) -> None:
        """Read at full speed again; whoever was silent finds the connection dead."""
        self.pace = 0
        if self._is_silent:
            self._is_silent = False
            self.lose("woke up")
        elif self.line is not None and self.line.transport is not None:
            self.line.transport.resume_reading()

    def end(self) -> None:
        self._is_over = True
        if self._due is not None:
            self._due.cancel()
        if self._dialing is not None:
            self._dialing.cancel()
        line, self.line = self.line, None
        if line is not None and line.transport is not None:
            line.transport.abort()

    # what its connection does

    async def _dial(self) -> None:
        addresses = self.swarm.addresses()
        self._address += 1
        host, port = addresses[self._address % len(addresses)]
        line = self.line = _Line(self)
        self._deadline = self.swarm.clock() + CONNECT_S * self.swarm.patience
        try:
            async with asyncio.timeout(CONNECT_S * self.swarm.patience):
                await self.swarm.loop.create_connection(lambda: line, host, port)
        except OSError as error:
            if self.line is line:
                self.lose(f"no connection: {error}")

    def opened(self, line: _Line) -> None:
        assert line.transport is not None
        if self.line is not line:
            line.transport.abort()
            return
        if self._is_silent:
            line.transport.pause_reading()
        if self.pace:
            line.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._numbers = 1
        self.connections += 1
        host, port = line.transport.get_extra_info("peername")[:2]
        line.transport.write(native.opening(host, port) + native.command(1, connect={"name": "swarm"}))

    def took(self, size: int) -> None:
        """So many bytes came. A slow reader rests as long as reading them should have taken."""
        if self._ping_s:
            self._deadline = self.swarm.clock() + self._ping_s + SILENCE_S * self.swarm.patience
        if self.pace and self.line is not None and self.line.transport is not None:
            transport = self.line.transport
            transport.pause_reading()
            self.later(size / self.pace, transport.resume_reading)

    def came(self, message: Message | native.Closed) -> None:
        if isinstance(message, native.Closed):
            self.is_final = any(message.code in codes for codes in native.FINAL_CODES)
            self.lose(f"closed: {message.code} {message.reason}")
            return
        if not message:
            assert self.line is not None and self.line.transport is not None
            self.line.transport.write(native.PONG_COMMAND)
            return
        self._waiting.pop(message.get("id", 0), None)
        if self._is_connected:
            self._part.came(message)
        elif "connect" in message:
            self._is_connected = True
            self._failures = 0
            self._ping_s = float(message["connect"].get("ping", 0))
            self._deadline = (
                self.swarm.clock() + self._ping_s + SILENCE_S * self.swarm.patience if self._ping_s else float("inf")
            )
            self._part.connected()
        else:
            self.lose(f"connect refused: {message}")

    def look(self, now: float) -> None:
        """Whether something should have come by now."""
        if self._is_silent or self.line is None or (self.pace and self._is_connected):
            return
        if now > self._deadline:
            self.lose("heard nothing")
        elif self._waiting and now > next(iter(self._waiting.values())):
            self.lose("a command was not answered")


class Swarm:
    """Clients of one process, the addresses that they know, and one watch over their deadlines."""

    def __init__(self, addresses: Addresses, ledger: Ledger, clock: Clock, *, patience: float = 1.0) -> None:
        self.addresses = addresses
        self.ledger = ledger
        self.clock = clock
        self.patience = patience
        """By what its clients multiply how long they wait: thousands that come at once have to queue."""
        self.loop = asyncio.get_running_loop()
        self.subscribers: list[Subscriber] = []
        self.speakers: list[Speaker] = []
        self.oddities: list[str] = []
        """What no server should send."""
        self.changed = asyncio.Event()
        """Set when a subscription began, the last publication of a channel came, or a speaker was answered."""
        self._looking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._look()

    def _look(self) -> None:
        now = self.clock()
        for client in self.clients:
            client.look(now)
        self._looking = self.loop.call_later(LOOK_S, self._look)

    @property
    def clients(self) -> list[Client]:
        return [subscriber.client for subscriber in self.subscribers] + [speaker.client for speaker in self.speakers]

    def subscriber(self, name: str, channels: Sequence[str], rng: random.Random) -> "Subscriber":
        subscriber = Subscriber(self, name, channels, rng)
        self.subscribers.append(subscriber)
        return subscriber

    def speaker(self, name: str, rng: random.Random) -> "Speaker":
        speaker = Speaker(self, name, rng)
        self.speakers.append(speaker)
        return speaker

    @property
    def reconnects(self) -> int:
        return sum(max(0, client.connections - 1) for client in self.clients)

    async def until(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until something holds of what the swarm knows; says whether it came to hold."""
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    self.changed.clear()
                    await self.changed.wait()
                    await asyncio.sleep(LOOK_S / 10)  # looking at thousands costs more than waiting for a few
        except TimeoutError:
            return False
        return True

    @property
    def is_all_on(self) -> bool:
        return all(subscriber.is_all_on for subscriber in self.subscribers)

    @property
    def has_all_finals(self) -> bool:
        return all(subscriber.has_all_finals for subscriber in self.subscribers)

    def end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        for client in self.clients:
            client.end()


class _Following:
    """One channel of a subscriber: where it stands, and its log."""

    __slots__ = ("is_on", "log", "position", "refusals")

    def __init__(self, log: list[Entry]) -> None:
        self.log = log
        self.position: Position | None = None
        self.is_on = False
        self.refusals = 0


class Subscriber:
    """Follows channels and recovers them; all it sees and is told is in the ledger."""

    def __init__(self, swarm: Swarm, name: str, channels: Sequence[str], rng: random.Random) -> None:
        self.client = Client(swarm, name, self, rng)
        self._swarm = swarm
        self._asked: dict[int, str] = {}
        self._rng = rng
        self._followed = {channel: _Following(swarm.ledger.log(channel, name)) for channel in channels}

    @property
    def channels(self) -> list[str]:
        return list(self._followed)

    @property
    def is_all_on(self) -> bool:
        return all(following.is_on for following in self._followed.values())

    @property
    def has_all_finals(self) -> bool:
        is_at_end = self._swarm.ledger.is_at_end
        return all(is_at_end(channel, following.position) for channel, following in self._followed.items())

    def connected(self) -> None:
        self._asked.clear()
        for channel in self._followed:
            self._ask(channel)

    def _ask(self, channel: str) -> None:
        request: dict[str, Any] = {"channel": channel, "recoverable": True}
        position = self._followed[channel].position
        if position is not None:
            request |= {"recover": True, "offset": position.offset, "epoch": position.epoch}
        self._asked[self.client.say(subscribe=request)] = channel

    def lost(self, why: str) -> None:
        for following in self._followed.values():
            self._off(following, why)

    def _off(self, following: _Following, why: str) -> None:
        if following.is_on:
            following.is_on = False
            following.log.append(Ended(self._swarm.clock(), why))

    def came(self, message: Message) -> None:
        if "push" in message:
            self._pushed(message["push"])
        elif (channel := self._asked.pop(message.get("id", 0), None)) is not None:
            if "error" in message:
                self._refused(channel, message["error"])
            else:
                self._began(channel, message["subscribe"])

    def _refused(self, channel: str, error: Message) -> None:
        following = self._followed[channel]
        if error.get("temporary") or error["code"] < 100:
            following.refusals += 1
            longest = min(0.2 * 2**following.refusals, 2.0) * self._swarm.patience
            self.client.later(self._rng.uniform(0.1, longest), lambda: self._ask(channel))
        else:
            following.log.append(Ended(self._swarm.clock(), f"refused: {error['code']}"))

    def _began(self, channel: str, reply: Message) -> None:
        following = self._followed[channel]
        since = following.position
        position = Position(reply.get("offset", 0), reply.get("epoch", ""))
        is_recovered = reply.get("recovered", False)
        following.log.append(Began(self._swarm.clock(), position, since, is_recovered))
        following.is_on = True
        following.refusals = 0
        following.position = position
        for publication in reply.get("publications", ()):
            self._saw(channel, following, publication)
        self._swarm.changed.set()

    def _pushed(self, push: Message) -> None:
        channel = push.get("channel", "")
        following = self._followed.get(channel)
        if following is None:
            return
        if "pub" in push:
            self._saw(channel, following, push["pub"])
        elif "unsubscribe" in push:
            code = push["unsubscribe"]["code"]
            self._off(following, f"unsubscribed: {code}")
            if code >= 2500:
                self.client.later(self._rng.uniform(0, 0.1), lambda: self._ask(channel))

    def _saw(self, channel: str, following: _Following, publication: Message) -> None:
        data, offset = publication["data"], publication.get("offset", 0)
        mark = Mark(data["by"], data["n"])
        following.log.append(Saw(self._swarm.clock(), offset, mark))
        if following.position is not None:
            following.position = Position(offset, following.position.epoch)
        if self._swarm.ledger.finals.get(channel) == mark:
            self._swarm.changed.set()


class Speaker:
    """Publishes over its own connection, several at once. What was under way when it was lost may have happened."""

    MOST_UNDER_WAY: Final = 8

    def __init__(self, swarm: Swarm, name: str, rng: random.Random) -> None:
        self.name = name
        self.client = Client(swarm, name, self, rng)
        self._swarm = swarm
        self._is_on = False
        self._under_way: dict[int, Sent] = {}

    def publish(self, channel: str, padding: str = "") -> None:
        """Publish if there is a connection that keeps up."""
        if not self._is_on or len(self._under_way) >= self.MOST_UNDER_WAY:
            return
        sent = self._swarm.ledger.begin(channel, self.name, self._swarm.clock())
        data = data_of(sent.mark, padding)
        self._under_way[self.client.say(publish={"channel": channel, "data": data})] = sent

    @property
    def is_idle(self) -> bool:
        return not self._under_way

    def connected(self) -> None:
        self._is_on = True

    def lost(self, why: str) -> None:
        self._is_on = False
        self._under_way.clear()

    def came(self, message: Message) -> None:
        sent = self._under_way.pop(message.get("id", 0), None)
        if sent is not None:
            sent.ended = self._swarm.clock()
            sent.fate = Fate.UNKNOWN if "error" in message else Fate.ACKNOWLEDGED
            self._swarm.changed.set()


def data_of(mark: Mark, padding: str = "") -> dict[str, Any]:
    return {"by": mark.writer, "n": mark.number} | ({"padding": padding} if padding else {})


def encoded(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
