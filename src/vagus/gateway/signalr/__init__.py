"""SignalR in the gateway: its endpoint, the sessions that connections are, and the three transports that carry them.

Reading order: ``endpoint``, ``session``, ``spool`` (server-sent events and long polling), ``resuming`` (stateful
reconnect). The protocol itself is ``vagus.wire.signalr``.
"""

from .endpoint import PREFIX, SignalR
from .session import Times

__all__ = ["PREFIX", "SignalR", "Times"]
