"""The console's door put onto a hub: sessions that its pages, its routes and its connections are let in by."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from vagus.auth.keys import KeyRing
from vagus.auth.sessions import Terms
from vagus.hub import Hub
from vagus.kernel.rates import Buckets
from vagus.settings.console import Console as Settings
from vagus.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ControllerRouterHandler

    from .signing import SigningIn

NAME: Final = "console"

AddressOf = Callable[[str, Mapping[str, str]], str]
"""The address of a client, from that of its peer and its headers."""


class Console:
    """The installed app. ``sessions`` is what the hub and the routes of all apps ask."""

    def __init__(self, hub: Hub, settings: Settings, store: Store | None, address: AddressOf) -> None:
        from .keeping import KeptSessions  # brings SQLAlchemy along, as a store does

        self.hub = hub
        self._address = address
        self.sessions = KeptSessions(hub, store, _terms(settings))
        self._signing: SigningIn | None = None

    async def start(self) -> None:
        """Begin to look after sessions."""
        await self.sessions.start()

    async def stop(self) -> None:
        """End that; sessions stay."""
        await self.sessions.stop()

    def heed(self, settings: Settings) -> None:
        """Let sessions last by other settings. When one that has begun ends whatever happens stays what it is."""
        self.sessions.terms = _terms(settings)

    def routes(self, keys: KeyRing | None, quotas: Buckets) -> "Sequence[ControllerRouterHandler]":
        """See ``vagus.apps.App``. Keys open nothing here."""
        from .routes import routes

        return routes(self, quotas)

    @property
    def signing(self) -> "SigningIn":
        if self._signing is None:
            from .signing import SigningIn  # brings argon2 along, which only who signs in needs

            self._signing = SigningIn(self.hub, self.sessions)
        return self._signing

    def address_of(self, scope: Any) -> str:
        """The address that a request comes from, behind proxies too."""
        peer = scope.get("client")
        forwarded = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
        return self._address(peer[0] if peer else "", {"x-forwarded-for": forwarded} if forwarded else {})


def _terms(settings: Settings) -> Terms:
    return Terms(
        idle_s=settings.session_idle_hours * 3600,
        lasting_s=settings.session_days * 86_400,
        most=settings.sessions_per_user,
    )


def install(
    hub: Hub, settings: Settings | None = None, *, store: Store | None = None, address: AddressOf | None = None
) -> Console:
    """Let people sign in to a hub that has not started, once; asked again, it gives what is there.

    ``address`` tells a client's address from its peer's and its headers; without it, it is the peer's. Without a store
    nobody can sign in.
    """
    installed = hub.apps.get(NAME)
    if isinstance(installed, Console):
        return installed
    console = hub.apps[NAME] = Console(hub, settings or Settings(), store, address or (lambda peer, _: peer))
    if store is not None:
        hub.policies.sessions = console.sessions
    return console
