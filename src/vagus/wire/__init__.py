"""Dialects: bytes in, commands out; replies in, bytes out. Sans-I/O, and none knows another.

A dialect is stateless and shared by all its connections, so that what it writes for one subscriber serves them all.
``Dialect`` is the contract; ``centrifuge`` holds the native one in JSON and in Protobuf; ``websocket`` the framing of
RFC 6455 that carries any of them.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from vagus.kernel.commands import Command
from vagus.kernel.publications import Publication
from vagus.kernel.replies import Push, Reply


class Dialect(Protocol):
    """One way of writing commands and replies as bytes.

    What ``reply``, ``push`` and ``publication`` return are parts; ``join`` makes one message of several parts. A
    subscription with deltas gets each publication as a patch of the one before: ``full`` and ``patch``.
    """

    @property
    def name(self) -> str: ...

    @property
    def binary(self) -> bool:
        """Whether messages travel in binary frames."""
        ...

    @property
    def ping(self) -> bytes:
        """The part that asks the client for a pong."""
        ...

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        """The commands of a message with their numbers, in order.

        Raises ``DisconnectError(MALFORMED)`` at the first bad one, after those before it were given out.
        """
        ...

    def reply(self, number: int, reply: Reply) -> bytes: ...

    def push(self, push: Push) -> bytes: ...

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
