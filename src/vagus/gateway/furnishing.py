"""Which dialects a gateway speaks, and at which paths."""

from typing import Any

import msgspec

from vagus.hub.hub import Hub

from . import native
from .gate import Gate
from .native import NativeSockets


class Dialects(msgspec.Struct, frozen=True, kw_only=True):
    """Everything is spoken unless it is turned off."""

    websocket: bool = True
    """The native dialect over WebSockets."""


def open_gate(hub: Hub, dialects: Dialects | None = None, **options: Any) -> Gate:
    """A gate with an endpoint for each dialect. ``options`` are those of ``Gate``."""
    gate = Gate(hub, **options)
    dialects = dialects or Dialects()
    if dialects.websocket:
        gate.serve(native.PATH, NativeSockets(hub))
    return gate
