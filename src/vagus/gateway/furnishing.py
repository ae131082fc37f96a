"""Which dialects a gateway speaks, and at which paths."""

from typing import Any

import msgspec

from vagus.hub.hub import Hub

from . import emulation, events, native, signalr, socketio, streams
from .emulation import Emulated, Emulation
from .events import EventSources
from .gate import Gate
from .native import NativeSockets
from .sessions import Sessions
from .signalr import SignalR
from .socketio import MAX_PAYLOAD, SocketIo
from .streams import NativeStreams


class Dialects(msgspec.Struct, frozen=True, kw_only=True):
    """Everything is spoken unless it is turned off."""

    websocket: bool = True
    """The native dialect over WebSockets."""
    http_stream: bool = True
    """The native dialect over HTTP: where no WebSocket gets through, its clients fall back to this, and then to sse."""
    sse: bool = True
    """The native dialect over an EventSource."""
    eventsource: bool = True
    """Channels as a plain EventSource, for browsers and curl."""
    signalr: bool = True
    """The hub protocol of ASP.NET Core SignalR."""
    signalr_resumes: bool = True
    """Clients of SignalR that ask for it go on over another socket when theirs is cut."""
    socketio: bool = True
    """Socket.IO."""
    socketio_recovery_s: float = 0.0
    """How long a Socket.IO client may come back for what it missed; 0 offers no recovery, as its reference server."""
    socketio_max_payload: int = MAX_PAYLOAD
    """The largest message of a Socket.IO client with its attachments, in bytes."""


def open_gate(hub: Hub, dialects: Dialects | None = None, **options: Any) -> Gate:
    """A gate with an endpoint for each dialect. ``options`` are those of ``Gate``."""
    gate = Gate(hub, **options)
    dialects = dialects or Dialects()
    if dialects.websocket:
        gate.serve(native.PATH, NativeSockets(hub))
    sessions: Sessions[Emulated] = Sessions()
    if dialects.http_stream:
        gate.serve(streams.HTTP_STREAM_PATH, NativeStreams(gate, sessions, "http_stream"))
    if dialects.sse:
        gate.serve(streams.SSE_PATH, NativeStreams(gate, sessions, "sse"))
    if dialects.http_stream or dialects.sse:
        gate.serve(emulation.PATH, Emulation(gate, sessions))
    if dialects.eventsource:
        gate.serve(events.PATH, EventSources(gate))
    if dialects.signalr:
        gate.serve(signalr.PREFIX, SignalR(gate, resumes=dialects.signalr_resumes))
    if dialects.socketio:
        endpoint = SocketIo(gate, recovery_s=dialects.socketio_recovery_s, max_payload=dialects.socketio_max_payload)
        for path in socketio.PATHS:
            gate.serve(path, endpoint)
    return gate
