"""One connection of SignalR, whatever carries it: promised, opened, greeted, talking, perhaps parked, over.

A session stands between its transport and its client of the hub: it takes the handshake, keeps both sides' heartbeats
and says goodbye in the protocol's words. Publications do not pass through it: the hub writes them to the transport.

::

    PROMISED ──transport opens──▶ GREETING ──handshake──▶ TALKING ──socket lost, resumable──▶ PARKED
                                                             ▲───────────another socket──────────┘
"""

import random
from collections.abc import Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

import msgspec

from vagus.gateway.gate import Gate
from vagus.gateway.sessions import Sessions, name_of_node
from vagus.hub.audience import Writes
from vagus.hub.client import Client, Link
from vagus.hub.hub import Hub
from vagus.hub.requests import Origin
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.kernel.commands import Command, Connect
from vagus.kernel.errors import DisconnectError
from vagus.kernel.replies import Farewell
from vagus.wire.encoding import Framing
from vagus.wire.signalr.dialect import DIALECTS, HubDialect
from vagus.wire.signalr.dialogue import CONNECT, HubDialogue, UnfitError
from vagus.wire.signalr.handshake import BOUND, RESUMES_FROM, HandshakeError, read, refused
from vagus.wire.signalr.messages import COUNTED, Ack, Close, Message, Ping
from vagus.wire.signalr.records import SEPARATOR

from .resuming import RECORDED, Frames, Leg, Recorder

if TYPE_CHECKING:
    from .spool import Spool

NEVER: Final = float("inf")

DONE: Final = Closure(1000, "")
"""How a socket is closed: the reason was told in a record before."""

SLACK_S: Final = 0.3
"""The wheel's slot: what is due within it is due now."""

MALFORMED: Final = "The handshake is malformed."

ACK_S: Final = 1.0
"""How long what came in may wait for its confirmation, so that many are confirmed at once."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines in seconds; client libraries expect the defaults, which are the reference server's."""

    keep_alive_s: float = 15.0
    """Between pings."""
    client_timeout_s: float = 30.0
    """A client that has pinged once and is not heard of for this long is gone."""
    handshake_s: float = 15.0
    disconnect_s: float = 15.0
    """How long a session without a transport is kept."""
    poll_s: float = 90.0
    """How long a poll may wait for something to say."""


class State(Enum):
    PROMISED = auto()
    """Negotiated; its client is to open a transport."""
    OPENING = auto()
    """A WebSocket was let in and is about to open."""
    GREETING = auto()
    TALKING = auto()
    PARKED = auto()
    OVER = auto()


class House:
    """What the sessions of an endpoint share."""

    def __init__(self, gate: Gate, times: Times, promises: int) -> None:
        self.gate = gate
        self.times = times
        self.promised: Final[Sessions[Session]] = Sessions(promises, home=name_of_node(gate.hub.node_id))
        """Sessions that nobody has opened yet; bounded, since asking for one costs a client nothing."""
        self.opened: Final[dict[str, Session]] = {}
        self.frames: Final = Frames()

    @property
    def hub(self) -> Hub:
        return self.gate.hub

    def owns(self, target: str) -> bool:
        """Whether there is a call of this name."""
        return self.hub.find_call(target) is not None

    def find(self, secret: str) -> "Session | None":
        return self.opened.get(secret) or self.promised.get(secret)

    def admit(self, session: "Session") -> None:
        """A session that was promised has a transport now."""
        if self.promised.remove(session.secret) is not None:
            self.opened[session.secret] = session

    def forget(self, session: "Session") -> None:
        self.promised.remove(session.secret)
        self.opened.pop(session.secret, None)


class Session:
    """See the module. It is the peer of its transport and the link of its client."""

    __slots__ = (
        "_abandoned_at",
        "_ack_at",
        "_early",
        "_heard_at",
        "_is_leaving",
        "_is_read",
        "_next_ping",
        "_unread",
        "client",
        "connection_id",
        "dialogue",
        "flowing",
        "framing",
        "house",
        "is_resumable",
        "leg",
        "link",
        "origin",
        "recorder",
        "secret",
        "section",
        "slot",
        "spool",
        "state",
        "token",
        "transport",
    )

    def __init__(self, house: House, section: str, *, connection_id: str = "", is_resumable: bool = False) -> None:
        """``connection_id`` becomes the client's id. ``is_resumable`` says that both sides agreed on it."""
        self.slot = 0
        self.house = house
        self.section = section
        self.connection_id = connection_id
        self.is_resumable = is_resumable
        self.secret = ""
        """By which its client finds it again; empty for one that was not negotiated."""
        self.state = State.PROMISED
        self.origin = Origin()
        self.token = ""
        self.link: Link | None = None
        self.transport: Writes | None = None
        self.framing: Framing = RECORDED
        self.spool: Spool | None = None
        """Its link and transport, if it is carried by HTTP requests."""
        self.flowing = True
        self.client: Client | None = None
        self.dialogue: HubDialogue | None = None
        self.recorder: Recorder | None = None
        self.leg: Leg | None = None
        self._early = b""
        self._heard_at = NEVER
        self._next_ping = NEVER
        self._ack_at = NEVER
        self._abandoned_at = NEVER
        self._is_leaving = False
        self._is_read = True
        self._unread: list[Iterator[Message]] = []

    # its transport

    def wait(self) -> None:
        """Be promised for a while."""
        self._due_in(self.house.times.disconnect_s)

    def claim(self, origin: Origin, token: str) -> None:
        """Let a transport be opened by who asks from ``origin``."""
        self.state = State.OPENING
        self.origin = origin
        self.token = token
        self.house.admit(self)

    def open(self, link: Link, transport: Writes, framing: Framing) -> "Session | Leg":
        """The transport is there: wait for the handshake."""
        self.link, self.transport, self.framing = link, transport, framing
        self.state = State.GREETING
        self._due_in(self.house.times.handshake_s)
        if not self.is_resumable:
            return self
        self.leg = Leg(self, link, transport)
        return self.leg

    def reopen(self, link: Link, transport: Writes, framing: Framing) -> Leg:
        """Go on over another socket: what the other side has not confirmed is said once more."""
        leg, before = Leg(self, link, transport), self.leg
        if self.recorder is None or self.dialogue is None:  # it ended while the socket was being opened
            link.close(DONE)
            return leg
        self.leg, self.state, self.flowing = leg, State.TALKING, True
        self.link, self.transport, self.framing = link, transport, framing
        self.house.gate.leave(self)
        if before is not None:
            before.link.close(DONE)
        self._unread = []
        self.dialogue.start_over()
        self.recorder.replay()
        if not self._is_read:
            link.pause_reading()
        self._start_beating()
        return leg

    @property
    def can_reopen(self) -> bool:
        return self.recorder is not None and self.state in (State.TALKING, State.PARKED)

    @property
    def is_binary(self) -> bool:
        return self.dialogue is not None and self.dialogue.dialect.binary

    def attend(self) -> None:
        """A poll is there."""
        self._abandoned_at = NEVER

    def abandon(self) -> None:
        """No poll is there: another one must come soon."""
        if self.state is not State.OVER:
            self._abandoned_at = self.house.hub.wheel.time() + self.house.times.disconnect_s
            if self.state is State.TALKING:
                self._set_timer()

    # from the transport (endpoints.Peer)

    def receive(self, message: bytes) -> None:
        if self.state is State.TALKING:
            self._hear(message)
        elif self.state is State.GREETING:
            self._take_early(message)

    receive_binary = receive

    def receive_pong(self) -> None:
        pass

    def pause(self) -> None:
        self.flowing = False
        if self.client is not None:
            self.client.pause()

    def resume(self) -> None:
        self.flowing = True
        if self.recorder is not None:
            self.recorder.reconsider()
        elif self.client is not None:
            self.client.resume()

    def lost(self) -> None:
        """The transport is gone, and with it the session, unless it may come back over another one."""
        if self.state is State.OVER:
            return
        if self.state is State.TALKING and self.recorder is not None and not self._is_leaving:
            self._park()
        else:
            self.leave()

    def leave(self) -> None:
        """The other side wants no more of this."""
        client = self.client
        self._end()
        if client is not None:
            client.lost()

    def disconnect(self, closure: Closure) -> None:
        if self.client is not None:
            self.client.disconnect(closure)
        elif self.state is not State.OVER:
            self.close(closure)

    end = disconnect

    # the handshake

    def _take_early(self, message: bytes) -> None:
        self._early += message
        record, separator, rest = self._early.partition(SEPARATOR)
        if len(record) > BOUND:
            self._refuse(MALFORMED)
        elif separator:
            self._early = b""
            self._greet(record, rest)

    def _greet(self, record: bytes, rest: bytes) -> None:
        try:
            handshake = read(record)
            dialect = self._chosen(handshake.protocol)
        except HandshakeError as error:
            self._refuse(str(error))
            return
        self._let_in(dialect, resumes=self.is_resumable and handshake.version >= RESUMES_FROM)
        if rest:
            self.receive(rest)

    def _chosen(self, protocol: str) -> HubDialect:
        dialect = DIALECTS.get(protocol)
        if dialect is None:
            raise HandshakeError(f"The protocol '{protocol[:32]}' is not supported.")
        if dialect.binary and self.spool is not None and self.spool.is_text:
            raise HandshakeError(f"This transport does not carry the protocol '{protocol}'.")
        return dialect

    def _let_in(self, dialect: HubDialect, *, resumes: bool) -> None:
        """Be a client of the hub, whose answer to the connect command is that to the handshake."""
        hub = self.house.hub
        transport, framing = self.transport, self.framing
        assert transport is not None
        if resumes:
            transport, framing = Recorder(self, dialect.notation), RECORDED
            self.recorder = transport
        self.dialogue = HubDialogue(
            dialect,
            bound=hub.limits.message_bytes,
            section=self.section,
            owns=self.house.owns,
            on_refusal=self._turn_away,
        )
        encoding = framing.encoding(dialect)
        self.client = client = Client(
            hub, self, transport, encoding, self.origin, dialogue=self.dialogue, section=self.section
        )
        client.id = self.connection_id or client.id
        if not self.flowing:
            client.pause()
        self.state = State.TALKING
        self._start_beating()
        connect, self.token = Connect(token=self.token), ""
        client.take([(CONNECT, connect)])

    def _turn_away(self) -> None:
        """The hub has refused the connect command and writes no more: say why and go."""
        if self.client is not None:
            self.house.hub.loop.call_soon(self.client.disconnect, codes.CONNECTION_DENIED)

    def _refuse(self, reason: str) -> None:
        self._write(refused(reason))
        self._part()

    # what comes in

    def _hear(self, chunk: bytes) -> None:
        hub = self.house.hub
        if self.client is not None:
            self.client.count_received(len(chunk))
        else:
            hub.figures.received_bytes += len(chunk)
        if self._heard_at != NEVER:
            self._heard_at = hub.wheel.time()
        if self.dialogue is not None:
            self._unread.append(self.dialogue.messages(chunk))
            self._read()

    def _read(self) -> None:
        """Look at what has come, as long as the hub takes it: one chunk may bring more than it lets wait."""
        while self._unread and self._is_read and self.client is not None:
            self.client.take(self._commands(self.client, self._unread[0]))

    def _commands(self, client: Client, messages: Iterator[Message]) -> Iterator[tuple[int, Command]]:
        for message in messages:
            if self.recorder is not None and not self._is_new(self.recorder, message):
                continue
            match message:
                case Ping():
                    self._start_listening()
                case Close():
                    self._is_leaving = True
                    self.house.hub.loop.call_soon(self.disconnect, codes.CONNECTION_CLOSED)
                case _:
                    numbered = self._command(client, message)
                    if numbered is not None:
                        yield numbered
            if not self._is_read:
                return
        if self._unread and self._unread[0] is messages:
            del self._unread[0]

    def _command(self, client: Client, message: Message) -> tuple[int, Command] | None:
        try:
            return self.dialogue.command(message) if self.dialogue is not None else None
        except UnfitError as error:
            self._answer(client, error)
            return None

    @staticmethod
    def _answer(client: Client, error: UnfitError) -> None:
        if not client.is_connected:  # nothing is said before the answer to the handshake
            raise DisconnectError(codes.MALFORMED)
        client.reply(error.number, error.fault)

    def _is_new(self, recorder: Recorder, message: Message) -> bool:
        if isinstance(message, Ack):
            recorder.ack(message.sequence)
            return False
        is_new = recorder.heard.takes(message)
        if type(message) in COUNTED and self._ack_at == NEVER:
            self._ack_at = self.house.hub.wheel.time() + ACK_S
            self._set_timer()
        return is_new

    # what goes out besides what the hub writes

    def _write(self, record: bytes) -> None:
        if self.transport is not None:
            frame = self.framing.binary if self.is_binary else self.framing.text
            self.transport.write(frame(record))

    def write_sequence(self, number: int) -> None:
        if self.dialogue is not None:
            self._write(self.dialogue.dialect.notation.sequence(number))

    def _say_goodbye(self, closure: Closure) -> None:
        if self.dialogue is None or self._is_leaving:
            return
        if self.dialogue.is_greeted:
            self._write(self.dialogue.push(Farewell(closure)))
        else:
            unknown = closure in (codes.MALFORMED, codes.INVALID_TOKEN)
            self._write(refused(self.dialogue.refusal or (codes.UNAUTHORIZED.message if unknown else closure.reason)))

    # from the hub (hub.client.Link)

    def close(self, closure: Closure) -> None:
        if self.state is not State.OVER:
            self._say_goodbye(closure)
            self._part()

    def abort(self, closure: Closure) -> None:
        link = self.link
        self._end()
        if link is not None:
            link.abort(closure)

    def _part(self) -> None:
        link = self.link
        self._end()
        if link is not None:
            link.close(DONE)

    def pause_reading(self) -> None:
        self._is_read = False
        if self.link is not None:
            self.link.pause_reading()

    def resume_reading(self) -> None:
        self._is_read = True
        self.house.hub.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """First comes what was not looked at before."""
        self._read()
        if self._is_read and self.link is not None:
            self.link.resume_reading()

    # time (hub.wheel.Timed)

    def _start_beating(self) -> None:
        """The first ping comes at a random time, so that clients that came together are not pinged together."""
        now = self.house.hub.wheel.time()
        if self.spool is None or self.spool.is_text:
            self._next_ping = now + self.house.times.keep_alive_s * random.uniform(0.5, 1)
        if self._heard_at != NEVER:
            self._heard_at = now
        self._set_timer()

    def _start_listening(self) -> None:
        """A client that pings is expected to go on; polls show by themselves that somebody is there."""
        if self._heard_at == NEVER and self._next_ping != NEVER:
            self._heard_at = self.house.hub.wheel.time()
            self._set_timer()

    def _set_timer(self) -> None:
        heard_by = self._heard_at + self.house.times.client_timeout_s
        due = min(self._next_ping, heard_by, self._ack_at, self._abandoned_at)
        if due != NEVER:
            self.house.hub.wheel.set(self, due)

    def _due_in(self, seconds: float) -> None:
        self.house.hub.wheel.set_in(self, seconds)

    def on_due(self, now: float) -> None:
        match self.state:
            case State.TALKING:
                self._beat(now + SLACK_S)
            case State.GREETING:
                self._refuse("The handshake did not come in time.")
            case State.PARKED:
                self.leave()
            case State.PROMISED | State.OPENING | State.OVER:
                self.forget()

    def _beat(self, now: float) -> None:
        if now >= self._abandoned_at:
            self.lost()
            return
        if not self._is_read and self._heard_at != NEVER:
            self._heard_at = now  # not read from for now, so what it says is not seen
        if now >= self._heard_at + self.house.times.client_timeout_s:
            self.disconnect(codes.NO_PONG)
            return
        if self.dialogue is not None and now >= self._next_ping:
            # From when it was due, but a loop that was held up does not make up for what it missed.
            self._next_ping = max(self._next_ping, now - 1) + self.house.times.keep_alive_s
            if self.flowing and self.dialogue.is_greeted:
                self._write(self.dialogue.dialect.notation.ping)
        if self.dialogue is not None and self.recorder is not None and now >= self._ack_at:
            self._ack_at = NEVER
            self._write(self.dialogue.dialect.notation.ack(self.recorder.heard.latest))
        self._set_timer()

    # its end

    def _park(self) -> None:
        """Wait for another socket; what the hub writes meanwhile is kept, within the recorder's bound."""
        self.state = State.PARKED
        self.leg = self.link = self.transport = None
        self._unread = []
        self._next_ping = self._ack_at = NEVER
        self.flowing = True
        self.house.gate.sockets.add(self)
        self._due_in(self.house.times.disconnect_s)
        if self.recorder is not None:
            self.recorder.reconsider()

    def _end(self) -> None:
        """Let go of everything. Polls are answered for a while, so that the last one learns of it."""
        self.state = State.OVER
        self.client = self.dialogue = self.recorder = self.leg = self.link = self.transport = None
        self._early, self._unread = b"", []
        spool = self.spool
        if spool is not None:
            spool.close(DONE)
        if spool is None or spool.is_text:
            self.forget()
        else:
            self._due_in(self.house.times.disconnect_s)

    def forget(self) -> None:
        """It is not found any more, and holds nothing that holds it."""
        self.spool = None
        self.house.hub.wheel.unset(self)
        self.house.forget(self)
        self.house.gate.leave(self)
