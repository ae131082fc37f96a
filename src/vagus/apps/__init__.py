"""Apps: what an organisation does with a hub, each built on the hub's public API alone.

An app is a package, and this is its contract:

* ``install(hub, …)`` furnishes a hub that has not started: channel rules, a section, calls. It reads no setting and
  finds no service by itself; what it needs is handed in. It raises ``ValueError`` where the hub has a rule or a section
  of that name already, and returns what is installed if that is the app itself (``hub.apps``): an application installs
  it to have it at hand, and the server then opens its routes.
* What ``install`` returns satisfies ``App``. The server serves its routes; other services call its interface, one
  typed async method for each thing that the app does. Routes, calls and the demo go through that same interface.
* ``PUBLISHED`` names the events that the app publishes: by the channel's pattern, then by name, the struct of the
  payload. The types of @vagus/client are written from it, and from the calls of a hub that ``install`` was given and
  nothing else with it (tools/write_types.py).
* Importing an app does not import Litestar. ``routes`` does, in a thread, when the first request needs it.
* Apps do not import one another: they meet through channels and calls, and through what is handed in at ``install``.

Reading order inside an app: its values (frozen structs, valid or refused), its channels and who may follow them, what
it does, its calls, its routes, ``install``. What the routes of all apps share is here: ``callers`` (who asks over HTTP,
and how often), ``bodies`` (JSON into values, strictly).
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ControllerRouterHandler

    from vagus.auth.keys import KeyRing
    from vagus.kernel.rates import Buckets


class App(Protocol):
    """What a server needs to know of an app once it is installed."""

    async def start(self) -> None:
        """Begin what the app does by itself; hub and store have started. Raises ``StoreError``."""
        ...

    async def stop(self) -> None:
        """End that, before the hub and the store stop."""
        ...

    def routes(self, keys: "KeyRing | None", quotas: "Buckets") -> "Sequence[ControllerRouterHandler]":
        """Its HTTP routes. ``keys`` open them besides tokens; with ``None`` they are open to everybody, as

        ``--insecure`` says. ``quotas`` are how often each caller may ask. May be called in a thread.
        """
        ...
