"""A namespace that a client has joined: the link between a client of the hub and the session that it speaks through.

Several share a session, which hands packets to them. Without a session a namespace is parked (``recovery``), or
gone for good.
"""

from typing import TYPE_CHECKING

import msgspec

from vagus.hub.audience import Writes
from vagus.hub.client import Client
from vagus.kernel.codes import Closure
from vagus.kernel.errors import RefusedError
from vagus.wire.encoding import Framing
from vagus.wire.socketio import EventDialogue, Packet
from vagus.wire.socketio.dialogue import number_of

from .recovery import Recorder

if TYPE_CHECKING:
    from .endpoint import SocketIo
    from .session import Session


class Namespace:
    """See the module. It is the client's link."""

    __slots__ = ("client", "dialogue", "is_unread", "recorder", "session", "slot")

    def __init__(self, session: "Session", endpoint: "SocketIo", section: str) -> None:
        hub, dialect, parking = endpoint.hub, endpoint.dialect(section), endpoint.parking
        self.slot = 0
        self.is_unread = False
        self.session: Session | None = session
        self.recorder = Recorder(self, parking, session.transport) if parking is not None else None
        self.dialogue = EventDialogue(
            dialect, hub.sections[section].names, parking.enrol(self) if parking is not None else ""
        )
        self.client = Client(
            hub,
            self,
            self.recorder or session.transport,
            session.framing.encoding(dialect),
            session.origin,
            dialogue=self.dialogue,
            section=section,
        )
        session.add(self)

    @property
    def section(self) -> str:
        return self.dialogue.dialect.section

    def take(self, packet: Packet) -> None:
        """An event or an ack."""
        self.client.received_bytes += len(packet.arguments) + sum(map(len, packet.attachments))
        number = number_of(packet)
        try:
            command = self.dialogue.command_of(packet)
        except RefusedError as error:
            self.client.reply(number, error.fault)
        else:
            self.client.take(((number, command),))

    def move(self, transport: Writes, framing: Framing) -> None:
        """Go on over another transport of the same session."""
        encoding = framing.encoding(self.dialogue.dialect)
        self.client.move(self.recorder or transport, encoding)
        if self.recorder is not None:
            self.recorder.transport = transport

    def note_transport(self, name: str) -> None:
        """The client's origin stays what it was, the address in it too: that is counted."""
        self.client.origin = msgspec.structs.replace(self.client.origin, transport=name)

    def enter(self, session: "Session") -> None:
        """Go on in another session."""
        self.session = session
        self.note_transport(session.origin.transport)
        session.add(self)
        session.consider_reading()

    def park(self) -> None:
        """The transport is lost: stay for a while, if that is offered and there is anything to stay for."""
        if self.recorder is not None and self.dialogue.is_joined and self.client.is_connected:
            self.recorder.parking.park(self, self.recorder)
        else:
            self.lose()

    def lose(self) -> None:
        """Gone for good."""
        self._forget()
        self.client.lost()
        del self.client  # it holds us: without the cycle, both are freed at once and not by the garbage collector

    def _forget(self) -> None:
        if self.recorder is not None:
            self.recorder.parking.forget(self)
            self.recorder = None

    def on_due(self, now: float) -> None:
        """Parked for long enough."""
        if self.recorder is not None:
            self.recorder.parking.let_go(self)

    # from the hub (hub.client.Link)

    def close(self, closure: Closure) -> None:
        self._forget()
        session = self.session
        del self.client
        if session is not None:
            session.dismiss(self, closure)

    def abort(self, closure: Closure) -> None:
        self._forget()
        session = self.session
        del self.client
        if session is not None:
            del session.namespaces[self.section]
            self.session = None
            session.abort(closure)

    def pause_reading(self) -> None:
        self.is_unread = True
        if self.session is not None:
            self.session.consider_reading()

    def resume_reading(self) -> None:
        self.is_unread = False
        if self.session is not None:
            self.session.consider_reading()
