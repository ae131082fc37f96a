"""The groups of the admin hub: channels that admins follow and only the server publishes to.

What was missed is recovered, and who joins late may read what was said before. That clients of SignalR join a group by
a call and those of other dialects subscribe to the channel makes no difference: it is the same channel.
"""

from typing import Final

from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.permissions import Access

ADMINS: Final = "admins"
USER_ACTIVITY: Final = "user-activity"
ANALYTICS: Final = "analytics"
ALERTS: Final = "alerts"

GROUPS: Final = (ADMINS, USER_ACTIVITY, ANALYTICS, ALERTS)

FOLLOWERS: Final[Access] = ("@admin",)
"""Who may connect to the section, call it, and follow the groups."""


def rule_of(group: str) -> ChannelRule:
    return ChannelRule(
        pattern=group,
        history=Last(200, hours=24),
        presence=True,
        subscribe=FOLLOWERS,
        read_presence=FOLLOWERS,
        read_history=FOLLOWERS,
        urgent=group == ALERTS,
    )
