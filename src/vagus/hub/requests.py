"""What the hub hands to an application's functions: who asks, and with what."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from vagus.kernel.identity import Identity
from vagus.kernel.publications import NOTHING, Json

T = TypeVar("T")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a connection came from. ``headers`` have lower-case names; ``address`` is the client's, behind proxies
    too.
    """

    address: str = ""
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = {}
    transport: str = "websocket"


class ConnectRequest(msgspec.Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """A client wants to connect. ``headers`` include those that a browser's page could only send in its command.

    Each is equal to itself alone, so that functions can keep what belongs to one in a ``WeakKeyDictionary``.
    """

    client: str
    origin: Origin
    token: str = ""
    section: str = ""
    """The part of the hub's calls that the client comes for; see ``sections``."""
    data: Json = NOTHING
    headers: Mapping[str, str] = {}
    name: str = ""
    version: str = ""


class Caller(msgspec.Struct, frozen=True):
    """The client behind a command. Its id names this one connection."""

    client: str
    identity: Identity

    @property
    def user(self) -> str:
        return self.identity.user


def decoded(data: Json, kind: type[T] | Any) -> T | Any:
    """JSON data as a value of ``kind``. Raises ``msgspec.ValidationError`` that names the path of what does not fit."""
    return msgspec.json.decode(data if data else b"null", type=kind)
