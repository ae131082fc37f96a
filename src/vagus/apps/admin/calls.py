"""The calls of the section ``admin``: joining and leaving its groups.

| SignalR's hub | the section | native |
| --- | --- | --- |
| ``/hubs/admin`` | ``admin``, Socket.IO's ``/admin`` | any connection |
| method ``SubscribeToAlerts`` | call of that name | ``admin.SubscribeToAlerts``, or simply subscribing to ``alerts`` |
| group ``alerts`` | channel | channel |

Who connects to the section is in ``admins`` from then on. Joining a group twice, or leaving one without being in it, is
no mistake: clients that come back after a broken connection join again without asking.
"""

from vagus.hub import Hub
from vagus.hub.requests import Caller, ConnectRequest
from vagus.hub.sections import Section

from .groups import ADMINS, ALERTS, ANALYTICS, FOLLOWERS, USER_ACTIVITY

SECTION = "admin"


def add_section(hub: Hub) -> Section:
    """Raises ``ValueError`` if the hub has a section of that name."""
    section = hub.section(SECTION, allow=FOLLOWERS)

    @section.on_connected
    async def join_admins(caller: Caller, request: ConnectRequest) -> None:
        await hub.subscribe(ADMINS, client=caller.client)

    for name, group in (("UserActivity", USER_ACTIVITY), ("Analytics", ANALYTICS), ("Alerts", ALERTS)):
        _add_group(hub, section, name, group)
    return section


def _add_group(hub: Hub, section: Section, name: str, group: str) -> None:
    @section.call(f"SubscribeTo{name}")
    async def join(caller: Caller) -> None:
        await hub.subscribe(group, client=caller.client)

    @section.call(f"UnsubscribeFrom{name}")
    async def leave(caller: Caller) -> None:
        await hub.unsubscribe(group, client=caller.client)
