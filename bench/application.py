"""The hub that is measured: what `vagus serve --insecure` serves, with one call that echoes, as the peer has it.

Channels whose names begin with `kept:` have history, those with `met:` presence, and those with `bare:` neither.
"""

from typing import Any

from vagus import Caller, ChannelRule, Hub, Last

RULES = (
    ChannelRule(pattern="kept:{name}", history=Last(100, minutes=1)),
    ChannelRule(pattern="met:{name}", presence=True),
    ChannelRule(pattern="bare:{name}"),
)

hub = Hub(open_to_all=True, rules=RULES)


@hub.call("echo", allow=("anyone",))
async def echo(caller: Caller, request: Any) -> Any:
    return request
