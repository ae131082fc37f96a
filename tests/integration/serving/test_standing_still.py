"""A process that stood still, as when its machine did: clients that answered meanwhile are not blamed for it."""

import asyncio
import signal

from tests.integration.serving.processes import Guests, Start

STILL_S = 4.0
"""Longer than clients may take for a pong."""


async def test_who_has_answered_a_ping_meanwhile_stays(start: Start, guests: Guests) -> None:
    limits = {"VAGUS_LIMITS__PING_INTERVAL_S": "1", "VAGUS_LIMITS__PONG_TIMEOUT_S": "0.9"}
    serving = await asyncio.to_thread(start, **limits)
    client = await guests.come(serving.url)
    assert await client.socket.recv() == "{}"
    serving.signal(signal.SIGSTOP)
    await client.socket.send("{}")
    await asyncio.sleep(STILL_S)
    serving.signal(signal.SIGCONT)
    for _ in range(2):
        assert await client.socket.recv() == "{}"
        await client.socket.send("{}")
