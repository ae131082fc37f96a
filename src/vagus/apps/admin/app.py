"""The admin broadcast hub put onto a hub: rules, section, service interface and routes."""

from typing import TYPE_CHECKING, Final

from vagus.auth.keys import KeyRing
from vagus.hub import Hub
from vagus.kernel.rates import Buckets

from .broadcasts import AdminBroadcasts
from .calls import add_section
from .groups import GROUPS, rule_of
from .views import Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ControllerRouterHandler

NAME: Final = "admin"


class Admin:
    """The installed app. ``broadcasts`` is for other services, ``views`` is what can be read of it."""

    def __init__(self, hub: Hub) -> None:
        self.broadcasts = AdminBroadcasts(hub)
        self.views = Views(hub, self.broadcasts)
        self._hub = hub

    async def start(self) -> None:
        """It does nothing by itself."""

    async def stop(self) -> None:
        """See ``start``."""

    def routes(self, keys: KeyRing | None, quotas: Buckets) -> "Sequence[ControllerRouterHandler]":
        """See ``vagus.apps.App``."""
        from vagus.apps.callers import Door

        from .routes import routes

        return routes(self, Door(self._hub, keys, quotas))


def install(hub: Hub) -> Admin:
    """Furnish a hub that has not started, once; asked again, it gives what is there.

    Raises ``ValueError`` where the hub has such a section or a rule for one of the channels.
    """
    installed = hub.apps.get(NAME)
    if isinstance(installed, Admin):
        return installed
    add_section(hub)
    for group in GROUPS:
        hub.rules.add(rule_of(group), f"channel {group!r}")
    admin = hub.apps[NAME] = Admin(hub)
    return admin
