"""The channel of fusion, and the one event on it: a pulse, which says what all sources said.

Socket.IO has it as the event ``fusionUpdate``, the other dialects as an envelope with that type.
Whoever comes is given the newest pulse at once, asked for or not.
"""

from typing import Final, Literal

import msgspec

from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.permissions import ANYONE, Access

CHANNEL: Final = "fusion"
UPDATE: Final = "fusionUpdate"
REFRESH: Final = "fusionRefresh"
"""What a client asks for: a pulse now."""

READERS: Final[Access] = ("@viewer", "@operator", "@admin", "@auditor", "@service")
OPERATORS: Final[Access] = ("@operator", "@admin")
"""Who may pause pulses and change their pace."""
ADMINS: Final[Access] = ("@admin",)

PULSES: Final = Last(20, days=2)


def rule_for(readers: Access) -> ChannelRule:
    return ChannelRule(
        pattern=CHANNEL,
        history=PULSES,
        recovery="cache",
        force_recovery=True,
        presence=True,
        subscribe=readers,
        read_presence=readers,
        read_history=readers,
    )


RULE: Final = rule_for(READERS)
DEMO_RULE: Final = rule_for((*READERS, ANYONE))
"""Whoever comes may see a demo."""


class SourceMark(msgspec.Struct, frozen=True, rename="camel"):
    """How one source did when a pulse was made. ``as_of`` is when its values were true, in milliseconds since 1970."""

    status: Literal["waiting", "ok", "stale", "failed"]
    as_of: int
    error: str = ""
    demo: bool = False
    """Whether its values are made up."""


class PulseMark(msgspec.Struct, frozen=True, rename="camel"):
    """What a pulse says of itself. ``number`` counts those of one emitter, from its start."""

    number: int
    interval_seconds: float
    collect_ms: float
    sources: dict[str, SourceMark]
    paused: bool = False


class FusionUpdate(msgspec.Struct, frozen=True):
    """A pulse: the snapshot as ``GET /api/fusion/stream`` answers it, and what it says of itself."""

    ok: bool
    data: dict[str, object]
    pulse: PulseMark
