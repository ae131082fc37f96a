"""A client: one live connection, its state, its subscriptions and what is on its way to it.

It knows neither sockets nor what commands mean: the gateway feeds it messages and says how its transport does; what a
command does is in ``answers``. Commands of one client are answered one after the other; those that arrive while an
answer waits for something wait behind it, up to a bound at which the client is no longer read from.
"""

import random
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from vagus.kernel import codes, states
from vagus.kernel.codes import Closure, Ending, Fault
from vagus.kernel.commands import Answer, Cancel, Command, Invoke, Pong, StreamEnd, StreamItem
from vagus.kernel.errors import DisconnectError
from vagus.kernel.identity import ANONYMOUS, Identity
from vagus.kernel.publications import NOTHING, ClientInfo
from vagus.kernel.rates import Bucket
from vagus.kernel.replies import Ended, Push, Reply
from vagus.kernel.states import Event, State
from vagus.wire import Conversation, Dialogue
from vagus.wire.encoding import Encoding

from .audience import Audience, Sent, Writes
from .exchanges import Exchanges
from .mailbox import Mailbox
from .membership import release
from .requests import Caller, Origin
from .steps import begin
from .subscription import Subscription

if TYPE_CHECKING:
    from .hub import Hub

NEVER: Final = float("inf")

OVERTAKING: Final = frozenset({Pong, Answer, StreamItem, StreamEnd, Cancel})
"""What does not wait behind a command that is being answered: it may be just what that one waits for."""


class Traffic(NamedTuple):
    """Messages and bytes from a client and to it, frames of WebSockets included, pings and headers not.

    What is sent counts when it is due, whether the transport has taken it, or the queue holds or dropped it.
    """

    received_messages: int
    received_bytes: int
    sent_messages: int
    sent_bytes: int


class Link(Protocol):
    """A client's connection, as the hub steers it. Its gateway calls ``pause`` and ``resume`` of the client as its

    transport fills and drains.
    """

    def close(self, closure: Closure) -> None:
        """Send what was written, then close in the way that the transport closes."""
        ...

    def abort(self, closure: Closure) -> None:
        """Close without waiting for what was written: the other side does not read it."""
        ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Client:
    """One connection. Small, since there are tens of thousands: everything that most clients lack is ``None``."""

    __slots__ = (
        "__weakref__",
        "_bucket",
        "_exchanges",
        "_is_busy",
        "_is_enlisted",
        "_is_unread",
        "_mailbox",
        "_outbox",
        "_waiting",
        "connected_at",
        "conversation",
        "dialogue",
        "encoding",
        "expires_at",
        "flowing",
        "hub",
        "id",
        "identity",
        "link",
        "next_ping",
        "origin",
        "pinging",
        "pong_by",
        "received_bytes",
        "received_messages",
        "section",
        "sent_bytes",
        "sent_messages",
        "session",
        "slot",
        "stale_at",
        "state",
        "subscriptions",
        "transport",
    )

    def __init__(
        self,
        hub: "Hub",
        link: Link,
        transport: Writes,
        encoding: Encoding,
        origin: Origin,
        *,
        conversation: Conversation | None = None,
        dialogue: Dialogue | None = None,
        section: str = "",
    ) -> None:
        """``section`` is the part of the hub's calls that it came for. A dialect that keeps something for each

        connection brings its ``dialogue``, or at least its ``conversation``; another one is its own.
        """
        now = hub.loop.time()
        self.hub = hub
        self.id = hub.new_client_id()
        self.link = link
        self.transport = transport
        self.encoding = encoding
        self.dialogue = dialogue
        self.conversation: Conversation = dialogue or conversation or encoding.dialect  # type: ignore[assignment]
        self.section = section
        self.session = ""
        """The secret by which its requests find it, where its transport has any; set before it says who it is."""
        self.origin = origin
        self.identity: Identity = ANONYMOUS
        self.state = State.NEW
        self.subscriptions: dict[str, Subscription] = {}
        self.connected_at = hub.now_ms()
        self.received_messages = self.received_bytes = 0
        self.sent_messages = self.sent_bytes = 0
        """Without what its audiences count; see ``traffic``."""
        self.pinging = hub.limits
        """What it is told of pings when it connects; it goes by that for as long as it stays, whatever changes."""
        self.flowing = True
        self.slot = 0
        self.stale_at = now + hub.limits.stale_s
        self.next_ping = NEVER
        self.pong_by = NEVER
        self.expires_at = NEVER
        self._outbox: list[bytes] = []
        self._mailbox: Mailbox | None = None
        self._waiting: deque[tuple[int, Command]] | None = None
        self._is_busy = False
        self._is_enlisted = False
        self._is_unread = False
        self._bucket: Bucket | None = None
        self._exchanges: Exchanges | None = None
        hub.wheel.set(self, self.stale_at)

    # what comes in

    def receive(self, message: bytes) -> None:
        """One message from the client: any number of commands."""
        if self.state is State.CLOSED or self.state is State.REFUSED:
            return
        self.count_received(len(message))
        self.take(self.conversation.decode(message))

    receive_binary = receive

    def count_received(self, size: int) -> None:
        """Note bytes that the client has sent."""
        self.received_bytes += size
        self.hub.figures.received_bytes += size

    def take(self, commands: Iterable[tuple[int, Command]]) -> None:
        """Commands with their numbers, in order."""
        try:
            for number, command in commands:
                self.received_messages += 1
                if type(command) is Invoke and command.streams:
                    self.exchanges.expect(command.streams)
                if self._is_busy and type(command) not in OVERTAKING:
                    self._wait(number, command)
                else:
                    self._answer(number, command)
        except DisconnectError as error:
            self.disconnect(error.closure)

    def receive_pong(self) -> None:
        """The transport's own answer to its own ping."""
        if self.pong_by != NEVER:
            self._take_pong()

    def _wait(self, number: int, command: Command) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((number, command))
        self.reconsider_reading()
        if len(self._waiting) > 16 * self.hub.limits.waiting_commands:  # one frame can bring more than the bound
            raise DisconnectError(codes.TOO_MANY)

    def reconsider_reading(self) -> None:
        """Read nothing more from the client while too much of what it sent waits."""
        is_full = len(self._waiting or ()) >= self.hub.limits.waiting_commands
        if self._exchanges is not None and not is_full:
            is_full = self._exchanges.is_full
        if is_full is self._is_unread or self.state is State.CLOSED:
            return
        self._is_unread = is_full
        if is_full:
            self.link.pause_reading()
        else:
            self.link.resume_reading()

    def _answer(self, number: int, command: Command) -> None:
        if self.state is State.CLOSED or self.state is State.REFUSED:
            return
        if type(command) not in states.ACCEPTS[self.state]:
            raise DisconnectError(codes.MALFORMED)
        if type(command) in OVERTAKING:
            self._overtake(command)
            return
        if not self.is_within_rates():
            self._forget_streams(command)
            self.reply(number, codes.TOO_MANY_REQUESTS)
            return
        rest = begin(self.hub.answer(self, number, command))
        if rest is not None:
            self._is_busy = True
            self.hub.spawn(rest).add_done_callback(self._go_on)

    def _overtake(self, command: Command) -> None:
        match command:
            case Pong():
                self._take_pong()
            case Cancel(number):
                if not self._is_withdrawn(number):
                    self.exchanges.cancel(number)
            case Answer() | StreamItem() | StreamEnd():
                self.exchanges.take(command)

    def _is_withdrawn(self, number: int) -> bool:
        """Whether the command to cancel was still waiting; then it is as if it never came, but for the end it gets."""
        for waiting in self._waiting or ():
            if waiting[0] == number and self._waiting is not None and self.dialogue is not None:
                self._waiting.remove(waiting)
                self._forget_streams(waiting[1])
                self.enqueue(self.dialogue.end(number, None))
                return True
        return False

    def _forget_streams(self, command: Command) -> None:
        """It comes to nothing, and neither does what would feed it."""
        if type(command) is Invoke and command.streams:
            self.exchanges.forget(command.streams)

    def is_within_rates(self) -> bool:
        """Count one thing that the client wants done. Says whether it may."""
        rate, of_users = self.hub.limits.commands, self.hub.user_buckets
        if rate is None and of_users is None:
            return True
        now = self.hub.loop.time()
        if rate is not None:
            if self._bucket is None:
                self._bucket = Bucket(rate, now)
            if not self._bucket.take(now):
                return False
        user = self.identity.user
        return of_users is None or not user or of_users.take(user, now)

    def _go_on(self, _: object) -> None:
        self._is_busy = False
        waiting = self._waiting
        if not waiting:
            return
        try:
            while waiting and not self._is_busy:
                self._answer(*waiting.popleft())
        except DisconnectError as error:
            self.disconnect(error.closure)
        self.reconsider_reading()

    def _take_pong(self) -> None:
        """Only a pong that was asked for counts, so that nobody looks alive by talking."""
        if self.pong_by == NEVER:
            raise DisconnectError(codes.MALFORMED)
        self.pong_by = NEVER
        self.set_timer()

    # what goes out

    def reply(self, number: int, reply: Reply) -> None:
        """Answer a command. Number 0 asked for no answer."""
        if isinstance(reply, Fault):
            self.hub.figures.faults[reply.code] += 1
        if number:
            self.enqueue(self.conversation.reply(number, reply))

    def push(self, push: Push) -> None:
        self.enqueue(self.conversation.push(push))

    def enqueue(self, part: bytes) -> None:
        """Put a part into the outbox, which is written as one message at the end of the tick. Nothing is no part."""
        if not part:
            return
        self._outbox.append(part)
        if not self._is_enlisted:
            self._is_enlisted = True
            self.hub.tick.enlist_client(self)

    def flush(self) -> None:
        self._is_enlisted = False
        if not self._outbox:
            return
        messages = self.encoding.messages(self._outbox)
        self.sent_messages += len(self._outbox)
        self._outbox.clear()
        for message in messages:
            self.sent_bytes += len(message)
            if self.flowing:
                self.transport.write(message)
            elif self.state is not State.CLOSED:
                self._put(message, None)

    def hold(self, messages: Sequence[bytes], audience: Audience) -> None:
        """Keep what an audience sends while the transport takes nothing. A closed client keeps nothing."""
        if self.state is State.CLOSED:
            return
        for message in messages:
            self._put(message, audience)

    def _put(self, message: bytes, audience: Audience | None) -> None:
        mailbox = self._mailbox
        if mailbox is None:
            mailbox = self._mailbox = Mailbox(self.hub.limits.queue_bytes)
            self.hub.lagging[self] = self.hub.loop.time()
        dropped = mailbox.dropped
        if audience is None:
            taken = mailbox.put(message)
        else:
            taken = mailbox.put(message, source=audience, when_slow=audience.when_slow, urgent=audience.urgent)
        self.hub.figures.dropped += mailbox.dropped - dropped
        if not taken:
            self.disconnect(codes.SLOW)

    def pause(self) -> None:
        """The transport takes no more for now."""
        self.flowing = False

    def resume(self) -> None:
        """The transport takes more: what was held goes first."""
        if self.state is State.CLOSED:
            return
        self.flowing = True
        mailbox = self._mailbox
        while mailbox and self.flowing:
            self.transport.write(mailbox.take())
        if not mailbox and mailbox is not None:
            self._mailbox = None
            self.hub.lagging.pop(self, None)
        if self._exchanges is not None and self.flowing:
            self._exchanges.go_on()

    def move(self, transport: Writes, encoding: Encoding) -> None:
        """Go on over another transport, in another encoding of the same dialect. Nothing is lost, repeated, reordered.

        What is due is written to the transport of before, which must take all of it, and hand on what nobody has read
        there. So the mailbox is emptied first: what comes out of the feeds cannot fill it any more.
        """
        self.resume()
        feeds = [s for s in self.subscriptions.values() if s.wishes is not None]
        departures = [subscription.depart(self) for subscription in feeds]
        self.flush()
        self.transport, self.encoding = transport, encoding
        for subscription, departure in zip(feeds, departures, strict=True):
            subscription.arrive(self, departure, self.encoding_for(subscription.channel))

    def encoding_for(self, channel: str) -> Encoding:
        """In which encoding this client follows a channel."""
        dialect = self.dialogue.dialect_for(channel) if self.dialogue is not None else None
        return self.encoding if dialect is None else self.encoding.framing.encoding(dialect)

    @property
    def is_at_work(self) -> bool:
        """Whether a command of it is being answered, or a question or stream is under way."""
        return self._is_busy or (self._exchanges is not None and self._exchanges.are_under_way)

    @property
    def exchanges(self) -> Exchanges:
        """Its questions and streams; made when the first one comes."""
        if self._exchanges is None:
            self._exchanges = Exchanges(self)
        return self._exchanges

    def credit(self, sent: Sent) -> None:
        self.sent_messages += sent.messages
        self.sent_bytes += sent.bytes

    @property
    def traffic(self) -> Traffic:
        """What came and went so far. About a microsecond for each subscription: not for the fast path."""
        messages, size = self.sent_messages, self.sent_bytes
        for subscription in self.subscriptions.values():
            wishes, notices = subscription.wishes, subscription.hears_join_leave
            if wishes is not None:
                sent = subscription.topic.sent_to(self, wishes)
                messages += sent.messages
                size += sent.bytes
            if notices is not None:
                sent = subscription.topic.notices_sent_to(self, notices)
                messages += sent.messages
                size += sent.bytes
        return Traffic(self.received_messages, self.received_bytes, messages, size)

    @property
    def queue_bytes(self) -> int:
        return self._mailbox.size if self._mailbox is not None else 0

    # its life

    def become(self, event: Event) -> None:
        self.state = states.after(self.state, event)

    @property
    def is_connected(self) -> bool:
        return self.state is State.CONNECTED

    @property
    def caller(self) -> Caller:
        return Caller(self.id, self.identity)

    def info(self, chan_info: object = NOTHING) -> ClientInfo:
        return ClientInfo(self.identity.user, self.id, self.identity.info, chan_info)  # type: ignore[arg-type]  # Raw

    def start_pinging(self) -> None:
        """The first ping comes at a random time, so that clients that came together are not pinged together."""
        interval = self.pinging.ping_interval_s
        self.stale_at = NEVER
        if interval and self.encoding.ping:
            self.next_ping = self.hub.loop.time() + interval * random.uniform(0.5, 1)
        self.set_timer()

    def set_timer(self) -> None:
        """Hang on the wheel at the earliest of what is due."""
        due = min(self.stale_at, self.next_ping, self.pong_by, self.expires_at)
        for subscription in self.subscriptions.values():
            if subscription.expires_at < due:
                due = subscription.expires_at
        if due != NEVER:
            self.hub.wheel.set(self, due)
        else:
            self.hub.wheel.unset(self)

    def on_due(self, now: float) -> None:
        if self.state is State.CLOSED:
            return
        now += 0.3  # the wheel's slot: what is due within it is due now
        if now >= self.pong_by and self._is_unread:
            self.pong_by = now + self.pinging.pong_timeout_s  # not read from for now, so its pong is not seen
        if now >= self.stale_at:
            self.disconnect(codes.STALE)
        elif now >= self.pong_by:
            self.disconnect(codes.NO_PONG)
        elif now >= self.expires_at:
            self.disconnect(codes.CONNECTION_EXPIRED)
        else:
            self._end_expired(now)
            if self.is_connected:
                if now >= self.next_ping:
                    self._ping(now)
                self.set_timer()

    def _end_expired(self, now: float) -> None:
        for subscription in [s for s in self.subscriptions.values() if now >= s.expires_at]:
            if subscription.is_attached:
                self.disconnect(codes.CLOSED_BY_SUBSCRIPTION)
                return
            self.end(subscription, codes.SUBSCRIPTION_EXPIRED)

    def _ping(self, now: float) -> None:
        self.next_ping = now + self.pinging.ping_interval_s
        if self.pong_by != NEVER:
            return  # at most one is outstanding
        self.pong_by = now + self.pinging.pong_timeout_s
        if self.flowing:
            self.transport.write(self.encoding.ping)
        elif (
            not self.encoding.pings_natively
        ):  # one of the transport's own cannot wait; who reads nothing is gone anyway
            self.enqueue(self.encoding.dialect.ping)

    def end(self, subscription: Subscription, ending: Ending) -> None:
        """End a subscription from the server's side and tell the client."""
        if self.subscriptions.get(subscription.channel) is not subscription:
            return
        self.hub.figures.endings[ending.code] += 1
        release(self.hub, self, subscription, settle=True)
        self.push(Ended(subscription.channel, ending, subscription.is_attached))
        self.set_timer()

    def disconnect(self, closure: Closure) -> None:
        """Close the connection from the server's side. What was due is sent first, unless the client does not read."""
        if self.state is State.CLOSED:
            return
        is_slow = closure is codes.SLOW
        self._leave(closure, settle=not is_slow)
        if is_slow:
            self.hub.figures.slow += 1
            self.link.abort(closure)
        else:
            self.link.close(closure)

    def refuse(self, number: int, fault: Fault) -> None:
        """Answer the connect command with an error: the client is to come back with another token or not at all.

        It is not listened to any more, and closed as stale unless it goes first.
        """
        for subscription in list(self.subscriptions.values()):
            release(self.hub, self, subscription, settle=False)
        self.hub.forget(self, codes.CONNECTION_DENIED, was_connected=False)
        self.become(Event.REFUSED)
        self.reply(number, fault)

    def lost(self) -> None:
        """The transport is gone."""
        if self.state is not State.CLOSED:
            self._leave(codes.CONNECTION_CLOSED, settle=False)

    def _leave(self, closure: Closure, *, settle: bool) -> None:
        self.hub.wheel.unset(self)
        for subscription in list(self.subscriptions.values()):
            release(self.hub, self, subscription, settle=settle and self.flowing)
        was_connected = self.is_connected
        if settle and self.flowing:
            self.flush()
        if self.state is State.CLOSED:
            return  # what was due filled its queue, so that it was closed as slow meanwhile
        self.hub.figures.closures[closure.code] += 1
        self.become(Event.CLOSE)
        self.flowing = False
        self._mailbox = None
        self.hub.lagging.pop(self, None)
        self._waiting = None
        if self._exchanges is not None:
            self._exchanges.close()
        self.hub.forget(self, closure, was_connected=was_connected)
