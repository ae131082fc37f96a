"""Dialects: bytes in, commands out; replies in, bytes out. Sans-I/O, and none knows another.

A dialect is shared by all its connections, so that what it writes for one subscriber serves them all: ``Dialect``. What
is said to one connection alone is its conversation: ``Conversation``, which a dialect without any state of a
connection's own is itself, and ``Dialogue`` for those with questions and streams, made anew for each connection.

``centrifuge`` holds the native dialect in JSON and in Protobuf, ``socketio``, ``signalr`` and ``eventsource`` the
others; ``websocket`` the framing of RFC 6455 that carries any of them; ``encoding`` a dialect in its frame.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from vagus.kernel.codes import Fault
from vagus.kernel.commands import Command
from vagus.kernel.events import Event
from vagus.kernel.publications import Json, Publication
from vagus.kernel.replies import Push, Reply


class Conversation(Protocol):
    """What is heard from and said to one connection. An empty part is not sent."""

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        """The commands of a message with their numbers, in order.

        Raises ``DisconnectError(MALFORMED)`` at the first bad one, after those before it were given out.
        """
        ...

    def reply(self, number: int, reply: Reply) -> bytes: ...

    def push(self, push: Push) -> bytes: ...


class Dialogue(Conversation, Protocol):
    """A conversation in which the server asks questions too, and results may be streams. Numbers are the server's own

    for questions, and those of the ``Invoke`` for streams.
    """

    def question(self, number: int, event: Event) -> bytes:
        """An event that the client is to answer with ``Answer(number)``."""
        ...

    def item(self, number: int, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        """One result more of a stream."""
        ...

    def end(self, number: int, fault: Fault | None) -> bytes:
        """No more results; with a fault, if the stream broke off."""
        ...

    def dialect_for(self, channel: str) -> "Dialect | None":
        """The dialect in which this connection follows a channel, where it is not that of all it follows.

        Asked while the subscription is made.
        """
        ...


class Dialect(Protocol):
    """One way of writing what many connections get.

    What ``push`` and ``publication`` return are parts; ``join`` makes one message of several parts. A subscription with
    deltas gets each publication as a patch of the one before: ``full`` and ``patch``.
    """

    @property
    def name(self) -> str: ...

    @property
    def binary(self) -> bool:
        """Whether messages travel in binary frames."""
        ...

    @property
    def ping(self) -> bytes:
        """The part that asks the client for a pong. Empty: whoever holds the connection sees to its health."""
        ...

    @property
    def is_packets(self) -> bool:
        """Whether each part needs a frame of its own. Parts may then be ``encoding.Packet``."""
        ...

    def push(self, push: Push) -> bytes:
        """A push that many get: who joined, who left."""
        ...

    def opening(self, channel: str) -> bytes:
        """What begins each publication of a channel; made once for a channel and handed to the three below."""
        ...

    def publication(self, opening: bytes, publication: Publication) -> bytes: ...

    def full(self, opening: bytes, publication: Publication) -> bytes:
        """A publication as the base of later patches."""
        ...

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        """A publication as a patch of ``base``, the data of the one before it, or in full where that is shorter."""
        ...

    def join(self, parts: Sequence[bytes]) -> bytes: ...


class Talkative(Dialect, Conversation, Protocol):
    """A dialect that is the conversation of each of its connections, since it keeps nothing about any."""
