"""Clients that come while their hub stops: they are told to come back, and no timer of theirs finds the hub gone."""

import asyncio
from typing import Any, Final

from vagus.hub.hub import Hub
from vagus.hub.requests import ConnectRequest
from vagus.kernel import codes
from vagus.kernel.identity import Identity

from .sockets import Visitor

MINUTE_S: Final = 60


async def test_a_client_that_is_asked_who_it_is_while_the_hub_stops_is_told_to_come_back() -> None:
    hub, asked, failures = Hub(), asyncio.Event(), list[Any]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

    @hub.authenticate
    async def who(request: ConnectRequest) -> Identity:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with hub:
        visitor = Visitor(hub)
        joining, silent = visitor.socket(), visitor.socket()
        joining.peer.receive(b"40")
        await asked.wait()
    assert joining.closures == [codes.SHUTDOWN]
    await asyncio.sleep(MINUTE_S)
    assert (len(silent.closures), failures) == (1, [])
