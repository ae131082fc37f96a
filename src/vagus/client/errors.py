"""What can go wrong for a client, split by what its program can do about it.

::

    VagusError
    ├── RefusedError            the server said no: ``fault`` has the number, the text and whether to try again
    ├── DisconnectError         the server closed the connection for good: ``closure`` says why
    └── ClientError
        ├── NotConnectedError   there is no connection, and none will come: closed, or given up
        ├── UnansweredError     the connection was lost before the answer came: nobody knows whether it was done
        ├── EndedError          the server ended the subscription for good: ``ending`` says why
        ├── QueueFullError      too much waits for a connection already
        ├── DataError           what came is not of the type that was asked for
        └── ProtocolError       what came is not the protocol: this is no Vagus server

The first two are those that the server's own code raises. A wait that took too long is the built-in ``TimeoutError``,
and a wrong call of the client's own API a ``TypeError`` or ``ValueError``.
"""

from vagus.kernel.codes import Ending
from vagus.kernel.errors import DisconnectError, RefusedError, VagusError

__all__ = [
    "ClientError",
    "DataError",
    "DisconnectError",
    "EndedError",
    "NotConnectedError",
    "ProtocolError",
    "QueueFullError",
    "RefusedError",
    "UnansweredError",
    "VagusError",
]


class ClientError(VagusError):
    """What the client itself has to report."""


class NotConnectedError(ClientError):
    """There is no connection and none will come: the client was closed, was never started, or has given up."""


class UnansweredError(ClientError):
    """The connection was lost before the answer came, so nobody knows whether it was done. Look before repeating it."""


class EndedError(ClientError):
    """The server ended a subscription, and not for the client to come back."""

    def __init__(self, channel: str, ending: Ending) -> None:
        super().__init__(f"{channel}: {ending.reason} ({ending.code})")
        self.channel = channel
        self.ending = ending


class QueueFullError(ClientError):
    """As many publications wait already as the queue holds."""


class DataError(ClientError):
    """What came does not fit the type that was asked for; the text says where."""


class ProtocolError(ClientError):
    """What came is not the protocol. The client does not come back for more."""
