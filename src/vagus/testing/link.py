"""A connection without a socket: the hub's own client on a link that keeps what it is sent.

It is link and transport in one and speaks the native protocol's JSON, a line at a time. Time and the order of things
are the event loop's; nothing is sent before the hub's tick ends, as on a real connection.
"""

from collections.abc import Callable
from typing import Final

from vagus.hub.client import Client
from vagus.hub.hub import Hub
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure
from vagus.wire.centrifuge.json import JSON
from vagus.wire.encoding import Encoding, Framing

PLAIN_JSON: Final[Encoding] = Framing(bytes, bytes).encoding(JSON)
"""One for all links, so that they share the bytes that are sent to them."""

MEMORY_ORIGIN: Final = Origin(address="127.0.0.1", path="/", transport="memory")


class MemoryLink:
    """One live connection. ``on_line`` is called with each line that the server sends, ``on_close`` when it closes."""

    def __init__(
        self,
        hub: Hub,
        on_line: Callable[[bytes], None],
        on_close: Callable[[Closure], None] | None = None,
        *,
        origin: Origin = MEMORY_ORIGIN,
    ) -> None:
        self._on_line = on_line
        self._on_close = on_close
        self.unread: list[bytes] = []
        """Said, but not read by the server yet, which reads no more while too much waits there."""
        self._is_read = True
        self.is_open = True
        self.closure: Closure | None = None
        """With what the server closed it; ``None`` while it is open, or if this side dropped it."""
        self.was_aborted = False
        self.messages = 0
        """Messages received: as few as the server could join the lines into."""
        self.client: Final = Client(hub, self, self, PLAIN_JSON, origin)

    # what this side does

    def say(self, message: str | bytes) -> None:
        """Send one message: any number of commands, a line each."""
        data = message.encode() if isinstance(message, str) else message
        if not self.is_open:
            raise ConnectionError("this connection is closed")
        if self._is_read:
            self.client.receive(data)
        else:
            self.unread.append(data)

    def stop_taking(self) -> None:
        """Be a slow reader: the server holds what it has to say from now on."""
        self.client.pause()

    def take_again(self) -> None:
        self.client.resume()

    def drop(self) -> None:
        """Lose the connection without a word, as a cut cable does."""
        if self.is_open:
            self.is_open = False
            self.client.lost()

    # what the hub does (hub.client.Link and hub.audience.Writes)

    def write(self, data: bytes) -> None:
        if not self.is_open:
            return
        self.messages += 1
        for line in data.split(b"\n"):
            self._on_line(line)

    def close(self, closure: Closure) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self.closure = closure
        if self._on_close is not None:
            self._on_close(closure)

    def abort(self, closure: Closure) -> None:
        self.was_aborted = True
        self.close(closure)

    def pause_reading(self) -> None:
        self._is_read = False

    def resume_reading(self) -> None:
        self._is_read = True
        while self.unread and self._is_read:
            self.client.receive(self.unread.pop(0))
