"""An Engine.IO session: one client's connection, by polling, by WebSocket, or first the one and then the other.

It sees to what the protocol wants of a connection: heartbeats, packets with their attachments, closing. Each namespace
that the client joins is a ``Client`` of the hub, with a ``Namespace`` as its link; the session hands packets to them
and tells them how the transport does. It has one entry on the hub's wheel and no task.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from vagus.hub.audience import Writes
from vagus.hub.client import Link
from vagus.hub.requests import Origin
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.kernel.errors import DisconnectError
from vagus.wire.encoding import Framing
from vagus.wire.socketio import (
    CONNECT_NUMBER,
    Assembly,
    EventDialogue,
    Packet,
    PacketType,
    connect_of,
    engine,
    packet_of,
)

from .namespace import Namespace
from .polling import HIGH_WATER, Polling

if TYPE_CHECKING:
    from .endpoint import SocketIo

Take = Callable[[bytes], None]

NEVER: Final = float("inf")

PING_INTERVAL_S: Final = 25.0
"""Where the hub sends no pings: clients of this protocol cannot do without."""

_INVALID: Final = b'44/%b,{"message":"Invalid namespace"}'


class Session:
    """See the module. ``link`` is its WebSocket; without one it polls."""

    __slots__ = (
        "_assembly",
        "_backlog",
        "_connect_by",
        "_is_new",
        "_is_unread",
        "_next_ping",
        "_pong_by",
        "_said",
        "endpoint",
        "flowing",
        "framing",
        "interval_s",
        "is_over",
        "link",
        "namespaces",
        "origin",
        "polling",
        "sid",
        "slot",
        "timeout_s",
        "transport",
    )

    def __init__(self, endpoint: "SocketIo", origin: Origin, framing: Framing) -> None:
        now, limits = endpoint.hub.wheel.time(), endpoint.hub.limits
        self.interval_s = limits.ping_interval_s or PING_INTERVAL_S
        self.timeout_s = limits.pong_timeout_s
        """What its client is told of pings, which holds for as long as it stays."""
        self.endpoint = endpoint
        self.origin = origin
        self.framing = framing
        self.link: Link | None = None
        self.polling: Polling | None = None
        self.transport: Writes
        self.sid = ""
        self.namespaces: dict[str, Namespace] = {}
        self.flowing = True
        self.is_over = False
        self.slot = 0
        self._assembly: Assembly | None = None
        self._backlog: deque[tuple[bytes, Take]] | None = None
        self._is_new = True
        self._is_unread = False
        self._said = 0
        self._next_ping = now + self.interval_s * random.uniform(0.5, 1)
        self._pong_by = NEVER
        self._connect_by = now + limits.stale_s
        self._set_timer()

    def run_on(self, transport: Writes, link: Link) -> None:
        """Begin on a WebSocket."""
        self.transport, self.link = transport, link

    def poll(self) -> None:
        """Begin with polling."""
        self.transport = self.polling = Polling(self)

    # what comes in (gateway.endpoints.Peer)

    def receive(self, message: bytes) -> None:
        """A text message. A bad one ends the session."""
        self._receive(message, self.take)

    def receive_binary(self, message: bytes) -> None:
        self._receive(message, self.take_binary)

    def _receive(self, message: bytes, take: Take) -> None:
        if self.is_over:
            return
        if self._is_unread:  # it was read before the transport was told to stop
            if self._backlog is None:
                self._backlog = deque()
            self._backlog.append((message, take))
            return
        try:
            take(message)
        except DisconnectError as error:
            self.fail(error.closure)

    def receive_pong(self) -> None:
        pass  # heartbeats are packets here

    def take(self, message: bytes) -> None:
        """One packet of Engine.IO. Raises ``DisconnectError`` for a bad one; the caller then calls ``fail``."""
        self.endpoint.hub.figures.received_bytes += len(message)
        kind = message[:1]
        if kind == engine.MESSAGE:
            if self._assembly is not None:
                raise DisconnectError(codes.MALFORMED)
            packet = packet_of(message[1:])
            if packet.due:
                self._assembly = Assembly(packet, self.endpoint.max_payload)
            else:
                self._route(packet)
        elif kind == engine.PONG:
            self._take_pong()
        elif kind == engine.CLOSE:
            self._depart()
        elif kind != engine.NOOP:  # a ping is the server's to send
            raise DisconnectError(codes.MALFORMED)

    def take_binary(self, payload: bytes) -> None:
        """A binary message, which belongs to the packet before it. Raises as ``take`` does."""
        self.endpoint.hub.figures.received_bytes += len(payload)
        if self._assembly is None:
            raise DisconnectError(codes.MALFORMED)
        packet = self._assembly.add(payload)
        if packet is not None:
            self._assembly = None
            self._route(packet)

    def _depart(self) -> None:
        """The client said goodbye."""
        self.lost()
        if self.polling is not None:
            self.polling.write(engine.NOOP)
        elif self.link is not None:
            self.link.close(codes.CONNECTION_CLOSED)

    def _route(self, packet: Packet) -> None:
        namespace = self.namespaces.get(packet.section)
        if packet.type is PacketType.CONNECT:
            self._connect(packet, namespace)
        elif namespace is None or namespace.dialogue.is_refused:
            raise DisconnectError(codes.MALFORMED)
        elif packet.type is PacketType.DISCONNECT:
            self._remove(namespace)
            namespace.lose()
        else:
            namespace.take(packet)

    def _connect(self, packet: Packet, old: Namespace | None) -> None:
        endpoint, section = self.endpoint, packet.section
        if old is not None:
            if old.dialogue.is_joined:
                raise DisconnectError(codes.MALFORMED)
            if not old.dialogue.is_refused:
                return  # it asks twice: the answer is on its way
            self._remove(old)
            old.lose()
        if section not in endpoint.hub.sections:
            self.say(_INVALID % section.encode())
            return
        if not self._may_join():
            self.say(EventDialogue(endpoint.dialect(section), ()).refusal(codes.TOO_MANY_REQUESTS))
            return
        command, shown = connect_of(packet)
        parking = endpoint.parking
        if parking is not None and shown.pid and parking.adopt(self, section, shown):
            return
        Namespace(self, endpoint, section).client.take(((CONNECT_NUMBER, command),))

    def _may_join(self) -> bool:
        """The first client of a session came with its connection; others count as one more each."""
        hub, is_first, self._is_new = self.endpoint.hub, self._is_new, False
        return is_first or hub.registry.takes_connection(self.origin.address, hub.wheel.time())

    # what goes out

    def say(self, part: bytes) -> None:
        """Write a packet of the session's own, if there is one. Who reads none of them is not listened to for long."""
        if not part:
            return
        self.transport.write(self.framing.text(part))
        if not self.flowing:
            self._said += len(part)
            if self._said > HIGH_WATER:
                self.abort(codes.SLOW)

    def pause(self) -> None:
        """The transport takes no more for now."""
        self.flowing = False
        for namespace in self.namespaces.values():
            namespace.client.pause()

    def resume(self) -> None:
        self.flowing = True
        self._said = 0
        for namespace in list(self.namespaces.values()):
            if not self.flowing or self.is_over:
                return  # the first ones had enough to fill it
            namespace.client.resume()

    def consider_reading(self) -> None:
        """Read on, unless one of the clients has enough to do: what was read already waits then."""
        is_unread = any(namespace.is_unread for namespace in self.namespaces.values())
        if is_unread is self._is_unread:
            return
        self._is_unread = is_unread
        reader = self.polling or self.link
        if reader is not None:
            (reader.pause_reading if is_unread else reader.resume_reading)()
        while self._backlog and not self._is_unread and not self.is_over:
            self._receive(*self._backlog.popleft())

    # heartbeats and deadlines

    def _set_timer(self) -> None:
        self.endpoint.hub.wheel.set(self, min(self._next_ping, self._pong_by, self._connect_by))

    def on_due(self, now: float) -> None:
        now += 0.3  # the wheel's slot: what is due within it is due now
        if now >= self._pong_by and self._is_unread:
            self._pong_by = now + self.timeout_s  # not read from for now, so its pong is not seen
        if now >= self._connect_by:
            self._connect_by = NEVER
            if not any(namespace.dialogue.is_joined for namespace in self.namespaces.values()):
                self.close(codes.STALE)
        if now >= self._pong_by:
            self.close(codes.NO_PONG)
        if self.is_over:
            return
        if now >= self._next_ping:
            self._next_ping = NEVER
            self._pong_by = now + self.timeout_s
            self.transport.write(self.framing.text(engine.PING))
        self._set_timer()

    def _take_pong(self) -> None:
        """The next interval begins; a pong that nobody asked for changes nothing."""
        if self._pong_by != NEVER:
            self._pong_by = NEVER
            self._next_ping = self.endpoint.hub.wheel.time() + self.interval_s
            self._set_timer()

    # the upgrade

    def upgrade(self, link: Link, transport: Writes, framing: Framing) -> None:
        """Go on over a WebSocket. What waits for the next GET goes first."""
        polling = self.polling
        assert polling is not None
        polling.begin_move()
        for namespace in self.namespaces.values():
            namespace.move(transport, framing)
            namespace.note_transport("websocket")
        self.transport, self.framing, self.link, self.polling = transport, framing, link, None
        self.origin = msgspec.structs.replace(self.origin, transport="websocket")
        self.flowing = True
        self._said = 0
        self.endpoint.leave(self)
        if self._is_unread:
            link.pause_reading()
        for frame in polling.frames(framing):
            transport.write(frame)

    # its end

    def add(self, namespace: Namespace) -> None:
        self.namespaces[namespace.section] = namespace
        if not self.flowing:
            namespace.client.pause()

    def _remove(self, namespace: Namespace) -> None:
        """A namespace is left. Without any, the client has a moment to join another one."""
        del self.namespaces[namespace.section]
        namespace.session = None
        self.consider_reading()
        if not self.namespaces:
            self._connect_by = self.endpoint.hub.wheel.time() + self.endpoint.hub.limits.stale_s
            self._set_timer()

    def dismiss(self, namespace: Namespace, closure: Closure) -> None:
        """The hub has closed a client: it is to come back, or is told to stay away, for which the session need not end.

        Nobody of its other namespaces is asked to come back, but they do.
        """
        farewell = namespace.dialogue.farewell(closure)
        self._remove(namespace)
        if closure.reconnects:
            self.close(closure)
        else:
            self.say(farewell)

    def give_way(self) -> None:
        """The client has come back over another connection."""
        self.close(codes.FORCE_RECONNECT)

    def close(self, closure: Closure) -> None:
        """End the connection; clients that can be recovered stay for a while.

        One that polls finds no session with its next request, which makes every library come back; after a packet that
        closes, which those get that broke the protocol, some of them do not.
        """
        if self.is_over:
            return
        self.lost()
        if self.link is not None:
            self.link.close(closure)
        elif self.polling is not None and not closure.reconnects:
            self.polling.write(engine.CLOSE)

    def abort(self, closure: Closure) -> None:
        """End it without waiting for what was written."""
        if self.is_over:
            return
        self.lost()
        if self.link is not None:
            self.link.abort(closure)

    def fail(self, closure: Closure) -> None:
        """The client broke the protocol: nothing of it stays."""
        for namespace in self._taken_out():
            namespace.lose()
        self.close(closure)

    def disconnect(self, closure: Closure) -> None:
        """Close from the server's side, with all namespaces."""
        for namespace in self._taken_out():
            namespace.client.disconnect(closure)
            if not closure.reconnects:
                self.say(namespace.dialogue.farewell(closure))
        self.close(closure)

    end = disconnect

    def lost(self) -> None:
        """The transport is gone."""
        if self.is_over:
            return
        self.is_over = True
        self._backlog = None
        self.endpoint.hub.wheel.unset(self)
        self.endpoint.leave(self)
        if self.polling is not None:
            self.polling.end()
            if self.polling.probe is not None:
                self.polling.probe.disconnect(codes.CONNECTION_CLOSED)
        for namespace in self._taken_out():
            namespace.park()

    def _taken_out(self) -> list[Namespace]:
        namespaces, self.namespaces = list(self.namespaces.values()), {}
        for namespace in namespaces:
            namespace.session = None
        return namespaces
