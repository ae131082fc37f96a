"""The broker of many nodes: Redis from 6.2 on, or Valkey; one server, one behind Sentinel, or a Cluster.

Reading order: this contract between the halves.

Links: ``addresses`` (URLs to options), ``link`` (one connection: commands of a tick in one write, answers in order),
``connecting`` (opening one), ``keeping`` (having one always), ``listening`` (channels), ``loading`` (scripts),
``polling`` (asking several), ``single`` with ``sentinel``, ``cluster`` with ``slots``, ``servers`` (which of the two).

The broker: ``keys`` (names), ``parcels`` (what travels, as bytes), ``scripts`` with ``*.lua`` (what happens in Redis at
once), ``streams`` (publishing and reading), ``healing`` (what was missed), ``registry`` (which nodes are alive),
``attendance`` and ``clearing`` (who is present), ``lane`` (orders and questions), ``life`` (the tasks of a node),
``broker`` (the contract of ``vagus.broker``).
"""

import ssl
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Literal, Protocol

import msgspec

Word = bytes | str | int
"""A word of a command."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Where Redis is and how to talk to it; made from a URL by ``addresses``. Never logged as a whole."""

    kind: Literal["single", "sentinel", "cluster"] = "single"
    addresses: tuple[tuple[str, int], ...] = (("127.0.0.1", 6379),)
    """Of the server, of the sentinels, or of some nodes of the cluster."""
    master: str = ""
    """What the sentinels call it."""
    user: str = ""
    password: str = ""
    sentinel_user: str = ""
    sentinel_password: str = ""
    database: int = 0
    tls: ssl.SSLContext | None = None
    timeout_s: float = 3.0

    def __repr__(self) -> str:
        return f"Options({self.kind}, {', '.join(f'{host}:{port}' for host, port in self.addresses)})"


class Script(msgspec.Struct, frozen=True):
    """A Lua script by its text; it is loaded where it is needed and called by its hash."""

    text: str
    sha: str


class Ears(Protocol):
    """Told by ``Servers`` what comes in. Called on the event loop; must not block or raise."""

    def heard(self, channel: bytes, message: bytes) -> None: ...

    def cut(self) -> None:
        """Messages may be getting lost from now on: a connection that listens is gone."""
        ...

    def restored(self, channels: Iterable[bytes]) -> None:
        """These are listened to again, after a cut or because their slot moved; what came meanwhile is lost."""
        ...


class Servers(Protocol):
    """The servers behind one URL, as one. A ``slot`` is a key (with its hash tag) that says where a command goes;

    ``None`` is for commands without a key, which go to any server. Everything raises ``BrokerError`` where it cannot be
    done now, within ``timeout_s``; what may have been carried out nevertheless is said to be so in the error's text.
    """

    async def start(self, ears: Ears, scripts: Iterable[Script] = ()) -> None:
        """Connect, and load the scripts. Raises ``BrokerError`` if no server can be reached or lets us in; connections
        that are lost later come back.
        """
        ...

    async def close(self) -> None: ...

    @property
    def is_up(self) -> bool:
        """Whether every connection stands: those for commands and those that listen."""
        ...

    @property
    def reconnections(self) -> int: ...

    def run(self, slot: bytes | None, *words: Word) -> Awaitable[Any]:
        """Send a command with whatever else is sent in this tick, in order for one slot. The answer as hiredis gives
        it: bytes, int, None or lists of them; an error is raised.
        """
        ...

    def call(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Word]) -> Awaitable[Any]:
        """Run a script where its first key is."""
        ...

    async def listen(self, channels: Iterable[bytes]) -> None:
        """Hear these from when this returns. Calls of one tick become one command for a server, up to 512 channels.

        Whoever gets an error or cancels this calls ``unlisten``.
        """
        ...

    def unlisten(self, channels: Iterable[bytes]) -> None: ...

    def publish_word(self) -> bytes:
        """PUBLISH, or SPUBLISH where channels belong to slots (a Cluster from 7.0 on)."""
        ...

    def relisten(self) -> None:
        """Give up the connections that listen and make new ones, since they seem to be dead."""
        ...
