"""Sockets to listen on, bound before anything is started or printed."""

import errno
import os
import socket
import sys

from vagus.settings import Problem, Server, SettingsError

BACKLOG = 2048
"""Connections that wait to be accepted, for each socket."""

UNSENT_BYTES = 131_072
"""What the system takes for a connection beyond what is on its way to the client. Without the bound it takes megabytes
for a client that does not read, out of the sight of the hub, and spends much of a core on moving them about."""


class CannotListenError(OSError):
    """The address cannot be listened on."""


def listener_of(server: Server) -> socket.socket:
    """The socket of a node that serves alone. Raises ``SettingsError`` or ``CannotListenError``."""
    return _listener(server, server.port)


def listeners_of(server: Server, count: int) -> list[socket.socket]:
    """One socket for each of the nodes that share a port, among which Linux spreads connections by their addresses.

    Elsewhere sockets with one port are not fair to each other, and one is shared. Raises as ``listener_of`` does, also
    where another server has the port, which sockets that share it would not notice.
    """
    with listener_of(server) as probe:
        port = probe.getsockname()[1]
        if sys.platform != "linux":
            return [probe.dup() for _ in range(count)]
    return [_listener(server, port, is_shared=True) for _ in range(count)]


class SharedListener:
    """A socket that shares its port. It can be given up for a while: the others then get its connections."""

    def __init__(self, listener: socket.socket) -> None:
        self.socket = listener
        self._family = listener.family
        self._address: tuple[str, int] = listener.getsockname()[:2]

    def open(self) -> None:
        """Have it again. Raises ``OSError``."""
        if self.socket.fileno() < 0:
            self.socket = _bound(self._address, self._family, is_shared=True)

    def give_up(self) -> None:
        """Who waits to be accepted is turned away. Does nothing where the system does not spread connections."""
        if sys.platform == "linux":
            self.socket.close()

    def close(self) -> None:
        self.socket.close()


def _listener(server: Server, port: int, *, is_shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        socket.getaddrinfo(server.host, port, family, socket.SOCK_STREAM)  # binding hides that a name is not known
        return _bound((server.host, port), family, is_shared=is_shared)
    except (socket.gaierror, UnicodeError):
        raise SettingsError([Problem("server.host", f"{server.host} is not an address of this machine")]) from None
    except (OSError, OverflowError) as error:
        # The error's own text names the address once more.
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        hint = " (stop what runs there, or choose another: --port 0 takes a free one)" if is_taken else ""
        raise CannotListenError(f"cannot listen on {server.host} port {port}: {reason}{hint}") from None


def _bound(address: tuple[str, int], family: socket.AddressFamily, *, is_shared: bool) -> socket.socket:
    listener = socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=is_shared)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)  # connections inherit it
    return listener
