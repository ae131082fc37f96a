"""Vagus, a real-time operations hub: channels with gap-free recovery, presence and calls.

The public names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import VERSION as __version__

if TYPE_CHECKING:
    from .auth.addresses import AddressRules as AddressRules
    from .auth.addresses import Networks as Networks
    from .auth.origins import OriginRules as OriginRules
    from .auth.tokens import TokenRules as TokenRules
    from .auth.tokens import TokenVerifier as TokenVerifier
    from .broker.redis.broker import RedisBroker as RedisBroker
    from .gateway.asgi import asgi_app as asgi_app
    from .gateway.furnishing import Dialects as Dialects
    from .hub.hub import Hub as Hub
    from .hub.requests import Caller as Caller
    from .hub.requests import ConnectRequest as ConnectRequest
    from .hub.sections import Section as Section
    from .kernel.channels import ChannelRule as ChannelRule
    from .kernel.channels import Last as Last
    from .kernel.errors import AnswerError as AnswerError
    from .kernel.errors import BrokerError as BrokerError
    from .kernel.errors import DisconnectError as DisconnectError
    from .kernel.errors import RefusedError as RefusedError
    from .kernel.errors import RuleError as RuleError
    from .kernel.errors import VagusError as VagusError
    from .kernel.history import Query as Query
    from .kernel.identity import Grant as Grant
    from .kernel.identity import Identity as Identity
    from .kernel.identity import Role as Role
    from .kernel.limits import Limits as Limits
    from .kernel.publications import Position as Position
    from .kernel.rates import Rate as Rate

_HOMES = {
    "AddressRules": "auth.addresses",
    "AnswerError": "kernel.errors",
    "BrokerError": "kernel.errors",
    "Caller": "hub.requests",
    "ChannelRule": "kernel.channels",
    "ConnectRequest": "hub.requests",
    "Dialects": "gateway.furnishing",
    "DisconnectError": "kernel.errors",
    "Grant": "kernel.identity",
    "Hub": "hub.hub",
    "Identity": "kernel.identity",
    "Last": "kernel.channels",
    "Limits": "kernel.limits",
    "Networks": "auth.addresses",
    "OriginRules": "auth.origins",
    "Position": "kernel.publications",
    "Query": "kernel.history",
    "Rate": "kernel.rates",
    "RedisBroker": "broker.redis.broker",
    "RefusedError": "kernel.errors",
    "Role": "kernel.identity",
    "RuleError": "kernel.errors",
    "Section": "hub.sections",
    "TokenRules": "auth.tokens",
    "TokenVerifier": "auth.tokens",
    "VagusError": "kernel.errors",
    "asgi_app": "gateway.asgi",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
