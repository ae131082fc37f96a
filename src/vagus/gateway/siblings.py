"""Siblings: the nodes of one machine that take connections at one port, and hand each other those that go home.

A session that takes several requests lives on one node, but each connection of its client may be taken by another one.
So its secret begins with the name of its *home*, and a doorway that reads the name of a sibling gives the connection
away: the open socket itself, with what was read of it, goes over a unix socket to the home, which goes on as if it had
taken it. Nothing is copied from then on, the client's address stays what it is, and the one who gave it away may end
without anybody noticing.

The sockets lie in a folder of the user's alone, ``<first letters of the node's id>.sock``. They carry file descriptors,
which Windows has no way to send, and connections that are plain TCP: what encrypts stands before the server.
"""

import asyncio
import contextlib
import errno
import os
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from .sessions import NAME_LETTERS, name_of_node

log = structlog.get_logger()

HAND_OVER_S: Final = 2.0
"""How long a sibling may take to take a connection."""

GONE_S: Final = 1.0
"""How long a sibling that was not found is not looked for again. No node comes back under the name of another."""

GONE: Final = 1_024
"""Names of those that are remembered at most: whoever makes names up pays for each with a request."""

WAITING: Final = 256
"""Connections that are on their way to this node at a time; others wait in the socket's own queue."""

RETRY_S: Final = 0.1
"""How long nobody is taken when there was no descriptor left."""

CHUNK: Final = 65_536
_LENGTH_BYTES: Final = 4
"""What was read of a connection goes behind its length, so that a part of it is not taken for the whole."""

EARLY_BYTES: Final = 1_048_576
"""What may have been read of a connection before it is given away: a few reads."""

_PATH_BYTES: Final = 100
"""Of a unix socket: some systems take 104, some 108."""

_SUFFIX: Final = ".sock"

_FIELD: Final = rb"[?&]%b=([0-9a-f]{" + str(NAME_LETTERS).encode() + rb"})[A-Za-z0-9_-]{16,64}[& ]"


class SiblingGoneError(Exception):
    """There is no such sibling, or none any more."""


class SiblingBusyError(Exception):
    """It did not take the connection in time."""


class Siblings:
    """One node's part. ``listen`` when requests are served, ``close`` when no session is left here."""

    def __init__(self, folder: Path, node_id: str) -> None:
        self.name: Final = name_of_node(node_id)
        self.received = 0
        """Connections that were given to this node, in all."""
        self._folder = folder
        self._base = os.fspath(folder)
        self._base_fd = -1
        self._gone: dict[str, float] = {}
        self._fields: dict[str, Callable[[bytes], re.Match[bytes] | None]] = {}
        self._listener: socket.socket | None = None
        self._make: Callable[[], asyncio.Protocol]
        self._retrying: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._receiving: set[asyncio.Task[None]] = set()

    # finding homes

    def home_of(self, endpoint: object, data: bytes) -> str:
        """The sibling whose session is named in the first line of a request for ``endpoint``; ``""`` for no sibling's.

        Who is not there any more counts as none: this node then says what it says of unknown sessions.
        """
        field: str | None = getattr(endpoint, "session_field", None)
        if field is None or not data.startswith((b"GET ", b"POST ", b"DELETE ")):
            return ""
        found = self._finder(field)(data[: data.find(b"\r\n")])
        if found is None or (name := found[1].decode()) == self.name:
            return ""
        until = self._gone.get(name)
        return name if until is None or until < asyncio.get_running_loop().time() else ""

    def _finder(self, field: str) -> Callable[[bytes], re.Match[bytes] | None]:
        finder = self._fields.get(field)
        if finder is None:
            finder = self._fields[field] = re.compile(_FIELD.replace(b"%b", field.encode())).search
        return finder

    # giving away

    async def hand_over(self, name: str, transport: asyncio.Transport, data: bytes) -> None:
        """Give a sibling the connection below ``transport``, which must not be read from, nor have anything to write.

        The transport is of no use afterwards. Raises ``SiblingGoneError``, ``SiblingBusyError``.
        """
        loop, sent = asyncio.get_running_loop(), 0
        given: socket.socket = transport.get_extra_info("socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as way:
            way.setblocking(False)
            try:
                async with asyncio.timeout(HAND_OVER_S):
                    await loop.sock_connect(way, f"{self._base}/{name}{_SUFFIX}")
                    if transport.is_closing():  # its descriptor may be that of another connection already
                        raise ConnectionAbortedError
                    message = len(data).to_bytes(_LENGTH_BYTES) + data
                    sent = socket.send_fds(way, [message[:CHUNK]], [given.fileno()])
                    if sent < len(message):
                        await loop.sock_sendall(way, message[sent:])
            except (FileNotFoundError, ConnectionRefusedError):
                self._remember_gone(name, loop.time())
                raise SiblingGoneError(name) from None
            except (OSError, TimeoutError) as error:
                if sent:
                    transport.abort()  # two must not answer
                raise SiblingBusyError(name) from error

    def _remember_gone(self, name: str, now: float) -> None:
        self._gone.pop(name, None)
        self._gone[name] = now + GONE_S
        if len(self._gone) > GONE:
            del self._gone[next(iter(self._gone))]

    # taking

    async def listen(self, make: Callable[[], asyncio.Protocol]) -> None:
        """Take connections from siblings; ``make`` is called for each, as for one that was accepted here.

        Raises ``OSError`` for a folder that cannot be used.
        """
        self._make = make
        self._listener = await asyncio.to_thread(self._open)
        self._watch()

    def _open(self) -> socket.socket:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._shorten()
        self._sweep()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # It has its name only once it listens: until then it looks like one that is left over.
            nameless, named = f"{self._base}/.{self.name}", f"{self._base}/{self.name}{_SUFFIX}"
            listener.bind(nameless)
            listener.listen(socket.SOMAXCONN)
            listener.setblocking(False)
            os.rename(nameless, named)
        except BaseException:
            listener.close()
            raise
        return listener

    def _shorten(self) -> None:
        """Where the folder's path is too long for a socket, go by the open folder, if the system has a way."""
        if len(os.fsencode(self._base)) + 1 + NAME_LETTERS + len(_SUFFIX) <= _PATH_BYTES:
            return
        if not sys.platform.startswith("linux"):
            raise OSError(errno.ENAMETOOLONG, "the path is too long for a socket", self._base)
        self._base_fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        self._base = f"/proc/self/fd/{self._base_fd}"

    def _sweep(self) -> None:
        """Remove what nodes have left behind that were killed."""
        for left in self._folder.glob(f"*{_SUFFIX}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as way:
                way.settimeout(HAND_OVER_S)
                try:
                    way.connect(f"{self._base}/{left.name}")
                except ConnectionRefusedError:
                    left.unlink(missing_ok=True)
                except OSError:
                    continue  # somebody is there, or was a moment ago

    async def close(self) -> None:
        """Let nobody find this node any more. What is on its way is still taken."""
        if self._listener is None or self._is_closing:
            return
        self._is_closing = True
        await asyncio.to_thread(self._remove)
        self._accept()
        self._unwatch()
        if self._retrying is not None:  # last: also where the one just now found no descriptor left
            self._retrying.cancel()
        if self._receiving:
            await asyncio.wait(self._receiving, timeout=HAND_OVER_S)
        self._listener.close()
        self._listener = None

    def _remove(self) -> None:
        (self._folder / f"{self.name}{_SUFFIX}").unlink(missing_ok=True)
        if self._base_fd >= 0:
            os.close(self._base_fd)
            self._base, self._base_fd = os.fspath(self._folder), -1

    def _accept(self) -> None:
        """Begin to take whatever waits, as long as there is room."""
        assert self._listener is not None
        while len(self._receiving) < WAITING:
            try:
                way, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # for want of descriptors: some will be closed
                log.warning("sibling_not_accepted", reason=errno.errorcode.get(error.errno or 0, "?"))
                self._unwatch()
                self._retrying = asyncio.get_running_loop().call_later(RETRY_S, self._watch)
                return
            way.setblocking(False)
            task = asyncio.create_task(self._receive(way))
            self._receiving.add(task)
            task.add_done_callback(self._received_one)
        self._unwatch()

    def _received_one(self, task: asyncio.Task[None]) -> None:
        was_full = len(self._receiving) == WAITING
        self._receiving.discard(task)
        if was_full and not self._is_closing:
            self._watch()

    def _watch(self) -> None:
        assert self._listener is not None
        asyncio.get_running_loop().add_reader(self._listener.fileno(), self._accept)

    def _unwatch(self) -> None:
        assert self._listener is not None
        asyncio.get_running_loop().remove_reader(self._listener.fileno())

    async def _receive(self, way: socket.socket) -> None:
        """Take one connection, and go on with it as if it had been accepted here."""
        taken = None
        with way, contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(HAND_OVER_S):
                taken = await _taken_from(way)
        if taken is None:
            return
        connection, early = taken
        arrival = Arrival(early)
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: arrival, connection)
        except OSError:
            connection.close()
            return
        self.received += 1
        if not arrival.is_lost:
            arrival.enter(transport, self._make())


async def _taken_from(way: socket.socket) -> tuple[socket.socket, bytes] | None:
    """The connection that a sibling gives away and what it has read of it; ``None`` if it gives none, or breaks off."""
    loop = asyncio.get_running_loop()
    await _readable(way)
    first, descriptors, _, _ = socket.recv_fds(way, CHUNK, 1)
    if not descriptors:
        return None
    connection = socket.socket(fileno=descriptors[0])
    try:
        connection.set_inheritable(False)
        connection.setblocking(False)
        parts, size = [first], len(first)
        while (part := await loop.sock_recv(way, CHUNK)) and size <= EARLY_BYTES:
            parts.append(part)
            size += len(part)
    except BaseException:
        connection.close()
        raise
    message = b"".join(parts)
    if len(message) != _LENGTH_BYTES + int.from_bytes(message[:_LENGTH_BYTES]):
        connection.close()
        return None
    return connection, message[_LENGTH_BYTES:]


async def _readable(way: socket.socket) -> None:
    """Wait for the first bytes without taking them: the descriptor comes with them."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(way.fileno(), wake)
    try:
        await readable
    finally:
        loop.remove_reader(way.fileno())


class Arrival(asyncio.Protocol):
    """A connection that has just come over: keeps in order what was read there and what comes here meanwhile."""

    __slots__ = ("_early", "is_lost")

    def __init__(self, early: bytes) -> None:
        self._early = early
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True

    def enter(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(self._early)
