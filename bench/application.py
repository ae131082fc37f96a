"""The hub that is measured: what `vagus serve --insecure` serves, with one call that echoes, as the peer has it."""

from typing import Any

from vagus import Caller, Hub

hub = Hub(open_to_all=True)


@hub.call("echo", allow=("anyone",))
async def echo(caller: Caller, request: Any) -> Any:
    return request
