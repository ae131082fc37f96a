"""Connections put onto a hub: the channel, what nodes answer each other, and the routes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vagus.auth.keys import KeyRing
from vagus.hub import Hub
from vagus.kernel.rates import Buckets
from vagus.store import Store

from .announcing import Announcing
from .channel import CHANNEL, RULE
from .node import Figures
from .views import Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ControllerRouterHandler

NAME: Final = "connections"


class Connections:
    """The installed app. ``views`` is what can be seen of all nodes, and done to their clients."""

    def __init__(self, hub: Hub, store: Store | None, is_draining: Callable[[], bool]) -> None:
        figures = Figures(hub, store, is_draining)
        self._hub = hub
        self._announcing = Announcing(hub, figures)
        self.views = Views(hub, figures, self._announcing.heard)

    async def start(self) -> None:
        await self._announcing.start(self.views)

    async def stop(self) -> None:
        await self._announcing.stop()

    def routes(self, keys: KeyRing | None, quotas: Buckets) -> "Sequence[ControllerRouterHandler]":
        """See ``vagus.apps.App``."""
        from vagus.apps.callers import Door

        from .routes import routes

        return routes(self.views, Door(self._hub, keys, quotas))


def install(hub: Hub, *, store: Store | None = None, is_draining: Callable[[], bool] = lambda: False) -> Connections:
    """Furnish a hub that has not started, once; asked again, it gives what is there.

    ``store`` and ``is_draining`` are what a node tells of itself. Raises ``ValueError`` where the hub has a rule for
    the channel.
    """
    installed = hub.apps.get(NAME)
    if isinstance(installed, Connections):
        return installed
    hub.rules.add(RULE, f"channel {CHANNEL!r}")
    connections = hub.apps[NAME] = Connections(hub, store, is_draining)
    return connections
