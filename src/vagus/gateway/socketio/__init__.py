"""Socket.IO in the gateway: its endpoint, and the Engine.IO sessions that connections are.

Reading order: ``endpoint``, ``requests`` (one GET or POST), ``session``, ``namespace`` (a client of the hub in it),
``polling``, ``upgrade``, and for connection state recovery ``bundles`` and ``recovery``. The protocol itself is
``vagus.wire.socketio``.
"""

from .endpoint import MAX_PAYLOAD, PATHS, SocketIo

__all__ = ["MAX_PAYLOAD", "PATHS", "SocketIo"]
