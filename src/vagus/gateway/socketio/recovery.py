"""Connection state recovery: a client whose connection was lost stays for a while, and is given what it missed.

Each client in a namespace writes through a ``Recorder``, which keeps references to the last events. When its transport
is lost it is *parked*: it goes on following its channels, but into its record alone. Who then shows its secret, the
``pid``, with the offset of the last event that it got, takes the client over. A client lives on one connection at a
time: who shows the secret of one that is not parked ends the connection of before, which nobody uses any more, or
should not. The secret stays the same, since client libraries tell by it that they were recovered.

All of it is bounded: events and bytes of a record, the number of parked clients, and their time. A parked client obeys
the hub like any other: it expires, and it can be disconnected, after which its secret is worth nothing.
"""

import secrets
import sys
from collections import deque
from typing import TYPE_CHECKING, Final

from vagus.hub.audience import Writes
from vagus.wire.socketio.dialogue import Return

from .bundles import Bundle, Event

if TYPE_CHECKING:
    from .namespace import Namespace
    from .session import Session

RECORD_EVENTS: Final = 1_000
RECORD_BYTES: Final = 262_144
"""Of one client. Less than what may be held for a client that does not read, since it may all be due at once."""

PARKED: Final = 10_000
"""Clients that may be parked at a time; beyond it the one that has been for longest is let go."""

PID_BYTES: Final = 24


class Record:
    """The last events that a client was sent. ``base`` is the offset before the first of them; empty from the start."""

    __slots__ = ("_base", "_events", "_forgotten", "_size")

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._base = b""
        self._size = 0
        self._forgotten = 0

    @property
    def total(self) -> int:
        """Events ever added."""
        return self._forgotten + len(self._events)

    def add(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self._events.append(event)
            self._size += len(event[1])
        while len(self._events) > RECORD_EVENTS or self._size > RECORD_BYTES:
            self._forget()

    def _forget(self) -> None:
        self._base, part = self._events.popleft()
        self._size -= len(part)
        self._forgotten += 1

    def reaches(self, total: int) -> bool:
        """Whether it can still serve who got all there was when there were ``total`` events, and no more."""
        return self._forgotten <= total

    def take_after(self, offset: bytes) -> list[bytes] | None:
        """The events after an offset, which leave the record; ``None`` if it does not go back so far."""
        place = next((place for place, event in enumerate(self._events) if event[0] == offset), None)
        if place is not None:
            for _ in range(place + 1):
                self._forget()
        elif self._base not in (b"", offset):
            return None
        parts = [part for _, part in self._events]
        self._events.clear()
        self._size = 0
        return parts


class Recorder:
    """What a recoverable client writes to. Without a transport it only records."""

    __slots__ = ("_namespace", "_parked_at", "_record", "parking", "transport")

    def __init__(self, namespace: "Namespace", parking: "Parking", transport: Writes) -> None:
        self._namespace = namespace
        self._record = Record()
        self._parked_at = 0
        self.parking = parking
        self.transport: Writes | None = transport

    def write(self, data: bytes) -> None:
        if isinstance(data, Bundle):
            self._record.add(data.events)
        if self.transport is not None:
            self.transport.write(data)
        elif not self._record.reaches(self._parked_at):
            self.parking.let_go(self._namespace)

    def park(self) -> None:
        self.transport = None
        self._parked_at = self._record.total

    def leave(self) -> None:
        """Be parked no longer: whether the record goes back far enough is seen from what its client shows."""
        self._parked_at = sys.maxsize

    def take_after(self, offset: bytes) -> list[bytes] | None:
        return self._record.take_after(offset)


class Parking:
    """The recoverable clients of one endpoint, by their secrets."""

    def __init__(self, recovery_s: float, bound: int = PARKED) -> None:
        self._recovery_s = recovery_s
        self._bound = bound
        self._by_pid: dict[str, Namespace] = {}
        self._parked: dict[Namespace, None] = {}

    def __len__(self) -> int:
        return len(self._parked)

    def enrol(self, namespace: "Namespace") -> str:
        """The secret of a new client."""
        pid = secrets.token_urlsafe(PID_BYTES)
        self._by_pid[pid] = namespace
        return pid

    def forget(self, namespace: "Namespace") -> None:
        """A client is gone for good."""
        self._by_pid.pop(namespace.dialogue.pid, None)
        self._parked.pop(namespace, None)
        namespace.client.hub.wheel.unset(namespace)

    def let_go(self, namespace: "Namespace") -> None:
        """End a parked client."""
        if namespace in self._parked:
            self.forget(namespace)
            namespace.lose()

    def park(self, namespace: "Namespace", recorder: Recorder) -> None:
        """Keep a client whose connection was lost."""
        hub = namespace.client.hub
        self._parked[namespace] = None
        recorder.park()
        namespace.client.resume()  # what waited for the transport goes into the record
        if namespace not in self._parked:
            return  # and was too much for it
        hub.wheel.set_in(namespace, self._recovery_s)
        if len(self._parked) > self._bound:
            self.let_go(next(iter(self._parked)))

    def adopt(self, session: "Session", section: str, shown: Return) -> bool:
        """Let a client go on over a session, and give it what it missed. ``False``: it must begin anew."""
        namespace = self._by_pid.get(shown.pid)
        if namespace is None or namespace.section != section:
            return False
        if namespace.session is not None:
            namespace.session.give_way()
        if namespace not in self._parked:
            return False
        return self._recover(namespace, session, shown.offset.encode())

    def _recover(self, namespace: "Namespace", session: "Session", offset: bytes) -> bool:
        client, recorder = namespace.client, namespace.recorder
        assert recorder is not None
        recorder.leave()
        client.move(recorder, session.framing.encoding(namespace.dialogue.dialect))
        missed = recorder.take_after(offset)
        if missed is None:
            self.let_go(namespace)
            return False
        self._parked.pop(namespace)
        client.hub.wheel.unset(namespace)
        recorder.transport = session.transport
        namespace.enter(session)
        for part in (*missed, namespace.dialogue.welcome(client.id)):
            client.enqueue(part)
        client.flush()
        return True
