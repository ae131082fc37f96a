"""Who a client is, and what its credentials grant it from the start."""

from enum import StrEnum

import msgspec

from .publications import NOTHING, Json


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    AUDITOR = "auditor"
    SERVICE = "service"
    NEURON = "neuron"


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subscription that credentials bring along. ``None`` leaves an option to the channel's rule.

    ``info`` is shown to others in the channel, ``data`` goes to the client with its subscription, ``expires_at`` is in
    seconds since the epoch.
    """

    info: Json = NOTHING
    data: Json = NOTHING
    expires_at: float | None = None
    presence: bool | None = None
    join_leave: bool | None = None
    force_push_join_leave: bool | None = None
    recovery: bool | None = None
    positioning: bool | None = None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is. An empty ``user`` is anonymous.

    ``info`` is public, shown in presence and with what it publishes; ``meta`` is for the application's own rules and
    calls and never leaves the server; ``channels`` are subscribed by the server when the client connects; ``data`` is
    handed to the client then. With ``expires_at`` the client must refresh in time; ``refreshable`` says that it does so
    itself with a new token.
    """

    user: str = ""
    roles: frozenset[str] = frozenset()
    info: Json = NOTHING
    meta: Json = NOTHING
    data: Json = NOTHING
    channels: dict[str, Grant] = {}
    expires_at: float | None = None
    refreshable: bool = False

    @property
    def is_anonymous(self) -> bool:
        return not self.user


ANONYMOUS = Identity()
