"""An application's own hub, named ``module:name`` and found as Python finds modules, the working folder first."""

import os
import sys
from importlib import import_module

from vagus.broker import Broker
from vagus.broker.memory import MemoryBroker
from vagus.hub.hub import Hub
from vagus.hub.policies import Verifier
from vagus.kernel.limits import Limits
from vagus.settings import Settings


def load_hub(name: str) -> Hub:
    """Import the hub. Raises ``ValueError`` if it is not there; what the module itself raises passes through."""
    module_name, colon, path = name.partition(":")
    if not module_name or not colon or not path:
        raise ValueError(f"must be module:name, such as shop.live:hub, not {name}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: object = import_module(module_name)
    except ModuleNotFoundError as error:
        is_asked_for = f"{module_name}.".startswith(f"{error.name}.")
        asked = "" if is_asked_for else f", which is imported when {module_name} is"
        raise ValueError(f"there is no module {error.name}{asked}") from None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Hub):
        raise ValueError(f"{name} is not a vagus.Hub")
    return found


def put_settings_on(hub: Hub, settings: Settings, verifier: Verifier | None, broker: Broker | None = None) -> None:
    """Let a deployment's settings hold in an application's hub, as far as the application has not decided itself.

    The broker takes the place of the one that a hub has by default.

    Raises ``RuleError`` for a channel rule that the application has already.
    """
    if broker is not None and isinstance(hub.broker, MemoryBroker):
        hub.carry_with(broker)
    if settings.limits != Limits():
        hub.limits = settings.limits
    hub.policies.allow_anonymous = hub.policies.allow_anonymous or settings.access.allow_anonymous
    hub.personal_channels = hub.personal_channels or settings.access.personal_channels
    if hub.policies.verifier is None:
        hub.policies.verifier = verifier
    for index, rule in enumerate(settings.channels):
        hub.rules.add(rule, f"channels[{index}]")
    if settings.access.insecure and not hub.is_open:
        hub.open()
